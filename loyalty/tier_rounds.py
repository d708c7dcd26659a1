"""The rounds of the night over the tiers: whom time, a cut or a new version concerns, and who is warned (B1).

Whom nothing concerns is not looked at. Chunk by chunk, each a transaction of a fixed number of statements;
a round that was cut short goes on where it stopped, and one that is repeated finds nothing to do.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils import timezone

from loyalty import clock, ledger, publishing, tier_events
from loyalty.ascents import Ascent
from loyalty.climbing import Climber
from loyalty.models import ProgrammeSweep, ProgrammeVersion, TierCut, TierEvent, Wallet
from loyalty.publishing import Held, Programmes
from loyalty.purse import Purse
from loyalty.tellings import tier_ends
from loyalty.tier_events import Gift
from loyalty.tier_terms import Qualify, Tier
from members import columns, outbox

CHUNK = 500
T = TypeVar("T")
# The day of a cut is the day of its decision: nobody falls because the night's run comes after midnight.
DECISION = timedelta(days=1)


@dataclass(slots=True)
class Round:
    """What rounds did, in members. `renewed`: kept for another period; `chosen`: by a cut."""

    members: int = 0
    raised: int = 0
    lowered: int = 0
    renewed: int = 0
    chosen: int = 0
    warned: int = 0

    def note(self, ascent: Ascent) -> None:
        """Count whom one chunk moved, and where to."""
        ladder = ascent.ladder(ascent.now)
        self.members += len(ascent.climbers)
        for climber in ascent.climbers.values():
            if not climber.steps:
                continue
            before = ladder.tier(climber.steps[0].before).rank
            after = ladder.tier(climber.steps[-1].after).rank
            self.raised += after > before
            self.lowered += after < before
            self.renewed += after == before


# --- those whose time has come ----------------------------------------------------------------------

_DUE = """
SELECT w.member_id FROM loyalty_wallet w
  LEFT JOIN unnest(%(codes)s::text[], %(graces)s::int[]) AS tier(code, grace) ON tier.code = w.tier
 WHERE w.tier_until <= %(now)s AND w.tier_until + coalesce(tier.grace, 0) * interval '1 day' <= %(now)s
 UNION
SELECT w.member_id FROM loyalty_earnedtier t JOIN loyalty_wallet w ON w.id = t.wallet_id
 WHERE t.next_at <= %(now)s AND (w.person_id IS NULL OR w.person_id = w.member_id)
 ORDER BY member_id
"""


def reassess(done: Round) -> None:
    """Renew or lower tiers whose period and grace have run out, and end what was given until now."""
    held = publishing.current()
    parameters = {
        "now": clock.read().now,
        "codes": [tier.code for tier in held.programme.tiers],
        "graces": [tier.keep.grace_days if tier.keep else 0 for tier in held.programme.tiers],
    }
    for member_ids in _in_chunks(_members(_DUE, parameters)):
        _look(member_ids, done)


@transaction.atomic
def _look(member_ids: Sequence[int], done: Round, *, sweep: ProgrammeSweep | None = None) -> None:
    """Let time pass for members; with a `sweep`, bring them in line with the version that has begun."""
    purses = ledger.lock(member_ids, first_tier=publishing.first_tier)
    ascent, bought = tier_events.open_for(purses, publishing.load_all(), list(purses))
    if sweep is None:
        ascent.close(bought)
    else:
        ascent.adapt(bought)
        sweep.after = member_ids[-1]
        sweep.save(update_fields=["after"])
    tier_events.write(purses, ascent)
    done.note(ascent)


# --- a version that has begun -----------------------------------------------------------------------


def sweep(done: Round, *, everybody: bool = False) -> None:
    """Look at all members once when a version has begun: by its words some rise, or stand nowhere any more.

    Nobody needs to be looked at by the first version. `everybody`: look again, whatever was done before.
    """
    held = publishing.current()
    row, is_new = ProgrammeSweep.objects.get_or_create(programme_id=held.id)
    if is_new and held.number == _first_number():
        row.done_at = timezone.now()
        row.save(update_fields=["done_at"])
    if everybody:
        row.after, row.done_at = 0, None
    if row.done_at is not None:
        return
    while member_ids := _next_members(row.after):
        _look(member_ids, done, sweep=row)
    row.done_at = timezone.now()
    row.save(update_fields=["after", "done_at"])


def _first_number() -> int | None:
    published = ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.PUBLISHED)
    return published.order_by("number").values_list("number", flat=True).first()


def _next_members(after: int) -> list[int]:
    rows = Wallet.objects.filter(member__gt=after).order_by("member")
    return list(rows.values_list("member_id", flat=True)[:CHUNK])


# --- the top of all ---------------------------------------------------------------------------------

# Ranked by spend, then by orders; of equals who joined first is before: their number is the lower.
_TOP = """
WITH bought AS (
    SELECT m.id AS member_id, sum(o.net - o.refunded_goods) AS spend, count(*) AS orders
      FROM members_order o
      LEFT JOIN loyalty_wallet w ON w.member_id = o.member_id
      JOIN members_member m
        ON m.id = coalesce(w.person_id, o.member_id) AND m.status IN ('active', 'restricted')
     WHERE o.paid_at > %(start)s AND o.paid_at < %(end)s AND o.status NOT IN ('placed', 'cancelled')
       AND o.net > o.refunded_goods
     GROUP BY m.id
), ranked AS (
    SELECT *, count(*) OVER () AS buyers,
           row_number() OVER (ORDER BY spend DESC, orders DESC, member_id) AS place
      FROM bought
)
SELECT member_id, spend, orders, buyers FROM ranked
 WHERE place <= greatest(1, floor(buyers * %(percent)s / 100)) ORDER BY place
