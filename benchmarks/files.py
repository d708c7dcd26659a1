"""A list of customers and a file of orders, imported as a brand imports them, beside limit C."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from django.conf import settings

from benchmarks import installation, people
from benchmarks.bench import Bench, Limit, Row
from benchmarks.stopwatch import stopwatch
from members.formats import writing

CUSTOMERS_GOAL, ORDERS_GOAL = 0.2, 0.04  # of limit C
MOST_MIB = 500
SOME_REJECTED = 3  # the status of import_file when rows were rejected
WATCH_SECONDS = 0.05
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


class CommandFailed(Exception):
    """A command of manage.py failed; the message is what it complained of."""


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
    idle, _, _ = _run("import_file", "--help")
    seconds, peak_mib, said = _run("import_file", channel, str(file), "--json")
    return Imported(seconds - idle, peak_mib, json.loads(said))


def _run(*command: str) -> tuple[float, float, str]:
    """Run a command of manage.py: seconds, MiB at its most, and what it printed. Raises CommandFailed."""
    with TemporaryFile() as said, TemporaryFile() as complained, stopwatch() as seconds:
        process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *command], stdout=said, stderr=complained
        )
        peak_mib = _watch(process)
        if process.returncode not in (0, SOME_REJECTED):
            complained.seek(0)
            raise CommandFailed(complained.read().decode())
        said.seek(0)
        return seconds(), peak_mib, said.read().decode()


def _watch(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end; MiB at the most. What wait4() tells would count our own memory, as of the fork."""
    peak = 0
    while process.poll() is None:
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            if found := _PEAK.search(status):
                peak = max(peak, int(found[1]))
        time.sleep(WATCH_SECONDS)
    return peak / 1024
