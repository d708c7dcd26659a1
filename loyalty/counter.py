"""The counter: what a clerk does at the desk (E1). Each touch counts once, however often it is sent.

The desk gives every form a nonce. It names the sale or the refund, so a double click, a reload or a second
try after a lost connection finds what the first one did.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from loyalty import (
    clock,
    coupon_states,
    coupon_words,
    earning,
    ledger,
    limits,
    orders,
    points,
    publishing,
    quotes,
    refunds,
)
from loyalty.coupon_terms import BasketLine
from loyalty.errors import (
    AmountInvalid,
    CauseTaken,
    NotEnoughPoints,
    OrderNotFound,
    QuoteChanged,
    RefundChanged,
    RefundTooLarge,
)
from loyalty.models import CouponUse, Entry, OrderEarning
from loyalty.orders import RefundReceipt
from loyalty.purse import Figures
from loyalty.quotes import Ask, Offered
from loyalty.refund_outlook import Effect
from members import accounts, survivors
from members import refunds as noted
from members.facts import (
    AmountsFact,
    DiscountFact,
    LineFact,
    OrderFact,
    OrderStatus,
    PaymentFact,
    PointsSpentFact,
)
from members.models import Order, Store

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
LARGEST = Decimal("9999999.99")


class UsedCoupon(NamedTuple):
    """A coupon that a sale was paid with: its name, and yuan off the goods."""

    name: str
    discount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A counter sale as it was recorded; the same for the first touch and for every repeat of it."""

    order_id: int
    order_number: str
    amount: Decimal
    tier_discount: Decimal
    coupons: Sequence[UsedCoupon]
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

    order_id: int
    number: str
    paid_at: datetime
    goods: Decimal
    net: Decimal
    refundable: Decimal
    points: int


def preview(
    store: Store,
    member_id: int,
    amount: Decimal,
    wanted: int = 0,
    *,
    codes: Sequence[str] = (),
    with_coupons: bool = True,
) -> Offered:
    """What a sale of `amount` (yuan, before all discounts) comes to if `wanted` points are used.

    More points than can be used are cut to what can, so that the clerk sees the most there is; of coupons
    and counted benefits the best are chosen. Raises AmountInvalid.
    """
    _check(amount)
    return quotes.work_out(_ask(store, member_id, amount, wanted, codes, with_coupons))


def _ask(
    store: Store, member_id: int, amount: Decimal, wanted: int, codes: Sequence[str], with_coupons: bool
) -> Ask:
    return Ask(
        member_id=member_id,
        channel=store.channel,
        store=store,
        lines=(BasketLine(amount),),
        points=wanted,
        codes=tuple(codes),
        with_coupons=with_coupons,
        with_benefits=with_coupons,
    )


