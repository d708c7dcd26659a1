"""The tiers' side of one transaction: members are opened under their wallets' lock, moved and written.

Whoever moves a tier goes this way: orders (`loyalty.settling`), what is given (`loyalty.tier_events`,
`loyalty.growth`), the night (`loyalty.nightly`) and, without writing, the recount (`loyalty.recount`).
Each look is written down with what it was made by, so that it can be repeated (law 8).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from loyalty import growth, tier_rows, tiers
from loyalty.climbing import Before, Climber
from loyalty.ledger import Purses
from loyalty.models import TierLook
from loyalty.publishing import Programmes
from loyalty.purse import Purse
from loyalty.tier_rows import GrowthRow, Known, Look
from loyalty.tiers import Ending, Event, Grown, History, Ladder, Purchase, Standing, Step
from members.orders import Heard

Kind = TierLook.Kind
NOT_COUNTED = frozenset({"placed", "cancelled"})


@dataclass(slots=True, eq=False)
class Ascent:
    """The climbers of one batch. Open it after the wallets are locked, and `write` before the ledger does."""

    programmes: Programmes
    now: datetime
    recorded_at: datetime
    climbers: dict[int, Climber] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    grown: list[GrowthRow] = field(default_factory=list)
    # Growth value of this batch's orders as it was before: while they wait their turn it does not count.
    before: dict[tuple[int, int], Grown] = field(default_factory=dict)
    ladders: dict[int, Ladder] = field(default_factory=dict)
    arrived: Look | None = None  # the look at the order whose turn it is
    purses: Mapping[int, Purse] = field(default_factory=dict)
    known: Mapping[int, Known] = field(default_factory=dict)  # by wallet
    joined: list[Climber] = field(default_factory=list)  # who climbs with another from now on
    forgotten: list[int] = field(default_factory=list)  # wallets to which nothing given is left

    @classmethod
    def open(cls, purses: Purses, programmes: Programmes, *, waiting: Collection[int] = ()) -> Self:
        """Read what is known of the purses' members; `waiting` are orders whose turn has not come."""
        ascent = cls(programmes, purses.now, purses.clock.recorded, purses=purses)
        known = tier_rows.read(
            [purse.wallet_id for purse in purses.values()],
            growth=programmes.asks_growth,
            joined=programmes.asks_joining,
        )
        ascent.known, later = known, frozenset(waiting)
        for purse in purses.values():
            if purse.is_head:
                ascent.add(purse, known, waiting=later)
        return ascent

    def add(
        self, purse: Purse, known: Mapping[int, Known], *, waiting: frozenset[int] = frozenset()
    ) -> Climber:
        """Put one person on the ladder, by what is known of each of their wallets."""
        parts = []
        for each in purse.together:
            mine = known.get(each.wallet_id) or Known()
            for grown in mine.growth:
                if grown.order_id in waiting:
                    self.before[each.wallet_id, grown.order_id] = grown
            growth = [grown for grown in mine.growth if grown.order_id not in waiting]
            parts.append(History(growth=growth, events=mine.events, joined_at=mine.joined_at))
        history = History.of(parts, joined_at=parts[0].joined_at) if purse.kin else parts[0]
        own = known.get(purse.wallet_id)
        tier, until, seen_at = (own.earned if own else None) or (purse.tier, purse.tier_until, None)
        climber = self.climbers[purse.member_id] = Climber(purse, history, tier, until, seen_at)
        return climber

    def of(self, member_id: int) -> Climber:
        """Who climbs for a member: the survivor of the person they are."""
        if member_id in self.climbers:
            return self.climbers[member_id]
        return self.climbers[next(each.member_id for each in self.purses[member_id].kin if each.is_head)]

    def _source(self, member_id: int, climber: Climber) -> int | None:
        """The wallet of a member who is not the one that climbs for them."""
        return None if climber.purse.member_id == member_id else self.purses[member_id].wallet_id

    def ladder(self, at: datetime) -> Ladder:
        """The tiers as the programme version in force at an instant has them."""
        version = self.programmes.at(at)
        if version.id not in self.ladders:
            self.ladders[version.id] = Ladder(version.programme, version.id)
        return self.ladders[version.id]

    @property
    def ends(self) -> list[datetime]:
        """When periods end that may be judged: purchases are wanted from before them."""
        both = [end for each in self.climbers.values() for end in (each.until, each.purse.tier_until)]
        return [end for end in both if end is not None]

    def since(self, *instants: datetime) -> datetime:
        """From when on purchases matter for these instants, for now and for what time may judge."""
        earliest = min([*instants, *self.ends, self.now])
        return min(self.ladder(at).since(earliest) for at in (earliest, self.now))

    def who_may_move(
        self, member_ids: Collection[int], instants: Collection[datetime], *, since: datetime
    ) -> set[int]:
        """The members whose tier some purchase since an instant may change: only theirs need be read.

        A tier whose time runs out is judged; one that all purchases together could not raise stays.
        """
        if self.programmes.asks_growth:
            return set(member_ids)
        ladders = {ladder.programme_id: ladder for ladder in map(self.ladder, {self.now, *instants})}.values()
        totals, nothing = tiers.totals(member_ids, since), Standing()
        return {
            member_id
            for member_id in member_ids
            if self._is_due(self.of(member_id))
            or any(
                ladder.could_rise(ladder.tier(self.of(member_id).tier).rank, totals.get(member_id, nothing))
                for ladder in ladders
            )
        }

    def _is_due(self, climber: Climber) -> bool:
        return climber.seen_at is not None or (climber.until is not None and climber.until <= self.now)

    @property
    def steps(self) -> list[Step]:
        """Every step taken, member by member."""
        return [step for climber in [*self.climbers.values(), *self.joined] for step in climber.steps]

    # --- orders ---------------------------------------------------------------------------------------

    def arrive(self, order: Heard, at: datetime, bought: Sequence[Purchase]) -> None:
        """An order's turn has come: what it counts is known from here on, and time passes up to it.

        `bought` is what its member has bought by now, the order included.
        """
        assert order.member_id is not None
        climber = self.of(order.member_id)
        counts = order.paid_at is not None and order.status not in NOT_COUNTED
        kept = max(order.kept, Decimal(0)) if counts else None
        total = self._grow(climber, order, order.member_id, at, kept)
        self.arrived = self._look(
            climber,
            Kind.ORDER,
            at,
            order_id=order.order_id,
            paid_at=order.paid_at,
            kept=kept,
            growth=total,
            source_id=self._source(order.member_id, climber),
        )
        self.count(climber, at, bought)

    def count(self, climber: Climber, at: datetime, bought: Sequence[Purchase]) -> None:
        """Let time pass up to an order, with what was bought by then."""
        climber.history.bought = bought
        climber.pass_time(self.ladder(at), min(at, self.now))

    def climb(self, member_id: int, at: datetime, *, fell: bool) -> None:
        """The order that has arrived raises its member, or, when less of it is kept than was, lowers them."""
        assert self.arrived is not None, "arrive() comes before"
        self.arrived.fell = fell
        self.move(self.of(member_id), at, fell=fell)

    def move(self, climber: Climber, at: datetime, *, fell: bool) -> None:
        """Raise a member by an order at `at`; lower them after a refund."""
        ladder = self.ladder(at)
        climber.promote(ladder, since=at, now=self.now)
        if fell:
            climber.fall(ladder, now=self.now)

    def leave(self, order: Heard, at: datetime) -> None:
        """The order is another member's now: it counts no more for whom it was told of before."""
        before = order.member_before
        if before is None or before not in self.purses:
            return
        climber = self.of(before)
        self._grow(climber, order, before, at, None, left=True)
        self._look(climber, Kind.LEFT, at, order_id=order.order_id, source_id=self._source(before, climber))

    def _grow(
        self,
        climber: Climber,
        order: Heard,
        member_id: int,
        at: datetime,
        kept: Decimal | None,
        *,
        left: bool = False,
    ) -> int:
        """Bring the growth value of a member's order to where it should stand; answers where that is."""
        wallet_id = self.purses[member_id].wallet_id
        before = self.before.pop((wallet_id, order.order_id), None)
        version = self.programmes.at(at)
        programme = self.programmes.by_id(before.programme_id) if before else version.programme
        target = growth.of_order(kept, programme.growth)
        happened_at = before.happened_at if before else order.paid_at or at
        programme_id = before.programme_id if before else version.id
        had = before.growth if before else 0
        if target != had:
            self.grown.append(
                GrowthRow(
                    wallet_id=wallet_id,
                    growth=target - had,
                    cause=f"order:{order.order_id}:{order.revision}{':left' if left else ''}",
                    why=growth.explained(kept, programme.growth, total=target, before=had),
                    channel_id=order.channel_id,
                    order_id=order.order_id,
                    programme_id=programme_id,
                    happened_at=happened_at,
                )
            )
        self.reveal(climber, Grown(happened_at, target, order.order_id, programme_id))
        return target

    def reveal(self, climber: Climber, grown: Grown) -> None:
        """Growth value counts from here on."""
        if grown.growth:
            climber.history.growth.append(grown)
            climber.history.growth.sort()

    # --- what is given --------------------------------------------------------------------------------

    def accept(self, member_id: int, event: Event, bought: Sequence[Purchase]) -> None:
        """A tier is given to a member."""
        climber = self.of(member_id)
        climber.history.bought = bought
        source_id = self._source(member_id, climber)
        self._look(climber, Kind.EVENT, self.now, event_id=event.id, source_id=source_id)
        climber.pass_time(self.ladder(self.now), self.now)
        climber.accept(self.ladder(self.now), event, now=self.now)

    def end(self, member_id: int, ending: Ending, bought: Sequence[Purchase]) -> None:
        """What was given to a member ends early."""
        climber = self.of(member_id)
        climber.history.bought = bought
        source_id = self._source(member_id, climber)
        self._look(climber, Kind.EVENT, self.now, event_id=ending.id, source_id=source_id)
        climber.pass_time(self.ladder(self.now), self.now)
        climber.end(self.ladder(self.now), ending.ends_id, ending.why, now=self.now)

    def give_growth(self, member_id: int, row: GrowthRow, bought: Sequence[Purchase]) -> None:
        """Growth value is given to a member for something other than an order."""
        climber = self.of(member_id)
        climber.history.bought = bought
        source_id = self._source(member_id, climber)
        self._look(climber, Kind.GROWTH, row.happened_at, growth=row.growth, source_id=source_id)
        self.grown.append(row)
        self.grow(climber, Grown(row.happened_at, row.growth, 0, row.programme_id))

    def grow(self, climber: Climber, grown: Grown) -> None:
        """Growth value that was given counts, and may raise."""
        climber.pass_time(self.ladder(self.now), self.now)
        self.reveal(climber, grown)
        climber.promote(self.ladder(self.now), since=grown.happened_at, now=self.now)
        climber.pass_time(self.ladder(self.now), self.now)

    # --- merges ---------------------------------------------------------------------------------------

    def set_aside(self, climber: Climber, merge_id: int) -> Before:
        """One of two who are about to be merged: time passes for each alone first, as each of them was.

        The survivor comes last. Answers how the member stands, to go on from there when it is undone.
        """
        self._look(climber, Kind.MERGED, self.now, merge_id=merge_id)
        climber.pass_time(self.ladder(self.now), self.now)
        return climber.stands

    def merge(self, survivor: Climber, other: Climber, why: dict[str, Any]) -> None:
        """Two persons are one from now on; their purses are of one kin already."""
        self.joined.append(self.climbers.pop(other.purse.member_id))
        survivor.join(self.ladder(self.now), other, why, now=self.now)
        survivor.mirror()

    def part(
        self,
        purse: Purse,
        before: Before,
        history: History,
        why: dict[str, Any],
        *,
        merge_id: int,
        merged_at: datetime,
    ) -> None:
        """A merge is undone: one of the two goes on from how they stood, with their own history."""
        climber = self.climbers.get(purse.member_id)
        if climber is None:  # merged until now: their path goes on where it stopped
            purse.tier, purse.tier_since, purse.tier_until = (
                before.shown,
                before.shown_since,
                before.shown_until,
            )
            purse.tier_touched = True
            climber = Climber(purse, history, before.tier, before.until, before.seen_at)
            self.climbers[purse.member_id] = climber
        had = climber.seen_at
        climber.history = history
        self._look(climber, Kind.UNMERGED, self.now, merge_id=merge_id)
        climber.resume(self.ladder(self.now), before, history, why, merged_at=merged_at, now=self.now)
        climber.mirror()
        if climber.seen_at is None and had is not None:
            self.forgotten.append(purse.wallet_id)

    # --- time -----------------------------------------------------------------------------------------

    def adapt(self, bought: Mapping[int, Sequence[Purchase]]) -> None:
        """A version of the programme has begun: look at everybody here."""
        for member_id, climber in self.climbers.items():
            climber.history.bought = bought.get(member_id, ())
            marks = self._marks(climber)
            self.sweep(climber)
            if self._marks(climber) != marks:
                self._look(climber, Kind.PROGRAMME, self.now)

    def sweep(self, climber: Climber) -> None:
        """Let time pass for one member, and bring them in line with the version of now."""
        climber.pass_time(self.ladder(self.now), self.now)
        climber.adapt(self.ladder(self.now), now=self.now)

    def close(self, bought: Mapping[int, Sequence[Purchase]]) -> None:
        """Let time pass up to now for everybody; who moved by it alone is looked at by it."""
        looked_at = {look.wallet_id for look in self.looks}
        for member_id, climber in self.climbers.items():
            climber.history.bought = bought.get(member_id, ())
            marks = self._marks(climber)
            climber.pass_time(self.ladder(self.now), self.now)
            if climber.purse.wallet_id not in looked_at and self._marks(climber) != marks:
                self._look(climber, Kind.TIME, self.now)

    def _marks(self, climber: Climber) -> tuple[Any, ...]:
        return climber.tier, climber.until, climber.purse.tier_steps, climber.purse.tier_until

    def _look(self, climber: Climber, kind: str, at: datetime, **what: Any) -> Look:
        look = Look(
            wallet_id=climber.purse.wallet_id,
            kind=kind,
            happened_at=at,
            seen_at=self.now,
            programme_id=self.programmes.newest_id,
            joined_at=climber.history.joined_at,
            **what,
        )
        self.looks.append(look)
        return look

    # --- writing --------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write looks, growth value, what was earned and steps; one statement each, when there is any."""
        ladder = self.ladder(self.now)
        tier_rows.write_looks(self.looks, self.recorded_at)
        tier_rows.write_growth(self.grown, self.recorded_at)
        tier_rows.write_earned(
            [
                tier_rows.earned_row(climber, climber.next_at(ladder))
                for climber in self.climbers.values()
                if climber.seen_at is not None
            ]
        )
        tier_rows.write_steps(self.steps)
        tier_rows.forget_earned(self.forgotten)


def purchases(
    purses: Mapping[int, Purse], member_ids: Collection[int], since: datetime
) -> Mapping[int, list[Purchase]]:
    """What members bought since an instant, as `tiers.purchases`; for merged members, what the person did."""
    wanted = {each.member_id for id_ in member_ids for each in purses[id_].together} if purses else set()
    bought = dict(tiers.purchases(wanted, since))
    for purse in [purses[id_] for id_ in wanted if purses[id_].kin and purses[id_].is_head]:
        together = [purchase for each in purse.together for purchase in bought.get(each.member_id, ())]
        together.sort(key=lambda purchase: (purchase.paid_at, purchase.order_id))
        for each in purse.together:
            bought[each.member_id] = together
    return bought
