"""What a purse holds and what moves in it, in memory: lots, holds, postings and their origin. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


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
