"""Reconciling: what a channel holds of a day against what we hold, and how each difference ends (A16)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from members import channels, imports, reconciliation_files, reconciling
from members.errors import AcceptedWithoutReason, DaysInvalid, NothingToSettle, ReconciliationClosed
from members.facts import AmountsFact, OrderStatus
from members.importing import files
from members.models import (
    Channel,
    Order,
    OutboxEvent,
    Reconciliation,
    ReconciliationDifference,
    ReconciliationRow,
)
from members.reconciliation_facts import Held, Totals
from tests.members.platform_files import JD, START, jd_row, order, text, tmall
from tests.trade import Trade, buyer, proven

GOLDEN = Path(__file__).resolve().parent.parent / "formats" / "golden"
DAY = START.date()  # 2026-06-01, of the files' first orders
AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # ten in the morning there
Kind = ReconciliationDifference.Kind
State = ReconciliationDifference.State
Found = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Any) -> None:
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def number(place: int) -> str:
    return str(3026000000000000000 + place)


def held(trade: Trade, place: int, net: str = "100.00", who: str | None = "mei", **told: Any) -> None:
    """One of our orders, by the number that the files give it."""
    trade.buy(number(place), net, buyer(who) if who else None, at=told.pop("at", AT), **told)


def compared(trade: Trade, *file_rows: dict[str, Any], day: date = DAY, last: date | None = None) -> Any:
    """A Tmall file compared with what we hold; the run of its first day."""
    runs = reconciling.take_in(trade.tmall, day, last or day, "orders.csv", [tmall(*file_rows)])
    assert runs[0].upload is not None
    return reconciling.read(runs[0].upload)[0]


def read(channel: Channel, content: bytes) -> Reconciliation:
    """Any file of the channel, compared on the first day."""
    (run,) = reconciling.take_in(channel, DAY, DAY, "x.csv", [content])
    return again(run)


def again(run: Reconciliation) -> Reconciliation:
    """What a worker does with an upload of one day."""
    assert run.upload is not None
    (run,) = reconciling.read(run.upload)
    return run


def told(trade: Trade, *orders: Held, day: date = DAY) -> Reconciliation:
    run = reconciling.begin(trade.tmall, day)
    return reconciling.tell(trade.tmall, run.pk, orders, complete=True)


def found(run: Reconciliation, state: str | None = None) -> Found:
    """The differences of a run as (order, kind), in the order of their numbers."""
    rows_of_run = run.differences.order_by("order_no", "kind")
    if state is not None:
        rows_of_run = rows_of_run.filter(state=state)
    return [(each.order_no[-2:].lstrip("0"), each.kind) for each in rows_of_run]


def ids(run: Reconciliation) -> list[int]:
    return list(run.differences.values_list("pk", flat=True))


def outcome(run: Reconciliation) -> Any:
    return (run.state, run.problem)


# --- what is found ------------------------------------------------------------------------------------


def test_a_file_that_says_what_we_hold_agrees(trade: Trade) -> None:
    held(trade, 1)
    held(trade, 2, "35.50")
    before = (Order.objects.count(), OutboxEvent.objects.count())
    run = compared(trade, order(1, "mei"), order(2, "mei", "35.50"))
    assert (run.state, found(run), run.format) == ("done", [], "tmall-orders")
    assert run.theirs == run.ours == {"orders": 2, "net": "135.50", "paid": "135.50", "refunded": "0.00"}
    assert (Order.objects.count(), OutboxEvent.objects.count()) == before
    assert not ReconciliationRow.objects.exists(), "who bought is not kept of what agrees"
    assert run.upload is not None and not files.path_of(run.upload).exists()


def test_every_kind_of_difference_is_found_and_totals_say_by_how_much(trade: Trade) -> None:
    held(trade, 1)
    held(trade, 3, status=OrderStatus.PAID)
    held(trade, 4)
    held(trade, 5)
    held(trade, 6, who=None)
    held(trade, 7)
    run = compared(
        trade,
        order(1, "mei"),
        order(2, "mei"),
        order(3, "mei"),
        order(4, "mei", "99.00"),
        order(5, "mei", 退款金额="10"),
        order(6),
    )
    assert found(run) == [
        ("2", Kind.MISSING_HERE),
        ("3", Kind.STATUS),
        ("4", Kind.AMOUNT),
        ("5", Kind.REFUNDED),
        ("7", Kind.MISSING_THERE),
    ]
    assert run.found == dict.fromkeys(["missing_here", "status", "amount", "refunded", "missing_there"], 1)
    assert run.unattached == 1
    assert run.theirs == {"orders": 6, "net": "599.00", "paid": "599.00", "refunded": "10.00"}
    assert run.ours == {"orders": 6, "net": "600.00", "paid": "600.00", "refunded": "0.00"}
    amount = run.differences.get(kind=Kind.AMOUNT)
    assert (amount.net, amount.our_net) == (Decimal("99.00"), Decimal("100.00"))


def test_one_order_can_differ_in_several_ways(trade: Trade) -> None:
    held(trade, 1, status=OrderStatus.PAID)
    run = compared(trade, order(1, "mei", "90.00", 退款金额="5"))
    assert found(run) == [("1", Kind.AMOUNT), ("1", Kind.REFUNDED), ("1", Kind.STATUS)]


@pytest.mark.parametrize(
    ("at", "is_of_the_day"),
    [
        (datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 5, 31, 16, 0, tzinfo=UTC), True),
        (datetime(2026, 6, 1, 15, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 1, 16, 0, tzinfo=UTC), False),
    ],
)
def test_a_day_is_that_in_china_on_which_an_order_was_placed(
    trade: Trade, at: datetime, is_of_the_day: bool
) -> None:
    held(trade, 1, at=at, paid_at=at + timedelta(days=3))
    assert found(told(trade)) == ([("1", Kind.MISSING_THERE)] if is_of_the_day else [])


def test_an_order_that_the_channel_counts_among_the_days_is_looked_for_by_its_number(trade: Trade) -> None:
    held(trade, 1, at=AT - timedelta(days=40))
    run = told(trade, Held(number(1), "completed", Decimal(100), None, None))
    assert found(run) == []
    assert run.ours["orders"] == 1


def test_orders_of_another_channel_are_none_of_its_business(trade: Trade) -> None:
    trade.buy(number(1), "100", buyer("mei"), channel=trade.app, at=AT)
    assert found(compared(trade, order(1, "mei"))) == [("1", Kind.MISSING_HERE)]


def test_what_is_not_told_is_not_compared(trade: Trade) -> None:
    held(trade, 1, status=OrderStatus.SHIPPED)
    run = told(trade, Held(number(1), None, None, Decimal(100), None))
    assert found(run) == []
    assert run.theirs == {"orders": 1, "net": None, "paid": "100.00", "refunded": None}


def test_of_an_order_that_both_hold_as_cancelled_the_refund_is_not_compared(trade: Trade) -> None:
    held(trade, 1, status=OrderStatus.CANCELLED)
    held(trade, 2)
    run = told(
        trade,
        Held(number(1), "cancelled", Decimal(100), None, Decimal(100)),
        Held(number(2), "cancelled", Decimal(100), None, Decimal(100)),
    )
    assert found(run) == [("2", Kind.REFUNDED), ("2", Kind.STATUS)]


def test_paid_counts_the_postage_and_net_does_not(trade: Trade) -> None:
    held(trade, 1, amounts=AmountsFact(goods=Decimal(110), discount=Decimal(10), postage=Decimal(8)))
    run = told(trade, Held(number(1), "completed", Decimal(100), Decimal(108), None))
    assert found(run) == []
    run = told(trade, Held(number(1), "completed", Decimal(100), Decimal(100), None))
    assert found(run) == [("1", Kind.AMOUNT)]


# --- files --------------------------------------------------------------------------------------------


def test_one_file_serves_each_day_that_is_asked_for(trade: Trade) -> None:
    held(trade, 1)
    run = compared(
        trade, order(1, "mei"), order(2, "mei", day=1), order(3, "mei", day=2), last=DAY + timedelta(days=1)
    )
    first, second = Reconciliation.objects.order_by("day")
    assert (first, found(first), found(second)) == (run, [], [("2", Kind.MISSING_HERE)])
    assert (first.rows_of_other_days, second.rows_of_other_days) == (1, 1)


def test_any_table_with_a_number_and_an_amount_can_be_compared(trade: Trade) -> None:
    held(trade, 1)
    held(trade, 2, status=OrderStatus.PAID)
    content = f"订单号,实付金额\r\n{number(1)},100\r\n{number(2)},90\r\n".encode("gbk")
    run = read(trade.tmall, content)
    assert (found(run), run.is_applicable) == ([("2", Kind.AMOUNT)], False)
    with pytest.raises(NothingToSettle):  # the file tells neither state nor time: nothing may be made up
        reconciling.take_theirs(run.pk, ids(run), actor_id=None)
    assert Order.objects.get(number=number(2)).net == 100


def test_rows_of_one_order_that_lie_apart_are_one_order(trade: Trade) -> None:
    jd = channels.make("jd", platform="jd")
    parts = [jd_row("1001", "A", "100.00"), jd_row("1002", "B", "50.00"), jd_row("1001", "C", "100.00")]
    run = read(jd, text(JD, parts))
    assert sorted(run.differences.values_list("order_no", "net")) == [
        ("1001", Decimal(100)),
        ("1002", Decimal(50)),
    ]
    reconciling.take_theirs(run.pk, ids(run), actor_id=None)
    assert sorted(Order.objects.get(number="1001").lines.values_list("product", flat=True)) == ["A", "C"]


def test_a_row_that_cannot_be_read_is_said_and_its_order_looks_missing_there(trade: Trade) -> None:
    held(trade, 1)
    run = compared(trade, order(1, "mei", "x"), order(2, "mei"), order(2, "mei", "7"))
    assert run.rejected == [
        {"line": 2, "column": "买家实际支付金额", "code": "amount_invalid"},
        {"line": 4, "column": "订单编号", "code": "duplicate_in_file"},
    ]
    assert run.rows_rejected == 2
    assert found(run) == [("1", Kind.MISSING_THERE), ("2", Kind.MISSING_HERE)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "members.file_empty"),
        (b"a,b\r\n1,2\r\n", "members.mapping_incomplete"),
        ("退款单号,订单号\r\n1,2\r\n".encode(), "members.mapping_incomplete"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "members.file_kind_unknown"),
    ],
)
def test_a_file_that_tells_no_orders_is_refused_with_the_reason(
    trade: Trade, content: bytes, problem: str
) -> None:
    run = read(trade.tmall, content)
    assert outcome(run) == ("refused", problem)
    assert run.upload is not None and not files.path_of(run.upload).exists()


def test_a_file_of_customers_says_nothing_of_orders(trade: Trade) -> None:
    content = (GOLDEN / "woocommerce-customers" / "15col_utf8.csv").read_bytes()
    run = read(trade.tmall, content)
    assert outcome(run) == ("refused", "members.no_orders_in_file")


def test_a_worker_that_dies_half_way_leaves_nothing_and_the_next_one_finishes(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(trade, 1)
    (run,) = reconciling.take_in(trade.tmall, DAY, DAY, "x.csv", [tmall(order(1, "mei", "9"), order(2))])

    class Killed(BaseException):
        """What no `except Exception` catches, as a killed process is not."""

    def die(*_arguments: Any) -> None:
        assert ReconciliationDifference.objects.count() == 2
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(reconciliation_files, "keep_facts", die)
        with pytest.raises(Killed):
            again(run)
    run.refresh_from_db()
    assert (run.state, ReconciliationRow.objects.count(), run.differences.count()) == ("waiting", 0, 0)
    run = again(run)
    assert found(run) == [("1", Kind.AMOUNT), ("2", Kind.MISSING_HERE)]
    assert again(run) == run and run.differences.count() == 2, "read twice, compared once"


@pytest.mark.parametrize(("first", "last"), [(1, 1), (0, -1), (-31, 0)])
def test_days_to_come_and_more_than_a_month_are_refused(trade: Trade, first: int, last: int) -> None:
    today = reconciling.today()
    with pytest.raises(DaysInvalid):
        reconciling.take_in(
            trade.tmall, today + timedelta(days=first), today + timedelta(days=last), "x", [b""]
        )


# --- how differences end ------------------------------------------------------------------------------


def test_theirs_is_taken_in_by_the_way_of_every_order_and_earns(trade: Trade) -> None:
    held(trade, 1)
    run = compared(trade, order(1, "mei", "150.00"), order(2, "mei", "60.00"))
    settled = reconciling.take_theirs(run.pk, ids(run), actor_id=None)
    assert (settled.settled, settled.left) == (2, 0)
    assert found(run, State.TAKEN) == [("1", Kind.AMOUNT), ("2", Kind.MISSING_HERE)]
    order_2 = Order.objects.get(number=number(2))
    assert order_2.member is not None and trade.available(order_2.member.pk) == 210
    run.refresh_from_db()
    assert run.ours == {"orders": 1, "net": "100.00", "paid": "100.00", "refunded": "0.00"}
    assert run.ours_after == run.theirs
    assert not ReconciliationRow.objects.exists(), "their facts go once they have served"
    assert proven()


def test_what_is_missing_there_is_not_settled_by_taking_in_the_others(trade: Trade) -> None:
    held(trade, 1)
    held(trade, 3)
    run = compared(trade, order(1, "mei", "150.00"), order(2, "mei"))
    settled = reconciling.take_theirs(run.pk, ids(run), actor_id=None)
    assert (settled.settled, settled.left) == (2, 1)
    assert found(run, State.OPEN) == [("3", Kind.MISSING_THERE)]


def test_what_differs_even_when_theirs_was_taken_in_stays_open(trade: Trade) -> None:
    held(trade, 1)
    trade.refund(number(1), "R1", "30")
    run = compared(trade, order(1, "mei", 退款金额="10"))
    settled = reconciling.take_theirs(run.pk, ids(run), actor_id=None)
    assert (settled.settled, settled.left) == (0, 1)  # a refund known by its number is undone by no total
    assert found(run, State.OPEN) == [("1", Kind.REFUNDED)]


def test_ours_is_told_again_as_a_revision_of_its_own(trade: Trade) -> None:
    held(trade, 1)
    held(trade, 2)
    run = compared(trade, order(1, "mei", "150.00"))
    before = OutboxEvent.objects.filter(topic="order.changed").count()
    settled = reconciling.tell_again(run.pk, ids(run), actor_id=None)
    assert settled.settled == 2
    assert found(run, State.TOLD) == [("1", Kind.AMOUNT), ("2", Kind.MISSING_THERE)]
    again = OutboxEvent.objects.filter(topic="order.changed").order_by("-id")[:2]
    assert OutboxEvent.objects.filter(topic="order.changed").count() == before + 2
    assert {each.payload["order_no"]: each.payload["net"] for each in again} == {
        number(1): "100.00",
        number(2): "100.00",
    }
    assert proven()


def test_what_we_do_not_hold_cannot_be_told_again(trade: Trade) -> None:
    run = compared(trade, order(1, "mei"))
    with pytest.raises(NothingToSettle):
        reconciling.tell_again(run.pk, ids(run), actor_id=None)
    assert found(run, State.OPEN) == [("1", Kind.MISSING_HERE)]


def test_a_difference_is_accepted_with_a_reason_or_not_at_all(trade: Trade) -> None:
    held(trade, 1)
    run = compared(trade)
    with pytest.raises(AcceptedWithoutReason):
        reconciling.accept(run.pk, ids(run), " ok  ", actor_id=None)
    assert found(run, State.OPEN) == [("1", Kind.MISSING_THERE)]
    reconciling.accept(run.pk, ids(run), "A sample for the press", actor_id=None)
    (difference,) = run.differences.all()
    assert (difference.state, difference.reason) == ("accepted", "A sample for the press")
    with pytest.raises(NothingToSettle):
        reconciling.accept(run.pk, ids(run), "Once is enough", actor_id=None)
    with pytest.raises(IntegrityError, match="difference_accepted_with_a_reason"), transaction.atomic():
        run.differences.update(reason="")


def test_the_same_again_finds_the_same_and_says_that_it_was_found_before(trade: Trade) -> None:
    held(trade, 1)
    file = order(1, "mei", "90.00"), order(2, "mei")
    first, second = compared(trade, *file), compared(trade, *file)
    assert found(first) == found(second) == found(second, State.OPEN)
    assert found(first, State.AGAIN) == found(first)
    assert (first.theirs, first.ours, first.found) == (second.theirs, second.ours, second.found)
    assert set(ReconciliationRow.objects.values_list("run", flat=True)) == {second.pk}


def test_a_difference_that_is_gone_closes_itself_at_the_next_comparison(trade: Trade) -> None:
    held(trade, 1)
    first = compared(trade, order(1, "mei"), order(2, "mei"), order(3, "mei"))
    held(trade, 2)
    second = compared(trade, order(1, "mei"), order(2, "mei"), order(3, "mei"))
    assert found(first, State.GONE) == [("2", Kind.MISSING_HERE)]
    assert found(first, State.AGAIN) == found(second, State.OPEN) == [("3", Kind.MISSING_HERE)]


def test_what_was_accepted_stays_so_while_it_is_exactly_so(trade: Trade) -> None:
    held(trade, 1)
    first = compared(trade, order(1, "mei", "90.00"))
    reconciling.accept(first.pk, ids(first), "Ten yuan given back by hand", actor_id=None)
    same = compared(trade, order(1, "mei", "90.00"))
    assert found(same, State.ACCEPTED) == [("1", Kind.AMOUNT)]
    other = compared(trade, order(1, "mei", "80.00"))
    assert found(other, State.OPEN) == [("1", Kind.AMOUNT)]
    assert found(compared(trade, order(1, "mei", "90.00")), State.ACCEPTED) == [("1", Kind.AMOUNT)]


def test_another_day_or_channel_closes_nothing(trade: Trade) -> None:
    first = compared(trade, order(1, "mei"))
    compared(trade, order(2, "mei", day=1), day=DAY + timedelta(days=1))
    run = reconciling.begin(trade.app, DAY)
    reconciling.tell(trade.app, run.pk, [], complete=True)
    assert found(first, State.OPEN) == [("1", Kind.MISSING_HERE)]


# --- told by API ---------------------------------------------------------------------------------------


def test_orders_told_in_parts_are_compared_when_those_were_all(trade: Trade) -> None:
    held(trade, 1)
    run = reconciling.begin(trade.tmall, DAY)
    line = Held(number(1), "completed", Decimal(90), None, None)
    reconciling.tell(trade.tmall, run.pk, [line, line], complete=False)
    assert (Reconciliation.objects.get().state, run.differences.count()) == ("telling", 0)
    run = reconciling.tell(trade.tmall, run.pk, [line._replace(net=Decimal(100))], complete=True)
    assert (run.state, found(run)) == ("done", []), "told twice is as told last"
    with pytest.raises(ReconciliationClosed):
        reconciling.tell(trade.tmall, run.pk, [line], complete=True)


def test_totals_alone_agree_or_are_one_difference(trade: Trade) -> None:
    held(trade, 1)
    held(trade, 2, "50")
    agreed = reconciling.check_totals(trade.tmall, DAY, Totals(orders=2, net=Decimal(150)))
    assert (found(agreed), agreed.ours["paid"]) == ([], "150.00")
    off = reconciling.check_totals(trade.tmall, DAY, Totals(orders=3, net=Decimal(150)))
    assert found(off) == [("", Kind.TOTALS)]
    reconciling.accept(off.pk, ids(off), "A test order of theirs", actor_id=None)
    again = reconciling.check_totals(trade.tmall, DAY, Totals(orders=3, net=Decimal(150)))
    assert found(again, State.ACCEPTED) == [("", Kind.TOTALS)]
    worse = reconciling.check_totals(trade.tmall, DAY, Totals(orders=4, net=Decimal(150)))
    assert found(worse, State.OPEN) == [("", Kind.TOTALS)], "another count is another difference"


def test_totals_close_no_difference_of_an_order(trade: Trade) -> None:
    held(trade, 1)
    first = told(trade, Held(number(1), "completed", Decimal(90), None, None))
    reconciling.check_totals(trade.tmall, DAY, Totals(orders=1))
    assert found(first, State.OPEN) == [("1", Kind.AMOUNT)]


# --- cost and tidiness ---------------------------------------------------------------------------------


def statements(trade: Trade, orders: int) -> int:
    lines = [Held(f"X{orders}-{place}", "paid", Decimal(1), Decimal(1), None) for place in range(orders)]
    run = reconciling.begin(trade.tmall, DAY)
    with CaptureQueriesContext(connection) as asked:
        reconciling.tell(trade.tmall, run.pk, lines, complete=True)
    assert run.differences.filter(kind=Kind.MISSING_HERE).count() == orders
    return len(asked)


def test_a_thousand_orders_cost_as_many_statements_as_one(trade: Trade) -> None:
    assert statements(trade, 1) == statements(trade, 1000)


def test_what_served_is_erased_after_its_days_and_what_nobody_completed_is_given_up(
    trade: Trade, settings: Any
) -> None:
    compared_run = compared(trade, order(1, "mei"))
    reconciling.begin(trade.tmall, DAY)
    (waiting,) = reconciling.take_in(trade.tmall, DAY, DAY, "x.csv", [b"x"])
    now = datetime.now(UTC)
    assert reconciling.tidy(now) == 0
    assert reconciling.tidy(now + timedelta(days=3)) == 2
    assert list(Reconciliation.objects.all()) == [compared_run]
    assert ReconciliationRow.objects.count() == 1
    reconciling.tidy(now + timedelta(days=settings.IMPORT_FILE_DAYS + 1))
    assert not ReconciliationRow.objects.exists()
    assert found(compared_run, State.OPEN) == [("1", Kind.MISSING_HERE)]
    assert waiting.upload is not None


def test_an_import_of_the_file_leaves_nothing_to_find(trade: Trade) -> None:
    """Both read it by the same formats, so nothing of the reading alone can differ."""
    rows_of_file = [
        order(1, "mei", 订单状态="交易关闭"),
        order(2, "mei", 买家应付邮费="8", 买家实际支付金额="108.00", 总金额="108.00"),
        order(3, "bo", 退款金额="12.50"),
        order(4, "", 订单状态="等待买家付款", 买家实际支付金额="0"),
    ]
    run = imports.take_in(trade.tmall, "orders.csv", [tmall(*rows_of_file)])
    imports.read(run.pk)
    imports.start(run.pk)
    imports.carry_out(run.pk)
    assert Order.objects.count() == 4
    assert found(compared(trade, *rows_of_file)) == []
