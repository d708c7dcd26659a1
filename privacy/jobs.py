"""What the worker does for this app."""

import logging

from procrastinate.contrib.django import app

from privacy import approvals

log = logging.getLogger(__name__)


@app.periodic(cron="20 * * * *")
@app.task(queueing_lock="expire_approvals", pass_context=False)
def expire_approvals(timestamp: int) -> None:
    if count := approvals.expire():
        log.info("requests that nobody decided in time: %s", count)
