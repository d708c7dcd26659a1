"""Chunks: the rows of a package, so many a transaction, in the order in which they are brought or go back.

Promises: what a chunk does and the note that it is done are one transaction. A run that is killed at any
moment therefore goes on exactly where it was, forwards or backwards.
"""

from collections.abc import Callable

from django.db import OperationalError
from psycopg.errors import TransactionRollback

from members.models import LegacyRun

CHUNK = 1000  # rows a transaction
ATTEMPTS = 5  # for a chunk that loses a deadlock


def through(
    run: LegacyRun, advance: Callable[[LegacyRun], int], watch: Callable[[LegacyRun], object]
) -> None:
    """Do chunk after chunk until there is none; `watch` is called with the run after each."""
    while _in_spite_of_deadlocks(run, advance):
        watch(run)


def locked(run: LegacyRun) -> None:
    """Lock the run's row for the chunk, and read what others have asked of it meanwhile."""
    run.refresh_from_db(from_queryset=LegacyRun.objects.select_for_update(no_key=True, of=("self",)))


def _in_spite_of_deadlocks(run: LegacyRun, advance: Callable[[LegacyRun], int]) -> int:
    for _attempt in range(ATTEMPTS - 1):
        try:
            return advance(run)
        except OperationalError as error:
            # A deadlock rolled the whole chunk back; anything else (no connection) is for the caller.
            if not isinstance(error.__cause__, TransactionRollback):
                raise
    return advance(run)
