"""Grants as rows, for tests of what stands below them: tiers and growth value under a grant's name."""

from datetime import datetime

from loyalty.models import Grant, TierEvent
from loyalty.tier_events import end


def granted(
    programme_id: int, member: int, prize: str, value: str, *, at: datetime, occasion: str = "review:1"
) -> str:
    """A grant of a tier or of growth value; answers the cause under which it is handed out."""
    grant = Grant.objects.create(
        member_id=member,
        source=Grant.Source.ACTIVITY,
        code="review",
        prize=prize,
        value=value,
        occasion=occasion,
        cause=f"{occasion}:{prize}",
        programme_id=programme_id,
        happened_at=at,
    )
    return f"grant:{grant.cause}"


def taken_back(event: TierEvent) -> None:
    """End a tier whose grant came to nothing."""
    cause = event.cause.removeprefix("grant:")
    Grant.objects.filter(cause=cause).update(state=Grant.State.WITHDRAWN)
    end(event.pk, f"grant:{cause}", {"undone": True})
