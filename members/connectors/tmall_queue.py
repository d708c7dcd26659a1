"""Tmall's queue of messages (TMC), as a client that asks for them sees it. Pure.

A message is handed out again, after some minutes and for a day, until it is confirmed; in no order, and
at times twice. One queue belongs to an app, or to a group of shops within it: `shops` says whose it is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from members.cleaning import Unclean
from members.connectors.connector import Message, name_of
from members.connectors.document import Document, parse
from members.connectors.tmall import encodable, message_of

CONSUME: Final = "taobao.tmc.messages.consume"
CONFIRM: Final = "taobao.tmc.messages.confirm"
MOST: Final = 200  # messages that one call hands out, or confirms
DEFAULT_GROUP: Final = "default"
KEPT_HOURS: Final = 24  # for which Tmall keeps what nobody confirms


@dataclass(frozen=True, slots=True)
class Queued:
    """One message as it was handed out. `id` is the queue's own, which confirms it; `shops` are names."""

    id: str
    shops: tuple[str, ...]
    message: Message


def asking(group: str) -> dict[str, str]:
    """What a call that asks for messages says."""
    return {"quantity": str(MOST), "group_name": _told(group)}


def confirming(ids: Sequence[str], group: str) -> dict[str, str]:
    """What a call that confirms messages says, no more than MOST of them."""
    return {"s_message_ids": ",".join(ids), "group_name": _told(group)}


def _told(group: str) -> str:
    """The default group is not named: an app that has no groups refuses any name."""
    return "" if group == DEFAULT_GROUP else group


def read(answer: Mapping[str, Any]) -> list[Queued]:
    """The messages of an answer; one without an id, which nobody could confirm, stays where it is."""
    rows = Document(answer).part("messages").parts("tmc_message")
    return [_read(row, id_) for row in rows if (id_ := row.text("id"))]


def _read(row: Document, id_: str) -> Queued:
    topic, content = encodable(row.text("topic") or ""), row.raw("content")
    text = encodable(content if isinstance(content, str) else json.dumps(content))
    try:
        seller, message = parse(text).text("seller_name"), message_of(topic, text)
    except Unclean:
        # It is Tmall's all the same: it is kept for a person to look at.
        seller, message = None, Message(name_of(topic, text), topic, text)
    return Queued(id_, tuple(filter(None, (row.text("user_nick"), seller))), message)
