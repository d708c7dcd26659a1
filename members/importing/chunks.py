"""Chunks: what a file or a package tells, so many facts a transaction, on their way in or back.

Promises: what a chunk does and the note that it is done are one transaction. A run that is killed at any
moment therefore goes on exactly where it was, forwards or backwards.
"""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError
from psycopg.errors import TransactionRollback

from members.models import ImportRun, LegacyRun

CHUNK = 1000  # facts or rows a transaction
ATTEMPTS = 5  # for a chunk that loses a deadlock

Run = TypeVar("Run", ImportRun, LegacyRun)


def through(run: Run, advance: Callable[[Run], int], watch: Callable[[Run], object]) -> None:
    """Do chunk after chunk until there is none; `watch` is called with the run after each."""
    while _in_spite_of_deadlocks(run, advance):
        watch(run)


def locked(run: Run) -> None:
    """Lock the run's row for the chunk, and read what others have asked of it meanwhile."""
    rows = type(run)._default_manager.select_for_update(no_key=True, of=("self",))
    run.refresh_from_db(from_queryset=rows)


def _in_spite_of_deadlocks(run: Run, advance: Callable[[Run], int]) -> int:
    for _attempt in range(ATTEMPTS - 1):
        try:
            return advance(run)
        except OperationalError as error:
            # A deadlock rolled the whole chunk back; anything else (no connection) is for the caller.
            if not isinstance(error.__cause__, TransactionRollback):
                raise
    return advance(run)
