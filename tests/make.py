"""Builders: the cast, and facts about them in as few words as a test needs.

Mei buys everywhere, Bo buys once, Clerk stands at the counter. Rows come from the operations
themselves, so a state that cannot come about cannot be built.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from members import channels, identity, orders
from members.facts import (
    AccountFact,
    AmountsFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    RefundFact,
)
from members.identity import Known
from members.models import Channel

NOW = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)

MEI_PHONE = "+8613800138001"
MEI_EMAIL = "mei@example.com"
MEI_UNIONID = "union-mei"
MEI_BIRTHDAY = date(1990, 3, 15)
BO_PHONE = "+8613900139002"


def tmall() -> Channel:
    """A platform that vouches for nothing."""
    return channels.make("tmall", "tmall")


def wechat() -> Channel:
    """A platform that vouches for phones."""
    return channels.make("wechat", "wechat")


def pos() -> Channel:
    channel = channels.make("jingan", "pos")
    channels.make_store(channel, "jingan")
    return channel


def clerk() -> User:
    return User.objects.get_or_create(username="clerk")[0]


def key(kind: str, value: str, verified: bool | None = None) -> IdentifierFact:
    return IdentifierFact(kind=IdentifierKind(kind), value=value, verified=verified)


def phone(value: str = MEI_PHONE, verified: bool | None = None) -> IdentifierFact:
    return key("phone", value, verified)


def buyer(external_id: str | None = None, *keys: IdentifierFact, **told: Any) -> AccountFact:
    return AccountFact(external_id=external_id, identifiers=keys, **told)


def order(number: str = "T-1", net: str = "100.00", who: AccountFact | None = None, **told: Any) -> OrderFact:
    """A paid order of one line, unless told otherwise."""
    values: dict[str, Any] = {
        "status": OrderStatus.PAID,
        "amounts": AmountsFact(goods=Decimal(net)),
        "placed_at": NOW,
        "paid_at": NOW + timedelta(minutes=5),
        "lines": (LineFact(product="scarf", name="围巾", amount=Decimal(net)),),
    }
    return OrderFact(number=number, buyer=who, **(values | told))


def refund(order_number: str = "T-1", number: str = "R-1", goods: str = "10.00", **told: Any) -> RefundFact:
    return RefundFact(order_number=order_number, number=number, goods=Decimal(goods), **told)


@transaction.atomic
def resolved(channel: Channel, *buyers: AccountFact | None) -> list[Known | None]:
    return identity.resolve(channel, buyers, now=NOW)


def known(channel: Channel, who: AccountFact) -> Known:
    """One buyer, recognised."""
    (answer,) = resolved(channel, who)
    assert answer is not None
    return answer


@transaction.atomic
def recorded(channel: Channel, *facts: OrderFact) -> list[Any]:
    """Orders taken in with their buyers, as `Heard`: Any, for tests look into what may be None."""
    people = identity.resolve(channel, [fact.buyer for fact in facts], now=NOW)
    return orders.record(channel, facts, people, now=NOW)


def heard(channel: Channel, fact: OrderFact) -> Any:
    """One order, taken in with its buyer."""
    (answer,) = recorded(channel, fact)
    return answer


@transaction.atomic
def refunded(channel: Channel, *facts: RefundFact, **how: Any) -> list[Any]:
    """Refunds taken in, as `HeardRefund`."""
    return orders.record_refunds(channel, facts, now=NOW, **how)


def amounts(goods: str, **parts: str) -> AmountsFact:
    return AmountsFact(goods=Decimal(goods), **{name: Decimal(value) for name, value in parts.items()})


def lines(*amounts_of_lines: str) -> Sequence[LineFact]:
    """Lines of as many products."""
    return tuple(
        LineFact(product=f"p{n}", name=f"Product {n}", amount=Decimal(amount))
        for n, amount in enumerate(amounts_of_lines, 1)
    )
