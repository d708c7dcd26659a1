"""Visitors and events in the database, set by set. `members.events` says when.

Each function is one statement, for one event or a thousand. Months come first, then visitors in the order of
their indexes, then keys in theirs, so that two batches cannot wait for each other.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from members import columns
from members.models import Channel


class Stranger(NamedTuple):
    """A visitor to be added. `member_id` is there when a member number was told."""

    blind: bytes  # its index
    member_id: int | None


class EventRow(NamedTuple):
    """An event in the columns of its row, with the key that makes it unique."""

    key: UUID
    month: date
    at: datetime
    visitor_id: int
    kind: str
    session: str
    path: str
    entrance: str
    keyword: str
    product: str
    category: str
    duration: int | None


_ROW = (
    ("key", "uuid", columns.times),
    ("month", "date", columns.times),
    ("at", "timestamptz", columns.times),
    ("visitor_id", "bigint", columns.numbers),
    ("kind", "text", columns.words),
    ("session", "text", columns.texts),
    ("path", "text", columns.texts),
    ("entrance", "text", columns.texts),
    ("keyword", "text", columns.texts),
    ("product", "text", columns.texts),
    ("category", "text", columns.texts),
    ("duration", "int", columns.numbers),
)
_NAMES = ", ".join(name for name, _, _ in _ROW)
_ARRAYS = ", ".join(f"%s::{kind}[]" for _, kind, _ in _ROW)
_KEPT = ", ".join(name for name, _, _ in _ROW if name not in ("key", "month"))

# The key decides, whatever the time says: who tells an id second waits for the first, and adds nothing.
ADD = f"""
WITH told AS MATERIALIZED (
    SELECT * FROM unnest({_ARRAYS}) AS told({_NAMES})
), unheard AS (
    INSERT INTO members_eventkey (key, month) SELECT key, month FROM told ORDER BY key
        ON CONFLICT (key) DO NOTHING
    RETURNING key
), added AS (
    INSERT INTO members_event ({_KEPT}) SELECT {_KEPT} FROM told JOIN unheard USING (key)
)
SELECT key FROM unheard
"""


def make_months(months: Collection[date]) -> int:
    """Make the parts of the table that these months lie in, where they are missing; how many were."""
    ((made,),) = columns.ask("SELECT members_event_months(%s::date[])", [columns.times(sorted(months))])
    return int(made)


def visitors(channel: Channel, indexes: Sequence[bytes]) -> dict[bytes, int]:
    """The ids of the channel's visitors by index, of those that are known."""
    rows = columns.ask(
        """
        SELECT told.n, visitor.id
          FROM unnest(%s::bytea[]) WITH ORDINALITY AS told(index, n)
          JOIN members_visitor AS visitor ON visitor.channel_id = %s AND visitor.index = told.index
        """,
        [columns.blobs(indexes), channel.pk],
    )
    return {indexes[n - 1]: visitor_id for n, visitor_id in rows}


def add_visitors(channel: Channel, strangers: Sequence[Stranger]) -> dict[bytes, int]:
    """Add visitors; answers the ids of those that nobody else has added meanwhile."""
    rows = columns.ask(
        """
        INSERT INTO members_visitor (channel_id, index, member_id)
        SELECT %s, index, member_id FROM unnest(%s::bytea[], %s::bigint[]) AS told(index, member_id)
         ORDER BY index
            ON CONFLICT (channel_id, index) DO NOTHING
        RETURNING index, id
        """,
        [
            channel.pk,
            columns.blobs([stranger.blind for stranger in strangers]),
            columns.numbers([stranger.member_id for stranger in strangers]),
        ],
    )
    return {bytes(index): visitor_id for index, visitor_id in rows}


def members_by_number(numbers: Sequence[str]) -> Mapping[str, int]:
    """Who has these member numbers: for those who were merged the survivor, for those erased nobody."""
    rows = columns.ask(
        """
        WITH RECURSIVE path(number, id, next, status) AS (
            SELECT number, id, merged_into_id, status FROM members_member WHERE number = ANY(%s::text[])
             UNION ALL
            SELECT path.number, member.id, member.merged_into_id, member.status
              FROM path JOIN members_member AS member ON member.id = path.next
        )
        SELECT number, id FROM path WHERE next IS NULL AND status <> 'erased'
        """,
        [columns.texts(numbers)],
    )
    return dict(rows)


def add(rows: Sequence[EventRow]) -> set[UUID]:
    """Add events whose key was never told; the keys of those that were added."""
    return {key for (key,) in columns.ask(ADD, columns.of_rows(_ROW, rows))}


# -- how long they are kept --------------------------------------------------------------------------------


def forget_months(first_kept: date) -> int:
    """Drop every month before this one; how many were dropped."""
    ((dropped,),) = columns.ask("SELECT members_event_forget(%s)", [first_kept])
    return int(dropped)


def forget_keys(first_kept: date, limit: int) -> int:
    """Forget keys of months that were dropped, up to `limit` of them; how many there were."""
    return columns.tell(
        """
        DELETE FROM members_eventkey WHERE key IN (
            SELECT key FROM members_eventkey WHERE month < %s LIMIT %s
        )
        """,
        [first_kept, limit],
    )
