"""manage.py database_url"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import database


class Command(BaseCommand):
    help = "Print the address of the database that Shuke uses, as other programs understand it."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--owner", action="store_true", help="as the role that owns the tables")

    def handle(self, *args: Any, owner: bool, **options: Any) -> None:
        chosen = settings.DATABASE_OWNER if owner else settings.DATABASE_WEB
        self.stdout.write(database.address(chosen))
