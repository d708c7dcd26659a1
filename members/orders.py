"""Orders: what channels tell of purchases and refunds, kept as it is now (A9).

Promises: an order is one row, however often and in whatever order it is told; an older version is
ignored and counted; the same version with another content is refused; what is not told is kept; a
refund that comes before its order waits for it. One bad item does not stop the others.

A batch costs a fixed number of statements: six when all is new, two or three when all is known.
Resolve the buyers first (members.identity), lock wallets after: everybody waits in that order.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from members import columns, hearing, order_rows, outbox, versions
from members.errors import MembersError, VersionConflict
from members.facts import LineFact, OrderFact, OrderLinesFact, OrderStatus, RefundFact, digest
from members.hearing import Heard, HeardRefund, OrderState, Telling
from members.identity import Known
from members.models import Channel
from members.numbers import number_of
from members.order_rows import RefundRow

__all__ = ["Heard", "HeardRefund", "record", "record_lines", "record_refunds", "tell_again"]

PARKED = "parked"
ORDER_UNKNOWN = "order_unknown"

Item = TypeVar("Item")
Lines = tuple[LineFact, ...]


def record(
    channel: Channel, facts: Sequence[OrderFact], people: Sequence[Known | None], *, now: datetime
) -> list[Heard]:
    """Record up to a thousand orders of one channel; answers each, in order.

    `people` are the buyers as identity.resolve() knows them; an order without one waits unattached,
    and one that is attached stays so unless another account is told.
    """
    assert columns.in_transaction(), "orders are recorded in the transaction that settles them"
    stores = order_rows.stores(channel) if any(fact.store for fact in facts) else {}
    tellings = [
        Telling(position, fact, person, digest(fact), stores.get(fact.store) if fact.store else None)
        for position, (fact, person) in enumerate(zip(facts, people, strict=True))
    ]
    refused: list[Telling] = []
    good: list[Telling] = []
    for telling in tellings:
        telling.error = hearing.fault_of(telling.fact, channel, stores)
        (refused if telling.error else good).append(telling)
    heard = {telling.position: _refusal(channel, telling.fact, telling.error) for telling in refused}
    for batch in _rounds(good, lambda telling: telling.fact.number):
        heard |= _record(channel, batch, now, _Labels(channel, stores))
    return [heard[position] for position in range(len(facts))]


class _Labels:
    """The codes of the channel and of its stores, asked for only when an order names a store."""

    def __init__(self, channel: Channel, stores: Mapping[str, int] | None = None) -> None:
        self.channel = channel
        self._codes = {store_id: code for code, store_id in stores.items()} if stores else {}

    def store_code(self, store_id: int) -> str:
        if store_id not in self._codes:
            self._codes = {known: code for code, known in order_rows.stores(self.channel).items()}
        return self._codes[store_id]

    def label(self, state: OrderState, lines: Lines, **how: Any) -> Heard:
        """An order as it stands, for those who act on it."""
        return Heard(
            number=state.number,
            order_id=state.id,
            channel_id=self.channel.pk,
            channel_code=self.channel.code,
            store_id=state.store_id,
            store_code=self.store_code(state.store_id) if state.store_id else "",
            account_id=state.account_id,
            member_id=state.member_id,
            status=state.status,
            placed_at=state.placed_at,
            paid_at=state.paid_at,
            received_at=state.received_at,
            net=state.net,
            kept=state.kept,
            points_value=state.points_value,
            stored_value=state.stored_value,
            points_spent=state.points_spent,
            points_spent_cause=state.points_spent_cause,
            lines=lines,
            heard_at=state.heard_at,
            revision=state.revision,
            **how,
        )


def _rounds(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Split so that nothing comes twice in a round; the first telling of each is in the first."""
    rounds: list[list[Item]] = []
    times: defaultdict[Hashable, int] = defaultdict(int)
    for item in items:
        number = times[key(item)]
        times[key(item)] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(item)
    return rounds


def _refusal(channel: Channel, fact: OrderFact, error: MembersError | None) -> Heard:
    return Heard(
        fact=fact,
        number=fact.number,
        outcome=versions.CONFLICT,
        error=error,
        channel_id=channel.pk,
        channel_code=channel.code,
    )


