"""Orders in batches of a thousand, the whole way: match, record, price, post, tier, outbox."""

import json
from collections.abc import Iterator, Sequence
from itertools import count, islice

from django.utils import timezone

from benchmarks import people, web
from benchmarks.bench import Bench, Limit, Row
from benchmarks.clients import Job
from benchmarks.stopwatch import stopwatch
from loyalty import orders
from members import channels
from members.models import Order

BATCH = 1000
GOAL, GROWTH_GOAL = 0.7, 1.2
CLIENTS = 2
KNOWN = 60_000  # members among whom the buyers are: few enough for all to be known to the channel at once

_numbers = count(1)  # of orders, over all measurements of a run


def measure_batches(bench: Bench) -> Iterator[Row]:
    """Batches of known buyers' orders, handed to `orders.receive` by one process, then to the API."""
    _acquaint(bench)
    with bench.beside_l() as limit:
        rate, faults = _receive(bench)
    bench.kept["cost of an order"] = limit.rate / rate
    yield _row("orders in batches of 1,000, one process", bench, rate, limit, faults)
    with bench.beside_l() as limit:
        rate, faults = _send(bench)
    yield _row(f"orders in batches of 1,000, API, {CLIENTS} clients", bench, rate, limit, faults)


def measure_growth(bench: Bench) -> Iterator[Row]:
    """What an order costs now, with all that the run has recorded, beside what it cost at first."""
    with bench.beside_l() as limit:
        rate, faults = _receive(bench)
    before, now = bench.kept["cost of an order"], limit.rate / rate
    yield Row(
        work="cost of an order as the book grows",
        size=f"{Order.objects.count():,} orders",
        measured=f"{now:.2f} postings at L",
        beside=f"{before:.2f} with few orders",
        ratio=now / before,
        goal=f"≤ {GROWTH_GOAL}",
        is_met=now / before <= GROWTH_GOAL,
        faults=faults,
    )


def _row(work: str, bench: Bench, rate: float, limit: Limit, faults: int) -> Row:
    ratio = rate / limit.rate
    return Row(
        work=work,
        size=f"{bench.members:,} members",
        measured=f"{rate:,.0f} orders/s",
        beside=str(limit),
        ratio=ratio,
        goal=f"≥ {GOAL} L",
        is_met=ratio >= GOAL,
        faults=faults,
    )


def _pool(bench: Bench) -> int:
    return min(bench.members, KNOWN)


def _next_numbers() -> Sequence[int]:
    return list(islice(_numbers, BATCH))


def _acquaint(bench: Bench) -> None:
    """Let each buyer buy once before anything is measured: an account is made once, orders come again."""
    for _ in range(-(-_pool(bench) // people.BUYING // BATCH)):
        _receive_one(bench)


def _receive_one(bench: Bench) -> int:
    """Hand over one batch; how many of its orders were not taken as new."""
    now = timezone.now()
    facts = [people.new_order(number, members=_pool(bench), at=now) for number in _next_numbers()]
    receipts = orders.receive(channels.get("tmall"), facts)
    return sum(receipt.outcome != "new" or not receipt.points for receipt in receipts)


def _receive(bench: Bench) -> tuple[float, int]:
    """Orders a second, and how many were not taken as new."""
    faults = batches = 0
    with stopwatch() as seconds:
        while seconds() < bench.seconds:
            faults += _receive_one(bench)
            batches += 1
    return batches * BATCH / seconds(), faults


def _send(bench: Bench) -> tuple[float, int]:
    now = timezone.now()
    bodies = [
        json.dumps(
            [people.new_order_body(number, members=_pool(bench), at=now) for number in _next_numbers()],
            ensure_ascii=False,
        )
        for _ in range(4 * bench.seconds)
    ]
    before = Order.objects.count()
    with web.served() as port:
        answers = web.ask(
            Job(
                port=port,
                clients=CLIENTS,
                targets=bodies,
                method="POST",
                path="/api/v1/orders/batch/",
                headers=web.api_headers(bench.key),
                body="{target}",
            )
        )
    missing = len(bodies) * BATCH - (Order.objects.count() - before)
    return answers.rate * BATCH, missing + answers.other_than(200)
