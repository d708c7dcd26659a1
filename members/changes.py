"""What a channel should know, in order, for those who ask instead of being told (A14).

A reader pages by a cursor and must never pass over a change. Ids are drawn before their transactions
commit: a row with a smaller id can become visible after one with a larger id was read. So rows are read
in the order of their transactions, and only those older than every transaction that is still writing in
this database; whatever comes later has a larger number. Each change carries a revision or version of its
own, as two transactions about one member may have begun in the other order.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from members.models import Channel

MOST = 1000  # changes in one answer
# Rows looked at in one step, and steps of one answer: a channel with few members of many still gets an
# answer at once, and what is not its own does not look to it like the end.
SCANNED = 2000
STEPS = 50
_CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ids and figures, never personal data."""

    id: int
    topic: str
    change: str
    member_no: str | None
    payload: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far somebody has read."""

    xid: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"


START = Cursor()


class Page(NamedTuple):
    """Changes, the cursor to go on from, and whether more can be read at once."""

    changes: list[Change]
    cursor: Cursor
    more: bool


def read_cursor(text: str) -> Cursor | None:
    """The cursor that was handed out as this text, 0 for the beginning; None when it is neither."""
    if text == "0":
        return START
    written = _CURSOR.fullmatch(text)
    return Cursor(int(written[1]), int(written[2])) if written else None


# PostgreSQL's own list of running transactions has those of every database of the server, and another's
# long one would hold up ours. So we look at who holds a transaction's lock and any lock in this database.
_WRITING = """
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint, ARRAY(
    SELECT t.transactionid::text::bigint FROM pg_locks t
    WHERE t.locktype = 'transactionid' AND t.mode = 'ExclusiveLock' AND t.pid IN (
        SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database()))
"""


def concerns(channel: str) -> str:
    """The condition under which a change `s` is for a channel, given as an SQL expression of its id.

    A channel hears of its own orders, and of the members it knows by an account that is not unbound:
    whether it asks (`after`) or is told (`members.deliveries`). Members who were merged are one person.
    """
    known = f"SELECT FROM members_account a WHERE a.channel_id = {channel} AND a.unbound_at IS NULL"
    return f"""(s.channel_id = {channel} OR s.topic <> 'order.changed' AND (
        EXISTS ({known} AND a.member_id = s.member_id)
        OR EXISTS (SELECT FROM members_member k WHERE k.merged_into_id = s.member_id
                      OR k.id = s.member_id AND k.merged_into_id IS NOT NULL)
       AND EXISTS ({known} AND a.member_id IN (SELECT members_same_person(s.member_id)))))"""


_READ = f"""
WITH scanned AS (
    SELECT * FROM members_outboxevent
    WHERE (xid, id) > (%s, %s) AND xid < %s
    ORDER BY xid, id LIMIT %s
)
SELECT s.xid, s.id, s.topic, s.change, m.number, s.payload, s.created_at, {concerns("%s")}
FROM scanned s LEFT JOIN members_member m ON m.id = s.member_id ORDER BY s.xid, s.id
"""


def present() -> Cursor:
    """The cursor of who wants to hear only of what comes from now on."""
    return Cursor(horizon() - 1, 10**18 - 1)


def after(cursor: Cursor, channel: Channel, *, most: int = 100) -> Page:
    """The next changes for a channel, `most` at the most.

    Reads past what is not for this channel. A page is empty with `more` only where a hundred thousand
    changes in a row are of others.
    """
    final = horizon()  # a statement before: what ends in between is then seen by the next one
    for _step in range(STEPS):
        page = _read(cursor, channel, final, most)
        if page.changes or not page.more:
            return page
        cursor = page.cursor
    return page


def _read(cursor: Cursor, channel: Channel, final: int, most: int) -> Page:
    with connection.cursor() as rows:
        rows.execute(_READ, [cursor.xid, cursor.id, final, SCANNED, *[channel.pk] * 3])
        scanned = rows.fetchall()
    found: list[Change] = []
    for xid, id_, topic, change, number, payload, at, is_for_us in scanned:
        if is_for_us:
            if len(found) == most:
                return Page(found, cursor, more=True)
            found.append(Change(id_, topic, change, number, json.loads(payload), at))
        cursor = Cursor(xid, id_)
    return Page(found, cursor, more=len(scanned) == SCANNED)


def horizon() -> int:
    """The transaction number below which nothing more will be written."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITING)
        newest, writing = cursor.fetchone()
    # Locks have the lower 32 bits of a number; what began after our look is ahead by nearly 2**32.
    behind = [(newest - xid) % 2**32 for xid in writing]
    return int(newest - max((distance for distance in behind if distance < 2**31), default=0))
