"""Turns: one process at a time works on a run, and one run at a time on a channel.

The locks are the session's, so they end with the process, however it ends: nothing is ever left
locked by a worker that was killed. They keep runs from treading on each other's feet and times in
order; that a chunk is applied once is held by the row of the run, not by them.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import DatabaseError, connection

from members.importing.errors import ImportBusy

# Namespaces of advisory locks: numbers that nobody else comes upon.
RUNS = int.from_bytes(b"impr", "big")
CHANNELS = int.from_bytes(b"impc", "big")


@contextmanager
def taken(namespace: int, number: int) -> Iterator[None]:
    """Hold the turn of a run (RUNS) or a channel (CHANNELS); raises ImportBusy when somebody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [namespace, number])
        if not cursor.fetchone()[0]:
            raise ImportBusy
    try:
        yield
    finally:
        # A connection that broke has let go of the lock by itself.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [namespace, number])


def is_taken(namespace: int, number: int) -> bool:
    """Whether somebody holds the turn now; an answer for a page, which may be old when it is read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s AND objid = %s AND objsubid = 2)",
            [namespace, number],
        )
        found: bool = cursor.fetchone()[0]
        return found
