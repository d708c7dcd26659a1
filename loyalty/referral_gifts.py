"""What friends who count bring: for every friend, and the rungs of the ladder, each once (B9).

A rung is reached by the number of a person's friends who count, over merged members, and is had once; it is
withdrawn when that number falls below it again. What is for a friend is given to the one whose counting
reached the rung. The referrer is never told whose purchase it was: their grants name no order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from loyalty import conditions, milestones, referral_terms, situations, withdrawals
from loyalty.clock import Clock
from loyalty.grants import Wish
from loyalty.models import Grant, Referral, Wallet
from loyalty.prizes import Prize
from loyalty.publishing import Held, Programmes
from loyalty.referral_terms import About, ReferralTerms
from loyalty.situations import Buyers
from loyalty.tiers import Purchase

EACH = "each"


@dataclass(slots=True, kw_only=True)
class Referrers:
    """What the programme's conditions may ask of those who bring friends."""

    programmes: Programmes
    at: datetime
    bought: Mapping[int, Sequence[Purchase]] = field(default_factory=dict)  # by member, merged ones together
    buyers: Buyers = field(default_factory=Buyers)
    tiers: Mapping[int, str] = field(default_factory=dict)

    def read(self, member_ids: Iterable[int], asked: frozenset[str]) -> None:
        """Read what these fields need; nothing when no condition asks."""
        ids = sorted(set(member_ids))
        if asked:
            self.buyers = situations.load(asked, ids)
            self.tiers = dict(Wallet.objects.filter(member__in=ids).values_list("member_id", "tier"))

    def facts(self, member_id: int, about: About, held: Held) -> dict[str, str] | None:
        """What of the referrer fulfils a condition, as text; None when it is not fulfilled."""
        zone = held.programme.time_zone
        standing = milestones.Standing(
            member_id=member_id,
            tier=self.tiers.get(member_id) or held.programme.tiers[0].code,
            bought=self.bought.get(member_id, ()),
            buyers=self.buyers,
        )
        situation = milestones.situation(standing, self.at, zone)
        if not conditions.compile(about.when, zone).holds(situation):
            return None
        return milestones.facts_in_text(about.asks, situation)


def wishes_of(
    referral: Referral, friends: int, held: Held, terms: ReferralTerms, referrers: Referrers, now: Clock
) -> list[Wish]:
    """What is to be given because this friend counts now, the referrer's how-manieth they are."""
    factor, because = _factor(referral.referrer_id, held, terms, referrers)
    why = {"friends": friends, "referral": referral.pk}
    how = _How(referral, held, now, terms)
    occasion = f"referral:{EACH}:{referral.pk}:referrer"
    wishes = [
        how.to_referrer(EACH, prize, factor, {**why, **because}, occasion) for prize in terms.each.referrer
    ]
    wishes += [how.to_friend(EACH, prize, why) for prize in terms.each.friend]
    for count, sides in terms.rungs(friends):
        code = f"rung-{count}"
        wishes += [
            how.to_referrer(
                code, prize, factor, {**why, **because, "rung": count}, f"referral:{code}", per_person=True
            )
            for prize in sides.referrer
        ]
        if count == friends:
            wishes += [how.to_friend(code, prize, {**why, "rung": count}) for prize in sides.friend]
    return wishes


def _factor(
    member_id: int, held: Held, terms: ReferralTerms, referrers: Referrers
) -> tuple[Decimal, dict[str, Any]]:
    """By how much the referrer's points are multiplied, and why."""
    if terms.multiply is None:
        return Decimal(1), {}
    facts = referrers.facts(member_id, terms.multiply, held)
    if facts is None:
        return Decimal(1), {}
    return terms.factor, {"factor": str(terms.factor), "when": terms.multiply.document, "facts": facts}


@dataclass(frozen=True, slots=True)
class _How:
    """What the wishes of one friend share."""

    referral: Referral
    held: Held
    now: Clock
    terms: ReferralTerms

    def to_referrer(
        self, code: str, prize: Prize, factor: Decimal, why: dict[str, Any], occasion: str, **more: Any
    ) -> Wish:
        given = referral_terms.multiplied(prize, factor)
        because = dict(why)
        if given == prize:
            for name in ("factor", "when", "facts"):
                because.pop(name, None)
        else:
            because["base"] = prize.value
        return self._wish(self.referral.referrer_id, code, given, because, occasion, **more)

    def to_friend(self, code: str, prize: Prize, why: dict[str, Any]) -> Wish:
        occasion = f"referral:{code}:{self.referral.pk}:friend"
        return self._wish(
            self.referral.friend_id,
            code,
            prize,
            {**why, "side": "friend"},
            occasion,
            order_id=self.referral.order_id,
        )

    def _wish(
        self, member_id: int, code: str, prize: Prize, why: dict[str, Any], occasion: str, **more: Any
    ) -> Wish:
        return Wish(
            member_id=member_id,
            source=Grant.Source.REFERRAL,
            code=code,
            prize=prize,
            occasion=occasion,
            happened_at=self.now.now,
            programme=self.held,
            why=why,
            channel_id=self.referral.channel_id,
            refused="too_late" if self._is_late() else "",
            **more,
        )

    def _is_late(self) -> bool:
        """A friend of long ago, told by an old file, counts and sends nobody a coupon."""
        if self.referral.decided_at is not None or self.referral.due_at is None:
            return False
        late = timedelta(days=self.held.programme.grants.late_days)
        return self.now.recorded - self.referral.due_at > late


def take_back(referrals: Sequence[Referral], friends: Mapping[int, int], *, now: datetime) -> None:
    """Withdraw what friends who count no more had brought.

    friends: how many still count, by member who brought them, merged ones with their person's number.
    """
    gone = {referral.pk for referral in referrals}
    members = friends.keys() | {referral.friend_id for referral in referrals}
    standing = Grant.objects.filter(
        member__in=members, source=Grant.Source.REFERRAL, state=Grant.State.GIVEN
    ).order_by("id")
    withdrawals.withdraw([grant for grant in standing if _falls(grant, gone, friends)], now=now)


def _falls(grant: Grant, gone: set[int], friends: Mapping[int, int]) -> bool:
    is_rung = "rung" in grant.why and grant.why.get("side") != "friend"
    if is_rung:
        return grant.member_id in friends and grant.why["rung"] > friends[grant.member_id]
    return grant.why.get("referral") in gone
