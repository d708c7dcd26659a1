"""Milestones: what a member has come to, and is given for once in each period (B10).

A milestone is a condition over a member's facts. It is asked after each order that was settled and each
change of tier, and nightly of whomever something happened to; asked late or twice it is given once, because
the period stands in the name of its occasion. `once_per`: ever, year, month (of the local day it is reached
on), or order.

Repurchases are counted by calendar year, after the person's first purchase of all, in every channel and over
merged members. Such a count is taken at the end of its year, or now: an order told late counts in the year in
which it was paid. `consecutive: true` counts instead the months in a row, up to now, that had one.

A milestone reached longer ago than `late_days` is kept as not given: it is used up, and nothing is sent.
Reached once it stays, unless the order that completed it is cancelled or refunded in full.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from loyalty import conditions, situations
from loyalty.calendar import end_of
from loyalty.conditions import Situation
from loyalty.grant_terms import Milestone
from loyalty.grants import Wish, wishes_of
from loyalty.models import Grant
from loyalty.publishing import Held, Programmes
from loyalty.situations import Buyers
from loyalty.tiers import Purchase

REPURCHASES = "member.repurchases_year"
# Facts that change by what members do; a milestone that asks others must be asked of everybody each night.
MOVED_BY_ORDERS = frozenset({REPURCHASES, "member.tier"})


class Moment(NamedTuple):
    """When milestones are asked, and by which order they are reached; a past year knows only purchases."""

    at: datetime
    order_id: int | None = None
    is_past: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one member: their tier, and what they and whoever is merged with them bought."""

    member_id: int
    tier: str
    bought: Sequence[Purchase]
    buyers: Buyers


def wishes(
    standing: Standing,
    moment: Moment,
    programmes: Programmes,
    *,
    now: datetime,
    channel_id: int | None = None,
) -> list[Wish]:
    """What a member has reached at a moment, by the milestones that ask of the member alone."""
    held = programmes.at(moment.at)
    found: list[Wish] = []
    for milestone in asked_at(moment, held):
        facts = situation(standing, moment.at, held.programme.time_zone, consecutive=milestone.consecutive)
        found += _reached(
            milestone, facts, held, moment, now=now, member_id=standing.member_id, channel_id=channel_id
        )
    return found


def asked_at(moment: Moment, held: Held) -> list[Milestone]:
    """The milestones asked of a member alone at a moment; of a past year only purchases are known."""
    return [
        milestone
        for milestone in held.programme.grants.milestones
        if not milestone.is_about_orders and not (moment.is_past and milestone.asks != {REPURCHASES})
    ]


def wishes_of_order(
    facts: Situation,
    *,
    member_id: int,
    held: Held,
    moment: Moment,
    now: datetime,
    channel_id: int | None = None,
) -> list[Wish]:
    """What one order reaches, by the milestones that ask about orders."""
    terms = held.programme.grants
    return [
        wish
        for milestone in terms.milestones
        if milestone.is_about_orders
        for wish in _reached(
            milestone, facts, held, moment, now=now, member_id=member_id, channel_id=channel_id
        )
    ]


def _reached(
    milestone: Milestone,
    facts: Situation,
    held: Held,
    moment: Moment,
    *,
    now: datetime,
    member_id: int,
    channel_id: int | None,
) -> list[Wish]:
    zone = held.programme.time_zone
    if not conditions.compile(milestone.when, zone).holds(facts):
        return []
    is_late = now - moment.at > timedelta(days=held.programme.grants.late_days)
    per_order = milestone.once_per == "order"
    return wishes_of(
        milestone.prizes,
        member_id=member_id,
        source=Grant.Source.MILESTONE,
        code=milestone.code,
        called=milestone.name,
        occasion=occasion(milestone, moment, zone),
        happened_at=moment.at,
        programme=held,
        why={
            "when": milestone.document,
            "facts": facts_in_text(milestone.asks, facts),
            "period": period(milestone, moment, zone),
            **({"consecutive": True} if milestone.consecutive else {}),
        },
        per_person=not per_order,
        channel_id=channel_id,
        order_id=moment.order_id,
        refused="too_late" if is_late else "",
    )


