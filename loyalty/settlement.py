"""What one settlement works with, read once for all its orders, and what it comes to for each of them (B3).

Of members for whom it cannot matter nothing is read: most orders only add points and lead to no tier.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from loyalty import ascents, earning, ledger, limits, publishing, situations
from loyalty.ascents import Ascent
from loyalty.ledger import Purses, Redemption
from loyalty.limits import Limits
from loyalty.programme import Rule
from loyalty.publishing import Programmes
from loyalty.snapshots import Snapshot
from loyalty.tiers import Purchase
from members.orders import Heard


@dataclass(slots=True)
class Change:
    """What one call did to one order's points, and how they stand now."""

    stays: int = 0
    earned: int = 0
    taken: int = 0
    returned: int = 0
    debt: int = 0
    withhold: Decimal = Decimal("0.00")
    available_from: datetime | None = None
    why: dict[str, Any] = field(default_factory=dict)
    tier: str | None = None


@dataclass(slots=True)
class Settlement:
    """What one call did, by order. `refused`: the programme refuses the refund that was asked for."""

    by_order: dict[int, Change] = field(default_factory=dict)
    refused: bool = False

    def of(self, heard: Heard) -> Change:
        """What it did to one order; nothing for one that it did not touch."""
        return self.by_order.get(heard.order_id) or Change()


@dataclass(slots=True)
class Batch:
    """Everything one settlement works with, read once for all its orders."""

    purses: Purses
    programmes: Programmes
    ascent: Ascent
    priced: dict[int, Snapshot]
    bought: Mapping[int, list[Purchase]]
    buyers: situations.Buyers
    limits: Limits
    redemptions: Mapping[str, Redemption]
    actor_id: int | None
    store_id: int | None
    asked: str
    waiting: set[int] = field(default_factory=set)  # orders of this batch whose turn has not come
    settlement: Settlement = field(default_factory=Settlement)

    def bought_by(self, member_id: int) -> Sequence[Purchase]:
        """What a member has bought by now, in the order of this batch: later orders do not count yet."""
        bought = self.bought.get(member_id, [])
        if self.waiting.isdisjoint(purchase.order_id for purchase in bought):
            return bought
        return [purchase for purchase in bought if purchase.order_id not in self.waiting]


def open_for(moving: Sequence[Heard], priced: dict[int, Snapshot], **how: Any) -> Batch:
    """Lock the wallets of these orders' buyers and read what their points depend on.

    priced: the snapshots of those that were heard before; how: who acts, where, and what was asked.
    """
    programmes = publishing.load_all()
    members = {id_ for order in moving for id_ in (order.member_id, order.member_before) if id_ is not None}
    purses = ledger.lock(
        members,
        first_tier=lambda: programmes.first_tier,
        order_ids=list(priced),
        earning_only=members - {id_ for order in moving for id_ in _who_may_lose(order)},
        paid_by=[cause_of_redemption(order) for order in moving if order.points_spent_cause],
    )
    rules = _rules_running(moving, programmes)
    asked_about = situations.asked_by(rules)
    batch = Batch(
        purses=purses,
        programmes=programmes,
        ascent=Ascent.open(purses, programmes, waiting=[order.order_id for order in moving]),
        priced=priced,
        bought={},
        buyers=situations.load(asked_about, members),
        limits=limits.load(
            rules, [purse.wallet_id for purse in purses.values()], limits.persons(purses.values())
        ),
        redemptions=ledger.redemptions(
            purses,
            {cause_of_redemption(order): order.member_id for order in moving if order.points_spent_cause},
        ),
        **how,
    )
    batch.bought = _purchases(moving, batch, asked_about)
    return batch


def _rules_running(moving: Sequence[Heard], programmes: Programmes) -> list[Rule]:
    """The rules by which some order of the batch may earn: of those that have ended nothing is read."""
    times = [time_of(order) for order in moving]
    first, last = min(times), max(times)
    versions = {version.id: version for version in map(programmes.at, times)}
    return [
        rule
        for version in versions.values()
        for rule in earning.running_between(version.programme, first, last)
    ]


def _purchases(
    moving: Sequence[Heard], batch: Batch, asked_about: frozenset[str]
) -> Mapping[int, list[Purchase]]:
    """The purchases of the members for whom they matter; for most, their sum tells that they do not."""
    since = _since(moving, batch, asked_about)
    if situations.needs_whole_history(asked_about):
        return ascents.purchases(batch.purses, batch.purses, since)
    losing = {id_ for order in moving for id_ in _who_may_lose(order) if id_ is not None}
    # What a person of several members may rise by is not in the sums of one of them.
    losing |= {id_ for id_, purse in batch.purses.items() if purse.kin}
    rest = [id_ for id_ in batch.purses if id_ not in losing]
    climbing = batch.ascent.who_may_move(rest, set(map(time_of, moving)), since=since)
    return ascents.purchases(batch.purses, losing | climbing, since)


def _who_may_lose(order: Heard) -> set[int | None]:
    """The members from whom an order may take points, or to whom it may give points back."""
    only_earns = order.outcome == "new" and order.kept == order.net and not order.points_spent_cause
    return set() if only_earns else {order.member_id, order.member_before}


def _since(moving: Sequence[Heard], batch: Batch, asked_about: frozenset[str]) -> datetime:
    """From when on purchases matter: the windows of this batch's orders and of the tiers to be judged."""
    if situations.needs_whole_history(asked_about):
        return datetime.min.replace(tzinfo=UTC)
    earliest = min([time_of(order) for order in moving] + [batch.purses.now])
    return batch.ascent.since(earliest)


def cause_of_redemption(order: Heard) -> str:
    """The cause of the entry by which an order was paid with points."""
    return f"{order.channel_code}:{order.points_spent_cause}"


def time_of(order: Heard) -> datetime:
    """When the order happened, as far as points go."""
    at = order.paid_at or order.placed_at or order.heard_at
    assert at is not None, "an order that was recorded has the time it was heard"
    return at
