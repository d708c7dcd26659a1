"""What the calendar gives: birthday treats and member days, each once (B11).

The nightly run gives what is due today, and catches up with what a run that did not come about left undone,
for as many days as the programme says (`catch_up_days`, 7 when it says nothing); later than that it is
gone. It may come late, stop half-way or run twice at once: the year, or the day, stands in the name of the
occasion, so each person has it once, also over merged members.

A birthday treat is that of the member's tier, or else the programme's own (`activities.birthday`). It is
given from the first day of what it is `within`: the day itself, the Monday of its week, the first of its
month. Born on 29 February, members have their birthday on the 28th in years without one. Only active members
are given something, and only those who were members on the day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from loyalty import birthday_index, clock, grant_terms, grants, publishing
from loyalty.calendar import end_of, midnight
from loyalty.grant_terms import MemberDay, Treat
from loyalty.grants import Given, Wish, wishes_of
from loyalty.models import Grant
from loyalty.publishing import Held

CHUNK = 500
MEMBER_DAY = "member_day"
LONGEST_MONTH = 31
# How far back a version may matter: the longest catching up that a programme can ask for.
_REACH = timedelta(days=61)

# Whose birthday it is, who is in a tier with this treat, and has not had it under their own number.
_BIRTHDAYS = """
SELECT m.id, coalesce(w.tier, %(first_tier)s) FROM loyalty_birthdayindex b
  JOIN members_member m ON m.id = b.member_id AND m.status = 'active'
  LEFT JOIN loyalty_wallet w ON w.member_id = m.id
 WHERE b.index = ANY(%(indexes)s) AND m.id > %(after)s AND m.joined_at < %(joined_before)s
   AND coalesce(w.tier, %(first_tier)s) = ANY(%(tiers)s)
   AND NOT EXISTS (SELECT FROM loyalty_grant g WHERE g.occasion = concat(%(occasion)s::text, ':', m.id))
 ORDER BY m.id LIMIT %(chunk)s
"""
_EVERYBODY = """
SELECT m.id FROM members_member m
 WHERE m.status = 'active' AND m.id > %(after)s AND m.joined_at < %(joined_before)s
   AND NOT EXISTS (SELECT FROM loyalty_grant g WHERE g.occasion = concat(%(occasion)s::text, ':', m.id))
 ORDER BY m.id LIMIT %(chunk)s
"""


@dataclass(slots=True)
class Calendar:
    """What a run gave, and what it could not give."""

    members: int = 0
    given: int = 0
    refused: int = 0

    def count(self, given: Sequence[Given]) -> None:
        fresh = [each for each in given if each.is_new]
        self.members += len({each.wish.member_id for each in fresh})
        self.given += sum(not each.refusal for each in fresh)
        self.refused += sum(bool(each.refusal) for each in fresh)


def treat_birthdays() -> Calendar:
    """Give every birthday treat that is due, chunk by chunk (B11)."""
    ran, programmes, now = Calendar(), publishing.load_all(), clock.read().now
    held = programmes.at(now)
    terms = held.programme.grants
    if not any(_treats(version) for version in programmes.holding_since(now - _REACH)):
        return ran
    birthday_index.refresh()
    today = now.astimezone(held.programme.time_zone).date()
    for ahead in range(-terms.catch_up_days, LONGEST_MONTH + 1):
        birthday = today + timedelta(days=ahead)
        # What was promised on the day holds, not what is promised since.
        then = programmes.at(min(now, _last_of(birthday, held.programme.time_zone)))
        due = {code: treat for code, treat in _treats(then).items() if treat.begins(birthday) <= today}
        if due:
            _treat(birthday, due, then, min(now, midnight(birthday, held.programme.time_zone)), ran)
    return ran


def _treats(held: Held) -> dict[str, Treat]:
    """The treats that give something, by tier."""
    general = held.programme.grants.birthday
    found = {}
    for tier in held.programme.tiers:
        own = grant_terms.treat(tier.benefits.birthday)
        treat = own if own.prizes else general
        if treat.prizes:
            found[tier.code] = treat
    return found


def _treat(birthday: date, due: Mapping[str, Treat], held: Held, at: datetime, ran: Calendar) -> None:
    occasion = f"birthday:{birthday.year}"
    asked = {
        "indexes": [birthday_index.index_of(day) for day in grant_terms.days_of_the_year(birthday)],
        "tiers": list(due),
        "first_tier": held.programme.tiers[0].code,
        "joined_before": end_of(birthday, held.programme.time_zone),
        "occasion": occasion,
    }
    for rows in _chunks(_BIRTHDAYS, asked):
        wishes = [
            wish
            for member_id, tier in rows
            for wish in wishes_of(
                due[tier].prizes,
                member_id=member_id,
                source=Grant.Source.BIRTHDAY,
                code=tier,
                called=held.programme.tier(tier).name,
                occasion=occasion,
                happened_at=at,
                programme=held,
                # Not the day: what explains a grant is read by more people than may see a birthday.
                why={"tier": tier, "year": birthday.year, "within": due[tier].within},
                per_person=True,
            )
        ]
        _give(wishes, ran)


def hold_member_days() -> Calendar:
    """Give every active member what the member day brings, today's and those that were missed (B11)."""
    ran, programmes, now = Calendar(), publishing.load_all(), clock.read().now
    programme = programmes.at(now).programme
    today = now.astimezone(programme.time_zone).date()
    for ago in range(programme.grants.catch_up_days, -1, -1):
        day = today - timedelta(days=ago)
        then = programmes.at(min(now, _last_of(day, programme.time_zone)))
        terms = then.programme.grants.member_day
        if terms.prizes and terms.holds(day):
            _hold(day, terms, then, ran)
    return ran


def _hold(day: date, terms: MemberDay, held: Held, ran: Calendar) -> None:
    zone, occasion = held.programme.time_zone, f"member_day:{day.isoformat()}"
    for rows in _chunks(_EVERYBODY, {"occasion": occasion, "joined_before": end_of(day, zone)}):
        wishes = [
            wish
            for (member_id,) in rows
            for wish in wishes_of(
                terms.prizes,
                member_id=member_id,
                source=Grant.Source.MEMBER_DAY,
                code=MEMBER_DAY,
                occasion=occasion,
                happened_at=midnight(day, zone),
                programme=held,
                why={"day": day.isoformat()},
                per_person=True,
            )
        ]
        _give(wishes, ran)


def _last_of(day: date, zone: ZoneInfo) -> datetime:
    """The last instant of a local day."""
    return end_of(day, zone) - timedelta(microseconds=1)


@transaction.atomic
def _give(wishes: Sequence[Wish], ran: Calendar) -> None:
    ran.count(grants.give(wishes, now=clock.read().now))


def _chunks(query: str, asked: Mapping[str, Any]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows that are left to do, walked once in the order of members."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, {**asked, "after": after, "chunk": CHUNK})
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][0]
