"""Tiers: who stands where, and why (B1).

Up at once, when what was bought within the window meets a tier; down only when the tier's validity and
its grace have run out and the window no longer meets it. Purchases count at the time they happened, and
points spent never move a tier (ledger.md, *Tiers*). Pure but for `purchases` and `write`: the rules are
the same for one order, a thousand, and the nightly run.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from loyalty.calendar import months_after, months_before
from loyalty.models import TierChange
from loyalty.programme import Programme, Tier
from loyalty.purse import Purse
from members import columns


class Purchase(NamedTuple):
    """One order that counts: when it was paid, and how much of its net (yuan) was kept."""

    paid_at: datetime
    kept: Decimal
    order_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on a member's path, not yet written down."""

    wallet_id: int
    member_id: int
    position: int
    before: str
    after: str
    reason: str
    why: dict[str, Any]
    programme_id: int
    valid_until: datetime | None
    happened_at: datetime


@dataclass(slots=True)
class Standing:
    """What a window holds: yuan spent and orders kept."""

    spend: Decimal
    orders: int


@dataclass(slots=True)
class Ladder:
    """The tiers of one programme version, applied to purses; collects the steps they take."""

    programme: Programme
    programme_id: int
    steps: list[Step] = field(default_factory=list)
    by_code: dict[str, Tier] = field(init=False)

    def __post_init__(self) -> None:
        self.by_code = {tier.code: tier for tier in self.programme.tiers}

    @property
    def window_months(self) -> int:
        """The longest window any tier looks back over."""
        return max((tier.qualify.window_months for tier in self.programme.tiers if tier.qualify), default=12)

    def since(self, at: datetime) -> datetime:
        """From when on purchases matter for a judgement at `at`."""
        return months_before(at, self.window_months, self.programme.time_zone)

    def tier(self, code: str) -> Tier:
        """The tier of that code; a code that this version no longer has stands for the lowest tier."""
        return self.by_code.get(code, self.programme.tiers[0])

    def merited(self, bought: Sequence[Purchase], at: datetime) -> tuple[Tier, Standing]:
        """The highest tier that the window ending at `at` meets, with the figures that met it."""
        for tier in reversed(self.programme.tiers):
            if tier.qualify is None:
                break
            standing = self.standing(bought, at, tier.qualify.window_months)
            if tier.qualify.met(standing.spend, standing.orders):
                return tier, standing
        lowest = self.programme.tiers[0]
        return lowest, self.standing(bought, at, self.window_months)

    def standing(self, bought: Sequence[Purchase], at: datetime, months: int) -> Standing:
        """Spend and orders within the `months` that end at `at`; `bought` is sorted by time."""
        start = months_before(at, months, self.programme.time_zone)
        spend, orders = Decimal(0), 0
        for purchase in bought[: bisect_right(bought, at, key=lambda purchase: purchase.paid_at)]:
            if purchase.paid_at > start and purchase.kept > 0:
                spend += purchase.kept
                orders += 1
        return Standing(spend, orders)

    # --- up -----------------------------------------------------------------------------------------

    def promote(self, purse: Purse, bought: Sequence[Purchase], *, since: datetime, now: datetime) -> None:
        """Raise a purse's tier when a purchase at or after `since` completes the qualification.

        An order heard late may complete a window that ended at a later purchase, so each is looked at.
        """
        kept = [purchase.kept for purchase in bought if purchase.kept > 0]
        everything = Standing(sum(kept, Decimal(0)), len(kept))
        for purchase in bought:
            if not self._could_rise(purse, everything):
                return
            if purchase.paid_at < since or purchase.paid_at > now:
                continue
            tier, standing = self.merited(bought, purchase.paid_at)
            if tier.rank > self.tier(purse.tier).rank:
                self._move(purse, tier, TierChange.Reason.QUALIFIED, standing, purchase.paid_at)

    def may_move(self, purse: Purse, everything: Standing, *, now: datetime) -> bool:
        """Whether purchases matter for a purse's tier until `now`, of which `everything` is the sum.

        A tier whose time runs out is judged; one that all purchases together could not raise stays.
        """
        is_judged = purse.tier_until is not None and purse.tier_until <= now
        return is_judged or self._could_rise(purse, everything)

    def _could_rise(self, purse: Purse, everything: Standing) -> bool:
        """Whether all purchases together, whenever they were, would meet a higher tier: mostly not."""
        rank = self.tier(purse.tier).rank
        return any(
            tier.qualify is not None and tier.qualify.met(everything.spend, everything.orders)
            for tier in self.programme.tiers[rank + 1 :]
        )

    # --- down ---------------------------------------------------------------------------------------

    def lapse(self, purse: Purse, bought: Sequence[Purchase], *, now: datetime) -> None:
        """Renew or lower a tier whose validity and grace have run out by `now`, as often as they did."""
        while purse.tier_until is not None:
            tier = self.tier(purse.tier)
            if tier.keep is None:
                purse.tier_until, purse.tier_touched = None, True
                return
            judged_at = purse.tier_until + timedelta(days=tier.keep.grace_days)
            if judged_at > now:
                return
            merited, standing = self.merited(bought, judged_at)
            if merited.rank >= tier.rank:
                purse.tier_until = months_after(purse.tier_until, tier.keep.months, self.programme.time_zone)
                purse.tier_touched = True
                continue
            lower = self._below(tier) if tier.keep.down == "one" else merited
            if lower.rank < merited.rank:
                lower = merited
            self._move(purse, lower, TierChange.Reason.LAPSED, standing, judged_at)

    def undo(self, purse: Purse, bought: Sequence[Purchase], *, now: datetime) -> None:
        """After a refund, when the tier's policy is to reassess: at once, to fit, without grace."""
        tier = self.tier(purse.tier)
        if tier.keep is None or tier.keep.on_refund != "reassess":
            return
        merited, standing = self.merited(bought, now)
        if merited.rank < tier.rank:
            self._move(purse, merited, TierChange.Reason.REFUND, standing, now)

    def _below(self, tier: Tier) -> Tier:
        return self.programme.tiers[max(0, tier.rank - 1)]

    def _move(self, purse: Purse, tier: Tier, reason: str, standing: Standing, at: datetime) -> None:
        before = purse.tier
        purse.tier, purse.tier_since, purse.tier_touched = tier.code, at, True
        purse.tier_until = months_after(at, tier.keep.months, self.programme.time_zone) if tier.keep else None
        purse.tier_steps += 1
        self.steps.append(
            Step(
                wallet_id=purse.wallet_id,
                member_id=purse.member_id,
                position=purse.tier_steps,
                before=before,
                after=tier.code,
                reason=reason,
                why={"spend": str(standing.spend), "orders": standing.orders, "needs": _needs(tier)},
                programme_id=self.programme_id,
                valid_until=purse.tier_until,
                happened_at=at,
            )
        )

    def missing(self, purse_tier: str, bought: Sequence[Purchase], now: datetime) -> dict[str, Any] | None:
        """What is missing for the next tier that can be bought: code, yuan and orders; None at the top."""
        rank = self.tier(purse_tier).rank
        for tier in self.programme.tiers[rank + 1 :]:
            qualify = tier.qualify
            if qualify is None or (qualify.spend is None and qualify.orders is None):
                continue
            standing = self.standing(bought, now, qualify.window_months)
            return {
                "tier": tier.code,
                "spend": max(Decimal(0), (qualify.spend or Decimal(0)) - standing.spend),
                "orders": max(0, (qualify.orders or 0) - standing.orders),
                "mode": qualify.mode,
            }
        return None


