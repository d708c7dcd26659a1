"""Settling: bring what heard orders earn, and what they were paid with, to where it should stand.

The target of an order is a function of the order as it is now and of the snapshot taken when it was first
heard as paid. What is posted is the difference to what was posted before, so that events in any order, and
any number of times, end the same (ledger.md, *The same thing twice, and out of order*).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from loyalty import earning, ledger, limits, settlement, situations, snapshots
from loyalty.calendar import end_of
from loyalty.programme import Programme
from loyalty.purse import LotState, Origin, Posting, Purse
from loyalty.settlement import Batch, Change, Settlement
from loyalty.snapshots import Snapshot
from loyalty.tellings import points_changes, tier_changed
from loyalty.tiers import Purchase
from members.orders import Heard

PAID = frozenset({"paid", "shipped", "received", "completed"})


def settle(
    heard: Sequence[Heard], *, actor_id: int | None = None, store_id: int | None = None, asked: str = ""
) -> Settlement:
    """Settle the points of orders that were heard; one settlement for the batch, a change an order.

    `asked`: the number of a refund that was asked of Shuke, so that the programme's `refund_shortage`
    decides what happens when points are short; when it refuses, `refused` is set and the caller rolls back.
    """
    orders = {
        each.order_id: each for each in heard if each.member_id is not None and each.outcome != "conflict"
    }
    if not orders:
        return Settlement()
    priced = snapshots.read([id_ for id_, order in orders.items() if order.outcome != "new"])
    # An order told twice in one call is new in the first telling and the same in the second.
    moved = {each.order_id for each in heard if each.outcome in ("new", "changed") or each.was_attached_now}
    moving = [order for id_, order in orders.items() if id_ in moved]
    if not moving:
        return _as_it_stands(orders, priced)
    batch = settlement.open_for(moving, priced, actor_id=actor_id, store_id=store_id, asked=asked)
    batch.waiting = {order.order_id for order in moving}
    for order in sorted(moving, key=lambda order: (settlement.time_of(order), order.order_id)):
        batch.waiting.discard(order.order_id)
        _settle(order, batch)
    batch.ascent.close(batch.bought)
    if not batch.settlement.refused:
        _write(moving, batch)
    still = {id_: order for id_, order in orders.items() if id_ not in batch.settlement.by_order}
    batch.settlement.by_order |= _as_it_stands(still, priced).by_order
    return batch.settlement


def _as_it_stands(orders: Mapping[int, Heard], priced: Mapping[int, Snapshot]) -> Settlement:
    return Settlement(
        {id_: Change(stays=priced[id_].stays, why=priced[id_].why) for id_ in orders if id_ in priced}
    )


# --- one order --------------------------------------------------------------------------------------


def _settle(order: Heard, batch: Batch) -> None:
    assert order.member_id is not None
    purse, at = batch.purses[order.member_id], settlement.time_of(order)
    bought = batch.bought_by(order.member_id)
    change = batch.settlement.by_order.setdefault(order.order_id, Change())
    # What time had done to the tier before this order was bought: files tell of years gone by.
    batch.ascent.arrive(order, at, bought)
    batch.ascent.leave(order, at)
    snapshot = batch.priced.get(order.order_id)
    if snapshot is not None and snapshot.wallet_id != purse.wallet_id:
        _leave(order, snapshot, batch)
        snapshot = None
    if order.status in PAID and (snapshot is None or not snapshot.is_priced):
        snapshot = batch.priced[order.order_id] = _decide(order, purse, bought, batch, change)
    elif snapshot is None and order.points_spent_cause:
        snapshot = batch.priced[order.order_id] = _unpriced(order, purse, batch)
    if snapshot is not None:
        if order.outcome != "new":
            _ripen(order, purse, batch)
        _settle_earned(order, snapshot, purse, batch, change)
        _settle_spent(order, snapshot, batch, change)
        change.stays, change.why = snapshot.stays, snapshot.why
    batch.ascent.climb(order.member_id, at, fell=bool(change.taken) or order.kept < order.net)
    change.debt, change.tier = sum(each.debt for each in purse.together), purse.tier


def _leave(order: Heard, snapshot: Snapshot, batch: Batch) -> None:
    """The channel names another buyer than before: the one before gives back what the order had earned."""
    if order.member_before is None or not snapshot.stays:
        return
    purse, now = batch.purses[order.member_before], batch.purses.now
    own = _own(order, purse)
    forgiven = _unused(snapshot.stays, snapshot, own)
    taken = snapshot.stays - forgiven
    if taken:
        # The order's new buyer may have some taken back by the same revision: each has a cause of its own.
        cause = f"{_cause(order, again=True)}:left"
        why = {"earned": snapshot.earned, "taken": taken, "moved": True}
        origin = _origin(order, snapshot, batch, cause=cause, happened_at=now, why=why)
        purse.take_back(taken, origin, own=own, now=now)
    snapshot.forgiven += forgiven
    snapshot.stays, snapshot.touched = 0, True


def _cause(order: Heard, *, again: bool) -> str:
    """What names an entry of an order: its first earning, or what a later revision of it made."""
    return f"order:{order.order_id}:{order.revision}" if again else f"order:{order.order_id}"


def _unpriced(order: Heard, purse: Purse, batch: Batch) -> Snapshot:
    """A snapshot that has earned nothing yet: of an order that is not paid, or in the hands of a new buyer.

    The entries of a buyer before stay the order's, so what was given up and given back is kept.
    """
    version = batch.programmes.at(settlement.time_of(order))
    snapshot = Snapshot(order.order_id, purse.wallet_id, version.id, order.net, 0, 0, 0, 0, {}, touched=True)
    before = batch.priced.get(order.order_id)
    if before is not None:
        snapshot.forgiven, snapshot.given_back = before.forgiven, before.given_back
    return snapshot


def _decide(order: Heard, purse: Purse, bought: Sequence[Purchase], batch: Batch, change: Change) -> Snapshot:
    """Price the order by the state of this moment, once and for all."""
    at = settlement.time_of(order)
    programme = batch.programmes.at(at).programme
    again = order.order_id in batch.priced
    snapshot = _unpriced(order, purse, batch)
    tier = programme.tier(purse.tier)
    zone = programme.time_zone
    situation = None
    if rules := earning.running(programme, at):
        situation = situations.of(order, at=at, tier=tier.code, buyers=batch.buyers, bought=bought, zone=zone)
    day = at.astimezone(zone).date()
    priced = earning.price(
        situation,
        base=earning.base_of(net=order.net, points_value=order.points_value, policy=programme.points),
        programme=programme,
        tier=tier,
        room=batch.limits.room(rules, limits.holder(purse), day),
    )
    snapshot.earned = snapshot.stays = priced.points
    snapshot.why = priced.why
    if elsewhere := snapshot.forgiven - sum(lot.expired for lot in _own(order, purse)):
        snapshot.why["forgiven_before"] = elsewhere
    if priced.points:
        posting = _earn(order, priced.points, snapshot, purse, batch, cause=_cause(order, again=again))
        posting.uses = dict(priced.uses)
        batch.limits.use(limits.holder(purse), day, priced.uses)
        change.earned += priced.points
        change.available_from = _available_from(order, programme)
    return snapshot


def _earn(
    order: Heard,
    points: int,
    snapshot: Snapshot,
    purse: Purse,
    batch: Batch,
    *,
    cause: str,
    why: dict[str, Any] | None = None,
) -> Posting:
    at = settlement.time_of(order)
    programme = batch.programmes.by_id(snapshot.programme_id)
    tier = programme.tier(snapshot.why.get("tier", ""))
    return purse.earn(
        points,
        _origin(order, snapshot, batch, cause=cause, happened_at=at, why=why or snapshot.why),
        available_from=_available_from(order, programme),
        expires_at=programme.expiry_of(tier).expires_at(at, programme.time_zone),
        now=batch.purses.now,
    )


def _available_from(order: Heard, programme: Programme) -> datetime:
    """When an order's points can be spent: at payment, or `pending_days` after receipt (B3)."""
    at, policy = settlement.time_of(order), programme.points
    if not policy.pending_days:
        return at
    received = order.received_at or at + timedelta(days=policy.assume_received_after_days)
    return received + timedelta(days=policy.pending_days)


