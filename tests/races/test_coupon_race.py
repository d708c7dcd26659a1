"""Coupons under many hands: taken online and used in the store at once, and the last of a campaign (B6)."""

from collections import Counter
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty import clock, coupon_batches, coupon_rows, coupon_withdrawals, coupons
from loyalty.coupons import Wish
from loyalty.errors import CouponNotUsable
from loyalty.models import Coupon, CouponUse, CouponWithdrawal
from members.facts import OrderStatus
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, goods, history, proven, row
from tests.races.threads import LONGEST, at_once, refusals
from tests.trade import buyer

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 8


@pytest.fixture
def shop(db: None) -> CouponShop:
    return CouponShop({**WELCOME, "min_spend": "0"}, SPRING, PRINTED)


def use_in(shop: CouponShop, number: int) -> dict[str, Any]:
    """Where the how-manieth client uses it: online, or in the store."""
    if number % 2:
        return {"channel": shop.jingan, "store": shop.store, "order_no": f"S{number}"}
    return {"channel": shop.app, "order_no": f"O{number}"}


def reasons(answers: list[Any]) -> Counter[str]:
    return Counter(getattr(error, "reason", type(error).__name__) for error in refusals(answers))


def test_a_coupon_taken_online_and_used_in_the_store_at_once_is_used_once(shop: CouponShop) -> None:
    code = shop.coupon()
    answers = at_once(*[lambda n=n: shop.use(code, **use_in(shop, n)) for n in range(CLIENTS)])
    assert reasons(answers) == {"used": CLIENTS - 1}
    assert CouponUse.objects.count() == 1 and history(code) == ["used"]
    assert proven()


