"""Every measurement runs, at the smallest size, and finds nothing wrong. How fast they are is not tested."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import place
from benchmarks.clients import Answers

WORKS = [
    "limit L: pgbench, 16 clients",
    "customer file",
    "orders in batches of 1,000, one process",
    "orders in batches of 1,000, API, 2 clients",
    "order file",
    "cost of an order as the book grows",
    "redeem over HTTP, 16 clients",
    "redeem from one wallet, 64 clients",
    "desk look-up by phone, 20 clients without a pause",
    "desk look-up by phone, 20 clerks, one each second",
    "list of members",
    "list of accounts",
    "list of orders",
    "list of entries",
    "list of imports",
    "audit_ledger",
]


@pytest.fixture(scope="module")
def folder():
    """The folder of an installation of its own; it lies where the tests' database does."""
    return settings.VAR / f"bench-{os.environ['SHUKE_TEST_SLOT']}"


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """One run of everything, and the file of its results."""
    results = tmp_path_factory.mktemp("bench") / "results.md"
    options = ["--scale", "0.0003", "--folder", folder, "--results", results]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return done, results.read_text() if results.exists() else ""


@pytest.mark.slow
def test_a_run_finds_nothing_wrong_and_leaves_nothing_behind(run, folder):
    done, results = run
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == results.strip()
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("work", WORKS)
def test_every_work_has_its_line_with_a_figure(run, work):
    _done, results = run
    (line,) = [line for line in results.splitlines() if line.startswith(f"| {work} ")]
    measured = line.split("|")[3]
    assert re.search(r"[1-9]", measured)
    assert "faults" not in measured


@pytest.mark.slow
def test_the_table_has_no_other_lines(run):
    _done, results = run
    works = [line.split("|")[1].strip() for line in results.splitlines() if line.startswith("|")]
    assert works[2:] == WORKS


def test_a_folder_with_other_things_in_it_is_not_touched(tmp_path: Path):
    mine = tmp_path / "letter.txt"
    mine.write_text("keep me")
    with pytest.raises(place.NotOurs):
        place.remove(tmp_path)
    assert mine.read_text() == "keep me"


def test_percentiles_are_of_the_answers_in_order():
    milliseconds = [float(n) for n in range(100, 0, -1)]
    answers = Answers(seconds=2, milliseconds=milliseconds, statuses={201: 99, 500: 1})
    assert answers.percentile(0.5) == 51
    assert answers.percentile(0.99) == 100
    assert answers.rate == 50
    assert answers.other_than(201) == 1
