"""A whole batch taken out of use: what is unused is withdrawn, the rest stays, with the reason (B6)."""

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import coupon_batches, coupon_withdrawals, jobs
from loyalty.errors import CouponBatchBusy, CouponBatchNotFound, CouponNotUsable
from loyalty.models import Coupon, CouponBatch, CouponMove, CouponWithdrawal
from privacy import roles
from privacy.errors import ReasonMissing
from tests.coupon_shop import PRINTED, CouponShop, history, proven

WHY = "The leaflet was misprinted"


@pytest.fixture
def shop(db: None, settings: Any, tmp_path: Path) -> CouponShop:
    settings.UPLOADS = tmp_path / "uploads"
    return CouponShop(PRINTED)


def batch_of(count: int) -> CouponBatch:
    return coupon_batches.work(coupon_batches.make("PRINTED", count).pk)


def worked() -> None:
    """What the worker does with the jobs that wait."""
    for job in ProcrastinateJob.objects.filter(task_name=coupon_withdrawals.JOB):
        jobs.withdraw_coupon_codes(**job.args)


def codes(batch: CouponBatch) -> list[str]:
    return list(Coupon.objects.filter(batch=batch).order_by("pk").values_list("code", flat=True))


def counts(withdrawal: CouponWithdrawal) -> tuple[int, int, bool]:
    withdrawal.refresh_from_db()
    return withdrawal.withdrawn, withdrawal.kept, withdrawal.is_at_work


def test_the_unused_codes_are_withdrawn_and_the_rest_stays(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coupon_withdrawals, "CHUNK", 3)
    lin = roles.make_staff("lin", "marketing")[0]
    batch, other = batch_of(8), batch_of(2)
    used, locked, free, *_rest = codes(batch)
    shop.use(used, "O1", member_id=None)
    shop.lock(locked, "O2", member_id=None)
    assert coupon_withdrawals.unused(batch.pk) == 6
    asked = coupon_withdrawals.ask(batch.pk, WHY, actor_id=lin.pk)
    assert counts(asked) == (0, 0, True)
    worked()
    assert counts(asked) == (6, 2, False)
    assert coupon_withdrawals.unused(batch.pk) == 0
    with pytest.raises(CouponNotUsable):
        shop.use(free, "O3", member_id=None)
    assert shop.use(locked, "O2", member_id=None).is_new
    assert (history(used), history(free)) == (["used"], ["withdrawn"])
    move = CouponMove.objects.filter(kind="withdrawn").first()
    assert move is not None and (move.why, move.actor) == ({"reason": WHY}, lin)
    assert coupon_withdrawals.unused(other.pk) == 2
    assert proven()


def test_a_second_withdrawal_takes_what_came_free_since(shop: CouponShop) -> None:
    batch = batch_of(3)
    locked = codes(batch)[0]
    shop.lock(locked, "O1", member_id=None)
    first = coupon_withdrawals.ask(batch.pk, WHY)
    worked()
    shop.release(locked, "O1")
    second = coupon_withdrawals.ask(batch.pk, WHY)
    worked()
    assert [counts(each) for each in (first, second)] == [(2, 1, False), (1, 0, False)]
    assert [each.pk for each in coupon_withdrawals.of(batch.pk)] == [second.pk, first.pk]
    assert proven()


def test_a_worker_that_died_goes_on_and_a_job_that_comes_twice_changes_nothing(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coupon_withdrawals, "CHUNK", 2)
    batch = batch_of(5)
    asked = coupon_withdrawals.ask(batch.pk, WHY)
    coupon_withdrawals._withdraw_chunk(asked.pk)
    assert counts(asked) == (2, 0, True)
    worked()
    worked()
    assert counts(asked) == (5, 0, False)
    assert CouponMove.objects.filter(kind="withdrawn").count() == 5


def test_it_wants_a_reason_a_batch_and_nobody_else_at_work(shop: CouponShop) -> None:
    batch = batch_of(2)
    with pytest.raises(ReasonMissing):
        coupon_withdrawals.ask(batch.pk, " why ")
    with pytest.raises(CouponBatchNotFound):
        coupon_withdrawals.ask(batch.pk + 100, WHY)
    with pytest.raises(CouponBatchBusy):
        coupon_withdrawals.ask(coupon_batches.make("PRINTED", 1).pk, WHY)
    coupon_withdrawals.ask(batch.pk, WHY)
    with pytest.raises(CouponBatchBusy):
        coupon_withdrawals.ask(batch.pk, WHY)
    with (
        pytest.raises(IntegrityError, match="coupon_batch_withdrawn_one_at_a_time"),
        transaction.atomic(),
    ):
        CouponWithdrawal.objects.create(batch=batch, reason=WHY)
    assert CouponWithdrawal.objects.count() == 1


def test_a_chunk_costs_the_same_for_one_and_for_fifty(shop: CouponShop) -> None:
    costs = []
    for count in (1, 50):
        asked = coupon_withdrawals.ask(batch_of(count).pk, WHY)
        with CaptureQueriesContext(connection) as statements:
            coupon_withdrawals._withdraw_chunk(asked.pk)
        assert counts(asked)[0] == count
        costs.append(len(statements))
    assert costs[0] == costs[1]


def signed_in(role: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(roles.make_staff(role, role)[0])
    return client


def test_marketing_withdraws_on_the_page_that_says_how_many(shop: CouponShop) -> None:
    batch = batch_of(5)
    shop.use(codes(batch)[0], "O1", member_id=None)
    client, page = signed_in("marketing"), reverse("coupons:batch", args=[batch.pk])
    address = reverse("coupons:withdraw-batch", args=[batch.pk])
    assert "4 of 5 codes are unused and would be withdrawn" in client.get(page).content.decode()
    short = client.post(address, {"reason": "no"})
    assert short.status_code == 400 and "at least five characters" in short.content.decode()
    at_work = client.post(address, {"reason": WHY}, follow=True).content.decode()
    assert "every 1s" in at_work and "Withdraw unused codes" not in at_work
    assert client.post(address, {"reason": WHY}).status_code == 409
    worked()
    done = client.get(page).content.decode()
    assert "Withdrawn: 4; kept, as used or locked for an order: 1." in done
    assert WHY in done and "every 1s" not in done and "Withdraw unused codes" not in done


@pytest.mark.parametrize("role", ["service", "auditor"])
def test_nobody_but_marketing_withdraws_a_batch(shop: CouponShop, role: str) -> None:
    batch = batch_of(1)
    client = signed_in(role)
    assert (
        "Withdraw unused codes" not in client.get(reverse("coupons:batch", args=[batch.pk])).content.decode()
    )
    answer = client.post(reverse("coupons:withdraw-batch", args=[batch.pk]), {"reason": WHY})
    assert answer.status_code == 403
    assert not CouponWithdrawal.objects.exists()
