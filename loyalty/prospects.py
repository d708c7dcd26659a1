"""Prospects: who may have come to a milestone, told without reading all that they ever bought.

Who buys for years has as many orders as a batch, and few orders bring anybody to a milestone. So the server
counts a member's purchases, and only where some number of repurchases up to that count would do, and nothing
was given for it before, are they read. What a milestone asks is said in `loyalty.milestones` alone.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty import conditions, milestones
from loyalty.calendar import midnight
from loyalty.grant_terms import Milestone
from loyalty.milestones import MOVED_BY_ORDERS, REPURCHASES, Moment, Standing
from loyalty.publishing import Held, Programmes
from loyalty.situations import Buyers

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Prospects:
    """The milestones that orders of some years may bring now, of members of any tier."""

    programmes: Programmes
    years: Collection[int]  # local calendar years in which something happened
    now: datetime
    zone: ZoneInfo
    _known: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)

    @property
    def since(self) -> datetime:
        """From when on purchases count for them; earlier ones may, as the count is only a bound."""
        if any(each.consecutive and REPURCHASES in each.asks for each, _moment, _held in self._asked()):
            return _EVER
        first = min([*self.years, self.now.astimezone(self.zone).year])
        # A version of the programme may have clocks of its own; no two are two days apart.
        return midnight(date(first, 1, 1), self.zone) - timedelta(days=2)

    def of(self, tier: str, purchases: int) -> tuple[str, ...]:
        """The occasions that a member of a tier, with at most so many purchases, may have come to."""
        known = self._known.get((tier, purchases))
        if known is None:
            known = self._known[tier, purchases] = tuple(
                milestones.occasion(each, moment, held.programme.time_zone)
                for each, moment, held in self._asked()
                if _may_hold(each, moment, held, tier, purchases)
            )
        return known

    def _asked(self) -> Iterator[tuple[Milestone, Moment, Held]]:
        for moment in milestones.moments((), self.years, self.now, self.zone):
            held = self.programmes.at(moment.at)
            for each in milestones.asked_at(moment, held):
                yield each, moment, held


def _may_hold(milestone: Milestone, moment: Moment, held: Held, tier: str, purchases: int) -> bool:
    if not milestone.asks <= MOVED_BY_ORDERS:
        return True
    zone = held.programme.time_zone
    nobody = Standing(member_id=0, tier=tier, bought=(), buyers=Buyers())
    facts = milestones.situation(nobody, moment.at, zone)
    matcher = conditions.compile(milestone.when, zone)
    counts = range(purchases + 1) if REPURCHASES in milestone.asks else (0,)
    return any(matcher.holds(replace(facts, member_repurchases_year=count)) for count in counts)
