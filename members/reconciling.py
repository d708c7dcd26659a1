"""Reconciling: what a channel holds of one day, order by order or in all, against what we hold (A16).

    by file   take_in → read (a worker)                    ↘
    by API    begin → tell … → complete, or check_totals   → compared → take_theirs, tell_again, accept

Promises: comparing changes no order; a comparison is written whole or not at all; the same again finds the
same; what an earlier comparison of the day left open is closed by the next one, as gone or as found again.
Nothing is put right unless somebody says so, and then by the ways that any order goes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from members import orders, reconciliation_files
from members import reconciliation_rows as rows
from members.cleaning import SHANGHAI
from members.errors import (
    AcceptedWithoutReason,
    DaysInvalid,
    NothingToSettle,
    ReconciliationClosed,
    ReconciliationFailed,
    ReconciliationOpen,
    ReconciliationUnknown,
)
from members.importing import files, receiving
from members.importing.errors import FileGone
from members.importing.packing import unpack
from members.models import (
    Channel,
    ImportRun,
    Reconciliation,
    ReconciliationDifference,
    ReconciliationRow,
)
from members.reconciliation_facts import Held, Totals
from privacy.errors import ShukeError

Run = Reconciliation
State = Reconciliation.State
Way = Reconciliation.Way
Kind = ReconciliationDifference.Kind
MOST_DAYS = 31
MOST = 1000  # differences settled at once, as orders in a batch
SHORTEST_REASON, LONGEST_REASON = 5, 300
FORGOTTEN = timedelta(days=2)  # then a telling that nobody completed is given up


@dataclass(frozen=True, slots=True)
class Settled:
    """How many of the chosen differences are settled, how many still differ, and the code of one refusal."""

    settled: int
    left: int = 0
    problem: str = ""


def today() -> date:
    """The day it is in China."""
    return timezone.now().astimezone(SHANGHAI).date()


def get(run_id: int, channel: Channel | None = None) -> Reconciliation:
    """The reconciliation with this number, of this channel if one is given. Raises ReconciliationUnknown."""
    found = Run.objects.select_related("channel", "started_by").filter(pk=run_id)
    run = (found if channel is None else found.filter(channel=channel)).first()
    if run is None:
        raise ReconciliationUnknown
    return run


# -- by file --------------------------------------------------------------------------------------------


def take_in(
    channel: Channel,
    first: date,
    last: date,
    name: str,
    blocks: Iterable[bytes],
    *,
    actor_id: int | None = None,
) -> list[Reconciliation]:
    """Store an upload and open a run for each day from first to last; `read` compares them.

    name: as the file was called, for display. Raises DaysInvalid, FileTooLarge.
    """
    _check_days(first, last)
    upload = uuid4()
    files.store(upload, blocks)
    days = [first + timedelta(days=more) for more in range((last - first).days + 1)]
    shown = files.shown_name(name)
    return [
        Run.objects.create(
            channel=channel,
            day=day,
            way=Way.FILE,
            state=State.WAITING,
            upload=upload,
            file_name=shown,
            started_by_id=actor_id,
        )
        for day in days
    ]


def _check_days(first: date, last: date) -> None:
    if not (first <= last <= today() and (last - first).days < MOST_DAYS and first.year >= 2000):
        raise DaysInvalid


def read(upload: UUID) -> list[Reconciliation]:
    """Compare the days of an upload, all in one transaction, and erase the file.

    What is wrong with the file leaves the runs REFUSED, with the problem. A worker that is killed leaves
    them as they were, to be read by the next.
    """
    try:
        with transaction.atomic():
            runs = list(
                Run.objects.select_for_update(no_key=True, of=("self",))
                .select_related("channel")
                .filter(upload=upload, state=State.WAITING)
                .order_by("pk")
            )
            if runs:
                _compare_file(upload, runs)
    except ShukeError as problem:
        _refuse(upload, problem)
    except Exception:
        _refuse(upload, ReconciliationFailed())
        raise
    files.erase(upload)
    return list(Run.objects.filter(upload=upload).order_by("pk"))


def _compare_file(upload: UUID, runs: Sequence[Reconciliation]) -> None:
    path = files.path_of(upload)
    if not path.exists():
        raise FileGone
    by_day = {run.day: run for run in runs}
    found = reconciliation_files.copy(path, by_day)
    for run in runs:
        run.format = found.readable.format.name
        run.is_applicable = found.readable.is_applicable
        run.rejected, run.rows_rejected = found.rejected, found.rows_rejected
        run.rows_of_other_days = found.of_other_days
        _compare(run)
    reconciliation_files.keep_facts(path, by_day, found)


def _refuse(upload: UUID, problem: ShukeError) -> None:
    """Say on the runs of an upload why they could not be compared; the file goes."""
    details = {name: str(value) for name, value in problem.details.items()}
    Run.objects.filter(upload=upload, state=State.WAITING).update(
        state=State.REFUSED, problem=problem.code, problem_details=details
    )
    files.erase(upload)


# -- by API ---------------------------------------------------------------------------------------------


def begin(channel: Channel, day: date) -> Reconciliation:
    """Open a run whose orders are told in parts; it is compared by `complete`. Raises DaysInvalid."""
    _check_days(day, day)
    return Run.objects.create(channel=channel, day=day, way=Way.ROWS, state=State.TELLING)


@transaction.atomic
def tell(channel: Channel, run_id: int, told: Sequence[Held], *, complete: bool) -> Reconciliation:
    """Add orders to a run, and compare it when that was all. An order told twice is as told last.

    Raises ReconciliationUnknown, ReconciliationClosed.
    """
    run = _locked(run_id, channel)
    if run.state != State.TELLING:
        raise ReconciliationClosed
    if told:
        rows.tell(run.pk, told)
    if complete:
        _compare(run)
    return run


@transaction.atomic
def check_totals(channel: Channel, day: date, totals: Totals) -> Reconciliation:
    """Compare what a channel's orders of a day come to, where it tells no more. Raises DaysInvalid."""
    _check_days(day, day)
    run = Run.objects.create(channel=channel, day=day, way=Way.TOTALS, state=State.TELLING)
    run.theirs = rows.document((totals.orders, totals.net, totals.paid, totals.refunded))
    _compare(run)
    return run