def _needs(tier: Tier) -> dict[str, Any]:
    if tier.qualify is None:
        return {}
    needs: dict[str, Any] = {"months": tier.qualify.window_months, "mode": tier.qualify.mode}
    if tier.qualify.spend is not None:
        needs["spend"] = str(tier.qualify.spend)
    if tier.qualify.orders is not None:
        needs["orders"] = tier.qualify.orders
    return needs


# --- reading and writing ----------------------------------------------------------------------------

# Of whom, and since when, are the two parameters.
_BOUGHT = (
    "FROM members_order WHERE member_id = ANY(%s::bigint[]) AND paid_at > %s"
    " AND status NOT IN ('placed', 'cancelled')"
)


def purchases(member_ids: Collection[int], since: datetime) -> Mapping[int, list[Purchase]]:
    """What members bought and kept since an instant, oldest first: paid orders that were not cancelled."""
    bought: dict[int, list[Purchase]] = defaultdict(list)
    if not member_ids:
        return bought
    rows = columns.ask(
        f"SELECT member_id, paid_at, greatest(net - refunded_goods, 0), id {_BOUGHT}"
        " ORDER BY member_id, paid_at, id",
        [columns.numbers(member_ids), since],
    )
    for member_id, paid_at, kept, order_id in rows:
        bought[member_id].append(Purchase(paid_at, kept, order_id))
    return bought


def totals(member_ids: Collection[int], since: datetime) -> Mapping[int, Standing]:
    """The sums of what `purchases` would return: for most members they tell that nothing moves.

    Who has bought for years has as many orders as a batch; adding them up here would read them all.
    """
    if not member_ids:
        return {}
    rows = columns.ask(
        f"SELECT member_id, sum(net - refunded_goods), count(*) {_BOUGHT}"
        " AND net > refunded_goods GROUP BY member_id",
        [columns.numbers(member_ids), since],
    )
    return {member_id: Standing(spend, orders) for member_id, spend, orders in rows}


def who_may_move(
    purses: Sequence[Purse], ladders: Collection[Ladder], *, since: datetime, now: datetime
) -> set[int]:
    """The members whose tier some purchase since an instant may change: only theirs need be looked at."""
    everything = totals([purse.member_id for purse in purses], since)
    nothing = Standing(Decimal(0), 0)
    return {
        purse.member_id
        for purse in purses
        if any(
            ladder.may_move(purse, everything.get(purse.member_id, nothing), now=now) for ladder in ladders
        )
    }


def whole_history(member_id: int) -> Sequence[Purchase]:
    """Everything one member ever bought and kept, oldest first."""
    return purchases([member_id], datetime.min.replace(tzinfo=UTC)).get(member_id, [])


def write(steps: Sequence[Step]) -> None:
    """Write the steps down, in one statement. The purses' new tiers are written by the ledger."""
    if not steps:
        return
    columns.tell(
        """
        INSERT INTO loyalty_tierchange
               (wallet_id, position, before, after, reason, why, programme_id, valid_until, happened_at)
        SELECT wallet_id, position, before, after, reason, why::jsonb, programme_id, valid_until, happened_at
          FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[],
                      %s::bigint[], %s::timestamptz[], %s::timestamptz[])
               AS step(wallet_id, position, before, after, reason, why, programme_id, valid_until,
                       happened_at)
        """,
        [
            columns.numbers([step.wallet_id for step in steps]),
            columns.numbers([step.position for step in steps]),
            columns.texts([step.before for step in steps]),
            columns.texts([step.after for step in steps]),
            columns.texts([str(step.reason) for step in steps]),
            columns.texts([columns.document(step.why) for step in steps]),
            columns.numbers([step.programme_id for step in steps]),
            columns.times([step.valid_until for step in steps]),
            columns.times([step.happened_at for step in steps]),
        ],
    )
