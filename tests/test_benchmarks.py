"""Every measurement runs, at the smallest size, and finds nothing wrong. How fast they are is not tested."""

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings

from benchmarks import place
from benchmarks.clients import Answers, Job, carry_out

WORKS = [
    "limit L: pgbench, 16 clients",
    "customer file",
    "orders in batches of 1,000, one process",
    "orders in batches of 1,000, API, 2 clients",
    "order file",
    "cost of an order as the book grows",
    "redeem over HTTP, 16 clients",
    "redeem from one wallet, 64 clients",
    "quote over HTTP, 16 clients",
    "quote and commit over HTTP, 16 clients",
    "desk look-up by phone, 20 clients without a pause",
    "desk look-up by phone, 20 clerks, one each second",
    "list of members",
    "list of accounts",
    "list of orders",
    "list of entries",
    "list of imports",
    "narrowed list of orders of one channel from 100 yuan on",
    "narrowed list of entries of a million points",
    "merge of two buyers",
    "unmerge of the two",
    "audit_ledger",
    "tiers of all members",
    "coupon codes",
    "webhooks to a healthy endpoint, another is dead",
    "lag of a webhook, another endpoint is dead",
    "events in batches of 1,000, one process",
    "events in batches of 1,000, API, 2 clients",
    "visits of a member's timeline",
    "the oldest month of events forgotten",
    "matching of everybody",
    "matching of new members",
    "transfers of django-hordak, 4 processes",
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
        env={**os.environ, "WEB_CONCURRENCY": "1"},
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


@pytest.fixture
def shop():
    """A server that quotes for everybody but the broke, and commits what it has quoted."""
    asked = []

    class Shop(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked.append((self.path, self.headers["Idempotency-Key"], body))
            status = 409 if body == "broke" else 200 if "/commit/" in self.path else 201
            answer = json.dumps({"quote_id": f"q-{body}"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, asked
        server.shutdown()
        thread.join()


def test_a_second_step_asks_for_what_the_first_has_found(shop):
    port, asked = shop
    answers = carry_out(_quoting(port, ["mei"]))
    assert asked == [("/quotes/", "k1", "mei"), ("/quotes/q-mei/commit/", "k1", "order 1")]
    assert answers.statuses == {200: 1}
    assert len(answers.milliseconds) == 1


def test_what_was_refused_has_no_second_step(shop):
    port, asked = shop
    answers = carry_out(_quoting(port, ["broke"]))
    assert asked == [("/quotes/", "k1", "broke")]
    assert answers.statuses == {409: 1}


def _quoting(port, buyers):
    return Job(
        port=port,
        clients=1,
        targets=buyers,
        method="POST",
        path="/quotes/",
        headers={"Idempotency-Key": "k{n}"},
        body="{target}",
        finds="quote_id",
        then_path="/quotes/{found}/commit/",
        then_body="order {n}",
    )
