"""The web server, started as `make run` starts it, and what clients ask of it."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from benchmarks.clients import Answers, Job
from config import serving

CSRF = "bench" * 6 + "ab"  # Django asks that cookie and header agree, and for 32 letters
START_SECONDS = 60


class NotServed(Exception):
    """The web server did not come up."""


@dataclass
class _Kept:
    """The server that a run keeps: made at the first use, warm for the rest."""

    stack: ExitStack | None = None
    port: int = 0


_kept = _Kept()


@contextmanager
def kept() -> Iterator[None]:
    """Within the block one server is there for all that is measured; it starts when the first asks for it."""
    with ExitStack() as stack:
        _kept.stack, _kept.port = stack, 0
        try:
            yield
        finally:
            _kept.stack = None


@contextmanager
def served() -> Iterator[int]:
    """The web server of `make run`; gives its port. Outside of `kept` it ends with the block."""
    if _kept.stack is None:
        with _started() as port:
            yield port
        return
    _kept.port = _kept.port or _kept.stack.enter_context(_started())
    yield _kept.port


@contextmanager
def _started() -> Iterator[int]:
    with serving.take_port("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
        child = serving.web(listener)
        child.start()
    try:
        _wait_for(port)
        yield port
    finally:
        assert child.process is not None
        child.process.terminate()
        child.process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/livez")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise NotServed


def ask(job: Job) -> Answers:
    """Let clients in a process of their own carry out a job."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clients"],
        input=json.dumps(asdict(job)),
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    told["statuses"] = {int(status): times for status, times in told["statuses"].items()}
    return Answers(**told)


def api_headers(key: str) -> dict[str, str]:
    """What a channel's system sends with each request."""
    return {
        "Authorization": f"Api-Key {key}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


def signed_in(name: str) -> dict[str, str]:
    """The headers of somebody who has signed in as `name`, with what a form of theirs sends."""
    browser = Client()
    browser.force_login(User.objects.get(username=name))
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}",
        "X-CSRFToken": CSRF,
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept-Language": "en",
    }
