"""Tiers: who stands where, and why (B1).

Up at once, when what was bought within the window meets a tier; down only when the tier's validity and
its grace have run out and the window no longer meets it. Purchases count at the time they happened, and
points spent never move a tier (ledger.md, *Tiers*). Pure but for `purchases` and `write`: the rules are
the same for one order, a thousand, and the nightly run.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from loyalty.calendar import months_after, months_before
from loyalty.models import TierChange
from loyalty.programme import Programme, Tier
from loyalty.purse import Purse


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

    @property
    def window_months(self) -> int:
        """The longest window any tier looks back over."""
        return max((tier.qualify.window_months for tier in self.programme.tiers if tier.qualify), default=12)

    def since(self, at: datetime) -> datetime:
        """From when on purchases matter for a judgement at `at`."""
        return months_before(at, self.window_months, self.programme.time_zone)

    def tier(self, code: str) -> Tier:
        """The tier of that code; a code that this version no longer has stands for the lowest tier."""
        return next((tier for tier in self.programme.tiers if tier.code == code), self.programme.tiers[0])

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
        for purchase in bought:
            if not self._could_rise(purse, bought):
                return
            if purchase.paid_at < since or purchase.paid_at > now:
                continue
            tier, standing = self.merited(bought, purchase.paid_at)
            if tier.rank > self.tier(purse.tier).rank:
                self._move(purse, tier, TierChange.Reason.QUALIFIED, standing, purchase.paid_at)

    def _could_rise(self, purse: Purse, bought: Sequence[Purchase]) -> bool:
        """Whether all purchases together, whenever they were, would meet a higher tier: mostly not."""
        kept = [purchase.kept for purchase in bought if purchase.kept > 0]
        spend, orders = sum(kept, Decimal(0)), len(kept)
        rank = self.tier(purse.tier).rank
        return any(
            tier.qualify is not None and tier.qualify.met(spend, orders)
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


def purchases(member_ids: Collection[int], since: datetime) -> Mapping[int, list[Purchase]]:
    """What members bought and kept since an instant, oldest first: paid orders that were not cancelled."""
    bought: dict[int, list[Purchase]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, paid_at, greatest(net - refunded_goods, 0), id FROM members_order"
            " WHERE member_id = ANY(%s) AND paid_at > %s AND status NOT IN ('placed', 'cancelled')"
            " ORDER BY member_id, paid_at, id",
            [list(member_ids), since],
        )
        for member_id, paid_at, kept, order_id in cursor.fetchall():
            bought[member_id].append(Purchase(paid_at, kept, order_id))
    return bought


def whole_history(member_id: int) -> Sequence[Purchase]:
    """Everything one member ever bought and kept, oldest first."""
    return purchases([member_id], datetime.min.replace(tzinfo=UTC)).get(member_id, [])


def write(steps: Iterable[Step]) -> list[TierChange]:
    """Write the steps down, in one statement. The purses' new tiers are written by the ledger."""
    return TierChange.objects.bulk_create(
        TierChange(
            wallet_id=step.wallet_id,
            position=step.position,
            before=step.before,
            after=step.after,
            reason=step.reason,
            why=step.why,
            programme_id=step.programme_id,
            valid_until=step.valid_until,
            happened_at=step.happened_at,
        )
        for step in steps
    )
