"""What the programme gives beside points for purchases: activities, milestones, birthdays, member days.

Pure. `check_…` refuse a document's mistakes when it is saved (called by `loyalty.offers`); `of` reads the
sections of an accepted document. docs/programme.md says what each setting means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty import conditions, prizes
from loyalty.calendar import anniversary
from loyalty.conditions import THIS_MONTH, WEEKDAYS, AllOf, Check, Condition
from loyalty.names import BIRTHDAY, MEMBER_DAY
from loyalty.prizes import Prize
from loyalty.reading import Part, Problems, is_whole

ACTIVITIES = (
    "enrolment",
    "first_purchase",
    "profile_step",
    "check_in",
    "review",
    "survey",
    "share",
    "birthday",
    "member_day",
    "event",
)
# What a channel can tell of a member; the rest comes about by itself.
TOLD = ("check_in", "profile_step", "review", "survey", "share", "event")
# What a step of the profile may be, in words.
STEPS: dict[str, Promise] = {
    "name": pgettext_lazy("of a person", "name"),
    "phone": _("phone"),
    "email": _("e-mail"),
    "birthday": _("birthday"),
    "gender": _("gender"),
    "city": _("city"),
}
WITHIN = ("day", "week", "month")
PERIODS = ("ever", "year", "month", "order")
LATE_DAYS = 30
CATCH_UP_DAYS = 7
LONGEST_STREAK = 366


@dataclass(frozen=True, slots=True)
class Activity:
    """What one kind of activity brings. `per_day`: how often it counts on a local day; None is always."""

    kind: str
    prizes: tuple[Prize, ...]
    per_day: int | None = None
    streak: tuple[tuple[int, tuple[Prize, ...]], ...] = ()
    streak_repeats: bool = False
    steps: tuple[str, ...] = ()

    def rungs_at(self, days: int) -> list[tuple[int, tuple[Prize, ...]]]:
        """The rungs that a streak of so many days has just reached.

        A rung is reached once in an unbroken streak. With `streak_repeats` the ladder begins anew after
        its highest rung, so that days 7, 14, 21 reach the rung of 7.
        """
        if not self.streak:
            return []
        if self.streak_repeats:
            days = (days - 1) % self.streak[-1][0] + 1
        return [rung for rung in self.streak if rung[0] == days]


@dataclass(frozen=True, slots=True)
class Milestone:
    """What a member is given when they come to be somewhere, once in each period."""

    code: str
    when: Condition
    document: dict[str, Any] = field(compare=False)
    prizes: tuple[Prize, ...] = ()
    once_per: str = "ever"
    consecutive: bool = False  # count months in a row with a repurchase, and not the repurchases of a year
    name: Mapping[str, str] = field(default_factory=dict)  # by language; {}: it goes by its code

    @property
    def asks(self) -> frozenset[str]:
        """The fields that its condition asks about."""
        return frozenset(check.field for check in conditions.checks(self.when))

    @property
    def is_about_orders(self) -> bool:
        """Whether it is to be asked of each order, and cannot be asked of a member alone."""
        return self.once_per == "order" or any(not name.startswith("member.") for name in self.asks)


@dataclass(frozen=True, slots=True)
class MemberDay:
    """The programme's own days: days of the month, or one day of the week."""

    days: tuple[int, ...] = ()
    weekday: str = ""
    factor: Decimal | None = None
    prizes: tuple[Prize, ...] = ()

    def holds(self, day: date) -> bool:
        """Whether a local day is one. A month that has no 31st has no member day then."""
        return day.day in self.days or WEEKDAYS[day.weekday()] == self.weekday


