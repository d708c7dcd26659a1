"""Douyin's push: batches of messages that name an order and the step it took. Pure.

Douyin never says who bought, and a message holds little more than the number and the money: goods,
discounts and postage come by file or by API. A batch is taken apart, so that one message that cannot be
taken in holds up no other.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from members.cleaning import SHANGHAI, Unclean
from members.connectors import signing
from members.connectors.connector import (
    Acknowledgement,
    Call,
    Connector,
    Credentials,
    Message,
    Reading,
    StepFact,
    name_of,
)
from members.connectors.document import Document, parse, parse_any
from members.facts import OrderStatus, RefundFact

PROBE: Final = "0"  # sent when an address is entered in the console of the platform
STEPS: Final = {
    "100": OrderStatus.PLACED,
    "101": OrderStatus.PAID,
    "102": OrderStatus.SHIPPED,
    "103": OrderStatus.COMPLETED,
    "106": OrderStatus.CANCELLED,
}
REFUNDED: Final = "206"
_TIMES: Final = ("update_time", "pay_time", "complete_time", "cancel_time", "ship_time", "create_time")
_CENT: Final = Decimal("0.01")


def verify(call: Call, credentials: Credentials) -> bool:
    """Whether the body was signed for our app."""
    made = signing.md5_hex(credentials["app_id"], call.raw, credentials["app_secret"])
    is_ours = signing.same(call.header("app-id"), credentials["app_id"])
    return signing.same(call.header("event-sign").lower(), made) and is_ours


def split(call: Call) -> Sequence[Message]:
    """Each message of the batch; a probe is none."""
    told = parse_any(call.raw)
    items = [item for item in (told if isinstance(told, list) else [told]) if isinstance(item, dict)]
    messages = []
    for item in items:
        document, body = Document(item), json.dumps(item, ensure_ascii=False)
        tag = document.text("tag") or ""
        if tag != PROBE:
            messages.append(Message(document.text("msg_id") or name_of(tag, body), tag, body))
    return messages


def read(topic: str, body: str) -> Reading:
    """The facts of one message. Raises Unclean for what cannot be right."""
    data = parse(body).raw("data")
    msg = Document(data, "data") if isinstance(data, dict) else Document(parse(data or "").data, "data")
    if topic in STEPS:
        return Reading((_step(STEPS[topic], msg),))
    return _READERS.get(topic, _ignore)(msg)


def _step(status: OrderStatus, msg: Document) -> StepFact:
    at = next((at for name in _TIMES if (at := _time(msg, name))), None)
    paid = _yuan(msg, "pay_amount") if status is not OrderStatus.CANCELLED else None
    return StepFact(number=msg.needed_id("p_id"), status=status, at=at, paid=paid)


def _read_refund(msg: Document) -> Reading:
    amount = _yuan(msg, "refund_amount")
    if amount is None:
        raise Unclean("required_missing", "", "data.refund_amount")
    fact = RefundFact(
        order_number=msg.needed_id("p_id"),
        number=msg.needed_id("aftersale_id"),
        goods=amount,
        refunded_at=_time(msg, "success_time") or _time(msg, "update_time"),
    )
    return Reading((fact,))


def _ignore(msg: Document) -> Reading:
    return Reading(ignored="topic_not_used")


def _time(msg: Document, name: str) -> datetime | None:
    seconds = msg.whole(name)
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, SHANGHAI)
    except (ValueError, OverflowError, OSError):
        raise Unclean("date_invalid", str(seconds), f"data.{name}") from None


def _yuan(msg: Document, name: str) -> Decimal | None:
    """Money is told in cents (分)."""
    cents = msg.whole(name)
    return None if cents is None else cents * _CENT


_READERS: Final[Mapping[str, Callable[[Document], Reading]]] = {REFUNDED: _read_refund}

CONNECTOR: Final = Connector(
    platforms=("douyin",),
    needs=("app_id", "app_secret"),
    verify=verify,
    split=split,
    read=read,
    acknowledgement=Acknowledgement(b'{"code":0,"msg":"success"}'),
)
