"""Law 8: a member's tier, made again from what was known at each look, is the tier that is stored.

Every look at a tier is written down with what it was made by (`TierLook`). The recount takes a member from
the first tier through all looks in their order, by the rules the trade goes by too (`loyalty.climbing`),
and compares: tier, validity, and each step with its reason, numbers and version. `audit_ledger` runs it over
everybody, chunk by chunk; it only reads.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection

from loyalty import publishing
from loyalty.ascents import Ascent, Kind
from loyalty.climbing import Climber
from loyalty.models import TierChange, TierEvent, Wallet
from loyalty.publishing import Programmes
from loyalty.purse import Purse
from loyalty.tiers import Ending, Event, Grown, History, Purchase, Step

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """What is stored and what should be, of one wallet."""

    wallet_id: int
    what: str  # a column of the wallet, `path`, or `growth`
    stored: str
    recounted: str

    def row(self) -> dict[str, Any]:
        """The difference as a row of the audit."""
        return {
            "wallet": self.wallet_id,
            "what": self.what,
            "stored": self.stored,
            "recounted": self.recounted,
        }


class _Look(NamedTuple):
    wallet_id: int
    kind: str
    order_id: int | None
    paid_at: datetime | None
    kept: Decimal | None
    fell: bool
    growth: int
    event_id: int | None
    joined_at: datetime | None
    happened_at: datetime
    seen_at: datetime
    programme_id: int
    recorded_at: datetime


def walk(*, chunk: int = CHUNK) -> Iterator[Difference]:
    """Recount everybody, so many members at a time; nothing comes when all is well."""
    after = 0
    while True:
        ids = list(Wallet.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:chunk])
        if not ids:
            return
        yield from recount(ids)
        after = ids[-1]


def recount(wallet_ids: Collection[int]) -> Iterator[Difference]:
    """Recount these wallets, in a fixed number of statements."""
    if not publishing.is_published():
        return
    programmes = publishing.load_all()
    facts = _Facts.read(wallet_ids)
    for wallet in Wallet.objects.filter(pk__in=wallet_ids).order_by("pk"):
        made = _Recount(wallet, programmes, facts)
        made.repeat()
        yield from made.differences()


@dataclass(slots=True)
class _Facts:
    """What the looks of a chunk were made by, and the steps that were stored."""

    looks: Mapping[int, list[_Look]]
    steps: Mapping[int, list[TierChange]]
    events: Mapping[int, TierEvent]
    growth: Mapping[int, int]

    @classmethod
    def read(cls, wallet_ids: Collection[int]) -> "_Facts":
        looks: dict[int, list[_Look]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(_Look._fields)} FROM loyalty_tierlook"
                " WHERE wallet_id = ANY(%s) ORDER BY wallet_id, id",
                [list(wallet_ids)],
            )
            for row in cursor.fetchall():
                looks[row[0]].append(_Look(*row))
            cursor.execute(
                "SELECT wallet_id, sum(growth) FROM loyalty_growthentry WHERE wallet_id = ANY(%s)"
                " GROUP BY wallet_id",
                [list(wallet_ids)],
            )
            growth = dict(cursor.fetchall())
        steps: dict[int, list[TierChange]] = defaultdict(list)
        for step in TierChange.objects.filter(wallet__in=wallet_ids).order_by("position"):
            steps[step.wallet_id].append(step)
        events = {event.pk: event for event in TierEvent.objects.filter(wallet__in=wallet_ids)}
        return cls(looks, steps, events, growth)


class _Recount:
    """One wallet, made again."""

    def __init__(self, wallet: Wallet, programmes: Programmes, facts: _Facts) -> None:
        self.wallet = wallet
        self.looks = facts.looks.get(wallet.pk, [])
        self.stored = facts.steps.get(wallet.pk, [])
        self.events = facts.events
        self.growth_stored = facts.growth.get(wallet.pk, 0)
        self.programmes = programmes
        self.known: dict[int, Programmes] = {}
        self.bought: dict[int, Purchase] = {}
        self.grown: dict[int, Grown] = {}
        self.given: list[Grown] = []
        first = self.stored[0].before if self.stored else wallet.tier
        self.lowest = first
        self.purse = Purse(wallet.pk, wallet.member_id, tier=first)
        self.climber = Climber(self.purse, History(), first, None)

    def repeat(self) -> None:
        """Repeat every look, in the batches in which they were made."""
        for (recorded_at, is_order), batch in groupby(self.looks, key=_batch):
            looks = list(batch)
            ascent = Ascent(self._known(looks[-1].programme_id), looks[-1].seen_at, recorded_at)
            ascent.climbers[self.wallet.member_id] = self.climber
            if is_order:
                self._repeat_orders(looks, ascent)
            else:
                for look in looks:
                    self._repeat_one(look, ascent)
            self.climber.pass_time(ascent.ladder(ascent.now), ascent.now)

    def _known(self, newest_id: int) -> Programmes:
        if newest_id not in self.known:
            self.known[newest_id] = self.programmes.known_at(newest_id)
        return self.known[newest_id]

    def _repeat_orders(self, looks: Sequence[_Look], ascent: Ascent) -> None:
        # While an order of a batch waits its turn, neither it nor its growth value counts.
        before = {}
        for look in looks:
            assert look.order_id is not None
            self.bought.pop(look.order_id, None)
            before[look.order_id] = self.grown.pop(look.order_id, None)
        self._know(looks[0])
        for look in looks:
            order_id = look.order_id or 0
            if look.kept is not None and look.paid_at is not None:
                self.bought[order_id] = Purchase(look.paid_at, look.kept, order_id)
            had = before[order_id]
            happened_at = had.happened_at if had else look.paid_at or look.happened_at
            if look.growth or had:
                self.grown[order_id] = Grown(happened_at, look.growth, order_id)
            self._know(look)
            if look.kind == Kind.LEFT:
                continue
            ascent.count(self.climber, look.happened_at, self.climber.history.bought)
            ascent.move(self.climber, look.happened_at, fell=look.fell)

    def _repeat_one(self, look: _Look, ascent: Ascent) -> None:
        self._know(look)
        if look.kind == Kind.EVENT:
            self.climber.pass_time(ascent.ladder(ascent.now), ascent.now)
            self._repeat_event(self.events[look.event_id or 0], ascent)
        elif look.kind == Kind.GROWTH:
            given = Grown(look.happened_at, look.growth)
            self.given.append(given)
            ascent.grow(self.climber, given)
        elif look.kind == Kind.PROGRAMME:
            ascent.sweep(self.climber)

    def _repeat_event(self, event: TierEvent, ascent: Ascent) -> None:
        ladder, now = ascent.ladder(ascent.now), ascent.now
        if event.ends_id is not None:
            ending = Ending(event.pk, event.ends_id, {"event": event.ends_id, **event.why})
            self.climber.end(ladder, ending.ends_id, ending.why, now=now)
            return
        why = event.why | ({"reason": event.reason} if event.reason else {})
        given = Event(event.pk, event.kind, event.tier, event.starts_at, event.ends_at, why)
        self.climber.accept(ladder, given, now=now)

    def _know(self, look: _Look) -> None:
        history = self.climber.history
        history.bought = sorted(self.bought.values(), key=lambda each: (each.paid_at, each.order_id))
        history.growth = sorted([*(each for each in self.grown.values() if each.growth), *self.given])
        history.joined_at = look.joined_at

    # --- comparing ------------------------------------------------------------------------------------

    def differences(self) -> Iterator[Difference]:
        """Whatever is stored otherwise than it was made again."""
        wallet, purse = self.wallet, self.purse
        for what, stored, recounted in (
            ("tier", wallet.tier, purse.tier),
            ("tier_since", wallet.tier_since, purse.tier_since),
            ("tier_until", wallet.tier_until, purse.tier_until),
            ("tier_steps", wallet.tier_steps, purse.tier_steps),
            ("growth", self.growth_stored, sum(each.growth for each in [*self.grown.values(), *self.given])),
        ):
            if stored != recounted:
                yield Difference(wallet.pk, what, _text(stored), _text(recounted))
        if self.lowest not in self.programmes.lowest_tiers():
            yield Difference(wallet.pk, "first tier", self.lowest, ", ".join(self.programmes.lowest_tiers()))
        stored_path = [_stored(step) for step in self.stored]
        path = [_taken(step) for step in self.climber.steps]
        for place, (had, should) in enumerate(_side_by_side(stored_path, path), start=1):
            if had != should:
                yield Difference(wallet.pk, f"step {place}", had, should)


def _batch(look: _Look) -> tuple[datetime, bool]:
    return look.recorded_at, look.kind in (Kind.ORDER, Kind.LEFT)


def _text(value: Any) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _side_by_side(stored: Sequence[str], recounted: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place in range(max(len(stored), len(recounted))):
        yield (
            stored[place] if place < len(stored) else "-",
            recounted[place] if place < len(recounted) else "-",
        )


def _stored(step: TierChange) -> str:
    return _written(
        step.before,
        step.after,
        step.reason,
        step.why,
        step.programme_id,
        step.valid_until,
        step.happened_at,
    )


def _taken(step: Step) -> str:
    return _written(
        step.before,
        step.after,
        step.reason,
        step.why,
        step.programme_id,
        step.valid_until,
        step.happened_at,
    )


def _written(
    before: str,
    after: str,
    reason: str,
    why: Mapping[str, Any],
    programme_id: int,
    valid_until: datetime | None,
    happened_at: datetime,
) -> str:
    """A step as one line, with all that is compared."""
    numbers = json.dumps(why, sort_keys=True, ensure_ascii=False)
    times = f"{_text(happened_at)} until {_text(valid_until)}"
    return f"{before} → {after} {reason} {times} v{programme_id} {numbers}"
