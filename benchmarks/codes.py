"""Unique coupon codes, made by the million as a worker makes them, beside limit C."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import installation, processes
from benchmarks.bench import MILLION, Bench, Row
from benchmarks.limits import connect
from config import cluster
from loyalty import coupon_batches, coupon_codes
from loyalty.models import Coupon, CouponBatch

CAMPAIGN = "LEAFLET"  # of the demo's programme: for the bearer, and without a quota
_ROWS = "COPY (SELECT * FROM loyalty_coupon WHERE batch_id = {} ORDER BY id) TO STDOUT (FORMAT csv, HEADER)"


def measure_codes(bench: Bench) -> Iterator[Row]:
    """Draw codes nobody has had and write a coupon for each; C is a file of the same rows, merged by code."""
    count = bench.rows(MILLION)
    bench.say("writing codes")
    file = _write(bench, count)
    batch = coupon_batches.make(CAMPAIGN, count)
    with bench.beside_c(file, key="code", encoding="utf-8") as limit:
        ran = processes.run(sys.executable, "-m", "benchmarks.maker", str(batch.pk))
    file.unlink()
    batch.refresh_from_db()
    rate = count / float(ran.said)
    made = Coupon.objects.filter(batch=batch).count()
    yield Row(
        work="coupon codes",
        size=f"{count:,} codes",
        measured=f"{rate:,.0f} codes/s, at most {ran.peak_mib:,.0f} MiB",
        beside=str(limit),
        ratio=rate / limit.rate,
        faults=abs(count - made) + (batch.state != CouponBatch.State.DONE),
    )
    installation.calm(bench.server)


def _write(bench: Bench, count: int) -> Path:
    """A file of as many coupons, each with every column of the table: a real one, with another code."""
    header, row = _example(bench)
    number, code = header.index("number"), header.index("code")
    file = bench.folder / "codes.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for place, drawn in enumerate(coupon_codes.draw(count), 1):
            row[number], row[code] = str(place), drawn
            writer.writerow(row)
    return file


def _example(bench: Bench) -> tuple[list[str], list[str]]:
    """The columns of a coupon and what stands in them, as texts, out of a batch of one."""
    batch = coupon_batches.make(CAMPAIGN, 1)
    coupon_batches.work(batch.pk)
    with (
        connect(bench.server, cluster.DATABASE, cluster.OWNER) as connection,
        connection.cursor().copy(_ROWS.format(batch.pk)) as copy,
    ):
        text = b"".join(bytes(block) for block in copy).decode()
    header, row = csv.reader(text.splitlines())
    return header, row
