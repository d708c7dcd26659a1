"""What an order is an occasion for: first purchases, gifts of rules, milestones; and undoing it (B5, B10)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import clock, orders
from loyalty.models import Claim, Coupon, Grant
from members.facts import OrderStatus
from members.models import Member
from tests.trade import Trade, buyer, proven

MEI = buyer("mei")
TEN = {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10", "valid": {"days": 30}}
TOTE = {"code": "TOTE", "name": {"en": "Tote"}, "kind": "gift", "points": 500, "stock": 2}
WELCOME = {"first_purchase": {"points": 50}}


def trade_with(**sections: Any) -> Trade:
    return Trade(sections=sections)


def rows(**narrowed: Any) -> list[tuple[str, str, str, str]]:
    found = Grant.objects.filter(**narrowed).order_by("id")
    return list(found.values_list("code", "prize", "value", "state"))


# --- the first purchase -------------------------------------------------------------------------------


def test_the_first_purchase_is_given_once(db: None) -> None:
    trade = trade_with(activities=WELCOME)
    first = trade.buy("T1", "100", MEI)
    second = trade.buy("T2", "100", MEI)
    assert [(each.wish.prize.value, each.state) for each in first.given] == [("50", "given")]
    assert second.given == ()
    assert rows() == [("first_purchase", "points", "50", "given")]
    assert trade.available(first.member_id or 0) == 250
    assert proven()


def test_it_is_the_first_that_was_bought_and_not_the_first_that_was_heard_of(db: None) -> None:
    trade = trade_with(activities=WELCOME)
    orders.receive(
        trade.tmall,
        [trade.order("T2", "100", MEI, at=trade.ago(1)), trade.order("T1", "100", MEI, at=trade.ago(2))],
    )
    assert Grant.objects.get().order.number == "T1"  # type: ignore[union-attr]


def test_who_bought_years_ago_makes_no_first_purchase_now(db: None) -> None:
    trade = trade_with(activities=WELCOME)
    trade.buy("T1", "100", MEI, at=trade.ago(400))
    trade.buy("T2", "100", MEI)
    assert rows() == []


def test_a_full_refund_takes_the_points_back_and_the_next_purchase_is_the_first(db: None) -> None:
    trade = trade_with(activities=WELCOME)
    member = trade.buy("T1", "100", MEI, at=trade.ago(2)).member_id or 0
    trade.refund("T1", "R1", "60")
    assert rows() == [("first_purchase", "points", "50", "given")]
    trade.refund("T1", "R2", "40")
    assert (trade.figures(member).balance, rows()) == (0, [("first_purchase", "points", "50", "withdrawn")])
    trade.buy("T2", "10", MEI)
    assert trade.available(member) == 60
    assert [row[3] for row in rows()] == ["withdrawn", "given"]
    assert proven()


def test_when_the_first_comes_to_nothing_the_second_takes_its_place_at_once(db: None) -> None:
    trade = trade_with(activities=WELCOME)
    member = trade.buy("T1", "100", MEI, at=trade.ago(2)).member_id or 0
    trade.buy("T2", "10", MEI, at=trade.ago(1))
    trade.refund("T1", "R1", "100")
    assert trade.available(member) == 60
    assert list(Grant.objects.order_by("id").values_list("order__number", "state")) == [
        ("T1", "withdrawn"),
        ("T2", "given"),
    ]
    trade.refund("T2", "R2", "10")
    assert trade.figures(member).balance == 0
    assert proven()


def test_points_of_a_first_purchase_that_were_spent_are_owed(db: None) -> None:
    trade = trade_with(activities=WELCOME)
    member = trade.buy("T1", "100", MEI).member_id or 0
    trade.spend(member, 150)
    trade.refund("T1", "R1", "100")
    assert trade.figures(member).debt == 150
    assert proven()


# --- what rules give ----------------------------------------------------------------------------------


def rule(code: str, then: dict[str, Any], **told: Any) -> dict[str, Any]:
    return {"code": code, "then": then, **told}


def over(amount: str) -> dict[str, Any]:
    return {"field": "order.paid", "op": ">=", "value": amount}


def test_a_rule_gives_a_coupon_for_each_order_that_it_holds_for(db: None) -> None:
    trade = trade_with(rules=[rule("ten", {"coupon": "TEN"}, when=over("100"))], coupons=[TEN])
    small, large = trade.buy("T1", "99", MEI), trade.buy("T2", "100", MEI)
    trade.buy("T2", "100", MEI)
    assert (small.given, [each.wish.prize for each in large.given]) == ((), [("coupon", "TEN")])
    coupon = Coupon.objects.get()
    grant = Grant.objects.get()
    assert (coupon.member_id, grant.coupon_id, grant.order.number) == (large.member_id, coupon.pk, "T2")  # type: ignore[union-attr]
    assert grant.why["facts"] == {"order.paid": "100.00"}


def test_a_rule_may_give_points_and_a_gift_together(db: None) -> None:
    both = rule("both", {"bonus": 30, "gift": "TOTE"})
    trade = trade_with(rules=[both], rewards=[TOTE])
    receipt = trade.buy("T1", "100", MEI)
    assert receipt.points == 130
    assert (Claim.objects.get().points, Claim.objects.get().member_id) == (0, receipt.member_id)
    assert proven()


def test_an_exclusive_rule_stops_gifts_and_points_after_it(db: None) -> None:
    first = rule("first", {"coupon": "TEN"}, exclusive=True)
    trade = trade_with(
        rules=[first, rule("gift", {"gift": "TOTE"}), rule("double", {"factor": "2"})],
        coupons=[TEN],
        rewards=[TOTE],
    )
    assert trade.buy("T1", "100", MEI).points == 100
    assert rows() == [("first", "coupon", "TEN", "given")]


def test_the_tier_that_counts_is_that_of_the_moment(db: None) -> None:
    """The order that makes somebody silver was bought in the tier before."""
    silver = {"field": "member.tier", "op": "=", "value": "silver"}
    trade = trade_with(rules=[rule("silver", {"coupon": "TEN"}, when=silver)], coupons=[TEN])
    for number in range(6):
        trade.buy(f"T{number}", "700", MEI, at=trade.ago(10 - number))
    assert list(Grant.objects.values_list("order__number", flat=True)) == ["T5"]


def test_a_cancelled_order_loses_its_unused_coupon_and_its_open_gift(db: None) -> None:
    both = [rule("ten", {"coupon": "TEN"}), rule("tote", {"gift": "TOTE"})]
    trade = trade_with(rules=both, coupons=[TEN], rewards=[TOTE])
    trade.buy("T1", "100", MEI, status=OrderStatus.PAID)
    trade.buy("T1", "100", MEI, status=OrderStatus.CANCELLED)
    assert [row[3] for row in rows()] == ["withdrawn", "withdrawn"]
    assert (Coupon.objects.get().state, Claim.objects.get().state) == ("withdrawn", "cancelled")


def test_what_was_used_stays(db: None) -> None:
    trade = trade_with(rules=[rule("ten", {"coupon": "TEN"})], coupons=[TEN])
    trade.buy("T1", "100", MEI)
    Coupon.objects.update(state=Coupon.State.USED)
    trade.refund("T1", "R1", "100")
    assert rows() == [("ten", "coupon", "TEN", "given")]


def test_an_order_that_is_anothers_gives_to_that_other(db: None) -> None:
    trade = trade_with(rules=[rule("ten", {"coupon": "TEN"})], coupons=[TEN])
    trade.buy("T1", "100", MEI)
    bo = trade.buy("T1", "100", buyer("bo")).member_id
    assert list(Grant.objects.order_by("id").values_list("state", flat=True)) == ["withdrawn", "given"]
    assert Grant.objects.get(state="given").member_id == bo


def test_a_refusal_is_no_error_of_the_order(db: None) -> None:
    trade = trade_with(rules=[rule("none", {"coupon": "NOSUCH"})])
    receipt = trade.buy("T1", "100", MEI)
    assert (receipt.outcome, receipt.points) == ("new", 100)
    assert [(each.state, each.refusal) for each in receipt.given] == [("not_given", "no_such_coupon")]


def test_a_file_of_past_years_sends_nobody_a_coupon(db: None) -> None:
    trade = trade_with(rules=[rule("ten", {"coupon": "TEN"})], coupons=[TEN])
    trade.buy("T1", "100", MEI, at=trade.ago(31))
    trade.buy("T2", "100", MEI, at=trade.ago(29))
    assert list(Grant.objects.values_list("order__number", flat=True)) == ["T2"]


# --- factors of birthdays and member days -------------------------------------------------------------


def test_on_a_member_day_points_count_by_its_factor(db: None) -> None:
    now = clock.read().now + timedelta(hours=8)
    trade = trade_with(activities={"member_day": {"days": [now.day], "factor": "1.5"}})
    receipt = trade.buy("T1", "100", MEI)
    assert receipt.points == 150
    assert receipt.why["rules"] == [{"code": "member-day", "added": 50, "factor": "1.5"}]


def test_a_batch_costs_the_same_for_one_and_for_fifty(db: None) -> None:
    trade = trade_with(
        activities=WELCOME,
        rules=[rule("ten", {"coupon": "TEN"}, when=over("100"))],
        coupons=[TEN],
        milestones=[MILESTONE],
    )

    def asked(prefix: str, count: int) -> int:
        facts = [trade.order(f"{prefix}{n}", "100", buyer(f"{prefix}{n}")) for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            orders.receive(trade.tmall, facts)
        return len(queries)

    asked("warm", 2)
    assert asked("a", 1) == asked("b", 50)
    assert proven()


# --- milestones ---------------------------------------------------------------------------------------

MILESTONE: dict[str, Any] = {
    "code": "three",
    "when": {"field": "member.repurchases_year", "op": ">=", "value": 3},
    "then": {"points": 500},
    "once_per": "year",
}


def this_year(day: int) -> datetime:
    """A day of December of last year is not of this year; days are counted back from now within it."""
    return clock.read().now - timedelta(minutes=30 - day)


def test_the_third_repurchase_is_a_milestone_once_a_year(db: None) -> None:
    trade = trade_with(milestones=[MILESTONE])
    receipts = [trade.buy(f"T{n}", "10", MEI, at=this_year(n)) for n in range(6)]
    assert [len(receipt.given) for receipt in receipts] == [0, 0, 0, 1, 0, 0]
    grant = Grant.objects.get()
    assert (grant.why["facts"], grant.order.number) == ({"member.repurchases_year": "3"}, "T3")  # type: ignore[union-attr]
    assert proven()


def test_only_who_may_have_come_to_it_is_looked_at_closely(db: None) -> None:
    trade = trade_with(milestones=[MILESTONE])
    whole_histories = []
    for n in range(6):
        with CaptureQueriesContext(connection) as asked:
            trade.buy(f"T{n}", "10", MEI, at=this_year(n))
        whole_histories.append(sum("ORDER BY member_id, paid_at" in each["sql"] for each in asked))
    # Two purchases could bring nobody there; the fourth is the third repurchase, and then it was given.
    assert whole_histories == [0, 0, 1, 1, 0, 0]
    assert rows() == [("three", "points", "500", "given")]


def test_told_in_any_order_it_is_reached_once(db: None) -> None:
    trade = trade_with(milestones=[MILESTONE])
    for n in (4, 0, 3, 1, 2):
        trade.buy(f"T{n}", "10", MEI, at=this_year(n))
    assert rows() == [("three", "points", "500", "given")]


def test_last_years_purchases_told_now_count_for_last_year(db: None) -> None:
    trade = trade_with(milestones=[{**MILESTONE, "when": {**MILESTONE["when"], "value": 1}}])
    last_year = datetime(clock.read().now.year - 1, 12, 20, tzinfo=UTC)
    for n in range(2):
        trade.buy(f"T{n}", "10", MEI, at=last_year + timedelta(days=n))
    grant = Grant.objects.get()
    assert grant.why["period"] == str(last_year.year)
    late = clock.read().now - grant.happened_at > timedelta(days=30)
    assert grant.state == ("not_given" if late else "given")
    assert grant.refusal == ("too_late" if late else "")


def test_it_is_taken_back_when_what_completed_it_comes_to_nothing(db: None) -> None:
    trade = trade_with(milestones=[MILESTONE])
    for n in range(4):
        member = trade.buy(f"T{n}", "10", MEI, at=this_year(n)).member_id or 0
    trade.refund("T1", "R1", "10")
    assert rows() == [("three", "points", "500", "withdrawn")]
    assert trade.available(member) == 30
    trade.buy("T9", "10", MEI, at=this_year(9))
    assert trade.available(member) == 540
    assert proven()


def test_it_stays_while_it_holds_without_the_order_that_completed_it(db: None) -> None:
    trade = trade_with(milestones=[MILESTONE])
    for n in range(5):
        trade.buy(f"T{n}", "10", MEI, at=this_year(n))
    trade.refund("T3", "R1", "10")
    assert rows() == [("three", "points", "500", "given")]


def test_the_first_time_in_a_tier_is_one_for_ever(db: None) -> None:
    silver = {
        "code": "silver",
        "when": {"field": "member.tier", "op": "=", "value": "silver"},
        "then": {"coupon": "TEN"},
    }
    trade = trade_with(milestones=[silver], coupons=[TEN])
    receipts = [trade.buy(f"T{n}", "700", MEI, at=trade.ago(10 - n)) for n in range(7)]
    assert [len(receipt.given) for receipt in receipts] == [0, 0, 0, 0, 1, 0, 0]
    assert Grant.objects.get().why["period"] == "ever"


def test_a_milestone_may_be_one_order(db: None) -> None:
    big = {"code": "big", "when": over("1000"), "then": {"points": 5}, "once_per": "order"}
    trade = trade_with(milestones=[big])
    for number in ("T1", "T2"):
        trade.buy(number, "1000", MEI)
    trade.buy("T3", "999", MEI)
    assert list(Grant.objects.order_by("id").values_list("order__number", flat=True)) == ["T1", "T2"]


def test_everything_refunded_leaves_no_points(db: None) -> None:
    trade = trade_with(activities=WELCOME, milestones=[MILESTONE], rules=[rule("b", {"bonus": 7})])
    for n in range(6):
        member = trade.buy(f"T{n}", "10", MEI, at=this_year(n)).member_id or 0
    for n in (3, 0, 5, 1, 4, 2):
        trade.refund(f"T{n}", f"R{n}", "10")
    assert trade.figures(member).balance == 0
    assert Grant.objects.filter(state="given").count() == 0
    assert proven()


def test_a_person_merged_of_two_reaches_it_once(db: None) -> None:
    trade = trade_with(milestones=[MILESTONE])
    mei = trade.buy("T0", "10", MEI, at=this_year(0)).member_id or 0
    double = trade.buy("T1", "10", buyer("double"), at=this_year(1)).member_id or 0
    trade.buy("T2", "10", buyer("double"), at=this_year(2))
    assert rows() == []
    Member.objects.filter(pk=double).update(status=Member.Status.MERGED, merged_into_id=mei)
    trade.buy("T3", "10", MEI, at=this_year(3))
    trade.buy("T4", "10", buyer("double"), at=this_year(4))
    assert rows() == [("three", "points", "500", "given")]
