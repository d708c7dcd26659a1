"""Limits cut, they do not cancel: per member, per day and month of the member, and in all (B5)."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import clock, limits, orders, publishing
from loyalty.earning import Room
from loyalty.limits import Limits
from loyalty.models import RuleUse
from loyalty.programme import Rule, parse
from tests.trade import PROGRAMME, Trade, buyer, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 31)


def rule(**limited: int) -> dict[str, Any]:
    return {"code": "double", "then": {"factor": "2"}, "limits": limited}


def rules_of(**limited: int) -> tuple[Rule, ...]:
    return parse({**PROGRAMME, "rules": [rule(**limited), {"code": "free", "then": {"bonus": 5}}]}).rules


def none_given() -> Limits:
    return Limits(frozenset({"double"}))


# --- how much room there is ---------------------------------------------------------------------------


def test_a_rule_without_limits_is_never_cut() -> None:
    room = none_given().room(rules_of(), 1, DAY)
    assert room.cut("double", 1_000_000) == 1_000_000
    assert room.cut("free", 5) == 5


def test_what_still_fits_is_given_and_used_up() -> None:
    room = Room({"double": 150})
    assert [room.cut("double", 100) for _ in range(3)] == [100, 50, 0]


@pytest.mark.parametrize(
    ("limited", "used", "left"),
    [
        ({"per_member": 500}, [(1, DAY, 200), (1, date(2025, 1, 1), 100)], 200),
        ({"per_member": 500}, [(2, DAY, 500)], 500),  # another member's
        ({"per_member_day": 100}, [(1, DAY, 70), (1, DAY - timedelta(days=1), 100)], 30),
        ({"per_member_month": 100}, [(1, date(2026, 3, 1), 60), (1, date(2026, 2, 28), 99)], 40),
        ({"per_member_month": 100}, [(1, date(2025, 3, 31), 60)], 100),  # the same month of another year
        ({"budget": 1000}, [(1, DAY, 400), (2, DAY, 500)], 100),
        ({"budget": 1000}, [(2, DAY, 1200)], 0),  # a budget that was lowered
        ({"per_member": 500, "per_member_day": 100, "budget": 1000}, [(1, DAY, 90), (2, DAY, 850)], 10),
    ],
)
def test_the_tightest_limit_holds(
    limited: dict[str, int], used: list[tuple[int, date, int]], left: int
) -> None:
    found = none_given()
    for wallet, day, points in used:
        found.use(wallet, day, {"double": points})
    assert found.room(rules_of(**limited), 1, DAY).left == {"double": left}


def test_the_limits_that_cut_first_are_known_with_what_is_left_of_them() -> None:
    found = none_given()
    found.use(1, DAY, {"double": 40})
    room = found.room(rules_of(per_member_day=100, per_member=200, budget=100), 1, DAY)
    assert room.tightest("double") == {"per_member_day": 60, "budget": 60}
    assert (room.cut("double", 50), room.tightest("double")) == (50, {"per_member_day": 10, "budget": 10})
    assert (room.cut("double", 50), room.tightest("free")) == (10, {})


def test_a_rule_without_limits_leaves_no_trace() -> None:
    found = none_given()
    found.use(1, DAY, {"free": 5})
    assert (dict(found.total), dict(found.by_day)) == ({}, {})


# --- read off what was given --------------------------------------------------------------------------


def earned(trade: Trade, *purchases: tuple[str, str, datetime]) -> list[int]:
    """Points of orders, one by one, as `(buyer, net, paid at)`."""
    count = RuleUse.objects.count() * 100
    facts = [
        trade.order(f"T{count + n}", net, buyer(who), at=at) for n, (who, net, at) in enumerate(purchases)
    ]
    return [orders.receive(trade.tmall, [fact])[0].points for fact in facts]


def noon(days_ago: int = 0) -> datetime:
    today = datetime.now(SHANGHAI) - timedelta(days=1 + days_ago)
    return today.replace(hour=12, minute=0, second=0, microsecond=0)


def test_a_members_day_is_by_the_clocks_of_the_programme(db: None) -> None:
    trade = Trade(rules=[rule(per_member_day=100)])
    evening, night = noon(1) + timedelta(hours=11), noon(1) + timedelta(hours=13)  # one day in UTC
    points = earned(trade, ("mei", "80", evening), ("mei", "80", evening), ("mei", "80", night))
    assert points == [160, 100, 160]
    assert sorted(RuleUse.objects.values_list("day", "points")) == [
        (evening.date(), 20),
        (evening.date(), 80),
        (night.date(), 80),
    ]
    assert proven()


def test_a_members_month_ends_with_the_month(db: None) -> None:
    trade = Trade(rules=[rule(per_member_month=100)], expiry="never")
    last = noon().replace(day=1) - timedelta(days=1)
    points = earned(
        trade,
        ("mei", "90", last - timedelta(days=3)),
        ("mei", "90", last),
        ("mei", "90", last + timedelta(days=1)),
        ("bo", "90", last),
    )
    assert points == [180, 100, 180, 180]
    assert proven()


def test_a_budget_is_one_for_all(db: None) -> None:
    trade = Trade(rules=[rule(budget=150)])
    assert earned(trade, *[(who, "60", noon()) for who in ("mei", "bo", "cai", "dai")]) == [120, 120, 90, 60]
    assert sum(RuleUse.objects.values_list("points", flat=True)) == 150
    assert proven()


def test_a_bonus_is_cut_too(db: None) -> None:
    trade = Trade(rules=[{"code": "hello", "then": {"bonus": 50}, "limits": {"per_member": 80}}])
    assert earned(trade, *[("mei", "10", noon()) for _ in range(3)]) == [60, 40, 10]
    assert proven()


def test_a_budget_goes_on_in_the_next_version_of_the_programme(db: None) -> None:
    trade = Trade(rules=[rule(budget=150)])
    earned(trade, ("mei", "100", noon()))
    later = {**PROGRAMME, "points": {"base_per_yuan": "3"}, "rules": [rule(budget=150)]}
    publishing.load({**later, "effective_from": noon(1).isoformat()}, environment="demo")
    assert earned(trade, ("bo", "100", noon())) == [300 + 50]


def test_what_a_refund_takes_back_does_not_come_back_to_the_budget(db: None) -> None:
    """Else a crowd that buys and returns could keep a campaign open for ever."""
    trade = Trade(rules=[rule(budget=100)])
    trade.buy("A", "100", buyer("mei"))
    trade.refund("A", "R1", "100")
    assert trade.buy("B", "100", buyer("bo")).points == 100
    assert proven()


def test_a_programme_without_limits_asks_the_database_nothing(
    trade: Trade, django_assert_num_queries: Any
) -> None:
    programme = publishing.current().programme
    with django_assert_num_queries(0):
        assert limits.load(programme.rules, [1, 2]).codes == frozenset()


def test_a_batch_asks_as_often_as_one_order(db: None, django_assert_num_queries: Any) -> None:
    Trade(rules=[rule(budget=100, per_member=50)])
    programme = publishing.current().programme
    for wallets in ([1], list(range(500))):
        with django_assert_num_queries(3):
            limits.load(programme.rules, wallets)


@pytest.mark.parametrize(("ends", "asked"), [(1, True), (-1, False)])
def test_of_a_rule_that_has_ended_nothing_is_asked(db: None, ends: int, asked: bool) -> None:
    at = clock.read().now + timedelta(days=ends)
    trade = Trade(rules=[{**rule(budget=100), "to": at.isoformat()}])
    with CaptureQueriesContext(connection) as queries:
        assert trade.buy("A", "100", buyer("mei")).points == (200 if asked else 100)
    assert any("loyalty_ruleuse" in query["sql"] for query in queries) is asked


def test_an_order_is_limited_by_the_version_it_was_paid_under(db: None) -> None:
    trade = Trade(rules=[rule(per_member=50)])
    later = noon()
    generous = {**PROGRAMME, "rules": [rule(per_member=500)], "effective_from": later.isoformat()}
    publishing.load(generous, environment="demo")
    before, after = later - timedelta(hours=1), later + timedelta(hours=1)
    facts = [
        trade.order("T1", "100", buyer("mei"), at=before),
        trade.order("T2", "100", buyer("mei"), at=after),
    ]
    together = [receipt.points for receipt in orders.receive(trade.tmall, facts)]
    assert together == [150, 200], "50 of 100 by the first version, then all of 100 by the second"
    assert proven()
