"""What the worker does for the programme each night. Times are the programme's, in the server's zone."""

import logging

from procrastinate.contrib.django import app

from loyalty import (
    audit_runs,
    birthdays,
    clock,
    closings,
    coupon_batches,
    coupon_withdrawals,
    milestone_rounds,
    nightly,
    quotes,
    referral_signs,
    referrals,
    rewards,
)

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


# Gifts that wait for stock are served when it comes; this is for stock that a new version declares.
@app.periodic(cron="*/15 * * * *")
@app.task(queueing_lock="put_up_rewards", pass_context=False)
def put_up_rewards(timestamp: int) -> None:
    served = rewards.put_up()
    log.info("gifts that waited and found stock: %s", served)


# Birthdays and member days begin at midnight; a run that did not come about is made good by the next.
@app.periodic(cron="15 0 * * *")
@app.task(queueing_lock="treat_birthdays", pass_context=False)
def treat_birthdays(timestamp: int) -> None:
    ran = birthdays.treat_birthdays()
    log.info("birthday treats: %s of %s members, not given: %s", ran.given, ran.members, ran.refused)


@app.periodic(cron="20 0 * * *")
@app.task(queueing_lock="hold_member_days", pass_context=False)
def hold_member_days(timestamp: int) -> None:
    ran = birthdays.hold_member_days()
    log.info("member day: %s of %s members, not given: %s", ran.given, ran.members, ran.refused)


# Each hour: midnight is the programme's, not the server's, and a worker that was down makes its turn good.
@app.periodic(cron="2 * * * *")
@app.task(queueing_lock="close_day", pass_context=False)
def close_day(timestamp: int) -> None:
    closing = closings.close()
    if closing is not None:
        log.info("balances were closed as of %s", closing.as_of.isoformat())


# After the tiers: a tier that was reached or lost in the night is a milestone of the morning.
@app.periodic(cron="55 0 * * *")
@app.task(queueing_lock="ask_milestones", pass_context=False)
def ask_milestones(timestamp: int) -> None:
    ran = milestone_rounds.walk()
    log.info("milestones: %s given, %s members asked", ran.given, ran.members)


# After the tiers, whose path conditions on the referrer may ask about.
@app.periodic(cron="45 0 * * *")
@app.task(queueing_lock="count_friends", pass_context=False)
def count_friends(timestamp: int) -> None:
    counted = referrals.count_due()
    forgotten = referral_signs.forget_devices(clock.read().recorded)
    log.info("friends counted: %s; devices forgotten: %s", counted, forgotten)


@app.periodic(cron="35 3 * * *")
@app.task(queueing_lock="audit_ledger", pass_context=False)
def audit_ledger(timestamp: int) -> None:
    ran = audit_runs.run()
    for violation in ran.violations:
        log.error("ledger law %s broken: %s %s", violation["law"], violation["name"], violation["row"])
    if problem := ran.anchor.get("problem"):
        log.error("no anchor was written: %s", problem)


@app.task(name=coupon_batches.JOB, queue="imports")
def make_coupon_codes(batch_id: int) -> None:
    """Make the codes of a batch, or go on with one whose worker died."""
    coupon_batches.work(batch_id)


@app.task(name=coupon_withdrawals.JOB, queue="imports")
def withdraw_coupon_codes(withdrawal_id: int) -> None:
    """Withdraw the unused codes of a batch, or go on with a withdrawal whose worker died."""
    coupon_withdrawals.work(withdrawal_id)


@app.periodic(cron="25 3 * * *")
@app.task(queueing_lock="sweep_quotes", pass_context=False)
def sweep_quotes(timestamp: int) -> None:
    log.info("quotes that nobody took up: %s", quotes.sweep())
