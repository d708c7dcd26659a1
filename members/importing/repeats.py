"""Repeats: what a file tells more than once, so that one staged fact is left of each thing.

Told again in the same words it is `same`; parts that belong together are joined where the format can
(the rows of one JD order need not stand side by side); otherwise a second telling is rejected as
`duplicate_in_file`, because nobody can know which of the two is right.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.db import connection

from members.cleaning import Unclean
from members.facts import Fact, digest
from members.formats.format import Format
from members.formats.outcomes import mask
from members.importing.envelopes import money_of, opened, sealed, time_of
from members.models import ImportReject, ImportRun, StagedFact

FETCHED = 2000

_REPEATED = """
    SELECT s.id, {names}, s.digest, s.sequence, s.lines, s.seal, s.payload
    FROM members_stagedfact s JOIN (
        SELECT {names} FROM members_stagedfact WHERE run_id = %(run)s GROUP BY {names} HAVING count(*) > 1
    ) repeated USING ({names})
    WHERE s.run_id = %(run)s ORDER BY {names}, s.sequence
"""


@dataclass(slots=True)
class _Part:
    """One of several staged facts about the same thing."""

    id: int
    name: tuple[object, ...]
    digest: bytes
    sequence: int
    lines: list[int]
    seal: UUID
    payload: bytes

    def fact(self, kind: str) -> Fact:
        """The fact, opened."""
        return opened(kind, [self.payload], [self.seal.bytes])[0]


def settle(run: ImportRun, described: Format) -> None:
    """Leave one staged fact for each thing; counts are changed on the run, which the caller saves."""
    parts = _repeated_parts(run)
    for _name, group in groupby(parts, key=lambda part: part.name):
        first, *others = group
        seen = {first.digest}
        joined = None
        gone = [part.id for part in others]
        for part in others:
            if part.digest in seen:
                _count(run, part, "same")
                continue
            seen.add(part.digest)
            try:
                if described.combine is None:
                    raise Unclean("duplicate_in_file", str(part.name[0]), described.key)
                joined = described.combine(joined or first.fact(run.kind), part.fact(run.kind))
            except Unclean as fault:
                _reject_part(run, part, fault)
            else:
                first.lines += part.lines
                run.facts_read -= 1
                run.facts_left -= 1
        if joined is not None:
            _replace(first, joined)
        StagedFact.objects.filter(pk__in=gone).delete()


def _repeated_parts(run: ImportRun) -> Iterator[_Part]:
    names = "account_index" if run.kind == "accounts" else "number, refund_number"
    width = names.count(",") + 1
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(_REPEATED.format(names=names), {"run": run.pk})
        while rows := cursor.fetchmany(FETCHED):
            for row in rows:
                name = tuple(row[1 : 1 + width])
                told, sequence, lines, seal, payload = row[1 + width :]
                yield _Part(row[0], name, bytes(told), sequence, lines, seal, bytes(payload))


def _count(run: ImportRun, part: _Part, outcome: str) -> None:
    """Move one part from what is left to its outcome."""
    run.rows_left -= len(part.lines)
    run.facts_left -= 1
    setattr(run, f"rows_{outcome}", getattr(run, f"rows_{outcome}") + len(part.lines))
    setattr(run, f"facts_{outcome}", getattr(run, f"facts_{outcome}") + 1)


def _reject_part(run: ImportRun, part: _Part, fault: Unclean) -> None:
    _count(run, part, "rejected")
    value = mask(fault.value) if isinstance(part.name[0], str) else ""
    ImportReject.objects.bulk_create(
        ImportReject(run=run, line=line, column=fault.column[:100], code=fault.code, value=value)
        for line in part.lines
    )


def _replace(part: _Part, fact: Fact) -> None:
    """Write a joined fact over its first part."""
    net, postage, refunded = money_of(fact)
    # Sealed bytes may not pass through the ORM's update(), which knows no row to bind them to.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_stagedfact SET lines = %s, digest = %s, happened_at = %s, net = %s, postage = %s,"
            " refunded = %s, payload = %s WHERE id = %s",
            [
                part.lines,
                digest(fact),
                time_of(fact),
                net,
                postage,
                refunded,
                sealed(fact, part.seal),
                part.id,
            ],
        )
