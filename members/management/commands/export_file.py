"""`manage.py export_file CHANNEL KIND FILE`: members, accounts, orders or points of a channel out (E4)."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from members import channels, exports
from privacy.errors import ShukeError


class Command(BaseCommand):
    help = "Writes rows of a channel to a CSV or XLSX file. Personal data are masked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", help="code of the channel")
        parser.add_argument("kind", choices=sorted(settings.EXPORT_SOURCES))
        parser.add_argument("file", type=Path, help="its suffix says what is written: .csv or .xlsx")
        parser.add_argument("--json", action="store_true", help="print what was written as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            channel = channels.get(options["channel"])
            rows = exports.write(channel, options["kind"], options["file"], label="export_file")
        except ShukeError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        if options["json"]:
            found = {"kind": options["kind"], "rows": rows, "file": str(options["file"])}
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            self.stdout.write(_("%(rows)s rows written.") % {"rows": f"{rows:,}"})
