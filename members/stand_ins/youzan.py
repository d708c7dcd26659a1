"""Youzan as its documentation has it: MD5 over client id, body and secret, in the header or in the body."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import quote

from members.stand_ins.parcel import Credentials, Parcel, Payload, StandIn, money

_CHINA: Final = timezone(timedelta(hours=8))


def parcel(
    credentials: Credentials,
    topic: str,
    msg: Payload,
    *,
    number: str,
    version: int,
    status: str = "",
    in_body: bool = False,
    test: bool = False,
) -> Parcel:
    """One push. `in_body`: signed in the older way, with the signature in the body and over `msg` alone."""
    client_id, secret = credentials["client_id"], credentials["client_secret"]
    inner = quote(json.dumps(msg, ensure_ascii=False), safe="")
    body = {
        "mode": 1,
        "id": number,
        "client_id": client_id,
        "type": topic,
        "status": status,
        "msg": inner,
        "kdt_id": 123456,
        "kdt_name": "熟客测试店",
        "sign": hashlib.md5(f"{client_id}{inner}{secret}".encode()).hexdigest(),
        "version": version,
        "test": test,
        "sendCount": 0,
    }
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if not in_body:
        sign = hashlib.md5(client_id.encode() + raw + secret.encode()).hexdigest()
        headers |= {"Event-Sign": sign, "Event-Type": topic, "Client-Id": client_id}
    forged = {**body, "msg": f"{inner}%20"}  # the older signature is over the inner message alone
    forgery = json.dumps(forged, ensure_ascii=False).encode() if in_body else b""
    return Parcel(name=topic, raw=raw, headers=headers, forgery=forgery)


def _local(at: datetime | None) -> str:
    return at.astimezone(_CHINA).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def trade(
    number: str,
    *,
    at: datetime,
    status: str = "WAIT_SELLER_SEND_GOODS",
    paid: datetime | None = None,
    phone: str = "",
    open_id: str = "",
    cents: int = 10000,
    discount: int = 0,
    postage: int = 0,
) -> Payload:
    """A trade of one kind of goods; `cents` is the price before the discount."""
    payment = money(cents - discount)
    return {
        "full_order_info": {
            "order_info": {
                "tid": number,
                "status": status,
                "created": _local(at),
                "pay_time": _local(paid),
                "pay_type_str": "微信支付",
            },
            "pay_info": {"payment": money(cents - discount + postage), "post_fee": money(postage)},
            "buyer_info": {"buyer_phone": phone, "yz_open_id": open_id, "fans_nickname": "小熟"},
            "orders": [
                {
                    "outer_item_id": "CAKE",
                    "title": "草莓蛋糕",
                    "num": 1,
                    "price": money(cents),
                    "payment": payment,
                }
            ],
        }
    }


def story(credentials: Credentials, orders: int, seed: int) -> Sequence[Parcel]:
    """Customers give their phone, order and pay; every other message is signed in the older way."""
    start = datetime(2026, 6, 1, 2, tzinfo=UTC) + timedelta(days=seed)
    parcels: list[Parcel] = []
    for n in range(orders):
        at, number = start + timedelta(minutes=11 * n), f"E2026060110{seed:05d}{n:09d}"
        who: dict[str, Any] = {"phone": f"1370013{8000 + n % 7}", "open_id": f"open-{n % 7}"}
        version, old = int(at.timestamp()), n % 2 == 1
        named: dict[str, Any] = {"number": number, "in_body": old}
        first = {"mobile": who["phone"], "yz_open_id": who["open_id"]}
        parcels += [
            parcel(credentials, _AUTH, first, version=int(start.timestamp()), number=who["open_id"]),
            parcel(
                credentials,
                "trade_TradeCreate",
                trade(number, at=at, status="WAIT_BUYER_PAY", **who),
                version=version,
                **named,
            ),
            parcel(
                credentials,
                "trade_TradePaid",
                trade(number, at=at, paid=at + timedelta(minutes=1), **who),
                version=version + 60,
                **named,
            ),
            parcel(credentials, "trade_TradeSuccess", {"tid": number}, version=version + 600, **named),
        ]
    return parcels


_AUTH: Final = "OPEN_PUSH_SCRM_CUSTOMER_AUTH_MOBILE"


def takes(status: int, body: bytes) -> bool:
    """Only its own word of success ends the attempts."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return status == 200 and said == {"code": 0, "msg": "success"}


STAND_IN: Final = StandIn(
    platform="youzan",
    credentials={"client_id": "stand-in-youzan", "client_secret": "stand-in-youzan-secret"},
    pauses=(10, 30, 60, 300, 600, 1800, 3600),
    takes=takes,
    story=story,
)
