"""What a reward is by the programme: its price, who may have it, when, and how it reaches the member (B8).

Pure: the section `rewards` of the programme's document, read. A reward may have points sales 积分秒杀:
windows in which another price holds, and, when the sale says so, a stock of its own. Stock said here is
how many were declared; what is left is on the shelf (`loyalty.shelves`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from loyalty.names import in_words
from loyalty.reading import Part, Problems, refuse_twice

KINDS = ("gift", "coupon", "event")
COUNTER, PARCEL, ONLINE = WAYS = ("counter", "parcel", "online")
NOTHING = Decimal("0.00")
MOST_REWARDS, MOST_SALES = 1000, 50


class Place(NamedTuple):
    """Which shelf: that of the reward, or of one of its points sales."""

    reward: str
    sale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A points sale: from `starts_at`, before `ends_at`. `stock` None: from the reward's own shelf."""

    code: str
    starts_at: datetime
    ends_at: datetime
    points: int
    money: Decimal
    stock: int | None
    per_member: int | None
    name: Mapping[str, str] = field(default_factory=dict)  # by language; {}: it goes by its code

    @property
    def called(self) -> str:
        """Its name in the language that is active, or else its code."""
        return in_words(self.name) or self.code

    def holds_at(self, instant: datetime) -> bool:
        """Whether the instant lies in the sale: `from <= t < to`."""
        return self.starts_at <= instant < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One reward. Points and counts are whole, money in yuan; None is without limit or without end.

    `given_only`: the programme gives it (a milestone's gift), nobody can claim it.
    """

    code: str
    name: Mapping[str, str]
    description: Mapping[str, str]
    kind: str
    coupon: str  # the campaign whose coupon it is, for kind coupon
    points: int
    money: Decimal
    stock: int | None
    per_member: int | None
    tiers: tuple[str, ...]  # none: every tier
    starts_at: datetime | None
    ends_at: datetime | None
    ways: tuple[str, ...]
    given_only: bool
    sales: tuple[Sale, ...]

    @property
    def shelf(self) -> Place:
        """Where it stands outside of sales, and where gifts are taken from."""
        return Place(self.code)

    @property
    def usual(self) -> "Offer":
        """The price outside of sales."""
        return Offer(
            reward=self,
            sale=None,
            points=self.points,
            money=self.money,
            per_member=self.per_member,
            place=self.shelf,
            stock=self.stock,
        )

    def shelves(self) -> dict[Place, int | None]:
        """Every shelf of this reward, with the stock that was declared for it."""
        own = {Place(self.code, sale.code): sale.stock for sale in self.sales if sale.stock is not None}
        return {self.shelf: self.stock, **own}

    def offer_at(self, instant: datetime) -> "Offer | None":
        """At what price it can be claimed at an instant; None outside of its time."""
        if self.given_only:
            return None
        for sale in self.sales:
            if sale.holds_at(instant):
                return _on_sale(self, sale)
        if (self.starts_at and instant < self.starts_at) or (self.ends_at and self.ends_at <= instant):
            return None
        return self.usual

    def next_sale(self, instant: datetime) -> Sale | None:
        """The points sale that begins next."""
        coming = (sale for sale in self.sales if sale.starts_at > instant)
        return min(coming, key=lambda sale: sale.starts_at, default=None)

    def is_over(self, instant: datetime) -> bool:
        """Whether it can never be claimed again, by this version of the programme."""
        ended = self.ends_at is not None and self.ends_at <= instant
        return ended and all(sale.ends_at <= instant for sale in self.sales)

    def is_for(self, tier: str) -> bool:
        """Whether a member of this tier may claim it."""
        return not self.tiers or tier in self.tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A reward at the price of one moment. `stock` is what was declared for its shelf."""

    reward: Terms
    sale: Sale | None
    points: int
    money: Decimal
    per_member: int | None
    place: Place
    stock: int | None

    @property
    def sale_code(self) -> str:
        """The code of the points sale, or ''."""
        return self.sale.code if self.sale else ""

    @property
    def price(self) -> tuple[int, Decimal]:
        """Points and yuan."""
        return self.points, self.money


def _on_sale(reward: Terms, sale: Sale) -> Offer:
    shared = sale.stock is None
    return Offer(
        reward=reward,
        sale=sale,
        points=sale.points,
        money=sale.money,
        per_member=reward.per_member if sale.per_member is None else sale.per_member,
        place=reward.shelf if shared else Place(reward.code, sale.code),
        stock=reward.stock if shared else sale.stock,
    )


# --- reading -----------------------------------------------------------------------------------------


def of(rest: Mapping[str, object]) -> dict[str, Terms]:
    """The rewards of an accepted programme (`Programme.rest`) by their codes, in its order."""
    return {terms.code: terms for terms in read(Part(dict(rest), "", Problems()))}


def read(programme: Part) -> list[Terms]:
    """Read the section `rewards`, noting its mistakes."""
    parts = programme.parts("rewards")
    if len(parts) > MOST_REWARDS:
        programme.problem("rewards", _("Write at most %(most)s of them.") % {"most": MOST_REWARDS})
        return []
    rewards = [_reward(part) for part in parts]
    refuse_twice(parts, [reward.code for reward in rewards])
    return rewards


def _reward(part: Part) -> Terms:
    kind = part.choice("kind", KINDS, required=True)
    given_only = part.flag("given_only")
    starts_at, ends_at = part.window()
    terms = Terms(
        code=part.code("code"),
        name=part.name("name"),
        description=part.name("description", required=False),
        kind=kind,
        coupon=part.code("coupon", required=kind == "coupon"),
        points=part.whole("points", required=not given_only),
        money=part.decimal("money", "0.00"),
        stock=part.maybe_whole("stock"),
        per_member=part.maybe_whole("per_member", low=1),
        tiers=part.codes("tiers"),
        starts_at=starts_at,
        ends_at=ends_at,
        ways=_ways(part, kind),
        given_only=given_only,
        sales=_sales(part),
    )
    if terms.coupon and kind != "coupon":
        part.problem("coupon", _("Only a reward of the kind coupon names a coupon."))
    part.done()
    return terms


def _ways(part: Part, kind: str) -> tuple[str, ...]:
    """How it may reach the member; the first is taken when nobody says. A coupon is there at once."""
    ways = part.codes("ways")
    allowed = (ONLINE,) if kind == "coupon" else WAYS
    if any(way not in allowed for way in ways):
        part.problem("ways", _("Choose from: %(options)s.") % {"options": ", ".join(allowed)})
    return ways or ((ONLINE,) if kind == "coupon" else (COUNTER,))


def _sales(part: Part) -> tuple[Sale, ...]:
    parts = part.parts("sales")
    if len(parts) > MOST_SALES:
        part.problem("sales", _("Write at most %(most)s of them.") % {"most": MOST_SALES})
        return ()
    read = [_sale(each) for each in parts]
    refuse_twice(parts, [sale.code if sale else "" for sale in read])
    _refuse_overlap(parts, read)
    return tuple(sale for sale in read if sale is not None)


def _sale(part: Part) -> Sale | None:
    code, name = part.code("code"), part.name("name", required=False)
    starts_at, ends_at = part.window()
    for key, instant in (("from", starts_at), ("to", ends_at)):
        if instant is None and not part.has(key):
            part.problem(key, _("This is missing."))
    points, money = part.whole("points", required=True), part.decimal("money", "0.00")
    stock, per_member = part.maybe_whole("stock"), part.maybe_whole("per_member", low=1)
    part.done()
    if starts_at is None or ends_at is None:
        return None
    return Sale(
        code=code,
        starts_at=starts_at,
        ends_at=ends_at,
        points=points,
        money=money,
        stock=stock,
        per_member=per_member,
        name=name,
    )


def _refuse_overlap(parts: Sequence[Part], sales: Sequence[Sale | None]) -> None:
    """At any moment a reward has one price."""
    dated = [(sale, part) for sale, part in zip(sales, parts, strict=True) if sale is not None]
    dated.sort(key=lambda pair: pair[0].starts_at)
    for (earlier, _part), (later, part) in pairwise(dated):
        if later.starts_at < earlier.ends_at:
            part.problem("from", _("It overlaps the sale %(code)s.") % {"code": earlier.code})
