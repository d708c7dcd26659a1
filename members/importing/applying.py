"""Applying: staged facts go the way of every fact, in the order in which they happened (E4).

Promises: a chunk and the note that it is applied are one transaction, so that a run that is killed at
any moment goes on exactly where it was; one bad fact is rejected and the others stand.
"""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models.functions import Now

from members.importing import chunks, report, undoing
from members.importing.receiving import Received, receive
from members.importing.waiting import Staged, facts_of, next_staged
from members.models import ImportReject, ImportRun, StagedFact

Watch = Callable[[ImportRun], object]


def apply(run: ImportRun, watch: Watch) -> None:
    """Apply what is left of a run. Ends as DONE, or as STOPPED when somebody asked for that.

    `watch` is called with the run after each chunk.
    """
    if run.applied_from is None:
        run.totals_before = report.totals(run.channel_id)
        run.applied_from = Now()
        run.save(update_fields=["totals_before", "applied_from"])
    chunks.through(run, _advance, watch)
    if run.state == ImportRun.State.APPLYING:
        _finish(run)
    watch(run)


@transaction.atomic
def _advance(run: ImportRun) -> int:
    """Apply the next chunk and note it; how many facts that were, 0 when there is nothing to do."""
    chunks.locked(run)
    if run.stop_asked:
        run.state, run.stop_asked = ImportRun.State.STOPPED, False
        run.save(update_fields=["state", "stop_asked"])
        return 0
    chunk = next_staged(run, chunks.CHUNK)
    if not chunk:
        return 0
    answers = receive(run, facts_of(run, chunk))
    rejects = []
    for staged, answer in zip(chunk, answers, strict=True):
        if answer.outcome == "rejected":
            rejects += [
                ImportReject(run=run, line=line, code=answer.code, details=dict(answer.details))
                for line in staged.lines
            ]
        elif answer.remark:
            line = staged.lines[0]
            rejects.append(ImportReject(run=run, line=line, code=answer.remark, is_row_kept=True))
            run.cells_left_out += 1
    undoing.remember(run, [answer.made for answer in answers if answer.made])
    _count(run, chunk, answers)
    ImportReject.objects.bulk_create(rejects)
    run.applied_time, run.applied_sequence = chunk[-1].happened_at, chunk[-1].sequence
    run.save(update_fields=_ADVANCED)
    return len(chunk)


_ADVANCED = [
    "rows_new",
    "rows_changed",
    "rows_same",
    "rows_rejected",
    "rows_left",
    "cells_left_out",
    "facts_new",
    "facts_changed",
    "facts_same",
    "facts_rejected",
    "facts_left",
    "money_net",
    "money_postage",
    "money_refunded",
    "points_earned",
    "points_taken",
    "applied_time",
    "applied_sequence",
]


def _count(run: ImportRun, chunk: Sequence[Staged], answers: Sequence[Received]) -> None:
    """Move facts from what is left to their outcomes, with their money and points."""
    told = list(zip(chunk, [answer.outcome for answer in answers], strict=True))
    for word in {word for _, word in told}:
        those = [staged for staged, outcome in told if outcome == word]
        rows = sum([len(staged.lines) for staged in those])
        run.rows_left -= rows
        run.facts_left -= len(those)
        setattr(run, f"rows_{word}", getattr(run, f"rows_{word}") + rows)
        setattr(run, f"facts_{word}", getattr(run, f"facts_{word}") + len(those))
        if word in ("new", "changed"):
            run.money_net += sum([staged.net for staged in those])
            run.money_postage += sum([staged.postage for staged in those])
            run.money_refunded += sum([staged.refunded for staged in those])
    run.points_earned += sum([answer.earned for answer in answers])
    run.points_taken += sum([answer.taken for answer in answers])


@transaction.atomic
def _finish(run: ImportRun) -> None:
    """Close the run; personal data do not wait any longer than they are needed."""
    StagedFact.objects.filter(run=run).delete()
    run.state = ImportRun.State.DONE
    run.finished_at = Now()
    run.totals_after = report.totals(run.channel_id)
    run.save(update_fields=["state", "finished_at", "totals_after"])
    run.refresh_from_db(fields=["finished_at"])
