"""Youzan: customers (34 columns) and orders (60 columns, 分销员 twice)."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.cleaning import Unclean
from members.facts import (
    AccountFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    PointsSpentFact,
)
from members.formats import columns
from members.formats.format import Format
from members.formats.orders import amounts, discount_layers, paid_time, payment, receiver, refunded
from members.formats.rows import Row

# With both columns 分销员, and the nameless one that a comma at the end of the header makes.

STATES: Final = {
    "待付款": OrderStatus.PLACED,
    "待成团": OrderStatus.PAID,
    "待接单": OrderStatus.PAID,
    "待发货": OrderStatus.PAID,
    "待提货": OrderStatus.PAID,
    "已发货": OrderStatus.SHIPPED,
    "待收货": OrderStatus.SHIPPED,
    "交易完成": OrderStatus.COMPLETED,
    "交易成功": OrderStatus.COMPLETED,
    "交易关闭": OrderStatus.CANCELLED,
    "已关闭": OrderStatus.CANCELLED,
    "已取消": OrderStatus.CANCELLED,
}


def read_order(row: Row) -> OrderFact:
    """One row, one order; the buyer is known by 买家手机号, which is not the receiver's."""
    number = row.needed_code("订单号")
    status = row.word("订单状态", STATES)
    placed_at = row.time("订单创建时间")
    paid_at = paid_time(status, row.time("买家付款时间"), placed_at)
    cost = amounts(
        row.needed_money("商品金额合计"), row.needed_money("订单实付金额"), row.money_or_zero("运费")
    )
    named = (
        ("shop", row.text("店铺优惠方式") or "店铺优惠合计", row.money_or_zero("店铺优惠合计")),
        ("payment", row.text("支付优惠方式") or "支付优惠合计", row.money_or_zero("支付优惠合计")),
    )
    points = row.pieces("订单抵用积分数")
    return OrderFact(
        number=number,
        status=status,
        amounts=cost,
        buyer=_buyer(row),
        placed_at=placed_at,
        paid_at=paid_at,
        completed_at=row.time("交易成功时间"),
        lines=_lines(row, cost.net),
        discounts=discount_layers(named, cost.discount) if cost.discount else (),
        payments=payment(row.text("付款方式"), cost.paid, paid_at),
        receiver=receiver(
            row,
            name="收货人/提货人",
            phone="收货人手机号/提货人手机号",
            province="收货人省份",
            city="收货人城市",
            district="收货人地区",
            address="详细收货地址/提货地址",
        ),
        points_spent=PointsSpentFact(points=points, cause=number) if points else None,
        refunded_total=refunded(status, paid_at, cost.paid, row.money("订单已退款金额")),
    )


def _buyer(row: Row) -> AccountFact | None:
    phone = row.phone("买家手机号")
    if phone is None:
        return None
    return AccountFact(
        identifiers=(IdentifierFact(kind=IdentifierKind.PHONE, value=phone),), nick=row.text("买家昵称")
    )


def _lines(row: Row, net: Decimal) -> tuple[LineFact, ...]:
    """The names of what was bought; only an order of one kind says what that kind cost."""
    names = row.words("全部商品名称", ";")
    is_single = len(names) == 1 and row.pieces("商品种类数") in (None, 1)
    return tuple(LineFact(product="", name=name, amount=net if is_single else None) for name in names)


def read_customer(row: Row) -> AccountFact:
    """One row, one customer, known by the phone alone; a row without a clear phone is nobody's."""
    phone = row.phone("客户手机号")
    if phone is None:
        masked = row.masked_phone("客户手机号")
        code = "phone_masked" if masked else "buyer_missing"
        raise Unclean(code, masked or "", "客户手机号", row.line)
    return AccountFact(
        identifiers=(IdentifierFact(kind=IdentifierKind.PHONE, value=phone),),
        name=row.text("客户姓名"),
        nick=row.text("客户昵称"),
        gender=row.gender("客户性别"),
        birthday=row.birthday("客户生日"),
        province=row.region("所属区域") or row.region("微信地域"),
        tags=row.words("标签", ";"),
        joined_at=row.time("成为会员时间") or row.time("成为客户时间"),
    )


ORDERS: Final = Format(
    name="youzan-orders",
    platforms=("youzan",),
    kind="orders",
    label=_("Youzan orders"),
    key="订单号",
    required=("订单号", "订单状态", "订单创建时间", "商品金额合计", "订单实付金额", "买家手机号"),
    known=frozenset((*columns.YOUZAN_ORDERS, "分销员#2")),
    build=read_order,
)
CUSTOMERS: Final = Format(
    name="youzan-customers",
    platforms=("youzan",),
    kind="accounts",
    label=_("Youzan customers"),
    key="客户手机号",
    required=("客户姓名", "客户昵称", "客户手机号", "成为客户时间"),
    known=frozenset(columns.YOUZAN_CUSTOMERS),
    build=read_customer,
)
