"""Shopify: the customer export (20 columns and its variants) and the order export (79 columns)."""

from decimal import Decimal
from typing import Final

from django.utils.translation import gettext_lazy as _

from members.cleaning import ZERO
from members.facts import (
    AccountFact,
    AmountsFact,
    ConsentFact,
    DiscountFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    ReceiverFact,
)
from members.formats import columns
from members.formats.format import Format
from members.formats.orders import amounts, paid_time, payment
from members.formats.rows import Row

CURRENCY: Final = "CNY"
# Authorised is not paid: the money may still never be taken.
FINANCIAL_STATES: Final = {
    "pending": OrderStatus.PLACED,
    "authorized": OrderStatus.PLACED,
    "partially_paid": OrderStatus.PLACED,
    "paid": OrderStatus.PAID,
    "partially_refunded": OrderStatus.PAID,
    "refunded": OrderStatus.PAID,
    "voided": OrderStatus.CANCELLED,
    "expired": OrderStatus.CANCELLED,
}
FULFILLED: Final = "fulfilled"


def read_order(rows: list[Row]) -> OrderFact:
    """The rows of one order: what concerns the order stands on the first only, each has one line item."""
    row = rows[0]
    if (row.text("Currency") or "") != CURRENCY:
        raise row.unclean("currency_unsupported" if row.text("Currency") else "required_missing", "Currency")
    financial = row.word("Financial Status", FINANCIAL_STATES)
    status = _status(row, financial)
    placed_at = row.time("Created at")
    told_at = row.time("Paid at") if financial is not OrderStatus.CANCELLED else None
    paid_at = paid_time(financial, told_at, placed_at)
    cost = _amounts(row)
    told = row.money("Refunded Amount")
    return OrderFact(
        # The id is what the platform's other messages name an order by; `#1001` is for people.
        number=row.code("Id") or row.needed_code("Name"),
        status=status,
        amounts=cost,
        buyer=_buyer(row),
        placed_at=placed_at,
        paid_at=paid_at,
        shipped_at=row.time("Fulfilled at"),
        lines=tuple(_line(part) for part in rows if part.text("Lineitem name")),
        discounts=_discounts(row, cost.discount),
        payments=payment(row.text("Payment Method"), cost.paid, paid_at),
        receiver=_receiver(row),
        refunded_total=told if told is None else min(told, cost.paid),
    )


def _status(row: Row, financial: OrderStatus) -> OrderStatus:
    if row.time("Cancelled at"):
        return OrderStatus.CANCELLED
    if financial is OrderStatus.PAID and row.text("Fulfillment Status") == FULFILLED:
        return OrderStatus.SHIPPED
    return financial


def _amounts(row: Row) -> AmountsFact:
    """Total holds postage and, where prices are without them, taxes; taxes are part of what goods cost."""
    total, postage = row.needed_money("Total"), row.money_or_zero("Shipping")
    goods = max(total - postage, ZERO) + row.money_or_zero("Discount Amount")
    return amounts(goods, total, postage)


def _discounts(row: Row, total: Decimal) -> tuple[DiscountFact, ...]:
    if not total:
        return ()
    code = row.text("Discount Code")
    return (DiscountFact(layer="coupon" if code else "shop", amount=total, label=code or ""),)


def _region(row: Row, *columns: str) -> str:
    """The country whose phones are written without its code here."""
    found = next((text for text in map(row.text, columns) if text), "")
    return found.upper() if len(found) == 2 and found.isascii() and found.isalpha() else "CN"


def _keys(row: Row, region: str) -> tuple[IdentifierFact, ...]:
    """Phone and e-mail of the customer; what cannot be right, of all the world's phones, is left out."""
    phone, email = row.spare_phone("Phone", region), row.spare_email("Email")
    keys = []
    if phone:
        keys.append(IdentifierFact(kind=IdentifierKind.PHONE, value=phone))
    if email:
        keys.append(IdentifierFact(kind=IdentifierKind.EMAIL, value=email))
    return tuple(keys)


def _buyer(row: Row) -> AccountFact | None:
    keys = _keys(row, _region(row, "Billing Country", "Shipping Country"))
    return AccountFact(identifiers=keys) if keys else None


def _line(row: Row) -> LineFact:
    price, quantity = row.needed_money("Lineitem price"), row.pieces("Lineitem quantity") or 1
    discount = min(row.money_or_zero("Lineitem discount"), price * quantity)
    return LineFact(
        product=row.code("Lineitem sku") or "",
        name=row.text("Lineitem name") or "",
        quantity=quantity,
        price=price,
        discount=discount,
        amount=price * quantity - discount,
    )


def _receiver(row: Row) -> ReceiverFact | None:
    fact = ReceiverFact(
        name=row.text("Shipping Name"),
        phone=row.spare_phone("Shipping Phone", _region(row, "Shipping Country")),
        province=row.region("Shipping Province Name"),
        city=row.region("Shipping City"),
        address=row.text("Shipping Address1"),
    )
    return None if fact == ReceiverFact() else fact


def read_customer(row: Row) -> AccountFact:
    """One row, one customer. Columns of metafields are not read."""
    external_id = row.code("Customer ID")
    keys = _keys(row, _region(row, "Default Address Country Code", "Country Code"))
    if external_id is None and not keys:
        if row.remarks:  # the key that was there is why nobody is known
            remark = row.remarks[0]
            raise row.unclean(remark.code, remark.column)
        raise row.unclean("buyer_missing", "Customer ID")
    names = [text for text in (row.text("First Name"), row.text("Last Name")) if text]
    return AccountFact(
        external_id=external_id,
        identifiers=keys,
        name=" ".join(names) or None,
        province=row.region("Province"),
        city=row.region("Default Address City") or row.region("City"),
        tags=row.words("Tags", ","),
        consents=tuple(_consents(row)),
    )


def _consents(row: Row) -> list[ConsentFact]:
    columns = (("email", "Accepts Email Marketing"), ("sms", "Accepts SMS Marketing"))
    answers = ((channel, row.text(column)) for channel, column in columns)
    return [
        ConsentFact(purpose="marketing", granted=answer == "yes", channel=channel)
        for channel, answer in answers
        if answer in ("yes", "no")
    ]


ORDERS: Final = Format(
    name="shopify-orders",
    platforms=("shopify",),
    kind="orders",
    label=_("Shopify orders"),
    key="Name",
    required=(
        "Name",
        "Financial Status",
        "Currency",
        "Total",
        "Created at",
        "Lineitem name",
        "Lineitem price",
    ),
    known=frozenset(columns.SHOPIFY_ORDERS),
    build_group=read_order,
)
CUSTOMERS: Final = Format(
    name="shopify-customers",
    platforms=("shopify",),
    kind="accounts",
    label=_("Shopify customers"),
    key="Customer ID",
    required=("Customer ID", "First Name", "Last Name", "Email"),
    known=frozenset((*columns.SHOPIFY_CUSTOMERS, *columns.SHOPIFY_CUSTOMERS_OLDER)),
    build=read_customer,
)
