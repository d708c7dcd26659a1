"""`manage.py channel_credentials CODE`: keep what a channel's platform gave us, by the standard input."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members import channels, credentials
from members.errors import MembersError
from members.models import Channel


class Command(BaseCommand):
    help = (
        "Keep credentials of a channel, read as lines NAME=VALUE from the standard input, so that no secret "
        "stands on a command line; an empty value takes one away. Lists which there are, and shows none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="code of the channel")
        parser.add_argument("--list", action="store_true", help="read nothing, only list")

    def handle(self, *args: Any, code: str, **options: Any) -> None:
        try:
            channel = channels.get(code)
            if not options["list"] and not sys.stdin.isatty():
                credentials.keep(channel, _read(sys.stdin.read()))
        except MembersError as error:
            raise CommandError(str(error)) from error
        self._list(channel)

    def _list(self, channel: Channel) -> None:
        since = credentials.kept(channel)
        names = credentials.NAMES.get(channel.platform, ())
        if not names:
            self.stdout.write(f"{channel.get_platform_display()} needs no credentials.")
        for name in names:
            at = since.get(name)
            self.stdout.write(f"{name}: {f'since {at:%Y-%m-%d %H:%M}' if at else 'not set'}")


def _read(text: str) -> dict[str, str]:
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise CommandError(f"Line {number} is not NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found
