"""A member's card, as clerks, pages and channels are shown it: who, which tier, points, last purchases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyalty import benefits, ledger, tier_paths, tier_words
from loyalty.benefits import Left
from loyalty.names import in_words
from loyalty.purse import Figures
from loyalty.tier_terms import Tier
from loyalty.tier_words import NeedLine
from loyalty.tiers import Progress
from members import columns
from members.models import Member, Order
from privacy import masking

__all__ = ["Bought", "Card", "NextTier", "in_words", "last_bought", "of", "of_member"]

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTier:
    """What is missing for the next tier that purchases lead to. `needs_both`: all that it asks, not any."""

    code: str
    name: str
    spend: Decimal  # yuan
    orders: int
    growth: int
    needs_both: bool
    needs: Sequence[NeedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    channel_name: str
    at: datetime
    net: Decimal
    points: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is shown of one member. Name and phone are masked; whoever may see more asks with a reason."""

    member_id: int
    member_no: str
    status: str
    name_masked: str
    phone_masked: str
    tier: Tier
    tier_code: str
    tier_name: str
    tier_until: datetime | None
    benefits: Sequence[str]  # without those that are counted
    uses: Sequence[Left]
    next_tier: NextTier | None
    figures: Figures
    points_per_yuan: int
    worth: Decimal  # yuan that the available points are worth at this tier
    bought: Sequence[Bought]


def of(member_id: int, *, purchases: int = 5) -> Card:
    """The card of the member with this id. Raises Member.DoesNotExist."""
    member = Member.objects.only("number", "status", "seal", "name", "phone").get(pk=member_id)
    return of_member(member, purchases=purchases)


def of_member(member: Member, *, purchases: int = 5) -> Card:
    """The card of one member, in the language that is active, with the last purchases of every channel."""
    member_id = member.pk
    standing = tier_paths.stand(member_id)
    purse, tier = standing.purse, standing.tier
    figures = purse.figures(standing.now) if purse else ledger.NOTHING
    return Card(
        member_id=member_id,
        member_no=member.number,
        status=member.status,
        name_masked=masking.mask_name(member.name),
        phone_masked=masking.mask_phone(member.phone),
        tier=tier,
        tier_code=tier.code,
        tier_name=in_words(tier.name),
        tier_until=purse.tier_until if purse else None,
        benefits=benefits.lasting(tier),
        uses=benefits.left(member_id, tier, standing.held, standing.now),
        next_tier=_next(standing.next),
        figures=figures,
        points_per_yuan=tier.benefits.points_per_yuan,
        worth=tier.benefits.worth(figures.available),
        bought=last_bought(member_id, purchases),
    )


def _next(way: Progress | None) -> NextTier | None:
    if way is None:
        return None
    missing = {need.what: need.missing for need in way.needs}
    return NextTier(
        code=way.tier.code,
        name=in_words(way.tier.name),
        spend=missing.get("spend", NOTHING),
        orders=int(missing.get("orders", 0)),
        growth=int(missing.get("growth", 0)),
        needs_both=way.needs_all,
        needs=tier_words.needs(way),
    )


_BOUGHT = """
SELECT c.name, o.paid_at, o.net, e.stays, o.status
  FROM members_order o
  JOIN members_channel c ON c.id = o.channel_id
  LEFT JOIN loyalty_orderearning e ON e.order_id = o.id
 WHERE o.member_id = %s AND o.paid_at IS NOT NULL
 ORDER BY o.paid_at DESC LIMIT %s
"""


def last_bought(member_id: int, limit: int) -> list[Bought]:
    """The member's last paid orders over all channels, latest first."""
    return [
        Bought(channel_name=name, at=at, net=net, points=points or 0, status=str(Order.Status(status).label))
        for name, at, net, points, status in columns.ask(_BOUGHT, [member_id, limit])
    ]
