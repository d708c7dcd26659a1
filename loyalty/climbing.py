"""How a member moves on the ladder of tiers: up at once, down in time, held up by what was given (B1).

Up when what was bought within the window meets a tier; down only when the tier's period and its grace have
run out and were not enough to keep it. A floor by hand and a cut hold a member up while they run; beneath
them what was earned goes on as it would. An invitation and a gift raise once, for as long as the tier lasts.
Pure: a `Climber` is one member in memory, and moves the same in the trade, at night and in a recount.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from loyalty.models import TierChange
from loyalty.purse import Purse
from loyalty.tier_terms import Tier
from loyalty.tiers import Event, History, Ladder, Step, explained

Reason = TierChange.Reason
GIVEN = {
    "floor": Reason.BY_HAND,
    "invitation": Reason.INVITED,
    "gift": Reason.GIVEN,
    "cut": Reason.CUT,
    "legacy": Reason.LEGACY,
}


class Before(NamedTuple):
    """How a member stood when they were merged: what was earned, and what was shown."""

    tier: str
    until: datetime | None
    seen_at: datetime | None
    shown: str
    shown_since: datetime | None
    shown_until: datetime | None


@dataclass(slots=True, eq=False)
class Climber:
    """One member on the ladder. `tier` and `until` are what is earned; the purse has what is shown.

    seen_at: up to when the beginnings and ends of what was given have been looked at; None when nothing
    ever was given, and then what is earned is what is shown.
    """

    purse: Purse
    history: History
    tier: str
    until: datetime | None
    seen_at: datetime | None = None
    steps: list[Step] = field(default_factory=list)
    touched: bool = False  # what is earned, or what of the given was looked at, has moved

    @property
    def stands(self) -> Before:
        """How the member stands now."""
        purse = self.purse
        shown = purse.tier, purse.tier_since, purse.tier_until
        return Before(self.tier, self.until, self.seen_at, *shown)

    # --- time -----------------------------------------------------------------------------------------

    def pass_time(self, ladder: Ladder, now: datetime) -> None:
        """Do what time has brought by `now`, in its order: periods that ran out, things given that ended."""
        while True:
            judged_at = self._judged_at(ladder)
            event = self._next_event(now)
            begins = event[0] if event else None
            if judged_at is not None and judged_at <= now and (begins is None or judged_at <= begins):
                self._judge(ladder, judged_at)
            elif event is not None:
                self.seen_at, self.touched = event[0], True
                self._turn(ladder, *event)
            else:
                break
        if self.seen_at is not None and self.seen_at < now:
            self.seen_at = now

    def next_at(self, ladder: Ladder) -> datetime | None:
        """When something changes by itself next, as far as is known now."""
        assert self.seen_at is not None, "only to whom something was given"
        coming = [
            at
            for event in self.history.events
            for at in (event.starts_at, event.ends_at)
            if at is not None and at > self.seen_at and (event.holds or at == event.starts_at)
        ]
        judged_at = self._judged_at(ladder)
        return min([*coming, *([judged_at] if judged_at else [])], default=None)

    def _judged_at(self, ladder: Ladder) -> datetime | None:
        if self.until is None:
            return None
        keep = ladder.tier(self.tier).keep
        return self.until + timedelta(days=keep.grace_days if keep else 0)

    def _next_event(self, now: datetime) -> tuple[datetime, Event, bool] | None:
        """What was given that begins (True) or ends (False) next, and when; None when nothing does by now."""
        if self.seen_at is None:
            return None
        coming = [
            (at, event, is_beginning)
            for event in self.history.events
            for at, is_beginning in ((event.starts_at, True), (event.ends_at, False))
            if at is not None and self.seen_at < at <= now and (event.holds or is_beginning)
        ]
        return min(coming, key=lambda found: (found[0], found[1].id), default=None)

    def _turn(self, ladder: Ladder, at: datetime, event: Event, begins: bool) -> None:
        if begins:
            self._begin(ladder, event, at)
        else:
            self._show(ladder, at, Reason.FLOOR_ENDED, {"event": event.id, **event.why})

    def _judge(self, ladder: Ladder, at: datetime) -> None:
        """The period that was earned has run out, and its grace: renew it, or go down."""
        tier, end = ladder.tier(self.tier), self.until
        assert end is not None
        if tier.keep is None:
            self.until, self.touched = None, True
            self._show(ladder, at, "", {})
            return
        is_kept, standing = ladder.is_kept(tier, self.history, at, end=end)
        why = explained(tier, standing, tier.keep.needs)
        if is_kept:
            zone = ladder.programme.time_zone
            self.until = tier.keep.renewed(end, zone, joined_at=self.history.joined_at)
            self.touched = True
            self._show(ladder, at, Reason.RENEWED, why)
            return
        merited, _figures = ladder.merited(self.history, at, end=end)
        lower = ladder.below(tier) if tier.keep.down == "one" else merited
        self._earn(ladder, max(lower, merited, key=lambda each: each.rank), at)
        self._show(ladder, at, Reason.LAPSED, why)

    # --- purchases ------------------------------------------------------------------------------------

    def promote(self, ladder: Ladder, *, since: datetime, now: datetime) -> None:
        """Raise the member when a purchase (or growth value) at or after `since` completes a qualification.

        An order heard late may complete a window that ended at a later purchase, so each is looked at.
        """
        if not ladder.could_rise(ladder.tier(self.tier).rank, self.history.everything()):
            return
        times = {purchase.paid_at for purchase in self.history.bought}
        times |= {grown.happened_at for grown in self.history.growth}
        for at in sorted(time for time in times if since <= time <= now):
            self.pass_time(ladder, at)
            tier, standing = ladder.merited(self.history, at)
            if tier.rank > ladder.tier(self.tier).rank:
                self._earn(ladder, tier, at)
                self._show(ladder, at, Reason.QUALIFIED, explained(tier, standing))

    def fall(self, ladder: Ladder, *, now: datetime) -> None:
        """After a refund, when the tier's policy is to reassess: at once, to fit, without grace."""
        tier = ladder.tier(self.tier)
        if tier.keep is None or tier.keep.on_refund != "reassess":
            return
        merited, standing = ladder.merited(self.history, now)
        if merited.rank < tier.rank:
            self._earn(ladder, merited, now)
            self._show(ladder, now, Reason.REFUND, explained(tier, standing))

    def adapt(self, ladder: Ladder, *, now: datetime) -> None:
        """A version of the programme has begun: nobody stands where there is no tier; who meets more rises.

        Whom the new version would not have let so high keeps the tier until its period ends.
        """
        merited, standing = ladder.merited(self.history, now)
        if self.tier not in ladder.by_code or merited.rank > ladder.tier(self.tier).rank:
            self._earn(ladder, merited, now)
        self._show(ladder, now, Reason.PROGRAMME, explained(merited, standing))

    # --- what is given --------------------------------------------------------------------------------

    def accept(self, ladder: Ladder, event: Event, *, now: datetime) -> None:
        """Something is given: from now on it is known, and it begins when its time has come."""
        self.history.events.append(event)
        self.seen_at, self.touched = max(self.seen_at or now, now), True
        if event.starts_at <= now:
            self._begin(ladder, event, now)

    def end(self, ladder: Ladder, event_id: int, why: dict[str, Any], *, now: datetime) -> None:
        """Something given ends early. Who was raised by it once goes back to what purchases merit."""
        ended = next(event for event in self.history.events if event.id == event_id)
        ended.ends_at = now
        self.seen_at, self.touched = max(self.seen_at or now, now), True
        merited, _standing = ladder.merited(self.history, now)
        if not ended.holds and self.tier == ended.tier and merited.rank < ladder.tier(self.tier).rank:
            self._earn(ladder, merited, now)
        self._show(ladder, now, Reason.FLOOR_ENDED, why)

    def _begin(self, ladder: Ladder, event: Event, at: datetime) -> None:
        tier = ladder.tier(event.tier)
        if not event.holds:
            self._raise(ladder, tier, at)
        self._show(ladder, at, GIVEN[event.kind], {"event": event.id, **event.why})

    def _raise(self, ladder: Ladder, tier: Tier, at: datetime) -> None:
        """To a higher tier for as long as it lasts; given again what one has, it begins anew."""
        have = ladder.tier(self.tier).rank
        if tier.rank > have:
            self._earn(ladder, tier, at)
        elif tier.rank == have and self.until is not None:
            again = self._lasts(ladder, tier, at)
            self.until = again if again is None else max(self.until, again)
            self.touched = True

    # --- merges ---------------------------------------------------------------------------------------

    def join(self, ladder: Ladder, other: "Climber", why: dict[str, Any], *, now: datetime) -> None:
        """Another member is the same person: the better tier of the two stays, over their joint history.

        `why` is completed by the tiers of both. The other goes on here until it is parted again.
        """
        mine, theirs = ladder.tier(self.tier), ladder.tier(other.tier)
        self.history = History.of([self.history, other.history], joined_at=self.history.joined_at)
        if theirs.rank > mine.rank:
            self.tier, self.until = other.tier, other.until
        elif theirs.rank == mine.rank:
            ends = [self.until, other.until]
            self.until = None if None in ends else max(end for end in ends if end is not None)
        if other.seen_at is not None:
            self.seen_at = max(self.seen_at or now, now)
        self.touched = True
        merited, _standing = ladder.merited(self.history, now)
        if merited.rank > ladder.tier(self.tier).rank:
            self._earn(ladder, merited, now)
        self._show(ladder, now, Reason.MERGED, why | {"tiers": [mine.code, theirs.code]})

    def resume(
        self,
        ladder: Ladder,
        before: "Before",
        history: History,
        why: dict[str, Any],
        *,
        merged_at: datetime,
        now: datetime,
    ) -> None:
        """A merge is undone: go on from where this member stood, by what was theirs alone since.

        What time and their own purchases would have done meanwhile is done at once, as one step.
        """
        alone = Purse(
            self.purse.wallet_id, self.purse.member_id, tier=before.shown, tier_until=before.shown_until
        )
        seen_at = before.seen_at or (merged_at if history.events else None)
        ahead = Climber(alone, history, before.tier, before.until, seen_at)
        ahead.pass_time(ladder, now)
        ahead.promote(ladder, since=merged_at, now=now)
        ahead.pass_time(ladder, now)
        self.history, self.touched = history, True
        self.tier, self.until, self.seen_at = ahead.tier, ahead.until, ahead.seen_at
        self._show(ladder, now, Reason.UNMERGED, why)
        if self.purse.tier == before.shown:
            self.purse.tier_since, self.purse.tier_touched = before.shown_since, True

    # --- moving ---------------------------------------------------------------------------------------

    def _lasts(self, ladder: Ladder, tier: Tier, at: datetime) -> datetime | None:
        if tier.keep is None:
            return None
        return tier.keep.until(at, ladder.programme.time_zone, joined_at=self.history.joined_at)

    def _earn(self, ladder: Ladder, tier: Tier, at: datetime) -> None:
        self.tier, self.until, self.touched = tier.code, self._lasts(ladder, tier, at), True

    def _show(self, ladder: Ladder, at: datetime, reason: str, why: dict[str, Any]) -> None:
        """Bring what is shown in line with what is earned and what is given; a change of it is a step."""
        code, until = self._shown(ladder, max(at, self.seen_at or at))
        purse, before = self.purse, self.purse.tier
        if until != purse.tier_until:
            purse.tier_until, purse.tier_touched = until, True
            self.mirror()
        if code == before and (reason != Reason.RENEWED or code != self.tier):
            return
        if code != before:
            purse.tier, purse.tier_since = code, at
            self.mirror()
        purse.tier_steps, purse.tier_touched = purse.tier_steps + 1, True
        self.steps.append(
            Step(
                wallet_id=purse.wallet_id,
                member_id=purse.member_id,
                position=purse.tier_steps,
                before=before,
                after=code,
                reason=str(reason),
                why=why,
                programme_id=ladder.programme_id,
                valid_until=until,
                happened_at=at,
            )
        )

    def mirror(self) -> None:
        """Show the same on the person's other wallets."""
        purse = self.purse
        for other in purse.kin:
            other.tier, other.tier_since, other.tier_until = purse.tier, purse.tier_since, purse.tier_until
            other.tier_touched = True

    def _shown(self, ladder: Ladder, at: datetime) -> tuple[str, datetime | None]:
        """The highest of what is earned and what holds the member up, and until when."""
        rank = ladder.tier(self.tier).rank
        code, ends = self.tier, [self.until]
        for event in self.history.events:
            if not event.holds or not event.runs_at(at) or event.tier not in ladder.by_code:
                continue
            held = ladder.by_code[event.tier].rank
            if held > rank:
                code, rank, ends = event.tier, held, [event.ends_at]
            elif held == rank and held > 0:
                ends.append(event.ends_at)
        known = [end for end in ends if end is not None]
        return code, max(known) if len(known) == len(ends) else None
