"""Orders told at once: each earns once, by whoever comes first, and nobody waits in a circle (A9, B3)."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection

from loyalty import ledger, orders
from loyalty.models import Entry, OrderEarning, TierChange, Wallet
from members.facts import OrderFact, RefundFact
from members.models import Channel, Member, Order, OutboxEvent
from tests.races.threads import at_once, refusals
from tests.trade import Trade, buyer, proven, tier_of

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 8


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def told(channel: Channel, facts: Sequence[OrderFact]) -> Callable[[], object]:
    return lambda: orders.receive(channel, facts)


def test_one_order_from_eight_clients_at_once_earns_once(trade: Trade) -> None:
    fact = trade.order("T1", "200", buyer("mei"))
    answers = at_once(*[told(trade.tmall, [fact]) for _ in range(CLIENTS)])
    receipts = [receipt for answer in answers for receipt in answer]
    assert Counter(receipt.outcome for receipt in receipts) == {"new": 1, "same": CLIENTS - 1}
    assert sorted(receipt.earned for receipt in receipts) == [0] * (CLIENTS - 1) + [200]
    assert [receipt.points for receipt in receipts] == [200] * CLIENTS
    assert Order.objects.count() == Member.objects.count() == Wallet.objects.count() == 1
    assert Entry.objects.get().points == 200
    assert proven()


def test_orders_and_their_refunds_at_once_end_the_same_whoever_comes_first(trade: Trade) -> None:
    numbers = [f"T{number}" for number in range(CLIENTS)]
    refunds = [
        RefundFact(order_number=number, number="R1", goods=Decimal(50), refunded_at=trade.now)
        for number in numbers
    ]
    answers = at_once(
        *[told(trade.tmall, [trade.order(number, "200", buyer("mei"))]) for number in numbers],
        *[lambda fact=fact: orders.refund(trade.tmall, [fact]) for fact in refunds],
    )
    assert refusals(answers) == []
    ends = OrderEarning.objects.values_list("order__number", "stays", "order__refunded_goods")
    assert sorted(ends) == [(number, 150, Decimal("50.00")) for number in numbers]
    assert proven()


def test_batches_with_the_same_members_in_opposite_order_do_not_wait_for_each_other(trade: Trade) -> None:
    def batch(prefix: str, buyers: Sequence[int]) -> list[OrderFact]:
        return [trade.order(f"{prefix}{number}", "100", buyer(f"b{number}")) for number in buyers]

    there, back = range(60), range(59, -1, -1)
    answers = at_once(
        told(trade.tmall, batch("A", there)),
        told(trade.tmall, batch("B", back)),
        told(trade.tmall, batch("C", there)),
        told(trade.tmall, batch("D", back)),
    )
    assert refusals(answers) == []
    assert Member.objects.count() == Wallet.objects.count() == 60
    assert set(Wallet.objects.values_list("balance", flat=True)) == {400}
    assert proven()


def test_were_wallets_locked_in_the_order_of_the_batch_they_would_deadlock(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [receipt.member_id for receipt in (trade.buy(f"T{n}", "10", buyer(f"b{n}")) for n in range(2))]
    first_is_locked = Barrier(2, timeout=30)

    def lock_one_by_one(prefix: str) -> Callable[[Sequence[int]], list[tuple[Any, ...]]]:
        def lock(member_ids: Sequence[int], *_how: object) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] = []
            for member in members if prefix == "A" else reversed(members):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT * FROM loyalty_read(loyalty_lock(ARRAY[%s]::bigint[], '{}'), '{}', '{}')",
                        [member],
                    )
                    rows += cursor.fetchall()
                if len(rows) == 1:
                    first_is_locked.wait()
            return rows

        return lock

    lockers = iter([lock_one_by_one("A"), lock_one_by_one("B")])
    monkeypatch.setattr(ledger, "_lock_wallets", lambda *asked: next(lockers)(*asked))
    answers = at_once(
        *[
            told(trade.tmall, [trade.order(f"{prefix}{n}", "100", buyer(f"b{n}")) for n in range(2)])
            for prefix in "AB"
        ]
    )
    (error,) = refusals(answers)
    assert isinstance(error, OperationalError) and "deadlock" in str(error)
    assert proven()


def test_orders_from_eight_clients_complete_silver_in_one_step(trade: Trade) -> None:
    facts = [
        trade.order(f"T{number}", "700", buyer("mei"), at=trade.now - timedelta(minutes=number))
        for number in range(CLIENTS)
    ]
    answers = at_once(*[told(trade.tmall, [fact]) for fact in facts])
    assert refusals(answers) == []
    member = Member.objects.get().pk
    step = TierChange.objects.get()
    assert (step.before, step.after, step.position, tier_of(member)) == ("basic", "silver", 1, "silver")
    assert OutboxEvent.objects.filter(topic="tier.changed").count() == 1
    assert Wallet.objects.get().version == Entry.objects.count() == CLIENTS
    assert proven()
