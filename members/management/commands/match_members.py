"""`manage.py match_members`: the matching of the minute or of the night, now and in this process (A5)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from members.matching import runs
from privacy.errors import ShukeError


class Command(BaseCommand):
    help = "Compares new and changed accounts, or with --all everybody, as the worker does by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="everybody, as at night")
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = runs.compare_all() if options["all"] else runs.compare_new()
        except ShukeError as error:
            raise CommandError(str(error)) from error
        names = ("members", "pairs", "linked", "asked")
        done = {name: getattr(run, name) if run else 0 for name in names}
        if options["json"]:
            self.stdout.write(json.dumps(done))
        else:
            self.stdout.write(
                _("%(members)s members compared: %(linked)s linked, %(asked)s put before a person") % done
            )
