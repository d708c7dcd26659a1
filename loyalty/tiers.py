"""Tiers: what purchases, growth value and the programme's words merit at an instant (B1).

Purchases count at the time they happened, growth value at the time it came about, and points spent never
move a tier (ledger.md, *Tiers*). Pure but for `purchases`: the rules are the same for one order, a thousand,
the nightly run and the recount. How a member moves by them is in `loyalty.climbing`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from loyalty.calendar import months_before
from loyalty.programme import Programme
from loyalty.tier_terms import Asked, Tier, Window
from members import columns


class Purchase(NamedTuple):
    """One order that counts: when it was paid, and how much of its net (yuan) was kept."""

    paid_at: datetime
    kept: Decimal
    order_id: int = 0


_paid_at = attrgetter("paid_at")


class Grown(NamedTuple):
    """Growth value that came about together: of one order, or given (order 0)."""

    happened_at: datetime
    growth: int
    order_id: int = 0
    programme_id: int = 0


@dataclass(slots=True, eq=False)
class Event:
    """Something that moves a tier besides purchases; `ends_at` is None while nothing ends it."""

    id: int
    kind: str
    tier: str
    starts_at: datetime
    ends_at: datetime | None
    why: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether it holds the member up while it runs; others raise once (invitations, gifts)."""
        return self.kind in ("floor", "cut", "legacy")

    def runs_at(self, instant: datetime) -> bool:
        """Whether it runs: from its beginning, before its end."""
        return self.starts_at <= instant and (self.ends_at is None or instant < self.ends_at)


class Ending(NamedTuple):
    """The early end of something given: the event that says so, and the one that it ends."""

    id: int
    ends_id: int
    why: dict[str, Any]


@dataclass(slots=True, eq=False)
class History:
    """What is known of one member: purchases and growth value sorted by time, what was given, joining."""

    bought: Sequence[Purchase] = ()
    growth: list[Grown] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    joined_at: datetime | None = None

    @classmethod
    def of(cls, parts: "Sequence[History]", *, joined_at: datetime | None) -> "History":
        """What is known of one person, of what is known of each of their members."""
        return cls(
            bought=sorted(
                (purchase for part in parts for purchase in part.bought),
                key=lambda purchase: (purchase.paid_at, purchase.order_id),
            ),
            growth=sorted(grown for part in parts for grown in part.growth),
            events=sorted((event for part in parts for event in part.events), key=lambda event: event.id),
            joined_at=joined_at,
        )

    def everything(self) -> "Standing":
        """All of it together, whenever it was."""
        kept = [purchase.kept for purchase in self.bought if purchase.kept > 0]
        return Standing(sum(kept, Decimal(0)), len(kept), sum(grown.growth for grown in self.growth))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on a member's path, not yet written down; before and after are the same when renewed."""

    wallet_id: int
    member_id: int
    position: int
    before: str
    after: str
    reason: str
    why: dict[str, Any]
    programme_id: int
    valid_until: datetime | None
    happened_at: datetime


