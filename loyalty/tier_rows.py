"""The tables of tiers, a batch at a time: what is known of members is read, and what has moved is written.

Pure of rules: `loyalty.climbing` has those. Each function is one statement, however many members there are.
"""

import json
from bisect import insort
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from loyalty.climbing import Climber
from loyalty.tiers import Event, Grown, Step
from members import columns

_EVENTS = """
SELECT e.wallet_id, 'event' AS what, jsonb_build_array(e.id, e.kind, e.tier, e.starts_at,
       least(e.ends_at, x.starts_at),
       e.why || CASE WHEN e.reason <> '' THEN jsonb_build_object('reason', e.reason) ELSE '{}' END) AS row
  FROM loyalty_tierevent e LEFT JOIN loyalty_tierevent x ON x.ends_id = e.id
 WHERE e.wallet_id = ANY(%(wallets)s::bigint[]) AND e.kind <> 'end'
"""
_EARNED = """
SELECT t.wallet_id, 'earned', jsonb_build_array(t.tier, t.until, t.seen_at)
  FROM loyalty_earnedtier t WHERE t.wallet_id = ANY(%(wallets)s::bigint[])
"""
# What is given stands by itself; of an order all that came about together.
_GROWTH = """
SELECT g.wallet_id, 'growth', jsonb_build_array(min(g.happened_at), sum(g.growth), coalesce(g.order_id, 0),
       min(g.programme_id))
  FROM loyalty_growthentry g WHERE g.wallet_id = ANY(%(wallets)s::bigint[])
 GROUP BY g.wallet_id, g.order_id, CASE WHEN g.order_id IS NULL THEN g.id END
"""
_JOINED = """
SELECT w.id, 'joined', jsonb_build_array(m.joined_at)
  FROM loyalty_wallet w JOIN members_member m ON m.id = w.member_id
 WHERE w.id = ANY(%(wallets)s::bigint[])
"""


@dataclass(slots=True)
class Known:
    """What the tables of tiers know of one wallet. `earned` is (tier, until, seen_at)."""

    events: list[Event] = field(default_factory=list)
    growth: list[Grown] = field(default_factory=list)
    earned: tuple[str, datetime | None, datetime] | None = None
    joined_at: datetime | None = None


def read(wallet_ids: Collection[int], *, growth: bool, joined: bool) -> dict[int, Known]:
    """What is known of wallets; `growth` and `joined` only where the programme asks for them."""
    known: dict[int, Known] = defaultdict(Known)
    parts = [_EVENTS, _EARNED, *([_GROWTH] if growth else []), *([_JOINED] if joined else [])]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), {"wallets": columns.numbers(wallet_ids)})
        rows = cursor.fetchall()
    for wallet_id, what, text in rows:
        mine, row = known[wallet_id], json.loads(text)
        if what == "event":
            id_, kind, tier, starts_at, ends_at, why = row
            event = Event(id_, kind, tier, _time(starts_at), _maybe_time(ends_at), why)
            insort(mine.events, event, key=lambda event: event.id)
        elif what == "earned":
            mine.earned = row[0], _maybe_time(row[1]), _time(row[2])
        elif what == "growth":
            insort(mine.growth, Grown(_time(row[0]), int(row[1]), row[2], row[3]))
        else:
            mine.joined_at = _time(row[0])
    return known


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# --- writing ----------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Look:
    """A row of `TierLook`, in memory. `kept` is None for an order that does not count."""

    wallet_id: int
    kind: str
    happened_at: datetime
    seen_at: datetime
    programme_id: int
    order_id: int | None = None
    paid_at: datetime | None = None
    kept: Decimal | None = None
    fell: bool = False
    growth: int = 0
    event_id: int | None = None
    joined_at: datetime | None = None
    source_id: int | None = None  # the wallet of what was looked at, where it is another of the person
    merge_id: int | None = None


class GrowthRow(NamedTuple):
    """A row of `GrowthEntry`, in memory."""

    wallet_id: int
    growth: int
    cause: str
    why: dict[str, Any]
    channel_id: int | None
    order_id: int | None
    programme_id: int
    happened_at: datetime


_LOOKED_AT = (
    ("wallet_id", "bigint", columns.numbers),
    ("kind", "text", columns.words),
    ("order_id", "bigint", columns.numbers),
    ("paid_at", "timestamptz", columns.times),
    ("kept", "numeric", columns.numbers),
    ("fell", "boolean", columns.flags),
    ("growth", "int", columns.numbers),
    ("event_id", "bigint", columns.numbers),
    ("joined_at", "timestamptz", columns.times),
    ("happened_at", "timestamptz", columns.times),
    ("seen_at", "timestamptz", columns.times),
    ("programme_id", "bigint", columns.numbers),
    ("source_id", "bigint", columns.numbers),
    ("merge_id", "bigint", columns.numbers),
)
_LOOK_NAMES = ", ".join(name for name, _, _ in _LOOKED_AT)
_look_row = attrgetter(*(name for name, _, _ in _LOOKED_AT))
_WRITE_LOOKS = f"""
    INSERT INTO loyalty_tierlook ({_LOOK_NAMES}, recorded_at)
    SELECT {_LOOK_NAMES}, %s
      FROM unnest({", ".join(f"%s::{kind}[]" for _, kind, _ in _LOOKED_AT)}) WITH ORDINALITY
           AS look({_LOOK_NAMES}, place)
     ORDER BY place
"""


