"""Deliveries: which changes go to which endpoint, handed out in batches and settled (A14, A15).

Promises: each endpoint has a place of its own in the outbox and rows of its own, so none waits for
another; a change is for those alone who would read it at GET /changes/; nothing is lost when the worker
is killed at any moment, as what it had begun is due again after a while, under the same webhook-id;
what kills the worker is tried alone and becomes a dead letter after five times.

No row is locked and no transaction open while something is sent: `claim` commits before, `settle` begins
after. An endpoint that nobody answers at keeps a bounded number of rows; the rest of its backlog is the
outbox itself.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from members import changes, circuits, columns
from members.circuits import Health, Outcome
from members.models import DeliveryProblem, WebhookDelivery, WebhookEndpoint, WebhookHour
from members.webhook_messages import Message

log = logging.getLogger(__name__)

BATCH = 100  # messages handed out at once
WINDOW = 1000  # due rows of an endpoint above which the outbox is not read on for it
SCANNED = 2000  # changes looked at in one turn
LEASE = timedelta(seconds=60)  # longer than a batch is ever under way (members.posting)
CRASHES = 5  # attempts that began and never ended, after which a message is left alone

State = WebhookDelivery.State
Why = WebhookEndpoint.Why
Sent = tuple[Message, Outcome]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be sent to one endpoint now, in order. `failures`: how many in a row it had before."""

    endpoint_id: int
    url: str
    keys: tuple[str, ...]  # the secrets that sign
    failures: int
    messages: tuple[Message, ...]
    has_read: bool  # whether the outbox was read on: there may be more at once


# -- who has work ----------------------------------------------------------------------------------------

# Asked twice a second: the newest change of the outbox is one look into `outbox_in_order`, the first that
# is due one look for each endpoint into `delivery_due`. ORDER BY keeps the planner to them, where EXISTS
# would hope to find a row early in the table, and read all of it when there is none.
_READY = """
WITH newest AS (
    SELECT xid, id FROM members_outboxevent WHERE xid < %s ORDER BY xid DESC, id DESC LIMIT 1
)
SELECT e.id FROM members_webhookendpoint e JOIN members_channel c ON c.id = e.channel_id AND c.is_active
LEFT JOIN newest ON true
WHERE e.removed_at IS NULL AND e.disabled_at IS NULL AND (e.paused_until IS NULL OR e.paused_until <= %s)
  AND ((newest.xid, newest.id) > (e.read_xid, e.read_id)
       OR (SELECT d.due_at FROM members_webhookdelivery d
           WHERE d.endpoint_id = e.id AND d.state = 'waiting'
           ORDER BY d.due_at, d.id LIMIT 1) <= %s)
ORDER BY e.id
"""


def ready(now: datetime) -> list[int]:
    """The endpoints that have something to send and are not paused, by id."""
    rows = columns.ask(_READY, [changes.horizon(), now, now])
    return [endpoint_id for (endpoint_id,) in rows]


# -- handing out ----------------------------------------------------------------------------------------

# Changes after an endpoint's place become rows of its own. The number among the member's goes on from the
# last row: the purge leaves that one. Whoever holds the endpoint's row is the only one who counts.
_READ_ON = f"""
WITH scanned AS (
    SELECT * FROM members_outboxevent
    WHERE (xid, id) > (%(xid)s, %(id)s) AND xid < %(final)s
    ORDER BY xid, id LIMIT {SCANNED}
), wanted AS (
    SELECT s.xid, s.id, s.member_id,
           row_number() OVER (PARTITION BY s.member_id ORDER BY s.xid, s.id) AS place
    FROM scanned s
    WHERE (%(topics)s::jsonb = '[]' OR %(topics)s::jsonb ? s.topic) AND {changes.concerns("%(channel)s")}
), put AS (
    INSERT INTO members_webhookdelivery
        (endpoint_id, event_id, member_id, sequence, state, due_at, tries, started, finished, problem)
    SELECT %(endpoint)s, w.id, w.member_id,
           CASE WHEN w.member_id IS NOT NULL THEN w.place + coalesce(last.sequence, 0) END,
           'waiting', %(now)s, 0, 0, 0, ''
    FROM wanted w LEFT JOIN LATERAL (
        SELECT d.sequence FROM members_webhookdelivery d
        WHERE d.endpoint_id = %(endpoint)s AND d.member_id = w.member_id
        ORDER BY d.sequence DESC LIMIT 1) last ON true
    ORDER BY w.xid, w.id
)
SELECT xid, id FROM scanned ORDER BY xid DESC, id DESC LIMIT 1
"""

