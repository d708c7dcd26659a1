"""Rewards: claimed for points, or given by the programme; and what stands on their shelves (B8).

A claim is one transaction: the points leave the ledger, the piece leaves its shelf, the claim is written and
told. Stock and the limit per member are constraints (`shelf_not_oversold`, `claim_member_number_once`,
`claim_within_limit_per_member`); locks only let those wait who would be refused otherwise. They are taken in
this order: wallet, coupon campaign, claim, shelf.

Gifts are given in `loyalty.gifts`; what happens to a claim later, `loyalty.fulfilment` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from loyalty import claims, clock, coupons, ledger, publishing, reward_terms, shelves
from loyalty.claims import State
from loyalty.errors import (
    CauseTaken,
    LoyaltyError,
    OutOfStock,
    RewardCouponRefused,
    RewardLimitReached,
    RewardNotFound,
    RewardNotOffered,
    RewardOfOtherTiers,
    RewardPriceChanged,
    RewardWayNotOffered,
    StockUnchanged,
)
from loyalty.fulfilment import arrive, cancel, hand_over, prepare, ship, withdraw_gifts
from loyalty.gifts import Owed, Wish, owe
from loyalty.ledger import Purses
from loyalty.models import Claim
from loyalty.points import named
from loyalty.publishing import Held
from loyalty.purse import Origin, Purse
from loyalty.reward_terms import Offer, Place
from loyalty.tellings import points_changes
from members import survivors
from members.models import Channel
from privacy.errors import ReasonMissing

__all__ = [
    "Owed",
    "Receipt",
    "Wish",
    "arrive",
    "cancel",
    "change_stock",
    "claim",
    "hand_over",
    "owe",
    "prepare",
    "put_up",
    "ship",
    "withdraw_gifts",
]

REASON_LENGTH = 5
MOST_PIECES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a claim; the same for the first request and for every repeat of it."""

    claim: Claim
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Who claims what, where, and what they saw: the price they agreed to."""

    member_id: int
    code: str
    cause: str
    channel: Channel
    store_id: int | None
    actor_id: int | None
    way: str
    points: int | None
    money: Decimal | None


def claim(
    member_id: int,
    code: str,
    *,
    cause: str,
    channel: Channel,
    store_id: int | None = None,
    actor_id: int | None = None,
    way: str = "",
    points: int | None = None,
    money: Decimal | None = None,
) -> Receipt:
    """Claim a reward at the price of this moment, once for its cause.

    way: how it is to reach the member, of those the reward offers; '' takes the first. store_id: where it
    is picked up. points, money: the price that was seen, when it must be no other. A coupon is issued and
    done at once. Raises RewardNotFound, RewardNotOffered, RewardOfOtherTiers, RewardWayNotOffered,
    RewardPriceChanged, RewardLimitReached, NotEnoughPoints, OutOfStock, RewardCouponRefused, CauseTaken;
    nothing has moved then.
    """
    asked = _Asked(
        member_id=member_id,
        code=code,
        cause=named(channel, cause),
        channel=channel,
        store_id=store_id,
        actor_id=actor_id,
        way=way,
        points=points,
        money=money,
    )
    try:
        with transaction.atomic():
            return _claim(asked)
    except IntegrityError as error:
        refusal = _refusal_of(error)
        if refusal is None:
            raise
        before = _before(asked)
        if before is None:
            raise refusal from error
        return before


def _claim(asked: _Asked) -> Receipt:
    purses = ledger.lock([asked.member_id], first_tier=publishing.first_tier)
    before = _before(asked)
    if before is not None:
        return before
    held = publishing.load_all().at(purses.now)
    purse = purses[asked.member_id]
    offer = _offer(asked, held, purse, purses.now)
    number = _number(asked.member_id, offer)
    # A sale that is sold out says so without waiting for those who take the last pieces.
    standing = shelves.look([offer.place])
    if shelves.free(standing.get(offer.place), offer.stock) == 0:
        raise OutOfStock
    why = _why(offer, purse.tier, held)
    if offer.points:
        _redeem(asked, offer, purse, purses, held, why)
    coupon_id = _coupon(asked, offer, held, purses.now, why) if offer.reward.coupon else None
    if shelves.put_up({offer.place: offer.stock}, programme_id=held.id, standing=standing):
        claims.serve_waiting([offer.place], now=purses.now)
    taken = shelves.take({offer.place: 1})[offer.place]
    if not taken.pieces:
        raise OutOfStock
    entry_id = _write_points(asked, purse, purses)
    row = _row(asked, offer, held, purses.now, why)
    row.member_number, row.shelf_id = number, taken.shelf_id
    row.entry_id, row.coupon_id = entry_id, coupon_id
    claims.write([row], actor_id=asked.actor_id)
    return Receipt(claim=row, is_new=True)


def _before(asked: _Asked) -> Receipt | None:
    """The claim that was made for the same cause. Raises CauseTaken when it is another's or for another."""
    row = Claim.objects.filter(cause=asked.cause).first()
    if row is None:
        return None
    if row.member_id != asked.member_id or row.reward != asked.code:
        raise CauseTaken
    return Receipt(claim=row, is_new=False)


def _offer(asked: _Asked, held: Held, purse: Purse, now: datetime) -> Offer:
    """What is offered to this member now, or why it is not."""
    terms = reward_terms.of(held.programme.rest).get(asked.code)
    if terms is None:
        raise RewardNotFound
    offer = terms.offer_at(now)
    if offer is None:
        raise RewardNotOffered
    if not terms.is_for(purse.tier):
        raise RewardOfOtherTiers
    if asked.way and asked.way not in terms.ways:
        raise RewardWayNotOffered
    seen = (asked.points, asked.money)
    if any(given is not None and given != holds for given, holds in zip(seen, offer.price, strict=True)):
        raise RewardPriceChanged(points=offer.points, money=str(offer.money))
    return offer


