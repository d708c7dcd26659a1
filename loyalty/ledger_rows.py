"""What moved, as the rows of one call of `loyalty_append`; `loyalty.ledger` alone calls it, and says when."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.purse import HoldState, LotState, Posting, Purse
from members import columns, outbox
from members.outbox import Change

# What `loyalty_append` is given, column by column, as its parameters follow each other.
_ENTRY_COLUMNS = (
    ("wallet_id", "bigint", columns.numbers),
    ("version", "int", columns.numbers),
    ("kind", "text", columns.words),
    ("points", "bigint", columns.numbers),
    ("balance_after", "bigint", columns.numbers),
    ("debt_after", "bigint", columns.numbers),
    ("cause", "text", columns.texts),
    ("reason", "text", columns.texts),
    ("why", "text", columns.texts),
    ("channel_id", "bigint", columns.numbers),
    ("store_id", "bigint", columns.numbers),
    ("order_id", "bigint", columns.numbers),
    ("actor_id", "int", columns.numbers),
    ("programme_id", "bigint", columns.numbers),
    ("happened_at", "timestamptz", columns.times),
    ("hash", "bytea", columns.blobs),
)
_LOT_COLUMNS = (
    ("id", "bigint", columns.numbers),
    ("wallet_id", "bigint", columns.numbers),
    ("order_id", "bigint", columns.numbers),
    ("earned", "bigint", columns.numbers),
    ("remaining", "bigint", columns.numbers),
    ("held", "bigint", columns.numbers),
    ("expired", "bigint", columns.numbers),
    ("earned_at", "timestamptz", columns.times),
    ("available_from", "timestamptz", columns.times),
    ("expires_at", "timestamptz", columns.times),
)
_MOVE_COLUMNS = (
    ("entry", "int", columns.numbers),
    ("lot", "int", columns.numbers),
    ("points", "bigint", columns.numbers),
)
_WALLET_COLUMNS = (
    ("id", "bigint", columns.numbers),
    ("balance", "bigint", columns.numbers),
    ("held", "bigint", columns.numbers),
    ("debt", "bigint", columns.numbers),
    ("version", "int", columns.numbers),
    ("head", "bytea", columns.blobs),
    ("tier", "text", columns.texts),
    ("tier_since", "timestamptz", columns.times),
    ("tier_until", "timestamptz", columns.times),
    ("tier_steps", "int", columns.numbers),
)
_APPENDED = (*_ENTRY_COLUMNS, *_LOT_COLUMNS, *_MOVE_COLUMNS, *_WALLET_COLUMNS)
_APPEND = (
    "SELECT loyalty_append(%s::timestamptz, "
    + "".join(f"%s::{kind}[], " for _, kind, _ in _APPENDED)
    + "%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::jsonb)"
)


def append(
    moved: Sequence[Purse],
    postings: Sequence[Posting],
    lots: Sequence[tuple[Purse, LotState]],
    holds: Sequence[tuple[Purse, HoldState]],
    told: Sequence[Change],
    *,
    recorded_at: datetime,
    zone: ZoneInfo | None,
) -> Mapping[str, list[int]] | None:
    """Write purses, what moved in them and what is told of it; the ids of `entries`, `lots` and `holds`.

    None when a cause was counted before: then nothing was written.
    """
    places = {
        id(each): place
        for group in (postings, _seconds(lots), _seconds(holds))
        for place, each in enumerate(group, 1)
    }
    # Writing the entries moves the heads of the chains, which the wallets then hold.
    entries = [row for purse in moved for row in _entry_rows(purse, recorded_at)]
    moves = (
        (places[id(posting)], places[id(lot)], points)
        for posting in postings
        for lot, points in posting.moves
    )
    rest = {
        "holds": [_hold_row(purse, hold, places) for purse, hold in holds],
        "parts": [
            {"hold": places[id(hold)], "lot": places[id(lot)], "points": points}
            for _purse, hold in holds
            if hold.id is None
            for lot, points in hold.parts
        ],
        "uses": [row for posting in postings for row in _use_rows(posting, places[id(posting)], zone)],
    }
    [(written,)] = columns.ask(
        _APPEND,
        [
            recorded_at,
            *columns.of_rows(_ENTRY_COLUMNS, entries),
            *columns.of_rows(_LOT_COLUMNS, (_lot_row(purse, lot) for purse, lot in lots)),
            *columns.of_rows(_MOVE_COLUMNS, moves),
            *columns.of_rows(_WALLET_COLUMNS, map(_wallet_row, moved)),
            *outbox.rows(told),
            columns.document({name: some for name, some in rest.items() if some}),
        ],
    )
    ids: Mapping[str, list[int]] | None = json.loads(written) if written is not None else None
    return ids


def _seconds(pairs: Sequence[tuple[Purse, Any]]) -> list[Any]:
    return [second for _purse, second in pairs]


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


def _entry_rows(purse: Purse, recorded_at: datetime) -> list[columns.Row]:
    rows: list[columns.Row] = []
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
            (
                purse.wallet_id,
                posting.version,
                posting.kind,
                posting.points,
                posting.balance_after,
                posting.debt_after,
                origin.cause,
                origin.reason,
                columns.document(origin.why),
                origin.channel_id,
                origin.store_id,
                origin.order_id,
                origin.actor_id,
                origin.programme_id,
                origin.happened_at,
                purse.head,
            )
        )
    return rows


def _wallet_row(purse: Purse) -> columns.Row:
    return (
        purse.wallet_id,
        purse.balance,
        purse.held,
        purse.debt,
        purse.version,
        purse.head,
        purse.tier,
        purse.tier_since,
        purse.tier_until,
        purse.tier_steps,
    )


def _lot_row(purse: Purse, lot: LotState) -> columns.Row:
    return (
        lot.id,
        purse.wallet_id,
        lot.order_id,
        lot.earned,
        lot.remaining,
        lot.held,
        lot.expired,
        lot.earned_at,
        lot.available_from,
        lot.expires_at,
    )


def _hold_row(purse: Purse, hold: HoldState, places: Mapping[int, int]) -> dict[str, Any]:
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
        "entry": places[id(hold.entry)] if hold.entry else None,
    }


def _use_rows(posting: Posting, place: int, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    day = posting.origin.happened_at.astimezone(zone).date().isoformat() if posting.uses else ""
    return [
        {"rule": rule, "wallet_id": posting.wallet_id, "entry": place, "day": day, "points": points}
        for rule, points in posting.uses.items()
    ]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
