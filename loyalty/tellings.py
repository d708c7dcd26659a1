"""What the channels are told when points or tiers change: figures and ids, never personal data (A14)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loyalty.models import Coupon
from loyalty.purse import Posting, Purse
from loyalty.tiers import Step
from members.numbers import number_of
from members.outbox import Change


def points_changed(purse: Purse, postings: Sequence[Posting], channel_id: int | None) -> Change:
    """What the channels are told when a wallet moved: figures, and which entries made them (law 10)."""
    return Change(
        topic="points.changed",
        change=f"points:{purse.wallet_id}:{purse.version}",
        member_id=purse.member_id,
        channel_id=channel_id,
        payload={
            "member_no": number_of(purse.member_id),
            "points": sum(posting.points for posting in postings),
            "balance": sum(each.balance for each in purse.together),
            "debt": sum(each.debt for each in purse.together),
            "from_version": postings[0].version,
            "to_version": postings[-1].version,
        },
    )


def points_changes(purses: Iterable[Purse], channel_id: int | None) -> list[Change]:
    """As `points_changed`, for every wallet that has moved and is not written yet."""
    return [points_changed(purse, purse.postings[:], channel_id) for purse in purses if purse.postings]


def tier_changed(step: Step, channel_id: int | None) -> Change:
    return Change(
        topic="tier.changed",
        change=f"tier:{step.wallet_id}:{step.position}",
        member_id=step.member_id,
        channel_id=channel_id,
        payload={
            "member_no": number_of(step.member_id),
            "before": step.before,
            "after": step.after,
            "reason": str(step.reason),
            "valid_until": step.valid_until.isoformat() if step.valid_until else None,
        },
    )


def tier_ends(purse: Purse, warning_id: int) -> Change:
    """What the channels are told some time before a tier ends that will not be kept: a warning, no change."""
    return Change(
        topic="member.updated",
        change=f"tier-warning:{warning_id}",
        member_id=purse.member_id,
        channel_id=None,
        payload={
            "member_no": number_of(purse.member_id),
            "tier_ends": {
                "tier": purse.tier,
                "until": purse.tier_until.isoformat() if purse.tier_until else None,
            },
        },
    )


def coupon_changed(coupon: Coupon, what: str, channel_id: int | None) -> Change:
    """What the channels are told of a coupon: issued, or one more move (law 10)."""
    return Change(
        topic="coupon.changed",
        change=f"coupon:{coupon.pk}:{coupon.steps}",
        member_id=coupon.member_id,
        channel_id=channel_id,
        payload={
            "member_no": number_of(coupon.member_id) if coupon.member_id is not None else None,
            # Whoever knows the code of a bearer's coupon can use it: that one is told to nobody.
            "code": None if coupon.is_bearer else coupon.code,
            "campaign": coupon.campaign,
            "what": what,
            "state": coupon.state,
            "valid_until": coupon.valid_until.isoformat() if coupon.valid_until else None,
        },
    )


def reward_changed(
    claim_id: int, position: int, *, member_id: int, channel_id: int | None, payload: Mapping[str, Any]
) -> Change:
    """What the channels are told of a claim's step: which reward, and how far it is (B8)."""
    return Change(
        topic="reward.changed",
        change=f"claim:{claim_id}:{position}",
        member_id=member_id,
        channel_id=channel_id,
        payload={"member_no": number_of(member_id), "claim_id": claim_id, **payload},
    )
