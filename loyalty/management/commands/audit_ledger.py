import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty import audit, audit_runs


class Command(BaseCommand):
    help = "Check every law of the points ledger; print each row that breaks one, and exit 1 if any does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the violations as JSON")
        parser.add_argument("--limit", type=int, default=100, help="rows to show of each law (default 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        ran = audit_runs.run(limit=options["limit"])
        violations = ran.violations
        if options["json"]:
            self.stdout.write(json.dumps({"checked": audit.LAWS, "violations": violations}))
        else:
            for each in violations:
                row = ", ".join(f"{column}={value}" for column, value in each["row"].items())
                self.stdout.write(f"law {each['law']} {each['name']}: {row}")
            self.stdout.write(f"{len(audit.LAWS)} checks, {len(violations)} violations")
        if problem := ran.anchor.get("problem"):
            self.stderr.write(f"no anchor was written: {problem}")
        if violations:
            raise CommandError("The ledger is damaged.", returncode=1)
