"""Migrations: an old system's members, tiers, points and coupons in as one package, and back (A16).

    take_in → read → start → carry_out → report
                  ↘ discard      ↘ stop → resume
    take_back → carry_back

Nothing is applied before the files add up to what the old system says it has. The console leaves `read`,
`carry_out` and `carry_back` to a worker; the command line does them itself, by the same road.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from members import imports
from members.formats.reading import open_table
from members.importing import files, states, turns
from members.importing.errors import ImportFailed, StateForbids
from members.legacy import applying, kinds, rules, staging, totals, undoing
from members.legacy.errors import (
    PackageControlInvalid,
    PackageEmpty,
    PackageFileTwice,
    PackageNeedsSecondPerson,
    PackageUnknown,
    SpentUnknown,
)
from members.models import Channel, ImportRun, LegacyRow, LegacyRun
from privacy.errors import ShukeError

log = logging.getLogger(__name__)
State = LegacyRun.State
Spent = LegacyRun.Spent
Watch = Callable[[LegacyRun], object]
CONTROL, COLUMNS = "control", "columns.json"
LEGACY = int.from_bytes(b"lgcy", "big")  # namespace of the advisory locks of packages

_RESTING = (State.WAITING, State.READING, State.READY, State.REFUSED)


def unwatched(run: LegacyRun) -> None:
    """The watch of nobody."""


def take_in(
    channel: Channel,
    name: str,
    paths: Mapping[str, Path],
    *,
    expect: Mapping[str, Any] | None = None,
    actor_id: int | None = None,
    is_dry: bool = False,
) -> LegacyRun:
    """Store the files of a package and open its run; the next step is `read`.

    paths: the files by their names; those called as no kind is are left alone, but `control` (csv or xlsx:
    a name and a total in each row) and `columns.json` ({kind: {field: header}}). expect: control totals that
    go before those of the file. Raises PackageEmpty, PackageFileTwice, PackageControlInvalid, FileTooLarge.
    """
    by_kind = _by_kind(paths)
    chosen = _chosen_columns(paths)
    expected = totals.expected({**_control(paths), **(expect or {})})
    stored: dict[str, Any] = {}
    accounts: ImportRun | None = None
    for kind, file_name in by_kind.items():
        blocks = files.blocks_of(paths[file_name])
        if kind == kinds.MEMBERS:
            accounts = imports.take_in(
                channel, file_name, blocks, actor_id=actor_id, is_dry=is_dry, is_of_package=True
            )
            key = accounts.key
        else:
            key = uuid4()
            files.store(key, blocks)
        stored[kind] = {
            "key": str(key),
            "name": files.shown_name(file_name),
            **({"columns": chosen[kind]} if kind in chosen else {}),
        }
    return LegacyRun.objects.create(
        channel=channel,
        name=files.shown_name(name),
        files=stored,
        expected=expected,
        members_run=accounts,
        taken_in_by_id=actor_id,
        started_by_id=actor_id,
        is_dry=is_dry,
    )


def get(run_id: int) -> LegacyRun:
    """The migration with this number; raises PackageUnknown."""
    try:
        return LegacyRun.objects.select_related("channel", "taken_in_by", "started_by", "undone_by").get(
            pk=run_id
        )
    except LegacyRun.DoesNotExist:
        raise PackageUnknown from None


def read(run_id: int, watch: Watch = unwatched, *, now: datetime | None = None) -> LegacyRun:
    """Read all files into rows and judge each; the run is then READY, or REFUSED with the problem.

    Raises ImportBusy; after an error of ours it is read again. now: for days past and to come.
    """
    with turns.taken(LEGACY, run_id):
        run = _enter(run_id, State.READING, allowed=(State.WAITING, State.READING, State.REFUSED))
        try:
            staging.stage(run, watch, now or timezone.now())
            run.told = totals.of(run)
            run.save(update_fields=["told"])
        except ShukeError as problem:
            states.leave(run, State.REFUSED, problem)
        except Exception:
            states.leave(run, State.REFUSED, ImportFailed())
            raise
        else:
            states.leave(run, State.READY)
        watch(run)
        return run


@transaction.atomic
def expect(run_id: int, told: Mapping[str, Any]) -> LegacyRun:
    """Say what the old system adds up to, beside what was said before. Raises PackageControlInvalid."""
    run = _locked(run_id, *_RESTING)
    run.expected = {**run.expected, **totals.expected(told)}
    run.save(update_fields=["expected"])
    return run


@transaction.atomic
def start(run_id: int, *, actor_id: int | None = None) -> LegacyRun:
    """Let the package be applied, if it ties out; `carry_out` or a worker does it.

    Outside the demo not by who uploaded it; at the command line nobody is asked. Raises StateForbids,
    TotalsMissing, TotalsDoNotTieOut, PackageNeedsSecondPerson: then nothing was applied.
    """
    run = _locked(run_id, State.READY)
    if actor_id is not None and actor_id == run.taken_in_by_id and settings.ENVIRONMENT != "demo":
        raise PackageNeedsSecondPerson
    rules.compare(run)  # others may have come in since it was read
    run.told = totals.of(run)
    totals.tie_out(run)
    if actor_id is not None:
        run.started_by_id = actor_id
    run.state, run.is_dry = State.QUEUED, False
    run.save(update_fields=["state", "is_dry", "told", "started_by"])
    return run


def carry_out(run_id: int, watch: Watch = unwatched) -> LegacyRun:
    """Apply a package that was started or stopped half-way; ends as DONE or STOPPED.

    Raises ImportBusy. Any other error leaves it STOPPED, to be resumed.
    """
    return _at_work(run_id, State.APPLYING, (State.QUEUED, State.APPLYING), applying.apply, watch)


@transaction.atomic
def stop(run_id: int) -> LegacyRun:
    """Stop after the chunk that is going in, or back, now. Raises StateForbids."""
    run = _locked(run_id, State.QUEUED, State.APPLYING, State.UNDOING)
    if run.state == State.QUEUED:
        run.state = State.STOPPED
    else:
        run.stop_asked = True
    run.save(update_fields=["state", "stop_asked"])
    if run.members_run_id is not None and run.state == State.APPLYING:
        accounts = imports.get(run.members_run_id)
        if accounts.state in (ImportRun.State.QUEUED, ImportRun.State.APPLYING):
            imports.stop(accounts.pk)
    return run


@transaction.atomic
def resume(run_id: int) -> LegacyRun:
    """Make a package that stopped, or whose process died, go on: its state says what is due.

    WAITING to be read, QUEUED to be applied, UNDOING to be taken back. Raises StateForbids.
    """
    on = {
        State.WAITING: State.WAITING,
        State.READING: State.WAITING,
        State.QUEUED: State.QUEUED,
        State.APPLYING: State.QUEUED,
        State.STOPPED: State.QUEUED,
        State.UNDOING: State.UNDOING,
        State.HALF_BACK: State.UNDOING,
    }
    run = _locked(run_id, *on)
    run.state = on[State(run.state)]
    run.stop_asked, run.problem, run.problem_details = False, "", {}
    run.save(update_fields=["state", "stop_asked", "problem", "problem_details"])
    return run


@transaction.atomic
def take_back(run_id: int, spent: str, *, actor_id: int | None = None) -> LegacyRun:
    """Let what a package brought be taken back; `carry_back` or a worker does it. Once is as good as twice.

    spent: what becomes of what was used: refuse, debt or keep. Raises SpentUnknown, PackageUsed,
    StateForbids.
    """
    if spent not in Spent.values:
        raise SpentUnknown
    run = _locked(run_id, State.DONE, State.STOPPED, State.UNDOING, State.HALF_BACK, State.UNDONE)
    if run.state in (State.UNDONE, State.UNDOING):
        return run
    if run.applied_from is None:
        raise StateForbids(state=State(run.state).label)
    if spent == Spent.REFUSE:
        undoing.refuse_used(run)
    run.state, run.spent, run.undone_by_id = State.UNDOING, spent, actor_id
    run.stop_asked, run.problem, run.problem_details = False, "", {}
    run.save(update_fields=["state", "spent", "undone_by", "stop_asked", "problem", "problem_details"])
    return run


def carry_back(run_id: int, watch: Watch = unwatched) -> LegacyRun:
    """Take back what is left of a package; ends as UNDONE or HALF_BACK. Raises ImportBusy."""
    if get(run_id).state == State.UNDONE:
        return get(run_id)
    return _at_work(run_id, State.UNDOING, (State.UNDOING,), undoing.take_back, watch)


@transaction.atomic
def discard(run_id: int) -> LegacyRun:
    """Give up a package that was not begun: its rows and files go at once. Raises StateForbids."""
    run = _locked(run_id, *_RESTING)
    LegacyRow.objects.filter(run=run).delete()
    if run.members_run_id is not None:
        accounts = imports.get(run.members_run_id)
        if accounts.state != ImportRun.State.DISCARDED:
            ImportRun.objects.filter(pk=accounts.pk, state=ImportRun.State.READING).update(
                state=ImportRun.State.WAITING
            )
            imports.discard(accounts.pk)
    run.state, run.finished_at, run.files_erased_at = State.DISCARDED, Now(), Now()
    run.save(update_fields=["state", "finished_at", "files_erased_at"])
    transaction.on_commit(lambda: _erase(run))
    return run


def tidy(now: datetime) -> int:
    """Erase the files of packages that are over, and give up those that nobody started.

    The days of `settings.IMPORT_FILE_DAYS` are counted back from `now`, and those of `IMPORT_REJECT_DAYS`
    for what rejected rows held. Answers how many packages that were.
    """
    rejected = LegacyRow.objects.filter(
        run__created_at__lt=now - timedelta(days=settings.IMPORT_REJECT_DAYS), state=LegacyRow.State.REJECTED
    )
    rejected.exclude(value="").update(value="")
    limit = now - timedelta(days=settings.IMPORT_FILE_DAYS)
    forgotten = LegacyRun.objects.filter(state__in=_RESTING, created_at__lt=limit)
    given_up = [discard(run_id).pk for run_id in forgotten.values_list("pk", flat=True)]
    over = LegacyRun.objects.filter(finished_at__lt=limit, files_erased_at=None)
    for run in over:
        _erase(run)
        LegacyRun.objects.filter(pk=run.pk).update(files_erased_at=now)
    return len(given_up) + len(over)


# --- the files of a package --------------------------------------------------------------------------


def _by_kind(paths: Mapping[str, Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in sorted(paths):
        kind = kinds.kind_of(name)
        if kind is None:
            continue
        if kind in found:
            raise PackageFileTwice(kind=kind)
        found[kind] = name
    if not found:
        raise PackageEmpty
    return {kind: found[kind] for kind in sorted(found, key=lambda each: kinds.PLACES[each])}


def _chosen_columns(paths: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    path = paths.get(COLUMNS)
    if path is None:
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
        return {
            str(kind): {str(name): str(header) for name, header in fields.items()}
            for kind, fields in told.items()
        }
    except (ValueError, AttributeError) as error:
        raise PackageControlInvalid(what=COLUMNS) from error


def _control(paths: Mapping[str, Path]) -> dict[str, str]:
    """The totals of the file `control`: a name and a number in each row, whatever its header says."""
    name = next((name for name in sorted(paths) if name.lower().rpartition(".")[0] == CONTROL), None)
    if name is None:
        return {}
    with open_table(paths[name]) as table:
        told = [table.headers[:2], *(tuple(row.cells[:2]) for row in table.rows)]
    found = {row[0].strip(): row[1] for row in told if len(row) == 2 and row[0].strip()}
    first, total = next(iter(found.items()), ("", ""))
    if first and not total.strip().isdigit():
        found.pop(first)  # the header
    return found


def _erase(run: LegacyRun) -> None:
    for each in run.files.values():
        files.erase(UUID(each["key"]))


# --- states ------------------------------------------------------------------------------------------


def _at_work(
    run_id: int,
    state: str,
    allowed: Sequence[str],
    work: Callable[[LegacyRun, Watch], None],
    watch: Watch,
) -> LegacyRun:
    channel_id = get(run_id).channel_id
    with turns.taken(LEGACY, run_id), turns.taken(turns.CHANNELS, channel_id):
        run = _enter(run_id, state, allowed=tuple(allowed))
        stopped = State.STOPPED if state == State.APPLYING else State.HALF_BACK
        try:
            work(run, watch)
        except ShukeError as problem:
            states.leave(run, stopped, problem)
        except Exception:
            states.leave(run, stopped, ImportFailed())
            raise
        return run


def _locked(run_id: int, *allowed: str) -> LegacyRun:
    return states.lock(LegacyRun, run_id, *allowed, unknown=PackageUnknown)


def _enter(run_id: int, state: str, *, allowed: tuple[str, ...]) -> LegacyRun:
    return states.enter(LegacyRun, run_id, state, *allowed, unknown=PackageUnknown)
