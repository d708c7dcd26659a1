from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty import anchors
from loyalty.anchors import Anchor, UnreadableAnchor


class Command(BaseCommand):
    help = "Write the heads of all chains of points outside the database, and print the anchor's digest."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--print", action="store_true", help="only print the last anchor, take none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found: Anchor | None = anchors.latest() if options["print"] else anchors.take()
        except UnreadableAnchor as damaged:
            raise CommandError(f"The last anchor is damaged: {damaged}") from damaged
        if found is None:
            raise CommandError("No anchor has been taken yet.")
        self.stdout.write(f"{found.name} {found.wallets} wallets sha256 {found.sha256}")
