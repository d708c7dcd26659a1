"""What members do beside buying, and what it brings them: check-ins, steps, reviews, surveys, shares (B4).

A channel tells an activity with `do`. What was done has a name of its own (the day, the step, the product of
an order, the survey), under which it counts once for a person, whoever tells it and however often; the
channel's own cause counts once as well. Beyond the day's limit an activity is kept and brings nothing.

A check-in counts once a local day. Days in a row are a streak; a rung of the streak is given on the day that
reaches it. A day told late continues the streak of the day before it, and leaves later days as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from loyalty import clock, grant_terms, grants, ledger, milestone_rounds, publishing
from loyalty.clock import Clock
from loyalty.errors import ActivityInvalid, ActivityNotOffered, CauseTaken
from loyalty.grants import Given, wishes_of
from loyalty.ledger import Purses
from loyalty.models import Activity, CheckIn, Grant
from loyalty.publishing import Held
from loyalty.purse import Figures
from members import survivors
from members.models import Channel, Order, OrderLine

LONGEST_CODE = 50
# How far ahead of ours a channel's clock may be.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityReceipt:
    """What became of an activity. `refusal` says why it brought nothing; `streak` is of a check-in."""

    activity_id: int
    kind: str
    day: date
    is_new: bool
    given: Sequence[Grant]
    refusal: str
    streak: int | None
    figures: Figures


@dataclass(slots=True)
class _Doing:
    """One activity on its way: who, what, when, and by which terms."""

    member_id: int
    kind: str
    cause: str | None
    channel: Channel | None
    at: datetime
    day: date
    held: Held
    terms: grant_terms.Activity
    detail: Mapping[str, str]
    store_id: int | None = None
    actor_id: int | None = None
    key: str = ""
    order_id: int | None = None
    linked: tuple[int, ...] = ()
    streak: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def do(
    member_id: int,
    kind: str,
    *,
    cause: str = "",
    at: datetime | None = None,
    channel: Channel | None = None,
    detail: Mapping[str, str] | None = None,
    store_id: int | None = None,
    actor_id: int | None = None,
) -> ActivityReceipt:
    """Take in one activity of a member and give what the programme promises for it (B4).

    kind: one of `grant_terms.TOLD`. at: when it was done; now, when not told. detail: what was done, as
    codes: `step`, `order_no` and `product`, `survey`, `event`. cause: the channel's own word; a share
    needs it.
    The same again answers as the first time. Raises ActivityNotOffered, ActivityInvalid, CauseTaken.
    """
    now = clock.read()
    doing = _begin(member_id, kind, cause, at, channel, detail or {}, now)
    doing.store_id, doing.actor_id = store_id, actor_id
    doing.linked = survivors.linked([member_id])[member_id]
    doing.key = _key(doing)
    purses = _open(doing.linked)
    before = _before(doing)
    if before is not None:
        return _again(before, doing)
    activity = _record(doing)
    wishes = _wishes(doing) if activity.number else []
    given = grants.give(wishes, now=now.now, purses=purses)
    receipt = _receipt(activity, doing, given, purses)
    # Growth value may have raised the tier, and a milestone may ask for that tier.
    if any(wish.prize.kind == Grant.Prize.GROWTH for wish in wishes) and milestone_rounds.look([member_id]):
        return replace(receipt, figures=ledger.figures(member_id))
    return receipt


def _open(member_ids: Sequence[int]) -> Purses:
    """The person's wallets, locked: who tells the same at the same time waits here."""
    return ledger.lock(member_ids, first_tier=publishing.first_tier, earning_only=member_ids)


