"""What is written as a platform's file is read again as equal facts, and looks as the platform's does."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.cleaning import SHANGHAI, ZERO
from members.facts import (
    AccountFact,
    AmountsFact,
    ConsentFact,
    DiscountFact,
    Gender,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    PaymentFact,
    PointsSpentFact,
    ReceiverFact,
    RefundFact,
)
from members.formats.outcomes import Read
from members.formats.reading import open_table
from members.formats.registry import FORMATS, choose
from members.formats.writing import WRITABLE, to_bytes, write

money = (
    st.integers(0, 99_999_99).map(lambda cents: Decimal(cents) / 100).map(lambda yuan: yuan.quantize(ZERO))
)
price = st.integers(1, 9_999_99).map(lambda cents: (Decimal(cents) / 100).quantize(ZERO))
times = st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=SHANGHAI)
)
NAME_LETTERS = "山茶花小满围巾杯盘香薰abcXYZ019 ,\"'🌷&()"
names = st.text(NAME_LETTERS, max_size=8).map(lambda text: f"品{text}品")
codes = st.from_regex(r"[A-Z]{1,4}-[0-9]{1,6}", fullmatch=True)
numbers = st.integers(10**17, 10**18 - 1).map(str)
phones = st.integers(0, 99_999_999).map(lambda tail: f"+86139{tail:08}")
phone_keys = phones.map(lambda phone: IdentifierFact(kind=IdentifierKind.PHONE, value=phone))
email_keys = st.integers(1, 9999).map(
    lambda place: IdentifierFact(kind=IdentifierKind.EMAIL, value=f"buyer{place}@example.com")
)
places = st.sampled_from(
    [("广东", "深圳", "南山区"), ("上海", "上海", "静安区"), ("内蒙古", "包头", "昆都仑区")]
)


def read_again(name, facts):
    with open_table(to_bytes(name, facts)) as table:
        assert choose(table.headers) is FORMATS[name]
        outcomes: list[Any] = list(FORMATS[name].read(table.rows))
    assert all(isinstance(outcome, Read) and not outcome.remarks for outcome in outcomes)
    return [outcome.fact for outcome in outcomes]


@st.composite
def receivers(draw, *, is_named=True):
    province, city, district = draw(places)
    if not is_named:
        return ReceiverFact(province=province, city=city, district=district)
    return ReceiverFact(
        name="周**",
        phone=draw(phones),
        province=province,
        city=city,
        district=district,
        address=f"示例路{draw(st.integers(1, 99))}号  2幢",
    )


@st.composite
def states(draw, kinds):
    """A state and the times that go with it."""
    status = draw(st.sampled_from(kinds))
    placed_at = draw(times)
    is_paid = status not in (OrderStatus.PLACED, OrderStatus.CANCELLED) or (
        status is OrderStatus.CANCELLED and draw(st.booleans())
    )
    return status, placed_at, placed_at + timedelta(seconds=30) if is_paid else None


def refund_of(draw, status, paid_at, paid):
    """A refund that an order in this state can have had."""
    if status is OrderStatus.CANCELLED and paid_at:
        return paid
    return draw(st.sampled_from([ZERO, paid])) if paid_at else ZERO


@st.composite
def tmall_orders(draw):
    status, placed_at, paid_at = draw(
        states(
            [
                OrderStatus.PLACED,
                OrderStatus.PAID,
                OrderStatus.SHIPPED,
                OrderStatus.COMPLETED,
                OrderStatus.CANCELLED,
            ]
        )
    )
    goods, postage = draw(price), draw(money)
    discount = min(draw(money), goods) if paid_at else ZERO
    cost = AmountsFact(goods=goods, discount=discount, postage=postage)
    nick = draw(st.one_of(st.none(), names))
    keys = draw(st.lists(phone_keys, max_size=1)) if nick else []
    buyer = nick and AccountFact(
        external_id=nick,
        nick=nick,
        identifiers=tuple(IdentifierFact(kind=key.kind, value=key.value, verified=False) for key in keys),
    )
    line = LineFact(product="", name=draw(names), quantity=draw(st.integers(1, 99)), amount=cost.net)
    return OrderFact(
        number=draw(numbers),
        status=status,
        amounts=cost,
        buyer=buyer,
        placed_at=placed_at,
        paid_at=paid_at,
        received_at=placed_at + timedelta(days=3) if status is OrderStatus.COMPLETED else None,
        lines=(line,),
        discounts=(DiscountFact(layer="platform", amount=discount),) if discount else (),
        receiver=draw(receivers()),
        refunded_total=refund_of(draw, status, paid_at, cost.paid),
    )


@st.composite
def jd_orders(draw):
    status, placed_at, paid_at = draw(
        states([OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.COMPLETED])
    )
    lines: list[Any] = []
    for _place in range(draw(st.integers(1, 3))):
        each, quantity = draw(price), draw(st.integers(1, 9))
        lines.append(
            LineFact(
                product=draw(codes), name=draw(names), quantity=quantity, price=each, amount=each * quantity
            )
        )
    goods = sum((line.amount for line in lines), ZERO)
    shop = min(draw(money), goods)
    platform = min(draw(money), goods - shop)
    layers = (("shop", shop, "结算金额"), ("platform", platform, ""))
    cost = AmountsFact(goods=goods, discount=shop + platform, postage=draw(money))
    return OrderFact(
        number=draw(numbers),
        status=status,
        amounts=cost,
        buyer=AccountFact(external_id=f"jd_{draw(codes)}"),
        placed_at=placed_at,
        paid_at=paid_at,
        completed_at=placed_at + timedelta(days=4) if status is OrderStatus.COMPLETED else None,
        lines=tuple(lines),
        discounts=tuple(
            DiscountFact(layer=layer, amount=amount, label=label) for layer, amount, label in layers if amount
        ),
        payments=(PaymentFact(means="在线支付", amount=cost.net),) if paid_at else (),
        receiver=ReceiverFact(name="孙**", address="示例路1号"),
    )


@st.composite
def pinduoduo_orders(draw):
    status, placed_at, paid_at = draw(states(list(OrderStatus)))
    goods = draw(price)
    parts = (
        ("shop", "店铺优惠折扣(元)"),
        ("platform", "平台优惠折扣(元)"),
        ("payment", "多多支付立减金额(元)"),
    )
    left, layers = goods, []
    for layer, label in parts:
        amount = min(draw(money), left)
        left -= amount
        if amount:
            layers.append(DiscountFact(layer=layer, amount=amount, label=label))
    cost = AmountsFact(goods=goods, discount=goods - left, postage=draw(money))
    refunded_total = refund_of(draw, status, paid_at, cost.paid)
    if paid_at:
        paid_at = placed_at  # the file tells one time for both
    if status is OrderStatus.CANCELLED and not refunded_total:
        paid_at = None
    return OrderFact(
        number=f"260517-{draw(st.integers(10**14, 10**15 - 1))}",
        status=status,
        amounts=cost,
        placed_at=placed_at,
        paid_at=paid_at,
        shipped_at=placed_at + timedelta(hours=5) if status is OrderStatus.SHIPPED else None,
        lines=(
            LineFact(
                product=draw(codes), name=draw(names), quantity=draw(st.integers(1, 9)), amount=cost.net
            ),
        ),
        discounts=tuple(layers),
        refunded_total=refunded_total,
    )


@st.composite
def douyin_orders(draw):
    status, placed_at, paid_at = draw(states(list(OrderStatus)))
    lines: list[Any] = []
    layers = []
    for _place in range(draw(st.integers(1, 3))):
        each, quantity = draw(price), draw(st.integers(1, 9))
        discount = min(draw(money), each * quantity)
        lines.append(
            LineFact(
                product=draw(codes),
                name=draw(names),
                quantity=quantity,
                price=each,
                discount=discount,
                amount=each * quantity - discount,
            )
        )
        if discount:
            layers.append(DiscountFact(layer="shop", amount=discount, label="商家优惠"))
    cost = AmountsFact(
        goods=sum((line.amount + line.discount for line in lines), ZERO),
        discount=sum((line.discount for line in lines), ZERO),
        postage=draw(money),
    )
    return OrderFact(
        number=draw(numbers),
        status=status,
        amounts=cost,
        placed_at=placed_at,
        paid_at=paid_at,
        shipped_at=placed_at + timedelta(hours=9) if status is OrderStatus.SHIPPED else None,
        completed_at=placed_at + timedelta(days=9) if status is OrderStatus.COMPLETED else None,
        lines=tuple(lines),
        discounts=tuple(layers),
        payments=(PaymentFact(means="抖音支付", amount=cost.paid),) if paid_at else (),
        receiver=draw(receivers(is_named=False)),
        refunded_total=refund_of(draw, status, paid_at, cost.paid),
    )


@st.composite
def youzan_orders(draw):
    kinds = [status for status in OrderStatus if status is not OrderStatus.RECEIVED]
    status, placed_at, paid_at = draw(states(kinds))
    goods = draw(price)
    shop = min(draw(money), goods)
    cost = AmountsFact(goods=goods, discount=shop, postage=draw(money))
    number, points = f"E{draw(numbers)}", draw(st.integers(0, 500))
    return OrderFact(
        number=number,
        status=status,
        amounts=cost,
        buyer=AccountFact(identifiers=(draw(phone_keys),), nick=draw(names)),
        placed_at=placed_at,
        paid_at=paid_at,
        completed_at=placed_at + timedelta(hours=2) if status is OrderStatus.COMPLETED else None,
        lines=(LineFact(product="", name=draw(names), amount=cost.net),),
        discounts=(DiscountFact(layer="shop", amount=shop, label="店铺优惠合计"),) if shop else (),
        payments=(PaymentFact(means="微信支付", amount=cost.paid),) if paid_at else (),
        receiver=draw(receivers()),
        points_spent=PointsSpentFact(points=points, cause=number) if points else None,
        refunded_total=refund_of(draw, status, paid_at, cost.paid),
    )


@st.composite
def shopify_orders(draw):
    kinds = [OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.SHIPPED]
    status, placed_at, paid_at = draw(states(kinds))
    lines: list[Any] = []
    for _place in range(draw(st.integers(1, 3))):
        each, quantity = draw(price), draw(st.integers(1, 9))
        lines.append(
            LineFact(
                product=draw(codes), name=draw(names), quantity=quantity, price=each, amount=each * quantity
            )
        )
    goods = sum((line.amount for line in lines), ZERO)
    discount = min(draw(money), goods)
    cost = AmountsFact(goods=goods, discount=discount, postage=draw(money))
    return OrderFact(
        number=draw(numbers),
        status=status,
        amounts=cost,
        buyer=AccountFact(identifiers=(draw(phone_keys), draw(email_keys))),
        placed_at=placed_at,
        paid_at=paid_at,
        shipped_at=placed_at + timedelta(days=1) if status is OrderStatus.SHIPPED else None,
        lines=tuple(lines),
        discounts=(DiscountFact(layer="coupon", amount=discount, label="JUNE"),) if discount else (),
        payments=(PaymentFact(means="Alipay", amount=cost.paid),) if paid_at else (),
        refunded_total=refund_of(draw, status, paid_at, cost.paid),
    )


birthdays = st.dates(datetime(1930, 1, 1).date(), datetime(2020, 1, 1).date())
youzan_customers = st.builds(
    AccountFact,
    identifiers=st.tuples(phone_keys),
    name=names,
    nick=names,
    gender=st.sampled_from([None, *Gender]),
    birthday=st.one_of(st.none(), birthdays),
    province=st.sampled_from([None, "北京", "内蒙古"]),
    tags=st.lists(codes, max_size=3, unique=True).map(tuple),
    joined_at=times,
)
shopify_customers = st.builds(
    AccountFact,
    external_id=numbers,
    identifiers=st.tuples(phone_keys, email_keys),
    name=st.sampled_from(["Lin", "Lin Example", "梅"]),
    city=st.sampled_from([None, "上海"]),
    tags=st.lists(codes, max_size=3, unique=True).map(tuple),
    consents=st.tuples(
        *(
            st.builds(
                ConsentFact, purpose=st.just("marketing"), granted=st.booleans(), channel=st.just(channel)
            )
            for channel in ("email", "sms")
        )
    ),
)
woocommerce_customers = st.builds(
    AccountFact,
    external_id=st.one_of(st.none(), codes),
    identifiers=st.tuples(phone_keys, email_keys),
    name=names,
    province=st.sampled_from([None, "上海"]),
    city=st.sampled_from([None, "上海"]),
    joined_at=times,
)


@st.composite
def tmall_order_lines(draw):
    lines: list[Any] = []
    for _place in range(draw(st.integers(1, 4))):
        each, quantity = draw(price), draw(st.integers(1, 9))
        lines.append(
            LineFact(
                product=draw(codes), name=draw(names), quantity=quantity, price=each, amount=each * quantity
            )
        )
    return OrderLinesFact(order_number=draw(numbers), lines=tuple(lines))


@st.composite
def douyin_aftersales(draw):
    goods = draw(price)
    return RefundFact(
        order_number=draw(numbers),
        number=draw(numbers),
        goods=goods,
        postage=draw(money),
        lines=(LineFact(product=draw(codes), name=draw(names), amount=goods),),
        refunded_at=draw(times),
    )


FACTS = {
    "tmall-orders": tmall_orders(),
    "tmall-order-lines": tmall_order_lines(),
    "jd-orders": jd_orders(),
    "pinduoduo-orders": pinduoduo_orders(),
    "douyin-orders": douyin_orders(),
    "douyin-aftersales": douyin_aftersales(),
    "youzan-orders": youzan_orders(),
    "youzan-customers": youzan_customers,
    "shopify-orders": shopify_orders(),
    "shopify-customers": shopify_customers,
    "woocommerce-customers": woocommerce_customers,
}


def key_of(fact):
    """What names a fact in a file; the same order twice side by side would be one."""
    return getattr(fact, "order_number", None) or getattr(fact, "number", None) or fact.identifiers


def test_every_writable_format_is_tried():
    assert set(FACTS) == WRITABLE


@pytest.mark.parametrize("name", sorted(FACTS))
@settings(max_examples=20, deadline=None)  # a file of several orders is a large example
@given(data=st.data())
def test_what_is_written_is_read_again(name, data):
    facts = data.draw(st.lists(FACTS[name], min_size=1, max_size=3, unique_by=key_of))
    assert read_again(name, facts) == facts


def test_a_file_looks_as_the_platform_writes_it(tmp_path):
    order = OrderFact(
        number="3310000000000000011",
        status=OrderStatus.PAID,
        amounts=AmountsFact(goods=Decimal("9.90")),
        buyer=AccountFact(external_id="山茶花", nick="山茶花"),
        placed_at=datetime(2026, 7, 1, 2, tzinfo=UTC),
        paid_at=datetime(2026, 7, 1, 2, tzinfo=UTC),
    )
    path = tmp_path / "orders.csv"
    assert write("tmall-orders", [order], path) == 1
    header, row = path.read_bytes().decode("gbk").splitlines()
    assert header.startswith('"订单编号","买家会员名",') and '"收货地址 "' in header
    assert row.startswith('="3310000000000000011","山茶花",')
    assert '"买家已付款，等待卖家发货"' in row and '"2026-07-01 10:00:00"' in row


def test_shop_files_begin_with_their_marks():
    assert to_bytes("douyin-orders", []).startswith(b"\xef\xbb\xbf")
    assert to_bytes("youzan-customers", []).decode().rstrip("\n").endswith(",")


def test_formats_that_are_only_read_cannot_be_written():
    with pytest.raises(KeyError):
        to_bytes("jd-settlement", [])
