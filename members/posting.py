"""Sending: the requests of one batch, a few at a time, with no row locked and no transaction open (A14).

Messages about one member go one after the other, those about several beside one another. A batch ends
early when the endpoint asks to slow down, is gone, or has failed so often in a row that its circuit opens:
what was not tried is left for later. The name is resolved once for a batch, every address is held against
`members.addresses`, and the connection is made to that very address, with the name in SNI and Host.
"""

import asyncio
import logging
import ssl
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import httpx
from django.conf import settings
from django.utils import timezone

from members import addresses, circuits, webhook_messages
from members.addresses import IpAddress, Target
from members.circuits import OPEN_AFTER, Outcome
from members.deliveries import Batch, Sent
from members.errors import AddressRefused, AddressUnresolved
from members.models import DeliveryProblem
from members.webhook_messages import Message

log = logging.getLogger(__name__)

TIMEOUT = 15.0  # seconds for one attempt, from the connection to the end of the answer
AT_ONCE = 10  # requests under way to one endpoint
LONGEST_BATCH = 20.0  # seconds after which no more of a batch is begun; with TIMEOUT less than LEASE
MOST_READ = 64 * 1024  # bytes of an answer that are read for the connection to be used again
_STOPS = frozenset({DeliveryProblem.THROTTLED, DeliveryProblem.GONE, DeliveryProblem.FORBIDDEN})


def send(batch: Batch) -> list[Sent]:
    """Send a batch and wait for it; how each attempt ended, in that order. Messages may be left out."""
    if not batch.messages:
        return []
    # In a thread of its own, as the caller's may have a loop that runs already.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: asyncio.run(send_all(batch))).result()


async def send_all(batch: Batch) -> list[Sent]:
    """As `send`, within a loop."""
    run = _Run(batch)
    try:
        await run.carry_out()
    except (AddressRefused, AddressUnresolved) as error:
        is_refused = isinstance(error, AddressRefused)
        problem = DeliveryProblem.FORBIDDEN if is_refused else DeliveryProblem.UNRESOLVED
        run.ended.append((batch.messages[0], Outcome(problem)))
    return run.ended


@dataclass
class _Run:
    """The requests of one batch, as they go."""

    batch: Batch
    ended: list[Sent] = field(default_factory=list)
    is_stopped: bool = False
    failures: int = 0  # in a row, those before this batch included
    begun: float = field(default_factory=time.monotonic)

    async def carry_out(self) -> None:
        """Send the lanes of the batch. Raises AddressRefused, AddressUnresolved."""
        self.failures = self.batch.failures
        this_machine = settings.IS_DEMO
        target = addresses.read(self.batch.url, this_machine=this_machine)
        loop = asyncio.get_running_loop()
        address = await loop.run_in_executor(
            None, lambda: addresses.resolve(target, this_machine=this_machine)
        )
        lanes = _lanes(self.batch.messages)
        async with _client() as client:
            post = Post(client, target, address, self.batch.keys)
            await asyncio.gather(*(self._drive(lanes, post) for _ in range(min(AT_ONCE, len(lanes)))))

    async def _drive(self, lanes: "deque[list[Message]]", post: "Post") -> None:
        while lanes:
            for message in lanes.popleft():
                if self.is_stopped or time.monotonic() - self.begun > LONGEST_BATCH:
                    return
                self._note(message, await post(message))

    def _note(self, message: Message, outcome: Outcome) -> None:
        self.ended.append((message, outcome))
        self.failures = 0 if outcome.problem is None else self.failures + 1
        self.is_stopped |= (
            outcome.problem in _STOPS or outcome.wait is not None or self.failures >= OPEN_AFTER
        )


def _lanes(messages: tuple[Message, ...]) -> "deque[list[Message]]":
    """The messages of each member in their order; those about nobody by themselves."""
    lanes: dict[tuple[int, bool], list[Message]] = {}
    for message in messages:
        about = message.member_id
        key = (message.delivery_id, False) if about is None else (about, True)
        lanes.setdefault(key, []).append(message)
    return deque(lanes.values())


class Post:
    """POST one message to one address."""

    def __init__(self, client: httpx.AsyncClient, target: Target, address: IpAddress, keys: tuple[str, ...]):
        self.client, self.target, self.keys = client, target, keys
        self.url = target.at(address)

    async def __call__(self, message: Message) -> Outcome:
        """One attempt; whatever happens is an outcome."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT):
                outcome = await self._ask(message)
        except Exception as error:  # one message must not stop the others
            outcome = Outcome(_problem_of(error))
            if outcome.problem is DeliveryProblem.INTERNAL:
                log.exception("a webhook could not be sent: delivery %s", message.delivery_id)
        return outcome._replace(milliseconds=round((time.monotonic() - begun) * 1000))

    async def _ask(self, message: Message) -> Outcome:
        now = timezone.now()
        body = webhook_messages.body_of(message)
        headers = webhook_messages.headers_of(message, body, self.keys, now)
        request = self.client.build_request(
            "POST",
            self.url,
            content=body,
            headers={"host": self.target.authority, **headers},
            extensions={"sni_hostname": self.target.host},
        )
        answer = await self.client.send(request, stream=True)
        try:
            outcome = circuits.judge(answer.status_code, answer.headers.get("retry-after", ""), now)
            await _read_little(answer)
        finally:
            await answer.aclose()
        return outcome


async def _read_little(answer: httpx.Response) -> None:
    """Read an answer to its end, if that is near: the status has said everything."""
    read = 0
    async for chunk in answer.aiter_raw():
        read += len(chunk)
        if read > MOST_READ:
            return


def _problem_of(error: Exception) -> DeliveryProblem:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return DeliveryProblem.TIMEOUT
    if isinstance(error, httpx.ConnectError):
        return DeliveryProblem.TLS if _is_about_tls(error) else DeliveryProblem.REFUSED
    if isinstance(error, httpx.TransportError):
        return DeliveryProblem.BROKEN
    return DeliveryProblem.INTERNAL


def _is_about_tls(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _client() -> httpx.AsyncClient:
    # No proxy of the environment: it would resolve the name once more, and may stand in our own network.
    return httpx.AsyncClient(
        verify=trust(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(TIMEOUT),
        limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
    )


@cache
def trust() -> ssl.SSLContext:
    """Whose certificates are accepted: read once, as it takes longer than a request."""
    return httpx.create_ssl_context()
