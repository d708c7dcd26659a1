"""Months and midnights in the programme's time zone. 31 January and one month is the end of February."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month when it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def anniversary(day: date, year: int) -> date:
    """The same day in another year; what happened on 29 February is remembered on the 28th in between."""
    if (day.month, day.day) == (2, 29) and monthrange(year, 2)[1] == 28:
        return date(year, 2, 28)
    return day.replace(year=year)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` begins."""
    return datetime.combine(day, time.min, tzinfo=zone)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` is over: the midnight that ends it."""
    return midnight(day + timedelta(days=1), zone)


def months_after(at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The end of the local day that lies `months` after `at`'s."""
    return end_of(add_months(at.astimezone(zone).date(), months), zone)


def months_before(at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same local time of day, `months` earlier."""
    local = at.astimezone(zone)
    return datetime.combine(add_months(local.date(), -months), local.time(), tzinfo=zone)
