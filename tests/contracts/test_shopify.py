"""Shopify's contract: what is signed is believed, and what is told becomes what files and the API tell."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from members import accounts
from members.connectors import shopify
from members.connectors.connector import Call
from members.models import InboxDelivery, Member, Order, PlatformRequest, Refund
from members.stand_ins import shopify as stand_in
from privacy import consent
from tests.platforms import channel, send, tell
from tests.trade import Trade, proven

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
MEI = stand_in.customer(1, at=AT)
SECRET = stand_in.STAND_IN.credentials

# Signed by hand with the made-up secret `shhh_test_secret`.
VECTOR = (
    b'{"id":820982911946154508,"email":"ann@example.com","phone":"+15550100",'
    b'"created_at":"2024-05-01T09:58:12-04:00","financial_status":"paid","total_price":"34.98",'
    b'"currency":"USD","customer":{"id":115310627314723954,"email":"ann@example.com",'
    b'"first_name":"Ann","last_name":"Example"},"line_items":[{"id":1,"sku":"TEE-BLK-S",'
    b'"quantity":2,"price":"9.99"}],"refunds":[]}'
)
SIGNED = "sMBv0nzAzJ8SlnZiBpRVnEhNmkNQOp1xNz1hIyDWAjw="


def call(raw: bytes = VECTOR, signature: str = SIGNED) -> Call:
    headers = {"x-shopify-hmac-sha256": signature, "x-shopify-topic": "orders/create"}
    return Call(headers=headers, raw=raw, at=timezone.now())


def test_the_vector_is_believed_and_nothing_beside_it():
    secret = {"secret": "shhh_test_secret"}
    assert shopify.CONNECTOR.verify(call(), secret)
    assert not shopify.CONNECTOR.verify(call(VECTOR + b" "), secret)
    assert not shopify.CONNECTOR.verify(call(signature=SIGNED.lower()), secret)
    assert not shopify.CONNECTOR.verify(call(signature=""), secret)
    assert not shopify.CONNECTOR.verify(call(signature="é" * 44), secret)
    assert not shopify.CONNECTOR.verify(call(), {"secret": "another"})


@pytest.fixture
def shop(db: None) -> Trade:
    trade = Trade()
    channel("shopify", SECRET)
    return trade


def test_an_order_is_placed_paid_sent_and_partly_given_back(shop: Trade) -> None:
    placed = stand_in.order(5, at=AT, customer=MEI, status="pending", cents=20000)
    paid = stand_in.order(5, at=AT, updated=AT + timedelta(minutes=1), customer=MEI, cents=20000)
    back = stand_in.refund(51, 5, at=AT + timedelta(days=2), cents=5000)
    assert tell(stand_in.parcel(SECRET, "orders/create", placed), to="shopify") == [("done", "new")]
    assert tell(stand_in.parcel(SECRET, "orders/paid", paid), to="shopify") == [("done", "changed")]
    assert tell(stand_in.parcel(SECRET, "refunds/create", back), to="shopify") == [("done", "new")]
    order = Order.objects.get()
    assert (order.number, order.status) == ("5", "paid")
    assert [order.net, order.refunded_goods] == [Decimal(200), Decimal(50)]
    assert order.member is not None and order.member.phone == MEI["phone"]
    assert shop.available(order.member.pk) == 150
    assert proven()


def test_told_late_twice_and_in_disorder_it_ends_the_same(shop: Trade) -> None:
    later = AT + timedelta(minutes=1)
    paid = stand_in.order(5, at=AT, updated=later, customer=MEI)
    cancelled = stand_in.order(
        5, at=AT, updated=AT + timedelta(hours=2), customer=MEI, cancelled_at=later.isoformat()
    )
    back = stand_in.refund(51, 5, at=later, cents=12000)
    parcels = [
        stand_in.parcel(SECRET, "refunds/create", back),
        stand_in.parcel(SECRET, "orders/cancelled", cancelled),
        stand_in.parcel(SECRET, "orders/paid", paid),
        stand_in.parcel(SECRET, "orders/paid", paid, webhook_id="another name for the same"),
    ]
    told = [tell(parcel, to="shopify") for parcel in parcels]
    assert told == [[("done", "parked")], [("done", "new")], [("done", "stale")], [("done", "stale")]]
    assert tell(parcels[0], to="shopify") == []
    order = Order.objects.get()
    assert (order.status, order.refunded_goods) == ("cancelled", Decimal(120))
    assert Refund.objects.get().order_id == order.pk
    assert shop.available(order.member_id) == 0  # type: ignore[arg-type]


def test_two_steps_of_one_second_are_told_apart(shop: Trade) -> None:
    """Shopify's updated_at is in whole seconds, and it creates and pays an order within one."""
    paid = stand_in.order(5, at=AT, customer=MEI)
    placed = stand_in.order(5, at=AT, customer=MEI, status="pending")
    assert tell(stand_in.parcel(SECRET, "orders/paid", paid), to="shopify") == [("done", "new")]
    assert tell(stand_in.parcel(SECRET, "orders/create", placed), to="shopify") == [("done", "stale")]
    assert Order.objects.get().status == "paid"