@dataclass(slots=True)
class Standing:
    """What a window holds: yuan spent, orders kept, growth value."""

    spend: Decimal = Decimal(0)
    orders: int = 0
    growth: int = 0

    def meets(self, asked: Asked) -> bool:
        """Whether it holds what is asked."""
        return asked.reached(self.spend, self.orders, self.growth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One figure that a tier asks for, and what of it a member has. Spend in yuan."""

    what: str  # spend, orders, growth
    asked: Decimal
    have: Decimal

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), self.asked - self.have)

    @property
    def percent(self) -> int:
        """How much of it is there, in whole per cent up to 100."""
        return min(100, int(self.have * 100 / self.asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The way to one tier: each need, whether all of them are needed, and since when purchases count."""

    tier: Tier
    needs: tuple[Need, ...]
    needs_all: bool
    since: datetime


@dataclass(slots=True)
class Ladder:
    """The tiers of one programme version."""

    programme: Programme
    programme_id: int
    by_code: dict[str, Tier] = field(init=False)
    widest: Window = field(init=False)

    def __post_init__(self) -> None:
        self.by_code = {tier.code: tier for tier in self.programme.tiers}
        windows = [tier.qualify.window for tier in self.programme.tiers if tier.qualify]
        self.widest = max(windows, key=lambda window: window.months or 12, default=Window())

    @property
    def lowest(self) -> Tier:
        return self.programme.tiers[0]

    def tier(self, code: str) -> Tier:
        """The tier of that code; a code that this version no longer has stands for the lowest tier."""
        return self.by_code.get(code, self.lowest)

    def since(self, at: datetime) -> datetime:
        """From when on purchases matter for any judgement at `at`, its grace included."""
        asking = [tier.qualify for tier in self.programme.tiers if tier.qualify]
        months = max((asked.window.months or 12 for asked in asking), default=12)
        grace = max((tier.keep.grace_days for tier in self.programme.tiers if tier.keep), default=0)
        return months_before(at, months, self.programme.time_zone) - timedelta(days=grace + 2)

    # --- judging --------------------------------------------------------------------------------------

    def standing(
        self, history: History, window: Window, at: datetime, *, end: datetime | None = None
    ) -> Standing:
        """What a window holds at `at`; `end`: the end of the period that is judged, before its grace."""
        start = self._start(history, window, at, end)
        found, bought = Standing(), history.bought
        first, last = (bisect_right(bought, instant, key=_paid_at) for instant in (start, at))
        for purchase in bought[first:last]:
            if purchase.kept > 0:
                found.spend += purchase.kept
                found.orders += 1
        found.growth = sum(grown.growth for grown in history.growth if start < grown.happened_at <= at)
        return found

    def _start(self, history: History, window: Window, at: datetime, end: datetime | None) -> datetime:
        return window.start(at, self.programme.time_zone, joined_at=history.joined_at, end=end)

    def merited(
        self, history: History, at: datetime, *, end: datetime | None = None
    ) -> tuple[Tier, Standing]:
        """The highest tier that its window meets at `at`, with the figures that met it."""
        seen: dict[Window, Standing] = {}  # most tiers look at the same window
        for tier in reversed(self.programme.tiers):
            if tier.qualify is None or not tier.qualify.is_bought:
                continue
            window = tier.qualify.window
            if window not in seen:
                seen[window] = self.standing(history, window, at, end=end)
            if seen[window].meets(tier.qualify):
                return tier, seen[window]
        if self.widest not in seen:
            seen[self.widest] = self.standing(history, self.widest, at, end=end)
        return self.lowest, seen[self.widest]

    def is_kept(self, tier: Tier, history: History, at: datetime, *, end: datetime) -> tuple[bool, Standing]:
        """Whether the period that ended at `end` is enough to keep a tier, judged at `at`; its figures."""
        merited, standing = self.merited(history, at, end=end)
        if merited.rank >= tier.rank:
            return True, standing
        window = tier.qualify.window if tier.qualify else Window()
        own = self.standing(history, window, at, end=end)
        needs = tier.keep.needs if tier.keep else None
        return needs is not None and own.meets(needs), own

    def could_rise(self, rank: int, everything: Standing) -> bool:
        """Whether everything together, whenever it was, would meet a higher tier than `rank`: mostly not."""
        return any(
            tier.qualify is not None and tier.qualify.is_bought and everything.meets(tier.qualify)
            for tier in self.programme.tiers[rank + 1 :]
        )

    def below(self, tier: Tier) -> Tier:
        """The next tier down that everybody can stand in: not one of the invited, or of the top."""
        return next(lower for lower in reversed(self.programme.tiers[: max(1, tier.rank)]) if lower.is_bought)

    # --- telling --------------------------------------------------------------------------------------

    def progress(self, code: str, history: History, now: datetime) -> Progress | None:
        """The way to the next tier that purchases lead to; None at the top."""
        for tier in self.programme.tiers[self.tier(code).rank + 1 :]:
            if tier.qualify is not None and tier.qualify.is_bought:
                return self._way(tier, tier.qualify, history, now)
        return None

    def to_keep(self, code: str, history: History, now: datetime) -> Progress | None:
        """What keeping the present tier asks, and what of it is there; None where it does not run out."""
        tier = self.tier(code)
        if tier.keep is None or tier.qualify is None:
            return None
        asked = tier.keep.needs or tier.qualify
        return self._way(tier, asked, history, now) if _figures(asked) else None

    def _way(self, tier: Tier, asked: Asked, history: History, now: datetime) -> Progress:
        window = tier.qualify.window if tier.qualify else Window()
        standing = self.standing(history, window, now)
        return Progress(
            tier=tier,
            needs=tuple(
                Need(what=what, asked=Decimal(figure), have=Decimal(getattr(standing, what)))
                for what, figure in _figures(asked)
            ),
            needs_all=asked.mode == "all",
            since=self._start(history, window, now, None),
        )


def _figures(asked: Asked) -> list[tuple[str, Decimal | int]]:
    named = [(what, getattr(asked, what)) for what in ("spend", "orders", "growth")]
    return [(what, figure) for what, figure in named if figure is not None]


def explained(tier: Tier, standing: Standing, asked: Asked | None = None) -> dict[str, Any]:
    """The numbers behind a judgement, as they are kept with the step: what there was, and what was asked."""
    asked = asked or tier.qualify
    why: dict[str, Any] = {"spend": str(standing.spend), "orders": standing.orders}
    if standing.growth or (asked is not None and asked.growth is not None):
        why["growth"] = standing.growth
    needs: dict[str, Any] = {}
    if tier.qualify is not None:
        window = tier.qualify.window
        needs = {"months": window.months} if window.months is not None else {}
        needs |= {"window": "calendar" if window.calendar else "anniversary"} if not needs else {}
    if asked is not None:
        needs["mode"] = asked.mode
        needs |= {
            what: str(figure) if isinstance(figure, Decimal) else figure for what, figure in _figures(asked)
        }
    return why | {"needs": needs}


# --- reading ----------------------------------------------------------------------------------------

_COUNTS = "status NOT IN ('placed', 'cancelled')"
# Of whom, and since when, are the two parameters.
_BOUGHT = f"FROM members_order WHERE member_id = ANY(%s::bigint[]) AND paid_at > %s AND {_COUNTS}"
_PURCHASE = "paid_at, greatest(net - refunded_goods, 0), id"


def purchases(member_ids: Collection[int], since: datetime) -> Mapping[int, list[Purchase]]:
    """What members bought and kept since an instant, oldest first: paid orders that were not cancelled."""
    bought: dict[int, list[Purchase]] = defaultdict(list)
    if not member_ids:
        return bought
    rows = columns.ask(
        f"SELECT member_id, {_PURCHASE} {_BOUGHT} ORDER BY member_id, paid_at, id",
        [columns.numbers(member_ids), since],
    )
    for member_id, paid_at, kept, order_id in rows:
        bought[member_id].append(Purchase(paid_at, kept, order_id))
    return bought


def totals(member_ids: Collection[int], since: datetime) -> Mapping[int, Standing]:
    """The sums of what `purchases` would return: for most members they tell that nothing moves.

    Who has bought for years has as many orders as a batch; adding them up here would read them all.
    """
    if not member_ids:
        return {}
    rows = columns.ask(
        f"SELECT member_id, sum(net - refunded_goods), count(*) {_BOUGHT}"
        " AND net > refunded_goods GROUP BY member_id",
        [columns.numbers(member_ids), since],
    )
    return {member_id: Standing(spend, orders) for member_id, spend, orders in rows}


class Beginning(NamedTuple):
    """A member's first purchase of which something is kept, and how many such there are since an instant."""

    first: Purchase
    purchases: int


def beginnings(member_ids: Collection[int], since: datetime) -> Mapping[int, Beginning]:
    """How members began, and how much they bought since an instant; who kept nothing has no beginning.

    Each is one look into the index, however long ago the first purchase was.
    """
    if not member_ids:
        return {}
    rows = columns.ask(
        f"""
        SELECT asked.id, first.paid_at, first.kept, first.id,
               (SELECT count(*) FROM members_order WHERE member_id = asked.id AND paid_at > %s
                                                     AND {_COUNTS} AND net > refunded_goods)
          FROM unnest(%s::bigint[]) AS asked(id) CROSS JOIN LATERAL (
               SELECT paid_at, net - refunded_goods AS kept, id FROM members_order
                WHERE member_id = asked.id AND paid_at IS NOT NULL AND {_COUNTS} AND net > refunded_goods
                ORDER BY paid_at, id LIMIT 1) AS first
        """,
        [since, columns.numbers(member_ids)],
    )
    return {member_id: Beginning(Purchase(*first), bought) for member_id, *first, bought in rows}


def whole_history(member_id: int) -> Sequence[Purchase]:
    """Everything one person ever bought and kept, under every member that is them, oldest first."""
    rows = columns.ask(
        f"SELECT {_PURCHASE} FROM members_order WHERE member_id IN (SELECT members_same_person(%s))"
        f" AND paid_at > %s AND {_COUNTS} ORDER BY paid_at, id",
        [member_id, datetime.min.replace(tzinfo=UTC)],
    )
    return [Purchase(*row) for row in rows]
