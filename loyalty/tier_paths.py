"""A member's path through the tiers, for looking only: where they stand, why, and what leads on (B1, B14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum

from loyalty import ascents, ledger, publishing, tier_words
from loyalty.ascents import Ascent
from loyalty.ledger import Purses
from loyalty.models import GrowthEntry, TierChange, TierEvent
from loyalty.publishing import Held, Programmes
from loyalty.purse import Purse
from loyalty.tier_terms import Tier
from loyalty.tiers import History, Ladder, Progress
from members import survivors

STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a member stands now. `purse` is None for one who never had a wallet."""

    purse: Purse | None
    purses: Purses
    ladder: Ladder
    held: Held
    history: History
    now: datetime

    @property
    def tier(self) -> Tier:
        return self.ladder.tier(self.purse.tier if self.purse else "")

    @property
    def next(self) -> Progress | None:
        """The way to the next tier; None at the top."""
        return self.ladder.progress(self.tier.code, self.history, self.now)

    @property
    def to_keep(self) -> Progress | None:
        """What keeping the tier asks; None where it does not run out."""
        return self.ladder.to_keep(self.tier.code, self.history, self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """One step in words: from where to where, why with its numbers, by which version."""

    position: int
    before: str
    after: str
    before_name: str
    after_name: str
    reason: str
    reason_label: str
    sentence: str
    why: Mapping[str, Any]
    version: int
    valid_until: datetime | None
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Something given that runs or will: a floor, a cut."""

    id: int
    kind_label: str
    tier: str
    tier_name: str
    reason: str
    starts_at: datetime
    ends_at: datetime | None


def stand(member_id: int) -> Standing:
    """Where a member stands now, with what leads to and keeps their tier."""
    programmes, purses = publishing.load_all(), ledger.peek([member_id])
    held = programmes.at(purses.now)
    ascent = Ascent.open(purses, programmes)
    bought = ascents.purchases(purses, list(purses), ascent.since())
    climber = ascent.of(member_id) if member_id in purses else None
    history = climber.history if climber else History()
    history.bought = bought.get(member_id, ())
    return Standing(
        purse=purses.by_member.get(member_id),
        purses=purses,
        ladder=ascent.ladder(purses.now),
        held=held,
        history=history,
        now=purses.now,
    )


def steps(member_id: int, *, limit: int = STEPS) -> list[PathStep]:
    """The steps a member took, latest first, each with why."""
    programmes = publishing.load_all()
    rows = TierChange.objects.filter(wallet__member=member_id).select_related("programme")
    return [_step(row, programmes) for row in rows.order_by("-position")[:limit]]


def _step(row: TierChange, programmes: Programmes) -> PathStep:
    programme = programmes.by_id(row.programme_id)
    return PathStep(
        position=row.position,
        before=row.before,
        after=row.after,
        before_name=programme.tier_called(row.before),
        after_name=programme.tier_called(row.after),
        reason=row.reason,
        reason_label=str(TierChange.Reason(row.reason).label),
        sentence=tier_words.sentence(row.reason, row.why),
        why=row.why,
        version=row.programme.number,
        valid_until=row.valid_until,
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
    )


def given(standing: Standing) -> list[Given]:
    """What holds the member up now or will, as far as is known."""
    programme = standing.held.programme
    return [
        Given(
            id=event.id,
            kind_label=str(TierEvent.Kind(event.kind).label),
            tier=event.tier,
            tier_name=programme.tier_called(event.tier),
            reason=str(event.why.get("reason", "")) or tier_words.given(event.kind, event.why),
            starts_at=event.starts_at,
            ends_at=event.ends_at,
        )
        for event in standing.history.events
        if event.holds and (event.ends_at is None or event.ends_at > standing.now)
    ]


def growth(member_id: int, *, limit: int = STEPS) -> list[GrowthEntry]:
    """The growth value a member came by or lost, latest first."""
    rows = GrowthEntry.objects.filter(wallet__member__in=survivors.same_person(member_id)).select_related(
        "order", "channel"
    )
    return list(rows.order_by("-happened_at", "-id")[:limit])


def growth_in_all(member_id: int) -> int:
    """All growth value of a member, whenever it was."""
    rows = GrowthEntry.objects.filter(wallet__member__in=survivors.same_person(member_id))
    return int(rows.aggregate(total=Sum("growth"))["total"] or 0)