@dataclass(frozen=True, slots=True)
class Treat:
    """What a birthday brings, within what, and beside it the factor on points of orders paid then."""

    within: str = "day"
    factor: Decimal | None = None
    prizes: tuple[Prize, ...] = ()

    def begins(self, birthday: date) -> date:
        """The day on which it is given, for the birthday of one year: the first day of what it is within."""
        if self.within == "week":
            return birthday - timedelta(days=birthday.weekday())
        return birthday.replace(day=1) if self.within == "month" else birthday


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """The sections of one programme version. Without an activity in it, that activity brings nothing."""

    activities: Mapping[str, Activity] = field(default_factory=dict)
    milestones: tuple[Milestone, ...] = ()
    member_day: MemberDay = MemberDay()
    birthday: Treat = Treat()
    late_days: int = LATE_DAYS
    catch_up_days: int = CATCH_UP_DAYS

    def activity(self, kind: str) -> Activity | None:
        return self.activities.get(kind)


# --- checking ----------------------------------------------------------------------------------------


def check_activities(part: Part) -> None:
    """Check the section `activities`."""
    part.whole("late_days", LATE_DAYS, high=3650)
    part.whole("catch_up_days", CATCH_UP_DAYS, high=60)
    for name in ACTIVITIES:
        activity = part.maybe_part(name)
        if activity is not None:
            _check_activity(name, activity)
            activity.done()
    part.done()


def _check_activity(name: str, activity: Part) -> None:
    prizes.check(activity, required=not activity.has("factor"))
    if name in TOLD:
        activity.maybe_whole("per_day", low=1, high=1000)
    if name == "check_in":
        activity.flag("streak_repeats")
        for _count, rung in activity.rungs("streak", high=LONGEST_STREAK):
            prizes.check(rung)
            rung.done()
    elif name == "profile_step":
        activity.codes("steps")
    elif name == "member_day":
        _check_member_day(activity)
    elif name == "birthday":
        activity.choice("within", WITHIN)


def _check_member_day(part: Part) -> None:
    part.maybe_decimal("factor", low="1", high="100", places=4)
    days = part.raw("days")
    if days is not None and not (
        isinstance(days, list) and days and all(is_whole(day) and 1 <= day <= 31 for day in days)
    ):
        part.problem("days", _("Write a list of days of the month, from 1 to 31."))
    part.choice("weekday", WEEKDAYS)
    if part.has("days") == part.has("weekday"):
        part.problem("", _("Write days or weekday."))


def check_milestone(part: Part) -> None:
    """Check one item of the section `milestones`; its code is read by the caller."""
    part.name("name", required=False)
    when = part.maybe_part("when")
    if when is None:
        part.problem("when", _("This is missing."))
    else:
        asked = {check.field for check in conditions.checks(conditions.read(when))}
        if asked & conditions.PROMISED.keys():
            when.problem("", _("A milestone cannot ask for member days."))
    then = part.part("then")
    prizes.check(then, tier=True)
    then.done()
    part.choice("once_per", PERIODS, "ever")
    part.flag("consecutive")


def check_birthday(benefits: Part) -> dict[str, Any]:
    """Check a tier's birthday treat: a factor on points, points, a coupon or a gift; {} is none."""
    part = benefits.part("birthday")
    part.maybe_decimal("factor", low="1", high="100", places=4)
    part.choice("within", WITHIN)
    prizes.check(part, required=False)
    part.done()
    return dict(part.fields)


# --- reading -----------------------------------------------------------------------------------------


def of(rest: Mapping[str, Any]) -> GrantTerms:
    """The terms of an accepted programme, out of its `rest`."""
    told = rest.get("activities") or {}
    return GrantTerms(
        activities={name: _activity(name, told[name]) for name in ACTIVITIES if told.get(name)},
        milestones=tuple(_milestone(item) for item in rest.get("milestones") or ()),
        member_day=_member_day(told.get("member_day") or {}),
        birthday=treat(told.get("birthday") or {}),
        late_days=told.get("late_days", LATE_DAYS),
        catch_up_days=told.get("catch_up_days", CATCH_UP_DAYS),
    )


