"""A book of events of many months, written by the server itself; measured is what is done with it later."""

import secrets
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from benchmarks import people
from benchmarks.bench import Bench
from members import accounts, channels, event_rows, events
from members.event_rows import Stranger
from members.models import Channel, Member

FULL = 50_000_000  # events at scale 1
VISITORS, WATCHED = 60_000, 100
AT_ONCE = 500_000
INDEX_BYTES = 32

# Keys come in order, as a month's own index is filled; visitors and times in none.
_MONTH = """
WITH told AS (
    SELECT gen_random_uuid() AS key, n,
           %(begins)s::timestamptz + random() * (%(ends)s::timestamptz - %(begins)s::timestamptz) AS at,
           %(visitor)s::bigint + floor(random() * %(visitors)s)::bigint AS visitor_id
      FROM generate_series(1, %(count)s) AS n
), keys AS (
    INSERT INTO members_eventkey (key, month) SELECT key, %(month)s FROM told ORDER BY key
)
INSERT INTO members_event
       (at, visitor_id, kind, session, path, entrance, keyword, product, category, duration)
SELECT at, visitor_id, (ARRAY['view', 'click', 'dwell', 'search', 'cart_add'])[1 + n %% 5],
       'session-' || n / 10, '/tea/' || n %% 500, 'search', CASE WHEN n %% 5 = 0 THEN '龙井' ELSE '' END,
       'TEA-' || n %% 500, '茶叶', n %% 120
  FROM told
"""


def write(bench: Bench, now: datetime) -> list[Member]:
    """Fill every month that is kept; answers members some of the events are of."""
    channel = channels.get("tmall")
    watched = _members(channel, now)
    visitors = _visitors(channel, watched, min(VISITORS, bench.members))
    months = list(_months(now))
    event_rows.make_months(months)
    for month in months:
        left = max(1, bench.rows(FULL) // len(months))
        while left:
            count = min(left, AT_ONCE)
            _fill(month, min(_next(month), now.date()), visitors, count)
            left -= count
    return watched


def _months(now: datetime) -> Iterator[date]:
    """Those that are kept and over."""
    month = events.first_kept(now)
    while month < events.month_of(now):
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _members(channel: Channel, now: datetime) -> list[Member]:
    told = [people.customer(number) for number in range(1, WATCHED + 1)]
    receipts = accounts.receive(channel, told, now=now)
    return list(Member.objects.filter(pk__in=[receipt.member_id for receipt in receipts]))


def _visitors(channel: Channel, watched: Sequence[Member], count: int) -> range:
    """Their ids, which follow one another: they are added in one statement."""
    members = [*(member.pk for member in watched), *[None] * count][:count]
    strangers = [Stranger(secrets.token_bytes(INDEX_BYTES), id_) for id_ in members]
    strangers.sort(key=lambda stranger: stranger.blind)
    ids = event_rows.add_visitors(channel, strangers).values()
    return range(min(ids), max(ids) + 1)


def _fill(month: date, until: date, visitors: range, count: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _MONTH,
            {
                "begins": f"{month}T00:00:00+08:00",
                "ends": f"{until}T00:00:00+08:00",
                "month": month,
                "visitor": visitors.start,
                "visitors": len(visitors),
                "count": count,
            },
        )
