"""One change as a webhook message: its thin body, and its signature by Standard Webhooks. Pure.

webhook-id: evt_17            the same at every attempt, and in GET /changes/ as `id`
webhook-timestamp: 1795400000  of the attempt
webhook-signature: v1,… v1,…  one for each secret that is valid
"""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from members.numbers import number_of

PREFIX = "whsec_"
SECRET_BYTES = 32
MOST_BYTES = 20_000
USER_AGENT = "Shuke-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Message:
    """One change on its way to one endpoint.

    `tries`: how many attempts have failed so far; `at`: when it happened; `due_at`: since when it is due.
    """

    delivery_id: int
    tries: int
    event_id: int
    topic: str
    change: str
    member_id: int | None
    sequence: int | None
    payload: Mapping[str, Any]
    at: datetime
    due_at: datetime

    @property
    def id(self) -> str:
        """By which a receiver knows that it has had this message."""
        return webhook_id(self.event_id)


def webhook_id(event_id: int) -> str:
    """The id of the message about a change, at every attempt and in every replay."""
    return f"evt_{event_id}"


def make_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(message: Message) -> bytes:
    """The message's body: ids and figures, never personal data, and never 20 kB."""
    names = {
        "id": message.event_id,
        "change": message.change,
        "member_no": number_of(message.member_id) if message.member_id is not None else None,
        "sequence": message.sequence,
    }
    body = _written(message, {**message.payload, **names})
    if len(body) < MOST_BYTES:
        return body
    # Whoever gets this asks GET /changes/ for the rest.
    return _written(message, {**names, "is_cut": True})


def _written(message: Message, data: Mapping[str, Any]) -> bytes:
    told = {"type": message.topic, "timestamp": message.at.astimezone(UTC).isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(message: Message, body: bytes, keys: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of one attempt, signed with each of the secrets."""
    at = now.astimezone(UTC)
    text = body.decode()
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(key).sign(message.id, at, text) for key in keys),
    }
