"""Shopify's webhooks: orders, refunds, customers, marketing consents, and the compliance topics. Pure.

An order or a customer is written as the cells of Shopify's own export and read by its reader, so that
a file and a webhook cannot come to say different things.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from members.cleaning import ZERO
from members.connectors import headed
from members.connectors.connector import (
    Acknowledgement,
    Connector,
    Reading,
    RequestFact,
    WordsFact,
    finer,
)
from members.connectors.document import Document
from members.connectors.rows import rows_of
from members.facts import AccountFact, ConsentFact, LineFact, RefundFact
from members.formats import shopify as files

REQUEST_DAYS: Final = 30  # in which Shopify wants a request about personal data done
_YES_NO: Final = {"subscribed": "yes", "unsubscribed": "no", "not_subscribed": "no"}


def read(topic: str, body: str) -> Reading:
    """The facts of one message. Raises Unclean for what cannot be right."""
    return headed.read(_READERS, topic, body)


# --- orders -----------------------------------------------------------------------------------------


def read_order(order: Document) -> Reading:
    """An order as it is now, and each of its refunds."""
    fact = files.read_order(rows_of(_order_cells(order)))
    refunds = tuple(refund for part in order.parts("refunds") if (refund := _refund(part, fact.number)))
    version = order.time("updated_at")
    told = replace(
        fact,
        buyer=_with_id(fact.buyer, order.part("customer")),
        # Its refunds come one by one; only that there is none is a sum that says something.
        refunded_total=None if refunds else ZERO,
        version=finer(headed.milliseconds(version), fact.status, len(refunds)),
    )
    return Reading((told, *refunds))


def _with_id(buyer: AccountFact | None, customer: Document) -> AccountFact | None:
    external_id = customer.id("id")
    if external_id is None:
        return buyer
    return replace(buyer or AccountFact(), external_id=external_id)


def _order_cells(order: Document) -> list[Mapping[str, object]]:
    """The rows of the order export: the order on the first, one line item on each."""
    billing, shipping, customer = (
        order.part("billing_address"),
        order.part("shipping_address"),
        order.part("customer"),
    )
    codes = [code for part in order.parts("discount_codes") if (code := part.text("code"))]
    gateways = order.raw("payment_gateway_names")
    head: dict[str, object] = {
        "Id": order.id("id"),
        "Name": order.text("name"),
        "Email": order.text("email") or order.text("contact_email") or customer.text("email"),
        "Phone": order.text("phone") or customer.text("phone") or billing.text("phone"),
        "Financial Status": order.text("financial_status"),
        "Fulfillment Status": order.text("fulfillment_status"),
        "Currency": order.text("currency"),
        "Total": order.money("total_price"),
        "Shipping": _postage(order),
        "Discount Amount": order.money_or_zero("total_discounts"),
        "Discount Code": ", ".join(codes),
        "Created at": order.time("created_at"),
        "Paid at": _paid_at(order),
        "Fulfilled at": next(
            (at for part in order.parts("fulfillments") if (at := part.time("created_at"))), None
        ),
        "Cancelled at": order.time("cancelled_at"),
        "Payment Method": " + ".join(map(str, gateways)) if isinstance(gateways, list) else "",
        "Billing Country": billing.text("country_code"),
        "Shipping Name": shipping.text("name"),
        "Shipping Phone": shipping.text("phone"),
        "Shipping Country": shipping.text("country_code"),
        "Shipping Province Name": shipping.text("province"),
        "Shipping City": shipping.text("city"),
        "Shipping Address1": shipping.text("address1"),
    }
    lines = [_line_cells(line) for line in order.parts("line_items")] or [{}]
    return [{**head, **lines[0]}, *lines[1:]]


def _paid_at(order: Document) -> object:
    """When it was processed, which for an order of the shop is when it was paid."""
    paid = order.text("financial_status") in ("paid", "partially_refunded", "refunded")
    return (order.time("processed_at") or order.time("created_at")) if paid else None


def _postage(order: Document) -> object:
    told = order.money("total_shipping_price_set", "shop_money", "amount")
    return (
        sum((line.money_or_zero("price") for line in order.parts("shipping_lines")), ZERO)
        if told is None
        else told
    )


def _line_cells(line: Document) -> dict[str, object]:
    return {
        "Lineitem name": line.text("name") or line.text("title") or line.text("sku"),
        "Lineitem sku": line.id("sku"),
        "Lineitem quantity": line.whole("quantity"),
        "Lineitem price": line.money("price"),
        "Lineitem discount": _line_discount(line),
    }


def _line_discount(line: Document) -> object:
    shares = [share.money_or_zero("amount") for share in line.parts("discount_allocations")]
    return sum(shares, ZERO) if shares else line.money_or_zero("total_discount")


# --- refunds ----------------------------------------------------------------------------------------


def read_refund(refund: Document) -> Reading:
    """A refund by itself; its order may come later."""
    fact = _refund(refund, refund.needed_id("order_id"))
    return Reading((fact,)) if fact else Reading(ignored="nothing_refunded")


def _refund(refund: Document, order_number: str) -> RefundFact | None:
    """A refund, when money went back: what is only put back into stock is none."""
    money = sum(
        (
            part.money_or_zero("amount")
            for part in refund.parts("transactions")
            if part.text("kind") == "refund" and part.text("status") in ("success", None)
        ),
        ZERO,
    )
    if not money:
        return None
    postage = sum(
        (
            abs(part.money_or_zero("amount")) + abs(part.money_or_zero("tax_amount"))
            for part in refund.parts("order_adjustments")
            if part.text("kind") == "shipping_refund"
        ),
        ZERO,
    )
    return RefundFact(
        order_number=order_number,
        number=refund.needed_id("id"),
        goods=max(money - postage, ZERO),
        postage=min(postage, money),
        lines=tuple(_refund_line(part) for part in refund.parts("refund_line_items")),
        refunded_at=refund.time("processed_at") or refund.time("created_at"),
    )


def _refund_line(part: Document) -> LineFact:
    return LineFact(
        product=part.id("line_item", "sku") or "",
        name=part.text("line_item", "name") or part.text("line_item", "title") or "",
        quantity=part.whole("quantity") or 1,
        amount=part.money("subtotal"),
    )


# --- customers --------------------------------------------------------------------------------------


def read_customer(customer: Document) -> Reading:
    """A customer as they are now. Since API 2025-01 tags and consents come by topics of their own."""
    address = customer.part("default_address")
    cells = {
        "Customer ID": customer.id("id"),
        "First Name": customer.text("first_name"),
        "Last Name": customer.text("last_name"),
        "Email": customer.text("email"),
        "Phone": customer.text("phone"),
        "Default Address Country Code": address.text("country_code"),
        "Default Address City": address.text("city"),
        "Province": address.text("province"),
        "Tags": customer.text("tags"),
    }
    (row,) = rows_of([cells])
    fact = files.read_customer(row)
    updated = customer.time("updated_at")
    words = _words(customer)
    told = replace(fact, version=headed.milliseconds(updated))
    account = AccountFact(external_id=fact.external_id, identifiers=fact.identifiers)
    return Reading((told, WordsFact(account=account, words=words)) if words else (told,))


def read_words(told: Document) -> Reading:
    """What a customer said to marketing by e-mail or text message."""
    words = _words(told)
    external_id = told.id("customer_id") or told.id("id")
    if not words or external_id is None:
        return Reading(ignored="nothing_said")
    return Reading((WordsFact(account=AccountFact(external_id=external_id), words=words),))


def _words(told: Document) -> tuple[ConsentFact, ...]:
    named = (("email", told.part("email_marketing_consent")), ("sms", told.part("sms_marketing_consent")))
    return tuple(
        ConsentFact(
            purpose="marketing",
            granted=answer == "yes",
            channel=channel,
            at=consent.time("consent_updated_at"),
        )
        for channel, consent in named
        if (answer := _YES_NO.get((consent.text("state") or "").lower()))
    )


# --- what the law asks ------------------------------------------------------------------------------


def _asks(kind: str) -> Callable[[Document], Reading]:
    def read_request(asked: Document) -> Reading:
        customer = asked.part("customer")
        external_id = customer.id("id")
        reference = asked.id("data_request", "id") or external_id or asked.needed_id("shop_id")
        details = {
            name: value
            for name in ("shop_domain", "customer", "orders_requested", "orders_to_redact")
            if (value := asked.raw(name))
        }
        return Reading(
            (
                RequestFact(
                    kind=kind,
                    reference=reference,
                    external_id=external_id,
                    details=details,
                    days=REQUEST_DAYS,
                ),
            )
        )

    return read_request


_READERS: Final[Mapping[str, headed.Reader]] = {
    **dict.fromkeys(
        (
            *(
                "orders/create",
                "orders/updated",
                "orders/edited",
                "orders/paid",
                "orders/partially_fulfilled",
            ),
            *("orders/fulfilled", "orders/cancelled"),
        ),
        read_order,
    ),
    "refunds/create": read_refund,
    **dict.fromkeys(("customers/create", "customers/update"), read_customer),
    **dict.fromkeys(
        ("customers/email_marketing_consent_update", "customers/marketing_consent_update"), read_words
    ),
    **dict.fromkeys(
        ("customers_email_marketing_consent/update", "customers_marketing_consent/update"), read_words
    ),
    "customers/delete": headed.read_leaving,
    "customers/data_request": _asks("access"),
    "customers/redact": _asks("erase"),
    "shop/redact": _asks("erase_shop"),
}

_HEADERS: Final = headed.Headers(
    signature="x-shopify-hmac-sha256", subject="x-shopify-topic", id="x-shopify-webhook-id"
)

CONNECTOR: Final = Connector(
    platforms=("shopify",),
    needs=("secret",),
    verify=_HEADERS.verify,
    split=_HEADERS.split,
    read=read,
    acknowledgement=Acknowledgement(),
)
