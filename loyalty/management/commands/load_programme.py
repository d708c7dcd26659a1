"""`load_programme FILE`: the programme from a YAML file (docs/programme.md)."""

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from django.utils.translation import gettext as _

from loyalty import publishing
from loyalty.errors import LoyaltyError, ProgrammeInvalid
from loyalty.publishing import Loaded
from privacy.errors import ShukeError


class Command(BaseCommand):
    help = (
        "Check a programme file and show what it changes. In the demo it is published at once; in "
        "production it becomes a draft that a second person publishes."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the programme as YAML")
        parser.add_argument(
            "--break-glass", metavar="REASON", default="", help="publish it alone, with a reason on record"
        )
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(_("%(file)s: %(reason)s") % _failed(options["file"], error)) from None
        try:
            loaded = publishing.load(text)
            if options["break_glass"] and not loaded.is_published:
                publishing.publish(loaded.version, break_glass=options["break_glass"])
                loaded.version.refresh_from_db()
        except ProgrammeInvalid as error:
            self._tell_problems(error, as_json=options["json"])
            raise CommandError(str(error), returncode=1) from None
        except (LoyaltyError, ShukeError) as error:
            raise CommandError(str(error), returncode=1) from None
        if options["json"]:
            self.stdout.write(json.dumps(report(loaded), ensure_ascii=False, indent=2))
        else:
            self._tell(loaded)

    def _tell_problems(self, error: ProgrammeInvalid, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"problems": error.problems}, ensure_ascii=False, indent=2))
            return
        for problem in error.problems:
            self.stderr.write(f"{problem['path']}: {problem['message']}")

    def _tell(self, loaded: Loaded) -> None:
        version = loaded.version
        for difference in loaded.differences:
            self.stdout.write(difference.sentence(translation.get_language() or "en"))
        for sentence in [*loaded.warnings, *loaded.not_acted_upon]:
            self.stdout.write(self.style.WARNING(sentence))
        if not loaded.differences:
            words = _("Nothing changed: version %(number)s says the same.")
        elif loaded.is_published:
            words = _("Version %(number)s is published.")
        else:
            words = _("Version %(number)s is a draft. A second person publishes it in the console.")
        self.stdout.write(words % {"number": version.number})


def report(loaded: Loaded) -> dict[str, Any]:
    """What became of the file, for machines; sentences in both languages."""
    version = loaded.version
    return {
        "version": version.number,
        "state": version.state,
        "changed": bool(loaded.differences),
        "effective_from": version.effective_from.isoformat() if version.effective_from else None,
        "differences": [
            {"path": each.path, "en": each.sentence("en"), "zh-hans": each.sentence("zh-hans")}
            for each in loaded.differences
        ],
        "warnings": loaded.warnings,
        "not_acted_upon_yet": loaded.not_acted_upon,
    }


def _failed(file: Path, error: OSError) -> dict[str, str]:
    return {"file": str(file), "reason": error.strerror or str(error)}
