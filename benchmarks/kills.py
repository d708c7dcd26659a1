"""`python -m benchmarks.kills`: kill -9 at any moment, under load, and count what was lost or counted twice.

Clients tell orders, give and redeem points, each request again and again until it is answered. Meanwhile, in
every round, a process of the server is killed: one that answers requests, the worker, the whole web server,
or PostgreSQL; nobody starts anything again but Shuke itself. In the end the tables are held against what was
acknowledged: nothing may be missing, nothing may be there twice, and every law of the ledger holds (A15,
privacy.md section 4).
"""

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import psycopg

PROJECT = Path(__file__).resolve().parent.parent
PROGRAMME = PROJECT / "loyalty" / "programmes" / "demo.yaml"
CLIENTS, BUYERS = 6, 30
RECOVERY_SECONDS = 120
# How often each is the one to be killed, of every twenty rounds.
TARGETS = {"web process": 12, "worker": 4, "web server": 1, "PostgreSQL": 3}


class NotBack(Exception):
    """What was killed did not come back."""


@dataclass
class Shop:
    """A server in a folder of its own, as `make run` starts it."""

    var: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    key: str = ""

    def manage(self, *arguments: str) -> str:
        """What a command of manage.py says, run beside the server."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        told = {"SHUKE_VAR": str(self.var), "DATABASE_URL": "", "DEMO": "0", "WEB_CONCURRENCY": "2"}
        return {**os.environ, **told, "LOG_LEVEL": "ERROR"}

    def open(self) -> None:
        """Start to serve, and make what a shop needs."""
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(self.port)],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.await_answer()
        self.manage("load_programme", str(PROGRAMME))
        self.manage("make_channel", "app", "--platform", "app")
        self.key = json.loads(self.manage("api_key", "app", "--rate", "9999999/min", "--json"))["key"]

    def close(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def await_answer(self) -> float:
        """Wait until the shop is ready, web server and database; the seconds it took. Raises NotBack."""
        began = time.monotonic()
        while time.monotonic() - began < RECOVERY_SECONDS:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/readyz")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return time.monotonic() - began
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.1)
        raise NotBack

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.manage("database_url", "--owner").strip()) as connection:
            return connection.execute(sql).fetchall()

    # --- whom to kill -------------------------------------------------------------------------------

    def processes(self, target: str) -> list[int]:
        """The processes of this name that run now."""
        assert self.process is not None
        web = [pid for pid in _children(self.process.pid) if "gunicorn" in _command(pid)]
        if target == "web process":
            return [child for pid in web for child in _children(pid)]
        if target == "web server":
            return web
        if target == "worker":
            return [pid for pid in _children(self.process.pid) if " work" in _command(pid)]
        lock = next(self.var.rglob("postmaster.pid"), None)
        return [int(lock.read_text().split()[0])] if lock else []


@contextmanager
def opened(folder: Path) -> Iterator[Shop]:
    """A shop that serves within the block."""
    shop = Shop(folder, _free_port())
    try:
        shop.open()
        yield shop
    finally:
        shop.close()


@dataclass
class Told:
    """What the clients were told is done, and how often they had to ask."""

    orders: set[str] = field(default_factory=set)
    causes: dict[str, int] = field(default_factory=dict)  # of points given and redeemed, with the points
    asked: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)


class Client:
    """Tells orders and moves points; what is not answered is asked again until it is."""

    def __init__(
        self, shop: Shop, told: Told, numbers: Iterator[int], members: list[str], stop: Event
    ) -> None:
        self.shop, self.told, self.numbers, self.members, self.stop = shop, told, numbers, members, stop
        self.dice = random.Random(next(numbers))
        self.connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        while not self.stop.is_set():
            number = next(self.numbers)
            what = self.dice.choice(("order", "earn", "redeem"))
            if what == "order":
                self._tell_order(f"O{number}")
            else:
                self._move(what, f"{what}-{number}", self.dice.randint(1, 9))
        if self.connection is not None:
            self.connection.close()

    def _tell_order(self, number: str) -> None:
        buyer = {"external_id": f"b{self.dice.randrange(BUYERS)}"}
        body = {"buyer": buyer, "status": "completed", "amounts": {"goods": "20.00"}}
        if self._until_answered("PUT", f"/orders/{number}/", body, {200, 201}):
            with self.told.lock:
                self.told.orders.add(number)

    def _move(self, verb: str, cause: str, points: int) -> None:
        member = self.dice.choice(self.members)
        body = {"points": points, "cause": cause, "reason": "load"}
        status = self._until_answered(
            "POST", f"/members/{member}/points/{verb}/", body, {200, 201, 409}, cause
        )
        if status in (200, 201):
            with self.told.lock:
                self.told.causes[f"app:{cause}"] = points if verb == "earn" else -points

    def _until_answered(self, method: str, path: str, body: object, good: set[int], key: str = "") -> int:
        """The status that the request was answered with, however often it had to be sent."""
        for turn in count():
            status, answer = self._send(method, path, body, key)
            with self.told.lock:
                self.told.asked["again" if turn else "first"] += 1
            running = status == 409 and b"api.in_progress" in answer
            if status in good and not running:
                return status
            if status and status < 500 and not running:
                with self.told.lock:
                    self.told.unexpected.append(f"{method} {path}: {status} {answer[:200]!r}")
                return 0
            time.sleep(min(1.0, 0.02 * 2**turn) * self.dice.uniform(0.5, 1))
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, body: object, key: str) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.shop.port, timeout=30)
        headers = {"Authorization": f"Api-Key {self.shop.key}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        try:
            self.connection.request(method, f"/api/v1{path}", json.dumps(body), headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return 0, b""


@dataclass(frozen=True)
class Verdict:
    """What a run came to. `lost`: acknowledged and not there; `doubled`: there more than once or unasked."""

    rounds: int
    acknowledged: int
    again: int
    lost: int
    doubled: int
    unexpected: list[str]
    slowest: dict[str, float]  # seconds until all was answered again, by what was killed
    laws: str  # the last line of the audit, which found every law to hold

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.unexpected)


def torment(shop: Shop, rounds: int, *, seed: int, say: Callable[[str], None]) -> Verdict:
    """Kill something in each of so many rounds while clients ask; then count."""
    dice, told, stop, numbers = random.Random(seed), Told(), Event(), count(1)
    members = [_enrol(shop, f"b{number}") for number in range(BUYERS)]
    threads = [Thread(target=Client(shop, told, numbers, members, stop).run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    slowest: dict[str, float] = {}
    try:
        for turn in range(1, rounds + 1):
            target = _victim(dice, turn)
            time.sleep(dice.uniform(0.1, 0.8))
            victims = shop.processes(target)
            if victims:
                os.kill(dice.choice(victims), signal.SIGKILL)
            seconds = shop.await_answer()
            slowest[target] = max(slowest.get(target, 0.0), seconds)
            if turn % 20 == 0:
                say(f"{turn} rounds, {len(told.orders) + len(told.causes):,} acknowledged")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return count_up(shop, told, rounds, slowest)


def _victim(dice: random.Random, turn: int) -> str:
    """What is killed in this round: each target first once, then by how often it should be."""
    names = list(TARGETS)
    return names[turn - 1] if turn <= len(names) else dice.choices(names, list(TARGETS.values()))[0]


def count_up(shop: Shop, told: Told, rounds: int, slowest: dict[str, float]) -> Verdict:
    """Hold the tables against what the clients were told."""
    orders = [str(number) for (number,) in shop.ask("SELECT number FROM members_order")]
    entries = shop.ask(
        "SELECT cause, points FROM loyalty_entry"
        " WHERE kind IN ('earn', 'redeem') AND cause LIKE 'app:%' AND cause NOT LIKE 'app:start-%'"
    )
    earned = shop.ask(
        "SELECT o.number, e.points FROM members_order o LEFT JOIN loyalty_entry e"
        " ON e.order_id = o.id AND e.kind = 'earn'"
    )
    moved = Counter((str(cause), int(points)) for cause, points in entries)
    acknowledged = Counter(told.causes.items())
    lost = len(told.orders - set(orders)) + sum((acknowledged - moved).values())
    lost += sum(points is None for _number, points in earned)
    doubled = len(orders) - len(set(orders)) + sum((moved - acknowledged).values())
    doubled += len(earned) - len(orders) + len(set(orders) - told.orders)
    return Verdict(
        rounds=rounds,
        acknowledged=len(told.orders) + len(told.causes),
        again=told.asked["again"],
        lost=lost,
        doubled=doubled,
        unexpected=told.unexpected,
        slowest=slowest,
        laws=shop.manage("audit_ledger").strip().splitlines()[-1],
    )


def _enrol(shop: Shop, external_id: str) -> str:
    """A new member with points to spend; their number."""
    client = Client(shop, Told(), count(), [], Event())
    status, answer = client._send("PUT", f"/accounts/{external_id}/", {}, "")
    assert status == http.HTTPStatus.CREATED, answer
    member = str(json.loads(answer)["member_no"])
    body = {"points": 10_000, "cause": f"start-{external_id}", "reason": "start"}
    status, answer = client._send("POST", f"/members/{member}/points/earn/", body, f"start-{external_id}")
    assert status == http.HTTPStatus.CREATED, answer
    return member


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Run; the status is 1 when something was lost, doubled or broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shuke-kills-") as folder:
        os.chmod(folder, 0o711)  # the database's own user must come through
        with opened(Path(folder)) as shop:
            verdict = torment(shop, arguments.rounds, seed=arguments.seed, say=print)
    back = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(verdict.slowest.items()))
    print(f"{verdict.rounds} rounds of kill -9, {verdict.acknowledged:,} requests acknowledged,")
    print(f"{verdict.again:,} sent again: lost {verdict.lost}, counted twice {verdict.doubled}.")
    print(f"Slowest to be back: {back}. {verdict.laws}")
    for line in verdict.unexpected[:10]:
        print(line)
    return 0 if verdict.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
