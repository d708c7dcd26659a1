"""What the programme says of activities, birthdays and milestones: checked when saved, read when used."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty import grant_terms
from loyalty.calendar import anniversary
from loyalty.errors import ProgrammeInvalid
from loyalty.grant_terms import Activity, MemberDay, Treat
from loyalty.prizes import Prize
from loyalty.programme import Programme, document, parse
from tests.trade import PROGRAMME

MILESTONE: dict[str, Any] = {
    "code": "m",
    "when": {"field": "member.repurchases_year", "op": ">=", "value": 12},
    "then": {"points": 5, "tier": "gold"},
}


def saved(**sections: Any) -> Programme:
    return parse({**PROGRAMME, **sections})


def mistakes(**sections: Any) -> list[str]:
    with pytest.raises(ProgrammeInvalid) as invalid:
        saved(**sections)
    return [problem["path"] for problem in invalid.value.problems]


def test_what_is_saved_is_given_back_as_it_was() -> None:
    sections = {
        "activities": {
            "enrolment": {"points": 1},
            "profile_step": {"points": 2, "steps": ["birthday"]},
            "check_in": {"points": 2, "streak": {"7": {"points": 20}}, "streak_repeats": True},
            "review": {"growth": 3, "per_day": 3},
            "birthday": {"coupon": "TEN", "within": "month"},
            "member_day": {"weekday": "friday", "factor": "1.5"},
            "late_days": 10,
        },
        "milestones": [{**MILESTONE, "consecutive": True, "once_per": "year"}],
    }
    programme = saved(**sections)
    assert {key: document(programme)[key] for key in sections} == sections
    terms = grant_terms.of(programme.rest)
    assert terms.activities["review"] == Activity("review", (Prize("growth", "3"),), per_day=3)
    assert terms.activities["check_in"].streak == ((7, (Prize("points", "20"),)),)
    assert (terms.late_days, terms.catch_up_days) == (10, 7)
    assert terms.member_day.weekday == "friday"
    assert terms.milestones[0].prizes == (Prize("points", "5"), Prize("tier", "gold"))


@pytest.mark.parametrize(
    ("activities", "path"),
    [
        ({"check_in": {}}, "activities.check_in"),
        ({"check_in": {"points": 2, "streak": {"0": {"points": 1}}}}, "activities.check_in.streak.0"),
        ({"enrolment": {"points": 1, "per_day": 3}}, "activities.enrolment.per_day"),
        ({"review": {"points": 0}}, "activities.review.points"),
        ({"review": {"points": 1, "per_day": 0}}, "activities.review.per_day"),
        ({"review": {"points": 1, "steps": ["a"]}}, "activities.review.steps"),
        ({"share": {"tier": "gold"}}, "activities.share.tier"),
        ({"birthday": {"points": 1, "within": "decade"}}, "activities.birthday.within"),
        ({"member_day": {"points": 1}}, "activities.member_day"),
        ({"member_day": {"points": 1, "days": [8], "weekday": "friday"}}, "activities.member_day"),
        ({"member_day": {"points": 1, "days": [0]}}, "activities.member_day.days"),
        ({"member_day": {"days": [8], "factor": "0.5"}}, "activities.member_day.factor"),
        ({"dancing": {"points": 1}}, "activities.dancing"),
        ({"late_days": -1}, "activities.late_days"),
    ],
)
def test_a_slip_is_refused_at_its_place(activities: dict[str, Any], path: str) -> None:
    assert path in mistakes(activities=activities)


def test_a_milestone_asks_something_and_gives_something() -> None:
    broken = {"code": "m", "once_per": "fortnight"}
    assert mistakes(milestones=[broken]) == [
        "milestones[0].when",
        "milestones[0].then",
        "milestones[0].once_per",
    ]
    unknown = {**MILESTONE, "when": {"field": "member.shoe_size", "op": "=", "value": 38}}
    assert mistakes(milestones=[unknown]) == ["milestones[0].when.field"]


def test_a_milestone_about_orders_is_known_as_one() -> None:
    (member,) = grant_terms.of(saved(milestones=[MILESTONE]).rest).milestones
    paid = {**MILESTONE, "when": {"field": "order.paid", "op": ">", "value": "5"}}
    (order,) = grant_terms.of(saved(milestones=[paid]).rest).milestones
    (each,) = grant_terms.of(saved(milestones=[{**MILESTONE, "once_per": "order"}]).rest).milestones
    assert [milestone.is_about_orders for milestone in (member, order, each)] == [False, True, True]


# --- days ---------------------------------------------------------------------------------------------


@given(st.integers(1, 400), st.booleans())
def test_a_rung_is_reached_on_its_day_and_with_repeats_at_each_turn(days: int, repeats: bool) -> None:
    rungs = ((3, (Prize("points", "1"),)), (7, (Prize("points", "2"),)))
    activity = Activity("check_in", (), streak=rungs, streak_repeats=repeats)
    reached = [count for count, _prizes in activity.rungs_at(days)]
    expected = [
        count for count in (3, 7) if days == count or (repeats and (days - count) % 7 == 0 and days >= count)
    ]
    assert reached == expected


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.sampled_from(["day", "week", "month"]))
def test_a_treat_begins_on_or_before_the_birthday_and_not_long_before(birthday: date, within: str) -> None:
    begins = Treat(within=within).begins(birthday)
    assert timedelta(0) <= birthday - begins <= timedelta(days=30)
    if within == "week":
        assert begins.weekday() == 0
    if within == "month":
        assert (begins.day, begins.month) == (1, birthday.month)


@given(st.dates(date(1920, 1, 1), date(2010, 12, 31)), st.integers(2000, 2100))
def test_everybody_has_one_birthday_a_year_and_is_found_on_it(born: date, year: int) -> None:
    birthday = anniversary(born, year)
    assert birthday.year == year
    assert f"--{born:%m-%d}" in grant_terms.days_of_the_year(birthday)
    others = [birthday - timedelta(days=1), birthday + timedelta(days=1)]
    assert all(f"--{born:%m-%d}" not in grant_terms.days_of_the_year(day) for day in others)


def test_a_member_day_is_a_day_of_the_month_or_of_the_week() -> None:
    assert [day for day in range(1, 31) if MemberDay(days=(8, 18)).holds(date(2026, 11, day))] == [8, 18]
    assert [day for day in range(1, 15) if MemberDay(weekday="friday").holds(date(2026, 11, day))] == [6, 13]


# --- factors that stand behind the rules --------------------------------------------------------------


def test_factors_of_birthdays_and_member_days_are_rules_that_nobody_wrote() -> None:
    tiers = [
        {**tier, "benefits": {**tier["benefits"], "birthday": {"factor": "2", "within": within}}}
        for tier, within in zip(PROGRAMME["tiers"], ("day", "week", "month"), strict=True)
    ]
    programme = saved(tiers=tiers, activities={"member_day": {"days": [8], "factor": "1.5"}})
    assert [rule.code for rule in programme.standing] == [
        "birthday-basic",
        "birthday-silver",
        "birthday-gold",
        "member-day",
    ]
    assert programme.rules == ()
    assert "rules" not in document(programme)
