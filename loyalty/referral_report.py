"""The viral coefficient K: how many new members each active member brings, by month and channel (B9).

Shuke sees no invitations, only the friends who came. So K of a month is the friends who counted in it, for
each member who bought in it: those are the ones who had something to tell. K = 0.05 says that twenty buyers
brought one friend; above 1 the programme grows by itself. By channel, a friend belongs to the channel they
joined by, and a member to each channel they bought in; the row of all channels counts each member once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from loyalty import clock, publishing

MONTHS = 12
LIMIT_MS = 4000

# Friends by the month they counted in, and buyers by the month they paid in, each by channel and in all.
_FIGURES = """
WITH friends AS (
    SELECT to_char(counted_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS month, channel_id, count(*) AS friends,
           count(DISTINCT referrer_id) AS referrers
      FROM loyalty_referral WHERE state = 'counted' AND counted_at >= %(since)s
     GROUP BY GROUPING SETS ((1), (1, channel_id))
), buyers AS (
    SELECT to_char(paid_at AT TIME ZONE %(zone)s, 'YYYY-MM') AS month, channel_id,
           count(DISTINCT member_id) AS buyers
      FROM members_order
     WHERE paid_at >= %(since)s AND paid_at <= %(now)s AND member_id IS NOT NULL
       AND status NOT IN ('placed', 'cancelled')
     GROUP BY GROUPING SETS ((1), (1, channel_id))
)
SELECT at.month, c.name, coalesce(f.friends, 0), coalesce(f.referrers, 0), coalesce(b.buyers, 0)
  FROM friends f FULL JOIN buyers b
    ON (b.month, coalesce(b.channel_id, 0)) = (f.month, coalesce(f.channel_id, 0))
 CROSS JOIN LATERAL (SELECT coalesce(f.month, b.month) AS month,
                            coalesce(f.channel_id, b.channel_id) AS channel_id) AS at
  LEFT JOIN members_channel c ON c.id = at.channel_id
 ORDER BY at.month DESC, at.channel_id IS NOT NULL, c.name
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One month of one channel, or of all when `channel` is None."""

    month: str  # 2026-11
    channel: str | None
    friends: int
    referrers: int
    buyers: int

    @property
    def coefficient(self) -> Decimal | None:
        """K, to a thousandth; None where nobody bought."""
        if not self.buyers:
            return None
        return (Decimal(self.friends) / self.buyers).quantize(Decimal("0.001"))


@dataclass(frozen=True, slots=True)
class Report:
    """The last twelve months, the latest first."""

    rows: Sequence[Row]

    @property
    def months(self) -> list[Row]:
        """All channels together, one row a month."""
        return [row for row in self.rows if row.channel is None]

    @property
    def friends(self) -> int:
        """How many counted in all these months."""
        return sum(row.friends for row in self.months)

    def bars(self) -> Iterator[tuple[Row, int]]:
        """The months, oldest first, each with the height of its bar in percent of the highest."""
        most = max((row.coefficient or Decimal(0) for row in self.months), default=Decimal(0))
        for row in reversed(self.months):
            yield row, int((row.coefficient or 0) * 100 / most) if most else 0


def report() -> Report:
    """K of the last twelve months, this one among them; one statement with a time limit.

    Raises ProgrammeMissing before the first programme is published, and OperationalError beyond the limit.
    """
    now = clock.read().now
    zone = publishing.current(now).programme.time_zone
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(LIMIT_MS)])
        cursor.execute(_FIGURES, {"zone": zone.key, "since": _since(now, zone), "now": now})
        return Report([Row(*row) for row in cursor.fetchall()])


def _since(now: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the month eleven months ago."""
    local = now.astimezone(zone)
    months = local.year * 12 + local.month - 1 - (MONTHS - 1)
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=zone)