# -- one round of orders -----------------------------------------------------------------------------


def _record(channel: Channel, tellings: list[Telling], now: datetime, labels: _Labels) -> dict[int, Heard]:
    # In one order for all: who inserts a number second waits for the first, never for each other.
    tellings.sort(key=lambda telling: telling.fact.number)
    for telling in tellings:
        telling.state = hearing.state_of(telling.fact, telling.person, telling.store_id, telling.digest)
    added = order_rows.add(channel, [telling.state for telling in tellings], now=now)
    new = [telling for telling in tellings if telling.fact.number in added]
    told_again = [telling for telling in tellings if telling.fact.number not in added]
    for telling in new:
        telling.state.id, telling.state.heard_at = added[telling.fact.number], now
    stored = _hear_again(channel, told_again) if told_again else {}
    _count_refunds(channel, new, told_again)
    order_rows.change([telling.state for telling in tellings if telling.is_touched], now=now)
    _write_lines(tellings)
    _write_history(tellings)
    _tell(channel, [telling.state for telling in tellings if telling.outcome in ("new", "changed")])
    return {
        telling.position: labels.label(
            telling.state,
            telling.fact.lines or stored.get(telling.state.id, ()),
            fact=telling.fact,
            outcome=telling.outcome,
            error=telling.error,
            was_attached_now=telling.was_attached_now,
            member_before=telling.member_before,
        )
        for telling in tellings
    }


def _hear_again(channel: Channel, tellings: Sequence[Telling]) -> dict[int, Lines]:
    """Decide what becomes of orders that were there before; answers their stored lines."""
    known = order_rows.lock(channel, [telling.fact.number for telling in tellings])
    for telling in tellings:
        telling.state = known[telling.fact.number]
        telling.outcome = versions.judge(
            telling.fact.version, telling.digest, telling.state.version, telling.state.digest
        )
    stored = order_rows.lines(
        [
            telling.state.id
            for telling in tellings
            if telling.outcome == versions.CHANGED or not telling.fact.lines
        ]
    )
    for telling in tellings:
        _apply(telling, stored.get(telling.state.id, ()))
    return stored


def _apply(telling: Telling, stored: Lines) -> None:
    """Bring one order from how it stood to how it is told."""
    state, fact = telling.state, telling.fact
    if telling.outcome == versions.CONFLICT:
        telling.error = VersionConflict()
        return
    if telling.outcome == versions.STALE:
        state.stale_count += 1
        telling.is_touched = True
        return
    changed = False
    if telling.outcome == versions.CHANGED:
        changed = hearing.merge(state, fact, telling.store_id, telling.digest)
        telling.has_new_lines = bool(fact.lines) and order_rows.as_stored(fact.lines) != stored
        telling.is_touched = True
    elif versions.later(fact.version, state.version) != state.version:
        state.version = fact.version
        telling.is_touched = True
    changed = _attach(telling) or telling.has_new_lines or changed
    # Told in other words, with nothing in it that is new: the same.
    telling.outcome = versions.CHANGED if changed else versions.SAME
    if changed:
        state.revision += 1
        telling.is_touched = True


def _attach(telling: Telling) -> bool:
    """Give the order its buyer, where one is told and it is not theirs yet."""
    state, person = telling.state, telling.person
    if person is None or person.account_id == state.account_id:
        return False
    telling.was_attached_now = state.member_id is None
    if state.member_id is not None and state.member_id != person.member_id:
        telling.member_before = state.member_id
    state.account_id, state.member_id = person.account_id, person.member_id
    return True


def _count_refunds(channel: Channel, new: Sequence[Telling], told_again: Sequence[Telling]) -> None:
    """Bring what counts as refunded up to date: parked refunds meet their orders here."""
    met: set[int] = set()
    if new:
        order_rows.meet_refunds(channel, [telling.fact.number for telling in new])
        met = order_rows.attach_parked(channel, {telling.fact.number: telling.state.id for telling in new})
    counting = [telling for telling in new if telling.state.id in met]
    counting += [telling for telling in told_again if telling.outcome == versions.CHANGED]
    sums = order_rows.refunded([telling.state.id for telling in counting])
    for telling in counting:
        goods, postage = sums.get(telling.state.id, (hearing.ZERO, hearing.ZERO))
        if telling.state.count_refunds(goods, postage):
            telling.is_touched = True


