"""Peers, on the same server in the same minute: what others' ledgers do where ours redeems."""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks import processes
from benchmarks.bench import Bench, Row
from benchmarks.hordak_transfers import DATABASE, PROCESSES
from benchmarks.limits import make_database


def measure_hordak(bench: Bench) -> Iterator[Row]:
    """Transfers of django-hordak by its own API, without HTTP, keys or repeats that it would have to know."""
    make_database(bench.server, DATABASE)
    with bench.beside_l() as limit:
        ran = processes.run(
            *(sys.executable, "-m", "benchmarks.hordak_transfers"), str(bench.server.run), str(bench.seconds)
        )
    told = json.loads(ran.said)
    ours, ours_of_l = bench.kept["redemptions a second"], bench.kept["redemptions, of L"]
    yield Row(
        work=f"transfers of django-hordak, {PROCESSES} processes",
        size=f"{told['accounts']:,} accounts, version {version('django-hordak')}",
        measured=f"{told['rate']:,.0f} transfers/s",
        beside=f"{limit}; redeem over HTTP {ours:,.0f}/s, {ours_of_l:.3f} L",
        ratio=told["rate"] / limit.rate,
        faults=told["raised"] + told["missing"],
    )
