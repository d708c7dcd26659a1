"""Steps of orders: a platform says that an order went on, without telling the order again (A9)."""

from typing import Any

from members import columns, order_rows
from members.cleaning import ZERO
from members.connectors.connector import PROGRESS, StepFact
from members.errors import OrderUnknown
from members.facts import AmountsFact, OrderFact, OrderStatus
from members.hearing import TIME_OF, OrderState
from members.models import Channel

_PAID = PROGRESS.index(OrderStatus.PAID)


def as_order(channel: Channel, step: StepFact) -> OrderFact | None:
    """The order as it is after the step, told whole; None when it is further on already.

    The order is locked. One that nobody told yet comes about where the step says what was paid.
    Raises OrderUnknown where it does not.
    """
    assert columns.in_transaction(), "a step is taken in the transaction that settles it"
    state = order_rows.lock(channel, [step.number]).get(step.number)
    if state is None:
        return _first(step)
    known = OrderStatus(state.status)
    if PROGRESS.index(step.status) <= PROGRESS.index(known):
        return None
    if None not in (step.version, state.version) and step.version <= state.version:  # type: ignore[operator]
        return None
    return OrderFact(
        number=step.number,
        status=step.status,
        amounts=_amounts(state),
        version=step.version,
        **_times(step, state),
    )


def _amounts(state: OrderState) -> AmountsFact:
    return AmountsFact(
        goods=state.goods,
        discount=state.discount,
        postage=state.postage,
        points_value=state.points_value,
        stored_value=state.stored_value,
    )


def _first(step: StepFact) -> OrderFact:
    if step.paid is None:
        raise OrderUnknown
    times = _times(step, None)
    times.setdefault("placed_at", step.at)
    return OrderFact(
        number=step.number,
        status=step.status,
        amounts=AmountsFact(goods=max(step.paid, ZERO)),
        version=step.version,
        **times,
    )


def _times(step: StepFact, state: OrderState | None) -> dict[str, Any]:
    """The time of the step; what is shipped or done was paid, at that time if at no other."""
    if step.status is OrderStatus.CANCELLED or step.at is None:
        return {}
    times: dict[str, Any] = {TIME_OF[step.status]: step.at}
    if PROGRESS.index(step.status) > _PAID and (state is None or state.paid_at is None):
        times["paid_at"] = step.at
    return times
