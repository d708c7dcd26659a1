"""manage.py work"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from config import database, serving
from members import sending

GRACE_SECONDS = 20


class Command(BaseCommand):
    help = "Do the jobs that wait in the queue and the ones of the calendar, and push changes, until stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4, help="jobs at the same time")

    def handle(self, *args: Any, concurrency: int, **options: Any) -> None:
        database.come_in()
        serving.heed_stopping()
        database.bring_up()
        assert isinstance(app.connector, DjangoConnector)
        # Changes are pushed beside the jobs: a long one must not hold them up (members.sending).
        # The worker listens on a connection of its own, which Django's cannot do.
        own = app.connector.get_worker_connector()
        with sending.beside(), app.replace_connector(own) as working:
            working.run_worker(concurrency=concurrency, shutdown_graceful_timeout=GRACE_SECONDS)
