"""What a connector is: how one platform signs, names and words its messages. Pure.

A call is believed or not (`verify`), taken apart into the messages it brings (`split`), acknowledged as
the platform wants it, and later read into facts (`read`), in the words in which files and the API speak.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from members.facts import AccountFact, ConsentFact, IdentifierFact, OrderFact, OrderStatus, RefundFact

Credentials = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a platform as it came. Names of headers are in lower case."""

    headers: Mapping[str, str]
    raw: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    at: datetime  # when it came

    def header(self, name: str) -> str:
        """A header, empty when it is not there."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a call. `id` is the platform's own, the same whenever the message is sent again."""

    id: str
    topic: str
    body: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the platform wants to hear so that it does not send the message again."""

    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200


# --- what a message can say besides the facts that files tell -----------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFact:
    """An order took a step, told without the order. `paid`: yuan, where the message says how much."""

    number: str
    status: OrderStatus
    at: datetime | None = None
    paid: Decimal | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsFact:
    """A buyer's words on marketing, told without the buyer's profile."""

    account: AccountFact
    words: tuple[ConsentFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingFact:
    """A buyer left the programme, or the shop deleted their record: the account is unbound."""

    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFact:
    """A platform asks for a person's data, or for their erasure (`kind`: access, erase, erase_shop)."""

    kind: str
    reference: str
    external_id: str | None
    details: Mapping[str, Any]
    days: int  # in which the platform wants it done


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsFact:
    """A platform asks to take (`points` negative) or give points, and waits for an answer by record."""

    record: str
    points: int
    keys: tuple[IdentifierFact, ...]
    answer: Mapping[str, str]  # what the answer repeats
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFact:
    """A buyer joined the programme on the platform, perhaps a while ago (`joined_at`)."""

    account: AccountFact


Told = (
    AccountFact
    | OrderFact
    | RefundFact
    | StepFact
    | WordsFact
    | LeavingFact
    | RequestFact
    | PointsFact
    | JoinFact
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says; without facts `ignored` is the word for why."""

    facts: tuple[Told, ...] = ()
    ignored: str = ""


def never(call: Call) -> bool:
    """Of a platform that sends no greeting."""
    return False


def no_question(call: Call) -> str:
    """Of a platform that asks nothing."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One platform's way of sending. `needs`: the credentials without which nothing is believed.

    `is_greeting`: an unsigned knock that anybody may send and that changes nothing. `question`: the name
    of what is asked, where the platform waits for an answer and not only for an acknowledgement.
    """

    platforms: tuple[str, ...]
    needs: tuple[str, ...]
    verify: Callable[[Call, Credentials], bool]
    split: Callable[[Call], Sequence[Message]]
    read: Callable[[str, str], Reading]
    acknowledgement: Acknowledgement = field(default_factory=Acknowledgement)
    is_greeting: Callable[[Call], bool] = never
    question: Callable[[Call], str] = no_question


def name_of(topic: str, body: str) -> str:
    """A name for a message that has none of its own: the same message again has the same one."""
    return "sha256:" + sha256(f"{topic}\n{body}".encode()).hexdigest()


PROGRESS = tuple(OrderStatus)


def finer(version: int | None, status: OrderStatus, more: int = 0) -> int | None:
    """A version told in whole seconds (as epoch milliseconds), told apart within the second.

    Platforms tell several steps of one order within a second: the one that is further on is later.
    `more` counts what only ever grows, as refunds.
    """
    if version is None:
        return None
    return version + min(999, PROGRESS.index(status) * 100 + min(more, 99))
