"""Jobs of this app. Each calls one operation, holds ids only, and bears being run twice."""

from contextlib import suppress

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from members import imports, inbox, phone_hashes, platform_calls, replays, telling
from members.importing import queue
from members.importing.errors import ImportBusy, StateForbids

# A run is busy while the command line works on it, or until a killed worker's connection is gone.
_UNTIL_FREE = RetryStrategy(wait=5, max_attempts=2000, retry_exceptions={ImportBusy})


# The operation counts the attempts itself and sets a message aside before these run out.
_AGAIN = RetryStrategy(max_attempts=inbox.MOST_ATTEMPTS + 1, exponential_wait=3)


@app.task(name=inbox.JOB, queue=inbox.QUEUE, retry=_AGAIN)
def work_on_delivery(delivery_id: int) -> None:
    """Take in one message of a platform."""
    inbox.work_on(delivery_id)


@app.task(name=platform_calls.JOB, queue=platform_calls.QUEUE)
def call_platform(call_id: int) -> None:
    """Make one call of a platform's API; one that is not taken is due again later."""
    platform_calls.send(call_id)


@app.periodic(cron="* * * * *")
@app.task(name="members.tell_platforms", queueing_lock="members.tell_platforms")
def tell_platforms(timestamp: int) -> None:
    """Tell the platforms that can be called where members stand."""
    telling.tell_all()


@app.task(name=phone_hashes.JOB, queue="imports")
def hash_phones(brand: str) -> None:
    """Hash the phones that were known before Tmall's key was."""
    phone_hashes.back_fill(brand)


@app.periodic(cron="46 3 * * *")
@app.task(name="members.purge_inbox", queueing_lock="members.purge_inbox")
def purge_inbox(timestamp: int) -> None:
    """Forget what old messages of platforms said."""
    inbox.purge(timezone.now())


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