def _write_lines(tellings: Sequence[Telling]) -> None:
    replaced = [telling for telling in tellings if telling.has_new_lines]
    order_rows.remove_lines([telling.state.id for telling in replaced])
    order_rows.add_lines(
        (telling.state.id, telling.fact.lines)
        for telling in tellings
        if telling.has_new_lines or telling.outcome == versions.NEW
    )


def _write_history(tellings: Sequence[Telling]) -> None:
    order_rows.add_history(
        [
            (telling.state.id, telling.state.status, _time_of_step(telling.fact))
            for telling in tellings
            if telling.outcome in (versions.NEW, versions.CHANGED)
        ]
    )


def _time_of_step(fact: OrderFact) -> datetime | None:
    """When the order took the step that it is told to be at; nobody tells when it was cancelled."""
    time: datetime | None = None
    if fact.status is not OrderStatus.CANCELLED:
        time = getattr(fact, hearing.TIME_OF[fact.status])
    return time


def _tell(channel: Channel, states: Iterable[OrderState]) -> None:
    """Tell the channels how orders stand now: ids and figures, nothing personal."""
    outbox.put(
        [
            outbox.Change(
                topic="order.changed",
                change=f"order:{state.id}:{state.revision}",
                member_id=state.member_id,
                channel_id=channel.pk,
                payload={
                    "channel": channel.code,
                    "order_no": state.number,
                    "status": state.status,
                    "net": str(state.net),
                    "refunded": str(state.refunded_goods + state.refunded_postage),
                    "member_no": number_of(state.member_id) if state.member_id else None,
                },
            )
            for state in states
        ]
    )


def tell_again(channel: Channel, numbers: Sequence[str], *, now: datetime) -> int:
    """Tell the channel once more how these orders of its stand here; how many there were.

    Each is a revision of its own, though nothing in it changed: a change is told once, so that whoever has
    heard the last one takes this for newer.
    """
    states = list(order_rows.lock(channel, numbers).values())
    for state in states:
        state.revision += 1
    order_rows.change(states, now=now)
    _tell(channel, states)
    return len(states)


# -- refunds -----------------------------------------------------------------------------------------


def record_refunds(
    channel: Channel, facts: Sequence[RefundFact], *, now: datetime, asked_here: bool = False
) -> list[HeardRefund]:
    """Record refunds of one channel; answers each, in order.

    A refund of an order that nobody has told yet is parked, and counts when the order comes.
    `asked_here`: the refund was asked of us, at a desk or by the API, not told by a platform. A
    refund told again with other amounts needs a newer version (members.version_conflict).
    """
    assert columns.in_transaction(), "refunds are recorded in the transaction that settles them"
    answers = [HeardRefund(fact=fact, outcome=versions.NEW) for fact in facts]
    good: list[HeardRefund] = []
    for answer in answers:
        answer.error = hearing.fault_of_refund(answer.fact)
        if answer.error:
            answer.outcome = versions.CONFLICT
        else:
            good.append(answer)
    for batch in _rounds(good, lambda answer: (answer.fact.order_number, answer.fact.number)):
        _record_refunds(channel, batch, now, asked_here)
    return answers


def _record_refunds(channel: Channel, answers: list[HeardRefund], now: datetime, asked_here: bool) -> None:
    answers.sort(key=lambda answer: (answer.fact.order_number, answer.fact.number))
    digests = {id(answer): digest(answer.fact) for answer in answers}
    orders = _orders_of(channel, [answer.fact.order_number for answer in answers])
    order_ids = {number: state.id for number, state in orders.items()}
    facts = [answer.fact for answer in answers]
    added = order_rows.add_refunds(
        channel, facts, order_ids, [digests[id(answer)] for answer in answers], asked_here=asked_here
    )
    told_again = [answer for answer in answers if _name(answer) not in added]
    known = order_rows.lock_refunds(channel, [answer.fact for answer in told_again])
    for answer in answers:
        if _name(answer) in added:
            answer.refund_id = added[_name(answer)]
            answer.outcome = versions.NEW if answer.fact.order_number in orders else PARKED
        else:
            _judge(answer, digests[id(answer)], known[_name(answer)])
    changed = [answer for answer in told_again if answer.outcome == versions.CHANGED]
    order_rows.change_refunds([(answer.refund_id, answer.fact, digests[id(answer)]) for answer in changed])
    heard = _recount(channel, orders, now)
    for answer in answers:
        answer.heard = heard.get(answer.fact.order_number)


