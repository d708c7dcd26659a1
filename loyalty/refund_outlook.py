"""What a refund at the counter would do, before it is done (E1): the clerk sees it and then says yes.

Nothing is worked out a second time: the refund itself runs, in a transaction that is undone, so that the
outlook and the refund cannot part ways.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum

from loyalty import (
    coupon_states,
    coupon_words,
    ledger,
    orders,
    publishing,
    refund_lines,
    refunds,
    tier_paths,
)
from loyalty.errors import OrderNotFound, RefundTooLarge
from loyalty.models import CouponUse
from loyalty.names import in_words
from loyalty.orders import RefundReceipt
from loyalty.purse import Figures
from loyalty.refund_lines import BoughtLine
from members import survivors
from members.models import Order, Refund, Store

NOTHING = Decimal("0.00")


class Effect(NamedTuple):
    """What a refund of so many yuan does. Written out, a form says by it what its reader has seen."""

    goods: Decimal
    points_taken: int
    points_returned: int
    debt: int
    money_to_withhold: Decimal
    waits: bool  # for a second person

    def __str__(self) -> str:
        return "|".join(map(str, self))

    def still_holds(self, receipt: RefundReceipt, goods: Decimal) -> bool:
        """Whether a refund did this; of one that waits, nothing but that is known yet."""
        if self.waits or receipt.approval_id is not None:
            return self.waits and receipt.approval_id is not None and self.goods == goods
        return self == effect_of(receipt, goods)


def read(text: str) -> Effect | None:
    """An effect as it was written out; None for what is none."""
    parts = text.split("|")
    if len(parts) != len(Effect._fields):
        return None
    goods, taken, returned, debt, withheld, waits = parts
    try:
        return Effect(
            Decimal(goods), int(taken), int(returned), int(debt), Decimal(withheld), waits == str(True)
        )
    except (ValueError, InvalidOperation):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A purchase of a store that somebody wants to give back, wholly or in part. Money in yuan."""

    order_id: int
    number: str
    paid_at: datetime
    net: Decimal
    left: Decimal  # to refund
    points_value: Decimal
    lines: Sequence[BoughtLine]  # none where the channel told none, or not what they cost

    def worth(self, positions: Collection[int]) -> Decimal:
        """What is left to refund of these lines, together."""
        whole = sum((line.amount for line in self.lines if line.position in positions), NOTHING)
        return min(whole, self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a refund would do. `money_back`: yuan into the customer's hand; tiers by their names."""

    effect: Effect
    money_back: Decimal
    before: Figures
    after: Figures
    tier_before: str
    tier_after: str
    coupons: Sequence[str]  # names of those that come back

    @property
    def paid_with_points(self) -> Decimal:
        """The part of it, in yuan, that comes back as points."""
        return self.effect.goods - self.effect.money_to_withhold - self.money_back


def find(store: Store, member_id: int, order_id: int) -> Purchase:
    """A purchase of a member in this store, with its lines. Raises OrderNotFound."""
    order = (
        Order.objects.filter(
            pk=order_id,
            channel=store.channel,
            store=store,
            member__in=survivors.same_person(member_id),
        )
        .exclude(status=Order.Status.CANCELLED)
        .first()
    )
    if order is None:
        raise OrderNotFound
    return Purchase(
        order_id=order.pk,
        number=order.number,
        paid_at=order.paid_at or order.heard_at,
        net=order.net,
        left=max(NOTHING, order.net - order.refunded_goods),
        points_value=order.points_value,
        lines=refund_lines.of(order),
    )


@transaction.atomic
def of(store: Store, member_id: int, purchase: Purchase, *, goods: Decimal, actor_id: int | None) -> Outlook:
    """What a refund of `goods` yuan of a purchase would do now; nothing is written.

    Raises RefundTooLarge, and RefundShort where the programme refuses.
    """
    if not NOTHING < goods <= purchase.left:
        raise RefundTooLarge
    before, tier_before = ledger.figures(member_id), _tier(member_id)
    waits = refunds.needs_second(store.channel, purchase.number, goods, actor_id=actor_id)
    with transaction.atomic():
        receipt = orders.ask_refund(
            store.channel,
            purchase.number,
            number=f"R-outlook-{purchase.order_id}",
            goods=goods,
            actor_id=actor_id,
            store_id=store.pk,
        )
        after, tier_after = ledger.figures(member_id), _tier(member_id)
        coupons = _given_back(store, purchase)
        transaction.set_rollback(True)
    return Outlook(
        effect=effect_of(receipt, goods, waits=waits),
        money_back=_money_back(purchase.net, purchase.points_value, purchase.net - purchase.left, goods)
        - receipt.money_to_withhold,
        before=before,
        after=after,
        tier_before=tier_before,
        tier_after=tier_after,
        coupons=coupons,
    )


def effect_of(receipt: RefundReceipt, goods: Decimal, *, waits: bool = False) -> Effect:
    """What a refund of `goods` yuan did, or is waiting to do."""
    return Effect(
        goods.quantize(NOTHING),
        receipt.points_taken,
        receipt.points_returned,
        receipt.debt,
        receipt.money_to_withhold.quantize(NOTHING),
        waits,
    )


def money_back(refund: Refund) -> Decimal:
    """The yuan that a refund gave into the customer's hand: without what had been paid with points."""
    order = refund.order
    assert order is not None, "a refund that was asked of us has its order"
    earlier = order.refunds.filter(pk__lt=refund.pk).aggregate(goods=Sum("goods"))["goods"] or NOTHING
    return _money_back(order.net, order.points_value, earlier, refund.goods) - refund.withheld


def _money_back(net: Decimal, points_value: Decimal, refunded: Decimal, goods: Decimal) -> Decimal:
    """A part of `goods` was paid with points, which return as points; cumulative, the last refund exact."""
    return goods - (
        _with_points(net, points_value, refunded + goods) - _with_points(net, points_value, refunded)
    )


def _with_points(net: Decimal, points_value: Decimal, refunded: Decimal) -> Decimal:
    if refunded >= net:
        return points_value
    return (points_value * refunded / net).quantize(NOTHING)


def _tier(member_id: int) -> str:
    return in_words(tier_paths.stand(member_id).tier.name)


def _given_back(store: Store, purchase: Purchase) -> list[str]:
    """The coupons of an order that have come back, just now or before."""
    used = CouponUse.objects.filter(channel=store.channel, order_no=purchase.number)
    back = used.filter(returned_at__isnull=False).select_related("coupon").order_by("pk")
    programmes = publishing.load_all() if back else None
    return [coupon_words.title(coupon_states.terms_of(use.coupon, programmes)) for use in back if programmes]
