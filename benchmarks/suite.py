"""Which measurements there are, in which order, and what they build upon."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from benchmarks import (
    codes,
    events,
    files,
    installation,
    matching,
    merges,
    orders,
    pages,
    peers,
    points,
    proofs,
    quotes,
    results,
    tiers,
    web,
    webhooks,
)
from benchmarks.bench import Bench, Row
from config import database


class Measurement(NamedTuple):
    """What measures, and whose rows must be in the database before it."""

    measure: Callable[[Bench], Iterator[Row]]
    needs: tuple[str, ...] = ()


def measure_limit(bench: Bench) -> Iterator[Row]:
    """Limit L by itself; the others measure it again, before and after their own work."""
    yield Row(
        work="limit L: pgbench, 16 clients",
        size=f"{bench.members:,} wallets",
        measured=f"{bench.postings.rate(bench.seconds):,.0f} postings/s",
    )


# In the order of running: batches come before the file of orders, so that growth has a beginning; tiers and
# codes after the audit, whose goal is set for entries and not for a million empty wallets or coupons.
MEASUREMENTS: dict[str, Measurement] = {
    "limit": Measurement(measure_limit),
    "customer-file": Measurement(files.measure_customers),
    "batches": Measurement(orders.measure_batches, ("customer-file",)),
    "order-file": Measurement(files.measure_orders, ("customer-file",)),
    "growth": Measurement(orders.measure_growth, ("batches", "order-file")),
    "redeem": Measurement(points.measure_redeem, ("order-file",)),
    "hot-wallet": Measurement(points.measure_hot_wallet, ("order-file",)),
    "quote": Measurement(quotes.measure_quote, ("order-file",)),
    "quote-commit": Measurement(quotes.measure_commit, ("order-file",)),
    "desk": Measurement(pages.measure_desk, ("order-file",)),
    "lists": Measurement(pages.measure_lists, ("order-file",)),
    "merge": Measurement(merges.measure_merges, ("order-file",)),
    "audit": Measurement(proofs.measure_audit, ("order-file",)),
    "tiers": Measurement(tiers.measure_tiers, ("order-file",)),
    "codes": Measurement(codes.measure_codes),
    "webhooks": Measurement(webhooks.measure_webhooks),
    "events": Measurement(events.measure_events),
    "matching": Measurement(matching.measure_matching),
    "hordak": Measurement(peers.measure_hordak, ("redeem",)),
}


def run(names: Sequence[str], *, scale: float, results_file: Path) -> int:
    """Measure; print the table and append it to the file. 1 when anything was wrong, 2 for a wrong name."""
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        say(f"Nothing is called {', '.join(sorted(unknown))}. There is: {', '.join(MEASUREMENTS)}")
        return 2
    say("making an installation")
    server, key = installation.make()
    try:
        bench = Bench(scale=scale, server=server, folder=settings.VAR, key=key, say=say)
        with web.kept():
            rows = list(_measured(bench, set(names) or set(MEASUREMENTS)))
        text = f"{results.title(server, scale)}\n\n{results.table(rows)}"
    finally:
        database.leave(guests_stay=False)
    print(text)
    results.append(results_file, text)
    return int(any(row.faults for row in rows))


def _measured(bench: Bench, wanted: set[str]) -> Iterator[Row]:
    """The rows of what is wanted; what that needs is run too, and not shown."""
    needed = _with_needs(wanted)
    for name, measurement in MEASUREMENTS.items():
        if name not in needed:
            continue
        say(f"measuring {name}")
        before = os.getloadavg()[0]
        for row in measurement.measure(bench):
            after = os.getloadavg()[0]
            if name in wanted:
                say(f"  {row.work}: {row.measured}")
                yield replace(row, loads=(before, after))
            before = after


def _with_needs(wanted: set[str]) -> set[str]:
    found = set(wanted)
    for name in wanted:
        found |= _with_needs(set(MEASUREMENTS[name].needs))
    return found


def say(line: str) -> None:
    """Tell whoever waits; the table alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)
