"""When points run out: after months or days, at the end of a year, or never (B3)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from loyalty.calendar import add_months, end_of
from loyalty.reading import Part


@dataclass(frozen=True, slots=True)
class Expiry:
    """When points run out. All None: never.

    After `months` or `days`, optionally rounded up to the end of that month or year; or, with `years`, at
    the end of the year so many years after the year of earning (0: the year of earning itself).
    """

    months: int | None = None
    days: int | None = None
    years: int | None = None
    round_up_to: Literal["", "month_end", "year_end"] = ""

    @property
    def never(self) -> bool:
        return self.months is None and self.days is None and self.years is None

    def expires_at(self, earned_at: datetime, zone: ZoneInfo) -> datetime | None:
        """The local midnight at which points earned at `earned_at` are worth nothing; None is never.

        The last day is a whole day: twelve months from 15 March last through 15 March, and end at the
        midnight that begins the 16th. 31 January and one month is the end of February.
        """
        return _end(self, earned_at.astimezone(zone).date(), zone)

    def last_day(self, earned_on: date) -> date | None:
        """The last day on which points earned on a day can be spent."""
        if self.never:
            return None
        if self.years is not None:
            return date(earned_on.year + self.years, 12, 31)
        last = earned_on + timedelta(days=self.days or 0)
        if self.months is not None:
            last = add_months(earned_on, self.months)
        if self.round_up_to == "year_end":
            return date(last.year, 12, 31)
        if self.round_up_to == "month_end":
            return add_months(last.replace(day=1), 1) - timedelta(days=1)
        return last


@lru_cache(maxsize=4096)
def _end(expiry: Expiry, earned_on: date, zone: ZoneInfo) -> datetime | None:
    # A batch's orders were mostly bought on a few days: their ends are found once.
    last = expiry.last_day(earned_on)
    return None if last is None else end_of(last, zone)


NEVER = Expiry()


def read(parent: Part) -> Expiry | None:
    """`never`, `{after: {months: n}, round_up_to: month_end}`, `{at: year_end, years: n}`; None: not said."""
    value = parent.raw("expiry")
    if value is None or value == "never":
        return None if value is None else NEVER
    part = parent.part("expiry")
    if part.has("after") == part.has("at"):
        part.problem("", _("Write never, after or at."))
        return NEVER
    expiry = _read_at(part) if part.has("at") else _read_after(part)
    part.done()
    return expiry


def _read_at(part: Part) -> Expiry:
    part.choice("at", ("year_end",))
    return Expiry(years=part.whole("years", 1, high=100))


def _read_after(part: Part) -> Expiry:
    after = part.part("after")
    months = after.maybe_whole("months", low=1, high=1200)
    days = after.maybe_whole("days", low=1, high=36500)
    after.done()
    if after.has("months") == after.has("days"):
        after.problem("", _("Write months or days."))
    rounding = part.choice("round_up_to", ("month_end", "year_end"))
    return Expiry(months=months, days=days, round_up_to=cast(Any, rounding))
