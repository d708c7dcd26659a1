"""Points. This module alone writes them.

Promises (ledger.md): a balance is the sum of its entries; every entry can be read alone; the same cause is
never counted twice; nothing is spent that is not there. Callers `lock()` first, move points by the rules
of `loyalty.purse`, then `append()`, all in one transaction. Wallets are locked in the order of their ids,
once per transaction, so that two batches cannot wait for each other.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from loyalty import clock
from loyalty.clock import Clock
from loyalty.purse import Figures, HoldState, LotState, Posting, Purse

_WALLET = "id, member_id, balance, held, debt, version, head, tier, tier_since, tier_until, tier_steps"
_LOT = "id, wallet_id, order_id, earned, remaining, held, expired, earned_at, available_from, expires_at"


@dataclass(slots=True, eq=False)
class Purses(Mapping[int, Purse]):
    """Purses by member, with the clock they were opened by."""

    clock: Clock
    by_member: dict[int, Purse] = field(default_factory=dict)
    by_order: dict[int, list[LotState]] = field(default_factory=lambda: defaultdict(list))

    def __getitem__(self, member_id: int) -> Purse:
        return self.by_member[member_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self.by_member)

    def __len__(self) -> int:
        return len(self.by_member)

    @property
    def now(self) -> datetime:
        return self.clock.now


# --- opening ----------------------------------------------------------------------------------------


def lock(
    member_ids: Iterable[int], *, first_tier: Callable[[], str], order_ids: Collection[int] = ()
) -> Purses:
    """Lock the members' wallets, making those that are missing, and open them at the present instant.

    `first_tier` is asked for the tier of new wallets. `order_ids`: orders whose own lots are wanted even
    when nothing is left in them. Time has passed in
    the purses when they are returned: what lapsed or timed out meanwhile is already posted.
    """
    assert connection.in_atomic_block, "the orchestrator opens the transaction"
    wanted = sorted(set(member_ids))
    rows = _lock_wallets(wanted)
    missing = sorted(set(wanted) - {row[1] for row in rows})
    if missing:
        _make_wallets(missing, first_tier())
        rows += _lock_wallets(missing)
    purses = _fill(rows, order_ids)
    for purse in purses.values():
        purse.advance(purses.now)
    return purses


def _lock_wallets(member_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_WALLET} FROM loyalty_wallet WHERE member_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [list(member_ids)],
        )
        return cursor.fetchall()


def _make_wallets(member_ids: Sequence[int], first_tier: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_wallet (member_id, balance, held, debt, version, head, tier, tier_steps)"
            " SELECT m, 0, 0, 0, 0, '', %s, 0 FROM unnest(%s::bigint[]) AS m ON CONFLICT DO NOTHING",
            [first_tier, list(member_ids)],
        )


def _fill(rows: Sequence[tuple[Any, ...]], order_ids: Collection[int] = ()) -> Purses:
    """Read lots and holds of the wallets, after their locks were taken."""
    purses = Purses(clock.read())
    by_wallet: dict[int, Purse] = {}
    for row in rows:
        wallet_id, member_id, balance, held, debt, version, head, tier, since, until, steps = row
        purse = Purse(
            wallet_id, member_id, balance, held, debt, version, bytes(head), tier, since, until, steps
        )
        by_wallet[purse.wallet_id] = purse
        purses.by_member[purse.member_id] = purse
    lots = _read_lots(list(by_wallet), order_ids)
    for wallet_id, lot in lots:
        by_wallet[wallet_id].lots.append(lot)
        if lot.order_id is not None:
            purses.by_order[lot.order_id].append(lot)
    if any(purse.held for purse in by_wallet.values()):
        _read_holds(by_wallet)
    return purses


def _read_lots(wallet_ids: list[int], order_ids: Collection[int]) -> list[tuple[int, LotState]]:
    statement = f"SELECT {_LOT} FROM loyalty_lot WHERE wallet_id = ANY(%s) AND remaining > 0"
    parameters: list[Any] = [wallet_ids]
    if order_ids:
        statement += (
            f" UNION ALL SELECT {_LOT} FROM loyalty_lot"
            " WHERE order_id = ANY(%s) AND wallet_id = ANY(%s) AND remaining = 0"
        )
        parameters += [list(order_ids), wallet_ids]
    with connection.cursor() as cursor:
        cursor.execute(statement + " ORDER BY id", parameters)
        return [(row[1], _lot(row)) for row in cursor.fetchall()]


def _lot(row: Sequence[Any]) -> LotState:
    id_, _wallet_id, order_id, earned, remaining, held, expired, earned_at, available_from, expires_at = row
    return LotState(earned, remaining, earned_at, available_from, expires_at, held, expired, order_id, id_)


def _read_holds(by_wallet: Mapping[int, Purse]) -> None:
    holding = [purse.wallet_id for purse in by_wallet.values() if purse.held]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.id, h.wallet_id, h.points, h.expires_at, h.cause, h.reason, h.channel_id,"
            " p.lot_id, p.points FROM loyalty_hold h JOIN loyalty_holdlot p ON p.hold_id = h.id"
            " WHERE h.wallet_id = ANY(%s) AND h.state = 'open' ORDER BY h.id, p.id",
            [holding],
        )
        holds: dict[int, HoldState] = {}
        for id_, wallet_id, points, expires_at, cause, reason, channel_id, lot_id, part in cursor.fetchall():
            purse = by_wallet[wallet_id]
            if id_ not in holds:
                holds[id_] = HoldState(points, expires_at, [], cause, reason, channel_id, id=id_)
                purse.holds.append(holds[id_])
            lot = next(lot for lot in purse.lots if lot.id == lot_id)
            holds[id_].parts.append((lot, part))


def redemptions(purses: Purses, causes: Mapping[str, int | None]) -> dict[str, list[tuple[LotState, int]]]:
    """Which lots redemptions drew on, by cause: lots and points in the order they were spent.

    `causes` says whose redemption is meant; another member's under the same cause is not returned. The
    lots join their purses, so that what is given back lands in them.
    """
    found: dict[str, list[tuple[LotState, int]]] = defaultdict(list)
    if not causes:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.cause, w.member_id, -m.points, l."
            + _LOT.replace(", ", ", l.")
            + " FROM loyalty_entry e"
            " JOIN loyalty_wallet w ON w.id = e.wallet_id JOIN loyalty_lotmove m ON m.entry_id = e.id"
            " JOIN loyalty_lot l ON l.id = m.lot_id"
            " WHERE e.kind = 'redeem' AND e.cause = ANY(%s) ORDER BY m.id",
            [list(causes)],
        )
        for cause, member_id, points, *row in cursor.fetchall():
            if causes[cause] != member_id:
                continue
            purse = purses[member_id]
            lot = next((lot for lot in purse.lots if lot.id == row[0]), None)
            if lot is None:
                lot = _lot(row)
                purse.lots.append(lot)
            found[cause].append((lot, points))
    return found


# --- writing ----------------------------------------------------------------------------------------


def append(purses: Purses, *, zone: ZoneInfo | None = None) -> list[Posting]:
    """Write every posting, lot, hold and wallet that moved, in one statement; returns the postings.

    `zone` tells on which local day a limited rule was used; it is wanted when some rule was.

    Raises IntegrityError naming `points_entry_once_per_cause` when a cause was counted before.
    """
    assert connection.in_atomic_block, "lock() the wallets first"
    moved = [
        purse for purse in sorted(purses.values(), key=lambda purse: purse.wallet_id) if _has_moved(purse)
    ]
    if not moved:
        return []
    postings = [posting for purse in moved for posting in purse.postings]
    new_lots = [lot for purse in moved for lot in purse.lots if lot.id is None]
    new_holds = [hold for purse in moved for hold in purse.holds if hold.id is None]
    _reserve_ids(postings, new_lots, new_holds)
    fresh = {id(lot) for lot in new_lots}
    # Writing the entries moves the heads of the chains, which the wallets then hold.
    entries = [row for purse in moved for row in _entry_rows(purse, purses.clock.recorded)]
    document = {
        "recorded_at": purses.clock.recorded.isoformat(),
        "wallets": [_wallet_row(purse) for purse in moved],
        "entries": entries,
        "lots": [
            _lot_row(purse, lot, is_new=id(lot) in fresh)
            for purse in moved
            for lot in purse.lots
            if lot.touched
        ],
        "moves": [
            {"entry_id": posting.id, "lot_id": lot.id, "points": points}
            for posting in postings
            for lot, points in posting.moves
        ],
        "holds": [_hold_row(purse, hold) for purse in moved for hold in purse.holds if hold.touched],
        "parts": [
            {"hold_id": hold.id, "lot_id": lot.id, "points": points}
            for hold in new_holds
            for lot, points in hold.parts
        ],
        "uses": [row for purse in moved for row in _use_rows(purse, zone)],
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT loyalty_append(%s::jsonb)", [json.dumps(document)])
    for purse in moved:
        purse.postings = []
        purse.tier_touched = False
        for lot in purse.lots:
            lot.touched = False
        for hold in purse.holds:
            hold.touched = False
    return postings


def _has_moved(purse: Purse) -> bool:
    return (
        bool(purse.postings)
        or purse.tier_touched
        or any(lot.touched for lot in purse.lots)
        or any(hold.touched for hold in purse.holds)
    )


def _reserve_ids(postings: list[Posting], lots: list[LotState], holds: list[HoldState]) -> None:
    wanted = (
        ("loyalty_entry_id_seq", postings),
        ("loyalty_lot_id_seq", lots),
        ("loyalty_hold_id_seq", holds),
    )
    rows = [row for _sequence, group in wanted for row in group]
    if not rows:
        return
    statement = " UNION ALL ".join(
        f"SELECT nextval('{sequence}') FROM generate_series(1, {len(group)})"
        for sequence, group in wanted
        if group
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for row, (id_,) in zip(rows, cursor.fetchall(), strict=True):
            row.id = id_


def link(
    previous: bytes,
    *,
    wallet_id: int,
    version: int,
    kind: str,
    points: int,
    balance_after: int,
    debt_after: int,
    cause: str,
    happened_at: datetime,
    recorded_at: datetime,
) -> bytes:
    """The hash that chains an entry to the one before it (law 11). `audit` recomputes it in SQL."""
    text = "|".join(
        (
            str(wallet_id),
            str(version),
            kind,
            str(points),
            str(balance_after),
            str(debt_after),
            cause,
            str(_microseconds(happened_at)),
            str(_microseconds(recorded_at)),
        )
    )
    return hashlib.sha256(previous + text.encode()).digest()


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _entry_rows(purse: Purse, recorded_at: datetime) -> list[dict[str, Any]]:
    rows = []
    for posting in purse.postings:
        origin = posting.origin
        purse.head = link(
            purse.head,
            wallet_id=purse.wallet_id,
            version=posting.version,
            kind=posting.kind,
            points=posting.points,
            balance_after=posting.balance_after,
            debt_after=posting.debt_after,
            cause=origin.cause,
            happened_at=origin.happened_at,
            recorded_at=recorded_at,
        )
        rows.append(
            {
                "id": posting.id,
                "wallet_id": purse.wallet_id,
                "version": posting.version,
                "kind": posting.kind,
                "points": posting.points,
                "balance_after": posting.balance_after,
                "debt_after": posting.debt_after,
                "cause": origin.cause,
                "reason": origin.reason,
                "why": origin.why,
                "channel_id": origin.channel_id,
                "store_id": origin.store_id,
                "order_id": origin.order_id,
                "actor_id": origin.actor_id,
                "programme_id": origin.programme_id,
                "happened_at": origin.happened_at.isoformat(),
                "hash": purse.head.hex(),
            }
        )
    return rows


def _wallet_row(purse: Purse) -> dict[str, Any]:
    return {
        "id": purse.wallet_id,
        "balance": purse.balance,
        "held": purse.held,
        "debt": purse.debt,
        "version": purse.version,
        "head": purse.head.hex(),
        "tier": purse.tier,
        "tier_since": _text(purse.tier_since),
        "tier_until": _text(purse.tier_until),
        "tier_steps": purse.tier_steps,
    }


def _lot_row(purse: Purse, lot: LotState, *, is_new: bool) -> dict[str, Any]:
    return {
        "is_new": is_new,
        "id": lot.id,
        "wallet_id": purse.wallet_id,
        "order_id": lot.order_id,
        "earned": lot.earned,
        "remaining": lot.remaining,
        "held": lot.held,
        "expired": lot.expired,
        "earned_at": _text(lot.earned_at),
        "available_from": _text(lot.available_from),
        "expires_at": _text(lot.expires_at),
    }


def _hold_row(purse: Purse, hold: HoldState) -> dict[str, Any]:
    return {
        "id": hold.id,
        "wallet_id": purse.wallet_id,
        "channel_id": hold.channel_id,
        "cause": hold.cause,
        "reason": hold.reason,
        "points": hold.points,
        "captured": hold.captured,
        "state": hold.state,
        "expires_at": _text(hold.expires_at),
        "ended_at": _text(hold.ended_at),
        "entry_id": hold.entry.id if hold.entry else None,
    }


def _use_rows(purse: Purse, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    return [
        {
            "rule": rule,
            "wallet_id": purse.wallet_id,
            "entry_id": posting.id,
            "day": posting.origin.happened_at.astimezone(zone).date().isoformat(),
            "points": points,
        }
        for posting in purse.postings
        for rule, points in posting.uses.items()
    ]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


# --- reading ----------------------------------------------------------------------------------------


def peek(member_ids: Iterable[int]) -> Purses:
    """Open purses without a lock, for looking only: what time has done is seen, and not written."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_WALLET} FROM loyalty_wallet WHERE member_id = ANY(%s)", [list(member_ids)])
        rows = cursor.fetchall()
    purses = _fill(rows)
    for purse in purses.values():
        purse.advance(purses.now)
    return purses