_DUE = f"""
SELECT count(*) FROM (
    SELECT FROM members_webhookdelivery
    WHERE endpoint_id = %s AND state = 'waiting' AND due_at <= %s
    ORDER BY due_at, id LIMIT {WINDOW}) AS due
"""

# What began and did not end may have killed the worker: it goes alone, everything else together.
_CLAIM = """
WITH due AS (
    SELECT id, due_at FROM members_webhookdelivery
    WHERE endpoint_id = %(endpoint)s AND state = 'waiting' AND due_at <= %(now)s
      AND (started > finished) = %(alone)s
    ORDER BY due_at, id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE members_webhookdelivery d SET due_at = %(lease)s, started = d.started + 1
FROM due, members_outboxevent o WHERE d.id = due.id AND o.id = d.event_id
RETURNING d.id, d.tries, o.id, o.topic, o.change, d.member_id, d.sequence, o.payload, o.created_at, due.due_at
"""

_ISOLATE = f"""
UPDATE members_webhookdelivery
SET state = 'dead', problem = '{DeliveryProblem.CRASHED}', status = NULL, settled_at = %(now)s
WHERE endpoint_id = %(endpoint)s AND state = 'waiting' AND due_at <= %(now)s
  AND started - finished >= {CRASHES}
"""


def claim(endpoint_id: int, now: datetime, *, alone: bool = False) -> Batch | None:
    """Hand out what an endpoint is to get now; None when it is paused, disabled, or somebody else is at it.

    alone: one message of those that may have killed a worker, instead of a batch of the others. While the
    circuit is open one message is handed out, and nobody else gets another until it is settled.
    """
    final = changes.horizon()  # a statement before, as in changes.after
    with transaction.atomic():
        endpoint = _take(endpoint_id, now)
        if endpoint is None:
            return None
        has_read = not alone and _read_on(endpoint, final, now)
        if alone:
            columns.tell(_ISOLATE, {"endpoint": endpoint_id, "now": now})
        is_open = Health(failures=endpoint.failures).is_open
        asked = {
            "endpoint": endpoint_id,
            "now": now,
            "lease": now + LEASE,
            "alone": alone,
            "most": 1 if alone or is_open else BATCH,
        }
        messages = [_message(row) for row in columns.ask(_CLAIM, asked)]
        messages.sort(key=lambda message: (message.due_at, message.delivery_id))
        if messages and is_open:
            endpoint.paused_until = now + LEASE
            endpoint.save(update_fields=["paused_until"])
    return Batch(
        endpoint_id=endpoint_id,
        url=endpoint.url,
        keys=keys_of(endpoint, now),
        failures=endpoint.failures,
        messages=tuple(messages),
        has_read=has_read,
    )


def _take(endpoint_id: int, now: datetime) -> WebhookEndpoint | None:
    """Lock the endpoint, if it may be sent to and nobody else has it."""
    rows = WebhookEndpoint.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    live = rows.filter(pk=endpoint_id, removed_at=None, disabled_at=None, channel__is_active=True)
    endpoint = live.first()
    is_paused = endpoint is not None and endpoint.paused_until is not None and endpoint.paused_until > now
    return None if is_paused else endpoint


def _read_on(endpoint: WebhookEndpoint, final: int, now: datetime) -> bool:
    """Make rows of the next changes in the outbox; whether there were any to look at."""
    ((due,),) = columns.ask(_DUE, [endpoint.pk, now])
    if due >= WINDOW:
        return False
    read = columns.ask(
        _READ_ON,
        {
            "xid": endpoint.read_xid,
            "id": endpoint.read_id,
            "final": final,
            "topics": json.dumps(endpoint.topics),
            "channel": endpoint.channel_id,
            "endpoint": endpoint.pk,
            "now": now,
        },
    )
    for endpoint.read_xid, endpoint.read_id in read:
        endpoint.save(update_fields=["read_xid", "read_id"])
    return bool(read)