def _ripen(order: Heard, purse: Purse, batch: Batch) -> None:
    """A receipt that was told since moves the end of the pending window, while it is still open."""
    snapshot = batch.priced[order.order_id]
    available_from = _available_from(order, batch.programmes.by_id(snapshot.programme_id))
    for lot in _own(order, purse):
        if lot.available_from != available_from and not lot.is_ripe(batch.purses.now):
            lot.available_from, lot.touched = available_from, True
    purse.advance(batch.purses.now)


def _own(order: Heard, purse: Purse) -> list[LotState]:
    return [lot for lot in purse.lots if lot.order_id == order.order_id]


def _settle_earned(order: Heard, snapshot: Snapshot, purse: Purse, batch: Batch, change: Change) -> None:
    target = earning.stays(earned=snapshot.earned, net_bought=snapshot.net_bought, kept=order.kept)
    if target > snapshot.stays:
        more = target - snapshot.stays
        grown = {
            "net_bought": str(snapshot.net_bought),
            "kept": str(order.kept),
            "before": snapshot.stays,
            "stays": target,
        }
        why = {**snapshot.why, "grown": grown}
        _earn(order, more, snapshot, purse, batch, cause=_cause(order, again=True), why=why)
        change.earned += more
    elif target < snapshot.stays:
        _take_back(order, snapshot.stays - target, snapshot, purse, batch, change)
    else:
        return
    snapshot.stays, snapshot.touched = target, True


