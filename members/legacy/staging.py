"""Staging: the files of a package become rows that wait in the database, each with one outcome (A16).

Promises: nothing but rows of the package is written; every line of every file is a row; personal data stay
in the file of members, which is staged sealed as any file of accounts. A package whose reading was cut off
is read again from its first line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction

from members import columns, imports
from members.cleaning import Unclean
from members.formats.mapped import MAPPED, guess_mapping
from members.formats.outcomes import mask
from members.formats.reading import Table, open_table
from members.importing import files, report
from members.importing.errors import FileGone
from members.keys import account_index
from members.legacy import kinds, rules, takers
from members.legacy.errors import PackageColumnsMissing, PackageMembersRefused
from members.models import ImportReject, ImportRun, LegacyRow, LegacyRun

CHUNK = 2000  # rows a transaction
Watch = Callable[[LegacyRun], object]
State = LegacyRow.State

_ROW = (
    ("kind", "text", columns.words),
    ("line", "int", columns.numbers),
    ("account_index", "bytea", columns.blobs),
    ("other_index", "bytea", columns.blobs),
    ("key", "text", columns.texts),
    ("amount", "bigint", columns.numbers),
    ("document", "text", columns.texts),
    ("state", "text", columns.words),
    ("code", "text", columns.texts),
    ("column", "text", columns.texts),
    ("value", "text", columns.texts),
)
_NAMES = ", ".join(f'"{name}"' for name, _, _ in _ROW)
_DOCUMENT, _STATE, _CODE = (
    [name for name, _, _ in _ROW].index(each) for each in ("document", "state", "code")
)
_INSERT = f"""
    INSERT INTO members_legacyrow (run_id, channel_id, place, again, cause, taken, kept, {_NAMES})
    SELECT %s, %s, %s, 0, '', 0, 0, {_NAMES.replace('"document"', '"document"::jsonb')}
      FROM unnest({", ".join(f"%s::{kind}[]" for _, kind, _ in _ROW)}) AS told({_NAMES})
"""


def stage(run: LegacyRun, watch: Watch, now: datetime) -> None:
    """Read all files of a package into rows, and judge them by the rules. Raises what a file is refused for.

    now: the instant by which days are past or to come.
    """
    LegacyRow.objects.filter(run=run).delete()
    if kinds.MEMBERS in run.files:
        _stage_members(run)
        watch(run)
    for kind in sorted(run.files.keys() - {kinds.MEMBERS}, key=lambda each: kinds.PLACES[each]):
        with _opened(run, kind) as table:
            layout = _layout(run, kind, table.headers)
            rows = table.rows
            while batch := list(islice(rows, CHUNK)):
                _write(run, kind, [_read(run, row, layout, now) for row in batch])
                watch(run)
    with transaction.atomic():
        rules.settle(run)


def _opened(run: LegacyRun, kind: str) -> Table:
    path = files.path_of(UUID(run.files[kind]["key"]))
    if not path.exists():
        raise FileGone
    return open_table(path)


def _layout(run: LegacyRun, kind: str, headers: Sequence[str]) -> kinds.Layout:
    layout = kinds.layout(kind, headers, run.files[kind].get("columns", {}))
    if layout.missing:
        raise PackageColumnsMissing(file=run.files[kind]["name"], columns=", ".join(layout.missing))
    return layout


# --- members ---------------------------------------------------------------------------------------------


def _stage_members(run: LegacyRun) -> None:
    """Read the file of members as a file of accounts, and keep by their indexes who is in it."""
    accounts = run.members_run
    assert accounts is not None, "taken in with its package"
    with _opened(run, kinds.MEMBERS) as table:
        told = kinds.layout(kinds.MEMBERS, table.headers, run.files[kinds.MEMBERS].get("columns", {}))
        mapping = guess_mapping(table.headers, "accounts")
        taken = set(told.headers.values())
        others = {name: header for name, header in mapping.fields.items() if header not in taken}
        mapping.fields.clear()
        mapping.fields.update({**others, **told.headers})
        if told.missing:
            raise PackageColumnsMissing(
                file=run.files[kinds.MEMBERS]["name"], columns=", ".join(told.missing)
            )
    accounts.mapping, accounts.format, accounts.is_format_chosen = asdict(mapping), MAPPED.name, True
    accounts.state, accounts.preview = ImportRun.State.WAITING, {}
    accounts.save(update_fields=["mapping", "format", "is_format_chosen", "state", "preview"])
    read = imports.read(accounts.pk)
    if read.problem:
        raise PackageMembersRefused(reason=report.reason(read.problem, read.problem_details))
    _take_over(run, read)


def _take_over(run: LegacyRun, read: ImportRun) -> None:
    """A row for each member that was staged, and for each line that was rejected."""
    rejects = ImportReject.objects.filter(run=read, is_row_kept=False).values_list(
        "line", "column", "code", "value"
    )
    with transaction.atomic():
        columns.tell(
            "INSERT INTO members_legacyrow (run_id, channel_id, kind, place, line, account_index,"
            ' other_index, "key", again, amount, document, state, code, "column", value, cause, taken, kept)'
            " SELECT %s, %s, 'members', %s, lines[1], account_index, '', '', 0, 1, '{}', 'waiting', '', '',"
            " '', '', 0, 0 FROM members_stagedfact WHERE run_id = %s",
            [run.pk, run.channel_id, kinds.PLACES[kinds.MEMBERS], read.pk],
        )
        first: dict[int, Sequence[Any]] = {}
        for line, column, code, value in rejects:
            first.setdefault(
                line, (kinds.MEMBERS, line, b"", b"", "", 1, "{}", State.REJECTED.value, code, column, value)
            )
        _insert(run, kinds.MEMBERS, list(first.values()))


# --- everything else -------------------------------------------------------------------------------------


def _read(run: LegacyRun, row: Any, layout: kinds.Layout, now: datetime) -> list[Any]:
    """A row as it will lie in the table; the cell that is to blame is masked."""
    try:
        parsed = kinds.parse(row, layout, now)
    except Unclean as fault:
        return [
            *(layout.kind, row.line, b"", b"", "", 0, {}, State.REJECTED.value),
            *(fault.code, fault.column[:100], mask(fault.value)),
        ]
    index = account_index(run.channel, parsed.external_id)
    other = account_index(run.channel, parsed.other) if parsed.other else b""
    return [
        *(layout.kind, row.line, index, other, parsed.key, parsed.amount, parsed.document),
        *(State.WAITING.value, "", "", ""),
    ]


def _write(run: LegacyRun, kind: str, rows: Sequence[list[Any]]) -> None:
    """Judge a chunk of rows by what the programme knows, and write them."""
    waiting = [row for row in rows if row[_STATE] == State.WAITING]
    verdicts = takers.of(kind).judge([row[_DOCUMENT] for row in waiting]) if waiting else []
    for row, verdict in zip(waiting, verdicts, strict=True):
        if verdict == takers.NOTHING:
            row[_STATE] = State.SAME.value
        elif verdict:
            row[_STATE], row[_CODE] = State.REJECTED.value, verdict
    for row in rows:
        row[_DOCUMENT] = columns.document(_plain(row[_DOCUMENT]))
    with transaction.atomic():
        _insert(run, kind, rows)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _insert(run: LegacyRun, kind: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        columns.tell(
            _INSERT, [run.pk, run.channel_id, kinds.PLACES[kind], *columns.of_rows(_ROW, map(tuple, rows))]
        )