def _message(row: columns.Row) -> Message:
    (id_, tries, event_id, topic, change, member_id, sequence, payload, at, due_at) = row
    told = json.loads(payload)
    return Message(id_, tries, event_id, topic, change, member_id, sequence, told, at, due_at)


def keys_of(endpoint: WebhookEndpoint, now: datetime) -> tuple[str, ...]:
    """The secrets that sign now: while one replaces the other, both."""
    keys = [endpoint.secret]
    if endpoint.previous_until is not None and now < endpoint.previous_until:
        keys.append(endpoint.previous_secret)
    return tuple(key for key in keys if key)


# -- settling ----------------------------------------------------------------------------------------

_SETTLED: list[tuple[str, str, columns.Writer]] = [
    ("id", "bigint", columns.numbers),
    ("state", "text", columns.words),
    ("due_at", "timestamptz", columns.times),
    ("tries", "int", columns.numbers),
    ("problem", "text", columns.texts),
    ("status", "int", columns.numbers),
    ("tried_at", "timestamptz", columns.times),
    ("settled_at", "timestamptz", columns.times),
]
_NAMES = ", ".join(name for name, _kind, _write in _SETTLED)
_TYPES = ", ".join(f"%s::{kind}[]" for _name, kind, _write in _SETTLED)
_SETTLE = f"""
UPDATE members_webhookdelivery d
SET state = t.state, due_at = t.due_at, tries = t.tries, finished = d.started, problem = t.problem,
    status = t.status, tried_at = coalesce(t.tried_at, d.tried_at), settled_at = t.settled_at
FROM unnest({_TYPES}) AS t({_NAMES}) WHERE d.id = t.id AND d.state = 'waiting'
"""

_PUT_BACK = """
UPDATE members_webhookdelivery d SET due_at = t.due_at, started = started - 1
FROM unnest(%s::bigint[], %s::timestamptz[]) AS t(id, due_at)
WHERE d.id = t.id AND d.state = 'waiting' AND d.started > d.finished
"""

_NOTE_FAILURES = """
INSERT INTO members_webhookfailure (delivery_id, at, problem, status, milliseconds)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::int[], %s::int[])
"""

_COUNT = """
INSERT INTO members_webhookhour AS h (endpoint_id, hour, delivered, failed) VALUES (%s, %s, %s, %s)
ON CONFLICT (endpoint_id, hour) DO UPDATE
SET delivered = h.delivered + EXCLUDED.delivered, failed = h.failed + EXCLUDED.failed
"""

# What failed since nobody answers failed for no fault of its own: its schedule begins anew.
_BEGIN_ANEW = """
UPDATE members_webhookdelivery SET due_at = %(now)s, tries = 0
WHERE endpoint_id = %(endpoint)s AND state = 'waiting' AND due_at > %(now)s AND started = finished
  AND (%(since)s::timestamptz IS NULL OR tried_at >= %(since)s)
"""


def settle(batch: Batch, sent: Sequence[Sent], now: datetime) -> None:
    """Write down how a batch's attempts ended, told in that order; what was not tried is due as before."""
    tried = {message.delivery_id for message, _outcome in sent}
    left = [each for each in batch.messages if each.delivery_id not in tried]
    failed = [(message, outcome) for message, outcome in sent if outcome.problem is not None]
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=batch.endpoint_id)
        if left:
            ids = columns.numbers([each.delivery_id for each in left])
            columns.tell(_PUT_BACK, [ids, columns.times([each.due_at for each in left])])
        if sent:
            rows = [_settled(message, outcome, now) for message, outcome in sent]
            columns.tell(_SETTLE, columns.of_rows(_SETTLED, rows))
            hour = now.replace(minute=0, second=0, microsecond=0)
            columns.tell(_COUNT, [endpoint.pk, hour, len(sent) - len(failed), len(failed)])
            if failed:
                _note(failed, now)
            _judge(endpoint, [outcome for _message, outcome in sent], now)


def _settled(message: Message, outcome: Outcome, now: datetime) -> tuple[object, ...]:
    """A row of _SETTLED."""
    if outcome.problem is None:
        return message.delivery_id, State.DELIVERED, now, message.tries, "", outcome.status, None, now
    tries = message.tries + 1
    due = circuits.next_try(tries, outcome, now)
    state = State.WAITING if due else State.DEAD
    problem = str(outcome.problem)
    ended = None if due else now
    return message.delivery_id, state, due or now, tries, problem, outcome.status, now, ended


