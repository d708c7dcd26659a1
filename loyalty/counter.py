"""The counter: what a clerk does at the desk (E1). Each touch counts once, however often it is sent.

The desk gives every form a nonce. It names the sale or the refund, so a double click, a reload or a second
try after a lost connection finds what the first one did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import floor
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from loyalty import clock, earning, ledger, orders, points, publishing, refunds, situations, tiers
from loyalty.errors import AmountInvalid, CauseTaken, OrderNotFound, RefundTooLarge
from loyalty.models import Entry, OrderEarning
from loyalty.orders import RefundReceipt
from loyalty.programme import Programme
from loyalty.purse import Figures
from loyalty.situations import Basket
from loyalty.tier_terms import Tier
from members import accounts
from members.facts import (
    AmountsFact,
    DiscountFact,
    LineFact,
    OrderFact,
    OrderStatus,
    PaymentFact,
    PointsSpentFact,
)
from members.models import Order, Refund, Store

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
LARGEST = Decimal("9999999.99")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a sale would come to, before anybody pays. Money in yuan."""

    amount: Decimal
    tier_discount: Decimal
    net: Decimal
    points_usable: int
    points: int
    points_value: Decimal
    to_pay: Decimal
    points_to_earn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A counter sale as it was recorded; the same for the first touch and for every repeat of it."""

    order_id: int
    order_number: str
    amount: Decimal
    tier_discount: Decimal
    net: Decimal
    points_value: Decimal
    to_pay: Decimal
    points_spent: int
    points_earned: int
    why: str
    figures: Figures
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterOrder:
    """One of a store's sales to a member, and what of it can still be refunded."""

    number: str
    paid_at: datetime
    net: Decimal
    refundable: Decimal
    points: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """The money of a sale, and the points that pay part of it."""

    discount: Decimal
    net: Decimal
    usable: int
    points: int
    value: Decimal


def preview(store: Store, member_id: int, amount: Decimal, wanted: int = 0) -> Preview:
    """What a sale of `amount` (yuan, before the tier's discount) comes to if `wanted` points are used.

    More points than can be used are cut to what can, so that the clerk sees the most there is.
    """
    _check(amount)
    programme = publishing.current().programme
    purses = ledger.peek([member_id])
    available = purses[member_id].available(purses.now) if purses else 0
    tier = programme.tier(purses[member_id].tier if purses else "")
    sums = _sums(amount, wanted, available, tier)
    return Preview(
        amount=amount,
        tier_discount=sums.discount,
        net=sums.net,
        points_usable=sums.usable,
        points=sums.points,
        points_value=sums.value,
        to_pay=sums.net - sums.value,
        points_to_earn=_would_earn(store, member_id, sums, tier, programme),
    )


def _sums(amount: Decimal, wanted: int, available: int, tier: Tier) -> _Sums:
    discount = (amount * (1 - tier.benefits.discount)).quantize(CENT, ROUND_HALF_UP)
    net = amount - discount
    usable = max(0, min(available, floor(net * tier.benefits.points_per_yuan)))
    spent = max(0, min(wanted, usable))
    return _Sums(discount, net, usable, spent, min(net, tier.benefits.worth(spent)))


def _would_earn(store: Store, member_id: int, sums: _Sums, tier: Tier, programme: Programme) -> int:
    """What the sale would earn by the rules of this moment, campaigns included and limits left aside."""
    now = clock.read().recorded
    asked = situations.fields_asked([programme])
    situation = situations.of(
        Basket(member_id, store.channel.code, store.code, sums.net),
        at=now,
        tier=tier.code,
        buyers=situations.load(asked, [member_id]),
        bought=tiers.whole_history(member_id) if situations.needs_whole_history(asked) else [],
        zone=programme.time_zone,
    )
    base = earning.base_of(net=sums.net, points_value=sums.value, policy=programme.points)
    return earning.price(situation, base=base, programme=programme, tier=tier).points


