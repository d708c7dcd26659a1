import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty import clock

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class Command(BaseCommand):
    help = (
        "Move the demo's programme clock: +3d, +12h; steps add up; reset brings it back. Recorded time stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("step", help="+3d, +12h, +30m, or reset")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "demo":
            raise CommandError("The clock can be moved in the demo only.")
        if options["step"] == "reset":
            clock.reset()
            self.stdout.write("The programme's clock shows the real time again.")
            return
        match = re.fullmatch(r"\+(\d{1,5})([dhms])", options["step"])
        if match is None:
            raise CommandError("Say +3d, +12h, +30m, or reset.")
        shift = clock.move(timedelta(**{_UNITS[match[2]]: int(match[1])}))
        self.stdout.write(f"The programme's clock is {shift} ahead.")
