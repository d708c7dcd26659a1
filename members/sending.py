"""The sender: gives each endpoint its turn, all of them beside one another (A14, A15).

It looks twice a second who has something to send. NOTIFY would be quicker by a quarter of a second, but
PostgreSQL lets transactions that notify commit one after the other only, and the ledger's must not. A turn
takes a batch and settles it; endpoints wait neither for one another's network, as turns run in one loop,
nor for one another's rows. `round_` does the same step by step, for tests and for the command line.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event, Thread
from typing import TypeVar

from django.db import close_old_connections, connection
from django.utils import timezone

from members import deliveries, posting

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
AFTER_ERROR_SECONDS = 5.0
STOP_SECONDS = 18.0  # what is under way may end; a worker is killed after 20

T = TypeVar("T")


def round_(now: datetime | None = None) -> int:
    """One turn for each endpoint that has something to send; how many messages were tried."""
    at = now or timezone.now()
    return sum(take_turn(endpoint_id, at) for endpoint_id in deliveries.ready(at))


def take_turn(endpoint_id: int, now: datetime) -> int:
    """Send an endpoint's next batch, then one of those that may have killed a worker; how many were tried."""
    tried = 0
    for alone in (False, True):
        batch = deliveries.claim(endpoint_id, now, alone=alone)
        if batch is not None and batch.messages:
            sent = posting.send(batch)
            deliveries.settle(batch, sent, now)
            tried += len(sent)
    return tried


class Sender:
    """Turns in one loop of their own, until stopped. The database is asked by one thread beside it."""

    def __init__(self) -> None:
        self.stopping = Event()
        self._database = ThreadPoolExecutor(1, thread_name_prefix="webhooks-database")

    def run(self) -> None:
        """Send until `stopping` is set."""
        try:
            asyncio.run(self._run())
        finally:
            self._database.submit(lambda: connection.close()).result()  # that thread's own
            self._database.shutdown()

    async def _run(self) -> None:
        turns: dict[int, asyncio.Task[None]] = {}
        while not self.stopping.is_set():
            pause = LOOK_SECONDS
            try:
                for endpoint_id in await self._ask(lambda: deliveries.ready(timezone.now())):
                    if endpoint_id not in turns:
                        turns[endpoint_id] = asyncio.create_task(self._serve(endpoint_id))
            except Exception:  # the database is away, or worse: try again rather than fall silent
                log.exception("webhooks wait for a moment")
                pause = AFTER_ERROR_SECONDS
            await asyncio.sleep(pause)
            turns = {endpoint_id: turn for endpoint_id, turn in turns.items() if not turn.done()}
        if turns:
            await asyncio.wait(turns.values(), timeout=STOP_SECONDS)

    async def _serve(self, endpoint_id: int) -> None:
        """Turns of one endpoint, for as long as it has more."""
        try:
            while await self._turn(endpoint_id) and not self.stopping.is_set():
                pass
        except Exception:  # of this endpoint alone; what was in hand is due again, and in the end given up
            log.exception("webhook endpoint %s waits for a moment", endpoint_id)

    async def _turn(self, endpoint_id: int) -> bool:
        goes_on = False
        for alone in (False, True):
            batch = await self._ask(_claim(endpoint_id, alone))
            if batch is None:
                continue
            goes_on |= batch.has_read or bool(batch.messages)
            if batch.messages:
                sent = await posting.send_all(batch)
                await self._ask(_settle(batch, sent))
        return goes_on

    async def _ask(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, _with_database(work))


def _claim(endpoint_id: int, alone: bool) -> Callable[[], deliveries.Batch | None]:
    return lambda: deliveries.claim(endpoint_id, timezone.now(), alone=alone)


def _settle(batch: deliveries.Batch, sent: list[deliveries.Sent]) -> Callable[[], None]:
    return lambda: deliveries.settle(batch, sent, timezone.now())


def _with_database(work: Callable[[], T]) -> Callable[[], T]:
    def asked() -> T:
        close_old_connections()  # one that broke is replaced
        return work()

    return asked


@contextlib.contextmanager
def beside() -> Iterator[Sender]:
    """A sender in a thread of its own while the block lasts; what is under way at its end may end too."""
    sender = Sender()
    thread = Thread(target=sender.run, name="webhooks")
    try:
        thread.start()  # a signal may end the program in the midst of it, when the thread runs already
        yield sender
    finally:
        sender.stopping.set()
        with contextlib.suppress(RuntimeError):  # it was not started
            thread.join()
