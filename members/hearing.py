"""Hearing an order: what a telling changes about what is known of it. Pure; `members.order_rows` has the SQL.

What is not told is kept: times, lines, store, buyer, receiver. Amounts and status are always told.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from members.errors import AmountsInvalid, MembersError, StoreUnknown, TextTooLong
from members.facts import AmountsFact, LineFact, OrderFact, OrderStatus, ReceiverFact, RefundFact
from members.identity import Known
from members.models import Channel, Order, OrderLine, Refund
from members.sealing import sealed_field
from members.versions import later

ZERO = Decimal("0.00")
MOST = Decimal("9999999999.99")
MOST_POINTS = 2**31 - 1
MOST_LINES = 2**15 - 1

_RECEIVER = sealed_field(Order, "receiver")
_LONGEST = {
    "number": Order._meta.get_field("number").max_length or 0,
    "refund": Refund._meta.get_field("number").max_length or 0,
    "cause": Order._meta.get_field("points_spent_cause").max_length or 0,
    "product": OrderLine._meta.get_field("product").max_length or 0,
}
_TIMES = ("placed_at", "paid_at", "shipped_at", "received_at", "completed_at")
_AMOUNTS = ("goods", "discount", "postage", "points_value", "stored_value")

# The time that belongs to a step of an order's history.
TIME_OF = {
    OrderStatus.PLACED: "placed_at",
    OrderStatus.PAID: "paid_at",
    OrderStatus.SHIPPED: "shipped_at",
    OrderStatus.RECEIVED: "received_at",
    OrderStatus.COMPLETED: "completed_at",
}


@dataclass(slots=True, eq=False)
class OrderState:
    """An order as it stands, in the columns of its row. `id` is 0 until the row is there."""

    number: str
    id: int = 0
    seal: UUID | None = None  # None for the database to draw, where nothing is sealed yet
    heard_at: datetime | None = None
    store_id: int | None = None
    account_id: int | None = None
    member_id: int | None = None
    status: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    completed_at: datetime | None = None
    goods: Decimal = ZERO
    discount: Decimal = ZERO
    postage: Decimal = ZERO
    points_value: Decimal = ZERO
    stored_value: Decimal = ZERO
    refunded_told: Decimal | None = None
    refunded_goods: Decimal = ZERO
    refunded_postage: Decimal = ZERO
    points_spent: int = 0
    points_spent_cause: str = ""
    discounts: str = "[]"
    payments: str = "[]"
    receiver: bytes | None = None
    version: int | None = None
    digest: bytes = b""
    revision: int = 1
    stale_count: int = 0

    @property
    def net(self) -> Decimal:
        return self.goods - self.discount

    @property
    def kept(self) -> Decimal:
        """What of the goods was bought in the end."""
        if self.status == OrderStatus.CANCELLED:
            return ZERO
        return max(ZERO, self.net - self.refunded_goods)

    def count_refunds(self, goods: Decimal, postage: Decimal) -> bool:
        """Bring what counts as refunded up to date; whether it changed.

        goods, postage: the sums of the refunds known one by one. Against them stands the total that
        the channel told, goods first; of each part the larger counts, as neither source is complete.
        """
        before = (self.refunded_goods, self.refunded_postage)
        told = self.refunded_told or ZERO
        told_goods = min(told, self.net)
        self.refunded_goods = max(goods, told_goods)
        self.refunded_postage = max(postage, told - told_goods)
        return before != (self.refunded_goods, self.refunded_postage)


@dataclass(slots=True, kw_only=True)
class Heard:
    """An order after it was heard of. `order_id` is 0 and `error` set where the telling was refused.

    kept: goods still bought, net of discounts and refunds. was_attached_now: it had waited without a
    buyer until this telling. member_before: whose it was, where a telling moved it to another member.
    """

    fact: OrderFact | None  # None when a refund or lines were told, not the order
    number: str
    outcome: str  # new, changed, same, stale or conflict
    error: MembersError | None = None
    order_id: int = 0
    channel_id: int
    channel_code: str
    store_id: int | None = None
    store_code: str = ""
    account_id: int | None = None
    member_id: int | None = None
    member_before: int | None = None
    was_attached_now: bool = False
    status: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    received_at: datetime | None = None
    net: Decimal = ZERO
    kept: Decimal = ZERO
    points_value: Decimal = ZERO
    stored_value: Decimal = ZERO
    points_spent: int = 0
    points_spent_cause: str = ""
    lines: tuple[LineFact, ...] = ()
    heard_at: datetime | None = None
    revision: int = 0


@dataclass(slots=True, kw_only=True)
class HeardRefund:
    """A refund after it was heard of. `heard` is its order afterwards; None while it is parked."""

    fact: RefundFact
    outcome: str  # new, changed, same, stale, conflict or parked
    error: MembersError | None = None
    refund_id: int = 0
    heard: Heard | None = None


@dataclass(slots=True)
class Telling:
    """One order fact at work: where it came in the call, and what becomes of it."""

    position: int
    fact: OrderFact
    person: Known | None
    digest: bytes
    store_id: int | None = None
    outcome: str = "new"
    error: MembersError | None = None
    state: OrderState = field(init=False)
    was_attached_now: bool = False
    member_before: int | None = None
    is_touched: bool = False  # the row must be written
    has_new_lines: bool = False


def fault_of(fact: OrderFact, channel: Channel, stores: dict[str, int]) -> MembersError | None:
    """Why an order cannot be kept at all; None when it can. One bad order must not stop its batch."""
    if fact.store and fact.store not in stores:
        return StoreUnknown(channel=channel.code, store=fact.store)
    if not _amounts_make_sense(fact.amounts) or not ZERO <= (fact.refunded_total or ZERO) <= MOST:
        return AmountsInvalid()
    spent = fact.points_spent
    if spent and not 0 <= spent.points <= MOST_POINTS:
        return AmountsInvalid()
    if len(fact.number) > _LONGEST["number"]:
        return TextTooLong(field="number", limit=_LONGEST["number"])
    if spent and len(spent.cause) > _LONGEST["cause"]:
        return TextTooLong(field="points_spent.cause", limit=_LONGEST["cause"])
    return fault_of_lines(fact.lines)


def _amounts_make_sense(amounts: AmountsFact) -> bool:
    return (
        ZERO <= amounts.discount <= amounts.goods <= MOST
        and ZERO <= amounts.postage <= MOST
        and ZERO <= amounts.points_value <= MOST
        and ZERO <= amounts.stored_value <= MOST
    )


def fault_of_lines(lines: Sequence[LineFact]) -> MembersError | None:
    """Why lines cannot be kept."""
    if len(lines) > MOST_LINES:
        return TextTooLong(field="lines", limit=MOST_LINES)
    for line in lines:
        if len(line.product) > _LONGEST["product"]:
            return TextTooLong(field="lines.product", limit=_LONGEST["product"])
        if abs(line.quantity) > MOST_POINTS or not -MOST <= line.discount <= MOST:
            return AmountsInvalid()
        if not -MOST <= (line.amount or ZERO) <= MOST or not -MOST <= (line.price or ZERO) <= MOST:
            return AmountsInvalid()
    return None


def fault_of_refund(fact: RefundFact) -> MembersError | None:
    """Why a refund cannot be kept at all."""
    if not (ZERO <= fact.goods <= MOST and ZERO <= fact.postage <= MOST):
        return AmountsInvalid()
    for name, text in (("order_number", fact.order_number), ("number", fact.number)):
        if len(text) > _LONGEST["refund"]:
            return TextTooLong(field=name, limit=_LONGEST["refund"])
    return None


def state_of(fact: OrderFact, person: Known | None, store_id: int | None, digest: bytes) -> OrderState:
    """A new order, as it is told."""
    amounts, spent = fact.amounts, fact.points_spent
    state = OrderState(
        number=fact.number,
        store_id=store_id,
        status=fact.status.value,
        placed_at=fact.placed_at,
        paid_at=fact.paid_at,
        shipped_at=fact.shipped_at,
        received_at=fact.received_at,
        completed_at=fact.completed_at,
        goods=amounts.goods,
        discount=amounts.discount,
        postage=amounts.postage,
        points_value=amounts.points_value,
        stored_value=amounts.stored_value,
        refunded_told=fact.refunded_total,
        version=fact.version,
        digest=digest,
    )
    if person:
        state.account_id, state.member_id = person.account_id, person.member_id
    if spent:
        state.points_spent, state.points_spent_cause = spent.points, spent.cause
    if fact.discounts:
        state.discounts = _json(_layers(fact))
    if fact.payments:
        state.payments = _json(_payments(fact))
    if fact.receiver:
        state.seal = uuid4()
        state.receiver = _RECEIVER.seal_value(_receiver(fact.receiver), state.seal)
    if fact.refunded_total is not None:
        state.count_refunds(ZERO, ZERO)
    return state


def merge(state: OrderState, fact: OrderFact, store_id: int | None, digest: bytes) -> bool:
    """Put a telling over what is known; whether anything of the order changed."""
    told: dict[str, Any] = {name: getattr(fact.amounts, name) for name in _AMOUNTS}
    told |= {name: time for name in _TIMES if (time := getattr(fact, name)) is not None}
    told["status"] = fact.status.value
    if store_id is not None:
        told["store_id"] = store_id
    if fact.refunded_total is not None:
        told["refunded_told"] = fact.refunded_total
    if fact.points_spent:
        told["points_spent"] = fact.points_spent.points
        told["points_spent_cause"] = fact.points_spent.cause
    if fact.discounts and json.loads(state.discounts) != _layers(fact):
        told["discounts"] = _json(_layers(fact))
    if fact.payments and json.loads(state.payments) != _payments(fact):
        told["payments"] = _json(_payments(fact))
    assert state.seal is not None
    if fact.receiver and _RECEIVER.unseal_value(state.receiver, state.seal) != _receiver(fact.receiver):
        told["receiver"] = _RECEIVER.seal_value(_receiver(fact.receiver), state.seal)
    changed = [name for name, value in told.items() if getattr(state, name) != value]
    for name in changed:
        setattr(state, name, told[name])
    state.version = later(fact.version, state.version)
    state.digest = digest
    return bool(changed)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _layers(fact: OrderFact) -> list[dict[str, str]]:
    return [
        {"layer": layer.layer, "amount": str(layer.amount), "label": layer.label} for layer in fact.discounts
    ]


def _payments(fact: OrderFact) -> list[dict[str, str | None]]:
    return [
        {"means": payment.means, "amount": None if payment.amount is None else str(payment.amount)}
        for payment in fact.payments
    ]


def _receiver(receiver: ReceiverFact) -> dict[str, str]:
    names = ("name", "phone", "province", "city", "district", "address")
    return {name: value for name in names if (value := getattr(receiver, name))}


def refund_lines(fact: RefundFact) -> str:
    """The lines of a refund as JSON; empty where it names none."""
    return _json(
        [
            {
                "product": line.product,
                "name": line.name,
                "quantity": line.quantity,
                "amount": None if line.amount is None else str(line.amount),
            }
            for line in fact.lines
        ]
    )