def _begin(
    member_id: int,
    kind: str,
    cause: str,
    at: datetime | None,
    channel: Channel | None,
    detail: Mapping[str, str],
    now: Clock,
) -> _Doing:
    when = at or now.now
    held = publishing.load_all().at(when)
    terms = held.programme.grants
    activity = terms.activity(kind) if kind in grant_terms.TOLD else None
    if activity is None:
        raise ActivityNotOffered(kind=kind)
    latest = max(now.now, now.recorded) + AHEAD
    if not now.recorded - timedelta(days=terms.late_days) <= when <= latest:
        raise ActivityInvalid(field="at", reason="out_of_range")
    return _Doing(
        member_id=member_id,
        kind=kind,
        cause=f"{channel.code if channel else ''}:{cause}" if cause else None,
        channel=channel,
        at=when,
        day=when.astimezone(held.programme.time_zone).date(),
        held=held,
        terms=activity,
        detail=detail,
    )


# --- what was done -----------------------------------------------------------------------------------


def _key(doing: _Doing) -> str:
    """The name of what was done, under which it counts once for a person. Raises ActivityInvalid."""
    if doing.kind == "check_in":
        return doing.day.isoformat()
    if doing.kind == "profile_step":
        return _step(doing)
    if doing.kind == "review":
        return _review(doing)
    if doing.kind == "share":
        if doing.cause is None:
            raise ActivityInvalid(field="cause", reason="required")
        return doing.cause[:240]
    return _code(doing, doing.kind)


def _code(doing: _Doing, name: str) -> str:
    """A code out of the details."""
    value = doing.detail.get(name, "")
    if not value:
        raise ActivityInvalid(field=f"detail.{name}", reason="required")
    if len(value) > LONGEST_CODE:
        raise ActivityInvalid(field=f"detail.{name}", reason="too_long")
    doing.facts[name] = value
    return value


def _step(doing: _Doing) -> str:
    """A step of the programme. One that Shuke itself can see must have been taken."""
    step = _code(doing, "step")
    if step not in doing.terms.steps:
        raise ActivityInvalid(field="detail.step", reason="unknown")
    if step in grant_terms.STEPS and not known_steps(doing.linked, [step]):
        raise ActivityInvalid(field="detail.step", reason="not_taken")
    return step


