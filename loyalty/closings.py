"""Closings: every balance as of a local midnight, written down once, for entries to be held to (law 7).

A closing is read off the entries by one statement and has a row for each wallet that moved since the one
before; a wallet that stood still is as its last row says. What was recorded up to the instant counts, so
that a job which comes late writes the same as one that comes at midnight.

An entry takes its recorded time under its wallet's lock and is seen by others only when its transaction
ends. So whoever writes to wallets when a day is closed is waited for: after that, nothing can come to be
recorded before the closing that the closing did not see. Nobody waits for a closing.
"""

import logging
from datetime import datetime
from time import monotonic, sleep

from django.db import connection, transaction

from loyalty import clock, publishing
from loyalty.calendar import midnight
from loyalty.errors import ProgrammeMissing
from loyalty.models import Closing

log = logging.getLogger(__name__)

PATIENCE = 60.0  # seconds; longer than any batch takes
_PAUSE = 0.05

# Who has taken a lock on some wallet, or means to: each transaction by the name it never has again.
_AT_WORK = """
SELECT l.virtualtransaction FROM pg_locks l JOIN pg_database d ON d.oid = l.database
 WHERE d.datname = current_database() AND l.relation = 'loyalty_wallet'::regclass
   AND l.mode IN ('RowShareLock', 'RowExclusiveLock') AND l.pid <> pg_backend_pid()
"""
_CLOSE = """
INSERT INTO loyalty_closing (as_of) SELECT %(as_of)s::timestamptz
 WHERE NOT EXISTS (SELECT FROM loyalty_closing WHERE as_of >= %(as_of)s::timestamptz)
    ON CONFLICT (as_of) DO NOTHING RETURNING id
"""
_WRITE = """
INSERT INTO loyalty_closingbalance (closing_id, wallet_id, version, balance, debt)
SELECT DISTINCT ON (wallet_id) %(closing)s::bigint, wallet_id, version, balance_after, debt_after
  FROM loyalty_entry
 WHERE recorded_at <= %(as_of)s::timestamptz
   AND recorded_at > coalesce((SELECT max(as_of) FROM loyalty_closing
                                WHERE as_of < %(as_of)s::timestamptz), '-infinity')
 ORDER BY wallet_id, version DESC
"""


def close(as_of: datetime | None = None, *, patience: float = PATIENCE) -> Closing | None:
    """Write down every balance as of an instant, by default the last local midnight; answers the closing.

    None when that was done before (or a later instant was closed), and when somebody writes to wallets for
    longer than `patience` seconds: the next turn does it. Raises ValueError for an instant that is to come.
    """
    recorded = clock.read().recorded
    instant = as_of or _last_midnight(recorded)
    if instant is None or Closing.objects.filter(as_of__gte=instant).exists():
        return None
    if instant > recorded:
        raise ValueError("a day is closed when it is over")
    if not _writers_have_ended(patience):
        log.warning("balances were not closed: somebody has been writing to wallets for %s seconds", patience)
        return None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLOSE, {"as_of": instant})
        made = cursor.fetchone()
        if made is None:
            return None
        cursor.execute(_WRITE, {"as_of": instant, "closing": made[0]})
    return Closing.objects.get(pk=made[0])


def latest() -> Closing | None:
    """The last closing."""
    return Closing.objects.order_by("-as_of").first()


def _last_midnight(recorded: datetime) -> datetime | None:
    """The midnight with which the present day began, by the programme's zone; None before there is one."""
    try:
        zone = publishing.current().programme.time_zone
    except ProgrammeMissing:
        return None
    return midnight(recorded.astimezone(zone).date(), zone)


def _writers_have_ended(patience: float) -> bool:
    """Wait for those who write to wallets now; whoever begins later records a later time."""
    waited_for, until = _writers(), monotonic() + patience
    while waited_for & _writers():
        if monotonic() > until:
            return False
        sleep(_PAUSE)
    return True


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_AT_WORK)
        return {name for (name,) in cursor.fetchall()}
