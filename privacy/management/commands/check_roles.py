"""Compare groups and permissions in the database with the role matrix."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from privacy import roles


class Command(BaseCommand):
    help = "Compare the database with privacy/role-matrix.yaml. Exit 1 and the differences when they drift."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="first write what the matrix says")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["apply"]:
            roles.apply_roles()
        drift = roles.drift()
        if options["json"]:
            self.stdout.write(json.dumps({"drift": drift}))
        else:
            self.stdout.write("\n".join(drift) or "The database agrees with the role matrix.")
        if drift:
            raise SystemExit(1)