def write_looks(looks: Sequence[Look], recorded_at: datetime) -> None:
    """Write looks down in their order: the recount repeats them in the order of their ids."""
    if looks:
        columns.tell(_WRITE_LOOKS, [recorded_at, *columns.of_rows(_LOOKED_AT, map(_look_row, looks))])


def write_growth(rows: Sequence[GrowthRow], recorded_at: datetime) -> None:
    """Write growth value down. Raises IntegrityError (growth_once_per_cause) for a cause that was counted."""
    if not rows:
        return
    columns.tell(
        """
        INSERT INTO loyalty_growthentry (wallet_id, growth, cause, why, channel_id, order_id, programme_id,
                                         happened_at, recorded_at)
        SELECT wallet_id, growth, cause, why::jsonb, channel_id, order_id, programme_id, happened_at, %s
          FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
                      %s::bigint[], %s::timestamptz[])
               AS grown(wallet_id, growth, cause, why, channel_id, order_id, programme_id, happened_at)
        """,
        [
            recorded_at,
            columns.numbers([row.wallet_id for row in rows]),
            columns.numbers([row.growth for row in rows]),
            columns.texts([row.cause for row in rows]),
            columns.texts([json.dumps(row.why) for row in rows]),
            columns.numbers([row.channel_id for row in rows]),
            columns.numbers([row.order_id for row in rows]),
            columns.numbers([row.programme_id for row in rows]),
            columns.times([row.happened_at for row in rows]),
        ],
    )


class EarnedRow(NamedTuple):
    """A row of `EarnedTier`, in memory."""

    wallet_id: int
    tier: str
    until: datetime | None
    seen_at: datetime
    next_at: datetime | None


def earned_row(climber: Climber, next_at: datetime | None) -> EarnedRow:
    """What a member to whom something was given has earned, and when to look again."""
    assert climber.seen_at is not None
    return EarnedRow(climber.purse.wallet_id, climber.tier, climber.until, climber.seen_at, next_at)


def write_earned(rows: Sequence[EarnedRow]) -> None:
    """Write what members have earned beneath what was given to them."""
    if not rows:
        return
    columns.tell(
        """
        INSERT INTO loyalty_earnedtier AS earned (wallet_id, tier, until, seen_at, next_at)
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                             %s::timestamptz[])
            ON CONFLICT (wallet_id) DO UPDATE
           SET tier = excluded.tier, until = excluded.until, seen_at = excluded.seen_at,
               next_at = excluded.next_at
        """,
        [
            columns.numbers([row.wallet_id for row in rows]),
            columns.texts([row.tier for row in rows]),
            columns.times([row.until for row in rows]),
            columns.times([row.seen_at for row in rows]),
            columns.times([row.next_at for row in rows]),
        ],
    )


def forget_earned(wallet_ids: Collection[int]) -> None:
    """Nothing given is left to these: what they have earned is their wallet's tier."""
    if wallet_ids:
        columns.tell("DELETE FROM loyalty_earnedtier WHERE wallet_id = ANY(%s)", [list(wallet_ids)])


def write_steps(steps: Sequence[Step]) -> None:
    """Write steps down. The purses' new tiers are written by the ledger."""
    if not steps:
        return
    columns.tell(
        """
        INSERT INTO loyalty_tierchange
               (wallet_id, position, before, after, reason, why, programme_id, valid_until, happened_at)
        SELECT wallet_id, position, before, after, reason, why::jsonb, programme_id, valid_until, happened_at
          FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[],
                      %s::bigint[], %s::timestamptz[], %s::timestamptz[])
               AS step(wallet_id, position, before, after, reason, why, programme_id, valid_until,
                       happened_at)
        """,
        [
            columns.numbers([step.wallet_id for step in steps]),
            columns.numbers([step.position for step in steps]),
            columns.texts([step.before for step in steps]),
            columns.texts([step.after for step in steps]),
            columns.words([str(step.reason) for step in steps]),
            columns.texts([json.dumps(step.why) for step in steps]),
            columns.numbers([step.programme_id for step in steps]),
            columns.times([step.valid_until for step in steps]),
            columns.times([step.happened_at for step in steps]),
        ],
    )
