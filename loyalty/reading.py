"""A document read strictly: every value has a type and a path, and every mistake is told at once.

The programme comes from a file, a form or the API as plain data (dicts, lists, text, whole numbers,
booleans). A `Part` is one mapping of it, read key by key; what nobody asked for is unknown and refused.
A wrong value is noted and replaced by a harmless one, so that one reading finds all the mistakes.
Decimals are text: a binary fraction has already lost what was typed.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.errors import ProgrammeInvalid

CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,48}[A-Za-z0-9])?")
DECIMAL = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?")
# Control characters, and halves of characters: PostgreSQL keeps neither.
UNPRINTED = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
LANGUAGES = ("zh-hans", "en")
MAX_TEXT = 200
MAX_WHOLE = 1_000_000_000


class Problems:
    """The mistakes found so far, in the order of the document."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    def add(self, path: str, message: str | Promise) -> None:
        """Note one mistake; a path is written as people read it: `tiers[1].keep.months`."""
        self.found.append({"path": path, "message": str(message)})

    def settle(self) -> None:
        """Raise ProgrammeInvalid when anything was noted."""
        if self.found:
            raise ProgrammeInvalid(self.found)


def as_decimal(value: object) -> Decimal | None:
    """The decimal that a text says, or None when it says none (floats and whole numbers are not text)."""
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def as_instant(value: object) -> datetime | None:
    """The instant that an RFC 3339 text with an offset says, or None."""
    try:
        instant = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant if instant is not None and instant.tzinfo is not None else None


def is_line(value: object) -> bool:
    """A text of one line, neither empty nor too long, that the database can keep."""
    return isinstance(value, str) and 0 < len(value.strip()) <= MAX_TEXT and not UNPRINTED.search(value)


def is_whole(value: object) -> bool:
    """A whole number; True and False are not numbers here."""
    return isinstance(value, int) and not isinstance(value, bool)


