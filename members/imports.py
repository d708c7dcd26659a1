"""Imports: a platform's file in, with a look before, and a report after (E2, E4).

    take_in → read → (choose_columns) → start → carry_out → report
                                      ↘ discard      ↘ stop → resume      undo → take_back
                                                                          correct → read …

The console leaves `read`, `carry_out` and `take_back` to a worker; the command line does them itself. Both
go the same road, and a run begun by one can be resumed by the other.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import PurePath
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from members.formats.mapped import MAPPED, Mapping, format_of
from members.importing import applying, correcting, files, preview, staging, states, turns, undoing
from members.importing.errors import (
    ColumnsUnknown,
    ImportFailed,
    ImportUnknown,
    StateForbids,
    UndoImpossible,
)
from members.models import Channel, ColumnMapping, ImportMade, ImportReject, ImportRun, StagedFact
from privacy.errors import ShukeError

log = logging.getLogger(__name__)
State = ImportRun.State
Watch = Callable[[ImportRun], object]

_RESTING = (State.COLUMNS, State.READY, State.STOPPED, State.REFUSED)
_OVER = (State.DONE, State.DISCARDED, State.UNDONE)


def unwatched(run: ImportRun) -> None:
    """The watch of nobody."""


def take_in(
    channel: Channel,
    name: str,
    blocks: Iterable[bytes],
    *,
    actor_id: int | None = None,
    format_name: str = "",
    is_dry: bool = False,
    is_of_package: bool = False,
) -> ImportRun:
    """Store an upload and open its run; the next step is `read` or `queue.ask_to_read`.

    name: as the file was called, for display. format_name: as chosen by a person, else recognised.
    is_of_package: the run goes in with its package (`members.legacies`). Raises FileTooLarge.
    """
    key = uuid4()
    stored = files.store(key, blocks)
    return ImportRun.objects.create(
        key=key,
        channel=channel,
        file_name=files.shown_name(name),
        file_size=stored.size,
        file_digest=stored.digest,
        file_lines=stored.lines,
        format=format_name,
        is_format_chosen=bool(format_name),
        started_by_id=actor_id,
        is_dry=is_dry,
        is_of_package=is_of_package,
    )


def get(run_id: int) -> ImportRun:
    """The run with this number; raises ImportUnknown."""
    try:
        return ImportRun.objects.select_related("channel", "started_by").get(pk=run_id)
    except ImportRun.DoesNotExist:
        raise ImportUnknown from None


def read(run_id: int, watch: Watch = unwatched) -> ImportRun:
    """Read the file into staged facts and make the preview.

    The run is then READY, COLUMNS when somebody must say what the columns mean, or REFUSED with the
    problem. Raises ImportBusy; what else is raised is an error of ours, after which it can be resumed.
    """
    with turns.taken(turns.RUNS, run_id):
        run = _enter(run_id, State.READING, allowed=(State.WAITING, State.READING))
        try:
            staging.stage(run, watch)
            preview.make(run)
        except ColumnsUnknown as problem:
            states.leave(run, State.COLUMNS, problem)
        except ShukeError as problem:
            states.leave(run, State.REFUSED, problem)
        except Exception:
            states.leave(run, State.STOPPED, ImportFailed())
            raise
        else:
            states.leave(run, State.READY)
        watch(run)
        return run


@transaction.atomic
def choose_columns(run_id: int, mapping: Mapping, *, actor_id: int | None = None) -> ImportRun:
    """Say what the columns mean, for this run and for files like it; the file is then read anew.

    Raises MappingIncomplete, StateForbids.
    """
    run = _locked(run_id, *_RESTING)
    _refuse_begun(run)
    format_of(mapping, run.headers)
    ColumnMapping.objects.update_or_create(
        channel=run.channel,
        headers_digest=staging.headers_digest(run.headers),
        defaults={"mapping": asdict(mapping), "chosen_by_id": actor_id, "chosen_at": Now()},
    )
    run.mapping = asdict(mapping)
    run.format, run.is_format_chosen = MAPPED.name, True
    return _read_anew(run)


@transaction.atomic
def move(run_id: int, channel: Channel) -> ImportRun:
    """Say that the file belongs to another channel; it is then read anew. Raises StateForbids."""
    run = _locked(run_id, *_RESTING)
    _refuse_begun(run)
    run.channel, run.mapping = channel, None
    return _read_anew(run)


@transaction.atomic
def start(run_id: int, *, actor_id: int | None = None, with_package: bool = False) -> ImportRun:
    """Let the run be applied as previewed; `carry_out` or a worker does it. Raises StateForbids.

    A file of a package goes in with it, and never by itself.
    """
    run = _locked(run_id, State.READY)
    if run.is_of_package and not with_package:
        raise StateForbids(state=State(run.state).label)
    if actor_id is not None:
        run.started_by_id = actor_id
    run.state, run.is_dry = State.QUEUED, False
    run.save(update_fields=["state", "is_dry", "started_by"])
    return run


def carry_out(run_id: int, watch: Watch = unwatched) -> ImportRun:
    """Apply a run that was started or stopped half-way; ends as DONE or STOPPED.

    Raises ImportBusy when this run is at work elsewhere or another one has the channel. Any other
    error leaves the run STOPPED, to be resumed.
    """
    channel_id = get(run_id).channel_id
    with turns.taken(turns.RUNS, run_id), turns.taken(turns.CHANNELS, channel_id):
        run = _enter(run_id, State.APPLYING, allowed=(State.QUEUED, State.APPLYING))
        try:
            applying.apply(run, watch)
        except ShukeError as problem:
            states.leave(run, State.STOPPED, problem)
        except Exception:
            states.leave(run, State.STOPPED, ImportFailed())
            raise
        return run


@transaction.atomic
def stop(run_id: int) -> ImportRun:
    """Stop after the chunk that is going in now; what is in stays in. Raises StateForbids."""
    run = _locked(run_id, State.QUEUED, State.APPLYING)
    if run.state == State.QUEUED:
        run.state = State.STOPPED
    else:
        run.stop_asked = True
    run.save(update_fields=["state", "stop_asked"])
    return run


@transaction.atomic
def resume(run_id: int) -> ImportRun:
    """Make a run that stopped, or whose process died, go on; `read`, `carry_out` or a worker does it.

    Its state says what is due: WAITING to be read, or QUEUED to be applied. Raises StateForbids.
    """
    run = _locked(run_id, State.WAITING, State.READING, State.QUEUED, State.APPLYING, State.STOPPED)
    is_read = run.state in (State.QUEUED, State.APPLYING) or bool(run.preview)
    run.state = State.QUEUED if is_read else State.WAITING
    run.stop_asked, run.problem, run.problem_details = False, "", {}
    run.save(update_fields=["state", "stop_asked", "problem", "problem_details"])
    return run


@transaction.atomic
def discard(run_id: int) -> ImportRun:
    """Give up what is not applied yet: staged facts and the file go at once. Raises StateForbids."""
    run = _locked(run_id, State.WAITING, *_RESTING)
    StagedFact.objects.filter(run=run).delete()
    run.state, run.finished_at, run.file_erased_at = State.DISCARDED, Now(), Now()
    run.save(update_fields=["state", "finished_at", "file_erased_at"])
    transaction.on_commit(lambda: files.erase(run.key))
    return run


@transaction.atomic
def correct(run_id: int, told: correcting.Corrections, *, actor_id: int | None = None) -> ImportRun:
    """Take in the rejected rows of a run as a file of their own, with the cells that a person put right.

    It is read as the file it came from. Raises StateForbids, FileGone, NothingToCorrect.
    """
    run = _locked(run_id, State.READY, State.STOPPED, State.DONE)
    if run.is_of_package:
        raise StateForbids(state=State(run.state).label)
    name = PurePath(run.file_name)
    fresh = take_in(
        run.channel,
        f"{name.stem}-corrected.csv",
        correcting.corrected(run, told),
        actor_id=actor_id,
        format_name=run.format,
    )
    if run.mapping is not None:
        fresh.mapping = run.mapping
        fresh.save(update_fields=["mapping"])
    return fresh


@transaction.atomic
def undo(run_id: int, *, actor_id: int | None = None) -> ImportRun:
    """Let what a run made new be taken back; `take_back` or a worker does it (E2).

    Asked again while it is at work, it changes nothing. Raises StateForbids, UndoImpossible.
    """
    run = _locked(run_id, State.DONE, State.UNDOING)
    if run.state == State.DONE:
        if run.is_of_package or not undoing.is_possible(run):
            raise UndoImpossible
        run.state, run.undone_by_id = State.UNDOING, actor_id
        run.save(update_fields=["state", "undone_by"])
    return run


def take_back(run_id: int, watch: Watch = unwatched) -> ImportRun:
    """Take back what a run made new, on from where that was; ends as UNDONE.

    Raises ImportBusy when this run is at work elsewhere or another one has the channel. Any other error
    leaves the run DONE with the problem, to be undone again.
    """
    channel_id = get(run_id).channel_id
    with turns.taken(turns.RUNS, run_id), turns.taken(turns.CHANNELS, channel_id):
        run = _enter(run_id, State.UNDOING, allowed=(State.UNDOING,))
        try:
            undoing.take_back(run, watch)
        except ShukeError as problem:
            states.leave(run, State.DONE, problem)
        except Exception:
            states.leave(run, State.DONE, ImportFailed())
            raise
        return run


def tidy(now: datetime) -> int:
    """Erase what has served: files of runs that are over, runs nobody started, old rejected rows.

    What such runs made is forgotten with their files: they cannot be undone any more.

    now: the instant that the days of `settings.IMPORT_FILE_DAYS` and `IMPORT_REJECT_DAYS` are counted
    back from. Answers how many files were erased.
    """
    file_limit = now - timedelta(days=settings.IMPORT_FILE_DAYS)
    resting = ImportRun.objects.filter(state__in=(State.WAITING, *_RESTING), created_at__lt=file_limit)
    forgotten = list(resting.values_list("pk", flat=True))
    for run_id in forgotten:
        discard(run_id)
    erased = len(forgotten)
    for run in ImportRun.objects.filter(state__in=_OVER, finished_at__lt=file_limit, file_erased_at=None):
        files.erase(run.key)
        run.file_erased_at = now
        run.save(update_fields=["file_erased_at"])
        erased += 1
    ImportMade.objects.filter(run__state__in=_OVER, run__finished_at__lt=file_limit).delete()
    ImportReject.objects.filter(
        run__created_at__lt=now - timedelta(days=settings.IMPORT_REJECT_DAYS), run__state__in=_OVER
    ).delete()
    return erased


def _locked(run_id: int, *allowed: str) -> ImportRun:
    return states.lock(ImportRun, run_id, *allowed, unknown=ImportUnknown)


def _enter(run_id: int, state: str, *, allowed: tuple[str, ...]) -> ImportRun:
    return states.enter(ImportRun, run_id, state, *allowed, unknown=ImportUnknown)


def _refuse_begun(run: ImportRun) -> None:
    if run.applied_from is not None:
        raise StateForbids(state=State(run.state).label)


def _read_anew(run: ImportRun) -> ImportRun:
    run.state, run.preview, run.problem, run.problem_details = State.WAITING, {}, "", {}
    run.save(
        update_fields=[
            "channel",
            "mapping",
            "format",
            "is_format_chosen",
            "state",
            "preview",
            "problem",
            "problem_details",
        ]
    )
    return run
