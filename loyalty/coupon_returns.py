"""Coupons of orders that came undone: let go, given back, or taken again (B6).

Whether an order still has its coupon is a function of the order as it is now, as its points are: told
again, or in another order, its events end the same. A coupon that somebody has used elsewhere meanwhile
stays where it is.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from loyalty import clock, coupon_rows, coupon_states, publishing
from loyalty.coupon_rows import Moves, Use
from loyalty.coupon_terms import Terms
from loyalty.models import Coupon, CouponMove, CouponUse
from members.facts import OrderStatus
from members.models import Channel, Order
from members.orders import Heard

NOTHING = Decimal("0.00")
State = Coupon.State
Kind = CouponMove.Kind


class _Told(NamedTuple):
    """What of an order decides about its coupons; money in yuan."""

    channel_id: int
    number: str
    is_cancelled: bool
    net: Decimal
    kept: Decimal


def settle_orders(heard: Iterable[Heard]) -> int:
    """Bring the coupons of orders that were heard to where they should stand; how many moved.

    Within the caller's transaction, after the wallets are locked. Costs nothing for orders that are new and
    whole, and a fixed number of statements for all others.
    """
    told = [
        _Told(order.channel_id, order.number, _is_cancelled(order.status), order.net, order.kept)
        for order in heard
        if order.order_id and _may_matter(order)
    ]
    return _settle(told, clock.read().now) if told else 0


def settle_order(channel: Channel, order_no: str, *, now: datetime) -> int:
    """The same for an order that was told before its coupon; one that nobody has told keeps it."""
    fields = ("status", "net", "refunded_goods")
    row = Order.objects.filter(channel=channel, number=order_no).values_list(*fields).first()
    if row is None:
        return 0
    status, net, refunded = row
    is_cancelled = _is_cancelled(status)
    kept = NOTHING if is_cancelled else max(NOTHING, net - refunded)
    return _settle([_Told(channel.pk, order_no, is_cancelled, net, kept)], now)


def _may_matter(order: Heard) -> bool:
    """Whether an order can have given a coupon back, or want it again."""
    return order.outcome == "changed" or (
        order.outcome == "new" and (order.kept < order.net or _is_cancelled(order.status))
    )


def _is_cancelled(status: str) -> bool:
    return status == OrderStatus.CANCELLED


def _settle(told: Sequence[_Told], now: datetime) -> int:
    orders = {(each.channel_id, each.number): each for each in told}
    coupon_rows.take_turns_of_orders(orders)
    found = coupon_rows.touched_by(orders)
    if not found:
        return 0
    coupons = coupon_rows.hold(found)
    programmes = publishing.load_all()
    moves = Moves(now)
    for coupon in coupons.values():
        order = orders.get((coupon.locked_channel_id or 0, coupon.locked_order_no))
        if coupon.state == State.LOCKED and order is not None and order.is_cancelled:
            _release(coupon, order, moves)
    for use, order in _last_uses(found, orders):
        coupon = coupons[use.coupon_id]
        terms = coupon_states.terms_of(coupon, programmes)
        counted = use.counted if use.counted is not None else order.net + (use.discount or NOTHING)
        over = terms.is_over(is_cancelled=order.is_cancelled, net=order.net, kept=order.kept, counted=counted)
        if over and use.returned_at is None:
            _give_back(coupon, use, terms, order, moves)
        elif not over and use.returned_at is not None:
            _take_again(coupon, use, order, moves)
    moves.write()
    return len({step[0].pk for step in moves.steps})


def _last_uses(
    coupon_ids: Collection[int], orders: dict[tuple[int, str], _Told]
) -> list[tuple[CouponUse, _Told]]:
    """The last use of each coupon by each of these orders: read after the coupons are locked."""
    uses = CouponUse.objects.filter(
        coupon__in=coupon_ids,
        channel__in={channel_id for channel_id, _number in orders},
        order_no__in={number for _channel_id, number in orders},
    ).order_by("pk")
    last = {(use.coupon_id, use.channel_id, use.order_no): use for use in uses}
    return [
        (use, orders[use.channel_id, use.order_no])
        for use in last.values()
        if (use.channel_id, use.order_no) in orders
    ]


def _release(coupon: Coupon, order: _Told, moves: Moves) -> None:
    coupon_states.let_go(coupon)
    why = {"cancelled": True}
    moves.add(coupon, Kind.RELEASED, channel_id=order.channel_id, order_no=order.number, why=why)


def _give_back(coupon: Coupon, use: CouponUse, terms: Terms, order: _Told, moves: Moves) -> None:
    why = {
        "return": terms.back,
        "cancelled": order.is_cancelled,
        "net": str(order.net),
        "kept": str(order.kept),
        "min_spend": str(terms.min_spend),
    }
    longer = terms.until_returned(coupon.valid_until, moves.now)
    if longer is not None and longer != coupon.valid_until:
        coupon.valid_until = longer
        why |= {"valid_until": longer.isoformat(), "grace_days": str(terms.grace_days)}
    coupon_states.let_go(coupon)
    moves.returned.append(use.pk)
    moves.add(coupon, Kind.RETURNED, channel_id=order.channel_id, order_no=order.number, why=why)


def _take_again(coupon: Coupon, use: CouponUse, order: _Told, moves: Moves) -> None:
    """The order stands again after all: it has its coupon back, if nothing else has happened to it."""
    last = CouponMove.objects.filter(coupon=coupon, position=coupon.steps).first()
    undone_here = last is not None and (last.kind, last.channel_id, last.order_no) == (
        Kind.RETURNED,
        order.channel_id,
        order.number,
    )
    if not undone_here:
        return
    coupon.state = State.USED
    again = Use(
        order_no=order.number,
        channel_id=order.channel_id,
        store_id=use.store_id,
        member_id=use.member_id,
        discount=use.discount,
        postage=use.postage,
        counted=use.counted,
    )
    moves.uses.append((coupon.pk, again))
    why = {"again": True, "net": str(order.net), "kept": str(order.kept)}
    moves.add(coupon, Kind.USED, channel_id=order.channel_id, order_no=order.number, why=why)