NOTHING = Figures(balance=0, available=0, pending=0, held=0, debt=0)


def figures(member_id: int) -> Figures:
    """A member's points now (B3). One who never had a wallet has nothing."""
    purses = peek([member_id])
    return purses[member_id].figures(purses.now) if purses else NOTHING


def figures_as_of(member_id: int, at: datetime) -> Figures:
    """What we would have answered at the instant `at`, by what had been recorded then (B3)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.wallet_id, e.balance_after, e.debt_after, e.version FROM loyalty_entry e"
            " JOIN loyalty_wallet w ON w.id = e.wallet_id"
            " WHERE w.member_id = %s AND e.recorded_at <= %s ORDER BY e.version DESC LIMIT 1",
            [member_id, at],
        )
        last = cursor.fetchone()
        if last is None:
            return NOTHING
        wallet_id, balance, debt, version = last
        cursor.execute(
            "SELECT l.id, l.wallet_id, l.order_id, l.earned, sum(m.points)::bigint, 0, 0,"
            " l.earned_at, l.available_from, l.expires_at"
            " FROM loyalty_lot l JOIN loyalty_lotmove m ON m.lot_id = l.id"
            " JOIN loyalty_entry e ON e.id = m.entry_id"
            " WHERE l.wallet_id = %s AND e.version <= %s"
            " GROUP BY l.id HAVING sum(m.points) > 0 ORDER BY l.id",
            [wallet_id, version],
        )
        lots = {row[0]: _lot(row) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT h.id, h.points, h.expires_at, p.lot_id, p.points FROM loyalty_hold h"
            " JOIN loyalty_holdlot p ON p.hold_id = h.id"
            " WHERE h.wallet_id = %s AND h.created_at <= %s AND (h.ended_at IS NULL OR h.ended_at > %s)"
            " ORDER BY h.id, p.id",
            [wallet_id, at, at],
        )
        holds: dict[int, HoldState] = {}
        for id_, points, expires_at, lot_id, part in cursor.fetchall():
            hold = holds.setdefault(id_, HoldState(points, expires_at, [], id=id_))
            hold.parts.append((lots[lot_id], part))
            lots[lot_id].held += part
    purse = Purse(wallet_id, member_id, balance, sum(hold.points for hold in holds.values()), debt, version)
    purse.lots, purse.holds = list(lots.values()), list(holds.values())
    purse.advance(at)
    return purse.figures(at)