"""


def cut(done: Round) -> None:
    """Choose who holds the tiers of the top, once at the beginning of each period; and give them to them."""
    held, now = publishing.current(), clock.read().now
    for tier in held.programme.tiers:
        asked = tier.qualify
        if asked is not None and asked.top_percent is not None:
            row = _decided(tier, asked, held, now)
            if row is not None:
                _give(row, tier, asked, done)


def _decided(tier: Tier, asked: Qualify, held: Held, now: datetime) -> TierCut | None:
    """The cut of the period that `now` lies in, decided now when nobody has; None when it is carried out."""
    zone = held.programme.time_zone
    cut_at, next_at = asked.cut_at(now, zone)
    row = TierCut.objects.filter(tier=tier.code, cut_at=cut_at).first()
    if row is None:
        top = _top(asked, held, cut_at)
        row, _is_new = TierCut.objects.get_or_create(
            tier=tier.code,
            cut_at=cut_at,
            defaults={
                "ends_at": next_at + max(DECISION, timedelta(days=tier.keep.grace_days if tier.keep else 0)),
                "buyers": top[0][3] if top else 0,
                "places": len(top),
                "winners": [
                    [member_id, str(spend), orders]
                    for member_id, spend, orders, _buyers in top
                    if _is_enough(asked, spend, orders)
                ],
                "programme_id": held.id,
            },
        )
    return row if row.done_at is None else None


def _top(asked: Qualify, held: Held, cut_at: datetime) -> list[tuple[int, Decimal, int, int]]:
    start = asked.window.start(cut_at, held.programme.time_zone, joined_at=None, end=cut_at)
    with connection.cursor() as cursor:
        cursor.execute(_TOP, {"start": start, "end": cut_at, "percent": asked.top_percent})
        return cursor.fetchall()


def _is_enough(asked: Qualify, spend: Decimal, orders: int) -> bool:
    """Whether the top has bought the least that counts, where a least is said."""
    return (asked.spend is None and asked.orders is None) or asked.reached(spend, orders)


def _give(row: TierCut, tier: Tier, asked: Qualify, done: Round) -> None:
    for chunk in _in_chunks(list(enumerate(row.winners, start=1))):
        gifts = [
            Gift(
                member_id=member_id,
                tier=tier.code,
                cause=f"cut:{row.pk}:{member_id}",
                programme_id=row.programme_id,
                kind=TierEvent.Kind.CUT,
                why={
                    "cut": row.pk,
                    "place": place,
                    "buyers": row.buyers,
                    "percent": str(asked.top_percent),
                    "spend": spend,
                    "orders": orders,
                },
                ends_at=row.ends_at,
            )
            for place, (member_id, spend, orders) in chunk
        ]
        done.chosen += len(tier_events.give(gifts))
    row.done_at = timezone.now()
    row.save(update_fields=["done_at"])


# --- warning before ---------------------------------------------------------------------------------

_ENDING = """
SELECT w.member_id FROM loyalty_wallet w
  JOIN unnest(%(codes)s::text[], %(days)s::int[]) AS tier(code, days) ON tier.code = w.tier
 WHERE w.tier_until > %(now)s AND w.tier_until <= %(now)s + %(longest)s * interval '1 day'
   AND w.tier_until <= %(now)s + tier.days * interval '1 day'
   AND NOT EXISTS (SELECT FROM loyalty_tierwarning n WHERE n.wallet_id = w.id AND n.until = w.tier_until)
   AND (w.person_id IS NULL OR w.person_id = w.member_id)
 ORDER BY w.member_id
