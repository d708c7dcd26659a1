"""Milestones: what is counted, when it is asked, and the nightly round that misses nobody (B10)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty import accounts, activities, clock, milestone_rounds, publishing, tier_events
from loyalty.milestones import Moment, moments, months_in_a_row, repurchases
from loyalty.models import Grant
from loyalty.tiers import Purchase
from members import tags
from members.models import Member
from privacy import approvals, roles
from tests.trade import PROGRAMME, Trade, buyer, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")
MEI = buyer("mei")


def bought(*days: str, kept: str = "10") -> list[Purchase]:
    """Purchases at noon in Shanghai, numbered from one."""
    return [
        Purchase(datetime.fromisoformat(f"{day}T04:00:00+00:00"), Decimal(kept), number)
        for number, day in enumerate(days, 1)
    ]


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")


# --- counting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "asked", "count"),
    [
        ([], "2026-11-01", 0),
        (["2026-01-01"], "2026-11-01", 0),  # the first purchase of all is none
        (["2026-01-01", "2026-01-01"], "2026-11-01", 1),
        (["2025-06-01", "2026-01-01"], "2026-11-01", 1),  # its first of the year is a repurchase
        (["2025-06-01", "2025-07-01", "2026-01-01"], "2026-11-01", 1),
        (["2026-01-01", "2026-05-01", "2026-12-01"], "2026-11-01", 1),  # not what comes later
    ],
)
def test_repurchases_are_those_of_the_calendar_year_after_the_first_of_all(
    days: list[str], asked: str, count: int
) -> None:
    assert repurchases(bought(*days), at(asked), SHANGHAI) == count


def test_what_came_to_nothing_is_no_purchase() -> None:
    nothing = bought("2026-01-01", kept="0")
    assert repurchases([*nothing, *bought("2026-02-01", "2026-03-01")], at("2026-11-01"), SHANGHAI) == 1


def test_a_year_ends_at_the_programmes_midnight() -> None:
    new_year = [*bought("2025-01-01"), Purchase(datetime(2025, 12, 31, 17, tzinfo=UTC), Decimal(1), 2)]
    assert repurchases(new_year, at("2026-01-01"), SHANGHAI) == 1


@pytest.mark.parametrize(
    ("days", "count"),
    [
        (["2026-01-01", "2026-09-01", "2026-10-01", "2026-11-01"], 3),
        (["2026-01-01", "2026-09-01", "2026-11-01"], 1),  # a month without
        (["2026-09-01", "2026-10-01"], 0),  # none this month
        (["2025-10-01", "2025-12-31", "2026-01-02"], 0),
        (["2026-10-01", "2026-11-01", "2026-11-02"], 1),  # twice a month counts once
    ],
)
def test_months_in_a_row_end_with_this_month(days: list[str], count: int) -> None:
    assert months_in_a_row(bought(*days), at("2026-11-20"), SHANGHAI) == count


def test_a_past_year_is_asked_at_its_end_and_this_one_now() -> None:
    found = moments(bought("2025-06-01", "2026-02-01"), {2025, 2026}, at("2026-11-20"), SHANGHAI)
    assert found == [
        Moment(at("2026-11-20"), 2),
        Moment(datetime(2025, 12, 31, 23, 59, 59, tzinfo=SHANGHAI), 1, is_past=True),
    ]


# --- the nightly round --------------------------------------------------------------------------------

LOYAL = {
    "code": "loyal",
    "when": {"field": "member.joined_days", "op": ">=", "value": 365},
    "then": {"points": 100},
    "once_per": "ever",
}


def milestone(**told: Any) -> dict[str, Any]:
    return {
        "code": "two",
        "when": {"field": "member.repurchases_year", "op": ">=", "value": 1},
        "then": {"points": 20},
        "once_per": "year",
        **told,
    }


def publish(**sections: Any) -> None:
    publishing.load({**PROGRAMME, **sections}, environment="demo")


def test_the_round_gives_what_was_missed_and_gives_it_once(db: None) -> None:
    trade = Trade()
    member = 0
    for number in range(2):
        at_ = clock.read().recorded - timedelta(minutes=9 - number)
        member = trade.buy(f"T{number}", "10", MEI, at=at_).member_id or 0
    publish(milestones=[milestone()])  # a programme that came after the orders
    assert [milestone_rounds.walk().given for _ in range(2)] == [1, 0]
    assert trade.available(member) == 40
    assert proven()


def test_what_time_alone_brings_is_asked_of_everybody(db: None) -> None:
    trade = Trade(sections={"milestones": [LOYAL]})
    told = [buyer("mei", joined_at=trade.ago(365)), buyer("bo", joined_at=trade.ago(364))]
    mei, _bo = accounts.receive(trade.tmall, told)
    ran = milestone_rounds.walk()
    assert (ran.members, ran.given) == (2, 1)
    assert list(Grant.objects.values_list("member", flat=True)) == [mei.member_id]
    clock.move(timedelta(days=1))
    assert milestone_rounds.walk().given == 1


def test_a_tag_may_be_a_milestone(db: None) -> None:
    when = {"field": "member.tags", "op": "contains", "value": "vip"}
    trade = Trade(sections={"milestones": [{**LOYAL, "when": when}]})
    (mei,) = accounts.receive(trade.tmall, [MEI])
    assert milestone_rounds.walk().given == 0
    tags.give(Member.objects.get(pk=mei.member_id), "vip", actor_id=None)
    assert milestone_rounds.walk().given == 1


def test_without_milestones_nobody_is_asked(db: None) -> None:
    trade = Trade()
    trade.buy("T1", "10", MEI)
    assert milestone_rounds.walk().members == 0


def test_who_did_nothing_lately_is_not_asked_for_what_orders_bring(db: None) -> None:
    trade = Trade(sections={"milestones": [milestone()]})
    accounts.receive(trade.tmall, [MEI])
    trade.buy("T1", "10", buyer("bo"))
    assert milestone_rounds.walk().members == 1


def test_reached_too_long_ago_it_is_used_up_and_nothing_is_given(db: None) -> None:
    trade = Trade(sections={"milestones": [milestone()]})
    old = clock.read().recorded - timedelta(days=800)
    for number in range(2):
        trade.buy(f"T{number}", "10", MEI, at=old + timedelta(hours=number))
    grant = Grant.objects.get()
    assert (grant.state, grant.refusal) == ("not_given", "too_late")
    assert milestone_rounds.walk().given == 0


# --- without an order ---------------------------------------------------------------------------------

STUDY_TRIP = {
    "code": "trip",
    "when": {"field": "member.tier", "op": "=", "value": "gold"},
    "then": {"points": 500},
    "once_per": "ever",
}


def test_a_tier_given_by_hand_is_asked_about_at_once(db: None) -> None:
    trade = Trade(sections={"milestones": [STUDY_TRIP]})
    mei = trade.buy("T1", "10", MEI).member_id
    assert mei is not None
    lin, boss = (roles.make_staff(name, role)[0] for name, role in (("lin", "service"), ("boss", "admin")))
    until = clock.read().now + timedelta(days=90)
    asked = tier_events.ask(Member.objects.get(pk=mei), "gold", until, "Long with us", lin)
    assert trade.available(mei) == 10
    approvals.approve(asked.pk, boss)
    assert trade.available(mei) == 510
    assert milestone_rounds.walk().given == 0
    assert proven()


def test_a_tier_reached_by_an_activity_is_asked_about_at_once(db: None) -> None:
    silver = {"growth": 100, "window": {"months": 12}}
    basic, second, _gold = PROGRAMME["tiers"]
    when = {"field": "member.tier", "op": "=", "value": "silver"}
    sections = {
        "tiers": [basic, {**second, "qualify": silver}],
        "growth": {"per_yuan": "1"},
        "activities": {"check_in": {"growth": 100, "points": 1}},
        "milestones": [{**STUDY_TRIP, "when": when}],
    }
    trade = Trade(sections=sections)
    mei = trade.buy("T1", "10", MEI).member_id
    assert mei is not None
    receipt = activities.do(mei, "check_in", channel=trade.tmall)
    assert receipt.figures.available == trade.available(mei) == 10 + 1 + 500
    assert proven()
