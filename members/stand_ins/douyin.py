"""Douyin as its documentation has it: batches of messages, MD5 over app id, body and secret."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from members.stand_ins.parcel import Credentials, Parcel, Payload, StandIn
from members.stand_ins.youzan import takes


def parcel(credentials: Credentials, messages: Sequence[Payload]) -> Parcel:
    """One batch."""
    raw = json.dumps(list(messages), ensure_ascii=False).encode()
    app_id, secret = credentials["app_id"].encode(), credentials["app_secret"].encode()
    return Parcel(
        name="+".join(str(message["tag"]) for message in messages),
        raw=raw,
        headers={
            "Content-Type": "application/json",
            "app-id": credentials["app_id"],
            "event-sign": hashlib.md5(app_id + raw + secret).hexdigest(),
        },
    )


def message(tag: str, number: int, *, at: datetime, **data: object) -> Payload:
    """One message about an order."""
    told = {"p_id": number, "shop_id": 1234, "update_time": int(at.timestamp()), **data}
    return {"tag": tag, "msg_id": f"{number}:{tag}:0:{int(at.timestamp())}", "data": json.dumps(told)}


def story(credentials: Credentials, orders: int, seed: int) -> Sequence[Parcel]:
    """Orders are placed, paid and finished, and some money goes back. Steps of two orders share a batch."""
    start = datetime(2026, 6, 1, 2, tzinfo=UTC) + timedelta(days=seed)
    parcels = [parcel(credentials, [{"tag": "0", "msg_id": "0", "data": "{}"}])]
    for n in range(0, orders, 2):
        batches: list[list[Payload]] = [[], [], []]
        for number in (6917926768823600000 + seed * 1000 + n, 6917926768823600000 + seed * 1000 + n + 1):
            at = start + timedelta(minutes=13 * n)
            batches[0].append(message("100", number, at=at, pay_amount=12800))
            batches[1].append(message("101", number, at=at + timedelta(minutes=1), pay_amount=12800))
            batches[2].append(message("103", number, at=at + timedelta(days=5)))
        back = {"aftersale_id": 700 + n, "refund_amount": 2800}
        batches[2].append(message("206", number, at=at + timedelta(days=6), **back))
        parcels += [parcel(credentials, batch) for batch in batches]
    return parcels


STAND_IN: Final = StandIn(
    platform="douyin",
    credentials={"app_id": "stand-in-douyin", "app_secret": "stand-in-douyin-secret"},
    pauses=(10, 60, 300, 900, 3600),
    takes=takes,
    story=story,
)
