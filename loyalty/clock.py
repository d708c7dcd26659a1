"""What time it is, for the programme and for the record.

Recorded time comes from PostgreSQL and never moves. The programme's time is the same, but in the demo it
can be moved on, so that a year of expiry and tiers can be watched in a minute (docs/ledger.md).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from loyalty.models.clock import ClockShift


@dataclass(frozen=True, slots=True)
class Clock:
    recorded: datetime  # the instant written on entries
    now: datetime  # the instant by which points ripen, lapse and time out


# What to select, also beside other things, to know what time it is: pass the two values to `of`.
COLUMNS = "clock_timestamp(), (SELECT shift FROM loyalty_clockshift)"


def read() -> Clock:
    """Ask PostgreSQL for the time. Under a wallet's lock it is later than that wallet's last entry."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS}")
        return of(*cursor.fetchone())


def of(recorded: datetime, shift: timedelta | None) -> Clock:
    """The clock, of what `COLUMNS` gave."""
    if shift is None or settings.ENVIRONMENT != "demo":
        return Clock(recorded, recorded)
    return Clock(recorded, recorded + shift)


def move(by: timedelta) -> timedelta:
    """Move the demo's programme clock on; steps add up. Returns how far it stands from the real one."""
    row, _ = ClockShift.objects.get_or_create(only=True)
    row.shift += by
    row.save(update_fields=["shift"])
    return row.shift


def reset() -> None:
    ClockShift.objects.all().delete()
