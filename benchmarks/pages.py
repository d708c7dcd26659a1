"""The pages that people wait for: the look-up at the desk, and the lists of the console."""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks import people, web
from benchmarks.bench import Bench, Row
from benchmarks.clients import Answers, Job
from benchmarks.installation import ADMIN, CLERK
from loyalty.models import Entry

CLERKS = 20
DESK_GOAL, DESK_MOST_MS = 2.0, 100  # times an empty page; milliseconds of the slowest in a hundred
THINKING = 1.0  # seconds between a clerk's answers and next questions: a very busy counter
ASKED_FOR = 20_000
MOST_QUERIES, MOST_MS = 25, 300
LISTS = {
    "members": "admin:members_member_changelist",
    "accounts": "admin:members_account_changelist",
    "orders": "admin:members_order_changelist",
    "entries": "admin:loyalty_entry_changelist",
    "imports": "admin:members_importrun_changelist",
}
# Narrowed to much, so that nearly all rows are left, and to what nearly no row has.
NARROWED = {
    "orders of one channel from 100 yuan on": ("orders", "channel=tmall&net_from=100"),
    "entries of a million points": ("entries", "points_from=1000000"),
}


def measure_desk(bench: Bench) -> Iterator[Row]:
    """Twenty clerks look members up by phone: without a breath, then as people do."""
    phones = [people.phone_of(1 + n * 7919 % bench.members) for n in range(ASKED_FOR)]
    headers = web.signed_in(CLERK)
    with web.served() as port:
        empty = ask_for_nothing(bench, port, headers, clients=CLERKS)
        hurried = _find(bench, port, phones, headers, pause=0)
        calm = _find(bench, port, phones, headers, pause=THINKING)
    ratio = hurried.percentile(0.5) / empty.percentile(0.5)
    size = f"{bench.members:,} members"
    yield Row(
        work=f"desk look-up by phone, {CLERKS} clients without a pause",
        size=size,
        measured=str(hurried),
        beside=f"empty page {empty}",
        ratio=ratio,
        goal=f"≤ {DESK_GOAL:g} × an empty page",
        is_met=ratio <= DESK_GOAL,
        faults=hurried.other_than(200) + empty.other_than(200),
    )
    yield Row(
        work=f"desk look-up by phone, {CLERKS} clerks, one each second",
        size=size,
        measured=str(calm),
        goal=f"p99 ≤ {DESK_MOST_MS} ms",
        is_met=calm.percentile(0.99) <= DESK_MOST_MS,
        faults=calm.other_than(200),
    )


def ask_for_nothing(bench: Bench, port: int, headers: dict[str, str], *, clients: int) -> Answers:
    """Let clients who have signed in ask for the empty page of the desk: session, role, store, template."""
    return web.ask(
        Job(
            port=port,
            clients=clients,
            targets=[""],
            path=reverse("desk:counter"),
            headers=headers,
            seconds=bench.seconds,
        )
    )


def _find(bench: Bench, port: int, phones: list[str], headers: dict[str, str], *, pause: float) -> Answers:
    return web.ask(
        Job(
            port=port,
            clients=CLERKS,
            targets=phones,
            method="POST",
            path=reverse("desk:find"),
            headers=headers,
            body="asked={target}",
            seconds=bench.seconds,
            pause=pause,
        )
    )


def measure_lists(bench: Bench) -> Iterator[Row]:
    """Each list of the console, some of them narrowed: the first page and the second, one reader."""
    size = f"{bench.members:,} members, {Entry.objects.count():,} entries"
    headers = web.signed_in(ADMIN)
    with web.served() as port:
        for work, path in _addresses():
            answers = web.ask(
                Job(
                    port=port,
                    clients=1,
                    targets=[path, f"{path}&p=2"],
                    path="{target}",
                    headers=headers,
                    seconds=bench.seconds / 2,
                )
            )
            queries = _queries(path)
            p95 = answers.percentile(0.95)
            yield Row(
                work=work,
                size=size,
                measured=f"{queries} queries, p50 {answers.percentile(0.5):.0f} ms, p95 {p95:.0f} ms",
                goal=f"≤ {MOST_QUERIES} queries, p95 ≤ {MOST_MS} ms",
                is_met=queries <= MOST_QUERIES and p95 <= MOST_MS,
                faults=answers.other_than(200),
            )


def _addresses() -> Iterator[tuple[str, str]]:
    for name, address in LISTS.items():
        yield f"list of {name}", f"{reverse(address)}?"
    for name, (of, query) in NARROWED.items():
        yield f"narrowed list of {name}", f"{reverse(LISTS[of])}?{query}"


def _queries(path: str) -> int:
    reader = Client()
    reader.force_login(User.objects.get(username=ADMIN))
    with CaptureQueriesContext(connection) as queries:
        reader.get(path, headers={"host": "localhost"})
    return len(queries)
