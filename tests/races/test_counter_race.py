"""The desk under an impatient finger: one touch counts once, however often it is sent (E1)."""

from collections import Counter
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from loyalty import counter, ledger, points
from loyalty.errors import HoldEnded, NotEnoughPoints, RefundTooLarge
from loyalty.models import Entry, Hold
from members import channels
from members.models import Order, Refund, Store
from tests.races.test_spend_race import look_without_locking
from tests.races.threads import LONGEST, at_once, refusals
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLICKS = 8


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture
def jingan(trade: Trade) -> Store:
    return channels.make_store(channels.make("jingan", "pos"), "jingan")


@pytest.fixture
def mei(trade: Trade) -> int:
    """A member with 1,000 points."""
    member = trade.buy("T0", "1000", buyer("mei")).member_id
    assert member is not None
    return member


def sell(store: Store, member: int, **told: object) -> counter.Sale:
    return counter.sell(store, member, **{"amount": Decimal(100), "nonce": uuid4(), "actor_id": None, **told})  # type: ignore[arg-type]


def counted() -> tuple[int, Counter[str]]:
    """Counter orders, and entries by kind."""
    kinds = Entry.objects.filter(channel__code="jingan").values_list("kind", flat=True)
    return Order.objects.filter(channel__code="jingan").count(), Counter(kinds)


def test_a_form_sent_eight_times_is_one_sale(trade: Trade, jingan: Store, mei: int) -> None:
    nonce = uuid4()
    sales = at_once(*[lambda: sell(jingan, mei, points_used=400, nonce=nonce) for _ in range(CLICKS)])
    assert Counter(sale.is_new for sale in sales) == {True: 1, False: CLICKS - 1}
    assert len({(sale.order_id, sale.points_spent, sale.points_earned, sale.to_pay) for sale in sales}) == 1
    assert counted() == (1, {"redeem": 1, "earn": 1})
    assert trade.available(mei) == 1000 - 400 + 96
    assert proven()


def test_without_its_turn_a_repeat_takes_itself_for_the_first_and_the_keys_keep_one_sale(
    trade: Trade, jingan: Store, mei: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nonce = uuid4()
    # Instead of taking turns they set out together, so that they look before any of them has sold.
    together = Barrier(CLICKS, timeout=LONGEST)
    monkeypatch.setattr(counter, "_once", lambda nonce: together.wait())
    sales = at_once(*[lambda: sell(jingan, mei, points_used=400, nonce=nonce) for _ in range(CLICKS)])
    assert refusals(sales) == []
    assert sum(sale.is_new for sale in sales) > 1, "the control must collide"
    assert counted() == (1, {"redeem": 1, "earn": 1})
    assert proven()


def test_a_refund_sent_eight_times_is_one_refund(trade: Trade, jingan: Store, mei: int) -> None:
    number = sell(jingan, mei).order_number
    nonce = uuid4()
    answers = at_once(
        *[
            lambda: counter.refund(jingan, number, goods=Decimal(40), nonce=nonce, actor_id=None)
            for _ in range(CLICKS)
        ]
    )
    assert Counter(receipt.outcome for receipt in answers) == {"new": 1, "same": CLICKS - 1}
    assert {receipt.points_taken for receipt in answers} == {40}
    assert Refund.objects.get().goods == Decimal(40)
    assert trade.available(mei) == 1000 + 60
    assert proven()


def test_eight_tills_that_refund_the_rest_give_the_money_back_once(
    trade: Trade, jingan: Store, mei: int
) -> None:
    number = sell(jingan, mei).order_number
    answers = at_once(
        *[lambda: counter.refund(jingan, number, nonce=uuid4(), actor_id=None) for _ in range(CLICKS)]
    )
    assert [type(refusal) for refusal in refusals(answers)] == [RefundTooLarge] * (CLICKS - 1)
    assert Order.objects.get(number=number).refunded_goods == Decimal(100)
    assert Refund.objects.count() == 1
    assert trade.available(mei) == 1000
    assert proven()


def test_eight_tills_cannot_spend_the_same_points(trade: Trade, jingan: Store, mei: int) -> None:
    answers = at_once(*[lambda: sell(jingan, mei, points_used=1000) for _ in range(CLICKS)])
    assert [type(refusal) for refusal in refusals(answers)] == [NotEnoughPoints] * (CLICKS - 1)
    assert counted() == (1, {"redeem": 1, "earn": 1})
    assert trade.available(mei) == 90
    assert proven()


def test_a_hold_captured_and_released_at_once_ends_once(trade: Trade, mei: int) -> None:
    hold_id = trade.hold(mei, 400).hold_id
    answers = at_once(
        *[lambda: points.capture(mei, hold_id, channel=trade.tmall) for _ in range(CLICKS // 2)],
        *[lambda: points.release(mei, hold_id, channel=trade.tmall) for _ in range(CLICKS // 2)],
    )
    assert [type(refusal) for refusal in refusals(answers)] == [HoldEnded] * (CLICKS - 1)
    hold = Hold.objects.get()
    assert (hold.state, trade.available(mei)) in {("captured", 600), ("released", 1000)}
    assert trade.figures(mei).held == 0
    assert proven()


def test_without_the_lock_the_database_lets_a_hold_end_once(
    trade: Trade, mei: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_id = trade.hold(mei, 400).hold_id
    have_found = Barrier(CLICKS, timeout=LONGEST)
    find = points._find

    def find_before_anybody_ends_it(*about: Any) -> Any:
        found = find(*about)
        have_found.wait()
        return found

    monkeypatch.setattr(ledger, "_lock_wallets", look_without_locking(CLICKS))
    monkeypatch.setattr(points, "_find", find_before_anybody_ends_it)
    answers = at_once(
        *[lambda: points.capture(mei, hold_id, channel=trade.tmall) for _ in range(CLICKS)],
    )
    refused = refusals(answers)
    assert len(refused) == CLICKS - 1
    assert not any(isinstance(each, HoldEnded) for each in refused), "the control must collide"
    assert Entry.objects.filter(kind="redeem").count() == 1
    assert (Hold.objects.get().state, trade.available(mei)) == ("captured", 600)
    assert proven()
