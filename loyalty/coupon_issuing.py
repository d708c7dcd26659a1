"""Issuing coupons: to members for whatever reason, within quota and limit, each once per cause (B6).

One call serves a nightly birthday run as well as one reward. It costs the same few statements for one wish
as for a thousand, and takes its turn per campaign, so that nobody waits in vain: what keeps quota and
limit, and a cause from counting twice, are the constraints of the table.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from loyalty import coupon_codes, coupon_rows, coupon_terms, publishing
from loyalty.coupon_terms import Terms
from loyalty.models import Coupon, Wallet
from loyalty.publishing import Programmes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One coupon to be issued. `cause` names why, for ever; `member_id` None: for the bearer.

    code, valid_until: of a coupon that another system issued. Its campaign's tiers, quota and limit were that
    system's to keep; it counts for those that follow.
    """

    campaign: str
    member_id: int | None
    cause: str
    why: Mapping[str, Any] = field(default_factory=dict)
    programme_id: int | None = None  # None: the version that holds now
    order_id: int | None = None
    actor_id: int | None = None
    code: str = ""
    valid_until: datetime | None = None

    def validity(self, terms: Terms, now: datetime) -> tuple[datetime | None, datetime | None]:
        """From when, and before when, it can be used: as another system said, or by the terms."""
        return (None, self.valid_until) if self.valid_until is not None else terms.validity(now)


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of a wish: a coupon, or a reason of `loyalty.coupon_words` for none."""

    coupon_id: int | None = None
    code: str = ""
    refusal: str = ""
    is_new: bool = False


def issue(wishes: Sequence[Wish], *, now: datetime) -> list[Issued]:
    """Issue coupons within the caller's transaction; answers each wish, in order.

    now: the programme's time; validity is counted from it. A cause that was counted before is answered
    with its coupon. Refusals: no_such_coupon, over, needs_member, not_your_tier, limit_reached, quota_spent,
    code_taken.
    """
    assert connection.in_atomic_block, "the caller opens the transaction"
    if not wishes:
        return []
    programmes = publishing.load_all()
    held = programmes.at(now)
    terms = _terms(wishes, programmes, held.id)
    coupon_rows.take_turns([wish.campaign for wish in wishes])
    desk = _Desk(now, _known([wish.cause for wish in wishes]), wishes, terms, programmes.first_tier)
    codes = coupon_codes.draw(len(wishes))
    for place, wish in enumerate(wishes):
        version = wish.programme_id if wish.programme_id is not None else held.id
        desk.decide(place, wish, terms.get((version, wish.campaign)), version, next(codes))
    coupon_rows.add(list(desk.made.values()))
    return [desk.answer(wish) for wish in wishes]


class _Desk:
    """What is known while the wishes of one call are decided, one after the other."""

    def __init__(
        self,
        now: datetime,
        known: dict[str, Issued],
        wishes: Sequence[Wish],
        terms: Mapping[tuple[int, str], Terms],
        first_tier: str,
    ) -> None:
        self.now = now
        self.known = known
        self.made: dict[str, Coupon] = {}
        self.refused: dict[str, str] = {}
        fresh = [wish for wish in wishes if wish.cause not in known]
        self.last = coupon_rows.last_numbers([wish.campaign for wish in fresh])
        self.taken = coupon_rows.numbers_of_members(
            {(wish.campaign, wish.member_id) for wish in fresh if wish.member_id is not None}
        )
        self.codes = coupon_rows.codes_taken([wish.code for wish in fresh if wish.code])
        asks_tier = any(each.tiers for each in terms.values())
        self.first_tier = first_tier
        self.tiers = _tiers([wish.member_id for wish in fresh]) if asks_tier else {}

    def decide(self, place: int, wish: Wish, terms: Terms | None, programme_id: int, code: str) -> None:
        """Make the coupon of one wish, or note why not."""
        if wish.cause in self.known or wish.cause in self.made:
            return
        refusal = self._refusal(wish, terms)
        if refusal:
            self.refused[wish.cause] = refusal
            return
        assert terms is not None
        self.refused.pop(wish.cause, None)
        self.last[wish.campaign] += 1
        valid_from, valid_until = wish.validity(terms, self.now)
        self.codes.add(wish.code or code)
        self.made[wish.cause] = Coupon(
            campaign=wish.campaign,
            programme_id=programme_id,
            code=wish.code or code,
            number=self.last[wish.campaign],
            quota=None if wish.code else terms.quota,
            member_id=wish.member_id,
            member_number=self._next_of_member(wish),
            per_member=None if wish.code else terms.per_member,
            is_bearer=wish.member_id is None,
            cause=wish.cause,
            why=dict(wish.why),
            order_id=wish.order_id,
            actor_id=wish.actor_id,
            valid_from=valid_from,
            valid_until=valid_until,
            issued_at=self.now,
        )

    def _refusal(self, wish: Wish, terms: Terms | None) -> str:
        if terms is None:
            return "no_such_coupon"
        _starts, ends = wish.validity(terms, self.now)
        if ends is not None and ends <= self.now:
            return "over"
        if wish.code:
            return "code_taken" if wish.code in self.codes else ""
        if wish.member_id is None:
            if not terms.bearer:
                return "needs_member"
        elif terms.tiers and self.tiers.get(wish.member_id, self.first_tier) not in terms.tiers:
            return "not_your_tier"
        elif terms.per_member is not None:
            number = coupon_rows.free_number(self.taken[wish.campaign, wish.member_id])
            if number > terms.per_member:
                return "limit_reached"
        if terms.quota is not None and self.last[wish.campaign] >= terms.quota:
            return "quota_spent"
        return ""

    def _next_of_member(self, wish: Wish) -> int | None:
        if wish.member_id is None:
            return None
        taken = self.taken[wish.campaign, wish.member_id]
        number = coupon_rows.free_number(taken)
        taken.add(number)
        return number

    def answer(self, wish: Wish) -> Issued:
        """What became of a wish, once all are written."""
        if wish.cause in self.known:
            return self.known[wish.cause]
        coupon = self.made.get(wish.cause)
        if coupon is None:
            return Issued(refusal=self.refused[wish.cause])
        return Issued(coupon.pk, coupon.code, is_new=True)


def _terms(wishes: Sequence[Wish], programmes: Programmes, current_id: int) -> dict[tuple[int, str], Terms]:
    """The terms of every campaign that is wished for, by programme version and code."""
    asked = {
        (wish.programme_id if wish.programme_id is not None else current_id, wish.campaign) for wish in wishes
    }
    found = {pair: coupon_terms.find(programmes.by_id(pair[0]), pair[1]) for pair in asked}
    return {pair: terms for pair, terms in found.items() if terms is not None}


def _known(causes: Collection[str]) -> dict[str, Issued]:
    rows = Coupon.objects.filter(cause__in=set(causes)).values_list("cause", "id", "code")
    return {cause: Issued(id_, code) for cause, id_, code in rows}


def _tiers(member_ids: Collection[int | None]) -> dict[int, str]:
    wallets = Wallet.objects.filter(member__in={id_ for id_ in member_ids if id_ is not None})
    return dict(wallets.values_list("member_id", "tier"))
