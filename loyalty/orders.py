"""The way of one order, for one and for a thousand.

`receive`, `refund` and `ask_refund` open the only transaction and hold the only ifs. Whatever is heard of
an order, in whatever order and however often, its points are brought to where they should stand: what it
earned by the rules of the day it was first heard as paid, in proportion to what of it was kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from loyalty import benefits, clock, coupons, occasions, referrals, settling
from loyalty.errors import OrderNotFound, RefundShort, RefundTooLarge
from loyalty.grants import Given
from loyalty.settlement import Settlement
from members import identity
from members import orders as heard_orders
from members.facts import AmountsFact, LineFact, OrderFact, OrderLinesFact, OrderStatus, RefundFact
from members.identity import Known
from members.models import Channel, Order
from members.numbers import number_of
from members.orders import Heard, HeardRefund
from privacy.errors import ShukeError

NOTHING = Decimal("0.00")
_AMOUNTS = ("goods", "discount", "postage", "points_value", "stored_value")


@dataclass(slots=True, kw_only=True)
class OrderReceipt:
    """What became of one order fact. `points` is what stands now; `earned` and `taken` are of this call."""

    outcome: str  # new, changed, same, stale, conflict
    number: str
    error: ShukeError | None = None
    order_id: int | None = None
    member_id: int | None = None
    member_no: str | None = None
    status: str = ""
    net: Decimal = NOTHING
    points: int = 0
    earned: int = 0
    taken: int = 0
    available_from: datetime | None = None
    why: dict[str, Any] = field(default_factory=dict)
    tier: str | None = None
    given: Sequence[Given] = ()  # what else this call gave for it: coupons, gifts, milestones


@dataclass(slots=True, kw_only=True)
class RefundReceipt:
    """What became of one refund. `debt` is what the member owes after it; money is in yuan."""

    outcome: str  # new, changed, same, stale, conflict, parked, or waiting for a second person
    order_number: str
    number: str
    error: ShukeError | None = None
    points_taken: int = 0
    points_returned: int = 0
    debt: int = 0
    money_to_withhold: Decimal = NOTHING
    approval_id: int | None = None  # of one that is waiting


@transaction.atomic
def receive(
    channel: Channel, facts: Sequence[OrderFact], *, actor_id: int | None = None
) -> list[OrderReceipt]:
    """Take in orders as their channel says they are now (A9, B3). One receipt a fact, in their order."""
    people = identity.resolve(channel, [fact.buyer for fact in facts], now=clock.read().recorded)
    return receive_from(channel, facts, people, actor_id=actor_id)


@transaction.atomic
def receive_from(
    channel: Channel,
    facts: Sequence[OrderFact],
    people: Sequence[Known | None],
    *,
    actor_id: int | None = None,
) -> list[OrderReceipt]:
    """Take in orders of buyers who are known already: at the counter the member stands before the clerk."""
    heard = heard_orders.record(channel, facts, people, now=clock.read().recorded)
    friends = referrals.lock(heard)
    settlement = settling.settle(heard, actor_id=actor_id)
    given = occasions.of_orders(heard, settlement, friends)
    coupons.settle_orders(heard)
    benefits.settle_orders(heard)
    return [_receipt(each, settlement, given) for each in heard]


@transaction.atomic
def refund(
    channel: Channel, facts: Sequence[RefundFact], *, actor_id: int | None = None
) -> list[RefundReceipt]:
    """Take in refunds told by the platform: facts, so what is short becomes debt. Unknown orders: parked."""
    now = clock.read().recorded
    told = heard_orders.record_refunds(channel, facts, now=now)
    heard = [each.heard for each in told if each.heard]
    friends = referrals.lock(heard)
    settlement = settling.settle(heard, actor_id=actor_id)
    occasions.of_orders(heard, settlement, friends)
    coupons.settle_orders(heard)
    benefits.settle_orders(heard)
    return [_refund_receipt(each, settlement) for each in told]


@transaction.atomic
def ask_refund(
    channel: Channel,
    order_number: str,
    *,
    number: str,
    goods: Decimal,
    postage: Decimal = NOTHING,
    actor_id: int | None = None,
    store_id: int | None = None,
    lines: tuple[LineFact, ...] = (),
) -> RefundReceipt:
    """Refund an order because we were asked to; what the points are short of follows programme policy.

    Raises OrderNotFound, RefundTooLarge, or RefundShort when the policy is `refuse`; nothing has moved then.
    """
    now = clock.read().recorded
    fact = RefundFact(
        order_number=order_number,
        number=number,
        goods=goods,
        postage=postage,
        lines=lines,
        refunded_at=now,
    )
    (told,) = heard_orders.record_refunds(channel, [fact], now=now, asked_here=True)
    if told.heard is None:
        raise OrderNotFound
    if told.error is not None:
        raise told.error
    order = Order.objects.only("net", "postage", "refunded_goods", "refunded_postage").get(
        pk=told.heard.order_id
    )
    if order.refunded_goods > order.net or order.refunded_postage > order.postage:
        raise RefundTooLarge
    friends = referrals.lock([told.heard])
    settlement = settling.settle([told.heard], actor_id=actor_id, store_id=store_id, asked=number)
    if settlement.refused:
        raise RefundShort
    occasions.of_orders([told.heard], settlement, friends)
    coupons.settle_orders([told.heard])
    benefits.settle_orders([told.heard])
    return _refund_receipt(told, settlement)


@transaction.atomic
def receive_lines(
    channel: Channel, facts: Sequence[OrderLinesFact], *, actor_id: int | None = None
) -> list[str]:
    """Take in lines told apart from their orders; an outcome a fact. They move no points."""
    return heard_orders.record_lines(channel, facts, now=clock.read().recorded)


@transaction.atomic
def call_off(channel: Channel, order_ids: Sequence[int], *, actor_id: int | None = None) -> int:
    """Call off orders whose import is undone, as if their channel had told that they were cancelled.

    Answers the points taken back. Told again, as by the same file, they stand again.
    """
    orders = Order.objects.filter(channel=channel, pk__in=order_ids).only("number", *_AMOUNTS)
    cancelled = [
        OrderFact(
            number=order.number,
            status=OrderStatus.CANCELLED,
            amounts=AmountsFact(**{name: getattr(order, name) for name in _AMOUNTS}),
        )
        for order in orders
    ]
    receipts = receive_from(channel, cancelled, [None] * len(cancelled), actor_id=actor_id)
    return sum(receipt.taken for receipt in receipts)


def _receipt(heard: Heard, settlement: Settlement, given: Mapping[int, Sequence[Given]]) -> OrderReceipt:
    change = settlement.of(heard)
    return OrderReceipt(
        outcome=heard.outcome,
        number=heard.number,
        error=heard.error,
        order_id=heard.order_id,
        member_id=heard.member_id,
        member_no=number_of(heard.member_id) if heard.member_id else None,
        status=heard.status,
        net=heard.net,
        points=change.stays,
        earned=change.earned,
        taken=change.taken,
        available_from=change.available_from,
        why=change.why,
        tier=change.tier,
        given=given.get(heard.order_id, ()),
    )


def _refund_receipt(told: HeardRefund, settlement: Settlement) -> RefundReceipt:
    receipt = RefundReceipt(
        outcome=told.outcome, order_number=told.fact.order_number, number=told.fact.number, error=told.error
    )
    if told.heard is not None:
        change = settlement.of(told.heard)
        receipt.points_taken = change.taken
        receipt.points_returned = change.returned
        receipt.debt = change.debt
        receipt.money_to_withhold = change.withhold
    return receipt
