"""The table: printed at the end of a run, and appended to results.md with what it was measured on."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import django
import psycopg

from benchmarks.bench import Row
from benchmarks.limits import connect
from config import cluster
from config.cluster import Cluster

HEADER = ("work", "size", "measured", "beside it", "ratio", "goal", "load")
_MET = {True: "met", False: "**short**", None: ""}


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, in columns that line up."""
    cells = [HEADER, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (HEADER, rule, *cells[1:])
    )


def _cells(row: Row) -> tuple[str, ...]:
    faults = f", **{row.faults} faults**" if row.faults else ""
    return (
        row.work,
        row.size,
        row.measured + faults,
        row.beside,
        f"{row.ratio:.3f}" if row.ratio is not None else "",
        " ".join(filter(None, (row.goal, _MET[row.is_met]))),
        f"{row.loads[0]:.1f} → {row.loads[1]:.1f}",
    )


def title(server: Cluster, scale: float) -> str:
    """When, on what, and how large: the words above a table."""
    with connect(server, "postgres", cluster.ADMIN) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    programs = [
        f"Python {platform.python_version()}",
        f"Django {django.__version__}",
        f"PostgreSQL {row[0]}",
        f"psycopg {psycopg.__version__}",
        f"gunicorn {version('gunicorn')}",
    ]
    machine = f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB, Linux {platform.release().split('-')[0]}"
    now = datetime.now(UTC)
    return f"## {now:%Y-%m-%d %H:%M} UTC, scale {scale:g}\n\n{machine}. {', '.join(programs)}."


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def append(path: Path, text: str) -> None:
    """Add a run to the file; earlier runs stay as they were."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{text}\n")
