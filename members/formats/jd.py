"""JD: the order file (one row a SKU, the totals of the order on each) and the settlement file."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.cleaning import ZERO, is_encrypted, is_masked
from members.facts import (
    AccountFact,
    AmountsFact,
    LineFact,
    OrderFact,
    OrderStatus,
    PaymentFact,
    RefundFact,
)
from members.formats import columns
from members.formats.format import Format
from members.formats.orders import (
    amounts,
    combine_refunds,
    combine_repeated,
    discount_layers,
    paid_time,
    receiver,
    refunded,
)
from members.formats.outcomes import Ignored
from members.formats.rows import Row

STATES: Final = {
    "等待付款": OrderStatus.PLACED,
    "等待出库": OrderStatus.PAID,
    "等待打印": OrderStatus.PAID,
    "等待发货": OrderStatus.PAID,
    "正在出库": OrderStatus.PAID,
    "等待确认收货": OrderStatus.SHIPPED,
    "已出库": OrderStatus.SHIPPED,
    "完成": OrderStatus.COMPLETED,
    "已完成": OrderStatus.COMPLETED,
    "取消": OrderStatus.CANCELLED,
    "已取消": OrderStatus.CANCELLED,
}
ON_DELIVERY: Final = "货到付款"


def read_order(rows: list[Row]) -> OrderFact:
    """The rows of one order; its totals are on each of them and count once."""
    row = rows[0]
    status = _status(row)
    on_delivery = row.text("支付方式") == ON_DELIVERY
    placed_at, completed_at = row.time("下单时间"), row.time("订单完成时间")
    told_at = row.time("付款确认时间")
    if on_delivery:  # paid at the door: no state before the last one says that it was
        paid_at = told_at or (completed_at if status is OrderStatus.COMPLETED else None)
        status = OrderStatus.PLACED if status is OrderStatus.PAID and paid_at is None else status
    else:
        paid_at = paid_time(status, told_at, placed_at)
    cost = _amounts(row)
    shop_discount = max(row.needed_money("订单金额") - _settled(row), ZERO)
    return OrderFact(
        number=row.needed_code("订单号"),
        status=status,
        amounts=cost,
        buyer=_buyer(row),
        placed_at=placed_at,
        paid_at=paid_at,
        completed_at=completed_at,
        lines=tuple(_line(part) for part in rows if part.text("商品名称") or part.code("商品ID")),
        discounts=discount_layers((("shop", "结算金额", shop_discount),), cost.discount, rest="platform"),
        payments=_payments(row) if paid_at else (),
        receiver=receiver(row, name="客户姓名", phone="联系电话", address="客户地址"),
        refunded_total=refunded(status, paid_at, cost.paid, None),
    )


def _status(row: Row) -> OrderStatus:
    """`(删除)等待出库` is a cancelled order; `(锁定)` and `(暂停)` do not say how far it had come."""
    word = (row.text("订单状态") or "").replace("\uff08", "(").replace("\uff09", ")")
    if word.startswith("(删除)"):
        return OrderStatus.CANCELLED
    for prefix in ("(锁定)", "(暂停)"):
        word = word.removeprefix(prefix)
    if word in STATES:
        return STATES[word]
    return row.word("订单状态", STATES)


def _settled(row: Row) -> Decimal:
    """The goods after the shop's discounts."""
    settled = row.money("结算金额")
    return row.needed_money("订单金额") if settled is None else settled


def _amounts(row: Row) -> AmountsFact:
    """What the buyer owes in money and from the balance at JD, with the postage in it or beside it.

    The file says 应付金额 of some orders with the postage and of others without: it is in it where it
    comes to more than the goods do.
    """
    goods, settled = row.needed_money("订单金额"), _settled(row)
    postage = row.money_or_zero("运费金额")
    due = row.money("应付金额")
    owed = settled if due is None else due + row.money_or_zero("余额支付")
    return amounts(goods, owed if owed > settled else owed + postage, postage)


def _payments(row: Row) -> tuple[PaymentFact, ...]:
    balance = row.money_or_zero("余额支付")
    means = row.text("支付方式")
    told = (PaymentFact(means=means, amount=row.money("应付金额")),) if means else ()
    return (*told, PaymentFact(means="余额支付", amount=balance)) if balance else told


def _buyer(row: Row) -> AccountFact | None:
    """The buyer by 下单帐号 (the JD pin); name and phone in the file are the receiver's."""
    pin = row.code("下单帐号")
    return AccountFact(external_id=pin) if pin and not is_masked(pin) and not is_encrypted(pin) else None


def _line(row: Row) -> LineFact:
    price = row.money("京东价")
    quantity = row.pieces("订购数量") or 1
    return LineFact(
        product=row.code("货号") or row.code("商品ID") or "",
        name=row.text("商品名称") or "",
        quantity=quantity,
        price=price,
        amount=None if price is None else price * quantity,
    )


def read_refund(row: Row) -> RefundFact | Ignored:
    """Goods or postage that the shop pays back; commissions and income are no facts about the buyer."""
    what = row.text("费用名称")
    if row.text("收支方向") != "支出" or what not in ("货款", "运费"):
        return Ignored(row.line, "not_a_refund")
    if (row.text("币种") or "CNY") != "CNY":
        raise row.unclean("currency_unsupported", "币种")
    amount = row.signed_money("应结金额")
    if amount is None:
        raise row.unclean("required_missing", "应结金额")
    number = row.code("售后服务单号") or row.needed_code("商户订单号")
    at = row.time("售后退款时间") or row.time("账单生成时间") or row.time("到账时间")
    fact = RefundFact(
        order_number=row.needed_code("订单编号"), number=number, goods=abs(amount), refunded_at=at
    )
    if what == "运费":
        return replace(fact, goods=ZERO, postage=abs(amount))
    line = LineFact(
        product=row.code("商品编号") or "",
        name=row.text("商品名称") or "",
        quantity=row.pieces("商品数量") or 1,
        amount=abs(amount),
    )
    return replace(fact, lines=(line,))


ORDERS: Final = Format(
    name="jd-orders",
    platforms=("jd",),
    kind="orders",
    label=_("JD orders"),
    key="订单号",
    required=("订单号", "下单时间", "订单金额", "订单状态", "下单帐号"),
    known=frozenset(columns.JD_ORDERS),
    build_group=read_order,
    combine=combine_repeated,
)
SETTLEMENT: Final = Format(
    name="jd-settlement",
    platforms=("jd",),
    kind="refunds",
    label=_("JD settlement (refunds)"),
    key="订单编号",
    required=("订单编号", "费用名称", "应结金额", "收支方向", "商户订单号"),
    known=frozenset(columns.JD_SETTLEMENT),
    build=read_refund,
    combine=combine_refunds,
)
