"""Pinduoduo: one row an order. The file of 23 columns, and the wide one with whatever columns were ticked."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.cleaning import SHANGHAI, ZERO, is_masked
from members.facts import (
    AccountFact,
    AmountsFact,
    DiscountFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    ReceiverFact,
)
from members.formats import columns
from members.formats.format import Format
from members.formats.orders import amounts, discount_layers, paid_time, payment, refunded
from members.formats.rows import Row

_KNOWN: Final = frozenset((*columns.PINDUODUO_ORDERS, *columns.PINDUODUO_ORDERS_WIDE))

REFUNDED: Final = "退款成功"
STATES: Final = {
    "待付款": OrderStatus.PLACED,
    "待支付": OrderStatus.PLACED,
    "待成团": OrderStatus.PAID,
    "待发货": OrderStatus.PAID,
    "未发货": OrderStatus.PAID,
    "已发货": OrderStatus.SHIPPED,
    "待签收": OrderStatus.SHIPPED,
    "待收货": OrderStatus.SHIPPED,
    "已收货": OrderStatus.RECEIVED,
    "已签收": OrderStatus.RECEIVED,
    "已完成": OrderStatus.COMPLETED,
    "交易成功": OrderStatus.COMPLETED,
    "已取消": OrderStatus.CANCELLED,
    "已关闭": OrderStatus.CANCELLED,
}
_SEPARATOR = re.compile("[,\uff0c]")
_NUMBER = re.compile(r"(\d{2})(\d{2})(\d{2})-\d+")
_SERVICE_FEES: Final = ("上门安装费(元)", "送货入户费(元)", "送货入户并安装费(元)")


def read_order(row: Row) -> OrderFact:
    """One row, one order of one SKU. Without 用户购买手机号 nothing says who bought."""
    number = row.needed_code("订单号")
    status, is_refunded = _state(row)
    placed_at = row.time("订单成交时间") or _day_in(number)
    told_at = row.time("支付时间") or (placed_at if is_refunded else None)
    paid_at = paid_time(status, told_at, placed_at)
    cost = _amounts(row)
    told = cost.paid if is_refunded else ZERO if row.text("售后状态") else None
    return OrderFact(
        number=number,
        status=status,
        amounts=cost,
        buyer=_buyer(row),
        placed_at=placed_at,
        paid_at=paid_at,
        shipped_at=row.time("发货时间"),
        received_at=row.time("确认收货时间"),
        lines=(_line(row, cost.net),),
        discounts=_discounts(row, cost.discount),
        payments=payment(row.text("支付方式"), cost.paid, paid_at),
        receiver=_receiver(row),
        refunded_total=refunded(status, paid_at, cost.paid, told),
    )


def _state(row: Row) -> tuple[OrderStatus, bool]:
    """`已取消，退款成功` holds two states, of the order and of the refund; no column tells how much."""
    first, *more = _SEPARATOR.split(row.text("订单状态") or "")
    is_refunded = REFUNDED in more or REFUNDED in (row.text("售后状态") or "")
    if first not in STATES:
        row.word("订单状态", STATES)
    if first == "未发货" and is_refunded:
        return OrderStatus.CANCELLED, True
    return STATES[first], is_refunded


def _day_in(number: str) -> datetime | None:
    """The day on which an order was made stands in its number: 260517-… is 17 May 2026."""
    parts = _NUMBER.fullmatch(number)
    try:
        year, month, day = (int(part) for part in parts.groups()) if parts else (0, 0, 0)
        return datetime(2000 + year, month, day, tzinfo=SHANGHAI)
    except ValueError:
        return None


def _amounts(row: Row) -> AmountsFact:
    fees = sum((row.money_or_zero(column) for column in _SERVICE_FEES), row.money_or_zero("邮费(元)"))
    return amounts(row.needed_money("商品总价(元)"), row.needed_money("用户实付金额(元)"), fees)


def _discounts(row: Row, total: Decimal) -> tuple[DiscountFact, ...]:
    if not total:
        return ()
    columns = (
        ("shop", "店铺优惠折扣(元)"),
        ("platform", "平台优惠折扣(元)"),
        ("payment", "多多支付立减金额(元)"),
    )
    return discount_layers(((layer, column, row.money_or_zero(column)) for layer, column in columns), total)


def _buyer(row: Row) -> AccountFact | None:
    phone = row.phone("用户购买手机号")
    if phone is None:
        return None
    return AccountFact(identifiers=(IdentifierFact(kind=IdentifierKind.PHONE, value=phone, verified=False),))


def _line(row: Row, net: Decimal) -> LineFact:
    codes = map(row.code, ("商家编码-规格维度", "商家编码-商品维度", "样式ID", "商品id"))
    return LineFact(
        product=next((code for code in codes if code), ""),
        name=row.text("商品") or "",
        category=row.text("商品一级类目") or "",
        quantity=row.pieces("商品数量(件)") or 1,
        amount=net,
    )


def _receiver(row: Row) -> ReceiverFact | None:
    province, city, district = row.region("省"), row.region("市"), row.text("区")
    district = None if district is None or is_masked(district) else district
    if not (province or city or district):
        return None
    return ReceiverFact(province=province, city=city, district=district)


ORDERS: Final = Format(
    name="pinduoduo-orders",
    platforms=("pinduoduo",),
    kind="orders",
    label=_("Pinduoduo orders"),
    key="订单号",
    required=("订单号", "订单状态", "商品总价(元)", "用户实付金额(元)"),
    known=_KNOWN,
    build=read_order,
    # Seen with full-width brackets too.
    synonyms={name.replace("(", "\uff08").replace(")", "\uff09"): name for name in _KNOWN if "(" in name},
)
