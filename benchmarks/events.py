"""Behaviour events in batches of a thousand, beside COPY of the same rows into a table of the same shape."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from benchmarks import event_book, installation, people, web
from benchmarks.bench import Bench, Limit, Row
from benchmarks.clients import Answers, Job
from benchmarks.stopwatch import stopwatch
from config import database
from members import channels, events, happenings, timeline
from members.facts import AccountFact, EventFact, EventKind
from members.models import Event, Member
from members.timeline import Reading

BATCH = 1000
CLIENTS = 2
SESSION = 10  # events of one visitor in a row
VISITORS = 60_000
COPIES = 20  # batches for the limit

_numbers = count(1)  # of events, over all measurements of a run
_KINDS = (
    EventKind.VIEW,
    EventKind.VIEW,
    EventKind.CLICK,
    EventKind.DWELL,
    EventKind.SEARCH,
    EventKind.CART_ADD,
)
_COPY = (
    "COPY bench_event (at, visitor_id, kind, session, path, entrance, keyword, product, category, duration)"
    " FROM STDIN"
)


def measure_events(bench: Bench) -> Iterator[Row]:
    """Batches of events into a book of many months, first by `events.record`, then by the API.

    After that a timeline is read in that book, and its oldest month is dropped.
    """
    bench.say("writing the book of events")
    watched = event_book.write(bench, timezone.now())
    installation.calm(bench.server)
    _record_one(bench, timezone.now())  # makes the month and the first visitors
    with _beside_copy(bench) as limit:
        rate, faults = _record(bench)
    yield _row("events in batches of 1,000, one process", bench, rate, limit, faults)
    with _beside_copy(bench) as limit:
        rate, faults = _send(bench)
    yield _row(f"events in batches of 1,000, API, {CLIENTS} clients", bench, rate, limit, faults)
    yield _read(watched)
    yield _drop_a_month()


def _row(work: str, bench: Bench, rate: float, limit: Limit, faults: int) -> Row:
    return Row(
        work=work,
        size=f"{Event.objects.count():,} events",
        measured=f"{rate:,.0f} events/s",
        beside=str(limit),
        ratio=rate / limit.rate,
        faults=faults,
    )


def _read(watched: Sequence[Member]) -> Row:
    """The first page of each member's visits."""
    size, milliseconds, empty = f"{Event.objects.count():,} events", [], 0
    for member in watched:
        with stopwatch() as seconds:
            visits = list(happenings.visits(Reading(member, timeline.PAGE, 0)))
        milliseconds.append(seconds() * 1000)
        empty += not visits
    read = Answers(seconds=sum(milliseconds) / 1000, milliseconds=milliseconds, statuses={})
    return Row(work="visits of a member's timeline", size=size, measured=str(read), faults=empty)


def _drop_a_month() -> Row:
    """What the worker does in the first night of a month."""
    size, before = f"{Event.objects.count():,} events", Event.objects.count()
    with stopwatch() as seconds:
        _made, dropped = events.tidy(timezone.now() + timedelta(days=31))
    gone = before - Event.objects.count()
    return Row(
        work="the oldest month of events forgotten",
        size=size,
        measured=f"{gone:,} events in {seconds():.1f} s",
        faults=abs(dropped - 1) + (not gone),
    )


def _told(bench: Bench, at: datetime) -> dict[str, Any]:
    number = next(_numbers)
    visitor = 1 + number // SESSION % min(VISITORS, bench.members)
    return {
        "event_id": f"bench-{number:012d}",
        "kind": _KINDS[number % len(_KINDS)],
        "at": at - timedelta(seconds=number % 86_400),
        "external_id": people.nick_of(visitor),
        "session": f"session-{number // SESSION:012d}",
        "path": f"/tea/{number % 500}",
        "entrance": "search",
        "keyword": "龙井" if number % 5 == 0 else "",
        "product": f"TEA-{number % 500}",
        "category": "茶叶",
        "duration": number % 120,
    }


def _fact(told: dict[str, Any]) -> EventFact:
    values = {name: value for name, value in told.items() if name != "external_id"}
    return EventFact(**values, buyer=AccountFact(external_id=told["external_id"]))


def _record_one(bench: Bench, now: datetime) -> int:
    """Hand over one batch; how many of its events were not taken as new."""
    facts = [_fact(_told(bench, now)) for _ in range(BATCH)]
    return sum(receipt.outcome != "new" for receipt in events.record(channels.get("tmall"), facts, now=now))


def _record(bench: Bench) -> tuple[float, int]:
    faults = batches = 0
    with stopwatch() as seconds:
        while seconds() < bench.seconds:
            faults += _record_one(bench, timezone.now())
            batches += 1
    return batches * BATCH / seconds(), faults


def _send(bench: Bench) -> tuple[float, int]:
    now = timezone.now()
    bodies = [
        json.dumps([_told(bench, now) for _ in range(BATCH)], default=_as_json, ensure_ascii=False)
        for _ in range(10 * bench.seconds)
    ]
    before = Event.objects.count()
    with web.served() as port:
        answers = web.ask(
            Job(
                port=port,
                clients=CLIENTS,
                targets=bodies,
                method="POST",
                path="/api/v1/events/batch/",
                headers=web.api_headers(bench.key),
                body="{target}",
            )
        )
    missing = len(bodies) * BATCH - (Event.objects.count() - before)
    return answers.rate * BATCH, missing + answers.other_than(200)


def _as_json(value: datetime) -> str:
    return value.isoformat()


# -- the limit ---------------------------------------------------------------------------------------------


@contextmanager
def _beside_copy(bench: Bench) -> Iterator[Limit]:
    """Measure before and after the block how fast COPY writes such rows, a thousand in a transaction."""
    limit = Limit("COPY", " rows/s", [_copy_rate(bench)])
    yield limit
    limit.rates.append(_copy_rate(bench))


def _copy_rate(bench: Bench) -> float:
    now = timezone.now()
    part = f"members_event_{events.month_of(now):%Y%m}"
    batches = [[_told(bench, now) for _ in range(BATCH)] for _ in range(COPIES)]
    with database.as_owner():  # the serving role makes no tables
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE bench_event (LIKE {part} INCLUDING ALL)")
        with stopwatch() as seconds:
            for batch in batches:
                with transaction.atomic(), connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                    for number, told in enumerate(batch):
                        copy.write_row([told["at"], number, *_texts(told), told["duration"]])
        rate = COPIES * BATCH / seconds()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_event")
    return rate


def _texts(told: dict[str, Any]) -> list[str]:
    names = ("kind", "session", "path", "entrance", "keyword", "product", "category")
    return [str(told[name]) for name in names]
