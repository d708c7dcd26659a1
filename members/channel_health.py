"""How the channels do: what waits for each endpoint, for how long, and what the last day was like (A15).

Counts end at a bound, as a page and a person need no more: a backlog of millions is "10,000 and more".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from members import changes, columns, platform_queues
from members.circuits import OPEN_AFTER, Health
from members.connectors import tmall_queue
from members.models import Channel, PlatformQueue, WebhookEndpoint, WebhookHour

MOST = 10_000  # rows that are counted
HOURS = 24
LATE = timedelta(seconds=60)  # a lag above which somebody should look
UNASKED = timedelta(minutes=6)  # without an answer of a queue: it is asked each minute, or each five
KEPT = timedelta(hours=tmall_queue.KEPT_HOURS)

STATES: dict[str, str | Promise] = {
    "working": _("Working"),
    "paused": _("Paused for a moment"),
    "failing": _("Failing"),
    "disabled": _("Switched off"),
    "given up": _("Given up"),
}
TONES = {"working": "good", "paused": "warn", "failing": "bad", "disabled": "", "given up": "bad"}


@dataclass(frozen=True, slots=True)
class Backlog:
    """What has not reached an endpoint. `waiting` and `dead` end at MOST."""

    waiting: int = 0
    dead: int = 0
    oldest_at: datetime | None = None  # when the oldest that waits happened


@dataclass(frozen=True, slots=True)
class Hour:
    """What an endpoint was told in one hour."""

    begins: datetime
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One endpoint as the page shows it."""

    endpoint: WebhookEndpoint
    state: str
    backlog: Backlog
    hours: Sequence[Hour] = ()

    @property
    def lag(self) -> timedelta | None:
        """For how long the oldest that waits has waited."""
        return timezone.now() - self.backlog.oldest_at if self.backlog.oldest_at else None

    @property
    def delivered(self) -> int:
        return sum(hour.delivered for hour in self.hours)

    @property
    def failed(self) -> int:
        return sum(hour.failed for hour in self.hours)


def state_of(endpoint: WebhookEndpoint, now: datetime | None = None) -> str:
    """A word of STATES: `paused` for a while as it asked, `failing` while only probes go out.

    `disabled` by somebody; `given up` after 410 or days of failures.
    """
    is_paused = endpoint.paused_until is not None and endpoint.paused_until > (now or timezone.now())
    return _in_a_word(endpoint.disabled_why, Health(endpoint.failures).is_open, is_paused)


# What waits has rows, made in the order of the outbox, or lies in the outbox after the endpoint's place.
_BACKLOG = f"""
SELECT e.id, rows.count + ahead.count, dead.count, coalesce(first.created_at, ahead.oldest_at)
FROM members_webhookendpoint e
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(found.event_id) AS first FROM (
        SELECT d.event_id FROM members_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.state = 'waiting' ORDER BY d.due_at LIMIT {MOST}) AS found
) AS rows
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM members_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.state = 'dead' LIMIT {MOST}) AS found
) AS dead
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(s.created_at) AS oldest_at FROM (
        SELECT * FROM members_outboxevent o
        WHERE (o.xid, o.id) > (e.read_xid, e.read_id) ORDER BY o.xid, o.id LIMIT {MOST}) AS s
    WHERE (e.topics = '[]' OR e.topics ? s.topic) AND {changes.concerns("e.channel_id")}
) AS ahead
LEFT JOIN members_outboxevent first ON first.id = rows.first
WHERE e.id = ANY(%s::bigint[])
"""


def backlogs(endpoints: Sequence[WebhookEndpoint]) -> dict[int, Backlog]:
    """What has not reached each of some endpoints, in one statement."""
    ids = columns.numbers([endpoint.pk for endpoint in endpoints])
    return {
        id_: Backlog(min(waiting, MOST), dead, oldest_at)
        for id_, waiting, dead, oldest_at in columns.ask(_BACKLOG, [ids])
    }


