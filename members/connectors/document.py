"""A JSON document from outside, asked by path: what is missing or of another type reads as not told. Pure."""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from members import cleaning
from members.cleaning import ZERO, Unclean

LONGEST_TEXT = 200


class Document:
    """One JSON object. Values come out cleaned; Unclean says which field is wrong."""

    __slots__ = ("data", "path")

    def __init__(self, data: object, path: str = "") -> None:
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.path = path

    def __bool__(self) -> bool:
        return bool(self.data)

    def raw(self, *path: str) -> Any:
        """The value at a path as JSON has it, or None."""
        value: Any = self.data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def part(self, *path: str) -> "Document":
        """The object at a path; one that is not there is empty."""
        return Document(self.raw(*path), self._at(path))

    def parts(self, *path: str) -> Iterator["Document"]:
        """The objects of the list at a path."""
        value = self.raw(*path)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            yield Document(item, f"{self._at(path)}.{number}")

    def text(self, *path: str) -> str | None:
        """Text or a number as text; bounded."""
        value = self.raw(*path)
        if not isinstance(value, str | int | float | Decimal) or isinstance(value, bool):
            return None
        text = cleaning.clean_text(value)
        return text[:LONGEST_TEXT] if text else None

    def id(self, *path: str) -> str | None:
        """An id of the platform."""
        text = self.text(*path)
        return self._cleaned(cleaning.clean_id, text, path)

    def needed_id(self, *path: str) -> str:
        """An id that must be there."""
        found = self.id(*path)
        if found is None:
            raise Unclean("required_missing", "", self._at(path))
        return found

    def money(self, *path: str) -> Decimal | None:
        """Yuan of either sign."""
        value = self.raw(*path)
        # JSON's binary fractions are read as they are written: 9.9 is 9.90.
        text = repr(value) if isinstance(value, float) else self.text(*path)
        return self._cleaned(cleaning.clean_amount, text, path)

    def money_or_zero(self, *path: str) -> Decimal:
        """Yuan; not told is nothing."""
        return self.money(*path) or ZERO

    def needed_money(self, *path: str) -> Decimal:
        """Yuan that must be there."""
        found = self.money(*path)
        if found is None:
            raise Unclean("required_missing", "", self._at(path))
        return found

    def whole(self, *path: str) -> int | None:
        """A whole number."""
        value = self.raw(*path)
        if isinstance(value, str) and value.strip().lstrip("-").isdigit() and len(value) < 20:
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def time(self, *path: str, zone: str = "") -> datetime | None:
        """An instant; `zone` is what a time without an offset is in, China's when empty."""
        text = self.text(*path)
        if text and zone and text[-1] not in "Zz" and "+" not in text[10:] and "-" not in text[10:]:
            text += zone
        return self._cleaned(cleaning.clean_datetime, text, path)

    def _cleaned(self, clean: Any, text: str | None, path: tuple[str, ...]) -> Any:
        try:
            return clean(text)
        except Unclean as fault:
            fault.column = self._at(path)
            raise

    def _at(self, path: tuple[str, ...]) -> str:
        return ".".join(filter(None, (self.path, *path)))


def parse(text: str | bytes) -> Document:
    """The document that a text holds. Raises Unclean (row_unreadable) for what is no JSON object."""
    data = parse_any(text)
    if not isinstance(data, dict):
        raise Unclean("row_unreadable")
    return Document(data)


def parse_any(text: str | bytes) -> Any:
    """Whatever JSON a text holds. Raises Unclean (row_unreadable)."""
    try:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        # No cause: its text repeats what was sent.
        raise Unclean("row_unreadable") from None


def spare(value: str | None, clean: Any, *more: Any) -> str | None:
    """A phone or e-mail that the message can do without: one that cannot be right is left out."""
    try:
        found: str | None = clean(value, *more)
    except Unclean:
        return None
    return found
