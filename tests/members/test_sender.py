"""The sender of the worker: real commits, real threads, and a real end by SIGKILL (A14, A15)."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection

from config import database
from members import sending
from members.models import WebhookDelivery, WebhookEndpoint
from tests import make
from tests.receiver import Receiver, listen, receiving, states, tell

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent.parent
# The worker's sender without the jobs beside it.
SENDER = "import django; django.setup(); from members.sending import Sender; Sender().run()"


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.01)


def wait_for(receiver: Receiver, count: int) -> None:
    """Wait until so many requests came in; a test that waits longer than this has failed."""
    until = time.monotonic() + 60
    while len(receiver.got) < count:
        assert time.monotonic() < until, f"{len(receiver.got)} of {count}"
        receiver.came.wait(0.1)
        receiver.came.clear()


def test_it_sends_what_is_committed_while_it_runs_and_ends_what_it_began() -> None:
    tmall = make.tmall()
    with receiving() as receiver, sending.beside() as sender:
        made = listen(tmall, receiver)
        for name in "abc":
            tell(tmall, 5, name=name)
            wait_for(receiver, 5 * ("abc".index(name) + 1))
        assert all(got.verify(made.secret) for got in receiver.got)
        assert not sender.stopping.is_set()
    assert states() == ["delivered"] * 15
    assert not any(thread.name.startswith("webhooks") for thread in threading.enumerate())


def test_one_that_never_answers_does_not_hold_up_the_other() -> None:
    tmall, wechat = make.tmall(), make.wechat()
    with receiving(always="hang") as silent, receiving() as receiver:
        listen(tmall, silent)
        tell(tmall, 50)
        with sending.beside():
            wait_for(silent, 1)
            listen(wechat, receiver)
            tell(wechat, 5, name="points")
            wait_for(receiver, 5)
            assert not WebhookDelivery.objects.filter(
                endpoint__channel=tmall, state__in=["delivered", "dead"]
            ).exists()
            assert not WebhookEndpoint.objects.filter(channel=tmall, failures__gt=0).exists(), (
                "it still waits"
            )
            silent.left.set()


def test_a_sender_that_is_killed_between_commit_and_send_loses_nothing() -> None:
    address = database.address(connection.settings_dict)
    environment = {**os.environ, "DATABASE_URL": address, "DATABASE_OWNER_URL": address}
    tmall = make.tmall()
    with receiving(always="hang") as receiver:
        made = listen(tmall, receiver)
        tell(tmall, 30)
        process = subprocess.Popen([sys.executable, "-c", SENDER], cwd=ROOT, env=environment)
        try:
            wait_for(receiver, 10)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        begun = set(receiver.ids)
        assert states() == ["waiting"] * 30
        receiver.always = 200
        receiver.got.clear()
        # Its lease ends, and with it the second chance of the ten that may have killed it.
        WebhookDelivery.objects.update(due_at="2026-01-01T00:00:00Z")
        while sending.round_():
            pass
        assert states() == ["delivered"] * 30
        assert begun <= set(receiver.ids) and len(receiver.ids) == len(set(receiver.ids)) == 30
        assert all(got.verify(made.secret) for got in receiver.got)
