"""Asking milestones of members when no order asks for it: after a change of tier, and every night (B10).

The nightly round asks whoever bought something, changed tier or was merged within the last days, so that
nothing is missed when a run did not come about. Where a milestone asks what time alone changes (days since
joining, a tag, the month of birth), it asks everybody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from loyalty import clock, grants, milestones, publishing, situations, tier_events, tiers
from loyalty.grants import Given
from loyalty.milestones import MOVED_BY_ORDERS, Standing
from loyalty.models import Wallet
from loyalty.publishing import Programmes
from members import survivors
from privacy.models import Approval

CHUNK = 500

_MOVED = """
SELECT member_id FROM (
    SELECT member_id FROM members_order WHERE heard_at >= %(since)s AND member_id IS NOT NULL
     UNION
    SELECT w.member_id FROM loyalty_tierchange c JOIN loyalty_wallet w ON w.id = c.wallet_id
     WHERE c.recorded_at >= %(since)s
     UNION
    SELECT survivor_id FROM members_merge WHERE at >= %(since)s) AS moved
  JOIN members_member m ON m.id = member_id AND m.status IN ('active', 'merged')
ORDER BY member_id
"""
_EVERYBODY = """
SELECT id FROM members_member WHERE status = 'active' ORDER BY id
"""


@dataclass(slots=True)
class Round:
    """What a round did: how many members were asked, and how much was given."""

    members: int = 0
    given: int = 0


def walk() -> Round:
    """Ask the milestones of everybody for whom they may have come true, chunk by chunk."""
    ran, programmes, now = Round(), publishing.load_all(), clock.read()
    terms = programmes.at(now.now).programme.grants
    asked = {name for each in terms.milestones if not each.is_about_orders for name in each.asks}
    if not asked:
        return ran
    query = _MOVED if asked <= MOVED_BY_ORDERS else _EVERYBODY
    since = now.recorded - timedelta(days=terms.catch_up_days)
    for member_ids in _chunks(query, {"since": since}):
        with transaction.atomic():
            given = look(member_ids, programmes=programmes)
        ran.members += len(member_ids)
        ran.given += sum(each.is_new and not each.refusal for each in given)
    return ran


def carry_out_tier(change: Mapping[str, Any], approval: Approval) -> dict[str, Any]:
    """Do what a second person approved of a member's tier, and ask at once what the new tier brings."""
    done = tier_events.carry_out(change, approval)
    look([change["member_id"]])
    return done


def look(member_ids: Sequence[int], *, programmes: Programmes | None = None) -> list[Given]:
    """Ask the milestones of these members now, and give what they reached. In the caller's transaction."""
    programmes, now = programmes or publishing.load_all(), clock.read()
    held = programmes.at(now.now)
    terms = held.programme.grants
    asked = frozenset(name for each in terms.milestones if not each.is_about_orders for name in each.asks)
    if not asked:
        return []
    linked = survivors.linked(member_ids)
    everybody = {id_ for each in linked.values() for id_ in each}
    bought = tiers.purchases(everybody, datetime.min.replace(tzinfo=UTC))
    buyers = situations.load(asked, member_ids)
    standing_in = dict(Wallet.objects.filter(member__in=member_ids).values_list("member_id", "tier"))
    zone = held.programme.time_zone
    wishes = []
    for member_id in member_ids:
        together = sorted(
            (purchase for each in linked[member_id] for purchase in bought.get(each, ())),
            key=lambda purchase: (purchase.paid_at, purchase.order_id),
        )
        tier = standing_in.get(member_id, programmes.first_tier)
        standing = Standing(member_id=member_id, tier=tier, bought=together, buyers=buyers)
        # Yesterday's purchases may be last year's.
        for moment in milestones.moments(
            together, {_year(now.now, terms.catch_up_days, zone)}, now.now, zone
        ):
            wishes += milestones.wishes(standing, moment, programmes, now=now.recorded)
    return grants.give(wishes, now=now.now)


def _year(now: datetime, days: int, zone: ZoneInfo) -> int:
    """The year of the first day that the round catches up with."""
    return (now - timedelta(days=days)).astimezone(zone).year


def _chunks(query: str, asked: Mapping[str, Any]) -> Iterator[list[int]]:
    """Member ids in their order; read once, as finding who moved looks through all orders."""
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        member_ids = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(member_ids), CHUNK):
        yield member_ids[start : start + CHUNK]
