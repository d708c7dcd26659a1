"""`export_programme FILE`: the programme that holds now, as the file it was loaded from."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from loyalty import programme_file, publishing
from loyalty.errors import ProgrammeMissing
from loyalty.programme import document


class Command(BaseCommand):
    help = "Write the programme that holds now as a YAML file; load_programme reads it back as the same."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", help="where to write; - is the terminal")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            held = publishing.current()
        except ProgrammeMissing as error:
            raise CommandError(str(error)) from None
        text = programme_file.write(document(held.programme))
        if options["file"] == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(options["file"]).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(
                _("%(file)s: %(reason)s") % {"file": options["file"], "reason": error.strerror or str(error)}
            ) from None
        self.stdout.write(
            _("Version %(number)s is written to %(file)s.") % {"number": held.number, "file": options["file"]}
        )
