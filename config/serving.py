"""What `make run` starts: the database, the web server and the worker, under one supervisor.

Promises: Ctrl-C, SIGTERM and SIGHUP stop everything, the database last; a child that dies is started
again; when the supervisor itself is killed, its children end and the last of them stops the database.
"""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings

from config import cluster, database

# Few threads for each interpreter: more of them wait for its lock, and hold a wallet the while.
WEB_THREADS = 4
POLL_SECONDS = 0.2
STOP_SECONDS = 25  # gunicorn lets requests finish for 20
LONGEST_PAUSE_SECONDS = 30
STEADY_SECONDS = 60  # a child that lived this long starts again at once
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# prctl(2), Linux only
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class PortTaken(Exception):
    """Another program listens at this address."""


def take_port(host: str, port: int) -> socket.socket:
    """Listen at the address; the web server inherits the socket. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortTaken(f"{host}:{port}: {error.strerror}") from error
    return listener


@dataclass(kw_only=True)
class Child:
    """One process that is kept alive."""

    name: str
    command: list[str]
    pass_fds: tuple[int, ...] = ()
    blocked: tuple[signal.Signals, ...] = ()  # until the program lets them through
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0  # not before this time of the monotonic clock
    pause: float = 0.0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            pass_fds=self.pass_fds,
            process_group=0,  # the terminal's Ctrl-C is for the supervisor, which knows the order
            preexec_fn=_die_with_parent(os.getpid(), self.blocked),
        )

    def ended(self, status: int) -> None:
        """Note the end and when to start again: at once, then after longer and longer pauses."""
        assert self.process is not None
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process = None
        lived = time.monotonic() - self.started_at
        self.pause = 1.0 if lived > STEADY_SECONDS else min(max(1.0, self.pause * 2), LONGEST_PAUSE_SECONDS)
        self.start_at = time.monotonic() + self.pause

    def signal(self, number: int, *, group: bool = False) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(self.process.pid, number)


@dataclass(kw_only=True)
class Supervisor:
    """Keeps the children running until it is told to stop.

    `say` prints a line for people; `until_parent_ends` makes the end of the program that started us,
    such as make, our end too.
    """

    children: list[Child]
    say: Callable[[str], None]
    until_parent_ends: bool = False
    stop_asked: int = 0
    parent: int = field(default_factory=os.getppid)
    embedded: cluster.Cluster | None = None

    def run(self, address: tuple[str, int], on_ready: Callable[[], None]) -> None:
        """Serve until stopped; `on_ready` is called once, when the first page can be had."""
        for number in STOPPING:
            signal.signal(number, self._note_signal)
        self.embedded = database.embedded()
        ready = False
        while not self.stop_asked and not (self.until_parent_ends and _has_given_up(self.parent)):
            self._tend()
            if not ready and _answers(*address):
                ready = True
                on_ready()
            time.sleep(POLL_SECONDS)
        self._stop()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_asked += 1

    def _tend(self) -> None:
        """Start what is down: children, and the database they need."""
        for name, status in self._reap():
            self.say(f"{name} ended ({os.waitstatus_to_exitcode(status)}) and is started again.")
        if self.embedded and not cluster.is_running(self.embedded):
            self.say("The database ended and is started again.")
            cluster.start(self.embedded)
        for child in self.children:
            if child.process is None and time.monotonic() >= child.start_at:
                child.start()

    def _reap(self) -> list[tuple[str, int]]:
        """Collect every process that ended: our children, and the orphans that were left to us."""
        ended: list[tuple[str, int]] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            for child in self.children:
                if child.process is not None and child.process.pid == pid:
                    child.ended(status)
                    ended.append((child.name, status))

    def _stop(self) -> None:
        """Let the children finish what they do; a second Ctrl-C, or too long a wait, kills them."""
        asked = self.stop_asked
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.process for child in self.children):
            if time.monotonic() > deadline or self.stop_asked > asked + 1:
                for child in self.children:
                    child.signal(signal.SIGKILL, group=True)
            self._reap()
            time.sleep(POLL_SECONDS / 4)
        if self.embedded and not database.leave(guests_stay=False):
            self.say("Another command still uses the database; it stops the database when it ends.")
        self._reap()


def web(listener: socket.socket) -> Child:
    """The web server on a socket that listens already: threads that keep their database connections."""
    return Child(
        name="The web server",
        command=[
            *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
            *("--workers", str(settings.WEB_PROCESSES)),
            *("--worker-class", "gthread", "--threads", str(WEB_THREADS)),
            *("--bind", f"fd://{listener.fileno()}", "--keep-alive", "30"),
            *("--timeout", "60", "--graceful-timeout", "20"),
            *("--log-level", "warning", "--no-control-socket"),
        ],
        pass_fds=(listener.fileno(),),
    )


def worker(project: Path) -> Child:
    """The process that does the jobs. Told to end while it starts, it still leaves the database in order."""
    return Child(
        name="The worker",
        command=[sys.executable, str(project / "manage.py"), "work"],
        blocked=(signal.SIGTERM,),
    )


def heed_stopping() -> None:
    """In the worker: from now on SIGTERM ends the program the orderly way, one that came earlier at once."""
    signal.signal(signal.SIGTERM, lambda caught, frame: sys.exit(128 + caught))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def _die_with_parent(parent: int, blocked: tuple[signal.Signals, ...]) -> Callable[[], None]:
    """What a child does before it becomes its program: ask to be ended when the supervisor is killed."""

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        if _prctl is not None:
            _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was killed before we could ask
            os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind: in a container nobody else would reap it.

    Called before the database starts, so that it is among them.
    """
    if _prctl is not None:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _has_given_up(parent: int) -> bool:
    """Whether the program that started us ended, or waits for us to end after a Ctrl-C of its own.

    A make that gets SIGINT alone passes it to nobody: it puts the signal back to its default and waits.
    One that a script started in the background ignores SIGINT from the start, and has not given up.
    """
    return os.getppid() != parent or parent_heeds_nothing(parent)


def parent_heeds_nothing(parent: int) -> bool:
    """Whether a make has put SIGINT back to its default: it is on its way out and waits for us."""
    try:
        status = Path(f"/proc/{parent}/status").read_text()
    except OSError:
        return False
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    heeded = int(told.get("SigCgt", "0"), 16) | int(told.get("SigIgn", "0"), 16)
    return told.get("Name", "") in {"make", "gmake"} and not heeded & 1 << (signal.SIGINT - 1)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
