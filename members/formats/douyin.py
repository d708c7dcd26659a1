"""Douyin: orders by sub-order (74 columns) or by order (75 columns, parts joined by `;`), and after-sales."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.cleaning import ZERO, Unclean, clean_amount, clean_id, clean_quantity
from members.facts import AmountsFact, DiscountFact, LineFact, OrderFact, OrderStatus, RefundFact
from members.formats import columns
from members.formats.format import Format
from members.formats.orders import (
    amounts,
    combine_added,
    combine_refunds,
    discount_layers,
    paid_time,
    payment,
    receiver,
    refunded,
)
from members.formats.outcomes import Ignored
from members.formats.rows import Row

REFUNDED: Final = "退款成功"
STATES: Final = {
    "待支付": OrderStatus.PLACED,
    "待付款": OrderStatus.PLACED,
    "待确认": OrderStatus.PLACED,
    "备货中": OrderStatus.PAID,
    "待发货": OrderStatus.PAID,
    "部分发货": OrderStatus.PAID,
    "已发货": OrderStatus.SHIPPED,
    "已签收": OrderStatus.RECEIVED,
    "已完成": OrderStatus.COMPLETED,
    "已关闭": OrderStatus.CANCELLED,
    "已取消": OrderStatus.CANCELLED,
}
_ADVANCE: Final = tuple(OrderStatus)  # from placed to cancelled
_LAYERS: Final = (
    ("platform", "平台优惠"),
    ("shop", "商家优惠"),
    ("influencer", "达人优惠"),
    ("manual", "商家改价"),
    ("payment", "支付优惠"),
    ("payment", "红包抵扣"),
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A sub-order, or a whole order where the file has one row for it."""

    status: OrderStatus
    placed_at: datetime | None
    paid_at: datetime | None
    amounts: AmountsFact
    refunded: Decimal | None
    lines: tuple[LineFact, ...]
    discounts: tuple[DiscountFact, ...]


def read_order(rows: list[Row]) -> OrderFact:
    """The sub-orders of one order. Douyin never says who bought; receivers are ciphers and are left out."""
    parts = [_part(row) for row in rows]
    # A sub-order that was closed unpaid beside others that went on is not part of what was bought.
    counted = [part for part in parts if part.paid_at or part.status is not OrderStatus.CANCELLED] or parts
    row = rows[0]
    cost = AmountsFact(
        goods=sum((part.amounts.goods for part in counted), ZERO),
        discount=sum((part.amounts.discount for part in counted), ZERO),
        postage=sum((part.amounts.postage for part in counted), ZERO),
    )
    paid_at = min((part.paid_at for part in counted if part.paid_at), default=None)
    told = [part.refunded for part in counted if part.refunded is not None]
    return OrderFact(
        number=row.needed_code("主订单编号"),
        status=min((part.status for part in counted), key=_ADVANCE.index),
        amounts=cost,
        placed_at=parts[0].placed_at,
        paid_at=paid_at,
        shipped_at=row.time("发货时间"),
        completed_at=_last(part.time("订单完成时间") for part in rows),
        lines=tuple(line for part in counted for line in part.lines),
        discounts=tuple(discount for part in counted for discount in part.discounts),
        payments=payment(row.text("支付方式"), cost.paid, paid_at),
        receiver=receiver(
            row,
            name="收件人",
            phone="收件人手机号",
            province="省",
            city="市",
            district="区",
            address="详细地址",
        ),
        refunded_total=sum(told, ZERO) if told else None,
    )


def _last(times: Iterable[datetime | None]) -> datetime | None:
    return max((time for time in times if time is not None), default=None)


def _part(row: Row) -> _Part:
    status = row.word("订单状态", STATES)
    placed_at = row.time("订单提交时间")
    paid_at = paid_time(status, row.time("支付完成时间"), placed_at)
    cost, lines = _by_order(row) if row.has("商品金额") else _by_sub_order(row)
    state = row.cell("售后状态")
    told = cost.paid if REFUNDED in state and paid_at else ZERO if state else None
    named = ((layer, column, row.signed_money(column) or ZERO) for layer, column in _LAYERS)
    return _Part(
        status=status,
        placed_at=placed_at,
        paid_at=paid_at,
        amounts=cost,
        refunded=refunded(status, paid_at, cost.paid, told),
        lines=lines,
        discounts=discount_layers(named, cost.discount) if cost.discount else (),
    )


