"""WooCommerce's contract: its signature, its ping, its orders and customers."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from members.connectors import woocommerce
from members.connectors.connector import Call
from members.models import Member, Order
from members.stand_ins import woocommerce as stand_in
from tests.contracts.test_shopify import SIGNED, VECTOR
from tests.platforms import channel, tell
from tests.trade import Trade, proven

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
SECRET = stand_in.STAND_IN.credentials
MEI: dict[str, Any] = {"customer": 7, "billing": stand_in.billing(7)}


@pytest.fixture
def shop(db: None) -> Trade:
    trade = Trade()
    channel("woocommerce", SECRET)
    return trade


def test_the_vector_is_believed_and_nothing_beside_it():
    def believes(raw: bytes, secret: str) -> bool:
        call = Call(headers={"x-wc-webhook-signature": SIGNED}, raw=raw, at=timezone.now())
        return woocommerce.CONNECTOR.verify(call, {"secret": secret})

    assert believes(VECTOR, "shhh_test_secret")
    assert not believes(VECTOR[:-1], "shhh_test_secret")
    assert not believes(VECTOR, "another")


@pytest.mark.parametrize(
    ("raw", "is_ping"), [(b"webhook_id=3", True), (b"webhook_id=3&x=1", False), (b"", False), (b"{}", False)]
)
def test_a_ping_is_nothing_but_a_number(raw: bytes, is_ping: bool):
    assert woocommerce.is_greeting(Call(headers={}, raw=raw, at=timezone.now())) == is_ping


def test_an_order_is_placed_paid_and_partly_given_back(shop: Trade) -> None:
    paid = AT + timedelta(minutes=1)
    placed = stand_in.order(5, at=AT, status="pending", cents=21000, postage=1000, **MEI)
    now_paid = stand_in.order(5, at=AT, updated=paid, paid=paid, cents=21000, postage=1000, **MEI)
    back = {**now_paid, "date_modified_gmt": "2026-06-03T02:00:00", "refunds": [{"id": 9, "total": "-50.00"}]}
    assert tell(stand_in.parcel(SECRET, "order.created", placed), to="woocommerce") == [("done", "new")]
    assert tell(stand_in.parcel(SECRET, "order.updated", now_paid), to="woocommerce") == [("done", "changed")]
    assert tell(stand_in.parcel(SECRET, "order.updated", back), to="woocommerce") == [("done", "changed")]
    assert tell(stand_in.parcel(SECRET, "order.updated", placed), to="woocommerce") == [("done", "stale")]
    order = Order.objects.get()
    assert (order.status, order.net, order.postage) == ("paid", Decimal(200), Decimal(10))
    assert order.paid_at == paid, "its times without an offset are of Greenwich"
    assert order.member is not None and order.member.phone == "+8613900138007"
    assert shop.available(order.member.pk) == 150
    assert proven()


@pytest.mark.parametrize(
    ("status", "ends"),
    [
        ("on-hold", ("done", "new")),
        ("refunded", ("done", "new")),
        ("checkout-draft", ("ignored", "draft")),
        ("wc-invented", ("failed", "status_unknown")),
    ],
)
def test_each_state_has_its_meaning(shop: Trade, status: str, ends: tuple[str, str]) -> None:
    order = stand_in.order(5, at=AT, paid=AT, status=status, **MEI)
    assert tell(stand_in.parcel(SECRET, "order.created", order), to="woocommerce") == [ends]
    kept = [row.net - row.refunded_goods for row in Order.objects.all()]
    assert kept == {"on-hold": [120], "refunded": [0]}.get(status, [])


def test_a_deleted_order_was_bought_all_the_same(shop: Trade) -> None:
    tell(stand_in.parcel(SECRET, "order.created", stand_in.order(5, at=AT, paid=AT, **MEI)), to="woocommerce")
    gone = stand_in.parcel(SECRET, "order.deleted", {"id": 5})
    assert tell(gone, to="woocommerce") == [("ignored", "deleted_is_kept")]
    assert Order.objects.get().status == "paid"


def test_a_customer_and_a_guest_with_the_same_phone_are_one_member(shop: Trade) -> None:
    customer = {"id": 7, "email": "mei@example.cn", "first_name": "晓雨", "last_name": "梅"}
    told = {**customer, "billing": stand_in.billing(7), "date_modified_gmt": "2026-06-01T02:00:00"}
    assert tell(stand_in.parcel(SECRET, "customer.created", told), to="woocommerce") == [("done", "new")]
    guest = stand_in.order(
        6, at=AT, paid=AT, billing={**stand_in.billing(7), "first_name": "", "last_name": ""}
    )
    tell(stand_in.parcel(SECRET, "order.created", guest), to="woocommerce")
    mei = Member.objects.get()
    assert (mei.name, mei.province, mei.city) == ("梅晓雨", "上海", "上海")
    assert Order.objects.get().member == mei
