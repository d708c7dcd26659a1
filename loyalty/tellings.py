"""What the channels are told when points or tiers change: figures and ids, never personal data (A14)."""

from collections.abc import Sequence

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
            "balance": purse.balance,
            "debt": purse.debt,
            "from_version": postings[0].version,
            "to_version": postings[-1].version,
        },
    )


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