def _by_sub_order(row: Row) -> tuple[AmountsFact, tuple[LineFact, ...]]:
    price = row.money("商品单价")
    quantity = row.pieces("商品数量") or 1
    paid, postage = row.needed_money("订单应付金额"), row.money_or_zero("运费")
    goods = paid - postage if price is None else price * quantity
    cost = amounts(goods, paid, postage)
    line = LineFact(
        product=row.code("商家编码") or row.code("商品ID") or "",
        name=row.text("选购商品") or "",
        quantity=quantity,
        price=price,
        discount=cost.discount,
        amount=cost.net,
    )
    return cost, (line,)


def _by_order(row: Row) -> tuple[AmountsFact, tuple[LineFact, ...]]:
    """One row an order: goods, ids and amounts of its sub-orders are joined by `;`."""
    names, prices = row.words("选购商品", ";"), _each_money(row)
    codes = row.words("商家编码", ";") or row.words("商品ID", ";")
    paid, postage = row.needed_money("订单应付金额"), row.money_or_zero("运费")
    goods = sum(prices, ZERO) if prices else paid - postage + row.money_or_zero("优惠总金额")
    return amounts(goods, paid, postage), _joined_lines(row, names, codes, prices)


def _each_money(row: Row) -> list[Decimal]:
    try:
        return [clean_amount(part) or ZERO for part in row.words("商品金额", ";")]
    except Unclean:
        raise row.unclean("amount_invalid", "商品金额") from None


def _joined_lines(
    row: Row, names: tuple[str, ...], codes: tuple[str, ...], prices: list[Decimal]
) -> tuple[LineFact, ...]:
    """The lines, where names, codes and quantities can be told apart; else one line with all names."""
    count = max(len(names), 1)
    quantities = _quantities(row, count)
    if quantities is None:
        quantities = [row.pieces("商品数量") or 1]
        names, codes, prices, count = (";".join(names),), (), [], 1
    priced = prices if len(prices) == count else [None] * count
    coded = codes if len(codes) == count else ("",) * count
    return tuple(
        LineFact(product=clean_id(code) or "", name=name, quantity=quantity, amount=amount)
        for name, code, quantity, amount in zip(names or ("",), coded, quantities, priced, strict=True)
    )


def _quantities(row: Row, count: int) -> list[int] | None:
    """How many of each; a single total says so only where it is of one kind, or one of each."""
    parts = row.words("商品数量", ";")
    try:
        quantities = [clean_quantity(part) or 1 for part in parts]
    except Unclean:
        raise row.unclean("quantity_invalid", "商品数量") from None
    if len(quantities) == count:
        return quantities
    return [1] * count if quantities in ([count], []) else None


def read_refund(row: Row) -> RefundFact | Ignored:
    """An after-sale that ended in a refund; those still under way or closed tell nothing yet."""
    if REFUNDED not in (row.text("售后状态") or ""):
        return Ignored(row.line, "not_refunded")
    goods = row.needed_money("退商品金额（元）")
    line = LineFact(
        product=row.code("商家编码") or row.code("商品ID") or "",
        name=row.text("商品名称") or "",
        amount=goods,
    )
    times = ("用户到账时间", "商家退款时间", "售后完结时间", "售后申请时间")
    return RefundFact(
        order_number=row.needed_code("订单号"),
        number=row.needed_code("售后单号"),
        goods=goods,
        postage=row.money_or_zero("退运费金额（元）"),
        lines=(line,),
        refunded_at=next((at for at in map(row.time, times) if at), None),
    )


ORDERS: Final = Format(
    name="douyin-orders",
    platforms=("douyin",),
    kind="orders",
    label=_("Douyin orders"),
    key="主订单编号",
    required=("主订单编号", "子订单编号", "订单应付金额", "订单状态", "订单提交时间"),
    known=frozenset((*columns.DOUYIN_ORDERS, *columns.DOUYIN_ORDERS_BY_ORDER)),
    build_group=read_order,
    combine=combine_added,
)
AFTERSALES: Final = Format(
    name="douyin-aftersales",
    platforms=("douyin",),
    kind="refunds",
    label=_("Douyin after-sales"),
    key="售后单号",
    required=("售后单号", "订单号", "退商品金额（元）", "售后状态"),
    known=frozenset(columns.DOUYIN_AFTERSALES),
    build=read_refund,
    combine=combine_refunds,
)
