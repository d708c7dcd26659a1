"""Rows: one record of a file, with its cells by the name of their column, cleaned on the way out.

Columns are always found by name and never by position: platforms insert columns as they please.
A column that a file does not have reads like an empty cell.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from members import cleaning
from members.cleaning import ZERO, Unclean
from members.facts import Gender
from members.formats.outcomes import Remark, mask

LONGEST_TEXT: Final = 200
Word = TypeVar("Word")


class Columns(dict[str, int]):
    """Where the cell of each column stands; a column that is not there has the empty cell behind the last."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__((name, place) for place, name in reversed(tuple(enumerate(self.names))) if name)

    def __missing__(self, name: str) -> int:
        return len(self.names)

    def renamed(self, names: Mapping[str, str]) -> "Columns":
        """The same places under other names."""
        return Columns(names.get(name, name) for name in self.names)


class Row:
    """One record. `line` is the physical line on which it begins, counted from 1.

    `fault` is a reject code when the record itself is broken; `told` is how many cells it had.
    `cells` are as many as there are columns and one more, the empty one for columns that are not there.
    Every method but `cell`, `has` and `text` raises `Unclean` with the column and the line.
    """

    __slots__ = ("cells", "columns", "fault", "line", "remarks", "told")

    def __init__(self, line: int, cells: list[str], columns: Columns, fault: str = "", told: int = 0) -> None:
        self.line = line
        self.told = told
        self.cells = cells
        self.columns = columns
        self.fault = fault
        self.remarks: list[Remark] | None = None

    def has(self, column: str) -> bool:
        """Whether the file has this column at all."""
        return column in self.columns

    def cell(self, column: str) -> str:
        """The cell as it stands in the file."""
        return self.cells[self.columns[column]]

    def text(self, column: str) -> str | None:
        """Text without wrappers; the length of what we keep of it is bounded."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        text = cleaning.clean_text(cell)
        return text if text is None or len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT]

    def words(self, column: str, separator: str) -> tuple[str, ...]:
        """The parts of a cell that holds several."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return ()
        parts = map(cleaning.clean_text, (cleaning.clean_text(cell) or "").split(separator))
        return tuple([part[:LONGEST_TEXT] for part in parts if part])

    def code(self, column: str) -> str | None:
        """An id of the platform."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            return cleaning.clean_id(cell)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def needed_code(self, column: str) -> str:
        """An id that must be there."""
        code = self.code(column)
        if code is None:
            raise self.unclean("required_missing", column)
        return code

    def money(self, column: str) -> Decimal | None:
        """An amount that is not negative, or None when not told."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            amount = cleaning.clean_amount(cell)
        except Unclean as fault:
            raise self._located(fault, column) from None
        if amount is not None and amount < 0:
            raise self.unclean("amount_invalid", column)
        return amount

    def money_or_zero(self, column: str) -> Decimal:
        """An amount that is not negative; nothing told is nothing charged."""
        amount = self.money(column)
        return ZERO if amount is None else amount

    def needed_money(self, column: str) -> Decimal:
        """An amount that must be there."""
        amount = self.money(column)
        if amount is None:
            raise self.unclean("required_missing", column)
        return amount

    def signed_money(self, column: str) -> Decimal | None:
        """An amount of either sign."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            return cleaning.clean_amount(cell)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def pieces(self, column: str) -> int | None:
        """A number of pieces."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            return cleaning.clean_quantity(cell)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def time(self, column: str, order: str = "ymd") -> datetime | None:
        """A time in Asia/Shanghai."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            return cleaning.clean_datetime(cell, order)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def birthday(self, column: str, order: str = "ymd") -> date | None:
        """A day of birth."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            return cleaning.clean_birthday(cell, order)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def gender(self, column: str) -> Gender | None:
        """A gender."""
        cell = self.cells[self.columns[column]]
        if not cell:
            return None
        try:
            return cleaning.clean_gender(cell)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def region(self, column: str) -> str | None:
        """A province or city by its short name; not told when masked."""
        cell = self.cells[self.columns[column]]
        return cleaning.clean_region(cell) if cell else None

    def phone(self, column: str, region: str = "CN") -> str | None:
        """A phone in E.164; None also when it is masked, as then nobody can be told by it."""
        cell = self.cells[self.columns[column]]
        if not cell or "*" in cell:
            return None
        try:
            return cleaning.clean_phone(cell, region)
        except Unclean as fault:
            if fault.code == "phone_masked":  # a cipher
                return None
            raise self._located(fault, column) from None

    def masked_phone(self, column: str) -> str | None:
        """A masked phone as it stands, evidence for scored matching only; None when it is not masked."""
        text = self.text(column)
        return text if text and cleaning.is_masked(text) and len(text) <= 20 else None

    def email(self, column: str) -> str | None:
        """An e-mail address; None also when it is masked."""
        cell = self.cells[self.columns[column]]
        if not cell or cleaning.is_masked(cell):
            return None
        try:
            return cleaning.clean_email(cell)
        except Unclean as fault:
            raise self._located(fault, column) from None

    def spare_phone(self, column: str, region: str = "CN") -> str | None:
        """A phone that the row can do without: one that cannot be right is left out, with a remark."""
        try:
            return self.phone(column, region)
        except Unclean as fault:
            self.remark(fault)
            return None

    def spare_email(self, column: str) -> str | None:
        """An e-mail address that the row can do without, like `spare_phone`."""
        try:
            return self.email(column)
        except Unclean as fault:
            self.remark(fault)
            return None

    def word(self, column: str, meanings: Mapping[str, Word], code: str = "status_unknown") -> Word:
        """What a word of the platform means; raises `code` for a word that is not in the table."""
        cell = self.cells[self.columns[column]]
        if cell in meanings:
            return meanings[cell]
        word = self.text(column)
        if word is None:
            raise self.unclean("required_missing", column)
        try:
            return meanings[word]
        except KeyError:
            raise self.unclean(code, column) from None

    def unclean(self, code: str, column: str) -> Unclean:
        """The fault of one cell of this row, to be raised."""
        return Unclean(code, self.cell(column), column, self.line)

    def remark(self, fault: Unclean) -> None:
        """Note a cell that is left out while its row is kept."""
        noted = Remark(self.line, fault.column, fault.code, mask(fault.value))
        if self.remarks is None:
            self.remarks = []
        self.remarks.append(noted)

    def _located(self, fault: Unclean, column: str) -> Unclean:
        fault.column = column
        fault.line = self.line
        return fault
