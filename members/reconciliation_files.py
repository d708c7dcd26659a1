"""The file of a reconciliation: read as an import reads it, and nothing of it imported (A16, E4).

What is compared is copied into the rows of the runs; who bought and where it went is not kept at all. The
file is read a second time only for the orders that differ: their facts are kept, sealed, to be taken in if
somebody says so.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from members import reconciliation_rows as rows
from members.cleaning import SHANGHAI, Unclean
from members.errors import NoOrdersInFile
from members.facts import Fact, OrderFact
from members.formats import mapped, registry
from members.formats.format import Format
from members.formats.mapped import Mapping as ColumnChoice
from members.formats.outcomes import Read, Rejected
from members.formats.reading import Table, open_table
from members.formats.rows import Row
from members.importing import envelopes, staging
from members.importing.packing import pack
from members.models import ColumnMapping, Reconciliation
from members.reconciliation_facts import Held

SHOWN_REJECTS = 50
CHUNK = 2000  # facts sealed at once
_NOON = "12:00:00"


@dataclass(frozen=True, slots=True)
class Readable:
    """How a file is read, and what it leaves out: then what it says cannot be taken in."""

    format: Format
    tells_status: bool = True
    tells_times: bool = True

    @property
    def is_applicable(self) -> bool:
        """Whether an order can be recorded as the file tells it, nothing made up."""
        return self.tells_status and self.tells_times


@dataclass(slots=True)
class Found:
    """What a file was found to be, beside its orders."""

    readable: Readable
    rejected: list[dict[str, Any]] = field(default_factory=list)
    rows_rejected: int = 0
    of_other_days: int = 0
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)  # on which each order stands
    repeated: set[str] = field(default_factory=set)

    def reject(self, lines: Sequence[int], column: str, code: str) -> None:
        """Note rows that cannot be used; of the first ones, why."""
        self.rows_rejected += len(lines)
        room = SHOWN_REJECTS - len(self.rejected)
        self.rejected += [{"line": line, "column": column[:100], "code": code} for line in lines[:room]]


def copy(path: Path, runs: Mapping[date, Reconciliation]) -> Found:
    """Copy the orders of a file into the runs of their days, in one statement however many there are.

    An order without a time belongs to the only day that is asked for. Raises a `FileRefused`, and
    NoOrdersInFile for a file of something else.
    """
    (channel_id,) = {run.channel_id for run in runs.values()}
    only = next(iter(runs)) if len(runs) == 1 else None
    with open_table(path) as table:
        found = Found(_readable(table.headers, channel_id, only))
        with rows.copying() as copying:
            for read in _orders(found, table.rows):
                fact = _order(read.fact)
                run = _run_of(fact, runs, only)
                if run is None:
                    found.of_other_days += 1
                elif fact.number in found.lines:
                    found.lines[fact.number] += read.lines
                    found.repeated.add(fact.number)
                else:
                    found.lines[fact.number] = read.lines
                    copying.write(rows.line_of(run.pk, _held(fact, found.readable)))
    if found.repeated:
        _join(path, runs, only, found)
    return found


def keep_facts(path: Path, runs: Mapping[date, Reconciliation], found: Found) -> None:
    """Keep the facts of the orders that differ, sealed, each on its row."""
    wanted = rows.differing([run.pk for run in runs.values()]) if found.readable.is_applicable else {}
    if not wanted:
        return
    facts = _facts(path, found, wanted)
    with closing(facts):
        while chunk := list(islice(facts, CHUNK)):
            rows.keep([(*row, pack(fact)) for fact in chunk for row in wanted[fact.number]])


# -- reading --------------------------------------------------------------------------------------------


def _readable(headers: Sequence[str], channel_id: int, only: date | None) -> Readable:
    """How to read these columns: as somebody chose before, by a platform's format, else by their names."""
    digest = staging.headers_digest(headers)
    chosen = ColumnMapping.objects.filter(channel_id=channel_id, headers_digest=digest).first()
    if chosen is None and (described := registry.recognise(headers)) is not None:
        if described.kind != "orders":
            raise NoOrdersInFile(format=described.label)
        return Readable(described)
    choice = ColumnChoice(**chosen.mapping) if chosen else mapped.guess_mapping(headers, "orders")
    if choice.kind != "orders":
        raise NoOrdersInFile(format=mapped.MAPPED.label)
    tells_times = "placed_at" in choice.fields
    if not tells_times and only is not None:
        # For the reader alone, which wants a time of every order; it is compared with nothing.
        choice = replace(choice, defaults={**choice.defaults, "placed_at": f"{only} {_NOON}"})
    return Readable(mapped.format_of(choice, headers), "status" in choice.fields, tells_times)


