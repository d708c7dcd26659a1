"""A channel's own server: verifies what it gets with the official library, and can misbehave."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import transaction
from standardwebhooks import Webhook

from members import endpoints, outbox
from members.endpoints import Made
from members.models import Channel, WebhookDelivery, WebhookEndpoint
from members.outbox import Change


@dataclass(frozen=True)
class Got:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told

    def verify(self, secret: str) -> Any:
        """What it says, if this secret signed it. Raises WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers 200, unless `answers` says what comes next, or `always` what comes every time.

    An answer is a status, or (status, headers), or one of: "close" (hangs up without a word), "hang"
    (says nothing until the receiver is left), or a barrier (200 once enough others have come to it).
    """

    port: int = 0
    got: list[Got] = field(default_factory=list)
    answers: "deque[Any]" = field(default_factory=deque)
    always: Any = 200
    left: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [got.id for got in self.got]

    def take(self, got: Got) -> Any:
        with self._lock:
            self.got.append(got)
            answer = self.answers.popleft() if self.answers else self.always
        self.came.set()
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100  # or the kernel lets the sixth of a burst wait for a second


@contextmanager
def receiving(**how: Any) -> Iterator[Receiver]:
    """A receiver on a free port of this machine while the block lasts."""
    receiver = Receiver(**how)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(Got(self.path, headers, body))
            self.reply(answer)

        do_GET = do_POST

        def reply(self, answer: Any) -> None:
            if answer == "hang":
                receiver.left.wait(30)
            if isinstance(answer, threading.Barrier):
                answer.wait()
                answer = 200
            if answer in ("hang", "close"):
                self.close_connection = True
                return
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.left.set()
        server.shutdown()
        server.server_close()
        thread.join()


# --- changes to be told, and where --------------------------------------------------------------------


@transaction.atomic
def tell(
    channel: Channel,
    count: int = 1,
    *,
    topic: str = "order.changed",
    name: str = "o",
    member: int | None = None,
    **told: Any,
) -> None:
    """Changes caused in a channel, about nobody unless told."""
    outbox.put(
        [
            Change(topic, f"{name}:{number}", member, channel.pk, {"number": number, **told})
            for number in range(count)
        ]
    )


def listen(channel: Channel, receiver: Receiver, *topics: str) -> Made:
    """An endpoint of a channel at a receiver, told of everything from the first change on."""
    made = endpoints.make(channel, receiver.url, topics)
    WebhookEndpoint.objects.filter(pk=made.endpoint.pk).update(read_xid=0, read_id=0)
    return made


def states() -> list[str]:
    """The states of all deliveries, in their order."""
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))
