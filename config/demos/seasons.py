"""Seasons: on which days people buy. The two shopping festivals, and the feasts that ask for presents."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final

NEW_YEAR, MID_AUTUMN, DOUBLE_ELEVEN, MID_YEAR, USUAL = "new_year", "mid_autumn", "11.11", "618", ""

# Feasts of the lunar calendar. Beyond these years the middle of where they fall will do.
_NEW_YEARS: Final = {
    2024: (2, 10),
    2025: (1, 29),
    2026: (2, 17),
    2027: (2, 6),
    2028: (1, 26),
    2029: (2, 13),
    2030: (2, 3),
}
_MID_AUTUMNS: Final = {
    2024: (9, 17),
    2025: (10, 6),
    2026: (9, 25),
    2027: (9, 15),
    2028: (10, 3),
    2029: (9, 22),
    2030: (9, 12),
}
_PRESENTS_DAYS = 24  # so long before a feast its presents are bought


@cache
def season(day: date) -> str:
    """What the day is bought for: NEW_YEAR, MID_AUTUMN, DOUBLE_ELEVEN, MID_YEAR or USUAL."""
    if (day.month, day.day) in ((11, 10), (11, 11)):
        return DOUBLE_ELEVEN
    if day.month == 6 and 16 <= day.day <= 18:
        return MID_YEAR
    new_year = date(day.year, *_NEW_YEARS.get(day.year, (2, 5)))
    if 0 < (new_year - day).days <= _PRESENTS_DAYS:
        return NEW_YEAR
    mid_autumn = date(day.year, *_MID_AUTUMNS.get(day.year, (9, 24)))
    return MID_AUTUMN if 0 < (mid_autumn - day).days <= _PRESENTS_DAYS else USUAL


_ONLINE: Final = {DOUBLE_ELEVEN: 9.0, MID_YEAR: 5.0, NEW_YEAR: 2.0, MID_AUTUMN: 1.7, USUAL: 1.0}
_IN_STORES: Final = {DOUBLE_ELEVEN: 1.2, MID_YEAR: 1.0, NEW_YEAR: 2.2, MID_AUTUMN: 2.0, USUAL: 1.0}


def _online(day: date) -> float:
    is_feast = 0 <= (day - date(day.year, *_NEW_YEARS.get(day.year, (2, 5)))).days < 7
    return 0.3 if is_feast else _ONLINE[season(day)]  # couriers rest for a week


def _in_stores(day: date) -> float:
    return _IN_STORES[season(day)] * (1.7 if day.weekday() >= 5 else 1.0)


class Seasons:
    """The days from `first` to `last`, both included, and how much is bought on each."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self._online = _running_sum(map(_online, days))
        self._in_stores = _running_sum(map(_in_stores, days))

    def day(self, rng: Random, since: date, until: date, *, in_store: bool) -> date:
        """A day between two others (included, and within the seasons), likelier where more is bought."""
        sums = self._in_stores if in_store else self._online
        start, end = (since - self.first).days, (until - self.first).days
        drawn = rng.uniform(sums[start], sums[end + 1])
        return self.first + timedelta(days=min(bisect_right(sums, drawn, start, end + 1) - 1, end))


def _running_sum(weights: Iterable[float]) -> list[float]:
    return list(accumulate(weights, initial=0.0))