def seen(endpoints: Sequence[WebhookEndpoint], now: datetime) -> list[Seen]:
    """Endpoints with their backlog and their last day, in two statements."""
    found = backlogs(endpoints)
    hours = _hours(endpoints, now)
    return [
        Seen(
            endpoint,
            state_of(endpoint, now),
            found.get(endpoint.pk, Backlog()),
            hours[endpoint.pk],
        )
        for endpoint in endpoints
    ]


def _hours(endpoints: Sequence[WebhookEndpoint], now: datetime) -> dict[int, list[Hour]]:
    this = now.replace(minute=0, second=0, microsecond=0)
    begins = [this - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)]
    rows = WebhookHour.objects.filter(endpoint__in=endpoints, hour__gte=begins[0])
    counted = {(row.endpoint_id, row.hour): row for row in rows}
    return {
        endpoint.pk: [_hour(hour, counted.get((endpoint.pk, hour))) for hour in begins]
        for endpoint in endpoints
    }


def _hour(begins: datetime, row: WebhookHour | None) -> Hour:
    return Hour(begins, row.delivered if row else 0, row.failed if row else 0)


class Glance(NamedTuple):
    """One endpoint as the home page shows it. `dead` ends at MOST."""

    endpoint_id: int
    channel: str
    url: str
    state: str
    last_success_at: datetime | None
    dead: int

    @property
    def needs_somebody(self) -> bool:
        """Whether it gets nothing, and nobody has wanted that."""
        return self.state in ("failing", "given up")


class Glances(NamedTuple):
    """Every endpoint, and how many queues of platforms did not answer several times in a row."""

    endpoints: Sequence[Glance]
    silent_queues: int


# The row of the queues is there where no endpoint is.
_GLANCE = f"""
SELECT queues.silent, e.id, c.name, e.url, e.disabled_why, e.failures >= {OPEN_AFTER}, e.paused_until > %s,
       e.last_success_at, dead.count
FROM (
    SELECT count(*) AS silent FROM members_platformqueue q JOIN members_channel c ON c.id = q.channel_id
    WHERE q.failures >= {OPEN_AFTER} AND c.is_active AND EXISTS (
        SELECT FROM members_credential s WHERE s.channel_id = c.id AND s.name = %s)
) AS queues
LEFT JOIN members_webhookendpoint e ON e.removed_at IS NULL
LEFT JOIN members_channel c ON c.id = e.channel_id
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM members_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.state = 'dead' LIMIT {MOST}) AS found
) AS dead
ORDER BY c.code, e.id
"""


def at_a_glance(now: datetime) -> Glances:
    """How all of it does, in one statement."""
    rows = columns.ask(_GLANCE, [now, platform_queues.SWITCH])  # one at least
    found = [
        Glance(id_, channel, url, _in_a_word(why, is_open, is_paused), last, dead)
        for _silent, id_, channel, url, why, is_open, is_paused, last, dead in rows
        if id_ is not None
    ]
    return Glances(found, rows[0][0])


def _in_a_word(why: str, is_open: bool, is_paused: bool | None) -> str:
    if why:
        return "disabled" if why == WebhookEndpoint.Why.ASKED else "given up"
    return "failing" if is_open else "paused" if is_paused else "working"


# --- queues -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeenQueue:
    """The queue of a channel as the page shows it. `state` is a word of STATES."""

    channel: Channel
    row: PlatformQueue
    state: str
    is_late: bool  # nobody has had an answer of it for a while
    is_losing: bool  # it has failed for longer than the platform keeps what waits


def queues(channels: Sequence[Channel], now: datetime) -> list[SeenQueue]:
    """The queues of those of these channels for which one is emptied; asks the database nothing.

    The channels come from `platform_queues.with_queues`.
    """
    found = []
    for channel in channels:
        row = getattr(channel, "queue", None)
        if row is None or not getattr(channel, "is_emptied", False):
            continue
        state = "failing" if row.failures else "working"
        last, since = row.last_success_at, row.failing_since
        is_late = last is None or now - last > UNASKED
        is_losing = since is not None and now - since > KEPT
        found.append(SeenQueue(channel, row, state, is_late, is_losing))
    return found
