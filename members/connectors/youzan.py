"""Youzan's push: trades, refunds and customers who gave their phone, under either of its signatures. Pure.

A trade is written as the cells of Youzan's own order file and read by its reader.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import unquote_plus

from members.cleaning import SHANGHAI, ZERO, Unclean, clean_phone
from members.connectors import signing
from members.connectors.connector import (
    Acknowledgement,
    Call,
    Connector,
    Credentials,
    Message,
    Reading,
    StepFact,
    finer,
)
from members.connectors.document import Document, parse, spare
from members.connectors.rows import rows_of
from members.facts import (
    AccountFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderStatus,
    RefundFact,
)
from members.formats import youzan as files

# The states of a trade, in the words of its order file.
STATES: Final = {
    "WAIT_BUYER_PAY": "待付款",
    "TRADE_PAID": "待发货",
    "WAIT_GROUP": "待成团",
    "WAIT_CONFIRM": "待接单",
    "WAIT_SELLER_SEND_GOODS": "待发货",
    "WAIT_BUYER_CONFIRM_GOODS": "已发货",
    "TRADE_SUCCESS": "交易完成",
    "TRADE_CLOSED": "交易关闭",
}
# What a message without the trade itself says by its type.
STEPS: Final = {
    "trade_TradePaid": OrderStatus.PAID,
    "trade_TradeBuyerPay": OrderStatus.PAID,
    "trade_TradeSellerShip": OrderStatus.SHIPPED,
    "trade_TradeSuccess": OrderStatus.COMPLETED,
    "trade_TradeClose": OrderStatus.CANCELLED,
}
_MILLISECONDS: Final = 100_000_000_000  # a larger number is no number of seconds of our time


def verify(call: Call, credentials: Credentials) -> bool:
    """Whether the call was signed: by the header where there is one, and by nothing else then."""
    client_id, secret = credentials["client_id"], credentials["client_secret"]
    if told := call.header("event-sign"):
        return signing.same(told.lower(), signing.md5_hex(client_id, call.raw, secret))
    try:
        body = parse(call.raw)
    except Unclean:
        return False
    msg, told = body.raw("msg"), body.raw("sign")
    if not isinstance(msg, str) or not isinstance(told, str):
        return False
    return signing.same(told.lower(), signing.md5_hex(client_id, msg, secret))


def split(call: Call) -> Sequence[Message]:
    """One message a call; a test of the address is acknowledged and no more.

    A trade is told with the same id at each step: type, version and state tell the messages apart.
    """
    body = parse(call.raw)
    if body.raw("test") is True:
        return []
    topic = body.text("type") or call.header("event-type")
    name = body.text("msg_id") or ":".join(
        [topic, *(body.text(part) or "" for part in ("id", "version", "status"))]
    )
    return [Message(name, topic, call.raw.decode("utf-8", "replace"))]


def read(topic: str, body: str) -> Reading:
    """The facts of one message. Raises Unclean for what cannot be right."""
    told = parse(body)
    reader = _READERS.get(topic)
    return reader(told, _message(told)) if reader else Reading(ignored="topic_not_used")


def _message(told: Document) -> Document:
    """The inner message, which stands as text in the outer one, mostly URL-encoded."""
    msg = told.raw("msg")
    if isinstance(msg, dict):
        return Document(msg, "msg")
    text = msg if isinstance(msg, str) else ""
    return Document(parse(text if text.lstrip().startswith("{") else unquote_plus(text)).data, "msg")


def _version(told: Document, status: OrderStatus | None = None) -> int | None:
    version = told.whole("version")
    if version is None:
        return None
    if version >= _MILLISECONDS:
        return version
    return finer(version * 1000, status) if status else version * 1000


# --- trades -----------------------------------------------------------------------------------------


def read_trade(told: Document, msg: Document) -> Reading:
    """A trade as it is now; a message that only names it is a step of it."""
    trade = msg.part("full_order_info")
    if not trade:
        return _step(told, msg)
    (row,) = rows_of([_cells(trade, told)])
    fact = files.read_order(row)
    order = replace(
        fact,
        buyer=_buyer(trade.part("buyer_info"), fact.buyer),
        lines=tuple(_line(line) for line in trade.parts("orders")) or fact.lines,
        version=_version(told, fact.status),
    )
    return Reading((order,))


def _cells(trade: Document, told: Document) -> Mapping[str, object]:
    info, pay, place = trade.part("order_info"), trade.part("pay_info"), trade.part("address_info")
    lines = list(trade.parts("orders"))
    word = info.text("status") or told.text("status") or ""
    postage = pay.money_or_zero("post_fee")
    lines_paid = [line.money("payment") for line in lines]
    paid = pay.money("payment")
    if paid is None and lines and None not in lines_paid:
        paid = sum((part for part in lines_paid if part is not None), postage)
    return {
        "订单号": info.id("tid") or told.id("id"),
        "订单状态": STATES.get(word, word),
        "订单创建时间": info.time("created"),
        "买家付款时间": info.time("pay_time") or _told_at(told, word),
        "交易成功时间": info.time("success_time"),
        "付款方式": info.text("pay_type_str"),
        "商品金额合计": _goods(lines),
        "运费": postage,
        "订单实付金额": paid,
        "订单已退款金额": info.money("refunded_fee"),
        "全部商品名称": ";".join(line.text("title") or "" for line in lines),
        "商品种类数": len(lines),
        "收货人/提货人": place.text("receiver_name"),
        "收货人手机号/提货人手机号": place.text("receiver_tel"),
        "收货人省份": place.text("delivery_province"),
        "收货人城市": place.text("delivery_city"),
        "收货人地区": place.text("delivery_district"),
        "详细收货地址/提货地址": place.text("delivery_address"),
        "买家手机号": spare(trade.part("buyer_info").text("buyer_phone"), clean_phone),
        "买家昵称": trade.part("buyer_info").text("fans_nickname"),
    }


def _told_at(told: Document, word: str) -> datetime | None:
    """When a trade without any time was paid: when the message was made that says so."""
    version = _version(told)
    is_paid = word in STATES and word not in ("WAIT_BUYER_PAY", "TRADE_CLOSED")
    return datetime.fromtimestamp(version // 1000, SHANGHAI) if version and is_paid else None


def _goods(lines: Sequence[Document]) -> object:
    """What the goods cost before discounts."""
    return sum((line.money_or_zero("price") * (line.whole("num") or 1) for line in lines), ZERO)


def _line(line: Document) -> LineFact:
    price, quantity = line.money("price"), line.whole("num") or 1
    amount = line.money("payment")
    whole = None if price is None else price * quantity
    discount = whole - amount if whole is not None and amount is not None and whole > amount else ZERO
    return LineFact(
        product=line.id("outer_item_id") or line.id("outer_sku_id") or line.id("item_id") or "",
        name=line.text("title") or "",
        quantity=quantity,
        price=price,
        discount=discount,
        amount=amount,
    )


def _buyer(info: Document, read: AccountFact | None) -> AccountFact | None:
    """The buyer by Youzan's own open id, beside the phone that the reader found."""
    external_id = info.id("yz_open_id") or info.id("buyer_id")
    return replace(read or AccountFact(), external_id=external_id) if external_id else read


