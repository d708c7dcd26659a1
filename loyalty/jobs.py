"""What the worker does for the programme each night. Times are the programme's, in the server's zone."""

import logging

from procrastinate.contrib.django import app

from loyalty import audit, nightly

log = logging.getLogger(__name__)


@app.periodic(cron="5 0 * * *")
@app.task(queueing_lock="post_expiry", pass_context=False)
def post_expiry(timestamp: int) -> None:
    night = nightly.post_expiry()
    log.info("points expired: %s of %s members", night.expired, night.members)


@app.periodic(cron="35 0 * * *")
@app.task(queueing_lock="reassess_tiers", pass_context=False)
def reassess_tiers(timestamp: int) -> None:
    night = nightly.reassess_tiers()
    log.info("tiers lowered: %s, renewed: %s", night.lowered, night.renewed)


@app.periodic(cron="35 3 * * *")
@app.task(queueing_lock="audit_ledger", pass_context=False)
def audit_ledger(timestamp: int) -> None:
    for violation in audit.check():
        log.error("ledger law %s broken: %s %s", violation.law, violation.name, violation.row)