# -- the comparison -------------------------------------------------------------------------------------


def _compare(run: Reconciliation) -> None:
    """Compare a run whose side of the channel is told; a fixed number of statements."""
    rows.take_turn(run)
    now = timezone.now()
    sums = rows.sums(run)
    run.ours, run.unattached = sums.ours, sums.unattached
    if run.way != Way.TOTALS:
        run.theirs = sums.theirs
        rows.compare(run)
    else:
        rows.add_totals(run, run.theirs, run.ours)
    run.found = rows.found(run.pk)
    run.state, run.compared_at = State.DONE, now
    run.save()
    rows.accept_as_before(run)
    rows.close_earlier(run, now)
    rows.forget(run.pk)


def _locked(run_id: int, channel: Channel | None = None) -> Reconciliation:
    found = Run.objects.select_for_update(no_key=True, of=("self",)).select_related("channel")
    run = (found if channel is None else found.filter(channel=channel)).filter(pk=run_id).first()
    if run is None:
        raise ReconciliationUnknown
    return run


# -- settling -------------------------------------------------------------------------------------------


@transaction.atomic
def take_theirs(run_id: int, difference_ids: Sequence[int], *, actor_id: int | None) -> Settled:
    """Take in the orders of these differences as the channel's file tells them, as an import would.

    A difference that is gone by it is settled; one that is not stays open. Raises ReconciliationUnknown,
    ReconciliationOpen, NothingToSettle when the file tells none of these orders, and whatever refuses them
    all, such as a missing programme.
    """
    run, chosen = _chosen(run_id, difference_ids)
    facts = [unpack("orders", packed) for packed in rows.kept(run.pk, [each.pk for each in chosen])]
    if not facts:
        raise NothingToSettle
    numbers = {each.order_no for each in chosen}
    before = rows.ours_of(run.channel_id, numbers)
    # The kind, the channel and who says so are all that the receivers of an import look at.
    whose = ImportRun(kind="orders", channel=run.channel, started_by_id=actor_id)
    problem = next((answer.code for answer in receiving.receive(whose, facts) if answer.code), "")
    of_orders = _open(run).filter(order_no__in=numbers)
    ids = list(of_orders.values_list("pk", flat=True))
    settled = rows.settle_equal(ids, run.channel_id, actor_id=actor_id, now=timezone.now())
    after = rows.ours_of(run.channel_id, numbers)
    run.ours_after = rows.moved(run.ours_after or run.ours, before, after)
    run.save(update_fields=["ours_after"])
    rows.forget(run.pk)
    return Settled(settled, len(ids) - settled, problem)