@transaction.atomic
def sell(
    store: Store, member_id: int, *, amount: Decimal, points_used: int = 0, nonce: UUID, actor_id: int | None
) -> Sale:
    """Record a counter purchase, redeeming points against it.

    `amount` is what the goods cost in yuan before the tier's discount. Raises NotEnoughPoints,
    AmountInvalid, and CauseTaken when the nonce has sold to another member.
    """
    _check(amount)
    number = sale_number(store, nonce)
    _once(nonce)
    before = Order.objects.filter(channel=store.channel, number=number).first()
    if before is not None:
        if before.member_id != member_id:
            raise CauseTaken
        return _sale(before, is_new=False)
    at = clock.read().recorded
    version = publishing.load_all().at(at)
    purses = ledger.lock([member_id], first_tier=publishing.first_tier)
    tier = version.programme.tier(purses[member_id].tier)
    sale = _sums(amount, points_used, points_used, tier)
    if sale.points:
        points.redeem(
            member_id,
            sale.points,
            cause=f"sale:{number}",
            channel=store.channel,
            store_id=store.pk,
            actor_id=actor_id,
        )
    fact = OrderFact(
        number=number,
        status=OrderStatus.COMPLETED,
        amounts=AmountsFact(goods=amount, discount=sale.discount, points_value=sale.value),
        placed_at=at,
        paid_at=at,
        received_at=at,
        completed_at=at,
        store=store.code,
        lines=(LineFact(product="", name=str(store), price=amount, discount=sale.discount, amount=sale.net),),
        discounts=(DiscountFact(layer="tier", amount=sale.discount, label=tier.code),)
        if sale.discount
        else (),
        payments=(PaymentFact(means="counter", amount=sale.net - sale.value),),
        points_spent=PointsSpentFact(points=sale.points, cause=f"sale:{number}") if sale.points else None,
    )
    known = accounts.at_counter(store.channel, member_id, now=at)
    (receipt,) = orders.receive_from(store.channel, [fact], [known], actor_id=actor_id)
    assert receipt.order_id is not None, "a sale is an order of its own, which nothing can conflict with"
    return _sale(Order.objects.get(pk=receipt.order_id), is_new=True)


def sale_number(store: Store, nonce: UUID) -> str:
    """The order number that a form with this nonce records its sale under."""
    return f"{store.code}-{nonce.hex[:12].upper()}"


def find_sale(store: Store, member_id: int, order_number: str) -> Sale:
    """A sale of this store as it was recorded. Raises OrderNotFound."""
    order = Order.objects.filter(
        channel=store.channel, store=store, member=member_id, number=order_number
    ).first()
    if order is None:
        raise OrderNotFound
    return _sale(order, is_new=False)


def _sale(order: Order, *, is_new: bool) -> Sale:
    assert order.member_id is not None
    snapshot = OrderEarning.objects.filter(order=order).first()
    spent = Entry.objects.filter(
        kind=Entry.Kind.REDEEM, cause=points.named(order.channel, order.points_spent_cause)
    ).first()
    return Sale(
        order_id=order.pk,
        order_number=order.number,
        amount=order.goods,
        tier_discount=order.discount,
        net=order.net,
        points_value=order.points_value,
        to_pay=order.net - order.points_value,
        points_spent=-spent.points if spent else 0,
        points_earned=snapshot.earned if snapshot else 0,
        why=earning.formula(snapshot.why) if snapshot and snapshot.why else "",
        figures=ledger.figures(order.member_id),
        is_new=is_new,
    )


@transaction.atomic
def refund(
    store: Store,
    order_number: str,
    *,
    goods: Decimal | None = None,
    nonce: UUID,
    actor_id: int | None,
    reason: str = "",
) -> RefundReceipt:
    """Refund a counter sale: `goods` yuan of its net, or all that is left (None).

    Above the limit of the person's role it waits for a second person, for whom `reason` is.
    Raises OrderNotFound, RefundTooLarge, RefundShort, AmountInvalid, ReasonMissing.
    """
    if goods is not None:
        _check(goods)
    _once(nonce)
    order = Order.objects.filter(channel=store.channel, number=order_number, store=store).first()
    if order is None:
        raise OrderNotFound
    number = f"R-{nonce.hex[:12].upper()}"
    before = Refund.objects.filter(channel=store.channel, order_number=order_number, number=number).first()
    if before is not None:
        return refunds.first_answer(before)
    left = order.net - order.refunded_goods
    if left <= 0 or (goods is not None and goods > left):
        raise RefundTooLarge
    return refunds.ask(
        store.channel,
        order_number,
        number=number,
        goods=left if goods is None else goods,
        actor_id=actor_id,
        store_id=store.pk,
        reason=reason,
    )


def sales(store: Store, member_id: int, limit: int = 10) -> Sequence[CounterOrder]:
    """What a member bought in this store, latest first, with what is left to refund."""
    rows = (
        Order.objects.filter(store=store, member=member_id, channel=store.channel)
        .exclude(status=Order.Status.CANCELLED)
        .order_by("-paid_at", "-id")
        .annotate(points=F("earning__stays"))[:limit]
    )
    return [
        CounterOrder(
            number=order.number,
            paid_at=order.paid_at or order.heard_at,
            net=order.net,
            refundable=max(NOTHING, order.net - order.refunded_goods),
            points=order.points or 0,
        )
        for order in rows
    ]


def _check(amount: Decimal) -> None:
    if not amount.is_finite() or not NOTHING < amount <= LARGEST or amount != amount.quantize(CENT):
        raise AmountInvalid


def _once(nonce: UUID) -> None:
    """Two sendings of one form wait for each other; the second then finds what the first one did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"counter:{nonce}"])
