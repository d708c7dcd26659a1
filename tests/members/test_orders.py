"""Orders as their channels tell them: once, again, changed, late, refunded (A9)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from members import channels, identity, orders
from members.facts import (
    AmountsFact,
    DiscountFact,
    LineFact,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    PaymentFact,
    PointsSpentFact,
    ReceiverFact,
    RefundFact,
)
from members.models import Channel, Member, Order, OrderLine, OrderStatusEntry, OutboxEvent, Refund
from tests.make import NOW, amounts, buyer, heard, lines, order, phone, recorded, refund, refunded

pytestmark = pytest.mark.django_db

MEI = buyer("mei", phone())


def told_changes() -> list[tuple[str, dict[str, Any]]]:
    events = OutboxEvent.objects.filter(topic="order.changed").order_by("id")
    return [(event.change, event.payload) for event in events]


def test_it_works(pos: Channel):
    fact = order(
        "T-1",
        who=MEI,
        status=OrderStatus.COMPLETED,
        amounts=amounts("120.00", discount="20.00", postage="8.00", points_value="1.50", stored_value="5.00"),
        received_at=NOW + timedelta(days=3),
        store="jingan",
        lines=lines("60.00", "40.00"),
        discounts=(DiscountFact(layer="tier", amount=Decimal("20.00")),),
        payments=(PaymentFact(means="wechat", amount=Decimal("101.50")),),
        receiver=ReceiverFact(name="梅花", phone="+8613800138001", city="上海"),
        points_spent=PointsSpentFact(points=150, cause="redeem-1"),
        version=1,
    )
    answer = heard(pos, fact)
    row = Order.objects.get()
    member = Member.objects.get()
    assert (answer.outcome, answer.order_id, answer.member_id) == ("new", row.pk, member.pk)
    assert (answer.net, answer.kept) == (row.net, Decimal("100.00")) == (Decimal("100.00"), Decimal("100.00"))
    assert (answer.channel_code, answer.store_code, answer.status) == ("jingan", "jingan", "completed")
    assert (answer.points_value, answer.stored_value) == (Decimal("1.50"), Decimal("5.00"))
    assert (answer.points_spent, answer.points_spent_cause) == (150, "redeem-1")
    assert (answer.lines, answer.heard_at, answer.revision) == (fact.lines, row.heard_at, 1)
    assert (answer.paid_at, answer.received_at) == (fact.paid_at, fact.received_at)
    assert row.account and row.store
    assert (row.account.member, row.store.code, row.version) == (member, "jingan", 1)
    assert row.receiver == {"name": "梅花", "phone": "+8613800138001", "city": "上海"}
    assert row.discounts == [{"layer": "tier", "amount": "20.00", "label": ""}]
    assert row.payments == [{"means": "wechat", "amount": "101.50"}]
    assert list(OrderLine.objects.values_list("position", "amount")) == [
        (1, Decimal("60.00")),
        (2, Decimal("40.00")),
    ]
    assert OrderStatusEntry.objects.get().status == "completed"
    assert told_changes() == [
        (
            f"order:{row.pk}:1",
            {
                "channel": "jingan",
                "order_no": "T-1",
                "status": "completed",
                "net": "100.00",
                "refunded": "0.00",
                "member_no": member.number,
            },
        )
    ]


def test_the_same_order_again_changes_nothing(tmall: Channel):
    first = heard(tmall, order(who=MEI))
    again = heard(tmall, order(who=MEI))
    assert replace(again, outcome="new") == first
    assert again.outcome == "same"
    assert len(told_changes()) == 1
    assert Order.objects.get().revision == 1


def test_one_number_in_two_channels_is_two_orders(tmall: Channel, wechat: Channel):
    assert heard(tmall, order()).order_id != heard(wechat, order()).order_id


def test_a_changed_order_keeps_what_is_not_told(tmall: Channel):
    told = order(
        who=MEI,
        receiver=ReceiverFact(name="梅花"),
        discounts=(DiscountFact(layer="shop", amount=Decimal(1)),),
    )
    heard(tmall, told)
    later = OrderFact(
        number="T-1",
        status=OrderStatus.RECEIVED,
        amounts=AmountsFact(goods=Decimal("100.00")),
        received_at=NOW + timedelta(days=2),
    )
    answer = heard(tmall, later)
    row = Order.objects.get()
    assert (answer.outcome, answer.status, answer.revision) == ("changed", "received", 2)
    assert (answer.lines, answer.paid_at, answer.member_id) == (told.lines, told.paid_at, row.member_id)
    assert row.member_id is not None
    assert (row.receiver, row.discounts[0]["layer"]) == ({"name": "梅花"}, "shop")
    assert list(OrderStatusEntry.objects.values_list("status", "happened_at")) == [
        ("paid", told.paid_at),
        ("received", later.received_at),
    ]
    assert [change for change, _ in told_changes()] == [f"order:{row.pk}:1", f"order:{row.pk}:2"]


def test_a_telling_in_other_words_with_nothing_new_is_the_same(tmall: Channel):
    heard(tmall, order(who=MEI))
    fewer = OrderFact(number="T-1", status=OrderStatus.PAID, amounts=AmountsFact(goods=Decimal("100")))
    assert heard(tmall, fewer).outcome == "same"
    assert heard(tmall, fewer).outcome == "same"
    assert Order.objects.get().revision == 1
    assert len(told_changes()) == 1


def test_other_lines_replace_those_before(tmall: Channel):
    heard(tmall, order(lines=lines("60.00", "40.00")))
    answer = heard(tmall, order(lines=lines("50.00", "30.00", "20.00")))
    assert answer.outcome == "changed"
    assert list(OrderLine.objects.values_list("amount", flat=True)) == [Decimal(50), Decimal(30), Decimal(20)]


def test_an_older_version_is_ignored_and_counted(tmall: Channel):
    heard(tmall, order(version=5, status=OrderStatus.COMPLETED))
    answer = heard(tmall, order(version=4, status=OrderStatus.CANCELLED, net="1.00"))
    row = Order.objects.get()
    assert (answer.outcome, answer.status, answer.net) == ("stale", "completed", Decimal("100.00"))
    assert (row.stale_count, row.version, row.revision, row.status) == (1, 5, 1, "completed")
    assert len(told_changes()) == 1


def test_the_same_version_with_another_body_is_refused(tmall: Channel):
    heard(tmall, order(version=5))
    answer = heard(tmall, order(version=5, net="1.00"))
    assert (answer.outcome, answer.error.code) == ("conflict", "members.version_conflict")
    assert Order.objects.get().net == Decimal("100.00")


def test_a_newer_version_of_the_same_content_is_remembered(tmall: Channel):
    heard(tmall, order(version=5))
    assert heard(tmall, order(version=9)).outcome == "same"
    assert heard(tmall, order(version=7, net="1.00")).outcome == "stale"


def test_without_versions_the_latest_arrival_holds(tmall: Channel):
    heard(tmall, order(net="100.00"))
    heard(tmall, order(net="90.00"))
    assert heard(tmall, order(net="100.00")).outcome == "changed"
    assert (Order.objects.get().net, Order.objects.get().revision) == (Decimal("100.00"), 3)


def test_an_order_without_a_buyer_waits_and_is_attached_when_one_is_told(tmall: Channel):
    waiting = heard(tmall, order())
    assert (waiting.member_id, waiting.was_attached_now) == (None, False)
    attached = heard(tmall, order(who=MEI))
    assert (attached.outcome, attached.was_attached_now) == ("changed", True)
    assert attached.member_id == Member.objects.get().pk
    assert heard(tmall, order()).member_id == attached.member_id
    assert not heard(tmall, order(who=MEI)).was_attached_now


def test_another_buyer_moves_the_order(tmall: Channel):
    mei = heard(tmall, order(who=MEI))
    bo = heard(tmall, order(who=buyer("bo")))
    assert bo.member_id not in (None, mei.member_id)
    assert (bo.member_before, bo.was_attached_now, bo.outcome) == (mei.member_id, False, "changed")


def test_the_same_number_twice_in_a_batch_is_applied_in_sequence(tmall: Channel):
    answers = recorded(tmall, order(net="10.00"), order("T-2"), order(net="20.00"), order(net="20.00"))
    assert [answer.outcome for answer in answers] == ["new", "new", "changed", "same"]
    assert Order.objects.get(number="T-1").net == Decimal("20.00")


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"store": "nowhere"}, "members.store_unknown"),
        ({"amounts": amounts("10.00", discount="10.01")}, "members.amounts_invalid"),
        ({"amounts": amounts("-1.00")}, "members.amounts_invalid"),
        ({"amounts": amounts("99999999999.00")}, "members.amounts_invalid"),
        ({"refunded_total": Decimal(-1)}, "members.amounts_invalid"),
        ({"points_spent": PointsSpentFact(points=-1, cause="c")}, "members.amounts_invalid"),
        ({"number": "9" * 65}, "members.text_too_long"),
        ({"lines": (LineFact(product="p" * 101),)}, "members.text_too_long"),
        ({"lines": (LineFact(product="p", amount=Decimal("1E12")),)}, "members.amounts_invalid"),
        ({"lines": (LineFact(product="p", quantity=2**40),)}, "members.amounts_invalid"),
    ],
)
def test_one_bad_order_does_not_stop_the_others(tmall: Channel, told: dict[str, Any], code: str):
    bad = replace(order("BAD"), **told)
    answers = recorded(tmall, order("T-1"), bad, order("T-2"))
    assert [answer.outcome for answer in answers] == ["new", "conflict", "new"]
    assert (answers[1].error.code, answers[1].order_id) == (code, 0)
    assert list(Order.objects.order_by("number").values_list("number", flat=True)) == ["T-1", "T-2"]


def test_long_names_are_cut_and_stay_the_same(tmall: Channel):
    fact = order(lines=(LineFact(product="p", name="围" * 400, amount=Decimal(1)),))
    heard(tmall, fact)
    assert len(OrderLine.objects.get().name) == 300
    assert heard(tmall, replace(fact, placed_at=None)).outcome == "same"


def test_text_that_looks_like_an_array_is_kept_as_it_is(tmall: Channel):
    awkward = "a\"b\\c,{NULL}%s\n'; --"
    heard(tmall, order(awkward, lines=(LineFact(product="NULL", name=awkward, category="{}"),)))
    line = OrderLine.objects.get()
    assert (Order.objects.get().number, line.name, line.product, line.category) == (
        awkward,
        awkward,
        "NULL",
        "{}",
    )


# -- refunds -----------------------------------------------------------------------------------------


def test_a_refund_counts(tmall: Channel):
    placed = heard(tmall, order(who=MEI, amounts=amounts("100.00", postage="8.00")))
    (answer,) = refunded(tmall, refund(goods="30.00", postage=Decimal("3.00"), refunded_at=NOW))
    row = Order.objects.get()
    assert (answer.outcome, answer.refund_id) == ("new", Refund.objects.get().pk)
    assert answer.heard is not None
    assert (answer.heard.order_id, answer.heard.outcome) == (placed.order_id, "changed")
    assert (answer.heard.kept, answer.heard.revision) == (Decimal("70.00"), 2)
    assert answer.heard.lines == placed.lines
    assert (row.refunded_goods, row.refunded_postage) == (Decimal("30.00"), Decimal("3.00"))
    assert told_changes()[-1][1]["refunded"] == "33.00"
    assert not Refund.objects.get().asked_here


def test_a_refund_told_again_changes_nothing(tmall: Channel):
    heard(tmall, order())
    refunded(tmall, refund())
    (again,) = refunded(tmall, refund())
    assert (again.outcome, again.heard.outcome, again.heard.kept) == ("same", "same", Decimal("90.00"))
    assert len(told_changes()) == 2


def test_other_amounts_need_a_newer_version(tmall: Channel):
    heard(tmall, order())
    refunded(tmall, refund(version=2))
    outcomes = [
        refunded(tmall, fact)[0]
        for fact in (
            refund(goods="11.00"),
            refund(goods="11.00", version=2),
            refund(goods="11.00", version=1),
            refund(goods="12.00", version=3),
        )
    ]
    assert [answer.outcome for answer in outcomes] == ["conflict", "conflict", "stale", "changed"]
    assert outcomes[0].error.code == outcomes[1].error.code == "members.version_conflict"
    assert Order.objects.get().refunded_goods == Decimal("12.00")


def test_the_same_amounts_with_more_told_are_a_change(tmall: Channel):
    heard(tmall, order())
    refunded(tmall, refund())
    (answer,) = refunded(tmall, refund(refunded_at=NOW))
    assert (answer.outcome, answer.heard.outcome) == ("changed", "same")
    assert Refund.objects.get().refunded_at == NOW


def test_a_refund_before_its_order_is_parked_and_counts_when_it_comes(tmall: Channel, wechat: Channel):
    (parked,) = refunded(tmall, refund(goods="30.00"))
    assert (parked.outcome, parked.heard) == ("parked", None)
    assert heard(wechat, order()).kept == Decimal("100.00")
    answer = heard(tmall, order())
    assert (answer.outcome, answer.kept, answer.revision) == ("new", Decimal("70.00"), 1)
    assert Refund.objects.get().order_id == answer.order_id
    assert told_changes()[-1][1]["refunded"] == "30.00"


def test_a_refund_of_nothing_known_can_be_refused_by_its_amounts(tmall: Channel):
    (answer,) = refunded(tmall, refund(goods="-1.00"))
    assert (answer.outcome, answer.error.code) == ("conflict", "members.amounts_invalid")
    assert not Refund.objects.exists()


def test_several_refunds_in_a_batch_add_up(tmall: Channel):
    recorded(tmall, order(), order("T-2"))
    answers = refunded(
        tmall, refund(number="R-1"), refund("T-2"), refund(number="R-2", goods="20.00"), refund(number="R-1")
    )
    assert [answer.outcome for answer in answers] == ["new", "new", "new", "same"]
    assert Order.objects.get(number="T-1").refunded_goods == Decimal("30.00")
    assert Order.objects.get(number="T-2").refunded_goods == Decimal("10.00")


@pytest.mark.parametrize(
    ("told", "known", "goods", "postage"),
    [
        ("50.00", (), "50.00", "0.00"),
        ("104.00", (), "100.00", "4.00"),
        ("50.00", ("30.00",), "50.00", "0.00"),
        ("50.00", ("30.00", "40.00"), "70.00", "0.00"),
        (None, ("30.00", "40.00"), "70.00", "0.00"),
    ],
)
def test_of_the_total_told_and_the_refunds_known_the_larger_counts(
    tmall: Channel, told: str | None, known: Sequence[str], goods: str, postage: str
):
    total = Decimal(told) if told else None
    heard(tmall, order(amounts=amounts("100.00", postage="8.00"), refunded_total=total))
    refunded(tmall, *(refund(number=f"R-{n}", goods=value) for n, value in enumerate(known)))
    row = Order.objects.get()
    assert (row.refunded_goods, row.refunded_postage) == (Decimal(goods), Decimal(postage))


def test_more_than_was_paid_is_stored_and_nothing_is_kept(tmall: Channel):
    heard(tmall, order())
    (answer,) = refunded(tmall, refund(goods="120.00"))
    assert (Order.objects.get().refunded_goods, answer.heard.kept) == (Decimal("120.00"), Decimal("0.00"))


def test_a_cancelled_order_keeps_nothing(tmall: Channel):
    heard(tmall, order())
    answer = heard(tmall, order(status=OrderStatus.CANCELLED))
    assert (answer.net, answer.kept) == (Decimal("100.00"), Decimal("0.00"))
    assert list(OrderStatusEntry.objects.values_list("status", "happened_at"))[-1] == ("cancelled", None)


def test_events_of_one_order_in_any_order_with_duplicates_end_the_same(tmall: Channel):
    def tell(channel: Channel, fact: OrderFact | RefundFact) -> None:
        if isinstance(fact, OrderFact):
            heard(channel, fact)
        else:
            refunded(channel, fact)

    events: list[OrderFact | RefundFact] = [
        order(version=1, who=MEI, status=OrderStatus.PLACED, paid_at=None),
        order(version=2, who=MEI, net="90.00"),
        order(version=3, who=MEI, net="90.00", status=OrderStatus.COMPLETED, completed_at=NOW),
        refund(number="R-1", goods="10.00", version=1),
        refund(number="R-1", goods="15.00", version=2),
    ]
    ends = set()
    for n, sequence in enumerate(permutations(events)):
        channel = channels.make(f"shop-{n}", "tmall")
        for fact in (*sequence, sequence[0]):
            tell(channel, fact)
        row = Order.objects.get(channel=channel)
        ends.add((row.status, row.net, row.refunded_goods, row.version, row.completed_at, row.lines.count()))
    assert ends == {("completed", Decimal("90.00"), Decimal("15.00"), 3, NOW, 1)}


# -- lines told apart ----------------------------------------------------------------------------------


def lines_of(number: str, *told: str) -> OrderLinesFact:
    return OrderLinesFact(order_number=number, lines=tuple(lines(*told)))


@transaction.atomic
def record_lines(channel: Channel, *facts: OrderLinesFact) -> list[str]:
    return orders.record_lines(channel, facts, now=NOW)


def test_lines_told_apart_are_kept_when_the_order_is_told_again(tmall: Channel):
    bare = order(lines=())
    heard(tmall, bare)
    assert record_lines(tmall, lines_of("T-1", "60.00", "40.00"), lines_of("T-9", "1.00")) == [
        "changed",
        "order_unknown",
    ]
    assert record_lines(tmall, lines_of("T-1", "60.00", "40.00")) == ["same"]
    again = heard(tmall, bare)
    assert (again.outcome, [line.amount for line in again.lines]) == ("same", [Decimal(60), Decimal(40)])
    assert heard(tmall, replace(bare, status=OrderStatus.SHIPPED)).lines == again.lines
    assert OrderLine.objects.count() == 2


def test_lines_that_cannot_be_kept_are_refused(tmall: Channel):
    recorded(tmall, order())
    bad = OrderLinesFact(order_number="T-1", lines=(LineFact(product="p" * 101),))
    assert record_lines(tmall, bad) == ["conflict"]


# -- cost ------------------------------------------------------------------------------------------------


def test_a_batch_costs_no_more_statements_than_one_order(tmall: Channel):
    def cost(facts: Sequence[OrderFact]) -> int:
        people = identity.resolve(tmall, [fact.buyer for fact in facts], now=NOW)
        with CaptureQueriesContext(connection) as captured:
            orders.record(tmall, facts, people, now=NOW)
        return len(captured)

    def crowd(prefix: str, size: int, **told: Any) -> list[OrderFact]:
        return [order(f"{prefix}{n}", who=MEI, **told) for n in range(size)]

    assert cost(crowd("a", 1)) == cost(crowd("b", 300)) == 6
    assert cost(crowd("a", 1)) == cost(crowd("b", 300)) == 2
    shipped = {"status": OrderStatus.SHIPPED, "lines": lines("1.00", "2.00")}
    assert cost(crowd("a", 1, **shipped)) == cost(crowd("b", 300, **shipped)) == 9
