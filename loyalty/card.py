"""A member's card, as clerks, pages and channels are shown it: who, which tier, points, last purchases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from loyalty import ledger, publishing, tiers
from loyalty.programme import Tier
from loyalty.purse import Figures
from loyalty.tiers import Ladder
from members import columns
from members.models import Member, Order
from privacy import masking


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTier:
    """What is missing for the next tier that purchases lead to."""

    code: str
    name: str
    spend: Decimal  # yuan
    orders: int
    needs_both: bool


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
    tier_code: str
    tier_name: str
    tier_until: datetime | None
    benefits: Sequence[str]
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
    purses = ledger.peek([member_id])
    version = publishing.load_all().at(purses.now)
    figures = purses[member_id].figures(purses.now) if purses else ledger.NOTHING
    tier = version.programme.tier(purses[member_id].tier if purses else "")
    ladder = Ladder(version.programme, version.id)
    bought = tiers.purchases([member_id], ladder.since(purses.now)).get(member_id, [])
    return Card(
        member_id=member_id,
        member_no=member.number,
        status=member.status,
        name_masked=masking.mask_name(member.name),
        phone_masked=masking.mask_phone(member.phone),
        tier_code=tier.code,
        tier_name=in_words(tier.name),
        tier_until=purses[member_id].tier_until if purses else None,
        benefits=benefits(tier),
        next_tier=_next(ladder.missing(tier.code, bought, purses.now), ladder),
        figures=figures,
        points_per_yuan=tier.benefits.points_per_yuan,
        worth=tier.benefits.worth(figures.available),
        bought=last_bought(member_id, purchases),
    )


def _next(missing: dict[str, Any] | None, ladder: Ladder) -> NextTier | None:
    if missing is None:
        return None
    tier = ladder.tier(missing["tier"])
    return NextTier(
        code=tier.code,
        name=in_words(tier.name),
        spend=missing["spend"],
        orders=missing["orders"],
        needs_both=missing["mode"] == "all",
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


def in_words(name: dict[str, str]) -> str:
    """A name of the programme in the language that is active, or in whichever it has."""
    language = (get_language() or "en").lower()
    return name.get(language) or name.get(language.split("-")[0]) or next(iter(name.values()), "")


def benefits(tier: Tier) -> list[str]:
    """What a tier gives, in the language that is active (B2)."""
    given = tier.benefits
    words: list[str] = []
    if given.discount < 1:
        # Chinese shops say 9折 where English ones say 10% off.
        words.append(
            _("%(percent)s%% off")
            % {"percent": _short((1 - given.discount) * 100), "tenths": _short(given.discount * 10)}
        )
    if given.coefficient != 1:
        words.append(_("%(coefficient)s times the points") % {"coefficient": _short(given.coefficient)})
    words.append(_("%(points)s points are worth ¥1") % {"points": given.points_per_yuan})
    shipping = {"regional": _("Free shipping in some regions"), "free": _("Free shipping nationwide")}
    if given.shipping in shipping:
        words.append(shipping[given.shipping])
    service = {"priority": _("Priority service"), "adviser": _("A named adviser")}
    if given.service in service:
        words.append(service[given.service])
    if given.birthday.get("factor"):
        words.append(_("%(factor)s times the points on the birthday") % {"factor": given.birthday["factor"]})
    return words


def _short(number: Decimal) -> str:
    return format(number.normalize(), "f")
