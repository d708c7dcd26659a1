"""The counter's sums: discount, points, what is to pay, what comes back, and each touch once (E1)."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User

from loyalty import counter
from loyalty.errors import AmountInvalid, CauseTaken, NotEnoughPoints, OrderNotFound, RefundTooLarge
from loyalty.models import Entry
from loyalty.orders import RefundReceipt
from members import channels
from members.models import Order, OutboxEvent, Refund, Store
from tests.trade import Trade, buyer, proven, tier_of

POINTS = 20_000


@pytest.fixture
def jingan(trade: Trade) -> Store:
    return channels.make_store(channels.make("jingan", "pos"), "jingan")


@pytest.fixture
def bo(trade: Trade) -> int:
    """A basic member with 2,000 points."""
    member = trade.buy("B0", "2000", buyer("bo")).member_id
    assert member is not None
    return member


def member_of(tier: str, trade: Trade) -> int:
    """A member who has bought enough for a tier, a day each, and has many points."""
    bought = {"basic": ("100", 1), "silver": ("700", 5), "gold": ("700", 15)}
    net, orders = bought[tier]
    for number in range(orders):
        member = trade.buy(f"{tier}{number}", net, buyer(tier), at=trade.ago(20 - number)).member_id
    assert member is not None and tier_of(member) == tier
    trade.give(member, POINTS, cause=f"many-{tier}")
    return member


def sell(store: Store, member: int, amount: str, points: int = 0, **told: Any) -> counter.Sale:
    values: dict[str, Any] = {"nonce": uuid4(), "actor_id": None, **told}
    return counter.sell(store, member, amount=Decimal(amount), points_used=points, **values)


def refund(store: Store, number: str, goods: str | None = None, nonce: UUID | None = None) -> RefundReceipt:
    part = None if goods is None else Decimal(goods)
    return counter.refund(store, number, goods=part, nonce=nonce or uuid4(), actor_id=None)


def world() -> tuple[int, ...]:
    return (
        Order.objects.count(),
        Entry.objects.count(),
        Refund.objects.count(),
        OutboxEvent.objects.count(),
    )


# --- what a sale comes to -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "discount", "value", "to_pay", "earns"),
    [
        ("basic", "0.00", "15.00", "985.00", 985),  # 100 points a yuan
        ("silver", "100.00", "18.75", "881.25", 1057),  # 80 a yuan; 881.25 × 1.2 = 1057.5
        ("gold", "0.00", "25.00", "975.00", 1462),  # 60 a yuan; 975 × 1.5 = 1462.5
    ],
)
def test_1500_points_are_worth_15_and_18_75_and_25_yuan(
    trade: Trade, jingan: Store, tier: str, discount: str, value: str, to_pay: str, earns: int
) -> None:
    promised = counter.preview(jingan, member_of(tier, trade), Decimal(1000), 1500)
    assert promised.choice.cut_off == Decimal(discount)
    assert (promised.points, promised.points_value) == (1500, Decimal(value))
    assert (promised.to_pay, promised.points_to_earn) == (Decimal(to_pay), earns)


@pytest.mark.parametrize("tier", ["basic", "silver", "gold"])
@pytest.mark.parametrize(
    ("amount", "wanted"),
    [
        ("0.01", 0),
        ("0.05", 10),
        ("9.99", 777),
        ("99.99", 99_999),
        ("200", 0),
        ("333.33", 1),
        ("1234.56", 1500),
    ],
)
def test_a_sale_is_what_its_preview_promised(
    trade: Trade, jingan: Store, tier: str, amount: str, wanted: int
) -> None:
    member = member_of(tier, trade)
    promised = counter.preview(jingan, member, Decimal(amount), wanted)
    before = trade.available(member)
    sale = sell(jingan, member, amount, wanted)
    assert (sale.tier_discount, sale.net) == (promised.choice.cut_off, promised.net)
    assert (sale.points_spent, sale.points_value) == (promised.points, promised.points_value)
    assert (sale.to_pay, sale.points_earned) == (promised.to_pay, promised.points_to_earn)
    assert Decimal(0) <= sale.points_value <= sale.net == sale.to_pay + sale.points_value
    assert trade.available(member) == before - sale.points_spent + sale.points_earned
    assert proven()


def test_a_preview_counts_the_campaign_of_the_day_and_writes_nothing(db: None) -> None:
    here = {"field": "order.store", "op": "=", "value": "jingan"}
    trade = Trade(rules=[{"code": "opening", "when": here, "then": {"factor": "3"}}])
    store = channels.make_store(channels.make("jingan", "pos"), "jingan")
    other = channels.make_store(store.channel, "xuhui")
    bo = trade.buy("B0", "10", buyer("bo")).member_id
    assert bo is not None
    before = world()
    assert counter.preview(store, bo, Decimal(100)).points_to_earn == 300
    assert counter.preview(other, bo, Decimal(100)).points_to_earn == 100
    assert world() == before
    assert sell(store, bo, "100").why == "100 × 1 × 1 × 3 = 300"


def test_more_points_than_can_be_used_are_cut_to_what_can(trade: Trade, jingan: Store, bo: int) -> None:
    by_points = counter.preview(jingan, bo, Decimal(1000), 5000)
    assert (by_points.usable, by_points.points) == (2000, 2000)
    by_amount = counter.preview(jingan, bo, Decimal("12.34"), 5000)
    assert (by_amount.usable, by_amount.points, by_amount.to_pay) == (1234, 1234, Decimal("0.00"))


def test_a_sale_paid_wholly_with_points_earns_nothing(trade: Trade, jingan: Store, bo: int) -> None:
    sale = sell(jingan, bo, "12.34", 1234)
    assert (sale.to_pay, sale.points_earned) == (Decimal("0.00"), 0)
    assert trade.available(bo) == 2000 - 1234
    assert proven()


def test_a_sale_with_more_points_than_there_are_is_refused_and_nothing_has_moved(
    trade: Trade, jingan: Store, bo: int
) -> None:
    before = world()
    with pytest.raises(NotEnoughPoints):
        sell(jingan, bo, "1000", 2001)
    assert world() == before
    assert trade.available(bo) == 2000


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "10000000.00", "NaN", "Infinity"])
def test_what_is_no_amount_of_money_is_refused(trade: Trade, jingan: Store, bo: int, amount: str) -> None:
    with pytest.raises(AmountInvalid):
        counter.preview(jingan, bo, Decimal(amount))
    with pytest.raises(AmountInvalid):
        sell(jingan, bo, amount)
    assert not Order.objects.filter(channel=jingan.channel).exists()


def test_the_order_says_where_by_whom_and_how_it_was_paid(trade: Trade, jingan: Store, bo: int) -> None:
    clerk = User.objects.create(username="clerk")
    sale = sell(jingan, bo, "100", 500, actor_id=clerk.pk)
    order = Order.objects.get(pk=sale.order_id)
    assert (order.store, order.status, order.member_id) == (jingan, "completed", bo)
    assert order.payments == [{"means": "counter", "amount": "95.00"}]
    entries = Entry.objects.filter(channel=jingan.channel)
    assert {(entry.kind, entry.actor_id, entry.store_id) for entry in entries} == {
        ("redeem", clerk.pk, jingan.pk),
        ("earn", clerk.pk, jingan.pk),
    }


# --- the same touch again -----------------------------------------------------------------------------


def test_the_same_nonce_again_answers_as_the_first_time(trade: Trade, jingan: Store, bo: int) -> None:
    nonce = uuid4()
    first = sell(jingan, bo, "100", 500, nonce=nonce)
    before = world()
    again = sell(jingan, bo, "999", 1999, nonce=nonce)  # whatever is in the form now: it was sent
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.order_id, again.to_pay, again.points_spent, again.points_earned, again.why) == (
        first.order_id,
        Decimal("95.00"),
        500,
        95,
        first.why,
    )
    assert world() == before
    assert counter.find_sale(jingan, bo, first.order_number) == again


def test_a_nonce_that_sold_to_one_member_sells_to_no_other(trade: Trade, jingan: Store, bo: int) -> None:
    mei = trade.buy("M0", "50", buyer("mei")).member_id
    assert mei is not None
    nonce = uuid4()
    sold = sell(jingan, bo, "100", nonce=nonce)
    before = world()
    with pytest.raises(CauseTaken):
        sell(jingan, mei, "100", nonce=nonce)
    assert Order.objects.get(pk=sold.order_id).member_id == bo
    assert world() == before


def test_another_members_sale_is_not_found(trade: Trade, jingan: Store, bo: int) -> None:
    mei = trade.buy("M0", "50", buyer("mei")).member_id
    assert mei is not None
    sold = sell(jingan, bo, "100")
    with pytest.raises(OrderNotFound):
        counter.find_sale(jingan, mei, sold.order_number)


# --- refunds ------------------------------------------------------------------------------------------


def test_a_sale_refunded_in_parts_gives_back_what_it_took_to_the_point(
    trade: Trade, jingan: Store, bo: int
) -> None:
    number = sell(jingan, bo, "100", 700).order_number  # 7 yuan in points; 93 earn
    receipts = [refund(jingan, number, part) for part in ("33.33", "0.01", "13.37")] + [
        refund(jingan, number)
    ]
    assert [receipt.points_taken for receipt in receipts] == [31, 1, 12, 49]
    assert [receipt.points_returned for receipt in receipts] == [233, 0, 93, 374]
    assert (sum(r.points_taken for r in receipts), sum(r.points_returned for r in receipts)) == (93, 700)
    assert trade.available(bo) == 2000
    assert proven()


def test_the_same_refund_again_answers_as_the_first_time_also_when_it_took_nothing(db: None) -> None:
    trade = Trade(base_per_yuan="0.1")
    store = channels.make_store(channels.make("jingan", "pos"), "jingan")
    bo = trade.buy("B0", "2000", buyer("bo")).member_id
    assert bo is not None
    number = sell(store, bo, "100", 150).order_number
    asked = [(part, uuid4()) for part in ("1", "1", "10")]
    first = [refund(store, number, part, nonce) for part, nonce in asked]
    again = [refund(store, number, part, nonce) for part, nonce in asked]
    assert [receipt.points_taken for receipt in first] == [1, 0, 1]
    for one, other in zip(first, again, strict=True):
        assert other.outcome == "same"
        assert (other.number, other.points_taken, other.points_returned) == (
            one.number,
            one.points_taken,
            one.points_returned,
        )
    assert Refund.objects.count() == 3
    assert proven()


def test_no_more_is_refunded_than_was_paid(trade: Trade, jingan: Store, bo: int) -> None:
    number = sell(jingan, bo, "100").order_number
    refund(jingan, number, "60")
    before = world()
    with pytest.raises(RefundTooLarge):
        refund(jingan, number, "40.01")
    assert world() == before
    refund(jingan, number, "40")
    with pytest.raises(RefundTooLarge):
        refund(jingan, number)
    assert Order.objects.get(number=number).refunded_goods == Decimal(100)


@pytest.mark.parametrize("goods", ["0", "-5", "0.001"])
def test_a_refund_of_no_amount_is_refused(trade: Trade, jingan: Store, bo: int, goods: str) -> None:
    number = sell(jingan, bo, "100").order_number
    with pytest.raises(AmountInvalid):
        refund(jingan, number, goods)
    assert not Refund.objects.exists()


def test_a_store_refunds_its_own_sales_only(trade: Trade, jingan: Store, bo: int) -> None:
    number = sell(jingan, bo, "100").order_number
    xuhui = channels.make_store(jingan.channel, "xuhui")
    for store, wanted in ((xuhui, number), (jingan, "jingan-NOSUCH"), (jingan, "B0")):
        with pytest.raises(OrderNotFound):
            refund(store, wanted)
    assert not Refund.objects.exists()


def test_the_list_shows_what_is_left_to_refund(trade: Trade, jingan: Store, bo: int) -> None:
    numbers = [sell(jingan, bo, amount).order_number for amount in ("100", "200", "300")]
    refund(jingan, numbers[1], "50")
    refund(jingan, numbers[2])
    shown = counter.sales(jingan, bo)
    assert [(sale.number, sale.net, sale.refundable, sale.points) for sale in shown] == [
        (numbers[2], Decimal(300), Decimal(0), 0),
        (numbers[1], Decimal(200), Decimal(150), 150),
        (numbers[0], Decimal(100), Decimal(100), 100),
    ]
    assert [sale.number for sale in counter.sales(jingan, bo, limit=1)] == numbers[2:]
    assert counter.sales(channels.make_store(jingan.channel, "xuhui"), bo) == []