@transaction.atomic
def sell(
    store: Store,
    member_id: int,
    *,
    amount: Decimal,
    points_used: int = 0,
    codes: Sequence[str] = (),
    with_coupons: bool = True,
    to_pay: Decimal | None = None,
    nonce: UUID,
    actor_id: int | None,
) -> Sale:
    """Record a counter purchase with the best coupons, redeeming points against it.

    `amount` is what the goods cost in yuan before all discounts; `to_pay`: what the clerk was shown, None
    to take it as it comes. Raises NotEnoughPoints, AmountInvalid, QuoteChanged when the sum is another one
    by now, CouponNotUsable for a code that cannot be used, and CauseTaken when the nonce has sold to
    another member.
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
    purses = ledger.lock([member_id], first_tier=publishing.first_tier)
    offered = quotes.work_out(_ask(store, member_id, amount, points_used, codes, with_coupons), purses=purses)
    if offered.refused_codes:
        raise coupon_states.refusal(offered.refused_codes[0][1])
    if min(points_used, offered.payable) > offered.available:
        raise NotEnoughPoints
    if to_pay is not None and to_pay != offered.to_pay:
        raise QuoteChanged
    # Budgets before coupons, as everywhere: the sale spends from them when its order is received below.
    if budgeted := limits.with_budget(earning.running(offered.held.programme, at)):
        limits.take_turns(budgeted)
    quotes.carry_out(
        quotes.plan_of(offered),
        member_id=member_id,
        channel=store.channel,
        store=store,
        order_no=number,
        actor_id=actor_id,
    )
    fact = _fact(offered, store, number, at)
    known = accounts.at_counter(store.channel, member_id, now=at)
    (receipt,) = orders.receive_from(store.channel, [fact], [known], actor_id=actor_id)
    assert receipt.order_id is not None, "a sale is an order of its own, which nothing can conflict with"
    return _sale(Order.objects.get(pk=receipt.order_id), is_new=True)


def _fact(offered: Offered, store: Store, number: str, at: datetime) -> OrderFact:
    """The sale as an order: one line, each discount by its layer."""
    goods, chosen = offered.choice.goods, offered.choice
    discount = goods - offered.net
    layers = [DiscountFact(layer="tier", amount=chosen.cut_off, label=chosen.cut.code or offered.tier.code)]
    layers += [
        DiscountFact(layer="coupon", amount=each.verdict.discount or NOTHING, label=each.offer.terms.code)
        for each in chosen.taken
    ]
    cause = quotes.points_cause(number)
    return OrderFact(
        number=number,
        status=OrderStatus.COMPLETED,
        amounts=AmountsFact(goods=goods, discount=discount, points_value=offered.points_value),
        placed_at=at,
        paid_at=at,
        received_at=at,
        completed_at=at,
        store=store.code,
        lines=(LineFact(product="", name=str(store), price=goods, discount=discount, amount=offered.net),),
        discounts=tuple(layer for layer in layers if layer.amount),
        payments=(PaymentFact(means="counter", amount=offered.to_pay),),
        points_spent=PointsSpentFact(points=offered.points, cause=cause) if offered.points else None,
    )


def sale_number(store: Store, nonce: UUID) -> str:
    """The order number that a form with this nonce records its sale under."""
    return f"{store.code}-{nonce.hex[:12].upper()}"


def find_sale(store: Store, member_id: int, order_number: str) -> Sale:
    """A sale of this store as it was recorded. Raises OrderNotFound."""
    order = Order.objects.filter(
        channel=store.channel,
        store=store,
        member__in=survivors.same_person(member_id),
        number=order_number,
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
    used = _used_coupons(order)
    return Sale(
        order_id=order.pk,
        order_number=order.number,
        amount=order.goods,
        tier_discount=order.discount - sum((each.discount for each in used), NOTHING),
        coupons=used,
        net=order.net,
        points_value=order.points_value,
        to_pay=order.net - order.points_value,
        points_spent=-spent.points if spent else 0,
        points_earned=snapshot.earned if snapshot else 0,
        why=earning.formula(snapshot.why) if snapshot and snapshot.why else "",
        figures=ledger.figures(order.member_id),
        is_new=is_new,
    )


def _used_coupons(order: Order) -> list[UsedCoupon]:
    """The coupons that an order was paid with, given back since or not."""
    uses = CouponUse.objects.filter(channel=order.channel, order_no=order.number).select_related("coupon")
    programmes = publishing.load_all()
    terms = [(use, coupon_states.terms_of(use.coupon, programmes)) for use in uses.order_by("pk")]
    return [UsedCoupon(coupon_words.title(each), use.discount or NOTHING) for use, each in terms]


@transaction.atomic
def refund(
    store: Store,
    order_number: str,
    *,
    goods: Decimal | None = None,
    nonce: UUID,
    actor_id: int | None,
    reason: str = "",
    lines: Sequence[int] = (),
    seen: Effect | None = None,
) -> RefundReceipt:
    """Refund a counter sale: `goods` yuan of its net, or all that is left (None).

    Above the limit of the person's role it waits for a second person, for whom `reason` is. `lines`: the
    positions of those that go back. `seen`: what the clerk was shown that it does; None to take it as it
    comes. Raises OrderNotFound, RefundTooLarge, RefundShort, AmountInvalid, ReasonMissing, and
    RefundChanged when it would do something else by now.
    """
    if goods is not None:
        _check(goods)
    _once(nonce)
    order = Order.objects.filter(channel=store.channel, number=order_number, store=store).first()
    if order is None:
        raise OrderNotFound
    if (before := find_refund(store, order_number, nonce)) is not None:
        return before
    left = order.net - order.refunded_goods
    if left <= 0 or (goods is not None and goods > left):
        raise RefundTooLarge
    goods = left if goods is None else goods
    receipt = refunds.ask(
        store.channel,
        order_number,
        number=_refund_number(nonce),
        goods=goods,
        actor_id=actor_id,
        store_id=store.pk,
        reason=reason,
        lines=lines,
    )
    if seen is not None and not seen.still_holds(receipt, goods):
        raise RefundChanged
    return receipt


def find_refund(store: Store, order_number: str, nonce: UUID) -> RefundReceipt | None:
    """What the form with this nonce refunded, if it has."""
    before = noted.find(store.channel, order_number, _refund_number(nonce))
    return refunds.first_answer(before) if before is not None else None


def _refund_number(nonce: UUID) -> str:
    return f"R-{nonce.hex[:12].upper()}"


def sales(store: Store, member_id: int, limit: int = 10) -> Sequence[CounterOrder]:
    """What a member bought in this store, latest first, with what is left to refund."""
    rows = (
        Order.objects.filter(store=store, member__in=survivors.same_person(member_id), channel=store.channel)
        .exclude(status=Order.Status.CANCELLED)
        .order_by("-paid_at", "-id")
        .annotate(points=F("earning__stays"))[:limit]
    )
    return [
        CounterOrder(
            order_id=order.pk,
            number=order.number,
            paid_at=order.paid_at or order.heard_at,
            goods=order.goods,
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