def occasion(milestone: Milestone, moment: Moment, zone: ZoneInfo) -> str:
    """What a milestone of one period is called, before it is any member's."""
    return f"milestone:{milestone.code}:{period(milestone, moment, zone)}"


def period(milestone: Milestone, moment: Moment, zone: ZoneInfo) -> str:
    """The period in which a milestone is given once: `ever`, `2026`, `2026-11`, `order-17`."""
    day = moment.at.astimezone(zone).date()
    if milestone.once_per == "year":
        return str(day.year)
    if milestone.once_per == "month":
        return f"{day:%Y-%m}"
    return f"order-{moment.order_id}" if milestone.once_per == "order" else "ever"


# --- facts -------------------------------------------------------------------------------------------


def situation(standing: Standing, at: datetime, zone: ZoneInfo, *, consecutive: bool = False) -> Situation:
    """What a milestone may ask of a member at an instant, everything that happened until then counted."""
    day = at.astimezone(zone).date()
    birthday = standing.buyers.birthdays.get(standing.member_id)
    joined = standing.buyers.joined.get(standing.member_id)
    count = months_in_a_row if consecutive else repurchases
    purchases_90d, average_order_90d = situations.recent(standing.bought, at)
    return Situation(
        order_channel="",
        order_store=None,
        order_paid=Decimal(0),
        order_time=at,
        order_first=False,
        member_tier=standing.tier,
        member_tags=standing.buyers.tags.get(standing.member_id, frozenset()),
        member_birthday_month=birthday.month if birthday else None,
        member_is_birthday=situations.is_birthday(birthday, day),
        member_is_birthday_week=situations.is_birthday_week(birthday, day),
        member_joined_days=(day - joined.astimezone(zone).date()).days if joined else None,
        member_purchases_90d=purchases_90d,
        member_average_order_90d=average_order_90d,
        member_repurchases_year=count(standing.bought, at, zone),
    )


def repurchases(bought: Sequence[Purchase], at: datetime, zone: ZoneInfo) -> int:
    """The purchases of the local calendar year up to an instant, without the person's first of all."""
    year = at.astimezone(zone).year
    return sum(
        1 for purchase in _after_the_first(bought, at) if purchase.paid_at.astimezone(zone).year == year
    )


def months_in_a_row(bought: Sequence[Purchase], at: datetime, zone: ZoneInfo) -> int:
    """How many calendar months in a row, the month of the instant the last, had a repurchase each."""
    had = {_month(purchase.paid_at.astimezone(zone).date()) for purchase in _after_the_first(bought, at)}
    month, count = _month(at.astimezone(zone).date()), 0
    while month - count in had:
        count += 1
    return count


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _after_the_first(bought: Sequence[Purchase], at: datetime) -> list[Purchase]:
    kept = [purchase for purchase in bought if purchase.kept > 0 and purchase.paid_at <= at]
    return kept[1:]


def facts_in_text(asked: Collection[str], facts: Situation) -> dict[str, str]:
    """What was the case, for whoever asks why: each field that was asked about, as text."""
    found = {}
    for name in sorted(asked):
        value: Any = getattr(facts, name.replace(".", "_"), None)
        if value is not None:
            found[name] = ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
    return found


# --- moments -----------------------------------------------------------------------------------------


def moments(
    bought: Sequence[Purchase], years: Collection[int], now: datetime, zone: ZoneInfo
) -> list[Moment]:
    """When to ask: now, and for each past year in which something happened at its end.

    Each names the last purchase of its year that is kept: undoing it may undo what it completed.
    """
    last: dict[int, int] = {}
    for purchase in bought:
        if purchase.kept > 0:
            last[purchase.paid_at.astimezone(zone).year] = purchase.order_id
    this_year = now.astimezone(zone).year
    found = [Moment(now, last.get(this_year))]
    for year in sorted(year for year in years if year < this_year):
        end = end_of(date(year, 12, 31), zone) - timedelta(seconds=1)
        found.append(Moment(end, last.get(year), is_past=True))
    return found
