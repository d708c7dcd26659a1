"""Platforms whose call is one message: headers name and sign it, its body is one JSON document. Pure.

Shopify and WooCommerce do it alike, down to what they sign with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from members.connectors import signing
from members.connectors.connector import Call, Credentials, LeavingFact, Message, Reading, name_of
from members.connectors.document import Document, parse

Reader = Callable[[Document], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """The headers in which a platform signs and names its message, in lower case."""

    signature: str
    subject: str  # what the message is about
    id: str

    def verify(self, call: Call, credentials: Credentials) -> bool:
        """Whether the body was signed with the shop's secret."""
        made = signing.hmac_base64(call.raw, credentials["secret"])
        return signing.same(call.header(self.signature), made)

    def split(self, call: Call) -> Sequence[Message]:
        """The one message of the call, by the platform's id or else by its content."""
        topic, body = call.header(self.subject), call.raw.decode("utf-8", "replace")
        return [Message(call.header(self.id) or name_of(topic, body), topic, body)]


def read(readers: Mapping[str, Reader], topic: str, body: str) -> Reading:
    """The facts of one message by its topic. Raises Unclean for what cannot be right."""
    reader = readers.get(topic)
    return reader(parse(body)) if reader else Reading(ignored="topic_not_used")


def read_leaving(customer: Document) -> Reading:
    """A customer whose record the shop deleted."""
    return Reading((LeavingFact(external_id=customer.needed_id("id")),))


def milliseconds(at: datetime | None) -> int | None:
    """An instant as a version; None is none."""
    return int(at.timestamp() * 1000) if at else None
