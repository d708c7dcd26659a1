"""When to try again: the schedule of one delivery, and the circuit of its endpoint (A15). Pure.

A delivery is tried ten times over three days. Beside that an endpoint has a circuit: after five failures
in a row it is open, and only one delivery at a time probes whether somebody answers again. What failed
for no fault of its own while nobody answered begins anew when the circuit closes.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from members.models import DeliveryProblem

# Standard Webhooks: at once, then after these pauses. 75 hours and 35 minutes in all.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
TRIES = len(PAUSES) + 1
JITTER = 0.1  # so that what failed together does not come back together
OPEN_AFTER = 5  # failures in a row
FIRST_PROBE = timedelta(seconds=30)
FIRST_THROTTLE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)  # what Retry-After may ask for
DISABLED_AFTER = timedelta(days=5)  # of failures only
SLOW_DOWN = frozenset({429, 502, 504})


class Outcome(NamedTuple):
    """How one attempt ended. `problem` is None when it went well; `wait` is what Retry-After asked for."""

    problem: DeliveryProblem | None
    status: int | None = None
    wait: timedelta | None = None
    milliseconds: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint does."""

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether only a probe goes out."""
        return self.failures >= OPEN_AFTER

    def is_given_up(self, now: datetime) -> bool:
        """Whether it has failed for so long that it is disabled."""
        return self.failing_since is not None and now - self.failing_since >= DISABLED_AFTER


def judge(status: int, retry_after: str, now: datetime) -> Outcome:
    """What an answer means: 2xx alone is a success."""
    if 200 <= status < 300:
        return Outcome(None, status)
    problem = DeliveryProblem.STATUS
    if 300 <= status < 400:
        problem = DeliveryProblem.REDIRECT
    elif status == 410:
        problem = DeliveryProblem.GONE
    elif status in SLOW_DOWN:
        problem = DeliveryProblem.THROTTLED
    return Outcome(problem, status, read_wait(retry_after, now))


def read_wait(text: str, now: datetime) -> timedelta | None:
    """What a Retry-After header asks for, in seconds or as a date; None for nothing sensible."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return min(max(until - now, timedelta()), LONGEST_WAIT)


def next_try(tries: int, outcome: Outcome, now: datetime, *, chance: float | None = None) -> datetime | None:
    """When a delivery that has failed so many times, this one included, is due again; None for never.

    chance: between 0 and 1, for the jitter; drawn unless told.
    """
    if tries >= TRIES:
        return None
    drawn = random.random() if chance is None else chance
    due = now + PAUSES[tries - 1] * (1 + JITTER * drawn)
    return max(due, now + outcome.wait) if outcome.wait else due


def after(health: Health, outcomes: Sequence[Outcome], now: datetime) -> Health:
    """How an endpoint does after a batch of attempts, told in the order in which they ended.

    What was under way together with the failure that opened the circuit counts no further: the pauses
    grow with each probe, not with how many went out at once.
    """
    most = health.failures + 1 if health.is_open else OPEN_AFTER
    until: datetime | None = None
    slowed = False
    for outcome in outcomes:
        if outcome.problem is None:
            health, slowed = Health(), False
            continue
        # What was under way together is asked to slow down together: that is said once.
        is_new = not (slowed and _asks_to_wait(outcome))
        slowed |= _asks_to_wait(outcome)
        failures = min(health.failures + is_new, most)
        health = replace(health, failures=failures, failing_since=health.failing_since or now)
        pause = _pause(health, outcome)
        if pause is not None:
            until = max(until or now, now + pause)
    if until is not None and not health.is_open and not any(map(_asks_to_wait, outcomes)):
        until = None  # the circuit closed again within the batch
    return replace(health, paused_until=until)


def _asks_to_wait(outcome: Outcome) -> bool:
    return outcome.wait is not None or outcome.problem is DeliveryProblem.THROTTLED


def _pause(health: Health, outcome: Outcome) -> timedelta | None:
    """For how long nothing at all goes to the endpoint after this failure."""
    if outcome.wait is not None:
        return outcome.wait
    if outcome.problem is DeliveryProblem.THROTTLED:
        return _doubled(FIRST_THROTTLE, health.failures - 1)
    if health.is_open:
        return _doubled(FIRST_PROBE, health.failures - OPEN_AFTER)
    return None


def _doubled(first: timedelta, times: int) -> timedelta:
    return min(first * 2 ** min(times, 10), LONGEST_PAUSE)
