"""One order comes by the API, in the platform's file, or by the platform's own webhook: the same rows."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from loyalty.models import Entry
from members.models import Account, Order
from members.stand_ins import shopify, woocommerce, youzan
from tests.api import Api
from tests.members import platform_files
from tests.platforms import channel, tell
from tests.stories.files import bring_in, local
from tests.trade import Trade

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
PAID = AT + timedelta(minutes=1)
Rows = dict[str, Any]

ORDER = (
    *("number", "status", "placed_at", "paid_at", "shipped_at", "received_at", "completed_at", "goods"),
    *("discount", "postage", "points_value", "stored_value", "refunded_told", "refunded_goods"),
    *("refunded_postage", "points_spent", "discounts", "payments", "receiver", "revision", "stale_count"),
)
LINE = ("position", "product", "name", "category", "quantity", "price", "discount", "amount")


def rows() -> Rows:
    """Everything that one order left behind, without the ids that the database gave and when it heard."""
    order = Order.objects.get()
    member = order.member
    assert member is not None
    account = Account.objects.get()
    return {
        "order": {name: getattr(order, name) for name in ORDER},
        "lines": [[getattr(line, name) for name in LINE] for line in order.lines.order_by("position")],
        "steps": list(order.history.values_list("status", "happened_at")),
        "points": list(Entry.objects.order_by("id").values_list("kind", "points", "happened_at")),
        "member": [member.name, member.phone, member.email, member.province, member.city],
        "keys": sorted(member.identifiers.values_list("kind", "scope", "index", "verified", "leads")),
        # Files do not know the platform's id of the buyer, nor which version of the order they hold.
        "told": [order.version, bytes(order.digest), account.external_id],
    }


@contextmanager
def a_world_of_its_own() -> Any:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ways(*told: Callable[[], Any]) -> list[Rows]:
    """What each way of telling leaves behind, each in a world of its own."""
    found = []
    for tell_it in told:
        with a_world_of_its_own():
            tell_it()
            found.append(rows())
    return found


def by_api(code: str, number: str, body: Any) -> Callable[[], None]:
    def put() -> None:
        answer = Api(channel(code, {})).put(f"/orders/{number}/", body)
        assert (answer.status, answer.body.get("ignored_fields", [])) == (201, []), answer.body

    return put


def without(found: Rows, *names: str) -> Rows:
    return {name: value for name, value in found.items() if name not in names}


@pytest.fixture(autouse=True)
def trade(db: None) -> Trade:
    return Trade()


def test_shopify() -> None:
    secret = shopify.STAND_IN.credentials
    channel("shopify", secret)
    mei = {"id": 71, "email": "mei@example.cn", "phone": "+8613800138001"}
    ship_to = {
        "name": "梅晓雨",
        "phone": "13800138001",
        "country_code": "CN",
        "province": "上海市",
        "city": "上海市",
    }
    order = shopify.order(
        9001,
        at=AT,
        updated=PAID,
        customer=mei,
        cents=23000,
        total_discounts="20.00",
        discount_codes=[{"code": "SUMMER"}],
        shipping_lines=[{"price": "10.00"}],
        shipping_address={**ship_to, "address1": "静安路1号"},
        line_items=[
            {"sku": "TOTE", "name": "Tote", "quantity": 2, "price": "100.00", "total_discount": "20.00"},
            {"sku": "MUG", "name": "Mug", "quantity": 1, "price": "40.00", "total_discount": "0.00"},
        ],
    )
    head = {
        "Id": "9001",
        "Email": "mei@example.cn",
        "Financial Status": "paid",
        "Paid at": f"{AT:%Y-%m-%d %H:%M:%S} +0000",
        "Currency": "CNY",
        "Shipping": "10.00",
        "Total": "230.00",
        "Discount Code": "SUMMER",
        "Discount Amount": "20.00",
        "Billing Country": "CN",
        "Shipping Name": "梅晓雨",
        "Shipping Phone": "'13800138001",
        "Shipping Country": "CN",
        "Shipping Province Name": "上海市",
        "Shipping City": "上海市",
        "Shipping Address1": "静安路1号",
        "Payment Method": "alipay",
        "Refunded Amount": "0.00",
        "Phone": "'+8613800138001",
        "Name": "#9001",
        "Created at": f"{AT:%Y-%m-%d %H:%M:%S} +0000",
        "Lineitem quantity": "2",
        "Lineitem name": "Tote",
        "Lineitem price": "100.00",
        "Lineitem sku": "TOTE",
        "Lineitem discount": "20.00",
    }
    second = {"Name": "#9001", "Created at": head["Created at"], "Lineitem quantity": "1"}
    second |= {
        "Lineitem name": "Mug",
        "Lineitem price": "40.00",
        "Lineitem sku": "MUG",
        "Lineitem discount": "0.00",
    }
    body = {
        "status": "paid",
        "buyer": {"external_id": "71", "identifiers": {"phone": "13800138001", "email": "Mei@Example.cn"}},
        "amounts": {"goods": "240.00", "discount": "20.00", "postage": "10.00"},
        "placed_at": "2026-06-01T10:00:00+08:00",
        "paid_at": "2026-06-01T10:00:00+08:00",
        "lines": [
            *(
                {
                    "product": "TOTE",
                    "name": "Tote",
                    "quantity": 2,
                    "price": "100.00",
                    "discount": "20.00",
                    "amount": "180.00",
                },
            ),
            *({"product": "MUG", "name": "Mug", "quantity": 1, "price": "40.00", "amount": "40.00"},),
        ],
        "discounts": [{"layer": "coupon", "amount": "20.00", "label": "SUMMER"}],
        "payments": [{"means": "alipay", "amount": "230.00"}],
        "receiver": {
            "name": "梅晓雨",
            "phone": "13800138001",
            "province": "上海",
            "city": "上海",
            "address": "静安路1号",
        },
        "refunded_total": "0.00",
        "version": int(PAID.timestamp() * 1000) + 100,
    }
    hook, api, file = ways(
        lambda: tell(shopify.parcel(secret, "orders/paid", order), to="shopify"),
        by_api("shopify", "9001", body),
        lambda: bring_in(channel("shopify", {}), platform_files.text([*head], [head, second], "utf-8")),
    )
    assert hook["points"][0][1] == 220
    assert hook == api
    assert without(hook, "told") == without(file, "told")


def test_woocommerce() -> None:
    """WooCommerce exports no orders itself: the file is one whose columns are mapped by their names."""
    secret = woocommerce.STAND_IN.credentials
    channel("woocommerce", secret)
    bill = {
        "first_name": "晓雨",
        "last_name": "梅",
        "email": "mei@example.cn",
        "phone": "13800138001",
        "country": "CN",
    }
    order = woocommerce.order(
        4750, at=AT, updated=PAID, paid=PAID, customer=71, billing=bill, cents=13000, postage=1000
    )
    body = {
        "status": "paid",
        "buyer": {
            "external_id": "71",
            "name": "梅晓雨",
            "identifiers": {"phone": "13800138001", "email": "mei@example.cn"},
        },
        "amounts": {"goods": "120.00", "postage": "10.00"},
        "placed_at": AT.isoformat(),
        "paid_at": PAID.isoformat(),
        "lines": [{"product": "TOTE", "name": "Tote", "quantity": 1, "price": "120.00", "amount": "120.00"}],
        "payments": [{"means": "Alipay", "amount": "130.00"}],
        "refunded_total": "0.00",
        "version": int(PAID.timestamp() * 1000) + 100,
    }
    hook, api = ways(
        lambda: tell(woocommerce.parcel(secret, "order.updated", order), to="woocommerce"),
        by_api("woocommerce", "4750", body),
    )
    assert hook["order"]["goods"] == Decimal(120)
    assert hook == api


def test_youzan() -> None:
    secret = youzan.STAND_IN.credentials
    channel("youzan", secret)
    number = "E20260601100000000100001"
    trade = youzan.trade(
        number, at=AT, paid=PAID, phone="13800138001", open_id="mei", cents=20000, discount=2000, postage=1000
    )
    row = {
        "订单号": number,
        "订单状态": "待发货",
        "订单创建时间": local(AT),
        "买家付款时间": local(PAID),
        "付款方式": "微信支付",
        "商品金额合计": "200.00",
        "运费": "10.00",
        "订单实付金额": "190.00",
        "全部商品名称": "草莓蛋糕",
        "商品种类数": "1",
        "买家昵称": "小熟",
        "买家手机号": "13800138001",
    }
    body = {
        "status": "paid",
        "buyer": {"external_id": "mei", "nick": "小熟", "identifiers": {"phone": "13800138001"}},
        "amounts": {"goods": "200.00", "discount": "20.00", "postage": "10.00"},
        "placed_at": AT.isoformat(),
        "paid_at": PAID.isoformat(),
        "lines": [
            {
                "product": "CAKE",
                "name": "草莓蛋糕",
                "quantity": 1,
                "price": "200.00",
                "discount": "20.00",
                "amount": "180.00",
            }
        ],
        "discounts": [{"layer": "other", "amount": "20.00"}],
        "payments": [{"means": "微信支付", "amount": "190.00"}],
        "version": int(PAID.timestamp()) * 1000 + 100,
    }
    hook, api, file = ways(
        lambda: tell(
            youzan.parcel(secret, "trade_TradePaid", trade, number=number, version=int(PAID.timestamp())),
            to="youzan",
        ),
        by_api("youzan", number, body),
        lambda: bring_in(channel("youzan", {}), platform_files.text([*row], [row], "utf-8")),
    )
    assert hook == api
    # Youzan's file names what was bought, and has no code of it.
    assert without(hook, "told", "lines") == without(file, "told", "lines")
    assert [(line[2], line[7]) for line in hook["lines"]] == [(line[2], line[7]) for line in file["lines"]]
