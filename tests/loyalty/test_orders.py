"""The way of one order: the worked examples of the ledger, refunds, repeats and disorder."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from loyalty import clock, orders
from loyalty.errors import RefundShort, RefundTooLarge
from loyalty.models import Entry, Lot, OrderEarning
from members.facts import OrderFact, OrderStatus, PointsSpentFact, RefundFact
from members.models import Order, OutboxEvent
from tests.trade import Trade, buyer, phone, proven, tier_of

MEI = buyer("mei", phone("+8613900000001"))
BO = buyer("bo", phone("+8613900000002"))


def test_an_order_becomes_points_with_its_reason(trade: Trade) -> None:
    receipt = trade.buy("T1", "200", MEI)
    assert (receipt.outcome, receipt.points, receipt.earned, receipt.tier) == ("new", 200, 200, "basic")
    assert receipt.why["base"] == "200.00"
    assert receipt.member_id is not None and trade.available(receipt.member_id) == 200
    assert proven()


def test_the_same_order_twice_earns_once(trade: Trade) -> None:
    first = trade.buy("T1", "200", MEI)
    second = trade.buy("T1", "200", MEI)
    assert (second.outcome, second.points, second.earned) == ("same", 200, 0)
    assert Entry.objects.count() == 1
    assert first.member_id == second.member_id
    assert proven()


def test_an_unpaid_order_earns_when_it_is_paid(trade: Trade) -> None:
    assert trade.buy("T1", "200", MEI, status=OrderStatus.PLACED).points == 0
    assert trade.buy("T1", "200", MEI).points == 200
    assert proven()


def test_a_closed_order_earns_nothing(trade: Trade) -> None:
    trade.buy("T1", "200", MEI, status=OrderStatus.CANCELLED)
    assert not Entry.objects.exists()
    assert proven()


def test_an_order_cancelled_after_it_was_paid_gives_its_points_back(trade: Trade) -> None:
    trade.buy("T1", "200", MEI)
    receipt = trade.buy("T1", "200", MEI, status=OrderStatus.CANCELLED)
    assert (receipt.points, receipt.taken) == (0, 200)
    assert proven()


def test_refunding_22_of_100_takes_3_of_10_and_78_more_takes_7(db: None) -> None:
    trade = Trade(base_per_yuan="0.1")
    trade.buy("T1", "100", MEI)
    assert trade.refund("T1", "R1", "22").points_taken == 3
    assert trade.refund("T1", "R2", "78").points_taken == 7
    assert proven()


def test_99_99_refunded_in_seven_uneven_parts_takes_back_what_was_earned(trade: Trade) -> None:
    trade.buy("T1", "99.99", MEI)
    parts = ("0.01", "13.37", "20.00", "33.33", "3.28", "29.99", "0.01")
    taken = [trade.refund("T1", f"R{n}", part).points_taken for n, part in enumerate(parts)]
    assert sum(taken) == 99
    assert proven()


def test_earn_100_spend_100_refund_owes_100_and_earning_30_owes_70(trade: Trade) -> None:
    member = trade.buy("T1", "100", MEI).member_id
    assert member is not None
    trade.spend(member, 100)
    assert trade.refund("T1", "R1", "100").debt == 100
    trade.buy("T2", "30", MEI)
    figures = trade.figures(member)
    assert (figures.debt, figures.available, figures.balance) == (70, 0, -70)
    assert proven()


@pytest.mark.parametrize(("refund", "left"), [("71.50", 200), ("35.75", 160)])
def test_an_order_paid_partly_with_points_gives_them_back_in_proportion(
    trade: Trade, refund: str, left: int
) -> None:
    member = trade.buy("T0", "200", MEI).member_id
    assert member is not None
    trade.spend(member, 150, cause="pay-T1")
    receipt = trade.buy(
        "T1", "71.50", MEI, points_value=Decimal("1.50"), spent=PointsSpentFact(points=150, cause="pay-T1")
    )
    assert (receipt.points, trade.available(member)) == (70, 120)
    trade.refund("T1", "R1", refund)
    assert trade.available(member) == left
    assert proven()


def test_a_refund_before_its_order_waits_for_it(trade: Trade) -> None:
    assert trade.refund("T1", "R1", "50").outcome == "parked"
    assert trade.buy("T1", "200", MEI).points == 150
    assert proven()


def test_a_refund_number_with_other_amounts_is_a_conflict_and_moves_nothing(trade: Trade) -> None:
    trade.buy("T1", "200", MEI)
    trade.refund("T1", "R1", "50")
    again = trade.refund("T1", "R1", "60")
    assert (again.outcome, again.error is not None and again.error.code) == (
        "conflict",
        "members.version_conflict",
    )
    assert OrderEarning.objects.get().stays == 150
    assert proven()


def test_an_older_version_is_ignored_and_counted(trade: Trade) -> None:
    trade.buy("T1", "200", MEI, version=2)
    assert trade.buy("T1", "500", MEI, version=1).outcome == "stale"
    assert Order.objects.get().stale_count == 1
    assert Entry.objects.get().points == 200


def test_a_newer_version_is_priced_by_the_first_snapshot(trade: Trade) -> None:
    trade.buy("T1", "200", MEI, version=1)
    receipt = trade.buy("T1", "150", MEI, version=2)
    assert (receipt.points, receipt.taken) == (150, 50)
    assert trade.buy("T1", "250", MEI, version=3).points == 250
    assert proven()


def test_an_order_without_a_buyer_waits_and_earns_when_the_buyer_is_known(trade: Trade) -> None:
    waiting = trade.buy("T1", "200", None)
    assert (waiting.member_id, waiting.points) == (None, 0)
    attached = trade.buy("T1", "200", MEI)
    assert (attached.member_id is not None, attached.points) == (True, 200)
    assert proven()


def test_an_order_told_to_be_another_buyers_moves_its_points(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    bo = trade.buy("T1", "200", BO).member_id
    assert mei is not None and bo is not None and mei != bo
    assert (trade.available(mei), trade.available(bo)) == (0, 200)
    assert proven()


def test_the_fifth_order_makes_silver_and_the_next_one_earns_by_it(trade: Trade) -> None:
    for number in range(5):
        receipt = trade.buy(f"T{number}", "600", MEI, at=trade.ago(10 - number))
    assert (receipt.points, receipt.tier) == (600, "silver")
    assert trade.buy("T9", "200", MEI).points == 240
    assert OutboxEvent.objects.filter(topic="tier.changed").count() == 1
    assert proven()


def test_12000_yuan_in_6_orders_is_silver_and_3000_in_4_is_not(trade: Trade) -> None:
    for number in range(6):
        mei = trade.buy(f"M{number}", "2000", MEI).member_id
    for number in range(4):
        bo = trade.buy(f"B{number}", "750", BO).member_id
    assert mei is not None and bo is not None
    assert (tier_of(mei), tier_of(bo)) == ("silver", "basic")


def test_a_batch_is_applied_in_the_order_in_which_things_happened(trade: Trade) -> None:
    facts = [trade.order(f"T{n}", "700", MEI, at=trade.ago(n)) for n in range(8)]
    receipts = orders.receive(trade.tmall, facts)
    # Told latest first: the three last bought are the three that silver had been reached before.
    assert [receipt.points for receipt in receipts] == [840, 840, 840, 700, 700, 700, 700, 700]
    assert proven()


def test_a_batch_and_one_by_one_end_the_same(trade: Trade) -> None:
    facts = [
        trade.order(f"T{n}", f"{100 + n}.50", buyer(f"b{n % 7}"), at=trade.ago(40 - n)) for n in range(40)
    ]
    together = [receipt.points for receipt in orders.receive(trade.tmall, facts)]
    alone = [orders.receive(trade.app, [fact])[0].points for fact in facts]
    assert together == alone
    assert proven()


def test_a_batch_costs_a_fixed_number_of_statements(trade: Trade, django_assert_max_num_queries: Any) -> None:
    def facts(prefix: str, count: int) -> list[Any]:
        return [trade.order(f"{prefix}{n}", "100", buyer(f"{prefix}{n % 50}")) for n in range(count)]

    orders.receive(trade.tmall, facts("warm", 3))
    with django_assert_max_num_queries(32):
        orders.receive(trade.tmall, facts("few", 5))
    with django_assert_max_num_queries(32):
        orders.receive(trade.tmall, facts("many", 300))


def test_what_expired_out_of_an_orders_own_points_is_not_taken_a_second_time(trade: Trade) -> None:
    member = trade.buy("T1", "100", MEI, at=trade.ago(500)).member_id
    assert member is not None
    trade.buy("T2", "40", MEI)  # opening the purse writes the expiry down
    receipt = trade.refund("T1", "R1", "100")
    assert (receipt.points_taken, receipt.debt, trade.available(member)) == (0, 0, 40)
    assert proven()


def test_pending_points_ripen_after_receipt(db: None) -> None:
    trade = Trade(pending_days=7)
    at = trade.ago(3)
    receipt = trade.buy("T1", "100", MEI, at=at)
    assert receipt.available_from == at + timedelta(days=22)  # 15 until it counts as received, 7 more
    assert receipt.member_id is not None
    assert trade.figures(receipt.member_id).pending == 100
    trade.buy("T1", "100", MEI, at=at, received_at=trade.ago(2))
    assert Lot.objects.get().available_from == trade.ago(2) + timedelta(days=7)
    clock.move(timedelta(days=6))
    assert trade.available(receipt.member_id) == 100
    assert proven()


class TestARefundAskedOfUs:
    def ask(self, trade: Trade, goods: str, number: str = "R1") -> orders.RefundReceipt:
        return orders.ask_refund(trade.tmall, "T1", number=number, goods=Decimal(goods))

    def spent(self, **policy: Any) -> tuple[Trade, int]:
        trade = Trade(**policy)
        member = trade.buy("T1", "100", MEI).member_id
        assert member is not None
        trade.spend(member, 80)
        return trade, member

    def test_owes_what_is_short_by_default(self, db: None) -> None:
        trade, _member = self.spent()
        receipt = self.ask(trade, "100")
        assert (receipt.points_taken, receipt.debt) == (100, 80)
        assert proven()

    def test_is_refused_when_the_programme_says_so_and_nothing_moves(self, db: None) -> None:
        trade, member = self.spent(refund_shortage="refuse")
        with pytest.raises(RefundShort):
            self.ask(trade, "100")
        assert (trade.available(member), Order.objects.get().refunded_goods) == (20, Decimal(0))
        assert proven()

    def test_says_what_money_to_withhold_when_the_programme_says_so(self, db: None) -> None:
        trade, member = self.spent(refund_shortage="money")
        receipt = self.ask(trade, "100")
        assert (receipt.points_taken, receipt.money_to_withhold) == (20, Decimal("0.80"))
        assert trade.figures(member).debt == 0
        assert proven()

    def test_cannot_be_larger_than_what_was_bought(self, trade: Trade) -> None:
        trade.buy("T1", "100", MEI)
        self.ask(trade, "60")
        with pytest.raises(RefundTooLarge):
            self.ask(trade, "40.01", number="R2")
        assert Order.objects.get().refunded_goods == 60


def test_six_events_of_one_order_end_the_same_in_all_720_orders(trade: Trade) -> None:
    at = trade.ago(2)
    steps: dict[str, dict[str, Any]] = {
        "placed": {"status": OrderStatus.PLACED, "version": 1},
        "paid": {"status": OrderStatus.PAID, "version": 2},
        "shipped": {"status": OrderStatus.SHIPPED, "version": 3},
        "received": {"status": OrderStatus.RECEIVED, "version": 4, "received_at": trade.now},
    }
    refunds = {"first refund": "22.22", "second refund": "50"}

    def fact(turn: int, name: str) -> OrderFact | RefundFact:
        number = f"T{turn}"
        if name in steps:
            return trade.order(number, "200", buyer(f"buyer of {number}"), at=at, **steps[name])
        return RefundFact(
            order_number=number, number=name, goods=Decimal(refunds[name]), refunded_at=trade.now
        )

    histories = list(permutations([*steps, *refunds]))
    for position in (*range(6), 0, 3):  # each history in its own order, and two of its events again
        told = [fact(turn, history[position]) for turn, history in enumerate(histories)]
        orders.receive(trade.tmall, [each for each in told if isinstance(each, OrderFact)])
        orders.refund(trade.tmall, [each for each in told if isinstance(each, RefundFact)])

    ends = Counter(
        (row.status, row.net, row.refunded_goods, row.version, row.earning.stays, row.points)
        for row in Order.objects.select_related("earning").annotate(points=Sum("entries__points"))
    )
    assert ends == {("received", Decimal("200.00"), Decimal("72.22"), 4, 127, 127): 720}
    with connection.cursor() as cursor:
        # The server may have looked at the tables meanwhile, and found nothing that was committed: with plans
        # for empty tables the audit of all this takes minutes.
        cursor.execute("ANALYZE loyalty_entry, loyalty_lot, loyalty_lotmove, loyalty_wallet, members_order")
    assert proven()
