"""Undoing: what an import made new is taken back, last things first, by the ways that lead there anyhow.

An order is called off, as if its channel had told that it was cancelled; an account is unbound. Nothing is
deleted, and the same file imported again brings all of it back. What was told anew since, by whichever door,
stays: somebody else vouches for it by now. So does what the import had changed: how that stood before is
not kept.

A chunk and the note that it is taken back are one transaction, so that a process may be killed at any moment.
"""

from collections.abc import Callable, Sequence
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from members import columns
from members.importing import chunks, report
from members.models import ImportMade, ImportRun

Watch = Callable[[ImportRun], object]
Undoer = Callable[..., int]

_TABLES: Final = {"orders": "members_order", "accounts": "members_account"}
_REMEMBER = """
    INSERT INTO members_importmade (run_id, rows, digests)
    SELECT %s, array_agg(id ORDER BY id), array_agg(digest ORDER BY id) FROM {table} WHERE id = ANY(%s)"""
_LAST = "SELECT id, rows FROM members_importmade WHERE run_id = %s ORDER BY id DESC LIMIT 1"
# Locked in the order in which a batch of them is (orders by their number), so that two wait in turn.
_AS_MADE = """
    SELECT t.id FROM members_importmade m, unnest(m.rows, m.digests) AS made(id, digest), {table} t
     WHERE m.id = %s AND t.id = made.id AND t.digest = made.digest
     ORDER BY t.{order} FOR NO KEY UPDATE OF t"""
_ORDER: Final = {"orders": "number", "accounts": "id"}


def remember(run: ImportRun, made: Sequence[int]) -> None:
    """Note which rows a chunk made new, and how they stood; for kinds of file that can be undone."""
    if made and run.kind in settings.IMPORT_UNDOERS and not run.is_of_package:
        statement = _REMEMBER.format(table=_TABLES[run.kind])
        columns.tell(statement, [run.pk, columns.numbers(made)])


def is_possible(run: ImportRun) -> bool:
    """Whether anything that the run made is remembered."""
    return ImportMade.objects.filter(run=run).exists()


def take_back(run: ImportRun, watch: Watch) -> None:
    """Take back what is left of what a run made. Ends as UNDONE; `watch` is called after each chunk."""
    chunks.through(run, _advance, watch)
    _finish(run)
    watch(run)


@transaction.atomic
def _advance(run: ImportRun) -> int:
    """Take back the last chunk that is left and forget it; how many rows it had, 0 when none is left."""
    chunks.locked(run)
    found = columns.ask(_LAST, [run.pk])
    if not found:
        return 0
    ((chunk_id, rows),) = found
    statement = _AS_MADE.format(table=_TABLES[run.kind], order=_ORDER[run.kind])
    as_made = [row_id for (row_id,) in columns.ask(statement, [chunk_id])]
    call_off: Undoer = import_string(settings.IMPORT_UNDOERS[run.kind])
    run.points_undone += call_off(run.channel, as_made, actor_id=run.undone_by_id) if as_made else 0
    run.facts_undone += len(as_made)
    run.facts_kept += len(rows) - len(as_made)
    run.save(update_fields=["points_undone", "facts_undone", "facts_kept"])
    ImportMade.objects.filter(pk=chunk_id).delete()
    return len(rows)


@transaction.atomic
def _finish(run: ImportRun) -> None:
    run.state = ImportRun.State.UNDONE
    run.undone_at = Now()
    run.totals_undone = report.totals(run.channel_id)
    run.save(update_fields=["state", "undone_at", "totals_undone"])
    run.refresh_from_db(fields=["undone_at"])