class Part:
    """One mapping of the document."""

    def __init__(self, value: object, path: str, problems: Problems) -> None:
        self.path = path
        self.problems = problems
        self.asked: set[str] = set()
        self.fields: dict[str, Any] = {}
        if isinstance(value, dict):
            self.fields = {str(key): field for key, field in value.items()}
        else:
            self.problem("", _("Write a group of settings here."))

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.path}.{key}" if self.path and key else self.path or key

    def problem(self, key: str, message: str | Promise) -> None:
        """Note a mistake at a key of this part ('' is the part itself)."""
        self.problems.add(self.at(key), message)

    def has(self, key: str) -> bool:
        """Whether the document says something here."""
        return self.fields.get(key) is not None

    def raw(self, key: str) -> Any:
        """The value as it is; it counts as read."""
        self.asked.add(key)
        return self.fields.get(key)

    def done(self) -> None:
        """Refuse what nobody asked for: a misspelt setting must not be ignored in silence."""
        for key in self.fields:
            if key not in self.asked:
                self.problem(key, _("There is no such setting."))

    def _required(self, key: str, required: bool) -> None:
        if required:
            self.problem(key, _("This is missing."))

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """A line of text."""
        value = self.raw(key)
        if value is None:
            self._required(key, required)
            return default
        if isinstance(value, str) and is_line(value):
            return value
        self.problem(key, _("Write a text of 1 to 200 characters."))
        return default

    def code(self, key: str, *, required: bool = True) -> str:
        """A short code of letters, digits, `-` and `_`."""
        value = self.raw(key)
        if value is None:
            self._required(key, required)
            return ""
        if isinstance(value, str) and CODE.fullmatch(value):
            return value
        self.problem(key, _("Write a code of up to 50 letters, digits, - and _."))
        return ""

    def codes(self, key: str) -> tuple[str, ...]:
        """A list of codes, each once."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) and CODE.fullmatch(v) for v in value):
            self.problem(key, _("Write a list of codes."))
            return ()
        if len(set(value)) < len(value):
            self.problem(key, _("A code is there twice."))
        return tuple(value)

    def choice(self, key: str, options: Collection[str], default: str = "", *, required: bool = False) -> str:
        """One word of several."""
        value = self.raw(key)
        if value is None:
            self._required(key, required)
            return default
        if isinstance(value, str) and value in options:
            return value
        self.problem(key, _("Choose one of: %(options)s.") % {"options": ", ".join(options)})
        return default

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.problem(key, _("Write true or false."))
        return default

    def maybe_whole(self, key: str, *, low: int = 0, high: int = MAX_WHOLE) -> int | None:
        """A whole number from `low` to `high`, or None when nothing is said."""
        value = self.raw(key)
        if value is None or (is_whole(value) and low <= value <= high):
            return value
        self.problem(key, _("Write a whole number from %(low)s to %(high)s.") % {"low": low, "high": high})
        return None

    def whole(
        self, key: str, default: int = 0, *, low: int = 0, high: int = MAX_WHOLE, required: bool = False
    ) -> int:
        """A whole number from `low` to `high`."""
        value = self.maybe_whole(key, low=low, high=high)
        if value is None and not self.has(key):
            self._required(key, required)
        return default if value is None else value

    def maybe_decimal(
        self, key: str, *, low: str = "0", high: str = "1000000000", places: int = 2
    ) -> Decimal | None:
        """A decimal written as text, or None when nothing is said."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, int | float):
            self.problem(key, _('Write decimals as text, in quotes: "1.5".'))
            return None
        number = as_decimal(value)
        if number is None or not Decimal(low) <= number <= Decimal(high):
            self.problem(key, _("Write a number from %(low)s to %(high)s.") % {"low": low, "high": high})
            return None
        if -int(number.as_tuple().exponent) > places:
            self.problem(key, _("Write at most %(places)s decimal places.") % {"places": places})
            return None
        return number

    def decimal(
        self,
        key: str,
        default: str = "0",
        *,
        low: str = "0",
        high: str = "1000000000",
        places: int = 2,
        required: bool = False,
    ) -> Decimal:
        """A decimal written as text."""
        value = self.maybe_decimal(key, low=low, high=high, places=places)
        if value is None and not self.has(key):
            self._required(key, required)
        return Decimal(default) if value is None else value

    def instant(self, key: str) -> datetime | None:
        """An instant with its offset, or None when nothing is said."""
        value = self.raw(key)
        instant = as_instant(value)
        if value is not None and instant is None:
            self.problem(key, _("Write a time with its offset: 2026-11-11T00:00:00+08:00."))
        return instant

    def window(self) -> tuple[datetime | None, datetime | None]:
        """From when (`from`), and before when (`to`); None is without a beginning or an end."""
        starts_at, ends_at = self.instant("from"), self.instant("to")
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            self.problem("to", _("It ends before it begins."))
        return starts_at, ends_at

    def name(self, key: str, *, required: bool = True) -> dict[str, str]:
        """A name in one language or both: `{zh-hans: …, en: …}`."""
        if not self.has(key):
            self.asked.add(key)
            self._required(key, required)
            return {}
        part = self.part(key)
        names = {language: part.text(language) for language in LANGUAGES if part.has(language)}
        part.done()
        if not names:
            self.problem(key, _("Write a name in Chinese or English."))
        return names

    def part(self, key: str) -> "Part":
        """The mapping under a key; an empty one when nothing is said."""
        value = self.raw(key)
        return Part({} if value is None else value, self.at(key), self.problems)

    def maybe_part(self, key: str) -> "Part | None":
        """The mapping under a key, or None when nothing is said."""
        return self.part(key) if self.raw(key) is not None else None

    def parts(self, key: str) -> "list[Part]":
        """The list of mappings under a key."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, _("Write a list here."))
            return []
        return [Part(item, f"{self.at(key)}[{i}]", self.problems) for i, item in enumerate(value)]

    def rungs(self, key: str, *, high: int = 10_000) -> "Iterator[tuple[int, Part]]":
        """A mapping from counts to mappings (`{3: {…}, 5: {…}}`), lowest count first."""
        ladder = self.part(key)
        counted: dict[int, str] = {}
        for count in ladder.fields:
            ladder.asked.add(count)
            if re.fullmatch(r"[1-9]\d{0,8}", count, re.ASCII) and int(count) <= high:
                counted[int(count)] = count
            else:
                ladder.problem(count, _("Write a count from 1 to %(high)s.") % {"high": high})
        for number in sorted(counted):
            yield number, ladder.part(counted[number])


def refuse_twice(parts: list[Part], codes: list[str]) -> None:
    """Note a mistake at each code that an earlier part of the list already has."""
    seen: set[str] = set()
    for part, code in zip(parts, codes, strict=True):
        if code and code in seen:
            part.problem("code", _("This code is there twice."))
        seen.add(code)
