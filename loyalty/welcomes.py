"""What a new member is given: the joining gift, and points for what they told of themselves (B4, A8).

The first account of a new person counts as enrolment; so does the first that is told of somebody who was
known by orders only. A profile step counts when what it asks for first becomes known, by whichever account.
Who joined longer ago than the programme's `late_days` is given nothing: their file came late.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from loyalty import activities, clock, grant_terms, grants, publishing, withdrawals
from loyalty.clock import Clock
from loyalty.grants import Given, Wish, wishes_of
from loyalty.models import Grant
from loyalty.publishing import Programmes
from members.models import Account

ENROLMENT = "enrolment"
STEP = "profile_step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A buyer who was told. `may_be_first`: perhaps the first account that is told of this person.

    filled: what became known of the member, who was known before. joined_at: since when, when it was told.
    """

    member_id: int
    account_id: int
    is_new_member: bool
    may_be_first: bool
    filled: Sequence[str] = ()
    joined_at: datetime | None = None


def welcome(
    arrivals: Sequence[Arrival], *, channel_id: int, store_id: int | None = None, actor_id: int | None = None
) -> list[Given]:
    """Give new members what the programme promises them, and everybody what new steps bring (B4).

    In the caller's transaction, by a fixed number of statements. Without a programme nothing is given.
    """
    if not arrivals or not publishing.is_published():
        return []
    now, programmes = clock.read(), publishing.load_all()
    joining = _joining(arrivals)
    known = activities.known_steps(sorted(joining), tuple(grant_terms.STEPS))
    how = {"channel_id": channel_id, "store_id": store_id, "actor_id": actor_id}
    wishes: dict[tuple[str, str], Wish] = {}
    for arrival in arrivals:
        is_joining = arrival.member_id in joining
        steps = known.get(arrival.member_id, ()) if is_joining else arrival.filled
        at = min(arrival.joined_at or now.now, now.now) if is_joining else now.now
        for wish in _wishes(arrival.member_id, is_joining, steps, at, programmes, now, how):
            wishes.setdefault((wish.name, wish.prize.kind), wish)
    return grants.give(list(wishes.values()), now=now.now)


def take_back(member_ids: Sequence[int]) -> int:
    """Take back what these members were given for joining and for their profile; answers the points.

    In the caller's transaction. Told again they are welcomed again.
    """
    given = _gifts(member_ids, Grant.State.GIVEN).order_by("id")
    gone = withdrawals.withdraw(list(given), now=clock.read().now)
    return sum(int(grant.value) for grant in gone if grant.prize == Grant.Prize.POINTS)


def _joining(arrivals: Sequence[Arrival]) -> set[int]:
    """The members for whom this is their enrolment."""
    joining = {arrival.member_id for arrival in arrivals if arrival.is_new_member}
    perhaps = {
        arrival.member_id: arrival.account_id
        for arrival in arrivals
        if arrival.may_be_first and arrival.member_id not in joining
    }
    if perhaps:
        # An account that was told has a digest; one that came with an order has none.
        told = Account.objects.filter(member__in=perhaps, digest__isnull=False)
        told = told.exclude(pk__in=perhaps.values())
        joining |= perhaps.keys() - set(told.values_list("member_id", flat=True))
    return joining | _coming_back({arrival.member_id for arrival in arrivals} - joining - perhaps.keys())


def _coming_back(member_ids: Collection[int]) -> set[int]:
    """Of members who were told again, those whose joining gift was taken back: they join once more."""
    if not member_ids:
        return set()
    gone = _gifts(member_ids, Grant.State.WITHDRAWN).filter(code=ENROLMENT)
    return set(gone.values_list("member_id", flat=True))


def _gifts(member_ids: Collection[int], state: str) -> QuerySet[Grant]:
    return Grant.objects.filter(
        member__in=member_ids, source=Grant.Source.ACTIVITY, code__in=(ENROLMENT, STEP), state=state
    )


def _wishes(
    member_id: int,
    is_joining: bool,
    steps: Sequence[str],
    at: datetime,
    programmes: Programmes,
    now: Clock,
    how: dict[str, Any],
) -> list[Wish]:
    held = programmes.at(at)
    terms = held.programme.grants
    if now.recorded - at > timedelta(days=terms.late_days):
        return []
    whose = {
        "member_id": member_id,
        "source": Grant.Source.ACTIVITY,
        "happened_at": at,
        "programme": held,
        "per_person": True,
    }
    wishes: list[Wish] = []
    enrolment, step_terms = terms.activity(ENROLMENT), terms.activity(STEP)
    if is_joining and enrolment is not None:
        occasion = activities.occasion(ENROLMENT)
        wishes += wishes_of(enrolment.prizes, code=ENROLMENT, occasion=occasion, **whose, **how)
    for step in steps:
        if step_terms is not None and step in step_terms.steps:
            occasion = activities.occasion(STEP, step)
            wishes += wishes_of(
                step_terms.prizes, code=STEP, occasion=occasion, why={"step": step}, **whose, **how
            )
    return wishes
