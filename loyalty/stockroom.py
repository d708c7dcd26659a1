"""The stockroom: every reward of the programme with its shelves, as staff see them (B8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty import clock, pictures, publishing, reward_terms, reward_words, shelves
from loyalty.errors import RewardNotFound
from loyalty.models import Claim, ShelfMove
from loyalty.pictures import Picture
from loyalty.programme import Programme
from loyalty.reward_terms import Place, Sale, Terms
from loyalty.shelves import Row
from members.templatetags.amounts import minute

SOON_EMPTY = 10  # per cent of the stock


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfSeen:
    """One shelf: of the reward (`sale` None) or of a points sale. `stock` None is without limit.

    `is_own`: it has pieces of its own; a sale without any sells from the reward's shelf.
    """

    sale: Sale | None
    stock: int | None
    taken: int
    left: int | None
    price: str
    is_on: bool
    is_over: bool
    is_own: bool

    @property
    def is_low(self) -> bool:
        """Whether it should be filled up."""
        return self.left is not None and self.left * 100 <= (self.stock or 0) * SOON_EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One reward. `when` says when it can be claimed, `waiting` how many gifts wait for a piece."""

    code: str
    name: str
    description: str
    kind_name: str
    price: str
    tiers: str
    limit: int | None
    ways: str
    when: str
    is_on: bool
    waiting: int
    shelves: list[ShelfSeen]
    picture: Picture | None


def items() -> list[Item]:
    """Every reward of the version that holds now, by a fixed number of statements.

    Nothing when no programme was published yet.
    """
    if not publishing.is_published():
        return []
    now = clock.read().now
    programme = publishing.load_all().at(now).programme
    rewards = reward_terms.of(programme.rest)
    standing = shelves.look([place for terms in rewards.values() for place in terms.shelves()])
    waiting = dict(
        Claim.objects.filter(state=Claim.State.WAITING).values_list("reward").annotate(number=Count("pk"))
    )
    shown = pictures.of(rewards)
    return [
        _item(terms, programme, standing, waiting.get(code, 0), shown.get(code), now)
        for code, terms in rewards.items()
    ]


def require(code: str) -> Terms:
    """The reward of this code in the version that holds now. Raises RewardNotFound."""
    terms = reward_terms.of(publishing.current().programme.rest).get(code)
    if terms is None:
        raise RewardNotFound
    return terms


def moves(limit: int = 10) -> list[dict[str, Any]]:
    """The last changes of stock by hand."""
    found = ShelfMove.objects.filter(programme=None).select_related("shelf", "actor").order_by("-pk")
    return [
        {
            "at": move.happened_at,
            "change": move.change,
            "shelf": str(move.shelf),
            "reason": move.reason,
            "who": move.actor.get_username() if move.actor else "",
        }
        for move in found[:limit]
    ]


def _item(
    terms: Terms,
    programme: Programme,
    standing: Mapping[Place, Row],
    waiting: int,
    picture: Picture | None,
    now: datetime,
) -> Item:
    names = [reward_words.named(tier.name) for tier in programme.tiers if tier.code in terms.tiers]
    return Item(
        code=terms.code,
        name=reward_words.named(terms.name),
        description=reward_words.named(terms.description),
        kind_name=str(reward_words.KINDS[terms.kind]),
        price="" if terms.given_only else reward_words.price(terms.points, terms.money),
        tiers=_comma().join(names),
        limit=terms.per_member,
        ways=_comma().join(str(Claim.Way(way).label) for way in terms.ways),
        when=_when(terms, now),
        is_on=terms.offer_at(now) is not None,
        waiting=waiting,
        shelves=[
            _shelf(terms, None, standing, now),
            *(_shelf(terms, sale, standing, now) for sale in terms.sales),
        ],
        picture=picture,
    )


def _comma() -> str:
    return pgettext("between the names of a list", ", ")


def _shelf(terms: Terms, sale: Sale | None, standing: Mapping[Place, Row], now: datetime) -> ShelfSeen:
    place = terms.shelf if sale is None or sale.stock is None else Place(terms.code, sale.code)
    declared = terms.shelves().get(place)
    row = standing.get(place)
    left = shelves.free(row, declared)
    taken = row.taken if row else 0
    price = (terms.points, terms.money) if sale is None else (sale.points, sale.money)
    return ShelfSeen(
        sale=sale,
        stock=None if left is None else left + taken,
        taken=taken,
        left=left,
        price=reward_words.price(*price),
        is_on=sale.holds_at(now) if sale else terms.offer_at(now) is not None,
        is_over=sale is not None and sale.ends_at <= now,
        is_own=sale is None or sale.stock is not None,
    )


def _when(terms: Terms, now: datetime) -> str:
    if terms.given_only:
        return _("Given by the programme, not claimed.")
    if terms.starts_at is not None and now < terms.starts_at:
        return _("From %(time)s.") % {"time": minute(terms.starts_at)}
    if terms.ends_at is None:
        return ""
    if terms.ends_at <= now:
        return _("Over since %(time)s.") % {"time": minute(terms.ends_at)}
    return _("Until %(time)s.") % {"time": minute(terms.ends_at)}
