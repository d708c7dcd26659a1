"""Jobs of this app. Each calls one operation, holds ids only, and bears being run twice."""

import logging
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from members import (
    deliveries,
    endpoints,
    events,
    imports,
    inbox,
    joining,
    legacies,
    member_codes,
    phone_hashes,
    platform_calls,
    platform_queues,
    rates,
    reconciling,
    replays,
    tag_rules,
    telling,
)
from members.errors import CodeNotSent, MatchingBusy
from members.importing import queue
from members.importing.errors import ImportBusy, StateForbids
from members.legacy import queue as packages

log = logging.getLogger(__name__)

# A run is busy while the command line works on it, or until a killed worker's connection is gone.
_UNTIL_FREE = RetryStrategy(wait=5, max_attempts=2000, retry_exceptions={ImportBusy})
# A code is good for five minutes: what was not sent by then finds nothing to send.
_WHILE_GOOD = RetryStrategy(wait=2, linear_wait=5, max_attempts=12, retry_exceptions={CodeNotSent})

_UNTIL_ALONE = RetryStrategy(wait=60, max_attempts=60, retry_exceptions={MatchingBusy})


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
@app.task(name="members.empty_queues", queueing_lock="members.empty_queues")
def empty_queues(timestamp: int) -> None:
    """Have the queues of platforms emptied, each by a job of its own."""
    platform_queues.ask_for_all()


@app.task(name=platform_queues.JOB, queue=platform_queues.QUEUE)
def empty_queue(channel_id: int) -> None:
    """Take what waits in one queue; what is not confirmed is handed out again."""
    platform_queues.empty(channel_id)


@app.periodic(cron="* * * * *")
@app.task(name="members.tell_platforms", queueing_lock="members.tell_platforms")
def tell_platforms(timestamp: int) -> None:
    """Tell the platforms that can be called where members stand."""
    telling.tell_all()


@app.task(name=phone_hashes.JOB, queue="imports")
def hash_phones(brand: str) -> None:
    """Hash the phones that were known before Tmall's key was."""
    phone_hashes.back_fill(brand)


@app.periodic(cron="34 * * * *")
@app.task(name="members.replay_early", queueing_lock="members.replay_early")
def replay_early(timestamp: int) -> None:
    """Let steps that came before their orders be tried again."""
    inbox.replay_early()


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


@app.task(name=queue.UNDO, queue="imports", retry=_UNTIL_FREE)
def undo_import(run_id: int) -> None:
    """Take back what a run made, or go on with that."""
    with suppress(StateForbids):
        imports.take_back(run_id)


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
    """Erase files, forgotten runs and old rejected rows; packages before the files in them."""
    legacies.tidy(timezone.now())
    imports.tidy(timezone.now())


@app.periodic(cron="51 3 * * *")
@app.task(name="members.purge_kept_answers", queueing_lock="members.purge_kept_answers")
def purge_kept_answers(timestamp: int) -> None:
    """Forget what requests with an Idempotency-Key were answered a month ago."""
    replays.purge()


@app.periodic(cron="11 4 * * *")
@app.task(name="members.purge_deliveries", queueing_lock="members.purge_deliveries")
def purge_deliveries(timestamp: int) -> None:
    """Forget what was delivered to webhooks a month ago, and the secrets that sign no more."""
    now = timezone.now()
    endpoints.forget_secrets(now)
    deliveries.purge(now, days=settings.WEBHOOK_DAYS)


@app.task(name=joining.SEND, retry=_WHILE_GOOD)
def send_code(enrolment_id: str, round: int) -> None:
    """Send the one-time code of an enrolment. Neither code nor phone is in the job: they follow from it."""
    joining.send(UUID(enrolment_id), round)


@app.periodic(cron="11 * * * *")
@app.task(name="members.tidy_enrolments", queueing_lock="members.tidy_enrolments")
def tidy_enrolments(timestamp: int) -> None:
    """Forget who never confirmed, member codes that were used, and counts whose time is over."""
    joining.lapse(timezone.now())
    member_codes.forget()
    rates.forget()


@app.periodic(cron="31 3 * * *")
@app.task(name="members.tidy_events", queueing_lock="members.tidy_events")
def tidy_events(timestamp: int) -> None:
    """Make the months of events to come, and drop those that were kept for long enough."""
    made, dropped = events.tidy(timezone.now())
    log.info("months of events made: %s, dropped: %s", made, dropped)


@app.task(name=tag_rules.APPLY)
def apply_tag_rule(rule_id: int) -> None:
    """Apply one rule, which somebody has just written."""
    tag_rules.apply(rule_id)


# After the night's orders and tiers; each rule is one statement.
@app.periodic(cron="10 4 * * *")
@app.task(name="members.apply_tag_rules", queueing_lock="members.apply_tag_rules")
def apply_tag_rules(timestamp: int) -> None:
    """Give and take the tags that follow a rule."""
    runs = tag_rules.apply_all()
    log.info("tags given by rule: %s, taken away: %s", sum(r.given for r in runs), sum(r.taken for r in runs))


def _matching() -> ModuleType:
    """The matching, with Splink, DuckDB and pypinyin: a second and ninety megabytes nobody else needs."""
    return import_module("members.matching.runs")


@app.periodic(cron="* * * * *")
@app.task(name="members.compare_new", queueing_lock="members.compare_new")
def compare_new(timestamp: int) -> None:
    """Compare whoever is new with everybody they could be."""
    with suppress(MatchingBusy):  # the night is at it, and this minute's accounts are the next one's
        _matching().compare_new()


@app.periodic(cron="27 2 * * *")
@app.task(name="members.compare_all", queueing_lock="members.compare_all", retry=_UNTIL_ALONE)
def compare_all(timestamp: int) -> None:
    """Compare everybody."""
    _matching().compare_all()
