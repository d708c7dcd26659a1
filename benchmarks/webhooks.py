"""Webhooks: how quickly a channel is told, while everything waits for another that does not answer (A14)."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import transaction

from benchmarks.bench import Bench, Row
from benchmarks.stopwatch import stopwatch
from members import channels, columns, endpoints, outbox, sending
from members.models import Channel, WebhookDelivery, WebhookEndpoint
from members.outbox import Change

WAITING, AT_ONCE = 100_000, 10_000  # at scale 1
BATCH = 1000
EACH_SECOND = 50  # changes, one by one, to measure the lag by
GOAL_SECONDS = 5.0
PATIENCE_SECONDS = 600


def measure_webhooks(bench: Bench) -> Iterator[Row]:
    """Changes a second to a healthy endpoint, and how late each arrives, beside one that is dead."""
    waiting = bench.rows(WAITING)
    dead, live = (channels.make(f"hooks-{name}", "web") for name in ("dead", "live"))
    with _receiver() as port, _closed() as closed:
        endpoints.make(dead, f"http://127.0.0.1:{closed}/")
        endpoint = endpoints.make(live, f"http://127.0.0.1:{port}/").endpoint
        _tell(dead, waiting, "dead")
        with sending.beside():
            _until_failing(dead)
            yield _at_once(bench, live, endpoint, waiting)
            yield _one_by_one(bench, live, endpoint, waiting)
        lost = WebhookDelivery.objects.filter(endpoint__channel=dead).exclude(state="waiting").count()
        assert not lost, "what waits for the dead one is given up by nobody"


def _at_once(bench: Bench, live: Channel, endpoint: WebhookEndpoint, waiting: int) -> Row:
    count = bench.rows(AT_ONCE)
    with stopwatch() as seconds:
        _tell(live, count, "at-once")
        missing = _until_delivered(endpoint, count)
    return Row(
        work="webhooks to a healthy endpoint, another is dead",
        size=f"{count:,} changes, {waiting:,} wait",
        measured=f"{count / seconds():,.0f} changes/s",
        faults=missing,
    )


def _one_by_one(bench: Bench, live: Channel, endpoint: WebhookEndpoint, waiting: int) -> Row:
    before = endpoint.deliveries.count()
    count = EACH_SECOND * bench.seconds
    for number in range(count):
        _tell(live, 1, f"one-{number}")
        time.sleep(1 / EACH_SECOND)
    missing = _until_delivered(endpoint, before + count)
    ((middle, late),) = columns.ask(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), percentile_cont(0.99)"
        " WITHIN GROUP (ORDER BY lag) FROM (SELECT extract(epoch FROM d.settled_at - o.created_at)::float"
        " AS lag FROM members_webhookdelivery d JOIN members_outboxevent o ON o.id = d.event_id"
        " WHERE d.endpoint_id = %s AND o.change LIKE 'one-%%') AS lags",
        [endpoint.pk],
    )
    return Row(
        work="lag of a webhook, another endpoint is dead",
        size=f"{count:,} changes, {waiting:,} wait",
        measured=f"p50 {middle:.2f} s, p99 {late:.2f} s",
        ratio=late / GOAL_SECONDS,
        goal=f"p99 ≤ {GOAL_SECONDS:g} s",
        is_met=late <= GOAL_SECONDS,
        faults=missing,
    )


def _tell(channel: Channel, count: int, name: str) -> None:
    for first in range(0, count, BATCH):
        with transaction.atomic():
            outbox.put(
                [
                    Change("order.changed", f"{name}:{number}", None, channel.pk, {"revision": 1})
                    for number in range(first, min(first + BATCH, count))
                ]
            )


def _until_failing(channel: Channel) -> None:
    """Wait until the dead endpoint's circuit is open."""
    while not WebhookEndpoint.objects.filter(channel=channel, paused_until__isnull=False).exists():
        time.sleep(0.05)


def _until_delivered(endpoint: WebhookEndpoint, count: int) -> int:
    """Wait until so many have arrived; how many are missing when it takes too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        missing = count - endpoint.deliveries.filter(state="delivered").count()
        if not missing or time.monotonic() > until:
            return missing
        time.sleep(0.05)


@contextmanager
def _receiver() -> Iterator[int]:
    """The port of a server that takes everything."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receiver"],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@contextmanager
def _closed() -> Iterator[int]:
    """A port that is taken and at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