def known_steps(member_ids: Sequence[int], steps: Sequence[str]) -> dict[int, list[str]]:
    """Which of these steps members have taken, of those that Shuke can see by itself; no value is opened."""
    seen = [step for step in steps if step in grant_terms.STEPS]
    if not seen or not member_ids:
        return {}
    asked = ", ".join(
        f"{step} <> ''" if step in ("gender", "city") else f"{step} IS NOT NULL" for step in seen
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {asked} FROM members_member WHERE id = ANY(%s)", [list(member_ids)])
        rows = cursor.fetchall()
    found = {id_: [step for step, told in zip(seen, known, strict=True) if told] for id_, *known in rows}
    return {id_: known for id_, known in found.items() if known}


def _review(doing: _Doing) -> str:
    """The product of one of the member's own orders in this channel."""
    number, product = _code(doing, "order_no"), _code(doing, "product")
    order = Order.objects.filter(channel=doing.channel, number=number, member__in=doing.linked).first()
    if order is None or order.status in (Order.Status.PLACED, Order.Status.CANCELLED):
        raise ActivityInvalid(field="detail.order_no", reason="unknown")
    if not OrderLine.objects.filter(order=order, product=product).exists():
        raise ActivityInvalid(field="detail.product", reason="unknown")
    doing.order_id = order.pk
    return f"{order.pk}:{product}"


# --- once --------------------------------------------------------------------------------------------


def _before(doing: _Doing) -> Activity | None:
    """The same activity, told before. Raises CauseTaken when its cause was used for something else."""
    same = Activity.objects.filter(member__in=doing.linked, kind=doing.kind, key=doing.key).first()
    if doing.cause is None:
        return same
    named = Activity.objects.filter(cause=doing.cause).first()
    if named is not None and (named.kind, named.key) != (doing.kind, doing.key):
        raise CauseTaken
    if named is not None and named.member_id not in doing.linked:
        raise CauseTaken
    return same or named


def _record(doing: _Doing) -> Activity:
    """Write the activity down; a check-in with its streak."""
    counted = Activity.objects.filter(
        member__in=doing.linked, kind=doing.kind, day=doing.day, number__isnull=False
    ).count()
    limit = doing.terms.per_day
    if doing.kind == "check_in":
        doing.streak = _check_in(doing)
        doing.facts |= {"day": doing.day.isoformat(), "streak": doing.streak}
    return Activity.objects.create(
        member_id=doing.member_id,
        kind=doing.kind,
        key=doing.key,
        channel=doing.channel,
        cause=doing.cause,
        detail=doing.facts,
        day=doing.day,
        number=None if limit is not None and counted >= limit else counted + 1,
        per_day=limit,
        happened_at=doing.at,
    )


def _check_in(doing: _Doing) -> int:
    """The streak that a check-in continues, written down."""
    yesterday = CheckIn.objects.filter(member__in=doing.linked, day=doing.day - timedelta(days=1))
    streak = max(yesterday.values_list("streak", flat=True), default=0) + 1
    CheckIn.objects.create(
        member_id=doing.member_id, day=doing.day, streak=streak, channel=doing.channel, happened_at=doing.at
    )
    return streak


# --- what it brings ----------------------------------------------------------------------------------


def _wishes(doing: _Doing) -> list[grants.Wish]:
    how: dict[str, Any] = {
        "member_id": doing.member_id,
        "source": Grant.Source.ACTIVITY,
        "happened_at": doing.at,
        "programme": doing.held,
        "per_person": True,
        "channel_id": doing.channel.pk if doing.channel else None,
        "store_id": doing.store_id,
        "actor_id": doing.actor_id,
    }
    name = occasion(doing.kind, doing.key)
    wishes = wishes_of(doing.terms.prizes, code=doing.kind, occasion=name, why=doing.facts, **how)
    for days, prizes in doing.terms.rungs_at(doing.streak or 0):
        why = {**doing.facts, "rung": days}
        name = _streak(days, doing.day)
        wishes += wishes_of(prizes, code=doing.kind, occasion=name, why=why, **how)
    return wishes


def occasion(kind: str, key: str = "") -> str:
    """The name of what an activity is given for, before the member is added to it."""
    return f"activity:{kind}:{key}" if key else f"activity:{kind}"


def _streak(days: int, day: date) -> str:
    return f"activity:streak:{days}:{day.isoformat()}"


def _receipt(activity: Activity, doing: _Doing, given: Sequence[Given], purses: Purses) -> ActivityReceipt:
    purse = purses[doing.member_id]
    return ActivityReceipt(
        activity_id=activity.pk,
        kind=doing.kind,
        day=doing.day,
        is_new=True,
        given=_rows([each.grant_id for each in given if each.grant_id is not None]),
        refusal="" if activity.number else "day_limit",
        streak=doing.streak,
        figures=ledger.figures(doing.member_id) if not purse.is_whole else purse.figures(purses.now),
    )


def _rows(ids: Sequence[int]) -> list[Grant]:
    return list(Grant.objects.filter(pk__in=ids).select_related("order").order_by("pk")) if ids else []


def _again(activity: Activity, doing: _Doing) -> ActivityReceipt:
    """The answer of the first time."""
    streak = activity.detail.get("streak")
    names = [occasion(activity.kind, activity.key)]
    names += [_streak(rung[0], activity.day) for rung in doing.terms.streak]
    given = Grant.objects.filter(occasion__in=[f"{name}:{activity.member_id}" for name in names]).order_by(
        "id"
    )
    return ActivityReceipt(
        activity_id=activity.pk,
        kind=activity.kind,
        day=activity.day,
        is_new=False,
        given=list(given),
        refusal="" if activity.number else "day_limit",
        streak=streak,
        figures=ledger.figures(doing.member_id),
    )