def _note(failed: Sequence[Sent], now: datetime) -> None:
    outcomes = [outcome for _message, outcome in failed]
    columns.tell(
        _NOTE_FAILURES,
        [
            columns.numbers([message.delivery_id for message, _outcome in failed]),
            columns.times([now] * len(failed)),
            columns.texts([outcome.problem for outcome in outcomes]),
            columns.numbers([outcome.status for outcome in outcomes]),
            columns.numbers([outcome.milliseconds for outcome in outcomes]),
        ],
    )


def _judge(endpoint: WebhookEndpoint, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Open or close the circuit; disable an endpoint that is gone or has failed for days."""
    before = Health(endpoint.failures, endpoint.failing_since)
    health = circuits.after(before, outcomes, now)
    problems = [outcome for outcome in outcomes if outcome.problem is not None]
    if len(problems) < len(outcomes):
        endpoint.last_success_at = now
        if before.is_open:
            asked = {"now": now, "endpoint": endpoint.pk, "since": before.failing_since}
            columns.tell(_BEGIN_ANEW, asked)
            log.warning("webhook endpoint %s answers again", endpoint.pk)
    if problems:
        endpoint.last_failure_at = now
        endpoint.last_problem = str(problems[-1].problem)
        endpoint.last_status = problems[-1].status
    endpoint.failures = health.failures
    endpoint.failing_since = health.failing_since
    endpoint.paused_until = health.paused_until
    endpoint.save(update_fields=_JUDGED)
    if any(outcome.problem is DeliveryProblem.GONE for outcome in problems):
        _disable(endpoint, Why.GONE, now)
    elif health.is_given_up(now):
        _disable(endpoint, Why.FAILING, now)


_JUDGED = (
    "failures",
    "failing_since",
    "paused_until",
    "last_success_at",
    "last_failure_at",
    "last_problem",
    "last_status",
)


def _disable(endpoint: WebhookEndpoint, why: str, now: datetime) -> None:
    if endpoint.disabled_at is not None:
        return
    endpoint.disabled_at, endpoint.disabled_why = now, why
    endpoint.save(update_fields=["disabled_at", "disabled_why"])
    log.error("webhook endpoint %s of channel %s is disabled: %s", endpoint.pk, endpoint.channel_id, why)


def begin_anew(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Let everything that waits for another try be tried now, with its whole schedule ahead."""
    columns.tell(_BEGIN_ANEW, {"now": now, "endpoint": endpoint.pk, "since": None})


# -- keeping ----------------------------------------------------------------------------------------


def purge(now: datetime, *, days: int) -> int:
    """Forget what was delivered so long ago, in small steps; how many deliveries were forgotten.

    The last delivery of each member stays, as the next one is numbered after it; so do dead letters of
    endpoints that live, which wait for a person. The outbox itself is forever: law 10 is proved by it.
    """
    before = now - timedelta(days=days)
    forgotten = last = 0
    while ids := [id_ for (id_,) in columns.ask(_OLD, {"before": before, "last": last})]:
        with transaction.atomic():
            columns.tell(_FORGET_FAILURES, [columns.numbers(ids)])
            forgotten += columns.tell(_FORGET, [columns.numbers(ids)])
        last = ids[-1]
    WebhookHour.objects.filter(hour__lt=before).delete()
    return forgotten


_OLD = """
SELECT d.id FROM members_webhookdelivery d JOIN members_webhookendpoint e ON e.id = d.endpoint_id
WHERE d.id > %(last)s AND (
    e.removed_at < %(before)s
    OR d.state = 'delivered' AND d.settled_at < %(before)s AND (d.member_id IS NULL OR EXISTS (
        SELECT FROM members_webhookdelivery later
        WHERE later.endpoint_id = d.endpoint_id AND later.member_id = d.member_id
          AND later.sequence > d.sequence)))
ORDER BY d.id LIMIT 5000
"""
_FORGET_FAILURES = "DELETE FROM members_webhookfailure WHERE delivery_id = ANY(%s::bigint[])"
_FORGET = "DELETE FROM members_webhookdelivery WHERE id = ANY(%s::bigint[])"
