"""Extents: how far the cells of a packed sheet reach, seen before a reader lays them out. Pure.

A reader lays out every place up to the last cell. One cell at XFD1048576 is a file of five kilobytes, and
places that no machine can hold; the reader then ends the whole process.
"""

import re
from typing import Final

MOST_PLACES: Final = 10_000_000  # rows by columns; more cells than a file of 200 MB can hold

# Each begins with a letter and no class, which the search for it depends on: there are millions of cells.
_COLUMNS: Final = re.compile(rb"""r\s*=\s*["']([A-Za-z]{1,3})\d""")
_FAR_ROWS: Final = re.compile(rb"""r\s*=\s*["'][A-Za-z]{0,3}(\d{5,7})["']""")
_NEAR: Final = 9_999  # rows that are taken to be there
_LONGEST: Final = 64  # bytes of one such place, which may stand across two blocks


class Extent:
    """The columns and, from 9,999 on, the rows up to the last cell of one sheet, fed block by block."""

    def __init__(self) -> None:
        self.rows = _NEAR
        self.columns = 0
        self._tail = b""

    def take(self, block: bytes) -> None:
        """Look at the next block of the sheet's text."""
        text = self._tail + block
        # Sets first: a sheet has few columns, however many cells.
        columns = set(map(bytes.upper, set(_COLUMNS.findall(text))))
        self.columns = max(self.columns, max(map(_number, columns), default=0))
        self.rows = max(self.rows, max(map(int, set(_FAR_ROWS.findall(text))), default=0))
        self._tail = text[-_LONGEST:]

    @property
    def is_too_wide(self) -> bool:
        """Whether there are more places than any table of ours has."""
        return self.rows * self.columns > MOST_PLACES


def _number(letters: bytes) -> int:
    """A column's number: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