def test_a_refund_of_postage_alone_takes_no_points(shop: Trade) -> None:
    order = stand_in.order(5, at=AT, customer=MEI, shipping_lines=[{"price": "10.00"}], cents=13000)
    back = stand_in.refund(51, 5, at=AT, cents=1000, postage=1000)
    later = {**order, "updated_at": (AT + timedelta(days=1)).isoformat(), "refunds": [back]}
    tell(stand_in.parcel(SECRET, "orders/paid", order), to="shopify")
    tell(stand_in.parcel(SECRET, "orders/updated", later), to="shopify")
    assert tell(stand_in.parcel(SECRET, "refunds/create", back), to="shopify") == [("done", "same")]
    row = Order.objects.get()
    assert (row.refunded_goods, row.refunded_postage) == (Decimal("0.00"), Decimal("10.00"))
    assert shop.available(row.member_id) == 120  # type: ignore[arg-type]


def test_an_order_in_another_currency_waits_for_a_person(shop: Trade) -> None:
    order = stand_in.order(5, at=AT, customer=MEI, currency="USD")
    assert tell(stand_in.parcel(SECRET, "orders/create", order), to="shopify") == [
        ("failed", "currency_unsupported")
    ]
    assert not Order.objects.exists()


def test_customers_say_yes_and_no_to_marketing(shop: Trade) -> None:
    words = {"state": "subscribed", "consent_updated_at": AT.isoformat()}
    tell(stand_in.parcel(SECRET, "customers/create", {**MEI, "email_marketing_consent": words}), to="shopify")
    mei = Member.objects.get()
    assert consent.allowed(mei, "marketing", "email")
    no = {"state": "unsubscribed", "consent_updated_at": (AT + timedelta(days=1)).isoformat()}
    told = {"customer_id": MEI["id"], "email_marketing_consent": no}
    tell(stand_in.parcel(SECRET, "customers/email_marketing_consent_update", told), to="shopify")
    assert not consent.allowed(mei, "marketing", "email")
    # The older word comes again, by a repeated telling of the whole customer.
    again = stand_in.parcel(
        SECRET, "customers/update", {**MEI, "email_marketing_consent": words}, webhook_id="again"
    )
    assert tell(again, to="shopify") == [("done", "same")]
    assert not consent.allowed(mei, "marketing", "email")


def test_a_deleted_customer_is_unbound_and_bound_again_when_they_come_back(shop: Trade) -> None:
    tell(stand_in.parcel(SECRET, "customers/create", MEI), to="shopify")
    assert tell(stand_in.parcel(SECRET, "customers/delete", {"id": MEI["id"]}), to="shopify") == [
        ("done", "changed")
    ]
    account = accounts.get(channel("shopify", {}), str(MEI["id"]))
    assert account.unbound_at is not None


@pytest.mark.parametrize(
    ("topic", "kind"),
    [("customers/data_request", "access"), ("customers/redact", "erase"), ("shop/redact", "erase_shop")],
)
def test_what_the_law_asks_waits_for_the_privacy_officer_once(shop: Trade, topic: str, kind: str) -> None:
    tell(stand_in.parcel(SECRET, "customers/create", MEI), to="shopify")
    asked = {"shop_id": 9, "shop_domain": "s.myshopify.com", "customer": {"id": MEI["id"], "email": "m@e.cn"}}
    if kind == "erase_shop":
        del asked["customer"]
    assert tell(stand_in.parcel(SECRET, topic, asked), to="shopify") == [("done", "new")]
    assert tell(stand_in.parcel(SECRET, topic, asked, webhook_id="b"), to="shopify") == [("done", "same")]
    request = PlatformRequest.objects.get()
    assert (request.kind, request.done_at) == (kind, None)
    assert (request.account is None) == (kind == "erase_shop")
    assert timedelta(days=29) < request.due_at - timezone.now() <= timedelta(days=30)
    assert Member.objects.get().name == "Buyer 1", "nothing is erased by a message alone"


def test_topics_that_tell_us_nothing_are_acknowledged_and_ignored(shop: Trade) -> None:
    parcel = stand_in.parcel(SECRET, "products/update", {"id": 1})
    assert tell(parcel, to="shopify") == [("ignored", "topic_not_used")]


def test_a_forged_webhook_is_refused_and_leaves_nothing(shop: Trade) -> None:
    parcel = stand_in.parcel(SECRET, "orders/create", stand_in.order(5, at=AT))
    assert send(parcel.forged(), to="shopify").status_code == 401
    assert not InboxDelivery.objects.exists()
