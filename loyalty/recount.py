"""Law 8: a member's tier, made again from what was known at each look, is the tier that is stored.

Every look at a tier is written down with what it was made by (`TierLook`). The recount takes a member from
the first tier through all looks in their order, by the rules the trade goes by too (`loyalty.climbing`),
and compares: tier, validity, and each step with its reason, numbers and version. `audit_ledger` runs it over
everybody, chunk by chunk; it only reads.

A merge and its end are looks of both members: there the one's history joins the other's, or leaves it. So
whoever was ever merged is made again beside all they were merged with, each up to the look of the other.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from loyalty import publishing, unmoved
from loyalty.ascents import Ascent, Kind
from loyalty.climbing import Before, Climber
from loyalty.models import TierBeforeMerge, TierChange, TierEvent, Wallet
from loyalty.publishing import Programmes
from loyalty.purse import Purse
from loyalty.tiers import Ending, Event, Grown, History, Purchase, Step
from members import columns
from members.numbers import number_of

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
    id: int
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
    source_id: int | None
    merge_id: int | None
    recorded_at: datetime


def walk(*, chunk: int = CHUNK) -> Iterator[Difference]:
    """Recount everybody, so many members at a time; nothing comes when all is well."""
    if not publishing.is_published():
        return
    for ids in unmoved.leave_out(publishing.load_all()):
        for start in range(0, len(ids), chunk):
            yield from recount(ids[start : start + chunk])


def recount(wallet_ids: Collection[int]) -> Iterator[Difference]:
    """Recount these wallets, in a fixed number of statements."""
    if not publishing.is_published():
        return
    programmes = publishing.load_all()
    facts = _Facts.read(wallet_ids)
    made = {wallet.pk: _Recount(wallet, programmes, facts) for wallet in facts.wallets}
    for each in made.values():
        each.others = made
    for wallet_id in sorted(wallet_ids):
        if wallet_id in made:
            made[wallet_id].repeat()
            yield from made[wallet_id].differences()


@dataclass(slots=True)
class _Facts:
    """What the looks of a chunk, and of whom they merged with, were made by; and their steps as stored."""

    wallets: Sequence[Wallet]
    looks: Mapping[int, list[_Look]]
    steps: Mapping[int, list[TierChange]]
    events: Mapping[int, TierEvent]
    growth: Mapping[int, int]
    merged: Mapping[int, list[_Look]]  # by merge the looks of both, the survivor's last
    shown: Mapping[int, str]  # the tier that a wallet showed before it was first merged

    @classmethod
    def read(cls, wallet_ids: Collection[int]) -> "_Facts":
        looks, merged = defaultdict[int, list[_Look]](list), defaultdict[int, list[_Look]](list)
        asked: list[int] = []
        wanted = set(wallet_ids)
        while wanted:
            rows = columns.ask(
                f"SELECT {', '.join(_Look._fields)} FROM loyalty_tierlook"
                " WHERE wallet_id = ANY(%s) ORDER BY wallet_id, id",
                [sorted(wanted)],
            )
            for row in rows:
                look = _Look(*row)
                looks[look.wallet_id].append(look)
                if look.kind == Kind.MERGED and look.merge_id is not None:
                    merged[look.merge_id].append(look)
            asked += wanted
            wanted = _merged_with(wanted) - set(asked) if merged else set()
        growth: dict[int, int] = dict(
            columns.ask(
                "SELECT wallet_id, sum(growth)::bigint FROM loyalty_growthentry WHERE wallet_id = ANY(%s)"
                " GROUP BY wallet_id",
                [asked],
            )
        )
        steps: dict[int, list[TierChange]] = defaultdict(list)
        for step in TierChange.objects.filter(wallet__in=asked).order_by("position"):
            steps[step.wallet_id].append(step)
        events = {event.pk: event for event in TierEvent.objects.filter(wallet__in=asked)}
        for both in merged.values():
            both.sort(key=lambda look: look.id)
        aside = TierBeforeMerge.objects.filter(wallet__in=asked if merged else []).order_by("-pk")
        shown = {row.wallet_id: row.shown for row in aside}
        wallets = list(Wallet.objects.filter(pk__in=asked).order_by("pk"))
        return cls(wallets, looks, steps, events, growth, merged, shown)


def _merged_with(wallet_ids: Collection[int]) -> set[int]:
    """The wallets that were ever merged with one of these."""
    rows = columns.ask(
        "SELECT DISTINCT o.id FROM loyalty_wallet w"
        " JOIN members_merge m ON w.member_id IN (m.survivor_id, m.other_id)"
        " JOIN loyalty_wallet o ON o.member_id IN (m.survivor_id, m.other_id) WHERE w.id = ANY(%s)",
        [sorted(wallet_ids)],
    )
    return {row[0] for row in rows}


class _Recount:
    """One wallet, made again."""

    def __init__(self, wallet: Wallet, programmes: Programmes, facts: _Facts) -> None:
        self.wallet = wallet
        self.facts = facts
        self.looks = facts.looks.get(wallet.pk, [])
        self.done = 0  # looks that were repeated
        self.stored = facts.steps.get(wallet.pk, [])
        self.growth_stored = facts.growth.get(wallet.pk, 0)
        self.programmes = programmes
        self.known: dict[int, Programmes] = {}
        self.bought: dict[int, Purchase] = {}
        self.grown: dict[int, Grown] = {}
        self.given: list[Grown] = []
        self.events: list[Event] = []
        self.others: Mapping[int, _Recount] = {wallet.pk: self}
        self.together: list[_Recount] = [self]  # whose history counts here now
        self.before: dict[int, tuple[Before, list[_Recount]]] = {}  # by merge
        first = self.stored[0].before if self.stored else facts.shown.get(wallet.pk, wallet.tier)
        self.lowest = first
        self.purse = Purse(wallet.pk, wallet.member_id, tier=first)
        self.climber = Climber(self.purse, History(), first, None)

    def repeat(self, up_to: int | None = None) -> None:
        """Repeat every look, in the batches in which they were made; `up_to`: those before this one."""
        while self.done < len(self.looks):
            first = self.looks[self.done]
            if up_to is not None and first.id >= up_to:
                return
            looks = [first]
            for look in self.looks[self.done + 1 :]:
                if _batch(look) != _batch(first):
                    break
                looks.append(look)
            self.done += len(looks)
            ascent = Ascent(self._known(looks[-1].programme_id), looks[-1].seen_at, first.recorded_at)
            ascent.climbers[self.wallet.member_id] = self.climber
            if first.kind in (Kind.ORDER, Kind.LEFT):
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
        before: dict[tuple[int, int], Grown | None] = {}
        for look in looks:
            assert look.order_id is not None
            whose = self._whose(look)
            whose.bought.pop(look.order_id, None)
            had = whose.grown.pop(look.order_id, None)
            before[whose.wallet.pk, look.order_id] = before.get((whose.wallet.pk, look.order_id)) or had
        self._know(looks[0])
        for look in looks:
            whose, order_id = self._whose(look), look.order_id or 0
            if look.kept is not None and look.paid_at is not None:
                whose.bought[order_id] = Purchase(look.paid_at, look.kept, order_id)
            had = before[whose.wallet.pk, order_id]
            happened_at = had.happened_at if had else look.paid_at or look.happened_at
            if look.growth or had:
                whose.grown[order_id] = Grown(happened_at, look.growth, order_id)
            self._know(look)
            if look.kind == Kind.LEFT:
                continue
            ascent.count(self.climber, look.happened_at, self.climber.history.bought)
            ascent.move(self.climber, look.happened_at, fell=look.fell)

    def _repeat_one(self, look: _Look, ascent: Ascent) -> None:
        self._know(look)
        if look.kind == Kind.EVENT:
            self.climber.pass_time(ascent.ladder(ascent.now), ascent.now)
            self._repeat_event(look, ascent)
        elif look.kind == Kind.GROWTH:
            given = Grown(look.happened_at, look.growth)
            self._whose(look).given.append(given)
            ascent.grow(self.climber, given)
        elif look.kind == Kind.PROGRAMME:
            ascent.sweep(self.climber)
        elif look.kind == Kind.MERGED:
            self._repeat_merge(look, ascent)
        elif look.kind == Kind.UNMERGED:
            self._repeat_end(look, ascent)

    def _repeat_event(self, look: _Look, ascent: Ascent) -> None:
        ladder, now = ascent.ladder(ascent.now), ascent.now
        event = self.facts.events[look.event_id or 0]
        if event.ends_id is not None:
            ending = Ending(event.pk, event.ends_id, {"event": event.ends_id, **event.why})
            self.climber.end(ladder, ending.ends_id, ending.why, now=now)
            return
        why = event.why | ({"reason": event.reason} if event.reason else {})
        given = Event(event.pk, event.kind, event.tier, event.starts_at, event.ends_at, why)
        self._whose(look).events.append(given)
        self.climber.accept(ladder, given, now=now)

    def _whose(self, look: _Look) -> "_Recount":
        """Whose order, event or growth value was looked at: one's own, or that of another of the person."""
        return self.others[look.source_id] if look.source_id is not None else self

    def _other(self, look: _Look) -> "_Recount | None":
        """The other of a merge, brought up to this look."""
        both = {each.wallet_id for each in self.facts.merged.get(look.merge_id or 0, ())}
        other = next((self.others[each] for each in both if each != self.wallet.pk), None)
        if other is not None:
            other.repeat(up_to=look.id)
        return other

    def _repeat_merge(self, look: _Look, ascent: Ascent) -> None:
        """The first look of the two is who goes on as part of the other; the second is the survivor's."""
        self.climber.pass_time(ascent.ladder(ascent.now), ascent.now)
        self.before[look.merge_id or 0] = self.climber.stands, self.together
        other = self._other(look)
        if other is None or look.id == self.facts.merged[look.merge_id or 0][0].id:
            return
        self.together = [*self.together, *other.together]
        why = {"merge": look.merge_id, "other": number_of(other.wallet.member_id)}
        self.climber.join(ascent.ladder(ascent.now), other.climber, why, now=ascent.now)

    def _repeat_end(self, look: _Look, ascent: Ascent) -> None:
        """Each goes on from how they stood; who was part of the other first hears what came meanwhile."""
        merge_id = look.merge_id or 0
        other = self._other(look)
        if other is None or merge_id not in self.before:
            return
        before, self.together = self.before.pop(merge_id)
        merged = self.facts.merged[merge_id]
        if merged[-1].wallet_id != self.wallet.pk:
            steps = self.climber.steps
            self.climber = Climber(self.purse, History(), before.tier, before.until, before.seen_at, steps)
        self._know(look)
        why = {"merge": merge_id, "other": number_of(other.wallet.member_id)}
        self.climber.resume(
            ascent.ladder(ascent.now),
            before,
            self.climber.history,
            why,
            merged_at=merged[-1].seen_at,
            now=ascent.now,
        )

    def _know(self, look: _Look) -> None:
        """What counts by now: of everybody who is this person at this look."""
        history, mine = self.climber.history, self.together
        bought = [purchase for each in mine for purchase in each.bought.values()]
        history.bought = sorted(bought, key=lambda each: (each.paid_at, each.order_id))
        grown = [given for each in mine for given in [*each.grown.values(), *each.given] if given.growth]
        history.growth = sorted(grown)
        history.joined_at = look.joined_at
        if len(mine) > 1 or self.before or look.kind in (Kind.MERGED, Kind.UNMERGED):
            history.events = sorted((e for each in mine for e in each.events), key=lambda event: event.id)

    # --- comparing ------------------------------------------------------------------------------------

    def differences(self) -> Iterator[Difference]:
        """Whatever is stored otherwise than it was made again."""
        wallet, purse = self.wallet, self.purse
        shown = self._shown_by().purse
        for what, stored, recounted in (
            ("tier", wallet.tier, shown.tier),
            ("tier_since", wallet.tier_since, shown.tier_since),
            ("tier_until", wallet.tier_until, shown.tier_until),
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

    def _shown_by(self) -> "_Recount":
        """Whose tier the wallet shows: that of the survivor, as long as it is merged."""
        person = self.wallet.person_id
        head = next((each for each in self.others.values() if each.wallet.member_id == person), self)
        head.repeat()
        return head


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
