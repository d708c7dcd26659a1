"""Tables: the files that no platform prescribes, as a till, a mini-program or a shop's own list has them.

Their columns have the names that people give them, so that Shuke guesses what they mean. The settlement of
JD is here too: for the members' formats it is a file that is only read.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from members.cleaning import SHANGHAI
from members.facts import AccountFact, Gender, IdentifierKind, OrderFact, OrderStatus, RefundFact
from members.formats import columns

Cells = dict[str, object]


@dataclass(frozen=True, slots=True)
class Table:
    """A header, and the rows of one fact by the names of its columns."""

    header: tuple[str, ...]
    rows: Callable[[Any], Iterator[Cells]]


def write(name: str, facts: Iterable[Any], path: Path) -> None:
    """Write facts as the table called `name`, after what is in the file already."""
    table = TABLES[name]
    is_begun = path.exists()
    with path.open("a", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, table.header, restval="", lineterminator="\n")
        if not is_begun:
            writer.writeheader()
        for fact in facts:
            for cells in table.rows(fact):
                writer.writerow({column: _text(value) for column, value in cells.items()})


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, date) else str(value)


# ------------------------------------------------------------------------------------- customers

_GENDERS: Final = {Gender.FEMALE: "女", Gender.MALE: "男", Gender.OTHER: "其他"}


def _key(account: AccountFact | None, kind: IdentifierKind) -> str | None:
    keys = account.identifiers if account else ()
    return next((key.value.removeprefix("+86") for key in keys if key.kind is kind), None)


def _profile(account: AccountFact) -> Cells:
    return {
        "姓名": account.name,
        "手机号": _key(account, IdentifierKind.PHONE),
        "性别": _GENDERS[account.gender] if account.gender else None,
        "生日": account.birthday,
        "省份": account.province,
        "城市": account.city,
    }


def _tmall_member(account: AccountFact) -> Iterator[Cells]:
    yield {"买家id": account.external_id, **_profile(account), "入会时间": account.joined_at}


def _jd_member(account: AccountFact) -> Iterator[Cells]:
    yield {"用户id": account.external_id, **_profile(account), "入会时间": account.joined_at}


def _card_holder(account: AccountFact) -> Iterator[Cells]:
    yield {
        "会员卡号": account.external_id,
        **_profile(account),
        "unionid": _key(account, IdentifierKind.UNIONID),
        "职业": account.occupation,
        "开卡时间": account.joined_at,
    }


def _program_user(account: AccountFact) -> Iterator[Cells]:
    yield {
        "openid": _key(account, IdentifierKind.OPENID),
        "unionid": _key(account, IdentifierKind.UNIONID),
        "微信昵称": account.nick,
        **_profile(account),
        "注册时间": account.joined_at,
    }


# ------------------------------------------------------------------------------- orders and refunds

_STATES: Final = {
    OrderStatus.PLACED: "待付款",
    OrderStatus.PAID: "待发货",
    OrderStatus.SHIPPED: "已发货",
    OrderStatus.RECEIVED: "已收货",
    OrderStatus.COMPLETED: "交易完成",
    OrderStatus.CANCELLED: "交易关闭",
}


def _lines(order: OrderFact, of_order: Cells) -> Iterator[Cells]:
    """A row for each line, with the totals of the order on each."""
    for line in order.lines:
        yield {
            **of_order,
            "商品编码": line.product,
            "商品名称": line.name,
            "分类": line.category,
            "数量": line.quantity,
            "单价": line.price,
        }


def _means(order: OrderFact) -> str | None:
    return order.payments[0].means if order.payments else None


def _program_order(order: OrderFact) -> Iterator[Cells]:
    amounts = order.amounts
    return _lines(
        order,
        {
            "订单号": order.number,
            "openid": _key(order.buyer, IdentifierKind.OPENID),
            "订单状态": _STATES[order.status],
            "下单时间": order.placed_at,
            "支付时间": order.paid_at,
            "收货时间": order.received_at,
            "商品金额": amounts.goods,
            "优惠金额": amounts.discount,
            "运费": amounts.postage,
            "实付金额": amounts.paid,
            "退款金额": order.refunded_total,
            "支付方式": _means(order),
        },
    )


def _sale(order: OrderFact) -> Iterator[Cells]:
    amounts = order.amounts
    return _lines(
        order,
        {
            "小票号": order.number,
            "门店编码": order.store,
            "会员卡号": order.buyer and order.buyer.external_id,
            "交易时间": order.placed_at,
            "商品金额": amounts.goods,
            "优惠金额": amounts.discount,
            "实付金额": amounts.paid,
            "退款金额": order.refunded_total,
            "支付方式": _means(order),
        },
    )


def _settled_refund(refund: RefundFact) -> Iterator[Cells]:
    line = refund.lines[0]
    yield {
        "订单编号": refund.order_number,
        "父单号": "0",
        "订单状态": "完成",
        "售后服务单号": refund.number,
        "售后退款时间": refund.refunded_at,
        "商品编号": line.product,
        "商品名称": line.name,
        "商品数量": line.quantity,
        "费用名称": "货款",
        "应结金额": -_yuan(refund.goods),
        "币种": "CNY",
        "收支方向": "支出",
        "结算状态": "已结算",
        "账单生成时间": refund.refunded_at,
        "商户订单号": f"{refund.number}1",
    }


def _yuan(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


_PROFILE: Final = ("姓名", "手机号", "性别", "生日", "省份", "城市")
_LINE: Final = ("商品编码", "商品名称", "分类", "数量", "单价")
TABLES: Final[dict[str, Table]] = {
    "tmall-members": Table(("买家id", *_PROFILE, "入会时间"), _tmall_member),
    "jd-members": Table(("用户id", *_PROFILE, "入会时间"), _jd_member),
    "cards": Table(("会员卡号", *_PROFILE, "unionid", "职业", "开卡时间"), _card_holder),
    "mini-program-users": Table(("openid", "unionid", "微信昵称", *_PROFILE, "注册时间"), _program_user),
    "mini-program-orders": Table(
        (
            *("订单号", "openid", "订单状态", "下单时间", "支付时间", "收货时间"),
            *("商品金额", "优惠金额", "运费", "实付金额", "退款金额", "支付方式"),
            *_LINE,
        ),
        _program_order,
    ),
    "sales": Table(
        (
            *("小票号", "门店编码", "会员卡号", "交易时间"),
            *("商品金额", "优惠金额", "实付金额", "退款金额", "支付方式"),
            *_LINE,
        ),
        _sale,
    ),
    "jd-settlement": Table(columns.JD_SETTLEMENT, _settled_refund),
}
