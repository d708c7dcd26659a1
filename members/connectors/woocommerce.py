"""WooCommerce's webhooks: orders and customers as its REST API writes them. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from members.cleaning import ZERO, Unclean, clean_email, clean_phone, clean_region
from members.connectors import headed
from members.connectors.connector import (
    Acknowledgement,
    Call,
    Connector,
    Reading,
    finer,
)
from members.connectors.document import Document, spare
from members.facts import (
    AccountFact,
    AmountsFact,
    DiscountFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    ReceiverFact,
)
from members.formats.orders import amounts, paid_time, payment
from members.formats.shopify import CURRENCY
from members.formats.woocommerce import PROVINCES

UTC: Final = "Z"  # its _gmt times are written without an offset
CENT: Final = Decimal("0.01")
STATES: Final = {
    "pending": OrderStatus.PLACED,
    "on-hold": OrderStatus.PLACED,
    "failed": OrderStatus.PLACED,  # the payment failed and may be tried again
    "processing": OrderStatus.PAID,
    "completed": OrderStatus.COMPLETED,
    "refunded": OrderStatus.COMPLETED,  # all of its money went back
    "cancelled": OrderStatus.CANCELLED,
}
DRAFTS: Final = frozenset({"checkout-draft", "auto-draft", "trash"})
# Sent when a webhook is made, without a signature: the number of the webhook and nothing else.
_PING = re.compile(rb"webhook_id=\d{1,18}")


def is_greeting(call: Call) -> bool:
    """The ping that a new webhook sends; it is disabled unless it hears 200."""
    return bool(_PING.fullmatch(call.raw))


def read(topic: str, body: str) -> Reading:
    """The facts of one message. Raises Unclean for what cannot be right."""
    return headed.read(_READERS, topic, body)


# --- orders -----------------------------------------------------------------------------------------


def read_order(order: Document) -> Reading:
    """An order as it is now; its refunds come with it, each as a sum."""
    word = order.text("status")
    if word in DRAFTS:
        return Reading(ignored="draft")
    status = STATES.get(word or "")
    if status is None:
        raise Unclean("status_unknown" if word else "required_missing", word or "", "status")
    currency = order.text("currency")
    if currency != CURRENCY:
        raise Unclean("currency_unsupported" if currency else "required_missing", currency or "", "currency")
    placed_at = order.time("date_created_gmt", zone=UTC)
    paid_at = paid_time(status, order.time("date_paid_gmt", zone=UTC), placed_at)
    cost = _amounts(order)
    refunds = [abs(part.money_or_zero("total")) for part in order.parts("refunds")]
    fact = OrderFact(
        number=order.needed_id("id"),
        status=status,
        amounts=cost,
        buyer=_buyer(order),
        placed_at=placed_at,
        paid_at=paid_at,
        completed_at=order.time("date_completed_gmt", zone=UTC),
        lines=tuple(_line(line) for line in order.parts("line_items")),
        discounts=_discounts(order, cost.discount),
        payments=payment(
            order.text("payment_method_title") or order.text("payment_method"), cost.paid, paid_at
        ),
        receiver=_receiver(order),
        refunded_total=_refunded(word, sum(refunds, ZERO), cost.paid),
        version=finer(headed.milliseconds(order.time("date_modified_gmt", zone=UTC)), status, len(refunds)),
    )
    return Reading((fact,))


def _refunded(word: str | None, told: Decimal, paid: Decimal) -> Decimal:
    return paid if word == "refunded" else min(told, paid)


def _amounts(order: Document) -> AmountsFact:
    """Total holds postage and taxes; taxes are part of what the goods cost."""
    total = order.needed_money("total")
    postage = order.money_or_zero("shipping_total") + order.money_or_zero("shipping_tax")
    discount = order.money_or_zero("discount_total") + order.money_or_zero("discount_tax")
    return amounts(max(total - postage, ZERO) + discount, total, postage)


def _discounts(order: Document, total: Decimal) -> tuple[DiscountFact, ...]:
    if not total:
        return ()
    code = next((code for part in order.parts("coupon_lines") if (code := part.text("code"))), "")
    return (DiscountFact(layer="coupon" if code else "shop", amount=total, label=code),)


def _line(line: Document) -> LineFact:
    quantity = line.whole("quantity") or 1
    before = line.money_or_zero("subtotal") + line.money_or_zero("subtotal_tax")
    amount = line.money_or_zero("total") + line.money_or_zero("total_tax")
    before = max(before, amount)
    return LineFact(
        product=line.id("sku") or line.id("product_id") or "",
        name=line.text("name") or "",
        quantity=quantity,
        price=(before / quantity).quantize(CENT),
        discount=before - amount,
        amount=amount,
    )


def _buyer(order: Document) -> AccountFact | None:
    """The customer by the shop's id, phone and e-mail; customer 0 is a guest."""
    customer = order.id("customer_id")
    billing = order.part("billing")
    fact = AccountFact(
        external_id=None if customer in (None, "0") else customer,
        identifiers=_keys(billing.text("phone"), billing.text("email"), billing.text("country")),
        name=_name(billing),
    )
    return fact if fact.is_known else None


