"""A list of customers and a file of orders, imported as a brand imports them, beside limit C."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import installation, people, processes
from benchmarks.bench import Bench, Limit, Row
from members.formats import writing

CUSTOMERS_GOAL, ORDERS_GOAL = 0.2, 0.04  # of limit C
MOST_MIB = 500
GOOD, SOME_REJECTED = 0, 3  # what import_file ends with


class Imported(NamedTuple):
    """What an import took: seconds, without those in which Python starts; and memory at its most."""

    seconds: float
    peak_mib: float
    report: dict[str, Any]


def measure_customers(bench: Bench) -> Iterator[Row]:
    """Clean, match, encrypt, index and report a file of customers whom nobody knew before."""
    file = _write(bench, "youzan-customers", people.customers(bench.members))
    with bench.beside_c(file, key="客户手机号", encoding="utf-8") as limit:
        done = _import("youzan", file)
    file.unlink()
    yield _row("customer file", bench.members, done, limit, CUSTOMERS_GOAL)
    installation.calm(bench.server)


def measure_orders(bench: Bench) -> Iterator[Row]:
    """Match a file of orders to those customers, who are new to this channel, and settle the points."""
    orders = people.past_orders(bench.orders, members=bench.members)
    file = _write(bench, "tmall-orders", orders)
    with bench.beside_c(file, key="订单编号", encoding="gb18030") as limit:
        done = _import("tmall", file)
    file.unlink()
    yield _row("order file", bench.orders, done, limit, ORDERS_GOAL)
    installation.calm(bench.server)


def _write(bench: Bench, form: str, facts: Iterable[Any]) -> Path:
    bench.say(f"writing {form}")
    file = bench.folder / f"{form}.csv"
    writing.write(form, facts, file)
    return file


def _row(work: str, rows: int, done: Imported, limit: Limit, goal: float) -> Row:
    rate = rows / done.seconds
    ratio = rate / limit.rate
    return Row(
        work=work,
        size=f"{rows:,} rows",
        measured=f"{rate:,.0f} rows/s, at most {done.peak_mib:,.0f} MiB",
        beside=str(limit),
        ratio=ratio,
        goal=f"≥ {goal} C, ≤ {MOST_MIB} MiB",
        is_met=ratio >= goal and done.peak_mib <= MOST_MIB,
        faults=rows - done.report["rows"]["new"],
    )


def _import(channel: str, file: Path) -> Imported:
    command = (sys.executable, "manage.py", "import_file")
    idle = processes.run(*command, "--help").seconds
    ran = processes.run(*command, channel, str(file), "--json", good=(GOOD, SOME_REJECTED))
    return Imported(ran.seconds - idle, ran.peak_mib, json.loads(ran.said))
