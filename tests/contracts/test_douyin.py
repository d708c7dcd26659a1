"""Douyin's contract: its signature, batches taken apart, orders known by their steps alone."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from members.connectors import douyin
from members.connectors.connector import Call
from members.facts import OrderStatus
from members.models import InboxDelivery, Order
from members.stand_ins import douyin as stand_in
from tests.platforms import channel, send, tell
from tests.trade import Trade

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
NUMBER = 6917926768823643751
SECRET = stand_in.STAND_IN.credentials

# Signed by hand with made-up secrets.
VECTOR = (
    rb'[{"tag":"101","msg_id":"6917926768823643751:101:0:1","data":"{\"p_id\": 6917926768823643751, '
    rb'\"shop_id\": 1234, \"pay_time\": 1600000000}"}]'
)
HEADERS = {"app-id": "dy_app_test", "event-sign": "4046e6d77785086ee79ef28a79691bbb"}


@pytest.mark.parametrize(
    ("change", "is_believed"),
    [
        ({}, True),
        ({"event-sign": HEADERS["event-sign"].upper()}, True),
        ({"event-sign": "0" * 32}, False),
        ({"event-sign": ""}, False),
        ({"app-id": "another"}, False),
    ],
)
def test_the_vector_is_believed_whatever_its_case(change: dict[str, str], is_believed: bool):
    call = Call(headers={**HEADERS, **change}, raw=VECTOR, at=timezone.now())
    assert douyin.verify(call, {"app_id": "dy_app_test", "app_secret": "dy_secret_test"}) == is_believed


def test_a_number_of_nineteen_digits_is_read_to_the_last():
    (message,) = douyin.split(Call(headers={}, raw=VECTOR, at=timezone.now()))
    (step,) = douyin.read(message.topic, message.body).facts
    assert (message.id, step.number, step.paid) == (f"{NUMBER}:101:0:1", str(NUMBER), None)  # type: ignore[union-attr]


@pytest.fixture
def shop(db: None) -> Trade:
    trade = Trade()
    channel("douyin", SECRET)
    return trade


def batch(*messages: Any) -> Any:
    return stand_in.parcel(SECRET, messages)


def test_each_message_of_a_batch_is_worked_on_by_itself(shop: Trade) -> None:
    good = stand_in.message("101", NUMBER, at=AT, pay_amount=12800)
    bad = stand_in.message("101", 7, at=AT, pay_amount=12800)
    bad["data"] = "{}"
    told = tell(batch(bad, good, stand_in.message("900", 8, at=AT)), to="douyin")
    assert told == [("failed", "required_missing"), ("done", "new"), ("ignored", "topic_not_used")]
    order = Order.objects.get()
    assert (order.number, order.net, order.paid_at, order.member) == (str(NUMBER), 128, AT, None)


def test_steps_come_late_twice_and_in_disorder_and_end_the_same(shop: Trade) -> None:
    done = stand_in.message("103", NUMBER, at=AT + timedelta(days=5), pay_amount=12800)
    paid = stand_in.message("101", NUMBER, at=AT, pay_amount=12800)
    back = stand_in.message("206", NUMBER, at=AT, aftersale_id=9, refund_amount=2800)
    told = tell(batch(back, done, paid, paid), to="douyin")
    assert told == [("done", "parked"), ("done", "new"), ("done", "stale")]
    assert tell(batch(paid), to="douyin") == [] and InboxDelivery.objects.get(topic="101").repeats == 1
    order = Order.objects.get()
    assert order.status == "completed"
    assert [order.net, order.refunded_goods] == [Decimal(128), Decimal(28)]


def test_what_a_file_knows_of_an_order_a_step_does_not_overwrite(shop: Trade) -> None:
    douyin_shop = channel("douyin", SECRET)
    shop.receive([shop.order(str(NUMBER), "100", None, at=AT, status=OrderStatus.PAID)], channel=douyin_shop)
    done = stand_in.message("103", NUMBER, at=AT + timedelta(days=5), pay_amount=11000)
    assert tell(batch(done), to="douyin") == [("done", "changed")]
    order = Order.objects.get()
    assert (order.status, order.net, order.paid_at) == ("completed", 100, AT)
    assert [line.product for line in order.lines.all()] == ["TEA"]


@pytest.mark.parametrize("body", [{"tag": "0", "msg_id": "0", "data": "{}"}])
def test_a_probe_is_acknowledged_in_its_own_words(shop: Trade, body: Any) -> None:
    answer = send(batch(body), to="douyin")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"code": 0, "msg": "success"})
    assert not InboxDelivery.objects.exists()
