"""`api_key`: make a key of the API and show it once, or end one."""

import json
from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from members import api_keys, channels
from members.api_keys import DEFAULT_RATE
from members.models import ApiKey, Channel, Scope
from privacy.errors import ShukeError


class Command(BaseCommand):
    help = "Make an API key for a channel or a member of staff, and show it once; or revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("channel", nargs="?", help="code of the channel that the key belongs to")
        parser.add_argument("--staff", metavar="NAME", help="the member of staff that it belongs to instead")
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, help="default: all but members.personal"
        )
        parser.add_argument("--expires", metavar="DATE", help="first day, or instant, when it is not valid")
        parser.add_argument("--rate", default=f"{DEFAULT_RATE}/min", help="requests a minute, as 600/min")
        parser.add_argument("--network", action="append", default=[], help="from where it may be used")
        parser.add_argument("--revoke", metavar="PREFIX", help="end the key that begins so, at once")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if len([name for name in ("channel", "staff", "revoke") if options[name]]) != 1:
            raise CommandError("Name a channel, or --staff NAME, or --revoke PREFIX.")
        try:
            if options["revoke"]:
                row = api_keys.revoke(options["revoke"])
                self._print(row, None, as_json=options["json"])
                return
            row, key = api_keys.make(
                self._holder(options),
                scopes=options["scope"],
                rate=api_keys.read_rate(options["rate"]),
                expires_at=_read_expiry(options["expires"]),
                networks=options["network"],
            )
        except (ShukeError, ValueError) as error:
            raise CommandError(str(error)) from None
        self._print(row, key, as_json=options["json"])

    def _holder(self, options: dict[str, Any]) -> Channel | User:
        if options["channel"]:
            return channels.get(options["channel"])
        user = User.objects.filter(username=options["staff"]).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['staff']}.")
        return user

    def _print(self, row: ApiKey, key: str | None, *, as_json: bool) -> None:
        facts = {
            "key": key,
            "prefix": row.prefix,
            "channel": row.channel.code if row.channel else None,
            "staff": row.staff.get_username() if row.staff else None,
            "scopes": row.scopes,
            "rate": row.rate,
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
            "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        }
        if as_json:
            self.stdout.write(json.dumps({name: value for name, value in facts.items() if value is not None}))
        elif key is None:
            self.stdout.write(f"The key {row.prefix} is revoked.")
        else:
            self.stdout.write(f"{key}\nKeep it now: it is not shown again. Send it as")
            self.stdout.write(f"Authorization: Api-Key {key}")


def _read_expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    day = parse_date(text)
    moment = datetime.combine(day, time.min) if day else parse_datetime(text)
    if moment is None:
        raise CommandError("Write the date as 2026-12-31.")
    moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    if moment <= timezone.now():
        raise CommandError("The key would have expired already.")
    return moment