def _orders_of(channel: Channel, numbers: Sequence[str]) -> dict[str, OrderState]:
    """The orders to be refunded, locked; for those unknown, wait for whoever is just adding them."""
    wanted = list(dict.fromkeys(numbers))
    orders = order_rows.lock(channel, wanted)
    missing = [number for number in wanted if number not in orders]
    if missing:
        order_rows.wait_for_orders(channel, missing)
        orders |= order_rows.lock(channel, missing)
    return orders


def _name(answer: HeardRefund) -> tuple[str, str]:
    return answer.fact.order_number, answer.fact.number


def _judge(answer: HeardRefund, told: bytes, known: RefundRow) -> None:
    """Decide what becomes of a refund that was there before: other amounts need a newer version."""
    fact = answer.fact
    answer.refund_id = known.id
    answer.outcome = versions.judge(fact.version, told, known.version, known.digest)
    other_amounts = (fact.goods, fact.postage) != (known.goods, known.postage)
    if answer.outcome == versions.CHANGED and other_amounts and fact.version is None:
        answer.outcome = versions.CONFLICT
    if answer.outcome == versions.CONFLICT:
        answer.error = VersionConflict()


def _recount(channel: Channel, orders: Mapping[str, OrderState], now: datetime) -> dict[str, Heard]:
    """Bring orders up to date with their refunds, and tell of those that changed."""
    ids = [state.id for state in orders.values()]
    sums = order_rows.refunded(ids)
    changed = [
        state
        for state in orders.values()
        if state.count_refunds(*sums.get(state.id, (hearing.ZERO, hearing.ZERO)))
    ]
    for state in changed:
        state.revision += 1
    order_rows.change(changed, now=now)
    _tell(channel, changed)
    lines, labels = order_rows.lines(ids), _Labels(channel)
    return {
        number: labels.label(
            state,
            lines[state.id],
            fact=None,
            outcome=versions.CHANGED if state in changed else versions.SAME,
        )
        for number, state in orders.items()
    }


# -- lines told apart from their order ---------------------------------------------------------------


def record_lines(channel: Channel, facts: Sequence[OrderLinesFact], *, now: datetime) -> list[str]:
    """Record the lines of orders that are told apart from them; an outcome for each, in order.

    changed, same, conflict (they cannot be kept), or order_unknown: lines do not wait for an order.
    """
    assert columns.in_transaction(), "lines are recorded in a transaction"
    outcomes = [versions.CONFLICT if hearing.fault_of_lines(fact.lines) else "" for fact in facts]
    good = [(position, fact) for position, fact in enumerate(facts) if not outcomes[position]]
    for batch in _rounds(good, lambda item: item[1].order_number):
        orders = order_rows.lock(channel, [fact.order_number for _, fact in batch])
        stored = order_rows.lines([state.id for state in orders.values()])
        replaced: list[tuple[OrderState, Lines]] = []
        for position, fact in batch:
            state = orders.get(fact.order_number)
            if state is None:
                outcomes[position] = ORDER_UNKNOWN
            elif not fact.lines or order_rows.as_stored(fact.lines) == stored[state.id]:
                outcomes[position] = versions.SAME
            else:
                outcomes[position] = versions.CHANGED
                state.revision += 1
                replaced.append((state, fact.lines))
        order_rows.remove_lines([state.id for state, _ in replaced])
        order_rows.add_lines((state.id, lines) for state, lines in replaced)
        order_rows.change([state for state, _ in replaced], now=now)
        _tell(channel, [state for state, _ in replaced])
    return outcomes
