"""A purse: one wallet in memory, with its lots and holds, and every rule by which points move.

Pure: it knows neither the database nor the clock. `loyalty.ledger` fills purses under a lock, the rules
here move points and note each change as a posting, and the ledger writes the postings down. So a single
redemption, a thousand orders and a question about last March all follow the same lines.

What holds after each step (ledger.md, laws 1-3):
balance = points in lots - debt; 0 <= held <= remaining in each lot; debt > 0 means nothing is available.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty.errors import HoldEnded, NotEnoughPoints


@dataclass(slots=True, eq=False)
class LotState:
    """Points earned together. `id` is None until the ledger has written the lot."""

    earned: int
    remaining: int
    earned_at: datetime
    available_from: datetime
    expires_at: datetime | None
    held: int = 0
    expired: int = 0
    order_id: int | None = None
    id: int | None = None
    touched: bool = False

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def is_ripe(self, now: datetime) -> bool:
        return self.available_from <= now

    def is_lapsed(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def is_spendable(self, now: datetime) -> bool:
        return self.remaining > self.held and self.available_from <= now and not self.is_lapsed(now)


@dataclass(slots=True, eq=False)
class HoldState:
    points: int
    expires_at: datetime
    parts: list[tuple[LotState, int]]
    cause: str = ""
    reason: str = ""
    channel_id: int | None = None
    state: str = "open"
    captured: int = 0
    ended_at: datetime | None = None
    id: int | None = None
    touched: bool = False
    entry: "Posting | None" = None


@dataclass(slots=True, eq=False)
class Origin:
    """Who and what stands behind a posting; the same for all postings of one cause."""

    cause: str
    happened_at: datetime
    reason: str = ""
    why: dict[str, Any] = field(default_factory=dict)
    channel_id: int | None = None
    store_id: int | None = None
    order_id: int | None = None
    actor_id: int | None = None
    programme_id: int | None = None


@dataclass(slots=True, eq=False)
class Posting:
    """One entry to be written: its points, its origin, the lots it moves, and the state it leaves."""

    kind: str
    points: int
    origin: Origin
    version: int
    balance_after: int
    debt_after: int
    moves: list[tuple[LotState, int]] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)  # rule code -> points it added
    id: int | None = None
    wallet_id: int = 0


@dataclass(slots=True)
class Figures:
    """What a member is told of their points at one instant."""

    balance: int
    available: int
    pending: int
    held: int
    debt: int
    expiring: int = 0
    expiring_at: datetime | None = None


def spend_order(lot: LotState) -> tuple[Any, ...]:
    """Nearest expiry first, then oldest, never-expiring last: nothing lapses that could be spent."""
    never = lot.expires_at is None
    return (never, lot.expires_at if not never else lot.earned_at, lot.earned_at, lot.id or 0)


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
    lots: list[LotState] = field(default_factory=list)
    holds: list[HoldState] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)

    # --- asking -------------------------------------------------------------------------------------

    def spendable(self, now: datetime) -> list[LotState]:
        """Lots that can be spent now, in the order they are spent."""
        return sorted((lot for lot in self.lots if lot.is_spendable(now)), key=spend_order)

    def available(self, now: datetime) -> int:
        """Points that can be spent now. Call `advance(now)` first: time may have moved points."""
        return 0 if self.debt else sum(lot.free for lot in self.lots if lot.is_spendable(now))

    def figures(self, now: datetime) -> Figures:
        """Every figure a member is shown, as of `now`, after `advance(now)`."""
        pending = sum(lot.free for lot in self.lots if not lot.is_ripe(now) and not lot.is_lapsed(now))
        next_to_go = [lot for lot in self.lots if lot.free > 0 and lot.expires_at and not lot.is_lapsed(now)]
        at = min((lot.expires_at for lot in next_to_go if lot.expires_at), default=None)
        return Figures(
            balance=self.balance,
            available=self.available(now),
            pending=pending,
            held=self.held,
            debt=self.debt,
            expiring=sum(lot.free for lot in next_to_go if lot.expires_at == at),
            expiring_at=at,
        )

    # --- time ---------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Let time pass: holds time out, lots lapse, ripened points pay debt, each at its own instant.

        Expiry is a function of time and not of a job: whoever opens the purse first writes it down.
        """
        for instant in self._instants(now):
            for hold in [hold for hold in self.holds if hold.state == "open" and hold.expires_at <= instant]:
                self._end_hold(hold, "timed_out", hold.expires_at)
            self._lapse(instant)
            self._settle(instant)

    def _instants(self, now: datetime) -> list[datetime]:
        instants = {hold.expires_at for hold in self.holds if hold.state == "open" and hold.expires_at <= now}
        for lot in self.lots:
            # Also a lot that is held whole: its hold may time out before it lapses.
            if lot.remaining > 0 and lot.expires_at is not None and lot.expires_at <= now:
                instants.add(lot.expires_at)
            if self.debt and lot.free > 0 and lot.available_from <= now:
                instants.add(lot.available_from)
        return sorted(instants)

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

    def _settle(self, instant: datetime) -> None:
        """Points that have become available pay debt first."""
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
        self._settle(now)
        return posting

    def redeem(self, points: int, origin: Origin, *, now: datetime) -> Posting:
        """Spend `points` > 0, nearest expiry first. Raises NotEnoughPoints and moves nothing when short."""
        assert self.is_whole, "spending needs the lots"
        available = self.available(now)
        if points > available:
            raise NotEnoughPoints(available=available, asked=points)
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
        return self._post("adjust", points, origin, self._draw(-points, now))

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

    def take_back(self, points: int, origin: Origin, *, own: Sequence[LotState], now: datetime) -> Posting:
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
        if not self.debt:
            for lot in self.spendable(now):
                taken = min(left, lot.free + gone.get(lot, 0))
                if taken:
                    moves.append((lot, -taken))
                    left -= taken
        self.debt += left
        if left:
            origin.why = {**origin.why, "debt": left}
        return self._post("take_back", -points, origin, moves)

    def shortage(self, points: int, *, own: Sequence[LotState], now: datetime) -> int:
        """How much of `points` a take-back would turn into debt."""
        own_free = sum(lot.free for lot in own)
        others = 0 if self.debt else sum(lot.free for lot in self.spendable(now) if lot not in own)
        return max(0, points - own_free - others)

    def give_back(
        self,
        parts: Iterable[tuple[LotState, int]],
        origin: Origin,
        *,
        now: datetime,
        reissue_until: datetime,
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
        posting = self._post("give_back", total, origin, moves)
        self._settle(now)
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
        self._settle(now)
        return hold.entry

    def release(self, hold: HoldState, *, now: datetime) -> None:
        """Let go of a hold. Points whose expiry passed while they were held lapse at once."""
        if hold.state != "open":
            raise HoldEnded(state=hold.state)
        self._end_hold(hold, "released", now)
        self._lapse(now)
        self._settle(now)

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
