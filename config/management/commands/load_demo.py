"""`manage.py load_demo [--members N] [--seed S]`: the demo, of any size; deterministic (E4)."""

import argparse
import json
from datetime import date
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from config import demo
from config.demo import Plan
from loyalty.models import Entry
from privacy.errors import ShukeError

MOST_MEMBERS = 1_000_000


class Command(BaseCommand):
    help = (
        "Load the demo into an empty installation: people who buy in several channels, as files in the "
        "platforms' formats, imported like any file. The same seed, size and day give the same demo."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--members", type=_size, default=demo.MEMBERS, metavar="N", help=f"default {demo.MEMBERS:,}"
        )
        parser.add_argument(
            "--seed", type=int, default=demo.SEED, metavar="S", help="another number, other people"
        )
        parser.add_argument(
            "--today",
            type=date.fromisoformat,
            metavar="DATE",
            help="history ends on the day before it (default: the day of loading)",
        )
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        started = monotonic()
        out = self.stderr if options["json"] else self.stdout
        try:
            found = demo.load(_plan(options), out.write)
        except ShukeError as error:
            raise CommandError(str(error), returncode=1) from error
        found["seconds"] = round(monotonic() - started, 1)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        for line in _lines(found):
            self.stdout.write(line)


def _size(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_MEMBERS:
        raise argparse.ArgumentTypeError(f"from 1 to {MOST_MEMBERS:,}")
    return number


def _plan(options: dict[str, Any]) -> Plan:
    """What was asked for; without a day, that of a load which was cut short, as its files are of that day."""
    begun = demo.begun()
    if options["today"]:
        today = options["today"].isoformat()
    else:
        today = begun.today if begun else timezone.localdate().isoformat()
    return Plan(members=options["members"], seed=options["seed"], today=today)


def _lines(found: dict[str, Any]) -> list[str]:
    """The summary as lines of text."""
    tiers = ", ".join(f"{tier} {count:,}" for tier, count in found["tiers"].items())
    points = ", ".join(f"{Entry.Kind(kind).label} {points:+,}" for kind, points in found["points"].items())
    said = {
        "members": f"{found['members']:,}",
        "orders": f"{found['orders']:,}",
        "nameless": f"{found['orders_without_member']:,}",
        "reviews": f"{found['matches_to_review']:,}",
        "outstanding": f"{found['points_outstanding']:,}",
        "tiers": tiers,
        "points": points,
        "seconds": found["seconds"],
    }
    return [
        _("Members: %(members)s (%(tiers)s); matches to review: %(reviews)s") % said,
        _("Orders: %(orders)s, of which %(nameless)s name no buyer") % said,
        _("Points outstanding: %(outstanding)s (%(points)s)") % said,
        _("%(seconds)s seconds.") % said,
    ]