def _number(member_id: int, offer: Offer) -> int:
    """The how-manieth this will be for the member, under all members that are the same person."""
    same_person = survivors.linked([member_id])[member_id]
    number = claims.next_number(claims.numbers(offer.reward.code, offer.sale_code, same_person))
    if offer.per_member is not None and number > offer.per_member:
        raise RewardLimitReached(limit=offer.per_member)
    return number


def _why(offer: Offer, tier: str, held: Held) -> dict[str, Any]:
    why = {
        "reward": offer.reward.code,
        "name": dict(offer.reward.name),
        "points": offer.points,
        "money": str(offer.money),
        "tier": tier,
        "version": held.number,
    }
    if offer.sale:
        why |= {"sale": offer.sale.code, "usual": offer.reward.points}
        if offer.sale.name:
            why["sale_called"] = dict(offer.sale.name)
    return why


def _redeem(
    asked: _Asked, offer: Offer, purse: Purse, purses: Purses, held: Held, why: Mapping[str, Any]
) -> None:
    origin = Origin(
        cause=claims.entry_cause(asked.cause),
        happened_at=purses.now,
        why=dict(why),
        channel_id=asked.channel.pk,
        store_id=asked.store_id,
        actor_id=asked.actor_id,
        programme_id=held.id,
    )
    purse.redeem(offer.points, origin, now=purses.now)


def _write_points(asked: _Asked, purse: Purse, purses: Purses) -> int | None:
    """Write what moved in the purse, also what time did to it; answers the redemption's id."""
    postings, told = purse.postings[:], points_changes(purses.values(), asked.channel.pk)
    ledger.append(purses, told)
    cause = claims.entry_cause(asked.cause)
    return next((each.id for each in postings if each.kind == "redeem" and each.origin.cause == cause), None)


def _coupon(asked: _Asked, offer: Offer, held: Held, now: datetime, why: Mapping[str, Any]) -> int | None:
    wish = coupons.Wish(
        campaign=offer.reward.coupon,
        member_id=asked.member_id,
        cause=claims.entry_cause(asked.cause),
        why=why,
        programme_id=held.id,
        actor_id=asked.actor_id,
    )
    (issued,) = coupons.issue([wish], now=now)
    if issued.refusal:
        raise RewardCouponRefused(reason=issued.refusal)
    return issued.coupon_id


def _row(asked: _Asked, offer: Offer, held: Held, now: datetime, why: dict[str, Any]) -> Claim:
    at_once = bool(offer.reward.coupon)
    return Claim(
        reward=offer.reward.code,
        sale=offer.sale_code,
        programme_id=held.id,
        member_id=asked.member_id,
        per_member=offer.per_member,
        state=State.DONE if at_once else State.CLAIMED,
        way=asked.way or offer.reward.ways[0],
        points=offer.points,
        money=offer.money,
        cause=asked.cause,
        why=why,
        channel_id=asked.channel.pk,
        store_id=asked.store_id,
        claimed_at=now,
        ended_at=now if at_once else None,
    )


def _refusal_of(error: IntegrityError) -> LoyaltyError | None:
    """Which rule a constraint stands for: whoever comes second is told so, whatever the code believed."""
    diagnosis = getattr(error.__cause__, "diag", None)
    refusals: dict[str, type[LoyaltyError]] = {
        "claim_once_per_cause": CauseTaken,
        "claim_member_number_once": RewardLimitReached,
        "claim_within_limit_per_member": RewardLimitReached,
        "shelf_not_oversold": OutOfStock,
    }
    refusal = refusals.get(diagnosis.constraint_name) if diagnosis is not None else None
    return refusal() if refusal else None


# --- stock -------------------------------------------------------------------------------------------


@transaction.atomic
def change_stock(place: Place, pieces: int, *, reason: str, actor_id: int) -> None:
    """Put pieces of a reward on its shelf, or take them off (negative); what comes serves waiting gifts.

    Raises RewardNotFound, StockUnchanged, StockBelowTaken, ReasonMissing (under five characters).
    """
    if not pieces or abs(pieces) > MOST_PIECES:
        raise StockUnchanged
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    now = clock.read().now
    held = publishing.load_all().at(now)
    terms = reward_terms.of(held.programme.rest).get(place.reward)
    if terms is None or place not in terms.shelves():
        raise RewardNotFound
    shelves.put_up({place: terms.shelves()[place]}, programme_id=held.id)
    shelves.change(place, pieces, reason=reason.strip(), actor_id=actor_id)
    claims.serve_waiting([place], now=now)


@transaction.atomic
def put_up() -> int:
    """Bring every shelf to the stock that the programme says now, and serve the gifts that wait for it.

    Claims do this for their own reward; the worker does it for all, so that a gift does not wait for
    somebody to claim one. Answers how many were served.
    """
    if not publishing.is_published():
        return 0
    now = clock.read().now
    held = publishing.load_all().at(now)
    declared = {
        place: stock
        for terms in reward_terms.of(held.programme.rest).values()
        for place, stock in terms.shelves().items()
    }
    if not declared:
        return 0
    shelves.put_up(declared, programme_id=held.id)
    return len(claims.serve_waiting(list(declared), now=now))
