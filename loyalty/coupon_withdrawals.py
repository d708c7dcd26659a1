"""Taking the unused codes of a batch out of use: a leaflet that was misprinted, a partner who left (B6).

    ask → work (a worker, chunk by chunk)

What was used stays used, and what is locked for an order keeps its promise. A chunk is one transaction of a
fixed number of statements that also counts it; a worker who was killed goes on where it stopped.
"""

from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from loyalty import clock, coupon_batches, coupons
from loyalty.errors import CouponBatchBusy
from loyalty.models import Coupon, CouponWithdrawal
from privacy.errors import ReasonMissing

CHUNK = 5_000
JOB = "loyalty.withdraw_coupon_codes"
REASON_LENGTH = 5
ONE_AT_A_TIME = "coupon_batch_withdrawn_one_at_a_time"
State = Coupon.State


@transaction.atomic
def ask(batch_id: int, reason: str, *, actor_id: int | None = None) -> CouponWithdrawal:
    """Have the unused codes of a batch withdrawn; a worker does it.

    reason: at least five characters, kept with the withdrawal and with each coupon. Raises ReasonMissing,
    CouponBatchNotFound, and CouponBatchBusy while the batch is made or withdrawn.
    """
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    batch = coupon_batches.get(batch_id)
    if batch.is_at_work:
        raise CouponBatchBusy
    asked = CouponWithdrawal(batch=batch, reason=reason.strip(), asked_by_id=actor_id)
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
    except IntegrityError as refused:
        if ONE_AT_A_TIME not in str(refused):
            raise
        raise CouponBatchBusy from refused
    # A job that waits already will find the withdrawal as it is then.
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(JOB, queueing_lock=f"{JOB} {asked.pk}").defer(withdrawal_id=asked.pk)
    return asked


def work(withdrawal_id: int) -> CouponWithdrawal:
    """Carry a withdrawal out to its end, or on from where a worker stopped."""
    while True:
        withdrawal = _withdraw_chunk(withdrawal_id)
        if not withdrawal.is_at_work:
            return withdrawal


@transaction.atomic
def _withdraw_chunk(withdrawal_id: int) -> CouponWithdrawal:
    rows = CouponWithdrawal.objects.select_for_update(no_key=True)
    withdrawal = rows.get(pk=withdrawal_id)
    if not withdrawal.is_at_work:
        return withdrawal
    found = Coupon.objects.filter(batch=withdrawal.batch_id, pk__gt=withdrawal.last_id)
    found = found.exclude(state=State.WITHDRAWN)
    ids = list(found.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    if not ids:
        CouponWithdrawal.objects.filter(pk=withdrawal_id).update(done_at=Now())
        withdrawal.refresh_from_db()
        return withdrawal
    answers = coupons.withdraw(
        ids, why={"reason": withdrawal.reason}, now=clock.read().now, actor_id=withdrawal.asked_by_id
    )
    kept = sum(bool(why_not) for why_not in answers.values())
    withdrawal.withdrawn += len(answers) - kept
    withdrawal.kept += kept
    withdrawal.last_id = ids[-1]
    withdrawal.save(update_fields=["withdrawn", "kept", "last_id"])
    return withdrawal


def unused(batch_id: int) -> int:
    """How many codes of a batch would be withdrawn now: neither used, nor locked, nor withdrawn before."""
    is_free = Q(state=State.ISSUED) | Q(state=State.LOCKED, locked_until__lte=clock.read().now)
    return Coupon.objects.filter(is_free, batch=batch_id).count()


def of(batch_id: int) -> list[CouponWithdrawal]:
    """The withdrawals of a batch, the latest first."""
    rows = CouponWithdrawal.objects.filter(batch=batch_id).select_related("asked_by")
    return list(rows.order_by("-id"))
