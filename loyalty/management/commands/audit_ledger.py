import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty import audit, audit_runs
from loyalty.audit import words
from loyalty.audit_runs import Proof


class Command(BaseCommand):
    help = "Check every law of the points ledger; print each row that breaks one, and exit 1 if any does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print laws and violations as JSON")
        parser.add_argument("--limit", type=int, default=100, help="rows to show of each law (default 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        ran = audit_runs.run(limit=options["limit"])
        violations, proofs = ran.violations, audit_runs.proofs(ran)
        if options["json"]:
            laws = [_as_json(proof) for proof in proofs]
            told = {"checked": audit.LAWS, "laws": laws, "violations": violations}
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            for proof in proofs:
                self.stdout.write(_as_line(proof))
            for each in violations:
                row = ", ".join(f"{column}={value}" for column, value in each["row"].items())
                self.stdout.write(f"law {each['law']} {each['name']}: {row}")
            self.stdout.write(f"{len(audit.LAWS)} checks, {len(violations)} violations")
        if problem := ran.anchor.get("problem"):
            self.stderr.write(f"no anchor was written: {problem}")
        if violations:
            raise CommandError("The ledger is damaged.", returncode=1)


def _as_line(proof: Proof) -> str:
    """One law in the language of the installation: its number, what it says, and whether it holds."""
    found = ngettext("%(number)s row breaks it", "%(number)s rows break it", proof.violations)
    state = found % {"number": proof.violations} if proof.violations else _("It holds")
    return f"{proof.law:>3}  {words.LAWS[proof.law]}  {state}"


def _as_json(proof: Proof) -> dict[str, Any]:
    """One law in every language of the pages."""
    said = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said[language] = str(words.LAWS[proof.law])
    return {"law": proof.law, "words": said, "checks": proof.checks, "violations": proof.violations}
