"""Jobs of this app. Each calls one operation, holds ids only, and bears being run twice."""

from contextlib import suppress

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from members import imports, legacies, replays
from members.importing import queue
from members.importing.errors import ImportBusy, StateForbids
from members.legacy import queue as packages

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


@app.task(name=packages.READ, queue="imports", retry=_UNTIL_FREE)
def read_package(run_id: int) -> None:
    """Read the files of an old system's package and judge their rows."""
    with suppress(StateForbids):
        legacies.read(run_id)


@app.task(name=packages.APPLY, queue="imports", retry=_UNTIL_FREE)
def apply_package(run_id: int) -> None:
    """Bring a package, or go on with one whose worker died."""
    with suppress(StateForbids):
        legacies.carry_out(run_id)


@app.task(name=packages.TAKE_BACK, queue="imports", retry=_UNTIL_FREE)
def take_package_back(run_id: int) -> None:
    """Take back what a package brought, or go on with that."""
    with suppress(StateForbids):
        legacies.carry_back(run_id)


@app.periodic(cron="41 3 * * *")
@app.task(name="members.tidy_imports", queueing_lock="members.tidy_imports")
def tidy_imports(timestamp: int) -> None:
    """Erase files, forgotten runs and old rejected rows; packages before the files in them."""
    legacies.tidy(timezone.now())
    imports.tidy(timezone.now())


@app.periodic(cron="51 3 * * *")
@app.task(name="members.purge_kept_answers", queueing_lock="members.purge_kept_answers")
def purge_kept_answers(timestamp: int) -> None:
    """Forget what requests with an Idempotency-Key were answered a month ago."""
    replays.purge()
