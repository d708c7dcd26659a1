"""manage.py serve"""

import os
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config import checks, cluster, database, serving, static_files
from loyalty.models import ProgrammeVersion
from privacy import notices, roles


class Command(BaseCommand):
    help = "Serve the web pages and do the jobs, until Ctrl-C; in the demo, make everything ready first."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument(
            "--until-parent-ends", action="store_true", help="end with the program that started this one"
        )

    def handle(self, *args: Any, host: str, port: int, until_parent_ends: bool, **options: Any) -> None:
        # Until the supervisor takes over; a Ctrl-C is not worth a traceback.
        signal.signal(signal.SIGINT, lambda caught, frame: sys.exit(128 + caught))
        try:
            listener = serving.take_port(host, port)
        except serving.PortTaken as error:
            raise CommandError(f"Another program has {error}. PORT=8001 make run takes another.") from None
        serving.adopt_orphans()
        try:
            self._prepare()
        except cluster.ClusterError as error:
            raise CommandError(str(error)) from None
        supervisor = serving.Supervisor(
            children=[serving.web(listener), serving.worker(settings.BASE_DIR)],
            say=self._say,
            until_parent_ends=until_parent_ends,
        )
        supervisor.run((host, port), lambda: self._welcome(host, port))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _prepare(self) -> None:
        """Database, schema, static files and, the first time, the demo. In production only what is safe."""
        static_files.collect_when_needed()
        if not settings.IS_DEMO:
            checks.refuse_unless_ready()
            return
        database.bring_up()
        if checks.unapplied_migrations():
            self._say("Making the tables …")
            call_command("migrate", interactive=False, verbosity=0)
        # What this release says roles may do, and the texts newcomers are shown where there are none yet.
        roles.apply_roles()
        notices.publish_defaults()
        if os.environ.get("DEMO", "1") != "0":
            self._load_demo_once()

    def _load_demo_once(self) -> None:
        """Load the demo into an empty installation; one that was cut short is loaded to its end."""
        unfinished: Path = settings.VAR / "demo.unfinished"
        if ProgrammeVersion.objects.exists() and not unfinished.exists():
            return
        self._say("Loading the demo, once; this takes a minute or two …")
        unfinished.touch()
        call_command("load_demo")
        unfinished.unlink()

    def _welcome(self, host: str, port: int) -> None:
        self._say(f"Shuke is ready at http://{host}:{port}/   (Ctrl-C stops it)")
        sign_ins: Path = settings.VAR / "sign-ins.txt"
        if settings.IS_DEMO and sign_ins.exists():
            self._say(sign_ins.read_text().rstrip())
