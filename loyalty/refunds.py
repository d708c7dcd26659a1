"""Refunds that staff make: at once, or above the limit of their role after a second person (D6).

A role with `orders.refund: limit` (role-matrix.yaml) refunds up to the programme's `refund_limit` alone,
counted over a day (`loyalty.makers`); above it the refund waits and then runs as it was asked for. Whoever
has no such limit, and a channel's own key, refunds at once.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from loyalty import makers, orders, publishing, refund_lines
from loyalty.errors import CauseTaken, OrderNotFound, RefundTooLarge
from loyalty.makers import DAY, Tally
from loyalty.models import Entry
from loyalty.orders import RefundReceipt
from members import refunds as noted
from members.models import Channel, Order, Refund
from privacy import approvals, roles
from privacy.errors import ReasonMissing
from privacy.models import Approval

KIND = VERB = "orders.refund"
NOTHING = Decimal("0.00")
REASON_LENGTH = 5


@transaction.atomic
def ask(
    channel: Channel,
    order_number: str,
    *,
    number: str,
    goods: Decimal,
    postage: Decimal = NOTHING,
    actor_id: int | None = None,
    store_id: int | None = None,
    reason: str = "",
    lines: Sequence[int] = (),
) -> RefundReceipt:
    """Refund an order, or ask a second person to let it happen: the receipt's outcome is then `waiting`.

    goods, postage: yuan. reason: of a refund that must wait, at least five characters. lines: the positions
    of those that go back, if it is known. Raises OrderNotFound, RefundTooLarge, RefundShort, ReasonMissing,
    CauseTaken.
    """
    change: dict[str, Any] = {
        "channel_id": channel.pk,
        "order_number": order_number,
        "number": number,
        "goods": str(goods),
        "postage": str(postage),
        "store_id": store_id,
    }
    if lines:
        change["lines"] = list(lines)
    maker = _limited(actor_id)
    if maker is not None:
        makers.take_turn(maker.pk, KIND)
        if (waiting := _wait(change, channel, maker, reason)) is not None:
            return waiting
    return _make(change, channel, actor_id=actor_id)


def needs_second(channel: Channel, order_number: str, amount: Decimal, *, actor_id: int | None) -> bool:
    """Whether a refund of `amount` yuan by this person would wait for a second one. Raises OrderNotFound."""
    maker = _limited(actor_id)
    if maker is None:
        return False
    return _is_above_limit(maker, _order(channel, order_number), amount)


def carry_out(change: Mapping[str, Any], approval: Approval) -> dict[str, Any]:
    """Make the refund that a second person has approved, in the transaction that approves it."""
    channel = Channel.objects.get(pk=change["channel_id"])
    receipt = _make(change, channel, actor_id=approval.asked_by_id, approval_id=approval.pk)
    return {
        "order_no": receipt.order_number,
        "refund_no": receipt.number,
        "points_taken": receipt.points_taken,
        "points_returned": receipt.points_returned,
        "debt": receipt.debt,
        "money_to_withhold": str(receipt.money_to_withhold),
    }


def _limited(actor_id: int | None) -> User | None:
    """The member of staff, if their role refunds up to a limit only."""
    if actor_id is None:
        return None
    actor = User.objects.select_related("staff_profile").get(pk=actor_id)
    return actor if roles.extent(actor, VERB) == "limit" else None


def _wait(change: dict[str, Any], channel: Channel, maker: User, reason: str) -> RefundReceipt | None:
    """The request for this refund, made now or before, when it needs a second person; else None."""
    order_number, number = change["order_number"], change["number"]
    if noted.find(channel, order_number, number) is not None:
        return None  # made before: it is answered as the first time
    cause = f"refund:{channel.pk}:{number}"
    asked = Approval.objects.filter(kind=KIND, cause=cause).first()
    if asked is None:
        asked = _ask_if_needed(change, channel, maker, reason, cause)
    elif asked.change != change:
        raise CauseTaken
    if asked is None:
        return None
    return RefundReceipt(outcome="waiting", order_number=order_number, number=number, approval_id=asked.pk)


def _ask_if_needed(
    change: dict[str, Any], channel: Channel, maker: User, reason: str, cause: str
) -> Approval | None:
    order = _order(channel, change["order_number"])
    goods, postage = Decimal(change["goods"]), Decimal(change["postage"])
    if order.refunded_goods + goods > order.net or order.refunded_postage + postage > order.postage:
        raise RefundTooLarge
    if not _is_above_limit(maker, order, goods + postage):
        return None
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    return approvals.ask(KIND, change, reason=reason, asked_by=maker, member_id=order.member_id, cause=cause)


def _is_above_limit(maker: User, order: Order, amount: Decimal) -> bool:
    """Whether so much is more than this person refunds alone; their own orders always are."""
    is_own = order.member is not None and approvals.is_own(maker, order.member)
    return is_own or not _tally(maker.pk, order.member_id).leaves_room_for(amount)


def _tally(actor_id: int, member_id: int | None) -> Tally:
    policy = publishing.current().programme.points
    alone = noted.alone(actor_id, member_id, within=DAY)
    return Tally(
        of_member=alone.of_member,
        in_all=alone.in_all,
        limit=policy.refund_limit,
        day_limit=policy.refund_limit * policy.adjust_day_factor,
    )


def _make(
    change: Mapping[str, Any], channel: Channel, *, actor_id: int | None, approval_id: int | None = None
) -> RefundReceipt:
    order_number, number = change["order_number"], change["number"]
    goods, postage = Decimal(change["goods"]), Decimal(change["postage"])
    before = noted.find(channel, order_number, number)
    if before is not None:
        if (before.goods, before.postage) != (goods, postage):
            raise CauseTaken
        return first_answer(before)
    positions = change.get("lines", ())
    receipt = orders.ask_refund(
        channel,
        order_number,
        number=number,
        goods=goods,
        postage=postage,
        actor_id=actor_id,
        store_id=change["store_id"],
        lines=refund_lines.facts(_order(channel, order_number), positions) if positions else (),
    )
    noted.note(
        channel,
        order_number,
        number,
        asked_by_id=actor_id,
        approval_id=approval_id,
        withheld=receipt.money_to_withhold,
    )
    return receipt


def _order(channel: Channel, number: str) -> Order:
    order = Order.objects.filter(channel=channel, number=number).first()
    if order is None:
        raise OrderNotFound
    return order


def first_answer(refund: Refund) -> RefundReceipt:
    """What a refund that was asked of us did the first time, by its own entries."""
    receipt = RefundReceipt(
        outcome="same",
        order_number=refund.order_number,
        number=refund.number,
        money_to_withhold=refund.withheld,
    )
    moved = Entry.objects.filter(order=refund.order_id, why__refund=refund.number)
    taken = moved.filter(kind=Entry.Kind.TAKE_BACK).first()
    given = moved.filter(kind=Entry.Kind.GIVE_BACK).first()
    if taken:
        receipt.points_taken, receipt.debt = -taken.points, taken.debt_after
    if given:
        receipt.points_returned = given.points
    return receipt
