"""Several looks at the database beside each other, all of which see one and the same state of it.

The first transaction exports its snapshot and waits; each thread's own transaction takes it over, so that
whatever is written meanwhile is seen by none of them.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from django.db import connection, transaction
from django.utils import translation

ABREAST = 2  # connections; a look keeps one process of the server busy

T = TypeVar("T")
_ONE_STATE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def run(looks: Sequence[Callable[[], T]], order: Sequence[int], *, settings: Sequence[str]) -> Iterator[T]:
    """What each look answers, in their order; they begin in the order of the places in `order`.

    settings: statements that each transaction begins with. What a look raises is raised at its turn.
    """
    answers: list[Future[T]] = [Future() for _ in looks]
    waiting = deque(order)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ONE_STATE)
        cursor.execute("SELECT pg_export_snapshot()")
        [(snapshot,)] = cursor.fetchall()
        begins = (_ONE_STATE, f"SET TRANSACTION SNAPSHOT '{snapshot}'", *settings)
        language = translation.get_language()
        threads = [
            Thread(target=_look, args=(looks, waiting, answers, begins, language)) for _ in range(ABREAST)
        ]
        for thread in threads:
            thread.start()
        try:
            for answer in answers:
                yield answer.result()
        finally:
            waiting.clear()
            for thread in threads:
                thread.join()


def _look(
    looks: Sequence[Callable[[], T]],
    waiting: deque[int],
    answers: Sequence[Future[T]],
    begins: Sequence[str],
    language: str | None,
) -> None:
    """Take looks from the queue until none is left, in one transaction of this thread's own connection."""
    place: int | None = None
    try:
        with transaction.atomic(), translation.override(language):
            with connection.cursor() as cursor:
                for statement in begins:
                    cursor.execute(statement)
            while (place := _next(waiting)) is not None:
                answers[place].set_result(looks[place]())
    except BaseException as failure:  # whatever it is, whoever waits for the answer is to have it
        for left in [place, *waiting]:
            if left is not None and not answers[left].done():
                answers[left].set_exception(failure)
    finally:
        connection.close()


def _next(waiting: deque[int]) -> int | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None
