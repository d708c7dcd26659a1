"""Orders: what the files of all platforms have in common once their cells are read.

All files tell the same few things under other names: what the goods cost, what the buyer paid, and how far
the order has come. From these `AmountsFact` is made the same way everywhere: what lies between the goods and
the money for them is discount, whoever gave it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from members.cleaning import ZERO, Unclean, clean_email, clean_phone, is_encrypted, is_masked
from members.facts import (
    AmountsFact,
    DiscountFact,
    Fact,
    IdentifierFact,
    IdentifierKind,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    PaymentFact,
    ReceiverFact,
    RefundFact,
)
from members.formats.rows import Row

PAID_STATES: Final = frozenset(
    {OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.RECEIVED, OrderStatus.COMPLETED}
)


def amounts(goods: Decimal, paid: Decimal, postage: Decimal) -> AmountsFact:
    """Amounts from what the goods cost, what was paid in all, and the postage in it.

    A price raised by hand makes the goods dearer, not the discount negative; postage that was waived by
    a platform is no more than what was paid.
    """
    postage = min(postage, paid)
    net = paid - postage
    goods = max(goods, net)
    return AmountsFact(goods=goods, discount=goods - net, postage=postage)


def discount_layers(
    named: Iterable[tuple[str, str, Decimal]], total: Decimal, rest: str = "other"
) -> tuple[DiscountFact, ...]:
    """The discount of an order taken apart: (layer, column, amount), and what no column explains.

    The layers always add up to the discount. Columns that say more than was taken off contradict the
    amounts; then the amounts hold and the discount stays in one piece.
    """
    layers = [DiscountFact(layer=layer, amount=part, label=label) for layer, label, part in named if part]
    left = total - sum((layer.amount for layer in layers), ZERO)
    if left < 0 or any(layer.amount < 0 for layer in layers):
        layers, left = [], total
    if left:
        layers.append(DiscountFact(layer=rest, amount=left))
    return tuple(layers)


def paid_time(status: OrderStatus, paid_at: datetime | None, placed_at: datetime | None) -> datetime | None:
    """When it was paid: as told, else when it was placed if its state says that it was paid."""
    return paid_at or (placed_at if status in PAID_STATES else None)


def refunded(
    status: OrderStatus, paid_at: datetime | None, paid: Decimal, told: Decimal | None
) -> Decimal | None:
    """What has been refunded: all when the order was closed after payment, never more than was paid."""
    if status is OrderStatus.CANCELLED and paid_at is not None:
        return paid
    return told if told is None else min(told, paid)


def payment(means: str | None, amount: Decimal, paid_at: datetime | None) -> tuple[PaymentFact, ...]:
    """The means of payment, when it was told and used."""
    return (PaymentFact(means=means, amount=amount),) if means and paid_at else ()


def contact(text: str | None) -> tuple[IdentifierFact, ...]:
    """The key in a cell that may hold a phone, an e-mail or anything else; never verified."""
    if not text or is_masked(text) or is_encrypted(text):
        return ()
    try:
        if "@" in text:
            email = clean_email(text)
            return (IdentifierFact(kind=IdentifierKind.EMAIL, value=email, verified=False),) if email else ()
        phone = clean_phone(text)
        return (IdentifierFact(kind=IdentifierKind.PHONE, value=phone, verified=False),) if phone else ()
    except Unclean:
        return ()


def receiver(
    row: Row,
    *,
    name: str,
    phone: str,
    province: str = "",
    city: str = "",
    district: str = "",
    address: str = "",
) -> ReceiverFact | None:
    """Where the parcel went, by the names of the columns; without ciphers and masked parts but the name."""
    fact = ReceiverFact(
        name=_legible(row.text(name)),
        phone=row.spare_phone(phone),
        province=row.region(province),
        city=row.region(city),
        district=_unmasked(row.text(district)),
        address=_unmasked(row.text(address)),
    )
    return None if fact == _NOBODY else fact


_NOBODY: Final = ReceiverFact()


def _legible(text: str | None) -> str | None:
    return None if text is None or is_encrypted(text) or not text.strip("*") else text


def _unmasked(text: str | None) -> str | None:
    return None if text is None or is_encrypted(text) or is_masked(text) else text


# ------------------------------------------------------------------------------- parts of one order


def combine_repeated(first: Fact, later: Fact) -> Fact:
    """Two parts of one order whose rows all repeat the totals of the order: only the lines add up."""
    assert isinstance(first, OrderFact) and isinstance(later, OrderFact)
    return replace(later, lines=first.lines + later.lines)


def combine_added(first: Fact, later: Fact) -> Fact:
    """Two parts of one order whose rows hold amounts of their own: lines and amounts add up."""
    assert isinstance(first, OrderFact) and isinstance(later, OrderFact)
    return replace(
        later,
        amounts=AmountsFact(
            goods=first.amounts.goods + later.amounts.goods,
            discount=first.amounts.discount + later.amounts.discount,
            postage=first.amounts.postage + later.amounts.postage,
        ),
        lines=first.lines + later.lines,
        discounts=first.discounts + later.discounts,
        payments=first.payments + later.payments,
        refunded_total=_sum_told(first.refunded_total, later.refunded_total),
    )


def _sum_told(first: Decimal | None, later: Decimal | None) -> Decimal | None:
    return later if first is None else first if later is None else first + later


def combine_refunds(first: Fact, later: Fact) -> Fact:
    """Two parts of one refund: amounts and lines add up."""
    assert isinstance(first, RefundFact) and isinstance(later, RefundFact)
    return replace(
        later,
        goods=first.goods + later.goods,
        postage=first.postage + later.postage,
        lines=first.lines + later.lines,
    )


def combine_lines(first: Fact, later: Fact) -> Fact:
    """Two parts of the lines of one order."""
    assert isinstance(first, OrderLinesFact) and isinstance(later, OrderLinesFact)
    return replace(later, lines=first.lines + later.lines)