def _step(told: Document, msg: Document) -> Reading:
    topic = told.text("type") or ""
    status = STEPS.get(topic)
    if status is None:
        return Reading(ignored="nothing_told")
    at = next((at for name in ("update_time", "pay_time", "success_time") if (at := msg.time(name))), None)
    number = msg.id("tid") or told.needed_id("id")
    return Reading((StepFact(number=number, status=status, at=at, version=_version(told, status)),))


# --- refunds and customers --------------------------------------------------------------------------


def read_refund(told: Document, msg: Document) -> Reading:
    """Money that went back."""
    fact = RefundFact(
        order_number=msg.needed_id("tid"),
        number=msg.id("refund_id") or told.needed_id("id"),
        goods=msg.needed_money("refunded_fee"),
        refunded_at=msg.time("update_time"),
        version=_version(told),
    )
    return Reading((fact,))


def read_customer(told: Document, msg: Document) -> Reading:
    """A customer who let the shop have their phone; Youzan has checked it."""
    phone = next((text for name in ("mobile", "phone", "buyer_phone") if (text := msg.text(name))), None)
    number = clean_phone(phone)
    external_id = msg.id("yz_open_id") or msg.id("open_id")
    if number is None:
        raise Unclean("required_missing", "", "msg.mobile")
    fact = AccountFact(
        external_id=external_id,
        identifiers=(IdentifierFact(kind=IdentifierKind.PHONE, value=number, verified=True),),
        nick=msg.text("nick_name") or msg.text("fans_nickname"),
        version=_version(told),
    )
    return Reading((fact,))


_READERS: Final[Mapping[str, Callable[[Document, Document], Reading]]] = {
    **dict.fromkeys((*STEPS, "trade_TradeCreate", "trade_TradePartlySellerShip"), read_trade),
    "trade_refund_RefundSuccess": read_refund,
    "OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE": read_customer,
}

CONNECTOR: Final = Connector(
    platforms=("youzan",),
    needs=("client_id", "client_secret"),
    verify=verify,
    split=split,
    read=read,
    acknowledgement=Acknowledgement(b'{"code":0,"msg":"success"}'),
)
