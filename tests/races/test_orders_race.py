"""Orders told twice at once are one; an order and its refund that come at once find each other (A9)."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from threading import Barrier, Event

import pytest
from django.db import transaction

from members import order_rows, orders
from members.facts import OrderFact
from members.models import Channel, Order, OutboxEvent, Refund
from tests import make
from tests.races.test_identity_race import at_once

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def recording(channel: Channel, facts: list[OrderFact], start: Barrier) -> Callable[[], object]:
    def run() -> object:
        start.wait()
        with transaction.atomic():
            return [
                heard.outcome for heard in orders.record(channel, facts, [None] * len(facts), now=make.NOW)
            ]

    return run


def test_batches_of_the_same_orders_in_opposite_order_end_as_one_of_each():
    channel, start = make.tmall(), Barrier(4, timeout=30)
    facts = [make.order(f"T-{n}") for n in range(100)]
    batches = [facts, facts[::-1], facts[50:] + facts[:50], facts]
    outcomes = at_once(*[recording(channel, batch, start) for batch in batches])
    assert all(isinstance(answers, list) for answers in outcomes)
    assert sum(answers.count("new") for answers in outcomes) == 100
    assert sum(answers.count("same") for answers in outcomes) == 300
    assert Order.objects.count() == OutboxEvent.objects.count() == 100


def meet(channel: Channel) -> None:
    """An order is added; before it commits, its refund comes, and looks for the order in vain."""
    is_added, has_looked = Event(), Event()

    def add_order() -> None:
        with transaction.atomic():
            orders.record(channel, [make.order()], [None], now=make.NOW)
            is_added.set()
            # Behind the lock the refund never gets to look before we commit: this wait runs out.
            has_looked.wait(timeout=1)

    def add_refund() -> None:
        assert is_added.wait(timeout=30)
        lock = order_rows.lock

        def look(channel: Channel, numbers: list[str]) -> dict[str, order_rows.OrderState]:
            found = lock(channel, numbers)
            looks.append(len(found))
            if len(looks) == 2:
                has_looked.set()
            return found

        looks: list[int] = []
        with pytest.MonkeyPatch.context() as patch, transaction.atomic():
            patch.setattr(order_rows, "lock", look)
            orders.record_refunds(channel, [make.refund(goods="30.00")], now=make.NOW)

    assert at_once(add_order, add_refund) == [None, None]


def test_an_order_and_its_refund_at_once_find_each_other():
    meet(make.tmall())
    assert Refund.objects.get().order == Order.objects.get()
    assert Order.objects.get().refunded_goods == Decimal("30.00")


def test_without_the_lock_the_refund_would_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    def no_lock(channel: Channel, numbers: Iterable[str]) -> None:
        """Nobody waits."""

    monkeypatch.setattr(order_rows, "wait_for_orders", no_lock)
    meet(make.tmall())
    assert Refund.objects.get().order is None
    assert Order.objects.get().refunded_goods == Decimal("0.00")