"""


def warn(done: Round) -> None:
    """Tell members that their tier will end, so many days before as it says; once a period.

    Who has earned it again already is not told: it is looked ahead with what is known now.
    """
    held = publishing.current()
    days = {tier.code: tier.keep.warn_days for tier in held.programme.tiers if tier.keep}
    parameters = {
        "now": clock.read().now,
        "codes": list(days),
        "days": list(days.values()),
        "longest": max(days.values(), default=0),
    }
    if not parameters["longest"]:
        return
    for member_ids in _in_chunks(_members(_ENDING, parameters)):
        done.warned += _warn(member_ids, publishing.load_all())


@transaction.atomic
def _warn(member_ids: Sequence[int], programmes: Programmes) -> int:
    purses = ledger.peek(member_ids)
    ascent, bought = tier_events.open_for(purses, programmes, list(purses))
    losing = []
    for member_id, climber in ascent.climbers.items():
        climber.history.bought = bought.get(member_id, ())
        if (why := _will_lose(climber, ascent)) is not None:
            losing.append((climber.purse, why))
    return _write_warnings(losing, programmes.at(ascent.now).id)


def _will_lose(climber: Climber, ascent: Ascent) -> dict[str, Any] | None:
    """Whether the tier will be lost at the end of its period if nothing more is bought, and why."""
    purse, ladder = climber.purse, ascent.ladder(ascent.now)
    assert purse.tier_until is not None
    held = ladder.tier(purse.tier)
    ends = purse.tier_until + timedelta(days=held.keep.grace_days if held.keep else 0)
    ahead = Climber(
        replace(purse, lots=[], holds=[], postings=[], kin=[]),
        climber.history,
        climber.tier,
        climber.until,
        climber.seen_at,
    )
    ahead.pass_time(ladder, ends)
    lower = [step for step in ahead.steps if ladder.tier(step.after).rank < held.rank]
    return lower[0].why | {"to": ahead.purse.tier} if lower else None


def _write_warnings(losing: Sequence[tuple[Purse, dict[str, Any]]], programme_id: int) -> int:
    """Write warnings, each once a period, and tell the channels of those that are new."""
    if not losing:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_tierwarning (wallet_id, tier, until, why, programme_id)"
            " SELECT wallet_id, tier, until, why::jsonb, %s"
            " FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[])"
            " AS warning(wallet_id, tier, until, why)"
            " ON CONFLICT DO NOTHING RETURNING wallet_id, id",
            [
                programme_id,
                columns.numbers([purse.wallet_id for purse, _why in losing]),
                columns.texts([purse.tier for purse, _why in losing]),
                columns.times([purse.tier_until for purse, _why in losing]),
                columns.texts([json.dumps(why) for _purse, why in losing]),
            ],
        )
        made = dict(cursor.fetchall())
    purses = [purse for purse, _why in losing if purse.wallet_id in made]
    outbox.put([tier_ends(purse, made[purse.wallet_id]) for purse in purses])
    return len(made)


# --- walking ----------------------------------------------------------------------------------------


def _members(query: str, parameters: Mapping[str, Any]) -> list[int]:
    """The members whom a round concerns: ids only, so that a million of them is nothing."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [row[0] for row in cursor.fetchall()]


def _in_chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
