"""WooCommerce as its documentation has it: HMAC-SHA256 in base64, and a ping before all else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from members.stand_ins.parcel import Credentials, Parcel, Payload, StandIn, answers_success, money

_NAMES: Final = UUID("0e1d1f3c-6a52-44f6-8c0f-6d7b3ad3f2aa")


def ping() -> Parcel:
    """What a new webhook sends first: a form, without a signature."""
    return Parcel(
        name="ping", raw=b"webhook_id=3", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )


def parcel(credentials: Credentials, topic: str, payload: Payload, *, delivery_id: str = "") -> Parcel:
    """One webhook."""
    raw = json.dumps(payload, ensure_ascii=False).encode()
    digest = hmac.new(credentials["secret"].encode(), raw, hashlib.sha256).digest()
    resource, _, event = topic.partition(".")
    return Parcel(
        name=topic,
        raw=raw,
        headers={
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": "https://stand-in.example/",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-ID": "3",
            "X-WC-Webhook-Delivery-ID": delivery_id or uuid5(_NAMES, f"{topic} {raw.decode()}").hex,
            "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
        },
    )


def _gmt(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if at else None


def order(
    number: int,
    *,
    at: datetime,
    updated: datetime | None = None,
    paid: datetime | None = None,
    customer: int = 0,
    billing: Payload | None = None,
    status: str = "processing",
    cents: int = 12000,
    postage: int = 0,
    refunded: Sequence[int] = (),
    **more: object,
) -> Payload:
    """An order of one kind of goods; `cents` with the postage in it."""
    goods = money(cents - postage)
    return {
        "id": number,
        "number": str(number),
        "status": status,
        "currency": "CNY",
        "date_created_gmt": _gmt(at),
        "date_modified_gmt": _gmt(updated or at),
        "date_paid_gmt": _gmt(paid),
        "date_completed_gmt": None,
        "discount_total": "0.00",
        "shipping_total": money(postage),
        "shipping_tax": "0.00",
        "total": money(cents),
        "customer_id": customer,
        "billing": billing or {},
        "shipping": {},
        "payment_method_title": "Alipay",
        "line_items": [
            {"id": 1, "name": "Tote", "sku": "TOTE", "quantity": 1, "subtotal": goods, "total": goods}
        ],
        "coupon_lines": [],
        "refunds": [{"id": n, "reason": "", "total": f"-{money(back)}"} for n, back in enumerate(refunded)],
        **more,
    }


def billing(number: int) -> Payload:
    """Whom the bill of a customer goes to."""
    return {
        "first_name": "Buyer",
        "last_name": str(number),
        "email": f"buyer{number}@example.com",
        "phone": f"1390013{8000 + number % 1000}",
        "country": "CN",
        "state": "CN10",
        "city": "上海",
    }


def story(credentials: Credentials, orders: int, seed: int) -> Sequence[Parcel]:
    """A ping, then customers order and pay, and some get money back."""
    start = datetime(2026, 6, 1, 2, tzinfo=UTC) + timedelta(days=seed)
    parcels = [ping()]
    for n in range(orders):
        at, number, who = start + timedelta(minutes=9 * n), 800_000 + seed * 1000 + n, n % 7 + 1
        told: dict[str, Any] = {"at": at, "customer": who, "billing": billing(who)}
        paid = at + timedelta(minutes=1)
        parcels += [
            parcel(credentials, "order.created", order(number, status="pending", **told)),
            parcel(credentials, "order.updated", order(number, updated=paid, paid=paid, **told)),
        ]
        if n % 5 == 4:
            later = at + timedelta(days=2)
            back = order(number, updated=later, paid=paid, status="completed", refunded=[3000], **told)
            parcels.append(parcel(credentials, "order.updated", back))
    return parcels


STAND_IN: Final = StandIn(
    platform="woocommerce",
    credentials={"secret": "stand-in-woocommerce-secret"},
    pauses=(60, 300, 1800, 7200, 86400),
    takes=answers_success,
    story=story,
)
