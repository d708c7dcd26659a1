"""`python -m benchmarks.clients`: clients on persistent connections, in a process of their own and light.

A job comes in as JSON on standard input and what was measured goes out as JSON. Python's own HTTP client
would take more of the machine than the server that is measured, so requests are bytes made ahead.

`{n}` in headers and body is another number in each request, `{target}` the next of the job's targets.
A job may have a second step, which is asked for right after the first: `{found}` in it is a field of the
first one's answer, and both together are one answer.
"""

import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, cycle
from threading import Thread

WARM_UP_SHARE = 0.2  # of the time: connections open, plans are made, caches fill
CREATED = 201
TIMEOUT = 60  # seconds for one answer


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to ask for. Without `seconds`, each target is asked for once; else in turn, until time is up.

    `pause` is how long a client waits between an answer and its next request. The second step, `then_path`,
    is only taken when the first was answered by 201, and needs `finds`, the field of that answer.
    """

    port: int
    clients: int
    targets: Sequence[str]
    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    finds: str = ""
    then_path: str = ""
    then_body: str = ""
    seconds: float | None = None
    pause: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What came back: milliseconds of each answer in time, and how many there were of each status.

    `seconds` is how long it took from the end of the warm-up; status 0 is a connection that broke.
    """

    seconds: float
    milliseconds: list[float]
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.seconds

    def __str__(self) -> str:
        p50, p99 = self.percentile(0.5), self.percentile(0.99)
        return f"{self.rate:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms"

    def percentile(self, share: float) -> float:
        """The milliseconds within which this share of the answers came."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def other_than(self, *statuses: int) -> int:
        """How many answers had none of these statuses."""
        return sum(times for status, times in self.statuses.items() if status not in statuses)


class Client:
    """One connection that asks and waits for the answer, again and again."""

    def __init__(self, job: Job, targets: Iterator[str], numbers: Iterator[int]) -> None:
        self.job, self.targets, self.numbers = job, targets, numbers
        self.statuses: Counter[int] = Counter()
        self.answered: list[tuple[float, float]] = []  # when, and after how many seconds
        self.connection: socket.socket | None = None

    def run(self, ends_at: float) -> None:
        """Ask until the targets or the time are used up."""
        for target in self.targets:
            filling = {"{n}": str(next(self.numbers)), "{target}": target}
            request = self._request(self.job.path, self.job.body, filling)
            begun = time.perf_counter()
            if begun >= ends_at:
                break
            status, answer = self._ask(request)
            if self.job.then_path and status == CREATED:
                filling["{found}"] = json.loads(answer)[self.job.finds]
                status, _ = self._ask(self._request(self.job.then_path, self.job.then_body, filling))
            ended = time.perf_counter()
            self.statuses[status] += 1
            self.answered.append((ended, ended - begun))
            if self.job.pause:
                time.sleep(self.job.pause)
        if self.connection is not None:
            self.connection.close()

    def _request(self, path: str, body: str, filling: Mapping[str, str]) -> bytes:
        def filled(text: str) -> str:
            for place, value in filling.items():
                text = text.replace(place, value)
            return text

        content = filled(body).encode()
        headers = {"Host": "localhost", **self.job.headers, "Content-Length": str(len(content))}
        lines = [f"{self.job.method} {filled(path)} HTTP/1.1"]
        lines += [f"{name}: {filled(value)}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        """Send it and read the whole answer: status and body; status 0 when the connection broke."""
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.job.port), timeout=TIMEOUT)
        try:
            self.connection.sendall(request)
            head, _, begun = self._read_head().partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:])
            body = begun + self._read(int(headers["content-length"]) - len(begun))
            if headers.get("connection") == "close":
                self._hang_up()
            return int(lines[0].split(" ", 2)[1]), body
        except (OSError, KeyError, ValueError, IndexError):
            self._hang_up()
            return 0, b""

    def _read_head(self) -> bytes:
        assert self.connection is not None
        found = b""
        while b"\r\n\r\n" not in found:
            more = self.connection.recv(65536)
            if not more:
                raise ConnectionError
            found += more
        return found

    def _read(self, left: int) -> bytes:
        assert self.connection is not None
        found = []
        while left > 0:
            more = self.connection.recv(min(left, 1 << 20))
            if not more:
                raise ConnectionError
            found.append(more)
            left -= len(more)
        return b"".join(found)

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def carry_out(job: Job) -> Answers:
    """Let all clients of a job run at once."""
    begun = time.perf_counter()
    warm_until = begun + (job.seconds or 0) * WARM_UP_SHARE
    ends_at = warm_until + job.seconds if job.seconds else float("inf")
    # Clients share both: next() on them is one step of the interpreter, so no two get the same.
    targets = cycle(job.targets) if job.seconds else iter(job.targets)
    numbers = count(1)
    clients = [Client(job, targets, numbers) for _ in range(job.clients)]
    threads = [Thread(target=client.run, args=(ends_at,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answered = [one for client in clients for one in client.answered if one[0] >= warm_until]
    return Answers(
        seconds=max(ended for ended, _ in answered) - warm_until,
        milliseconds=[seconds * 1000 for _, seconds in answered],
        statuses=dict(sum((client.statuses for client in clients), Counter())),
    )


def main() -> None:
    answers = carry_out(Job(**json.load(sys.stdin)))
    json.dump(asdict(answers), sys.stdout)


if __name__ == "__main__":
    main()
