"""Gifts: rewards that the programme gives for no points, such as a milestone's (B8, B10).

A gift takes its piece from the reward's own shelf; when none is left it waits, and the next piece that comes
is its own. It counts for no member's limit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from loyalty import claims, publishing, reward_terms, shelves
from loyalty.claims import State
from loyalty.models import Claim
from loyalty.publishing import Programmes
from loyalty.reward_terms import Terms

# Why a gift was not given, as codes that grants keep.
NO_SUCH_REWARD, NOT_A_GIFT = "no_such_reward", "not_a_gift"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One gift to be given. `cause` names why, for ever; `why` explains it, with the code that gives it."""

    reward: str
    member_id: int
    cause: str
    programme_id: int
    why: Mapping[str, Any] = field(default_factory=dict)
    channel_id: int | None = None
    store_id: int | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What became of a wish: a claim, or why there is none."""

    claim_id: int | None = None
    refusal: str = ""
    is_new: bool = False


def owe(wishes: Sequence[Wish], *, now: datetime) -> list[Owed]:
    """Give gifts; answers each wish, in order, by a fixed number of statements.

    In the caller's transaction. A cause that was counted before is answered with its claim. Refusals:
    no_such_reward, and not_a_gift for a coupon, which the programme gives as a coupon.
    """
    assert connection.in_atomic_block, "a gift is given in the transaction of what it is given for"
    if not wishes:
        return []
    causes = {wish.cause for wish in wishes}
    known = dict(Claim.objects.filter(cause__in=causes).values_list("cause", "pk"))
    programmes = publishing.load_all()
    offered = _Offered(programmes, now)
    new: dict[str, Claim] = {}
    terms: dict[str, Terms | None] = {}
    for wish in wishes:
        found = terms[wish.cause] = offered.find(wish)
        if wish.cause not in known and wish.cause not in new and found and found.kind != "coupon":
            new[wish.cause] = _row(wish, found, now)
    if new:
        _stock(list(new.values()), offered, programmes.at(now).id, now)
        claims.write(list(new.values()), actor_id=None)
    return [_answer(wish, known, new, terms[wish.cause]) for wish in wishes]


class _Offered:
    """The rewards of the version that holds now, and of those by which gifts are given."""

    def __init__(self, programmes: Programmes, now: datetime) -> None:
        self.programmes = programmes
        self.current = reward_terms.of(programmes.at(now).programme.rest)
        self.older: dict[int, dict[str, Terms]] = {}

    def find(self, wish: Wish) -> Terms | None:
        """A reward as it is now, or as the gift's own version knew it."""
        if wish.reward in self.current:
            return self.current[wish.reward]
        if wish.programme_id not in self.older:
            rest = self.programmes.by_id(wish.programme_id).rest
            self.older[wish.programme_id] = reward_terms.of(rest)
        return self.older[wish.programme_id].get(wish.reward)

    def stock_of(self, code: str) -> int | None:
        """What was declared for the shelf that gifts of this reward are taken from."""
        known = [self.current, *self.older.values()]
        return next(rewards[code].stock for rewards in known if code in rewards)


def _row(wish: Wish, terms: Terms, now: datetime) -> Claim:
    return Claim(
        reward=terms.code,
        programme_id=wish.programme_id,
        member_id=wish.member_id,
        way=terms.ways[0],
        cause=wish.cause,
        why={**wish.why, "name": dict(terms.name)},
        channel_id=wish.channel_id,
        store_id=wish.store_id,
        order_id=wish.order_id,
        claimed_at=now,
    )


def _stock(new: Sequence[Claim], offered: _Offered, programme_id: int, now: datetime) -> None:
    """Take a piece for each as long as there are some; the others wait."""
    wanted = Counter(reward_terms.Place(claim.reward) for claim in new)
    declared = {place: offered.stock_of(place.reward) for place in wanted}
    if shelves.put_up(declared, programme_id=programme_id):
        claims.serve_waiting(list(declared), now=now)
    taken = {place.reward: [given.shelf_id] * given.pieces for place, given in shelves.take(wanted).items()}
    for claim in new:
        if taken[claim.reward]:
            claim.shelf_id = taken[claim.reward].pop()
        else:
            claim.state = State.WAITING


def _answer(wish: Wish, known: Mapping[str, int], new: Mapping[str, Claim], terms: Terms | None) -> Owed:
    if wish.cause in known:
        return Owed(claim_id=known[wish.cause])
    if wish.cause in new:
        return Owed(claim_id=new[wish.cause].pk, is_new=True)
    return Owed(refusal=NO_SUCH_REWARD if terms is None else NOT_A_GIFT)
