"""Staging: a file becomes facts that wait in the database, in constant memory (E4).

Promises: every row has one outcome and the counts add up at every commit; personal data rest sealed;
each thing in a file (an order, an account, a refund) is staged once. A file whose reading was cut off
is read again from its first row.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice

from django.db import connection, transaction

from members.formats import mapped, registry
from members.formats.errors import FormatUnknown
from members.formats.format import Format
from members.formats.outcomes import Outcome, Read, Rejected
from members.formats.reading import Table, open_table
from members.importing import envelopes, files, repeats
from members.importing.envelopes import Enveloped
from members.importing.errors import ColumnsUnknown, FileGone
from members.models import ColumnMapping, ImportReject, ImportRun, StagedFact

CHUNK = 2000  # outcomes a transaction


def stage(run: ImportRun, watch: Callable[[ImportRun], object]) -> None:
    """Read the run's file into staged facts and rejects; settles what the file tells more than once.

    `watch` is called with the run after each chunk. Raises FileGone, a `FileRefused`, or ColumnsUnknown
    when no format knows the columns.
    """
    _begin_anew(run)
    path = files.path_of(run.key)
    if not path.exists():
        raise FileGone
    with open_table(path) as table:
        described = _choose_format(run, table)
        outcomes = described.read(table.rows)
        sequence = 0
        while batch := list(islice(outcomes, CHUNK)):
            sequence = _write(run, batch, sequence)
            watch(run)
    with transaction.atomic():
        repeats.settle(run, described)
        run.save(update_fields=_COUNTS)


def headers_digest(headers: Iterable[str]) -> bytes:
    """What files with the same columns, in whatever order, have in common."""
    return sha256("\n".join(sorted(headers)).encode()).digest()


_COUNTS = [
    "rows_read",
    "rows_new",
    "rows_changed",
    "rows_same",
    "rows_rejected",
    "rows_ignored",
    "rows_left",
    "facts_read",
    "facts_new",
    "facts_changed",
    "facts_same",
    "facts_rejected",
    "facts_left",
    "ignored",
    "cells_left_out",
]


def _begin_anew(run: ImportRun) -> None:
    with transaction.atomic():
        StagedFact.objects.filter(run=run).delete()
        ImportReject.objects.filter(run=run).delete()
        for name in _COUNTS:
            setattr(run, name, {} if name == "ignored" else 0)
        run.save(update_fields=_COUNTS)


def _choose_format(run: ImportRun, table: Table) -> Format:
    """The format of the run: by the person's choice of columns, by its name, or by the columns."""
    run.headers = list(table.headers)
    run.encoding = table.encoding
    run.save(update_fields=["headers", "encoding"])
    mapping = _mapping_of(run)
    if mapping is None:
        try:
            described = registry.choose(table.headers, run.format if run.is_format_chosen else None)
        except FormatUnknown as error:
            if run.is_format_chosen:
                raise
            raise ColumnsUnknown(**error.details) from error
        if described.name == mapped.MAPPED.name:
            mapping = mapped.guess_mapping(table.headers)
    if mapping is not None:
        described = mapped.format_of(mapping, table.headers)
        run.mapping = asdict(mapping)
    run.format, run.kind = described.name, described.kind
    run.save(update_fields=["format", "kind", "mapping"])
    return described


def _mapping_of(run: ImportRun) -> mapped.Mapping | None:
    """The columns as chosen for this run, else as remembered for such files of the channel."""
    if run.mapping is not None:
        return mapped.Mapping(**run.mapping)
    if run.is_format_chosen and run.format != mapped.MAPPED.name:
        return None
    remembered = ColumnMapping.objects.filter(
        channel_id=run.channel_id, headers_digest=headers_digest(run.headers)
    ).first()
    return mapped.Mapping(**remembered.mapping) if remembered else None


# -------------------------------------------------------------------------------- writing outcomes


@dataclass(slots=True)
class _Batch:
    """Outcomes on their way into the database, and what they add to the counts."""

    run: ImportRun
    sequence: int
    staged: list[Enveloped] = field(default_factory=list)
    rejects: list[ImportReject] = field(default_factory=list)

    def take(self, outcome: Outcome) -> None:
        """Note one outcome."""
        if isinstance(outcome, Read):
            self._take_fact(outcome)
        elif isinstance(outcome, Rejected):
            self._reject((outcome.line,), outcome.column, outcome.code, outcome.value_masked)
        else:
            run = self.run
            run.rows_read += 1
            run.rows_ignored += 1
            run.ignored[outcome.reason] = run.ignored.get(outcome.reason, 0) + 1

    def _take_fact(self, read: Read) -> None:
        fault = envelopes.fault_of(read.fact)
        if fault:
            self._reject(read.lines, "", fault, "")
            return
        run = self.run
        self.sequence += 1
        self.staged.append(Enveloped(self.sequence, read.lines, read.fact))
        run.rows_read += len(read.lines)
        run.rows_left += len(read.lines)
        run.facts_read += 1
        run.facts_left += 1
        for remark in read.remarks:
            run.cells_left_out += 1
            self.rejects.append(
                ImportReject(
                    run=run,
                    line=remark.line,
                    column=remark.column[:100],
                    code=remark.code,
                    value=remark.value_masked,
                    is_row_kept=True,
                )
            )

    def _reject(self, lines: tuple[int, ...], column: str, code: str, value: str) -> None:
        run = self.run
        run.rows_read += len(lines)
        run.rows_rejected += len(lines)
        if code != "order_part_rejected":  # the row that is to blame stands for the order
            run.facts_read += 1
            run.facts_rejected += 1
        self.rejects += [
            ImportReject(run=run, line=line, column=column[:100], code=code, value=value) for line in lines
        ]


def _write(run: ImportRun, outcomes: Iterable[Outcome], sequence: int) -> int:
    """Write outcomes and counts in one transaction; the sequence number of the last fact."""
    batch = _Batch(run, sequence)
    for outcome in outcomes:
        batch.take(outcome)
    with transaction.atomic(), connection.cursor() as cursor:
        if batch.staged:
            with cursor.copy(envelopes.COPY) as copy:
                copy.write(envelopes.copy_text(run, batch.staged))
        ImportReject.objects.bulk_create(batch.rejects)
        run.save(update_fields=_COUNTS)
    return batch.sequence
