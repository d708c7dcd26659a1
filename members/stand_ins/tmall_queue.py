"""Tmall's queue of messages as its documentation has it: kept for a day, handed out until they are confirmed.

In no order, some of them published twice, and again after a while whatever was not confirmed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any, Final

from members.stand_ins.parcel import Payload

CONSUME: Final = "taobao.tmc.messages.consume"
CONFIRM: Final = "taobao.tmc.messages.confirm"
LEAST, MOST, USUAL = 10, 200, 100  # messages of one call, as the documentation has it
KEPT: Final = timedelta(hours=24)
_CHINA: Final = timezone(timedelta(hours=8))
_FIRST_ID: Final = 4130201825909792000  # real ids are as long as this


@dataclass
class Published:
    """One message in the queue."""

    id: int
    group: str
    row: Payload
    at: datetime
    seen_at: datetime | None = None  # when it was handed out last


@dataclass
class Queue:
    """The messages of one app. `again_after`: of one that was handed out; the platform waits five minutes."""

    groups: frozenset[str] = frozenset()  # beside the default one
    again_after: timedelta = timedelta(0)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Random = field(default_factory=lambda: Random(0))
    waiting: dict[int, Published] = field(default_factory=dict)
    handed_out: int = 0
    confirmed: set[int] = field(default_factory=set)
    _last: int = _FIRST_ID

    def publish(
        self, topic: str, content: Payload | str, *, shop: str, group: str = "", times: int = 1
    ) -> None:
        """Tell something; told several times it has several ids, as after a failure on their side."""
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        at = self.now()
        for _ in range(times):
            self._last += self.random.randrange(1, 1000)
            row = {
                "id": self._last,
                "topic": topic,
                "pub_app_key": "12497914",
                "pub_time": f"{at.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}",
                "user_id": 1736568971,
                "user_nick": shop,
                "content": text,
            }
            self.waiting[self._last] = Published(self._last, group, row, at)

    def hear(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer one of the two calls."""
        group = params.get("group_name", "")
        if group and group not in self.groups:
            return _refusal("isv.invalid-parameter:group_name")
        if params["method"] == CONFIRM:
            return self._confirm(params.get("s_message_ids", ""))
        return self._consume(params.get("quantity", str(USUAL)), group)

    def _consume(self, quantity: str, group: str) -> dict[str, Any]:
        if not quantity.isdigit() or not LEAST <= int(quantity) <= MOST:
            return _refusal("isv.invalid-parameter:quantity")
        now = self.now()
        for old in [one.id for one in self.waiting.values() if now - one.at >= KEPT]:
            del self.waiting[old]
        due = [
            one
            for one in self.waiting.values()
            if one.group == group and (one.seen_at is None or now - one.seen_at >= self.again_after)
        ]
        self.random.shuffle(due)
        rows = due[: int(quantity)]
        for one in rows:
            one.seen_at = now
        self.handed_out += len(rows)
        told = {"messages": {"tmc_message": [one.row for one in rows]}} if rows else {}
        return {"tmc_messages_consume_response": {**told, "request_id": "stand-in"}}

    def _confirm(self, ids: str) -> dict[str, Any]:
        numbers = ids.split(",")
        if not ids or len(numbers) > MOST or not all(number.isdigit() for number in numbers):
            return _refusal("isv.invalid-parameter:s_message_ids")
        for number in map(int, numbers):
            if self.waiting.pop(number, None):
                self.confirmed.add(number)
        return {"tmc_messages_confirm_response": {"is_success": True, "request_id": "stand-in"}}


def _refusal(code: str) -> dict[str, Any]:
    return {"error_response": {"code": 41, "msg": "Invalid Arguments", "sub_code": code}}
