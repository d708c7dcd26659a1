"""Bodies as a channel sends them, for the pages of the API's description. A test sends each of them."""

from typing import Any

ACCOUNT: dict[str, Any] = {
    "profile": {"name": "王小梅", "gender": "female", "birthday": "1990-03-15", "city": "上海市"},
    "identifiers": {"phone": "13800138000", "unionid": {"value": "oU-81", "verified": True}},
    "consents": [{"purpose": "marketing", "channel": "sms", "granted": True, "notice": "1.0"}],
    "joined_at": "2026-01-15T10:00:00+08:00",
    "version": 1,
}
ORDER: dict[str, Any] = {
    "buyer": {"external_id": "u-81", "identifiers": {"phone": "13800138000"}},
    "status": "paid",
    "placed_at": "2026-01-15T10:00:00+08:00",
    "paid_at": "2026-01-15T10:01:00+08:00",
    "lines": [
        {"product": "TEA-50", "name": "龙井 50 g", "category": "绿茶", "quantity": 2, "price": "110.00"},
    ],
    "amounts": {"goods": "220.00", "discount": "20.00", "postage": "8.00", "paid": "208.00"},
    "version": 1,
}
REFUND: dict[str, Any] = {"goods": "50.00", "refunded_at": "2026-01-20T09:00:00+08:00", "version": 1}
REFUND_ASKED: dict[str, Any] = {"goods": "50.00"}
POINTS: dict[str, Any] = {"points": 20, "cause": "checkout-42", "reason": "Paid at checkout"}
HOLD: dict[str, Any] = {"points": 20, "cause": "cart-42", "expires_in": 900}
QUOTE: dict[str, Any] = {
    "member_no": "SK-7K2M9QXD",
    "lines": [{"product": "TEA-50", "category": "绿茶", "quantity": 2, "price": "110.00"}],
    "postage": "8.00",
    "all_points": True,
}
