"""What is noted on a refund that was asked of us: who asked, who approved, what money was kept (A9, D6)."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import F, Q, Sum
from django.db.models.functions import Now

from members.models import Channel, Refund

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Alone:
    """Yuan that one person refunded without a second one: to one member, and to all."""

    of_member: Decimal
    in_all: Decimal


def note(
    channel: Channel,
    order_number: str,
    number: str,
    *,
    asked_by_id: int | None,
    approval_id: int | None = None,
    withheld: Decimal = NOTHING,
) -> None:
    """Note it on a refund that has just been recorded."""
    Refund.objects.filter(channel=channel, order_number=order_number, number=number).update(
        asked_by=asked_by_id, approval=approval_id, withheld=withheld
    )


def find(channel: Channel, order_number: str, number: str) -> Refund | None:
    """The refund of that number, or None."""
    return Refund.objects.filter(channel=channel, order_number=order_number, number=number).first()


def alone(actor_id: int, member_id: int | None, *, within: timedelta) -> Alone:
    """What a person refunded alone within the last time, by the database's clock.

    Orders without a buyer count as those of one member.
    """
    rows = Refund.objects.filter(asked_by=actor_id, approval=None, heard_at__gt=Now() - within)
    money = Sum(F("goods") + F("postage"))
    whose = Q(order__member=member_id) if member_id is not None else Q(order__member__isnull=True)
    found = rows.aggregate(of_member=Sum(F("goods") + F("postage"), filter=whose), in_all=money)
    return Alone(found["of_member"] or NOTHING, found["in_all"] or NOTHING)
