"""What the rules may look at when an order is priced: the order, and what is known of its buyer.

The buyer is the person: of members who were merged the tags of all, the profile that stays, and what all of
them bought, for as long as the merge holds (A6).

Only what some rule of the programme asks for is read, once for a whole batch.
"""

import sys
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.calendar import anniversary, midnight
from loyalty.conditions import Line, Situation, checks
from loyalty.programme import Programme, Rule
from loyalty.tiers import Purchase
from members import columns, survivors, tags
from members.facts import LineFact
from members.models import Member
from members.orders import Heard
from members.sealing import sealed_field

# Over a window of their own, which may be longer than that of any tier.
RECENT_FIELDS = frozenset({"member.purchases_90d", "member.average_order_90d"})
RECENT = timedelta(days=90)
_BIRTHDAY = sealed_field(Member, "birthday")
BIRTHDAYS = frozenset({"member.is_birthday", "member.is_birthday_week", "member.birthday_month"})


def fields_asked(programmes: Collection[Programme]) -> frozenset[str]:
    """The names of every field that a rule of these versions asks about."""
    return asked_by(rule for programme in programmes for rule in programme.every_rule)


def asked_by(rules: Iterable[Rule]) -> frozenset[str]:
    """The names of every field that one of these rules asks about."""
    return frozenset(check.field for rule in rules if rule.when for check in checks(rule.when))


def needs_whole_history(asked: frozenset[str]) -> bool:
    """Whether a rule asks about purchases from before any tier's window."""
    return bool(asked & {"order.first", "member.repurchases_year", *RECENT_FIELDS})


@dataclass(slots=True)
class Buyers:
    """What rules may ask about the persons who buy in a batch, by the member who does."""

    tags: Mapping[int, frozenset[str]] = field(default_factory=dict)
    birthdays: Mapping[int, date | None] = field(default_factory=dict)
    joined: Mapping[int, datetime] = field(default_factory=dict)


def load(asked: frozenset[str], member_ids: Collection[int]) -> Buyers:
    """Read what the rules ask for: nothing at all when they ask only about orders and tiers."""
    buyers = Buyers()
    if "member.tags" in asked:
        buyers.tags = tags.of_persons(member_ids)
    if asked & (BIRTHDAYS | {"member.joined_days"}):
        profiles = _profiles(member_ids)
        buyers.joined = {id_: profile.joined_at for id_, profile in profiles.items()}
        if asked & BIRTHDAYS:
            told = {id_: profile for id_, profile in profiles.items() if profile.birthday is not None}
            days = _BIRTHDAY.unseal_values(
                [profile.birthday for profile in told.values() if profile.birthday],
                [profile.seal.bytes for profile in told.values()],
            )
            buyers.birthdays = dict(zip(told, days, strict=True))
    return buyers


class _Profile(NamedTuple):
    """What rules ask of a profile, as its row has it."""

    joined_at: datetime
    seal: UUID
    birthday: bytes | None  # sealed


def _profiles(member_ids: Collection[int]) -> Mapping[int, _Profile]:
    """The profile of each member: their own, or that of whom they were merged into."""
    rows = columns.ask(
        "SELECT id, merged_into_id, joined_at, seal, birthday FROM members_member"
        f" WHERE id IN ({survivors.UP})",
        [columns.numbers(sorted(set(member_ids)))],
    )
    into = {id_: merged_into for id_, merged_into, *_profile in rows}
    profiles = {id_: _Profile(*profile) for id_, _merged_into, *profile in rows}
    return {id_: profiles[survivors.head_of(id_, into)] for id_ in member_ids if id_ in profiles}


class Basket(NamedTuple):
    """An order that is not one yet: what a quote may know of it."""

    member_id: int
    channel_code: str
    store_code: str
    net: Decimal
    lines: tuple[LineFact, ...] = ()
    order_id: int = sys.maxsize  # it would come after every order there is


def of(
    heard: Heard | Basket,
    *,
    at: datetime,
    tier: str,
    buyers: Buyers,
    bought: Sequence[Purchase],
    zone: ZoneInfo,
) -> Situation:
    """The situation of one order of one member, as of the instant it was paid.

    `bought` may be left empty where no rule asks about purchases (`needs_whole_history`).
    """
    assert heard.member_id is not None
    day = at.astimezone(zone).date()
    birthday = buyers.birthdays.get(heard.member_id)
    joined = buyers.joined.get(heard.member_id)
    earlier = bought[: bisect_left(bought, (at, Decimal(0), heard.order_id), key=_place)]
    purchases_90d, average_order_90d = recent(earlier, at)
    return Situation(
        order_channel=heard.channel_code,
        order_store=heard.store_code or None,
        order_paid=heard.net,
        order_time=at,
        order_first=not any(purchase.kept > 0 for purchase in earlier),
        lines=tuple(_line(line) for line in heard.lines),
        member_tier=tier,
        member_tags=buyers.tags.get(heard.member_id, frozenset()),
        member_is_birthday=is_birthday(birthday, day),
        member_is_birthday_week=is_birthday_week(birthday, day),
        member_birthday_month=birthday.month if birthday else None,
        member_joined_days=(day - joined.astimezone(zone).date()).days if joined else None,
        member_purchases_90d=purchases_90d,
        member_average_order_90d=average_order_90d,
        member_repurchases_year=_repurchases(earlier, day.year, zone) if earlier else 0,
    )


def recent(bought: Sequence[Purchase], at: datetime) -> tuple[int, Decimal | None]:
    """Purchases of the 90 days up to an instant of which something was kept, and their average.

    The average is in yuan, to the cent, of what was kept; None when there was no purchase.
    """
    if not bought:
        return 0, None
    latest = takewhile(lambda each: each.paid_at > at - RECENT, reversed(bought))
    kept = [each.kept for each in latest if each.kept > 0 and each.paid_at <= at]
    if not kept:
        return 0, None
    return len(kept), (sum(kept, Decimal(0)) / len(kept)).quantize(Decimal("0.01"))


def is_birthday(birthday: date | None, day: date) -> bool:
    """Whether a day is somebody's birthday; born on 29 February, they have it on the 28th in between."""
    return birthday is not None and anniversary(birthday, day.year) == day


def is_birthday_week(birthday: date | None, day: date) -> bool:
    """Whether a day lies in the week, Monday to Sunday, of somebody's birthday."""
    if birthday is None:
        return False
    monday = day - timedelta(days=day.weekday())
    sunday = monday + timedelta(days=6)
    # At the turn of the year the week may be that of a birthday in either year.
    return any(monday <= anniversary(birthday, year) <= sunday for year in {monday.year, sunday.year})


def _repurchases(earlier: Sequence[Purchase], year: int, zone: ZoneInfo) -> int:
    """How many of the purchases in a year came after the member's first."""
    before = bisect_left(earlier, midnight(date(year, 1, 1), zone), key=attrgetter("paid_at"))
    return len(earlier) - max(before, 1)


def _place(purchase: Purchase) -> tuple[datetime, Decimal, int]:
    return purchase.paid_at, Decimal(0), purchase.order_id


def _line(line: LineFact) -> Line:
    amount = line.amount
    if amount is None:
        amount = (line.price or Decimal(0)) * line.quantity - line.discount
    return Line(category=line.category, product=line.product, amount=max(Decimal(0), amount))
