"""The queue: which job carries an import on. Deferred in the transaction that makes it due.

A job holds the number of a run and nothing else: job arguments are kept and shown in clear.
"""

from contextlib import suppress
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from members.models import ImportRun

READ = "members.read_import"
APPLY = "members.apply_import"
UNDO = "members.undo_import"
RECONCILE = "members.read_reconciliation"


def ask_to_read(run: ImportRun) -> None:
    """Let a worker read the file."""
    _defer(READ, run, lock=None)


def ask_to_apply(run: ImportRun) -> None:
    """Let a worker apply the run, after those that wait for the same channel."""
    _defer(APPLY, run, lock=f"import into {run.channel_id}")


def ask_to_undo(run: ImportRun) -> None:
    """Let a worker take back what the run made, in turn with imports into its channel."""
    _defer(UNDO, run, lock=f"import into {run.channel_id}")


def ask_to_reconcile(upload: UUID) -> None:
    """Let a worker compare the days of an uploaded file; its random name is all that the job holds."""
    app.configure_task(RECONCILE).defer(upload=str(upload))


def _defer(task: str, run: ImportRun, *, lock: str | None) -> None:
    # A job that waits already will find the run as it is then.
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(task, lock=lock, queueing_lock=f"{task} {run.pk}").defer(run_id=run.pk)
