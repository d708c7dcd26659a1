"""What a format is: which columns it needs, and how one row, or the rows of one order, become a fact.

Each row has exactly one outcome. An order that stands in several rows is taken whole or not at all.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.utils.functional import Promise

from members.cleaning import Unclean, clean_text
from members.facts import Fact
from members.formats.outcomes import Ignored, Outcome, Read, Rejected, Remark, rejected
from members.formats.rows import Columns, Row

Kind = Literal["orders", "accounts", "refunds", "order-lines"]
_TOTAL = re.compile(r"(?:本页)?(?:合计|总计|小计|汇总|共计)\s*[:\uff1a]?|grand total|total", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file of one platform.

    `key` is the column that names an entry; with `build_group`, rows that follow each other with the same key
    are one entry. `synonyms` gives other spellings of column names. `combine` joins two parts of one entry
    that were not side by side; without it a later part is simply a later telling.
    """

    name: str
    platforms: tuple[str, ...]
    kind: Kind
    label: str | Promise
    key: str
    required: tuple[str, ...]
    known: frozenset[str]
    build: Callable[[Row], Fact | Ignored] | None = None
    build_group: Callable[[list[Row]], Fact] | None = None
    combine: Callable[[Fact, Fact], Fact] | None = None
    synonyms: Mapping[str, str] = field(default_factory=dict)

    def missing(self, headers: Iterable[str]) -> list[str]:
        """The columns it needs that are not among these headers."""
        present = {self.synonyms.get(name, name) for name in headers}
        return [name for name in self.required if name not in present]

    def likeness(self, headers: Iterable[str]) -> int:
        """How many of these headers it knows."""
        return sum(1 for name in headers if self.synonyms.get(name, name) in self.known)

    def read(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        """The outcome of each row, in order; a fact of several rows comes once, with all their lines."""
        rows = self._renamed(rows) if self.synonyms else rows
        return self._read_grouped(rows) if self.build_group else self._read_each(rows)

    def _renamed(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Give columns the names this format knows them by; rows of one table share their columns."""
        theirs: Columns | None = None
        ours = Columns(())
        for row in rows:
            if row.columns is not theirs:
                theirs = row.columns
                ours = theirs.renamed(self.synonyms)
            row.columns = ours
            yield row

    def _read_each(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        build = self.build
        assert build is not None, self.name
        inspect = self._inspection()
        for row in rows:
            outcome: Outcome | None = inspect(row)
            if outcome is None:
                try:
                    fact = build(row)
                except Unclean as fault:
                    outcome = rejected(fault.line or row.line, fault)
                else:
                    remarks = tuple(row.remarks) if row.remarks else ()
                    outcome = fact if isinstance(fact, Ignored) else Read((row.line,), fact, remarks)
            yield outcome

    def _read_grouped(self, rows: Iterable[Row]) -> Iterator[Outcome]:
        inspect = self._inspection()
        group: list[Row] = []
        faults: dict[int, Rejected] = {}
        group_key: str | None = None
        for row in rows:
            outcome = inspect(row)
            key = clean_text(row.cell(self.key))
            if isinstance(outcome, Ignored):
                yield from self._finish(group, faults)
                group, faults = [], {}
                yield outcome
                continue
            # A broken row belongs to the order beside it, unless it can still say that it does not.
            if group and (key != group_key or key is None) and not (outcome and key is None):
                yield from self._finish(group, faults)
                group, faults = [], {}
            if not group:
                group_key = key
            group.append(row)
            if outcome is not None:
                faults[row.line] = outcome
        yield from self._finish(group, faults)

    def _finish(self, group: list[Row], faults: dict[int, Rejected]) -> Iterator[Outcome]:
        if not group:
            return
        if not faults:
            assert self.build_group is not None, self.name
            try:
                fact = self.build_group(group)
            except Unclean as fault:
                line = fault.line or group[0].line
                faults[line] = rejected(line, fault)
            else:
                yield Read(tuple(row.line for row in group), fact, _remarks(group))
                return
        for row in group:
            yield faults.get(row.line) or Rejected(row.line, "", "order_part_rejected")

    def _inspection(self) -> Callable[[Row], Ignored | Rejected | None]:
        """What can be said of a row before its cells are read; the first row may describe the columns."""
        is_first = True
        last_needed = -1

        def inspect(row: Row) -> Ignored | Rejected | None:
            nonlocal is_first, last_needed
            was_first, is_first = is_first, False
            if was_first:
                last_needed = max((row.columns[name] for name in self.required), default=-1)
            if row.fault:
                return Rejected(row.line, "", row.fault)
            first = row.cells[0].strip() if row.cells else ""
            if len(first) < 12:  # longer is neither blank nor a word for a total
                first = clean_text(first) or next(filter(None, map(clean_text, row.cells)), "")
                if not first:
                    return Ignored(row.line, "blank")
                if _TOTAL.fullmatch(first):
                    return Ignored(row.line, "total")
            if was_first and self._describes(row):
                return Ignored(row.line, "description")
            if row.told <= last_needed:
                return Rejected(row.line, "", "row_ragged")
            return None

        return inspect

    def _describes(self, row: Row) -> bool:
        """Whether the row under the header explains the columns: a key without any digit is no key."""
        key = clean_text(row.cell(self.key))
        return self.kind != "accounts" and key is not None and not any(map(str.isdigit, key))


def _remarks(rows: Iterable[Row]) -> tuple[Remark, ...]:
    return tuple(remark for row in rows for remark in row.remarks or ())