@transaction.atomic
def tell_again(run_id: int, difference_ids: Sequence[int], *, actor_id: int | None) -> Settled:
    """Tell the channel once more how the orders of these differences stand here, as ours is right.

    Whether it heard is seen when the day is compared again. Raises as take_theirs.
    """
    run, chosen = _chosen(run_id, difference_ids)
    numbers = sorted({each.order_no for each in chosen if each.order_id is not None})
    if not numbers:
        raise NothingToSettle
    now = timezone.now()
    orders.tell_again(run.channel, numbers, now=now)
    told = _open(run).filter(order_no__in=numbers)
    settled = told.update(state=ReconciliationDifference.State.TOLD, settled_at=now, settled_by_id=actor_id)
    rows.forget(run.pk)
    return Settled(settled)


@transaction.atomic
def accept(run_id: int, difference_ids: Sequence[int], reason: str, *, actor_id: int | None) -> Settled:
    """Accept these differences as right, saying why; exactly the same found again is accepted with them.

    Raises AcceptedWithoutReason, ReconciliationUnknown, ReconciliationOpen, NothingToSettle.
    """
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise AcceptedWithoutReason
    run, chosen = _chosen(run_id, difference_ids)
    settled = ReconciliationDifference.objects.filter(pk__in=[each.pk for each in chosen]).update(
        state=ReconciliationDifference.State.ACCEPTED,
        reason=reason,
        settled_at=timezone.now(),
        settled_by_id=actor_id,
    )
    rows.forget(run.pk)
    return Settled(settled)


def _chosen(
    run_id: int, difference_ids: Sequence[int]
) -> tuple[Reconciliation, list[ReconciliationDifference]]:
    """The run, locked, and those of the chosen differences that are open."""
    run = _locked(run_id)
    if run.state != State.DONE:
        raise ReconciliationOpen
    chosen = list(_open(run).filter(pk__in=difference_ids[:MOST]))
    if not chosen:
        raise NothingToSettle
    return run, chosen


def _open(run: Reconciliation) -> QuerySet[ReconciliationDifference]:
    return run.differences.filter(state=ReconciliationDifference.State.OPEN)


# -- tidying --------------------------------------------------------------------------------------------


@transaction.atomic
def tidy(now: datetime) -> int:
    """Erase what has served: facts beyond the days of a file, and tellings that nobody completed.

    now: the instant that `settings.IMPORT_FILE_DAYS` are counted back from. Answers how many runs were
    given up. A difference outlives the fact that could settle it: then the file is uploaded again.
    """
    old = now - timedelta(days=settings.IMPORT_FILE_DAYS)
    ReconciliationRow.objects.filter(run__created_at__lt=old, run__state=State.DONE).delete()
    given_up = Run.objects.filter(state__in=(State.TELLING, State.WAITING), created_at__lt=now - FORGOTTEN)
    uploads = {upload for upload in given_up.values_list("upload", flat=True) if upload is not None}
    ReconciliationRow.objects.filter(run__in=given_up).delete()
    count, _by_model = given_up.delete()
    for upload in uploads:
        transaction.on_commit(partial(files.erase, upload))
    return count
