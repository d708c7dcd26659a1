"""A purse: one wallet in memory, with its lots and holds, and every rule by which points move.

Pure: it knows neither the database nor the clock. `loyalty.ledger` fills purses under a lock, the rules
here move points and note each change as a posting, and the ledger writes the postings down. So a single
redemption, a thousand orders and a question about last March all follow the same lines.

What holds after each step (ledger.md, laws 1-3):
balance = points in lots - debt; 0 <= held <= remaining in each lot; debt > 0 means nothing is available.

The purses of one person, whose members were merged, know each other (`kin`, set by `loyalty.persons`): what
is available and owed is that of all of them. What one spends and another has is moved over first, by two
postings of the same cause; so whatever is spent stands in the purse that spent it, and its refund too.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.errors import HoldEnded, NotEnoughPoints
from loyalty.lots import Figures, HoldState, LotState, Origin, Posting, spend_order

__all__ = ["Figures", "HoldState", "LotState", "Origin", "Posting", "Purse", "spend_order"]


@dataclass(slots=True, eq=False)
class Purse:
    wallet_id: int
    member_id: int
    balance: int = 0
    held: int = 0
    debt: int = 0
    version: int = 0
    head: bytes = b""
    tier: str = ""
    tier_since: datetime | None = None
    tier_until: datetime | None = None
    tier_steps: int = 0
    tier_touched: bool = False
    is_whole: bool = True  # False: its lots were not read, so it can only be added to
    is_head: bool = True  # False: merged into another of its kin, whose tier it shows
    kin: "list[Purse]" = field(default_factory=list)
    merges: dict[int, int] = field(default_factory=dict)  # by which merge a purse of the kin is the person's
    lots: list[LotState] = field(default_factory=list)
    holds: list[HoldState] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)

    # --- asking -------------------------------------------------------------------------------------

    @property
    def together(self) -> "list[Purse]":
        """All purses of the person, this one first."""
        return [self, *self.kin]

    def spendable(self, now: datetime) -> list[LotState]:
        """Lots that can be spent now, in the order they are spent."""
        return sorted((lot for lot in self.lots if lot.is_spendable(now)), key=spend_order)

    def available(self, now: datetime) -> int:
        """Points that can be spent now. Call `advance(now)` first: time may have moved points."""
        if any(purse.debt for purse in self.together):
            return 0
        return sum(lot.free for purse in self.together for lot in purse.lots if lot.is_spendable(now))

    def figures(self, now: datetime) -> Figures:
        """Every figure a member is shown, over all their purses, as of `now`, after `advance(now)`."""
        lots = [lot for purse in self.together for lot in purse.lots if not lot.is_lapsed(now)]
        next_to_go = [lot for lot in lots if lot.free > 0 and lot.expires_at]
        at = min((lot.expires_at for lot in next_to_go if lot.expires_at), default=None)
        return Figures(
            balance=sum(purse.balance for purse in self.together),
            available=self.available(now),
            pending=sum(lot.free for lot in lots if not lot.is_ripe(now)),
            held=sum(purse.held for purse in self.together),
            debt=sum(purse.debt for purse in self.together),
            expiring=sum(lot.free for lot in next_to_go if lot.expires_at == at),
            expiring_at=at,
        )

    # --- time ---------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Let time pass: holds time out, lots lapse, ripened points pay debt, each at its own instant.

        Expiry is a function of time and not of a job: whoever opens the purse first writes it down.
        """
        for instant in sorted({at for purse in self.together for at in purse._instants(now)}):
            for purse in self.together:
                purse._time_out(instant)
                purse._lapse(instant)
            self.settle(instant)

    def _instants(self, now: datetime) -> Iterable[datetime]:
        is_owing = any(purse.debt for purse in self.together)
        for hold in self.holds:
            if hold.state == "open" and hold.expires_at <= now:
                yield hold.expires_at
        for lot in self.lots:
            # Also a lot that is held whole: its hold may time out before it lapses.
            if lot.remaining > 0 and lot.expires_at is not None and lot.expires_at <= now:
                yield lot.expires_at
            if is_owing and lot.free > 0 and lot.available_from <= now:
                yield lot.available_from

    def _time_out(self, instant: datetime) -> None:
        for hold in self.holds:
            if hold.state == "open" and hold.expires_at <= instant:
                self._end_hold(hold, "timed_out", hold.expires_at)

    def _lapse(self, instant: datetime) -> None:
        for lot in self.lots:
            if lot.free <= 0 or not lot.is_lapsed(instant):
                continue
            points = lot.free
            # A lot lapses in parts when some of it was on hold: what had lapsed before tells them apart.
            # One that was heard of past its time has no number yet; the entry's own place names it.
            born_lapsed = f"lapse:{self.wallet_id}:{self.version + 1}"
            origin = Origin(
                cause=born_lapsed if lot.id is None else f"lot:{lot.id}:{lot.expired}",
                happened_at=lot.expires_at or instant,
                why={"earned_at": lot.earned_at.isoformat(), "earned": lot.earned, "points": points},
                order_id=lot.order_id,
            )
            lot.expired += points
            self._post("expire", -points, origin, [(lot, -points)])

    def settle(self, instant: datetime) -> None:
        """Points that have become available pay debt first: that of their own purse, then of its kin."""
        for purse in self.together:
            purse._pay_debt(instant)
        for debtor in sorted(self.together, key=lambda purse: purse.wallet_id) if self.kin else ():
            if debtor.debt:
                debtor._gather(debtor.debt, instant)
                debtor._pay_debt(instant)

    def _pay_debt(self, instant: datetime) -> None:
        if not self.debt:
            return
        moves: list[tuple[LotState, int]] = []
        before = self.debt
        for lot in self.spendable(instant):
            if not self.debt:
                break
            paid = min(self.debt, lot.free)
            self.debt -= paid
            moves.append((lot, -paid))
        if moves:
            origin = Origin(
                cause=f"settle:{self.wallet_id}:{self.version + 1}",
                happened_at=instant,
                why={"debt": before, "paid": before - self.debt},
            )
            self._post("settle", 0, origin, moves)

    # --- earning and spending -----------------------------------------------------------------------

    def earn(
        self,
        points: int,
        origin: Origin,
        *,
        available_from: datetime,
        expires_at: datetime | None,
        now: datetime,
        kind: str = "earn",
        earned_at: datetime | None = None,
    ) -> Posting:
        """Add a lot of `points` > 0. If it is ripe and there is debt, it pays the debt first.

        An old order's points may have lapsed before they were heard of: that is written down at once.
        earned_at: when they were earned, where that was before they came here.
        """
        lot = LotState(
            earned=points,
            remaining=0,
            earned_at=earned_at or origin.happened_at,
            available_from=available_from,
            expires_at=expires_at,
            order_id=origin.order_id,
        )
        self.lots.append(lot)
        posting = self._post(kind, points, origin, [(lot, points)])
        self._lapse(now)
        self.settle(now)
        return posting

    def redeem(self, points: int, origin: Origin, *, now: datetime) -> Posting:
        """Spend `points` > 0, nearest expiry first. Raises NotEnoughPoints and moves nothing when short."""
        assert self.is_whole, "spending needs the lots"
        available = self.available(now)
        if points > available:
            raise NotEnoughPoints(available=available, asked=points)
        self._gather(points, now)
        return self._post("redeem", -points, origin, self._draw(points, now))

    def adjust(self, points: int, origin: Origin, *, expires_at: datetime | None, now: datetime) -> Posting:
        """Correct by hand: add a lot that can be spent at once, or take what is available, as spending does.

        Nobody is put into debt by hand: raises NotEnoughPoints and moves nothing when short.
        """
        assert self.is_whole, "taking away needs the lots"
        if points > 0:
            return self.earn(
                points, origin, available_from=now, expires_at=expires_at, now=now, kind="adjust"
            )
        available = self.available(now)
        if -points > available:
            raise NotEnoughPoints(available=available, asked=-points)
        self._gather(-points, now)
        return self._post("adjust", points, origin, self._draw(-points, now))

    def _gather(self, points: int, now: datetime, taken: Mapping[LotState, int] | None = None) -> None:
        """Have here what of the next `points` in spend order lies in other purses of the person.

        taken: points of lots that are spoken for already.
        """
        if not self.kin:
            return
        lots = [(lot, purse) for purse in self.together for lot in purse.lots if lot.is_spendable(now)]
        brought: defaultdict[Purse, list[tuple[LotState, int]]] = defaultdict(list)
        for lot, purse in sorted(lots, key=lambda found: spend_order(found[0])):
            part = min(points, lot.free - (taken or {}).get(lot, 0))
            if part <= 0:
                continue
            points -= part
            if purse is not self:
                brought[purse].append((lot, part))
        for purse, parts in brought.items():
            self._bring(purse, parts, now)

    def _bring(self, source: "Purse", parts: Sequence[tuple[LotState, int]], now: datetime) -> None:
        """Move points over from another purse of the person: to lots that end when those would have."""
        total = sum(points for _lot, points in parts)
        cause = f"move:{source.wallet_id}:{source.version + 1}"
        why = {"merge": self.merges[source.wallet_id], "from": source.member_id, "to": self.member_id}
        source._post("move_out", -total, Origin(cause, now, why=why), [(lot, -part) for lot, part in parts])
        came = [
            (LotState(part, 0, lot.earned_at, lot.available_from, lot.expires_at), part)
            for lot, part in parts
        ]
        self.lots += [lot for lot, _part in came]
        self._post("move_in", total, Origin(cause, now, why=why), came)

    def _draw(self, points: int, now: datetime) -> list[tuple[LotState, int]]:
        moves: list[tuple[LotState, int]] = []
        for lot in self.spendable(now):
            if not points:
                break
            taken = min(points, lot.free)
            moves.append((lot, -taken))
            points -= taken
        return moves

    # --- refunds ------------------------------------------------------------------------------------

    def take_back(
        self,
        points: int,
        origin: Origin,
        *,
        own: Sequence[LotState],
        now: datetime,
        kind: str = "take_back",
    ) -> Posting:
        """Take back `points` > 0 that a refunded order had earned.

        First what is left of the order's own lots, pending or not; then other available points in the
        order they would be spent; the rest is debt. Holds and others' pending points stay untouched.
        """
        assert self.is_whole, "taking back needs the lots"
        moves: list[tuple[LotState, int]] = []
        left = points
        for lot in own:
            taken = min(left, lot.free)
            if taken:
                moves.append((lot, -taken))
                left -= taken
        gone = dict(moves)
        self._gather(left, now, {lot: -moved for lot, moved in moves})
        if not self.debt:
            for lot in self.spendable(now):
                taken = min(left, lot.free + gone.get(lot, 0))
                if taken:
                    moves.append((lot, -taken))
                    left -= taken
        self.debt += left
        if left:
            origin.why = {**origin.why, "debt": left}
        return self._post(kind, -points, origin, moves)

    def shortage(self, points: int, *, own: Sequence[LotState], now: datetime) -> int:
        """How much of `points` a take-back would turn into debt."""
        own_free = sum(lot.free for lot in own)
        spendable = [lot for purse in self.together for lot in purse.spendable(now) if lot not in own]
        others = 0 if any(purse.debt for purse in self.together) else sum(lot.free for lot in spendable)
        return max(0, points - own_free - others)

    def give_back(
        self,
        parts: Iterable[tuple[LotState, int]],
        origin: Origin,
        *,
        now: datetime,
        reissue_until: datetime,
        kind: str = "give_back",
    ) -> Posting:
        """Give back points an order was paid with: debt first, then to the lots they came from.

        `parts` are the lots and points to return. A lot that has lapsed meanwhile is issued anew with a
        grace (ledger.md, *refund of what was paid with points*).
        """
        total, reissued, paid = 0, 0, 0
        moves: list[tuple[LotState, int]] = []
        for lot, points in parts:
            total += points
            settled = min(self.debt, points)
            self.debt -= settled
            paid += settled
            points -= settled
            if points and lot.is_lapsed(now):
                reissued += points
            elif points:
                moves.append((lot, points))
        if reissued:
            lot = LotState(
                earned=reissued,
                remaining=0,
                earned_at=origin.happened_at,
                available_from=origin.happened_at,
                expires_at=reissue_until,
            )
            self.lots.append(lot)
            moves.append((lot, reissued))
        for key, figure in (("debt_paid", paid), ("reissued", reissued)):
            if figure:
                origin.why = {**origin.why, key: figure}
        posting = self._post(kind, total, origin, moves)
        self.settle(now)
        return posting

    # --- holds --------------------------------------------------------------------------------------

    def hold(
        self,
        points: int,
        *,
        cause: str,
        reason: str,
        channel_id: int | None,
        expires_at: datetime,
        now: datetime,
    ) -> HoldState:
        """Set `points` > 0 aside. Raises NotEnoughPoints now, so that capturing cannot."""
        available = self.available(now)
        if points > available:
            raise NotEnoughPoints(available=available, asked=points)
        self._gather(points, now)
        parts = [(lot, -taken) for lot, taken in self._draw(points, now)]
        for lot, taken in parts:
            lot.held += taken
            lot.touched = True
        self.held += points
        hold = HoldState(points, expires_at, parts, cause, reason, channel_id, touched=True)
        self.holds.append(hold)
        return hold

    def capture(self, hold: HoldState, points: int, origin: Origin, *, now: datetime) -> Posting:
        """Spend all or part of what a hold has set aside; what is left over is released."""
        if hold.state != "open":
            raise HoldEnded(state=hold.state)
        if points > hold.points:
            raise NotEnoughPoints(available=hold.points, asked=points)
        self._free(hold)
        moves: list[tuple[LotState, int]] = []
        left = points
        for lot, part in hold.parts:
            taken = min(left, part)
            if taken:
                moves.append((lot, -taken))
                left -= taken
        hold.state, hold.captured, hold.ended_at, hold.touched = "captured", points, now, True
        hold.entry = self._post("redeem", -points, origin, moves)
        self._lapse(now)
        self.settle(now)
        return hold.entry

    def release(self, hold: HoldState, *, now: datetime) -> None:
        """Let go of a hold. Points whose expiry passed while they were held lapse at once."""
        if hold.state != "open":
            raise HoldEnded(state=hold.state)
        self._end_hold(hold, "released", now)
        self._lapse(now)
        self.settle(now)

    def _end_hold(self, hold: HoldState, state: str, at: datetime) -> None:
        self._free(hold)
        hold.state, hold.ended_at, hold.touched = state, at, True

    def _free(self, hold: HoldState) -> None:
        for lot, part in hold.parts:
            lot.held -= part
            lot.touched = True
        self.held -= hold.points

    # --- writing ------------------------------------------------------------------------------------

    def _post(self, kind: str, points: int, origin: Origin, moves: list[tuple[LotState, int]]) -> Posting:
        for lot, moved in moves:
            lot.remaining += moved
            lot.touched = True
        self.balance += points
        self.version += 1
        posting = Posting(
            kind, points, origin, self.version, self.balance, self.debt, moves, wallet_id=self.wallet_id
        )
        self.postings.append(posting)
        return posting