def test_without_the_lock_the_table_refuses_the_second_use(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(CLIENTS, timeout=LONGEST)

    def look_without_locking(coupon_ids: Any) -> dict[int, Coupon]:
        found = {coupon.pk: coupon for coupon in Coupon.objects.filter(pk__in=coupon_ids)}
        together.wait()
        return found

    code = shop.coupon()
    monkeypatch.setattr(coupon_rows, "hold", look_without_locking)
    answers = at_once(*[lambda n=n: shop.use(code, **use_in(shop, n)) for n in range(CLIENTS)])
    errors = refusals(answers)
    assert len(errors) == CLIENTS - 1
    assert all(isinstance(error, IntegrityError) and "coupon_used_once" in str(error) for error in errors)
    assert CouponUse.objects.count() == 1 and history(code) == ["used"]
    assert proven()


def batch_of_one() -> tuple[int, str]:
    batch = coupon_batches.work(coupon_batches.make("PRINTED", 1).pk)
    return coupon_withdrawals.ask(batch.pk, "Misprinted").pk, Coupon.objects.get(batch=batch).code


def test_a_code_of_a_withdrawn_batch_is_used_or_withdrawn_and_never_both(shop: CouponShop) -> None:
    withdrawal, code = batch_of_one()
    answers = at_once(
        lambda: coupon_withdrawals.work(withdrawal), lambda: shop.use(code, "O1", member_id=None)
    )
    found = CouponWithdrawal.objects.get()
    if refusals(answers):
        assert reasons(answers) == {"withdrawn": 1}
        assert (history(code), found.withdrawn, found.kept) == (["withdrawn"], 1, 0)
    else:
        assert (history(code), found.withdrawn, found.kept) == (["used"], 0, 1)
    assert proven()


def test_without_the_lock_the_history_lets_the_use_or_the_withdrawal_stand(
    shop: CouponShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(2, timeout=LONGEST)

    def look_without_locking(coupon_ids: Any) -> dict[int, Coupon]:
        found = {coupon.pk: coupon for coupon in Coupon.objects.filter(pk__in=coupon_ids)}
        together.wait()
        return found

    withdrawal, code = batch_of_one()
    monkeypatch.setattr(coupon_rows, "hold", look_without_locking)
    answers = at_once(
        lambda: coupon_withdrawals._withdraw_chunk(withdrawal),
        lambda: shop.use(code, "O1", member_id=None),
    )
    (refused,) = refusals(answers)
    assert isinstance(refused, IntegrityError) and "coupon_history_no_gap_no_fork" in str(refused)
    assert history(code) in (["used"], ["withdrawn"])
    assert proven()


def test_one_lock_keeps_all_others_away(shop: CouponShop) -> None:
    code = shop.coupon()
    answers = at_once(*[lambda n=n: shop.lock(code, **use_in(shop, n)) for n in range(CLIENTS)])
    assert reasons(answers) == {"locked": CLIENTS - 1}
    assert history(code) == ["locked"]
    assert proven()


def test_one_order_that_asks_eight_times_has_one_answer(shop: CouponShop) -> None:
    answers = at_once(*[lambda: shop.use("SPRING-26") for _ in range(CLIENTS)])
    assert refusals(answers) == []
    assert Counter(answer.is_new for answer in answers) == {True: 1, False: CLIENTS - 1}
    assert Coupon.objects.count() == CouponUse.objects.count() == 1
    assert proven()


def test_two_coupons_that_stand_alone_are_not_both_taken_by_one_order(shop: CouponShop) -> None:
    codes = [shop.coupon(cause=cause) for cause in "ab"]
    answers = at_once(*[lambda code=code: shop.use(code) for code in codes])
    assert reasons(answers) == {"not_combined": 1}
    assert CouponUse.objects.count() == 1


def issue(campaign: str, member: int | None, cause: str) -> coupons.Issued:
    with transaction.atomic():
        wish = Wish(campaign=campaign, member_id=member, cause=cause)
        (issued,) = coupons.issue([wish], now=clock.read().now)
    return issued


def test_the_last_coupons_of_a_campaign_go_to_as_many(shop: CouponShop) -> None:
    members = [shop._member(f"m{n}") for n in range(CLIENTS)]
    answers = at_once(*[lambda m=m: issue("WELCOME", m, f"c{m}") for m in members])
    assert Counter(answer.refusal for answer in answers) == {"": 5, "quota_spent": CLIENTS - 5}
    assert sorted(Coupon.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert proven()


def test_the_last_of_a_public_code_go_to_as_many(shop: CouponShop) -> None:
    members = [shop._member(f"m{n}") for n in range(CLIENTS)]
    answers = at_once(
        *[lambda n=n, m=m: shop.use("SPRING-26", f"O{n}", member_id=m) for n, m in enumerate(members)]
    )
    assert reasons(answers) == {"quota_spent": CLIENTS - 3}
    assert CouponUse.objects.count() == 3
    assert proven()


def test_without_turns_the_table_keeps_the_quota(shop: CouponShop, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [shop._member(f"m{n}") for n in range(CLIENTS)]
    together = Barrier(CLIENTS, timeout=LONGEST)
    look = coupon_rows.last_numbers

    def look_before_anybody_writes(campaigns: Any) -> dict[str, int]:
        found = look(campaigns)
        together.wait()
        return found

    monkeypatch.setattr(coupon_rows, "take_turns", lambda campaigns: None)
    monkeypatch.setattr(coupon_rows, "last_numbers", look_before_anybody_writes)
    answers = at_once(*[lambda m=m: issue("WELCOME", m, f"c{m}") for m in members])
    errors = refusals(answers)
    assert len(errors) == CLIENTS - 1, "the control must collide"
    assert all("coupon_number_once" in str(error) for error in errors)
    assert Coupon.objects.count() == 1
    assert proven()


def test_the_same_cause_at_once_is_one_coupon(shop: CouponShop) -> None:
    answers = at_once(*[lambda: issue("WELCOME", shop.mei, "birthday") for _ in range(CLIENTS)])
    assert refusals(answers) == []
    assert len({answer.coupon_id for answer in answers}) == Coupon.objects.count() == 1


def test_a_member_s_limit_holds_for_what_is_brought_at_once(shop: CouponShop) -> None:
    codes = [issue("PRINTED", None, f"leaflet {n}").code for n in range(CLIENTS)]
    answers = at_once(*[lambda n=n, c=c: shop.use(c, f"O{n}") for n, c in enumerate(codes)])
    assert reasons(answers) == {"limit_reached": CLIENTS - 2}
    assert proven()


@pytest.mark.parametrize("attempt", range(4))
def test_a_use_and_a_cancellation_at_once_end_with_the_coupon_back(shop: CouponShop, attempt: int) -> None:
    code = shop.coupon()
    shop.buy("O1", "180", buyer("mei"), channel=shop.app, status=OrderStatus.PAID)
    answers = at_once(
        lambda: shop.use(code, lines=goods("200")),
        lambda: shop.buy("O1", "180", buyer("mei"), channel=shop.app, status=OrderStatus.CANCELLED),
    )
    assert refusals(answers) == []
    assert row(code).state == "issued"
    assert proven()


def test_withdrawn_and_used_at_once_is_one_of_both(shop: CouponShop) -> None:
    code = shop.coupon()
    id_ = row(code).pk
    used, withdrawn = at_once(
        lambda: shop.use(code), lambda: coupons.withdraw([id_], why={}, now=clock.read().now)
    )
    won_by_use = not isinstance(used, CouponNotUsable)
    assert withdrawn == {id_: "used" if won_by_use else ""}
    assert history(code) == ["used" if won_by_use else "withdrawn"]
    assert proven()
