"""Tmall and Taobao: ExportOrderList (41 to 61 columns and more) and ExportOrderDetailList (宝贝报表)."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.cleaning import ZERO, clean_region, is_masked
from members.facts import (
    AccountFact,
    AmountsFact,
    DiscountFact,
    LineFact,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    ReceiverFact,
)
from members.formats import columns
from members.formats.format import Format
from members.formats.orders import (
    amounts,
    combine_lines,
    contact,
    discount_layers,
    paid_time,
    refunded,
)
from members.formats.rows import Row

# The columns of 2018, in the platform's order and with its trailing spaces.

WAITING_FOR_PAYMENT: Final = "等待买家付款"
PAID: Final = "买家已付款,等待卖家发货"
SHIPPED: Final = "卖家已发货,等待买家确认"
STATES: Final = {
    WAITING_FOR_PAYMENT: OrderStatus.PLACED,
    "付款确认中": OrderStatus.PLACED,
    PAID: OrderStatus.PAID,
    "等待卖家发货": OrderStatus.PAID,
    "卖家部分发货": OrderStatus.PAID,
    SHIPPED: OrderStatus.SHIPPED,
    "等待买家确认": OrderStatus.SHIPPED,
    "等待买家确认收货": OrderStatus.SHIPPED,
    "交易成功": OrderStatus.COMPLETED,
    "交易关闭": OrderStatus.CANCELLED,
    "交易被淘宝关闭": OrderStatus.CANCELLED,
}
# The platform writes the comma full-width; people who re-save files do not always.
STATES.update({word.replace(",", "\uff0c"): status for word, status in tuple(STATES.items()) if "," in word})


def read_order(row: Row) -> OrderFact:
    """One row, one order."""
    status = row.word("订单状态", STATES)
    placed_at = row.time("订单创建时间")
    paid_at = paid_time(status, row.time("订单付款时间"), placed_at)
    cost = _amounts(row, is_paid=paid_at is not None)
    return OrderFact(
        number=row.needed_code("订单编号"),
        status=status,
        amounts=cost,
        buyer=_buyer(row),
        placed_at=placed_at,
        paid_at=paid_at,
        shipped_at=row.time("发货时间"),
        received_at=row.time("确认收货时间"),
        lines=_lines(row, cost.net),
        discounts=_discounts(row, cost.discount),
        receiver=_receiver(row),
        refunded_total=refunded(status, paid_at, cost.paid, _refund_told(row, status, cost.paid)),
    )


def _amounts(row: Row, *, is_paid: bool) -> AmountsFact:
    """Goods after the shop's own discounts, and what the buyer paid for them.

    Before payment 买家实际支付金额 is nothing, which is no discount: the order costs its 总金额.
    """
    paid = row.needed_money("买家实际支付金额")
    postage = row.money_or_zero("买家应付邮费")
    total = row.money("总金额")
    goods = row.money("买家应付货款")
    if goods is None:
        goods = max((paid if total is None else total) - postage, ZERO)
    if not is_paid:
        return AmountsFact(goods=goods, postage=postage)
    return amounts(goods, paid, postage)


def _discounts(row: Row, total: Decimal) -> tuple[DiscountFact, ...]:
    """What the platform paid in the buyer's place: cards, 集分宝, and its points as the rest."""
    if not total:
        return ()
    named = (
        ("platform", "天猫卡券抵扣", row.money_or_zero("天猫卡券抵扣")),
        ("platform", "集分宝抵扣", row.money_or_zero("集分宝抵扣")),
    )
    return discount_layers(named, total, rest="platform")


def _refund_told(row: Row, status: OrderStatus, paid: Decimal) -> Decimal | None:
    """退款金额, else what a finished order paid out less to the shop than the buyer had paid."""
    told = row.money("退款金额")
    if told or status is not OrderStatus.COMPLETED:
        return told
    paid_out = row.money("打款商家金额")
    return paid - paid_out if paid_out is not None and paid_out < paid else told


def _buyer(row: Row) -> AccountFact | None:
    """The buyer by 会员名; a masked one, as 小**, is shared by thousands and no key."""
    nick = row.text("买家会员名")
    account = row.text("买家支付宝账号")
    keys = contact(account) if account else ()
    if nick and not is_masked(nick):
        is_masked_phone = account is not None and "*" in account and "@" not in account
        return AccountFact(
            external_id=row.code("买家会员名"),
            identifiers=keys,
            nick=nick,
            phone_masked=account if is_masked_phone else None,
        )
    return AccountFact(identifiers=keys, nick=nick) if keys else None


def _lines(row: Row, net: Decimal) -> tuple[LineFact, ...]:
    """The line of an order of one kind of goods; several come apart in the 宝贝报表 only."""
    title = row.text("宝贝标题")
    if not title or row.pieces("宝贝种类") != 1:
        return ()
    return (LineFact(product="", name=title, quantity=row.pieces("宝贝总数量") or 1, amount=net),)


def _receiver(row: Row) -> ReceiverFact | None:
    """收货地址 is `省 市 区 address(postcode)`; a municipality stands there as `上海 上海市 浦东新区`."""
    name = row.text("收货人姓名")
    whole = row.text("收货地址")
    phone = row.spare_phone("联系手机") if len(row.cell("联系手机")) > 2 else None
    if not (name or whole or phone):
        return None
    whole = whole or ""
    if whole.endswith(")") and whole[-8:-7] == "(":
        whole = whole[:-8]
    parts = [*whole.split(maxsplit=3), "", "", "", ""]
    return ReceiverFact(
        name=name,
        phone=phone,
        province=clean_region(parts[0]),
        city=clean_region(parts[1]),
        district=parts[2] or None,
        address=None if "*" in parts[3] else parts[3].strip() or None,
    )


def read_lines(rows: list[Row]) -> OrderLinesFact:
    """The rows of one order, one for each of its lines."""
    return OrderLinesFact(order_number=rows[0].needed_code("订单编号"), lines=tuple(map(_line, rows)))


def _line(row: Row) -> LineFact:
    price = row.needed_money("价格")
    quantity = row.pieces("购买数量")
    if quantity is None:
        raise row.unclean("required_missing", "购买数量")
    return LineFact(
        product=row.code("外部系统编号") or row.code("商家编码") or "",
        name=row.text("标题") or "",
        quantity=quantity,
        price=price,
        amount=price * quantity,
    )


ORDERS: Final = Format(
    name="tmall-orders",
    platforms=("tmall", "taobao"),
    kind="orders",
    label=_("Tmall or Taobao orders"),
    key="订单编号",
    required=("订单编号", "买家会员名", "买家实际支付金额", "订单状态", "订单创建时间"),
    known=frozenset(name.strip() for name in (*columns.TMALL_ORDERS, *columns.TMALL_ORDERS_LATER)),
    build=read_order,
)
ORDER_LINES: Final = Format(
    name="tmall-order-lines",
    platforms=("tmall", "taobao"),
    kind="order-lines",
    label=_("Tmall or Taobao order lines"),
    key="订单编号",
    required=("订单编号", "标题", "价格", "购买数量"),
    known=frozenset(columns.TMALL_ORDER_LINES),
    build_group=read_lines,
    combine=combine_lines,
)