def _activity(name: str, told: Mapping[str, Any]) -> Activity:
    streak = {int(days): prizes.of(rung) for days, rung in (told.get("streak") or {}).items()}
    return Activity(
        kind=name,
        prizes=prizes.of(told),
        per_day=told.get("per_day"),
        streak=tuple(sorted(streak.items())),
        streak_repeats=bool(told.get("streak_repeats")),
        steps=tuple(told.get("steps") or STEPS) if name == "profile_step" else (),
    )


def _milestone(told: Mapping[str, Any]) -> Milestone:
    return Milestone(
        code=told["code"],
        when=conditions.read(Part(told["when"], "", Problems())),
        document=told["when"],
        prizes=prizes.of(told["then"]),
        once_per=told.get("once_per") or "ever",
        consecutive=bool(told.get("consecutive")),
        name=told.get("name") or {},
    )


def _member_day(told: Mapping[str, Any]) -> MemberDay:
    return MemberDay(
        days=tuple(told.get("days") or ()),
        weekday=told.get("weekday") or "",
        factor=Decimal(told["factor"]) if told.get("factor") else None,
        prizes=prizes.of(told),
    )


def treat(told: Mapping[str, Any]) -> Treat:
    """The birthday treat that a group of the document says."""
    return Treat(
        within=told.get("within") or "day",
        factor=Decimal(told["factor"]) if told.get("factor") else None,
        prizes=prizes.of(told),
    )


def promised(rest: Mapping[str, Any]) -> list[tuple[str, tuple[Prize, ...]]]:
    """What these sections give, each with its place in the document."""
    terms = of(rest)
    found = [(f"activities.{name}", activity.prizes) for name, activity in terms.activities.items()]
    for name, activity in terms.activities.items():
        found += [(f"activities.{name}.streak.{days}", given) for days, given in activity.streak]
    return found + [(f"milestones.{each.code}", each.prizes) for each in terms.milestones]


# --- on which days -----------------------------------------------------------------------------------


def days_of_the_year(birthday: date) -> list[str]:
    """Who has birthday on a day, as `--11-22`; in a year without 29 February they have it on the 28th."""
    found = [f"--{birthday:%m-%d}"]
    if (birthday.month, birthday.day) == (2, 28) and anniversary(
        date(2000, 2, 29), birthday.year
    ) == birthday:
        found.append("--02-29")
    return found


def standing_rules(
    tiers: Sequence[tuple[str, Mapping[str, Any]]], rest: Mapping[str, Any]
) -> "list[Standing]":
    """The factors that the programme promises outside of its rules: birthdays by tier, and the member day.

    tiers: code and birthday treat of each. They stand behind all rules, and the greatest factor holds.
    """
    found: list[Standing] = []
    for code, told in tiers:
        given = treat(told)
        if given.factor is not None:
            is_tier = Check("member.tier", "=", code)
            found.append(
                Standing(f"{BIRTHDAY}{code}", AllOf((is_tier, _BIRTHDAY[given.within])), given.factor)
            )
    day = _member_day((rest.get("activities") or {}).get("member_day") or {})
    on = on_member_day(rest)
    if day.factor is not None and on is not None:
        found.append(Standing(MEMBER_DAY, on, day.factor))
    return found


def on_member_day(rest: Mapping[str, Any]) -> Condition | None:
    """What holds for an order paid on a member day; None when the programme has none."""
    day = _member_day((rest.get("activities") or {}).get("member_day") or {})
    if day.weekday:
        return Check("order.weekday", "=", day.weekday)
    return Check("order.day", "in", day.days) if day.days else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A factor that holds without a rule of its own: its code, when, and how much."""

    code: str
    when: Condition
    factor: Decimal


_BIRTHDAY: dict[str, Condition] = {
    "day": Check("member.is_birthday", "=", True),
    "week": Check("member.is_birthday_week", "=", True),
    "month": Check("member.birthday_month", "=", THIS_MONTH),
}
