"""Taking back what was given for an order that came to nothing: cancelled, or refunded in full (B5).

A coupon that was not used is withdrawn, a gift that was not handed over is cancelled, a tier that was given
ends, growth value is reversed, and points are taken back by the ledger: what is left of their own lot first,
then other available points, the rest is debt; what of them had lapsed is gone already and not taken twice.
What was used stays given. A partial refund takes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection

from loyalty import giving, ledger, publishing
from loyalty.ledger import Purses
from loyalty.models import Grant
from loyalty.purse import LotState, Origin


def withdraw(grants: Sequence[Grant], *, now: datetime) -> list[Grant]:
    """Take back what still can be of these grants; answers those that do not stand any more.

    In the caller's transaction; a fixed number of statements. The grants' wallets are locked here.
    """
    if not grants:
        return []
    members = {grant.member_id for grant in grants}
    purses = ledger.lock(members, first_tier=publishing.first_tier)
    by_prize: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        by_prize[grant.prize].append(grant)
    gone = _take_points(by_prize[Grant.Prize.POINTS], purses)
    gone += giving.take_things_back(by_prize, purses, now)
    Grant.objects.filter(pk__in=[grant.pk for grant in gone]).update(state=Grant.State.WITHDRAWN)
    return gone


def given_for(order_ids: Collection[int]) -> list[Grant]:
    """What was given for these orders and stands.

    Milestones and friends aside: those are asked and counted again.
    """
    standing = Grant.objects.filter(order__in=order_ids, state=Grant.State.GIVEN)
    asked_again = (Grant.Source.MILESTONE, Grant.Source.REFERRAL)
    return list(standing.exclude(source__in=asked_again).order_by("id"))


def _take_points(grants: Sequence[Grant], purses: Purses) -> list[Grant]:
    if not grants:
        return []
    lots = _lots_of([grant.entry_id for grant in grants if grant.entry_id is not None])
    for grant in grants:
        purse, points = purses[grant.member_id], int(grant.value)
        lot_id, expired = lots[grant.entry_id or 0]
        own: list[LotState] = [lot for lot in purse.lots if lot.id == lot_id]
        lapsed = min(points, own[0].expired if own else expired)
        if points == lapsed:
            continue
        why = {
            "source": grant.source,
            "code": grant.code,
            **({"called": grant.why["called"]} if "called" in grant.why else {}),
            "version": grant.why.get("version"),
            "undone": True,
            "given": points,
            **({"lapsed": lapsed} if lapsed else {}),
        }
        origin = Origin(
            cause=grant.cause,
            happened_at=purses.now,
            why=why,
            channel_id=grant.channel_id,
            programme_id=grant.programme_id,
        )
        purse.take_back(points - lapsed, origin, own=own, now=purses.now)
    giving.write_points(purses)
    return list(grants)


def _lots_of(entry_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The lot that each earning made, and how much of it has lapsed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.entry_id, l.id, l.expired FROM loyalty_lotmove m JOIN loyalty_lot l ON l.id = m.lot_id"
            " WHERE m.entry_id = ANY(%s) AND m.points > 0",
            [list(entry_ids)],
        )
        return {entry_id: (lot_id, expired) for entry_id, lot_id, expired in cursor.fetchall()}
