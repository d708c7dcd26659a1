"""Pinduoduo's files say what was bought and not by whom: the orders wait until somebody says it."""

from decimal import Decimal

import pytest

from loyalty import orders
from loyalty.models import Entry, Wallet
from members import channels
from members.facts import AmountsFact, OrderFact, OrderStatus
from members.models import Channel, Member, Order
from tests.members import platform_files
from tests.stories.files import PINDUODUO, bring_in, pinduoduo_row
from tests.trade import Trade, buyer, phone, proven

MEI = buyer("pdd-mei", phone("+8613800138001", verified=True), name="梅晓雨")
TOWELS, CARPET = "260520-100000000000001", "260521-100000000000002"


@pytest.fixture
def pinduoduo(trade: Trade) -> Channel:
    """The shop on Pinduoduo, with a file of two orders brought in."""
    channel = channels.make("pdd", "pinduoduo")
    rows = [pinduoduo_row(TOWELS, "120.00", trade.ago(9)), pinduoduo_row(CARPET, "900.00", trade.ago(8))]
    told = bring_in(channel, platform_files.text(PINDUODUO, rows, encoding="utf-8-sig"))
    assert told["orders"]["new"] == 2
    assert told["points"] == {"earned": 0, "taken": 0}
    return channel


def claimed(channel: Channel, number: str, net: str, **told: object) -> orders.OrderReceipt:
    """The mini-program tells whose order it is, after its buyer has typed the number there."""
    amounts = AmountsFact(goods=Decimal(net))
    fact = OrderFact(number=number, status=OrderStatus.COMPLETED, amounts=amounts, buyer=MEI, **told)  # type: ignore[arg-type]
    (receipt,) = orders.receive(channel, [fact])
    return receipt


def test_the_orders_are_kept_and_make_nobody_a_member(pinduoduo: Channel) -> None:
    assert Order.objects.filter(channel=pinduoduo, member=None).count() == 2
    assert not Member.objects.exists() and not Wallet.objects.exists() and not Entry.objects.exists()
    assert proven()


def test_who_says_it_is_theirs_gets_its_points_from_the_day_they_bought(
    trade: Trade, pinduoduo: Channel
) -> None:
    receipt = claimed(pinduoduo, TOWELS, "120.00")
    assert (receipt.outcome, receipt.points, receipt.earned) == ("changed", 120, 120)
    assert receipt.member_id is not None and trade.available(receipt.member_id) == 120
    entry = Entry.objects.get()
    assert abs(entry.happened_at - trade.ago(9)).total_seconds() < 1
    assert Order.objects.get(number=CARPET).member is None  # nothing was said of the other one
    assert proven()


def test_who_is_a_member_already_stays_the_same_one(trade: Trade, pinduoduo: Channel) -> None:
    mei = trade.buy("T1", "50.00", buyer("tb-mei", phone("+8613800138001", verified=True))).member_id
    assert claimed(pinduoduo, TOWELS, "120.00").member_id == mei
    assert mei is not None and trade.available(mei) == 170
    assert proven()


def test_the_file_again_changes_nothing_and_takes_nobody_away(trade: Trade, pinduoduo: Channel) -> None:
    mei = claimed(pinduoduo, TOWELS, "120.00").member_id
    rows = [pinduoduo_row(TOWELS, "120.00", trade.ago(9)), pinduoduo_row(CARPET, "900.00", trade.ago(8))]
    told = bring_in(pinduoduo, platform_files.text(PINDUODUO, rows, encoding="utf-8-sig"))
    assert told["points"] == {"earned": 0, "taken": 0}
    assert Order.objects.get(number=TOWELS).member_id == mei
    assert Entry.objects.count() == 1
    assert proven()


def test_a_refund_while_it_waits_is_counted_when_its_buyer_comes(trade: Trade, pinduoduo: Channel) -> None:
    assert trade.refund(CARPET, "R1", "300.00", channel=pinduoduo).points_taken == 0
    assert claimed(pinduoduo, CARPET, "900.00").points == 600
    assert proven()
