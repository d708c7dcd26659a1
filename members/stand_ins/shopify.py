"""Shopify as its documentation has it: HMAC-SHA256 in base64, eight attempts within four hours."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from members.stand_ins.parcel import Credentials, Parcel, Payload, StandIn, answers_success, money

_NAMES: Final = UUID("6f0c8a36-6a0e-4a9f-9f3e-0d5a4a4d9c11")


def parcel(credentials: Credentials, topic: str, payload: Payload, *, webhook_id: str = "") -> Parcel:
    """One webhook; without an id it is named by its content, so that it is the same when it is made again."""
    raw = json.dumps(payload, ensure_ascii=False).encode()
    return Parcel(
        name=topic,
        raw=raw,
        headers={
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": "stand-in.myshopify.com",
            "X-Shopify-API-Version": "2025-01",
            "X-Shopify-Webhook-Id": webhook_id or str(uuid5(_NAMES, f"{topic} {raw.decode()}")),
            "X-Shopify-Hmac-Sha256": signed(credentials, raw),
        },
    )


def signed(credentials: Credentials, raw: bytes) -> str:
    """The signature of a body."""
    digest = hmac.new(credentials["secret"].encode(), raw, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def order(
    number: int,
    *,
    at: datetime,
    updated: datetime | None = None,
    customer: Payload | None = None,
    status: str = "paid",
    cents: int = 12000,
    currency: str = "CNY",
    **more: object,
) -> Payload:
    """An order of one kind of goods."""
    return {
        "id": number,
        "name": f"#{number}",
        "email": (customer or {}).get("email"),
        "phone": (customer or {}).get("phone"),
        "created_at": at.isoformat(timespec="seconds"),
        "processed_at": at.isoformat(timespec="seconds"),
        "updated_at": (updated or at).isoformat(timespec="seconds"),
        "financial_status": status,
        "fulfillment_status": None,
        "currency": currency,
        "total_price": money(cents),
        "total_discounts": "0.00",
        "shipping_lines": [],
        "payment_gateway_names": ["alipay"],
        "customer": customer,
        "line_items": [
            {"id": number * 10, "sku": "TOTE", "name": "Tote", "quantity": 1, "price": money(cents)}
        ],
        "refunds": [],
        **more,
    }


def refund(number: int, order_number: int, *, at: datetime, cents: int, postage: int = 0) -> Payload:
    """Money that went back for an order."""
    adjustments = [{"kind": "shipping_refund", "amount": f"-{money(postage)}", "tax_amount": "0.00"}]
    return {
        "id": number,
        "order_id": order_number,
        "created_at": at.isoformat(timespec="seconds"),
        "transactions": [{"kind": "refund", "status": "success", "amount": money(cents)}],
        "refund_line_items": [
            {"quantity": 1, "subtotal": money(cents - postage), "line_item": {"sku": "TOTE", "name": "Tote"}}
        ],
        "order_adjustments": adjustments if postage else [],
    }


def customer(number: int, *, at: datetime) -> Payload:
    """A customer with a phone that nobody has."""
    return {
        "id": 7000 + number,
        "email": f"buyer{number}@example.com",
        "phone": f"+861380013{8000 + number % 1000}",
        "first_name": "Buyer",
        "last_name": str(number),
        "tags": "",
        "updated_at": at.isoformat(timespec="seconds"),
        "default_address": {"country_code": "CN", "province": "上海", "city": "上海"},
    }


def story(credentials: Credentials, orders: int, seed: int) -> Sequence[Parcel]:
    """Customers come, order, pay, get their goods; every fifth sends something back."""
    start = datetime(2026, 6, 1, 2, tzinfo=UTC) + timedelta(days=seed)
    parcels: list[Parcel] = []
    for n in range(orders):
        at, number = start + timedelta(minutes=7 * n), 900_000 + seed * 1000 + n
        who = customer(n % 7, at=start)
        parcels.append(parcel(credentials, "customers/create", who))
        placed = order(number, at=at, customer=who, status="pending")
        paid = order(number, at=at, updated=at + timedelta(minutes=2), customer=who)
        sent = order(
            number, at=at, updated=at + timedelta(days=1), customer=who, fulfillment_status="fulfilled"
        )
        parcels += [
            parcel(credentials, "orders/create", placed),
            parcel(credentials, "orders/paid", paid),
            parcel(credentials, "orders/fulfilled", sent),
        ]
        if n % 5 == 4:
            back = refund(number * 10, number, at=at + timedelta(days=3), cents=3000)
            parcels.append(parcel(credentials, "refunds/create", back))
    return parcels


STAND_IN: Final = StandIn(
    platform="shopify",
    credentials={"secret": "stand-in-shopify-secret"},
    pauses=(60, 120, 240, 480, 960, 1920, 3840),
    takes=answers_success,
    story=story,
)
