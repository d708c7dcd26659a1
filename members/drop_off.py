"""How far people come who begin to join: step by step, by channel and store (A8).

A step counts the enrolments begun in the days asked for. `went_on` of a step is the share of those who took
the step before it, so that a way in which has no such step (one tap needs no code) does not count as lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.utils import timezone

from members.models import Enrolment, EnrolmentStep

Step = EnrolmentStep.Step
WAY = (Step.OPENED, Step.PHONE, Step.SENT, Step.CONFIRMED)
PROFILE = (Step.NAME, Step.BIRTHDAY, Step.GENDER, Step.CITY)
# The step before, which is what a step is measured by; the profile's are all measured by who joined.
BEFORE = {Step.PHONE: Step.OPENED, Step.SENT: Step.PHONE, Step.CONFIRMED: Step.SENT} | dict.fromkeys(
    PROFILE, Step.CONFIRMED
)
MOST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step: how many took it, and of those at the step before how many went on; None for none."""

    step: str
    count: int
    before: int
    both: int

    @property
    def label(self) -> str:
        return str(Step(self.step).label)

    @property
    def went_on(self) -> float | None:
        return self.both / self.before if self.before else None

    @property
    def lost(self) -> int:
        return self.before - self.both


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The steps of one channel and store, or of all."""

    channel: str
    store: str
    taken: Sequence[Taken]

    @property
    def most(self) -> int:
        """The largest count, by which bars are drawn."""
        return max((each.count for each in self.taken), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All together, and each channel and store by itself."""

    whole: Way
    parts: Sequence[Way]


def report(
    begin: date, end: date, *, channel_id: int | None = None, store_id: int | None = None, origin: str = ""
) -> Report:
    """Count the enrolments that were begun from `begin` to `end`, both included, in the local days.

    One statement, over an index by day.
    """
    begin = max(begin, end - timedelta(days=MOST_DAYS))
    steps = (*WAY, *PROFILE)
    counts = ", ".join(f"count(*) FILTER (WHERE '{step.value}' = ANY(taken.steps))" for step in steps)
    pairs = ", ".join(
        f"count(*) FILTER (WHERE taken.steps @> ARRAY['{step.value}', '{before.value}']::varchar[])"
        for step, before in BEFORE.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH taken AS (
                SELECT e.channel_id, e.store_id, array_agg(s.step) AS steps
                  FROM members_enrolment e JOIN members_enrolmentstep s ON s.enrolment_id = e.id
                 WHERE e.created_at >= %(begin)s AND e.created_at < %(end)s
                   AND (%(channel)s::bigint IS NULL OR e.channel_id = %(channel)s)
                   AND (%(store)s::bigint IS NULL OR e.store_id = %(store)s)
                   AND (%(origin)s = '' OR e.origin = %(origin)s)
                 GROUP BY e.id)
            SELECT grouping(taken.channel_id), c.name, st.name, {counts}, {pairs}
              FROM taken JOIN members_channel c ON c.id = taken.channel_id
              LEFT JOIN members_store st ON st.id = taken.store_id
             GROUP BY GROUPING SETS ((), (taken.channel_id, c.name, taken.store_id, st.name))
             ORDER BY 1 DESC, 2, 3
            """,
            {
                "begin": _midnight(begin),
                "end": _midnight(end + timedelta(days=1)),
                "channel": channel_id,
                "store": store_id,
                "origin": origin,
            },
        )
        ways = [_way(row) for row in cursor.fetchall()]
    return Report(whole=ways[0], parts=ways[1:])


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _way(row: Sequence[int | str | None]) -> Way:
    _is_whole, channel, store, *numbers = row
    figures = [int(number or 0) for number in numbers]
    steps = (*WAY, *PROFILE)
    count = dict(zip(steps, figures, strict=False))
    both = dict(zip(BEFORE, figures[len(steps) :], strict=True))
    taken = [
        Taken(
            step=step,
            count=count[step],
            before=count[BEFORE[step]] if step in BEFORE else 0,
            both=both.get(step, 0),
        )
        for step in steps
    ]
    return Way(channel=str(channel or ""), store=str(store or ""), taken=taken)


def origins() -> list[tuple[str, str]]:
    """The ways in, as words to choose from."""
    return [(value, str(label)) for value, label in Enrolment.Origin.choices]
