"""A JSON object from outside, read strictly field by field: every mistake is told at once, with its path.

A value is cleaned by `members.cleaning`, as a cell of a file is, but its JSON type must be right: money
is a text or a whole number, never a binary fraction, and a time has an offset. A field that nobody
knows is not an error; it is handed back as ignored, so that a misspelt name does not go unnoticed.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members import cleaning
from members.cleaning import REJECT_CODES, Unclean
from members.errors import BodyInvalid
from members.facts import OrderStatus

MOST_WHOLE = 1_000_000_000
MOST_VERSION = 2**63 - 1
NOTHING = Decimal("0.00")

_MONEY = re.compile(r"\d{1,10}(?:\.\d{1,2})?", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_NAIVE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

WRONG_TYPE = "type_wrong"
OUT_OF_RANGE = "out_of_range"
UNKNOWN_WORD = "word_unknown"
NOT_AS_ADDRESSED = "not_as_addressed"
KEY_TWICE = "key_twice"

# What can be wrong with a value of a body beside what can be wrong with a cell of a file.
PROBLEMS: dict[str, str | Promise] = {
    **REJECT_CODES,
    WRONG_TYPE: _("The JSON type of this value is wrong."),
    OUT_OF_RANGE: _("This value is smaller or larger than allowed."),
    UNKNOWN_WORD: _("This is none of the words that are known here."),
    "money_not_text": _('Write money as a text in yuan, as "99.90": a JSON fraction is not exact.'),
    "amounts_disagree": _("The amounts do not add up: paid is goods less discount plus postage."),
    "one_of_many": _("Give exactly one of the keys."),
    "text_unprintable": _("This text has characters that cannot be printed."),
    NOT_AS_ADDRESSED: _("The address names another one than the body."),
    KEY_TWICE: _("This key stands twice in one object."),
}


_OFFSET_MISSING = _("Write the time with its offset, as 2026-11-11T10:00:00+08:00.")


class Body:
    """One JSON object, read field by field; what is wrong is noted with its path and reads as None."""

    def __init__(self, data: object, path: str = "", above: "Body | None" = None) -> None:
        self.path = path
        self.problems: list[dict[str, str]] = above.problems if above else []
        self.ignored: list[str] = above.ignored if above else []
        self._asked: set[str] = set()
        self._is_object = isinstance(data, dict)
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if not self._is_object:
            self.note("", WRONG_TYPE)

    def note(self, name: str, code: str, message: str | Promise = "") -> None:
        """Note one mistake; `message` where more can be said than the code says."""
        self.problems.append(
            {"path": self._at(name), "code": code, "message": str(message or PROBLEMS[code])}
        )

    def settle(self) -> None:
        """Raise BodyInvalid when anything was noted."""
        if self.problems:
            raise BodyInvalid(self.problems)

    def leave(self) -> None:
        """Note the fields that nobody asked for as ignored."""
        for name in self._data.keys() - self._asked:
            self.ignored.append(printable(self._at(name)))

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self._data.get(name) is not None

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path and name else self.path or name

    def _take(self, name: str, *kinds: type) -> Any:
        """The field when it is of one of these JSON types; True is no number."""
        self._asked.add(name)
        value = self._data.get(name)
        if value is None or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))):
            return value
        self.note(name, WRONG_TYPE)
        return None

    def _clean(self, name: str, clean: Callable[[Any], Any], *kinds: type) -> Any:
        value = self._take(name, *(kinds or (str,)))
        if value is None:
            return None
        try:
            return clean(value)
        except Unclean as unclean:
            self.note(name, unclean.code)
            return None

    # -- values -----------------------------------------------------------------------------------------

    def text(self, name: str, longest: int) -> str | None:
        """Text for people to read; what nobody sees is taken off."""
        value = self._clean(name, cleaning.clean_text)
        if value is not None and len(value) > longest:
            self.note(name, "value_too_long")
            return None
        return value

    def exact(self, name: str, longest: int) -> str | None:
        """Text that is compared character by character, such as a cause; outer spaces do not count."""
        value = self._take(name, str)
        if value is None:
            return None
        if _UNPRINTABLE.search(value):
            self.note(name, "text_unprintable")
            return None
        if len(value) > longest:
            self.note(name, "value_too_long")
            return None
        return value.strip() or None

    def id(self, name: str, longest: int = cleaning.LONGEST_ID) -> str | None:
        """A platform's id; a whole number is taken for its digits."""
        return self._clean(name, lambda value: cleaning.clean_id(value, longest), str, int)

    def cleaned(self, name: str, clean: Callable[[Any], Any]) -> Any:
        """A text through one of the functions of `members.cleaning`."""
        return self._clean(name, clean)

    def money(self, name: str) -> Decimal | None:
        """Yuan as a text with at most two decimals, or a whole number; not negative."""
        value = self._take(name, str, int, float)
        if value is None:
            return None
        if isinstance(value, float):
            self.note(name, "money_not_text")
            return None
        written = str(value) if isinstance(value, str) or abs(value) <= MOST_VERSION else "-"
        if not _MONEY.fullmatch(written):
            self.note(name, "amount_invalid")
            return None
        return Decimal(written).quantize(NOTHING)

    def whole(self, name: str, least: int, most: int) -> int | None:
        """A whole number within bounds."""
        value = self._take(name, int)
        if value is None:
            return None
        if not least <= value <= most:
            self.note(name, OUT_OF_RANGE)
            return None
        return int(value)

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self._take(name, bool)
        return value if isinstance(value, bool) else None

    def moment(self, name: str) -> datetime | None:
        """An instant of RFC 3339, with its offset."""
        value = self._take(name, str)
        if value is not None and _NAIVE.fullmatch(value):
            self.note(name, "date_invalid", _OFFSET_MISSING)
            return None
        return self._clean(name, read_moment)

    def birthday(self, name: str) -> date | None:
        """A day of the past, as 1990-03-15."""
        return self._clean(name, _read_birthday)

    def word(self, name: str, words: Any) -> Any:
        """One of the words of an enumeration."""
        value = self._take(name, str)
        if value is None:
            return None
        try:
            return words(value)
        except ValueError:
            self.note(name, "status_unknown" if words is OrderStatus else UNKNOWN_WORD)
            return None

    def plain_word(self, name: str) -> str | None:
        """A lower-case word, such as a purpose."""
        value = self._take(name, str)
        if value is not None and not _WORD.fullmatch(value):
            self.note(name, UNKNOWN_WORD)
            return None
        return value

    def version(self, name: str) -> int | None:
        """A whole number, or an instant, which counts as its milliseconds since 1970."""
        value = self._take(name, int, str)
        if isinstance(value, str):
            moment = self.moment(name)
            return int(moment.timestamp() * 1000) if moment else None
        return self.whole(name, 0, MOST_VERSION) if value is not None else None

    def required(self, name: str, value: Any) -> Any:
        """Note what is missing and was not noted already."""
        if (
            value is None
            and self._is_object
            and not any(problem["path"] == self._at(name) for problem in self.problems)
        ):
            self.note(name, "required_missing")
        return value

    # -- what is inside ---------------------------------------------------------------------------------

    def value_or_part(self, name: str) -> "tuple[Body, str]":
        """Where a value stands: here under its name, or as `value` in an object of its own."""
        if isinstance(self._data.get(name), dict):
            inner = self.part(name)
            assert inner is not None
            return inner, "value"
        return self, name

    def part(self, name: str) -> "Body | None":
        """An object inside this one."""
        value = self._take(name, dict)
        return Body(value, self._at(name), self) if value is not None else None

    def parts(self, name: str, most: int) -> Iterator["Body"]:
        """The objects of a list inside this one."""
        value = self._take(name, list)
        if value is not None and len(value) > most:
            self.note(name, OUT_OF_RANGE)
            return
        for number, item in enumerate(value or ()):
            yield Body(item, f"{self._at(name)}.{number}", self)

    def texts(self, name: str, longest: int, most: int) -> tuple[str, ...]:
        """The texts of a list inside this one."""
        value = self._take(name, list)
        if value is None:
            return ()
        if len(value) > most:
            self.note(name, OUT_OF_RANGE)
            return ()
        items = Body({str(number): item for number, item in enumerate(value)}, self._at(name), self)
        read = (items.text(str(number), longest) for number in range(len(value)))
        return tuple(text for text in read if text is not None)


def printable(name: str) -> str:
    """A key of a body, as it may be told back."""
    return _UNPRINTABLE.sub("?", name)[:100]


def read_moment(text: str) -> datetime:
    """An instant of RFC 3339 in the years 2000 to 2100. Raises Unclean."""
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError(text)
        moment = datetime.fromisoformat(text.upper()).astimezone(cleaning.SHANGHAI)
    except (ValueError, OverflowError):
        raise Unclean("date_invalid", text) from None
    if not cleaning.FIRST_YEAR <= moment.year <= cleaning.LAST_YEAR:
        raise Unclean("date_invalid", text)
    return moment


def _read_birthday(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        raise Unclean("date_invalid", text)
    return cleaning.clean_birthday(text)
