"""Batches: up to 1,000 items, one answer each in their order, and one bad item never stops the others."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from django.db import DataError

from members.bodies import PROBLEMS
from members.errors import BodyInvalid
from members.reading import Fact, Told
from privacy.errors import ShukeError

MOST = 1000


class Receipt(Protocol):
    """What became of one fact."""

    @property
    def error(self) -> ShukeError | None: ...


R = TypeVar("R", bound=Receipt)


def items_of(data: object, name: str) -> list[Any]:
    """The items of a batch: a list, or an object with one under `items` or `name`. Raises BodyInvalid."""
    if isinstance(data, dict):
        data = data.get(name, data.get("items"))
    if not isinstance(data, list):
        raise BodyInvalid([_problem("type_wrong", name)])
    if len(data) > MOST:
        raise BodyInvalid([_problem("out_of_range", name)])
    return data


def _problem(code: str, path: str) -> dict[str, str]:
    return {"path": path, "code": code, "message": str(PROBLEMS[code])}


def answer(
    items: Sequence[object],
    read: Callable[[object], Told[Fact]],
    receive: Callable[[Sequence[Fact]], Sequence[R]],
    show: Callable[[Sequence[R]], Sequence[dict[str, Any]]],
    name: Callable[[Fact], dict[str, Any]] = lambda fact: {},
) -> list[dict[str, Any]]:
    """Take in what can be read, all at once, and answer every item in its order.

    `show` says what became of several facts, with `status` in each; refused items get the members of a
    problem instead. `name` is what an answer repeats of its fact.
    """
    told = [_read(item, read) for item in items]
    good = [one for one in told if isinstance(one, Told)]
    received = _receive([one.fact for one in good], receive)
    shown = iter(show([one for one in received if not isinstance(one, ShukeError) and one.error is None]))
    outcome = iter(received)
    answers = []
    for one in told:
        if isinstance(one, ShukeError):
            answers.append(refusal(one))
            continue
        became = next(outcome)
        error = became if isinstance(became, ShukeError) else became.error
        answers.append(name(one.fact) | (refusal(error) if error else next(shown) | ignored(one)))
    return answers


def _read(item: object, read: Callable[[object], Told[Fact]]) -> Told[Fact] | ShukeError:
    try:
        return read(item)
    except ShukeError as error:
        return error


def _receive(facts: Sequence[Fact], receive: Callable[[Sequence[Fact]], Sequence[R]]) -> list[R | ShukeError]:
    if not facts:
        return []
    try:
        return list(receive(facts))
    except (ShukeError, DataError):
        # One of them cannot be stored at all, and nothing was: find out which.
        return [_receive_one(fact, receive) for fact in facts]


def _receive_one(fact: Fact, receive: Callable[[Sequence[Fact]], Sequence[R]]) -> R | ShukeError:
    try:
        (receipt,) = receive([fact])
    except ShukeError as error:
        return error
    except DataError:
        return BodyInvalid([_problem("out_of_range", "")])
    return receipt


def refusal(error: ShukeError) -> dict[str, Any]:
    """Why one item was refused."""
    problems = getattr(error, "problems", None)
    more = {"errors": problems} if problems else {}
    return {"status": error.status, "code": error.code, "detail": str(error), **more}


def ignored(told: Told[Any]) -> dict[str, Any]:
    """The fields that nobody knows, said only where there are any."""
    return {"ignored": list(told.ignored)} if told.ignored else {}
