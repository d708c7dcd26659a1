"""The queue: which job carries a package on. Deferred in the transaction that makes it due.

A job holds the number of a run and nothing else: job arguments are kept and shown in clear.
"""

from contextlib import suppress

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from members.models import LegacyRun

READ = "members.read_package"
APPLY = "members.apply_package"
TAKE_BACK = "members.take_package_back"
State = LegacyRun.State
_DUE = {State.WAITING: READ, State.QUEUED: APPLY, State.UNDOING: TAKE_BACK}


def ask(run: LegacyRun) -> None:
    """Let a worker do what the state of a package says is due."""
    job = _DUE[State(run.state)]
    lock = None if job == READ else f"import into {run.channel_id}"
    # A job that waits already will find the run as it is then.
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(job, lock=lock, queueing_lock=f"{job} {run.pk}").defer(run_id=run.pk)
