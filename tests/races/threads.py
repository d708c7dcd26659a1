"""Threads that begin together, each with its own connection, as so many clients would."""

from collections.abc import Callable
from threading import Barrier, BoundedSemaphore, Thread
from typing import Any

from django.db import connection

LONGEST = 120  # seconds; a test that waits longer has deadlocked
CONNECTIONS = 48  # the server has a hundred, for every test run on this machine


def at_once(*works: Callable[[], object]) -> list[Any]:
    """Run the works, begun together; what each answered or raised, in their order."""
    answers: list[Any] = [None] * len(works)
    start, slots = Barrier(len(works), timeout=LONGEST), BoundedSemaphore(CONNECTIONS)

    def run(place: int, work: Callable[[], object]) -> None:
        start.wait()
        with slots:
            try:
                answers[place] = work()
            except Exception as error:
                answers[place] = error
            finally:
                connection.close()

    threads = [Thread(target=run, args=(place, work), daemon=True) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONGEST)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    return answers


def refusals(answers: list[Any]) -> list[Exception]:
    """What was raised."""
    return [answer for answer in answers if isinstance(answer, Exception)]
