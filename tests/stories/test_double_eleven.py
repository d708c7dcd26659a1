"""Double Eleven: one day, one campaign, a crowd. It ends at midnight, and its limits hold to the point."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from loyalty import clock, orders
from loyalty.models import Coupon, Entry, RuleUse
from members.facts import OrderFact
from tests.races.threads import at_once, refusals
from tests.trade import Trade, buyer, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")


def the_last_eleventh_of_november() -> datetime:
    """The midnight it began with, at least two days ago."""
    day_before_yesterday = clock.read().recorded.astimezone(SHANGHAI) - timedelta(days=2)
    midnight = datetime(day_before_yesterday.year, 11, 11, tzinfo=SHANGHAI)
    return midnight if midnight <= day_before_yesterday else midnight.replace(year=midnight.year - 1)


@pytest.fixture
def midnight(db: None) -> datetime:
    return the_last_eleventh_of_november()


@pytest.fixture
def trade(midnight: datetime) -> Trade:
    """From 300 yuan on everything counts double on Tmall: 500 points a member and day, 1,200 in all."""
    campaign = {
        "code": "double-eleven",
        "from": midnight.isoformat(),
        "to": (midnight + timedelta(days=1)).isoformat(),
        "when": {
            "all": [
                {"field": "order.channel", "op": "in", "value": ["tmall"]},
                {"field": "order.paid", "op": ">=", "value": "300"},
            ]
        },
        "then": {"factor": "2"},
        "limits": {"per_member": 2000, "per_member_day": 500, "budget": 1200},
    }
    return Trade(rules=[campaign], expiry="never")


# Who, net in yuan, hours after the midnight that begins the day, points it earns, and why.
DAY: list[tuple[str, str, float, int, str]] = [
    ("mei", "400.00", -1 / 3600, 400, "a second too early"),
    ("mei", "350.00", 0, 700, "the first instant of the day counts"),
    ("mei", "300.00", 20, 450, "500 a day: 150 of 300 fit"),
    ("bo", "299.99", 20.5, 299, "a cent short of 300"),
    ("cai", "600.00", 21, 1100, "500 of 600 fit"),
    ("mei", "1000.00", 21.5, 1000, "the day is used up"),
    ("dai", "310.00", 22, 510, "the budget's last 200"),
    ("en", "300.00", 23, 300, "nothing is left for anybody"),
    ("dai", "320.00", 24, 320, "midnight: it is over"),
]


def facts(trade: Trade, midnight: datetime) -> list[OrderFact]:
    return [
        trade.order(f"T{n}", net, buyer(who), at=midnight + timedelta(hours=hours))
        for n, (who, net, hours, _points, _why) in enumerate(DAY)
    ]


def earned(receipts: list[Any]) -> dict[str, int]:
    return {receipt.number: receipt.points for receipt in receipts}


EXPECTED = {f"T{n}": points for n, (_who, _net, _hours, points, _why) in enumerate(DAY)}


def test_one_file_over_midnight_is_settled_in_the_order_of_the_day(trade: Trade, midnight: datetime) -> None:
    receipts = orders.receive(trade.tmall, facts(trade, midnight)[::-1])  # platforms list the latest first
    assert earned(receipts) == EXPECTED
    assert sum(RuleUse.objects.values_list("points", flat=True)) == 1200
    assert proven()


def test_one_by_one_it_ends_the_same(trade: Trade, midnight: datetime) -> None:
    receipts = [orders.receive(trade.tmall, [fact])[0] for fact in facts(trade, midnight)]
    assert earned(receipts) == EXPECTED
    assert proven()


def test_what_was_cut_is_told_with_its_numbers(trade: Trade, midnight: datetime) -> None:
    receipts = orders.receive(trade.tmall, facts(trade, midnight))
    why = {receipt.number: receipt.why.get("rules") for receipt in receipts}
    assert why["T2"] == [
        {
            "code": "double-eleven",
            "added": 150,
            "factor": "2",
            "cut_from": 300,
            "cut_by": {"per_member_day": 150},
        }
    ]
    assert why["T7"] == [
        {"code": "double-eleven", "added": 0, "factor": "2", "cut_from": 300, "cut_by": {"budget": 0}}
    ]
    assert why["T3"] is None


def test_the_same_file_again_finds_the_budget_spent_and_changes_nothing(
    trade: Trade, midnight: datetime
) -> None:
    orders.receive(trade.tmall, facts(trade, midnight))
    before = Entry.objects.count()
    again = orders.receive(trade.tmall, facts(trade, midnight))
    assert {receipt.outcome for receipt in again} == {"same"}
    assert earned(again) == EXPECTED
    assert Entry.objects.count() == before


def test_an_order_heard_days_later_is_priced_by_the_day_it_was_paid(trade: Trade, midnight: datetime) -> None:
    late = trade.order("LATE", "400.00", buyer("fei"), at=midnight + timedelta(hours=12))
    (receipt,) = orders.receive(trade.tmall, [late])
    assert receipt.points == 800
    assert RuleUse.objects.get().day == midnight.date()


def test_a_refund_gives_back_the_doubled_points_too(trade: Trade, midnight: datetime) -> None:
    orders.receive(trade.tmall, facts(trade, midnight))
    assert trade.refund("T1", "R1", "350.00").points_taken == 700
    assert trade.refund("T4", "R2", "300.00").points_taken == 550  # of 1,100 for 600 yuan
    assert proven()


# --- a thousand orders a minute -----------------------------------------------------------------------

BUDGET, GIFTS = 20_000, 100


def rush(midnight: datetime) -> Trade:
    """The last minutes of the day: points from a budget, and coupons as long as there are any."""
    day = {"from": midnight.isoformat(), "to": (midnight + timedelta(days=1)).isoformat()}
    rules = [
        {"code": "rush", **day, "then": {"factor": "2"}, "limits": {"per_member_day": 400, "budget": BUDGET}},
        {"code": "thanks", **day, "then": {"coupon": "THANKS"}},
    ]
    thanks = {
        "code": "THANKS",
        "name": {"en": "Thanks"},
        "kind": "amount",
        "value": "5",
        "quota": GIFTS,
        "per_member": 2,
    }
    return Trade(rules=rules, sections={"coupons": [thanks]}, expiry="never")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_thousand_orders_through_four_doors_over_midnight(midnight: datetime) -> None:
    trade = rush(midnight)
    last_minute = midnight + timedelta(days=1, seconds=-30)
    facts = [
        trade.order(f"R{n}", "100.00", buyer(f"b{n % 250}"), at=last_minute + timedelta(seconds=n % 60))
        for n in range(1000)
    ]
    doors = [facts[door::4] for door in range(4)]
    told = at_once(
        *[
            lambda mine=mine: [
                receipt
                for start in range(0, len(mine), 50)
                for receipt in orders.receive(trade.tmall, mine[start : start + 50])
            ]
            for mine in doors
        ]
    )
    assert refusals(told) == []
    receipts = [receipt for answer in told for receipt in answer]
    assert len({receipt.order_id for receipt in receipts}) == 1000

    late = {fact.number for fact in facts if fact.paid_at and fact.paid_at >= midnight + timedelta(days=1)}
    assert len(late) > 400
    assert all(receipt.points == 100 for receipt in receipts if receipt.number in late), "midnight is over"
    assert sum(RuleUse.objects.values_list("points", flat=True)) == BUDGET, "to the point"
    by_member = RuleUse.objects.values_list("wallet_id").annotate(points=Sum("points"))
    assert max(points for _wallet, points in by_member) <= 400
    assert Coupon.objects.count() == GIFTS
    assert not Coupon.objects.filter(order__number__in=late).exists()
    assert max(Counter(Coupon.objects.values_list("member_id", flat=True)).values()) <= 2
    assert Entry.objects.filter(kind="earn").count() == 1000
    assert proven()
