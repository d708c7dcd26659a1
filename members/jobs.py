"""Jobs of this app. Each calls one operation, holds ids only, and bears being run twice."""

from contextlib import suppress
from uuid import UUID

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from members import imports, reconciling, replays
from members.importing import queue
from members.importing.errors import ImportBusy, StateForbids

# A run is busy while the command line works on it, or until a killed worker's connection is gone.
_UNTIL_FREE = RetryStrategy(wait=5, max_attempts=2000, retry_exceptions={ImportBusy})


@app.task(name=queue.READ, queue="imports", retry=_UNTIL_FREE)
def read_import(run_id: int) -> None:
    """Read the file of a run and make its preview."""
    with suppress(StateForbids):  # discarded, or read by somebody else in the meantime
        imports.read(run_id)


@app.task(name=queue.APPLY, queue="imports", retry=_UNTIL_FREE)
def apply_import(run_id: int) -> None:
    """Apply a run, or go on with one whose worker died."""
    with suppress(StateForbids):  # stopped, or done by somebody else in the meantime
        imports.carry_out(run_id)


@app.task(name=queue.RECONCILE, queue="imports")
def read_reconciliation(upload: str) -> None:
    """Compare the days of an uploaded file; what was compared by somebody else already stays so."""
    reconciling.read(UUID(upload))


@app.periodic(cron="46 3 * * *")
@app.task(name="members.tidy_reconciliations", queueing_lock="members.tidy_reconciliations")
def tidy_reconciliations(timestamp: int) -> None:
    """Erase what reconciliations have served, and give up those that nobody completed."""
    reconciling.tidy(timezone.now())


@app.periodic(cron="41 3 * * *")
@app.task(name="members.tidy_imports", queueing_lock="members.tidy_imports")
def tidy_imports(timestamp: int) -> None:
    """Erase files, forgotten runs and old rejected rows."""
    imports.tidy(timezone.now())


@app.periodic(cron="51 3 * * *")
@app.task(name="members.purge_kept_answers", queueing_lock="members.purge_kept_answers")
def purge_kept_answers(timestamp: int) -> None:
    """Forget what requests with an Idempotency-Key were answered a month ago."""
    replays.purge()
