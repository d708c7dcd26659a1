import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import joining
from members.errors import PhoneInvalid


class Command(BaseCommand):
    help = "Show the one-time code that was sent to a phone last. The demo only: it has no telephone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("phone", help="as 13800138000 or +8613800138000")
        parser.add_argument("--wait", type=float, default=5, help="seconds to wait for it to be sent")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "demo":
            raise CommandError("Codes can be shown in the demo only.")
        try:
            code = joining.last_code(options["phone"])
            until = time.monotonic() + options["wait"]
            while code is None and time.monotonic() < until:  # the worker may be about to send it
                time.sleep(0.2)
                code = joining.last_code(options["phone"])
        except PhoneInvalid as refusal:
            raise CommandError(str(refusal)) from refusal
        if code is None:
            raise CommandError("No code for this phone is waited for: none was sent, or it has run out.")
        self.stdout.write(code)
