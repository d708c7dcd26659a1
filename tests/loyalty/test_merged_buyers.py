"""Two members who were merged are one buyer to every rule, and two again when it is undone (A6, B5)."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import bench, milestone_rounds, tiers
from loyalty.bench import Purchase
from loyalty.models import Grant
from loyalty.programme import parse
from members import merging, tags
from members.models import Member
from tests.trade import Trade, buyer, proven

pytestmark = pytest.mark.django_db

MEI, DOUBLE = buyer("mei"), buyer("double")


def bonus(code: str, points: int, field: str, op: str, value: object, **told: Any) -> dict[str, Any]:
    when = {"field": field, "op": op, "value": value}
    return {"code": code, "when": when, "then": {"bonus": points}, **told}


def trade_with(*rules: dict[str, Any], **sections: Any) -> Trade:
    return Trade(rules=rules, sections=sections)


def joined(trade: Trade, name: str) -> int:
    receipt = trade.buy(f"first-{name}", "0.00", buyer(name))
    assert receipt.member_id is not None
    return receipt.member_id


def merge(survivor: int, other: int, **choices: str) -> Callable[[], None]:
    """Merge two members; what is answered parts them again."""
    done = merging.merge(survivor, other, actor_id=None, reason="Same person", choices=choices)

    def part() -> None:
        merging.unmerge(done.pk, actor_id=None, reason="Two people")

    return part


def test_a_tag_of_either_is_a_tag_of_the_buyer(trade_of_tags: Trade) -> None:
    trade = trade_of_tags
    mei, double = joined(trade, "mei"), joined(trade, "double")
    tags.give(Member.objects.get(pk=double), "vip", actor_id=None)
    assert trade.buy("M1", "100", MEI).points == 100
    part = merge(mei, double)
    assert trade.buy("M2", "100", MEI).points == 107
    assert trade.buy("D1", "100", DOUBLE).points == 107
    part()
    assert trade.buy("M3", "100", MEI).points == 100
    assert trade.buy("D2", "100", DOUBLE).points == 107
    assert proven()


@pytest.fixture
def trade_of_tags() -> Trade:
    return trade_with(bonus("vip", 7, "member.tags", "contains", "vip"))


def test_the_birthday_that_was_chosen_is_the_birthday_of_both() -> None:
    trade = trade_with(bonus("birthday", 7, "member.is_birthday", "=", True))
    mei, double = joined(trade, "mei"), joined(trade, "double")
    at = trade.ago(3)
    day = at.astimezone(ZoneInfo("Asia/Shanghai")).date()
    for member_id, birthday in ((mei, day.replace(year=1990)), (double, date(1991, 1, 1))):
        member = Member.objects.get(pk=member_id)
        member.birthday = birthday
        member.save(update_fields=["birthday"])
    part = merge(double, mei, birthday="other")
    assert trade.buy("D1", "100", DOUBLE, at=at).points == 107
    assert trade.buy("M1", "100", MEI, at=at).points == 107
    part()
    assert trade.buy("D2", "100", DOUBLE, at=at).points == 100
    assert trade.buy("M2", "100", MEI, at=at).points == 107


def test_who_joined_first_joined_then_for_both() -> None:
    trade = trade_with(bonus("old", 7, "member.joined_days", ">=", 30))
    mei, double = joined(trade, "mei"), joined(trade, "double")
    Member.objects.filter(pk=mei).update(joined_at=trade.ago(40))
    Member.objects.filter(pk=double).update(joined_at=trade.ago(5))
    part = merge(double, mei)
    assert trade.buy("D1", "100", DOUBLE).points == trade.buy("M1", "100", MEI).points == 107
    part()
    assert trade.buy("D2", "100", DOUBLE).points == 100


def test_the_first_purchase_and_those_of_ninety_days_are_the_persons() -> None:
    trade = trade_with(
        bonus("first", 7, "order.first", "=", True), bonus("often", 70, "member.purchases_90d", ">=", 2)
    )
    mei, double = joined(trade, "mei"), joined(trade, "double")
    trade.buy("M1", "100", MEI, at=trade.ago(9))
    part = merge(mei, double)
    assert trade.buy("D1", "100", DOUBLE, at=trade.ago(8)).points == 100
    assert trade.buy("M2", "100", MEI, at=trade.ago(7)).points == 170
    part()
    assert trade.buy("D2", "100", DOUBLE, at=trade.ago(6)).points == 100
    assert trade.buy("D3", "100", DOUBLE, at=trade.ago(5)).points == 170


def test_what_a_rule_gives_beside_points_goes_by_the_same_purchases() -> None:
    first = {"field": "order.first", "op": "=", "value": True}
    ten = {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10"}
    trade = trade_with({"code": "hello", "when": first, "then": {"coupon": "TEN"}}, coupons=[ten])
    mei, double = joined(trade, "mei"), joined(trade, "double")
    trade.buy("M1", "100", MEI, at=trade.ago(9))
    merge(mei, double)
    trade.buy("D1", "100", DOUBLE, at=trade.ago(8))
    given = Grant.objects.filter(order__number__in=("M1", "D1")).values_list("order__number", flat=True)
    assert list(given) == ["M1"]


def test_limits_of_a_member_are_the_persons() -> None:
    trade = trade_with(bonus("much", 60, "order.paid", ">=", "10", limits={"per_member": 100}))
    mei, double = joined(trade, "mei"), joined(trade, "double")
    trade.buy("M1", "10", MEI)
    part = merge(mei, double)
    assert trade.buy("D1", "10", DOUBLE).points == 50
    assert trade.buy("M2", "10", MEI).points == 10
    part()
    assert trade.buy("M3", "10", MEI).points == 50
    assert trade.buy("D2", "10", DOUBLE).points == 70
    assert proven()


def test_two_members_of_one_person_in_one_batch_are_given_once() -> None:
    """A file brings orders of both; what is given once a person is given once."""
    three = {
        "code": "two",
        "when": {"field": "member.repurchases_year", "op": ">=", "value": 1},
        "then": {"points": 500},
        "once_per": "year",
    }
    trade = trade_with(activities={"first_purchase": {"points": 50}}, milestones=[three])
    mei, double = joined(trade, "mei"), joined(trade, "double")
    merge(mei, double)
    trade.receive([trade.order("D1", "10", DOUBLE), trade.order("M1", "10", MEI)])
    assert list(Grant.objects.order_by("code").values_list("code", "value")) == [
        ("first_purchase", "50"),
        ("two", "500"),
    ]
    trade.receive([trade.order("D2", "10", DOUBLE), trade.order("M2", "10", MEI)])
    assert Grant.objects.count() == 2
    assert trade.available(mei) == 590
    assert proven()


def test_a_milestone_falls_with_an_order_of_the_other_member() -> None:
    """Given under one member, completed by both: when an order of the other is undone it is asked again."""
    two = {
        "code": "two",
        "when": {"field": "member.repurchases_year", "op": ">=", "value": 2},
        "then": {"points": 500},
        "once_per": "year",
    }
    trade = trade_with(milestones=[two])
    mei, double = joined(trade, "mei"), joined(trade, "double")
    merge(mei, double)
    for minutes, (number, who) in enumerate((("M1", MEI), ("M2", MEI), ("D1", DOUBLE), ("D2", DOUBLE))):
        trade.buy(number, "10", who, at=trade.now - timedelta(minutes=9 - minutes))
    assert Grant.objects.get().member_id == double
    trade.refund("M1", "R1", "10")
    assert Grant.objects.get().state == "given"  # three are left, two of them after the first
    trade.refund("M2", "R2", "10")
    assert Grant.objects.get().state == "withdrawn"
    assert trade.available(mei) == 20
    assert proven()


def test_a_merge_alone_may_complete_a_milestone() -> None:
    two = {
        "code": "two",
        "when": {"field": "member.repurchases_year", "op": ">=", "value": 1},
        "then": {"points": 500},
        "once_per": "year",
    }
    trade = trade_with(milestones=[two])
    mei, double = joined(trade, "mei"), joined(trade, "double")
    trade.buy("M1", "10", MEI)
    trade.buy("D1", "10", DOUBLE)
    assert Grant.objects.count() == 0
    merge(mei, double)
    milestone_rounds.walk()
    milestone_rounds.walk()
    assert Grant.objects.get().value == "500"


def test_the_bench_and_the_history_look_at_the_person() -> None:
    trade = trade_with(bonus("often", 70, "member.purchases_90d", ">=", 1))
    mei, double = joined(trade, "mei"), joined(trade, "double")
    trade.buy("D1", "100", DOUBLE)
    assert [each.kept for each in tiers.whole_history(mei)] == [0]
    merge(mei, double)
    assert sorted(each.kept for each in tiers.whole_history(mei)) == [0, 0, 100]
    trial = bench.try_out(
        parse(trade.programme.document),
        Purchase(channel="tmall", net=Decimal(100), at=bench.now(), member_id=mei),
    )
    assert trial.points == trade.buy("M1", "100", MEI).points == 170


def test_a_batch_of_merged_buyers_asks_as_often_as_one(trade_of_tags: Trade) -> None:
    trade = trade_of_tags
    for n in range(5):
        mei, double = joined(trade, f"mei{n}"), joined(trade, f"double{n}")
        tags.give(Member.objects.get(pk=double), "vip", actor_id=None)
        merge(mei, double)

    def statements(label: str, people: range) -> int:
        facts = [trade.order(f"{label}{n}", "100", buyer(f"mei{n}")) for n in people]
        with CaptureQueriesContext(connection) as asked:
            receipts = trade.receive(facts)
        assert {receipt.points for receipt in receipts} == {107}
        return len(asked)

    assert statements("A", range(1)) == statements("B", range(5))


def test_a_birthday_that_was_not_chosen_is_nobodys() -> None:
    trade = trade_with(bonus("birthday", 7, "member.is_birthday", "=", True))
    mei, double = joined(trade, "mei"), joined(trade, "double")
    today = trade.now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    for member_id, birthday in ((mei, today.replace(year=1988)), (double, today - timedelta(days=40))):
        member = Member.objects.get(pk=member_id)
        member.birthday = birthday
        member.save(update_fields=["birthday"])
    merge(double, mei, birthday="survivor")
    assert trade.buy("M1", "100", MEI).points == trade.buy("D1", "100", DOUBLE).points == 100