def _orders(found: Found, table_rows: Iterable[Row]) -> Iterator[Read]:
    """The orders of a file that can be compared; what cannot is noted."""
    for outcome in found.readable.format.read(table_rows):
        if isinstance(outcome, Read):
            fault = envelopes.fault_of(outcome.fact)
            if fault is None:
                yield outcome
            else:
                found.reject(outcome.lines, "", fault)
        elif isinstance(outcome, Rejected):
            found.reject((outcome.line,), outcome.column, outcome.code)


def _again(found: Found, table: Table, numbers: Set[str]) -> Iterator[Read]:
    """Some orders once more: of a large file of which few are wanted, only their lines are looked at."""
    wanted = {line for number in numbers for line in found.lines[number]}
    return _orders(Found(found.readable), (row for row in table.rows if row.line in wanted))


def _order(fact: Fact) -> OrderFact:
    assert isinstance(fact, OrderFact), "the format was asked for its kind before"
    return fact


def _run_of(fact: OrderFact, runs: Mapping[date, Reconciliation], only: date | None) -> Reconciliation | None:
    """The run of the day on which an order was placed."""
    at = fact.placed_at or fact.paid_at
    day = at.astimezone(SHANGHAI).date() if at else only
    return runs.get(day) if day else None


def _held(fact: OrderFact, readable: Readable) -> Held:
    return Held(
        order_no=fact.number,
        status=fact.status.value if readable.tells_status else None,
        net=fact.amounts.net,
        paid=fact.amounts.paid,
        refunded=fact.refunded_total,
    )


# -- what stands in the file more than once -------------------------------------------------------------


def _join(path: Path, runs: Mapping[date, Reconciliation], only: date | None, found: Found) -> None:
    """Read again the orders whose rows do not stand side by side, and tell them whole."""
    again: dict[int, list[Held]] = {}
    for fact in _whole(path, found, found.repeated, note=True).values():
        run = _run_of(fact, runs, only)
        if run is not None:
            again.setdefault(run.pk, []).append(_held(fact, found.readable))
    for run_id, held in again.items():
        rows.tell(run_id, held)


def _whole(path: Path, found: Found, numbers: Set[str], *, note: bool) -> dict[str, OrderFact]:
    """The orders with these numbers, each joined of its parts where the format can; else the first holds."""
    joined: dict[str, OrderFact] = {}
    combine = found.readable.format.combine
    with open_table(path) as table:
        for read in _again(found, table, numbers):
            fact = _order(read.fact)
            before = joined.setdefault(fact.number, fact)
            if before == fact:
                continue
            try:
                if combine is None:
                    raise Unclean("duplicate_in_file", fact.number, found.readable.format.key)
                joined[fact.number] = _order(combine(before, fact))
            except Unclean as fault:
                if note:
                    found.reject(read.lines, fault.column, fault.code)
    return joined


def _facts(path: Path, found: Found, wanted: Mapping[str, Any]) -> Generator[OrderFact, None, None]:
    """The facts of the wanted orders, each once."""
    with open_table(path) as table:
        for read in _again(found, table, wanted.keys() - found.repeated):
            yield _order(read.fact)
    if repeated := found.repeated & wanted.keys():
        yield from _whole(path, found, repeated, note=False).values()