def _keys(phone: str | None, email: str | None, country: str | None) -> tuple[IdentifierFact, ...]:
    region = country.upper() if country and len(country) == 2 and country.isalpha() else "CN"
    found = (
        (IdentifierKind.PHONE, spare(phone, clean_phone, region)),
        (IdentifierKind.EMAIL, spare(email, clean_email)),
    )
    return tuple(IdentifierFact(kind=kind, value=value) for kind, value in found if value)


def _name(part: Document) -> str | None:
    """A name in the order in which it is read: 李雷, Ann Example."""
    first, last = part.text("first_name") or "", part.text("last_name") or ""
    if first.isascii() and last.isascii():
        return " ".join(filter(None, (first, last))) or None
    return (last + first) or None


def _receiver(order: Document) -> ReceiverFact | None:
    shipping = order.part("shipping")
    state = clean_region(shipping.text("state"))
    fact = ReceiverFact(
        name=_name(shipping),
        phone=spare(shipping.text("phone"), clean_phone, (shipping.text("country") or "CN").upper()),
        province=PROVINCES.get(state, state) if state else None,
        city=clean_region(shipping.text("city")),
        address=shipping.text("address_1"),
    )
    return None if fact == ReceiverFact() else fact


# --- customers --------------------------------------------------------------------------------------


def read_customer(customer: Document) -> Reading:
    """A customer as they are now."""
    billing = customer.part("billing")
    state = clean_region(billing.text("state"))
    fact = AccountFact(
        external_id=customer.needed_id("id"),
        identifiers=_keys(
            billing.text("phone"), customer.text("email") or billing.text("email"), billing.text("country")
        ),
        name=_name(customer) or _name(billing),
        province=PROVINCES.get(state, state) if state else None,
        city=clean_region(billing.text("city")),
        joined_at=customer.time("date_created_gmt", zone=UTC),
        version=headed.milliseconds(customer.time("date_modified_gmt", zone=UTC)),
    )
    return Reading((fact,))


def read_deletion(order: Document) -> Reading:
    """An order that was deleted in the shop stays as it was: what was bought was bought."""
    return Reading(ignored="deleted_is_kept")


_READERS: Final[Mapping[str, headed.Reader]] = {
    **dict.fromkeys(("order.created", "order.updated", "order.restored"), read_order),
    "order.deleted": read_deletion,
    **dict.fromkeys(("customer.created", "customer.updated"), read_customer),
    "customer.deleted": headed.read_leaving,
}

_HEADERS: Final = headed.Headers(
    signature="x-wc-webhook-signature", subject="x-wc-webhook-topic", id="x-wc-webhook-delivery-id"
)

CONNECTOR: Final = Connector(
    platforms=("woocommerce",),
    needs=("secret",),
    verify=_HEADERS.verify,
    split=_HEADERS.split,
    read=read,
    acknowledgement=Acknowledgement(),
    is_greeting=is_greeting,
)