def _take_back(
    order: Heard, points: int, snapshot: Snapshot, purse: Purse, batch: Batch, change: Change
) -> None:
    own, now = _own(order, purse), batch.purses.now
    forgiven = _unused(points, snapshot, own)
    if batch.asked:
        short = purse.shortage(points - forgiven, own=own, now=now)
        programme = batch.programmes.by_id(snapshot.programme_id)
        if short and programme.points.refund_shortage == "refuse":
            batch.settlement.refused = True
            return
        if short and programme.points.refund_shortage == "money":
            change.withhold = programme.tier(purse.tier).benefits.worth(short)
            forgiven += short
    why = {
        "earned": snapshot.earned,
        "net_bought": str(snapshot.net_bought),
        "kept": str(order.kept),
        "stays": snapshot.stays - points,
        "taken": points,
        **_asked(batch),
    }
    if forgiven:
        why["forgiven"] = forgiven
    if points > forgiven:
        origin = _origin(order, snapshot, batch, cause=_cause(order, again=True), happened_at=now, why=why)
        purse.take_back(points - forgiven, origin, own=own, now=now)
    snapshot.forgiven += forgiven
    change.taken += points - forgiven


def _unused(points: int, snapshot: Snapshot, own: Sequence[LotState]) -> int:
    """How much of `points` to be taken back had lapsed unused: it is gone, and not taken a second time."""
    left = sum(lot.free for lot in own)
    # With another buyer, before: that is no matter of these lots.
    forgiven_here = snapshot.forgiven - snapshot.why.get("forgiven_before", 0)
    lapsed = sum(lot.expired for lot in own) - forgiven_here
    return max(0, min(points - left, lapsed))


def _asked(batch: Batch) -> dict[str, str]:
    """The number of the refund that was asked for: asked again, it is answered by its entries."""
    return {"refund": batch.asked} if batch.asked else {}


def _settle_spent(order: Heard, snapshot: Snapshot, batch: Batch, change: Change) -> None:
    """Give back the points a refunded order was paid with, to the lots they came from."""
    paid = batch.redemptions.get(settlement.cause_of_redemption(order)) if order.points_spent_cause else None
    if paid is None:
        return
    spent = min(order.points_spent, sum(points for _lot, points in paid.parts))
    target = earning.returned(spent=spent, net_bought=snapshot.net_bought, kept=order.kept)
    points = target - snapshot.given_back
    if points <= 0:
        return
    programme = batch.programmes.by_id(snapshot.programme_id)
    today = batch.purses.now.astimezone(programme.time_zone).date()
    why = {
        "spent": spent,
        "net_bought": str(snapshot.net_bought),
        "kept": str(order.kept),
        "returned": target,
        **_asked(batch),
    }
    paid.purse.give_back(
        _slice(paid.parts, snapshot.given_back, points),
        _origin(
            order,
            snapshot,
            batch,
            cause=_cause(order, again=True),
            happened_at=batch.purses.now,
            why=why,
        ),
        now=batch.purses.now,
        reissue_until=end_of(
            today + timedelta(days=programme.points.reissue_grace_days), programme.time_zone
        ),
    )
    snapshot.given_back, snapshot.touched = target, True
    change.returned += points


def _slice(parts: Sequence[tuple[LotState, int]], start: int, length: int) -> Iterable[tuple[LotState, int]]:
    """The points from `start` on, of lots walked from the last spent (the longest to live) to the first."""
    for lot, points in reversed(parts):
        skipped = min(start, points)
        start -= skipped
        taken = min(length, points - skipped)
        length -= taken
        if taken:
            yield lot, taken


def _origin(
    order: Heard, snapshot: Snapshot, batch: Batch, *, cause: str, happened_at: datetime, why: dict[str, Any]
) -> Origin:
    return Origin(
        cause=cause,
        happened_at=happened_at,
        why=why,
        channel_id=order.channel_id,
        store_id=batch.store_id or order.store_id,
        order_id=order.order_id,
        actor_id=batch.actor_id,
        programme_id=snapshot.programme_id,
    )


# --- writing ----------------------------------------------------------------------------------------


def _write(moving: Sequence[Heard], batch: Batch) -> None:
    zone = batch.programmes.at(batch.purses.now).programme.time_zone
    channel_id = moving[0].channel_id
    told = points_changes(batch.purses.values(), channel_id)
    batch.ascent.write()
    ledger.append(
        batch.purses, [*told, *(tier_changed(step, channel_id) for step in batch.ascent.steps)], zone=zone
    )
    snapshots.write([snapshot for snapshot in batch.priced.values() if snapshot.touched])
