"""Bodies of the API as what a channel holds of a day. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from members.bodies import MOST_WHOLE, Body
from members.cleaning import FIRST_YEAR, LAST_YEAR, Unclean
from members.facts import OrderStatus
from members.reconciliation_facts import Held, Totals

MOST = 1000


class Telling(NamedTuple):
    """What one call tells: some orders and whether those were all, or totals alone."""

    orders: list[Held]
    is_complete: bool
    totals: Totals | None
    ignored: tuple[str, ...]


def read_first_telling(data: object) -> tuple[date, Telling]:
    """The day, and its totals or orders; more may follow. Raises BodyInvalid."""
    body = Body(data)
    day = body.required("day", body.cleaned("day", _read_day))
    part = body.part("totals")
    totals = _totals(part) if part is not None else None
    if totals is not None and body.has("orders"):
        body.note("totals", "one_of_many")
    return day, _telling(body, totals)


def read_telling(data: object) -> Telling:
    """More orders of a day. Raises BodyInvalid: a row left out would look like a missing order."""
    return _telling(Body(data), None)


def _telling(body: Body, totals: Totals | None) -> Telling:
    orders = list(_orders(body))
    is_complete = body.flag("complete") is not False
    if is_complete and totals is None and not body.has("orders"):
        body.required("orders", None)  # nothing said is not the same as no orders
    body.leave()
    body.settle()
    return Telling(orders, is_complete, totals, tuple(sorted(body.ignored)))


def _orders(body: Body) -> Iterator[Held]:
    for part in body.parts("orders", MOST):
        number = part.required("order_no", part.id("order_no"))
        status = part.word("status", OrderStatus)
        net, paid, refunded = part.money("net"), part.money("paid"), part.money("refunded")
        part.leave()
        yield Held(number or "", status.value if status else None, net, paid, refunded)


def _totals(body: Body) -> Totals:
    totals = Totals(
        orders=body.whole("orders", 0, MOST_WHOLE),
        net=body.money("net"),
        paid=body.money("paid"),
        refunded=body.money("refunded"),
    )
    if totals == Totals():
        body.required("orders", None)
    body.leave()
    return totals


def _read_day(text: str) -> date:
    try:
        if len(text) != len("2026-11-22"):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise Unclean("date_invalid", text) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unclean("date_invalid", text)
    return day
