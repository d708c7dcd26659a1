import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from loyalty import nightly


class Command(BaseCommand):
    help = "Renew or lower tiers that have run out, choose the top, and warn before."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="look at every member")
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        done = asdict(nightly.reassess_tiers(everybody=options["all"]))
        if options["json"]:
            self.stdout.write(json.dumps(done))
        else:
            self.stdout.write(", ".join(f"{word}: {count}" for word, count in done.items()))
