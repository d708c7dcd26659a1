"""Youzan's contract: both ways of signing, trades with and without themselves, versions that drop the old."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from members import inbox
from members.connectors import youzan
from members.connectors.connector import Call
from members.models import InboxDelivery, Member, Order
from members.stand_ins import youzan as stand_in
from tests.platforms import channel, send, tell, work
from tests.trade import Trade, proven

AT = datetime(2026, 6, 19, 2, tzinfo=UTC)
NUMBER = "E20260619100000000100001"
SECRET = stand_in.STAND_IN.credentials
MEI: dict[str, Any] = {"phone": "13800138001", "open_id": "mei"}

# Signed by hand with made-up secrets. The inner message is signed as it came, URL-encoded.
VECTOR_SECRET = {"client_id": "yz_client_test", "client_secret": "yz_secret_test"}
MSG = (
    "%7B%22full_order_info%22%3A%7B%22order_info%22%3A%7B%22tid%22%3A%22E20260619100000000100001%22%2C%22status"
    "%22%3A%22WAIT_SELLER_SEND_GOODS%22%7D%2C%22buyer_info%22%3A%7B%22buyer_phone%22%3A%2213800138000%22%2C%22"
    "yz_open_id%22%3A%22TESTOPENID%22%7D%2C%22orders%22%3A%5B%7B%22outer_item_id%22%3A%22SKU-A%22%2C%22num%22"
    "%3A1%2C%22price%22%3A%22100.00%22%2C%22payment%22%3A%22100.00%22%7D%5D%7D%7D"
)
VECTOR: dict[str, Any] = {
    "mode": 1,
    "id": NUMBER,
    "client_id": "yz_client_test",
    "type": "trade_TradePaid",
    "status": "WAIT_SELLER_SEND_GOODS",
    "msg": MSG,
    "kdt_id": 123456,
    "kdt_name": "熟客测试店",
    "sign": "b07f8243a5735a552268232c7e563b58",
    "version": 1560909660,
    "test": False,
    "sendCount": 0,
}
RAW = json.dumps(VECTOR, ensure_ascii=False, separators=(",", ":")).encode()
EVENT_SIGN = "9d0c3d85a0e43c5cf0a78def2a268e1f"


def believes(body: dict[str, Any] | bytes, **headers: str) -> bool:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return youzan.verify(Call(headers=named, raw=raw, at=timezone.now()), VECTOR_SECRET)


def test_the_older_signature_is_over_the_message_as_it_came():
    assert believes(VECTOR)
    assert not believes({**VECTOR, "msg": MSG + "+"})
    assert not believes({**VECTOR, "sign": ""})
    assert not believes({**VECTOR, "sign": None})
    assert not believes(b"no json")


def test_the_signature_in_the_header_is_over_the_whole_body():
    assert believes(RAW, event_sign=EVENT_SIGN)
    assert not believes(RAW + b" ", event_sign=EVENT_SIGN)


def test_where_there_is_a_header_the_body_cannot_vouch_for_itself():
    """Else the older signature would let anything through that lies beside the message."""
    assert believes(VECTOR) and not believes(VECTOR, event_sign="0" * 32)


def test_the_vector_is_read():
    (message,) = youzan.split(Call(headers={}, raw=RAW, at=timezone.now()))
    (order,) = youzan.read(message.topic, message.body).facts
    assert (order.number, order.status, order.amounts.paid) == (NUMBER, "paid", 100)  # type: ignore[union-attr]
    assert order.buyer.external_id == "TESTOPENID"  # type: ignore[union-attr]
    assert order.lines[0].product == "SKU-A"  # type: ignore[union-attr]


@pytest.fixture
def shop(db: None) -> Trade:
    trade = Trade()
    channel("youzan", SECRET)
    return trade


def push(topic: str, msg: Any, version: int, **how: Any) -> Any:
    return stand_in.parcel(SECRET, topic, msg, number=NUMBER, version=version, **how)


SECONDS = int(AT.timestamp())


@pytest.mark.parametrize("in_body", [False, True])
def test_a_trade_is_paid_finished_and_partly_given_back(shop: Trade, in_body: bool) -> None:
    trade = stand_in.trade(NUMBER, at=AT, paid=AT, cents=20000, discount=2000, postage=1000, **MEI)
    parcels = [
        push("trade_TradePaid", trade, SECONDS, in_body=in_body),
        push("trade_TradeSuccess", {"tid": NUMBER}, SECONDS + 900, in_body=in_body),
        push("trade_refund_RefundSuccess", {"tid": NUMBER, "refund_id": "R1", "refunded_fee": "80.00"}, 7),
    ]
    assert [tell(parcel, to="youzan") for parcel in parcels] == [
        [("done", "new")],
        [("done", "changed")],
        [("done", "new")],
    ]
    order = Order.objects.get()
    assert order.status == "completed"
    assert [order.net, order.postage, order.refunded_goods] == [Decimal(180), Decimal(10), Decimal(80)]
    assert order.member is not None and order.member.phone == "+8613800138001"
    assert shop.available(order.member.pk) == 100
    assert proven()


def test_it_is_acknowledged_in_its_own_words(shop: Trade) -> None:
    answer = send(push("trade_TradePaid", {}, 1), to="youzan")
    assert answer.json() == {"code": 0, "msg": "success"}


def test_a_test_of_the_address_is_acknowledged_and_no_more(shop: Trade) -> None:
    answer = send(push("trade_TradePaid", {}, 1, test=True), to="youzan")
    assert answer.json() == {"code": 0, "msg": "success"} and not InboxDelivery.objects.exists()


def test_an_older_version_is_dropped(shop: Trade) -> None:
    paid = stand_in.trade(NUMBER, at=AT, paid=AT, **MEI)
    placed = stand_in.trade(NUMBER, at=AT, status="WAIT_BUYER_PAY", **MEI)
    tell(push("trade_TradePaid", paid, SECONDS + 60), to="youzan")
    assert tell(push("trade_TradeCreate", placed, SECONDS), to="youzan") == [("done", "stale")]
    assert tell(push("trade_TradeClose", {"tid": NUMBER}, SECONDS + 30), to="youzan") == [("done", "stale")]
    assert Order.objects.get().status == "paid"


def test_a_step_of_a_trade_that_nobody_told_waits_for_it(shop: Trade) -> None:
    told = tell(push("trade_TradeSuccess", {"tid": NUMBER}, SECONDS), to="youzan")
    assert told == [("failed", "members.order_unknown")]
    trade = stand_in.trade(NUMBER, at=AT, paid=AT, **MEI)
    tell(push("trade_TradePaid", trade, SECONDS - 60), to="youzan")
    assert inbox.replay_early() == 1
    assert work() == [("done", "changed")] and Order.objects.get().status == "completed"
    assert inbox.replay_early() == 0


def test_a_customer_who_gives_their_phone_is_who_buys_with_it_elsewhere(shop: Trade) -> None:
    mei = shop.buy("T1", "100", None)
    assert mei.member_id is None
    told = {"mobile": "13800138001", "yz_open_id": "mei"}
    assert tell(push("OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE", told, SECONDS), to="youzan") == [("done", "new")]
    trade = stand_in.trade(NUMBER, at=AT, paid=AT + timedelta(minutes=1), **MEI)
    tell(push("trade_TradePaid", trade, SECONDS + 60), to="youzan")
    member = Member.objects.get()
    assert member.identifiers.get(kind="phone").verified
    assert Order.objects.get(number=NUMBER).member == member
    assert Order.objects.get(number=NUMBER).net == Decimal(100)
