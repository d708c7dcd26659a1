"""Cells: text on its way into a spreadsheet, where a leading sign would make it a formula."""

from typing import Any

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: Any) -> Any:
    """The value with an apostrophe before it if a spreadsheet would take its text for a formula.

    Numbers stay numbers: only text can carry a formula.
    """
    if isinstance(value, str) and value.lstrip(" ").startswith(_DANGEROUS):
        return f"'{value}"
    return value
