"""Jobs of this app. Each calls one operation, holds ids only, and bears being run twice."""

from contextlib import suppress

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from members import imports, replays
from members.errors import MatchingBusy
from members.importing import queue
from members.importing.errors import ImportBusy, StateForbids
from members.matching import runs

# A run is busy while the command line works on it, or until a killed worker's connection is gone.
_UNTIL_FREE = RetryStrategy(wait=5, max_attempts=2000, retry_exceptions={ImportBusy})

_UNTIL_ALONE = RetryStrategy(wait=60, max_attempts=60, retry_exceptions={MatchingBusy})


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


@app.periodic(cron="* * * * *")
@app.task(name="members.compare_new", queueing_lock="members.compare_new")
def compare_new(timestamp: int) -> None:
    """Compare whoever is new with everybody they could be."""
    with suppress(MatchingBusy):  # the night is at it, and this minute's accounts are the next one's
        runs.compare_new()


@app.periodic(cron="27 2 * * *")
@app.task(name="members.compare_all", queueing_lock="members.compare_all", retry=_UNTIL_ALONE)
def compare_all(timestamp: int) -> None:
    """Compare everybody."""
    runs.compare_all()
