"""The catalogue: every reward as one member sees it, with what they can have, what not, and why (B8)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from loyalty import ledger, pictures, publishing, reward_terms, reward_words, sentences, shelves
from loyalty.models import Claim
from loyalty.pictures import Picture
from loyalty.programme import Programme
from loyalty.reward_terms import Offer, Place, Sale, Terms
from loyalty.shelves import Row
from members import survivors


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One reward, in the language that is active. `left` and `limit` None are without limit.

    `refusal` is why the member cannot have it now, as a code of `loyalty.reward_words`, and `sentence` the
    same in words; both are '' when they can. Of a sale that runs, `sale` and `usual_price` tell.
    """

    code: str
    name: str
    description: str
    kind: str
    kind_name: str
    points: int
    money: Decimal
    price: str
    ways: tuple[str, ...]
    left: int | None
    stock: int | None
    limit: int | None
    claimed: int
    tiers: tuple[str, ...]
    starts_at: datetime | None
    ends_at: datetime | None
    sale: Sale | None
    usual_price: str
    next_sale: Sale | None
    picture: Picture | None
    refusal: str
    sentence: str

    @property
    def can_claim(self) -> bool:
        """Whether nothing stands against it."""
        return not self.refusal


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who looks: their tier, what they can spend, and what they hold. Of nobody, nothing is known."""

    tier: str | None
    available: int | None
    held: Mapping[tuple[str, str], int]


def of(member_id: int | None = None) -> list[Card]:
    """The rewards that can be claimed now or later, in the programme's order; a fixed number of statements.

    member_id None: as everybody sees them, without tier, points and limits.
    """
    purses = ledger.peek([] if member_id is None else [member_id])
    now = purses.now
    programme = publishing.load_all().at(now).programme
    rewards = [
        terms
        for terms in reward_terms.of(programme.rest).values()
        if not terms.given_only and not terms.is_over(now)
    ]
    standing = shelves.look([place for terms in rewards for place in terms.shelves()])
    shown = pictures.of([terms.code for terms in rewards])
    seen = _Seen(None, None, {})
    if member_id is not None:
        tier = programme.tier(purses[member_id].tier if purses else "").code
        available = purses[member_id].available(now) if purses else 0
        seen = _Seen(tier, available, _held(member_id))
    return [_card(terms, programme, standing, shown.get(terms.code), seen, now) for terms in rewards]


def _held(member_id: int) -> Counter[tuple[str, str]]:
    """How many claims a person holds that count for a limit, by reward and sale."""
    same_person = survivors.linked([member_id])[member_id]
    rows = Claim.objects.filter(member__in=same_person, member_number__isnull=False)
    return Counter(rows.values_list("reward", "sale"))


def _card(
    terms: Terms,
    programme: Programme,
    standing: Mapping[Place, Row],
    picture: Picture | None,
    seen: _Seen,
    now: datetime,
) -> Card:
    offer = terms.offer_at(now) or terms.usual
    row = standing.get(offer.place)
    left = shelves.free(row, offer.stock)
    claimed = seen.held.get((terms.code, offer.sale_code), 0)
    refusal = _refusal(terms, offer, left, claimed, seen, now)
    return Card(
        code=terms.code,
        name=reward_words.named(terms.name),
        description=reward_words.named(terms.description),
        kind=terms.kind,
        kind_name=str(reward_words.KINDS[terms.kind]),
        points=offer.points,
        money=offer.money,
        price=reward_words.price(offer.points, offer.money),
        ways=terms.ways,
        left=left,
        stock=None if left is None else left + (row.taken if row else 0),
        limit=offer.per_member,
        claimed=claimed,
        tiers=terms.tiers,
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        sale=offer.sale,
        usual_price=reward_words.price(terms.points, terms.money),
        next_sale=terms.next_sale(now),
        picture=picture,
        refusal=refusal,
        sentence=_sentence(refusal, terms, offer, programme, seen, now),
    )


def _refusal(terms: Terms, offer: Offer, left: int | None, claimed: int, seen: _Seen, now: datetime) -> str:
    """The first reason, in the order in which a claim is judged."""
    if terms.offer_at(now) is None:
        ended = terms.ends_at is not None and terms.ends_at <= now
        return reward_words.OVER if ended and not terms.next_sale(now) else reward_words.NOT_YET
    if seen.tier is not None and not terms.is_for(seen.tier):
        return reward_words.OTHER_TIERS
    if offer.per_member is not None and claimed >= offer.per_member:
        return reward_words.LIMIT
    if left == 0:
        return reward_words.SOLD_OUT
    if seen.available is not None and seen.available < offer.points:
        return reward_words.POINTS_SHORT
    return ""


def _sentence(
    refusal: str, terms: Terms, offer: Offer, programme: Programme, seen: _Seen, now: datetime
) -> str:
    coming = terms.next_sale(now)
    openings = [terms.starts_at if terms.starts_at and terms.starts_at > now else None]
    openings.append(coming.starts_at if coming else None)
    here = [tier.code for tier in programme.tiers if tier.code in terms.tiers]
    names = [programme.tier_called(code) for code in dict.fromkeys([*here, *terms.tiers])]
    return reward_words.refusal(
        refusal,
        at=min((at for at in openings if at is not None), default=None),
        tiers=sentences.listed(names),
        limit=offer.per_member,
        short=offer.points - (seen.available or 0),
    )
