"""Refunds by customer service: alone up to a limit, above it with a second person (D6)."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from loyalty import approval_words, counter, refunds
from loyalty.errors import CauseTaken, OrderNotFound, RefundTooLarge
from loyalty.orders import RefundReceipt
from members import channels
from members.models import Order, Refund, Store
from privacy import approvals, roles
from privacy.errors import ReasonMissing
from privacy.models import Approval, StaffProfile
from tests.api import Api
from tests.trade import Trade, buyer, proven


@pytest.fixture
def trade(db: None) -> Trade:
    """A brand in which customer service refunds ¥100 alone, and twice that in a day."""
    return Trade(refund_limit="100", adjust_day_factor=2)


@pytest.fixture
def lin(trade: Trade) -> User:
    return roles.make_staff("lin", "service", store="jingan/jingan")[0]


@pytest.fixture
def boss(trade: Trade) -> User:
    return roles.make_staff("boss", "admin")[0]


@pytest.fixture
def jingan(trade: Trade) -> Store:
    return channels.make_store(channels.make("jingan", "pos"), "jingan")


def buy(trade: Trade, number: str = "T1", who: str = "mei", net: str = "500") -> int:
    """An order; answers its buyer."""
    member = trade.buy(number, net, buyer(who)).member_id
    assert member is not None
    return member


def approve(receipt: RefundReceipt, boss: User) -> Approval:
    assert receipt.approval_id is not None
    return approvals.approve(receipt.approval_id, boss)


def refund(trade: Trade, lin: User, goods: str, order: str = "T1", **how: Any) -> RefundReceipt:
    how = {"number": f"R-{uuid4().hex[:8]}", "reason": "Broken on arrival"} | how
    return refunds.ask(trade.tmall, order, goods=Decimal(goods), actor_id=lin.pk, **how)


def refunded(number: str = "T1") -> Decimal:
    return Order.objects.get(number=number).refunded_goods


def test_up_to_the_limit_it_is_made_and_says_by_whom(trade, lin):
    buy(trade)
    assert refund(trade, lin, "100").outcome == "new"
    row = Refund.objects.get()
    assert refunded() == 100
    assert (row.asked_by, row.approval) == (lin, None)
    assert proven()


def test_above_it_a_second_person_lets_it_happen(trade, lin, boss):
    buy(trade)
    waiting = refund(trade, lin, "100.01", number="R-1")
    assert waiting.outcome == "waiting" and refunded() == 0
    row = Approval.objects.get()
    assert row.pk == waiting.approval_id
    assert approval_words.refund(row.change) == "Refund ¥100.01 of order T1 (tmall)."
    assert refund(trade, lin, "100.01", number="R-1").approval_id == row.pk
    with pytest.raises(CauseTaken):
        refund(trade, lin, "100.02", number="R-1")
    approvals.approve(row.pk, boss)
    made = Refund.objects.get()
    assert (refunded(), made.asked_by, made.approval) == (Decimal("100.01"), lin, row)
    row.refresh_from_db()
    assert row.result["points_taken"] == 101
    assert refund(trade, lin, "100.01", number="R-1").outcome == "same"
    assert proven()


def test_slices_count_together_for_a_member_and_for_the_day(trade, lin, boss):
    for number, who in (("T1", "mei"), ("T2", "mei"), ("T3", "bo"), ("T4", "cai")):
        buy(trade, number, who)
    assert refund(trade, lin, "60").outcome == "new"
    assert refund(trade, lin, "40.01", "T2").outcome == "waiting"  # another order of the same member
    assert refund(trade, lin, "100", "T3").outcome == "new"
    assert refund(trade, lin, "40.01", "T4").outcome == "waiting"  # 200 a day in all
    assert refund(trade, lin, "40", "T4").outcome == "new"
    assert Approval.objects.count() == 2


def test_what_cannot_be_is_not_asked_for(trade, lin):
    buy(trade)
    with pytest.raises(RefundTooLarge):
        refund(trade, lin, "500.01")
    with pytest.raises(OrderNotFound):
        refund(trade, lin, "300", "T9")
    with pytest.raises(ReasonMissing):
        refund(trade, lin, "300", reason="")
    assert not Approval.objects.exists() and refunded() == 0


def test_what_was_refunded_meanwhile_is_not_refunded_again(trade, lin, boss):
    buy(trade)
    waiting = refund(trade, lin, "300")
    trade.refund("T1", "told", "300")
    with pytest.raises(RefundTooLarge):
        approve(waiting, boss)
    assert refunded() == 300 and Approval.objects.get().state == "waiting"


def test_one_s_own_purchases_always_want_a_second_person(trade, lin):
    mei = buy(trade)
    StaffProfile.objects.filter(user=lin).update(member_id=mei)
    assert refund(trade, lin, "1").outcome == "waiting"


def test_a_channel_s_key_and_a_clerk_have_no_limit(trade, jingan):
    mei = buy(trade)
    whole = refunds.ask(trade.tmall, "T1", number="R-1", goods=Decimal(500))
    assert whole.outcome == "new" and Refund.objects.get().asked_by is None
    clerk = roles.make_staff("clerk", "clerk", store="jingan/jingan")[0]
    sold = counter.sell(jingan, mei, amount=Decimal(300), nonce=uuid4(), actor_id=clerk.pk)
    done = counter.refund(jingan, sold.order_number, nonce=uuid4(), actor_id=clerk.pk)
    assert (done.outcome, Refund.objects.get(order__number=sold.order_number).asked_by) == ("new", clerk)


class TestAtTheCounter:
    def test_service_waits_for_a_second_person_above_the_limit(self, trade, jingan, lin, boss):
        mei = buy(trade)
        sold = counter.sell(jingan, mei, amount=Decimal(300), nonce=uuid4(), actor_id=None)
        nonce = uuid4()

        def touch() -> RefundReceipt:
            return counter.refund(
                jingan, sold.order_number, nonce=nonce, actor_id=lin.pk, reason="Does not fit"
            )

        waiting = touch()
        assert waiting.outcome == "waiting" and touch().approval_id == waiting.approval_id
        approve(waiting, boss)
        assert touch().outcome == "same"
        assert refunded(sold.order_number) == sold.net

    def test_money_that_is_kept_is_answered_again(self, db):
        trade = Trade(refund_shortage="money")
        jingan = channels.make_store(channels.make("jingan", "pos"), "jingan")
        mei = buy(trade, net="1")
        sold = counter.sell(jingan, mei, amount=Decimal(300), nonce=uuid4(), actor_id=None)
        trade.spend(mei, 250)
        nonce = uuid4()
        first = counter.refund(jingan, sold.order_number, nonce=nonce, actor_id=None)
        again = counter.refund(jingan, sold.order_number, nonce=nonce, actor_id=None)
        assert first.money_to_withhold > 0 and again.outcome == "same"
        assert again.money_to_withhold == first.money_to_withhold == Refund.objects.get().withheld
        assert proven()


class TestByApi:
    def test_service_refunds_an_order_of_any_channel(self, trade, boss):
        buy(trade)
        service = Api(roles.make_staff("mo", "service")[0])
        made = service.once("/orders/T1/refunds/", {"goods": "50.00"})
        assert (made.status, made.body["points_taken"], made.body["approval_id"]) == (201, 50, None)
        waits = service.once("/orders/T1/refunds/", {"goods": "90.00", "reason": "Broken on arrival"}, "k1")
        assert (waits.status, waits.body["outcome"]) == (202, "waiting")
        approved = Api(boss).post(f"/approvals/{waits.body['approval_id']}/approve/")
        assert (approved.status, approved.body["result"]["points_taken"]) == (200, 90)
        assert refunded() == 140
        assert proven()

    def test_a_number_that_two_channels_use_must_say_which(self, trade):
        buy(trade)
        trade.buy("T1", "300", buyer("mei-app"), channel=trade.app)
        service = Api(roles.make_staff("mo", "service")[0])
        unclear = service.once("/orders/T1/refunds/", {"goods": "50.00"})
        assert (unclear.status, unclear.body["errors"][0]["path"]) == (400, "channel")
        named = service.once("/orders/T1/refunds/", {"goods": "50.00", "channel": "app"})
        assert named.status == 201
        assert Refund.objects.get().channel == trade.app
        assert service.once("/orders/T9/refunds/", {"goods": "50.00"}).status == 404
