"""A member's visits: what they did in one channel on one day in one session, counted (A10, A12).

Browsing is many small things; one by one they would drown everything else. The latest days with events are
found one after the other by the index of visitors, however far apart they lie, until there are enough visits,
and only these days are counted: one statement, whose cost is that of a page and not of a life.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from members import columns
from members.cleaning import SHANGHAI
from members.models import Member

DAY = timedelta(days=1)
MOST_PRODUCTS = 3
FAR_AHEAD = timedelta(days=2)  # events may be told a little ahead of time

# Who is meant: visitors by the index of the member's accounts, and those told by their member number.
VISITORS_OF = """
    SELECT visitor.id, visitor.channel_id
      FROM members_account AS account
      JOIN members_visitor AS visitor
        ON visitor.channel_id = account.channel_id AND visitor.index = account.external_index
     WHERE account.member_id IN (SELECT members_same_person(%(member)s))
     UNION
    SELECT visitor.id, visitor.channel_id
      FROM members_visitor AS visitor
     WHERE visitor.member_id IN (SELECT members_same_person(%(member)s))
"""

# The latest day with events before an instant, and how many visits it has.
_LATEST = """
    SELECT found.begins, (
           SELECT count(DISTINCT (visitor.channel_id, event.session))
             FROM visitor JOIN members_event AS event ON event.visitor_id = visitor.id
            WHERE event.at >= found.begins AND event.at < found.begins + interval '24 hours'
           ) AS visits
      FROM (
           SELECT date_trunc('day', last.at, 'Asia/Shanghai') AS begins
             FROM visitor
            CROSS JOIN LATERAL (
                  SELECT at FROM members_event
                   WHERE visitor_id = visitor.id AND at < {until}
                   ORDER BY at DESC LIMIT 1
            ) AS last
            ORDER BY last.at DESC
            LIMIT 1
           ) AS found
"""

# Of a day in which the page before has ended, some visits may be told already: it counts for none.
VISITS = f"""
WITH RECURSIVE visitor AS MATERIALIZED ({VISITORS_OF}),
day(begins, visits) AS (
    SELECT latest.begins, CASE WHEN latest.begins < %(from)s THEN latest.visits ELSE 0 END
      FROM ({_LATEST.format(until="%(until)s")}) AS latest
     UNION ALL
    SELECT earlier.begins, day.visits + earlier.visits
      FROM day CROSS JOIN LATERAL ({_LATEST.format(until="day.begins")}) AS earlier
     WHERE day.visits < %(enough)s
)
SELECT visitor.channel_id, channel.name, date_trunc('day', event.at, 'Asia/Shanghai') AS begins,
       event.session, event.kind, count(*), min(event.at), max(event.at), max(event.id),
       coalesce(sum(event.duration), 0), min(nullif(event.entrance, '')),
       (array_agg(DISTINCT event.product) FILTER (WHERE event.product <> ''))[:{MOST_PRODUCTS}]
  FROM visitor
  JOIN members_event AS event ON event.visitor_id = visitor.id
  JOIN members_channel AS channel ON channel.id = visitor.channel_id
 WHERE event.at >= (SELECT min(begins) FROM day) AND event.at < %(until)s
 GROUP BY visitor.channel_id, channel.name, begins, event.session, event.kind
"""


def visitors_of(member_no: str) -> list[int]:
    """The ids of the visitors who are this member."""
    member = Member.objects.filter(number=member_no).values_list("pk", flat=True).first()
    return [row[0] for row in columns.ask(VISITORS_OF, {"member": member})] if member else []


@dataclass(slots=True)
class Visit:
    """What a member did in a channel on a day of Shanghai, in one session where it tells sessions."""

    channel_name: str
    session: str
    began_at: datetime
    last_at: datetime
    last_id: int
    seconds: int = 0
    entrance: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    products: set[str] = field(default_factory=set)


def latest(member_id: int, *, before: datetime | None, now: datetime, enough: int) -> list[Visit]:
    """The visits of the latest days that have `enough` of them together, latest first.

    before: an instant of the last day to look at; that day is told as a whole, as a visit is one also
    where a page ends in the midst of it, and its visits come on top.
    """
    last_day = (before or now + FAR_AHEAD).astimezone(SHANGHAI)
    begins = last_day.replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {"member": member_id, "from": begins, "until": begins + DAY, "enough": enough}
    rows = columns.ask(VISITS, asked)
    found: dict[tuple[int, datetime, str], Visit] = {}
    for (
        channel_id,
        name,
        day,
        session,
        kind,
        count,
        first,
        last,
        last_id,
        seconds,
        entrance,
        products,
    ) in rows:
        visit = found.setdefault((channel_id, day, session), Visit(name, session, first, last, last_id))
        visit.began_at = min(visit.began_at, first)
        visit.last_at, visit.last_id = max((visit.last_at, visit.last_id), (last, last_id))
        visit.seconds += int(seconds)
        visit.entrance = visit.entrance or entrance or ""
        visit.kinds[kind] += count
        visit.products.update(products or ())
    return sorted(found.values(), key=lambda visit: (visit.last_at, visit.last_id), reverse=True)
