"""The lines of a purchase that is given back in part: what each cost, and which went back (A9)."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from loyalty import earning
from members.facts import LineFact
from members.models import Order, OrderLine

NOTHING = Decimal("0.00")
CENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BoughtLine:
    """A line of a purchase; `amount`: what was paid for it in yuan, as its share of the order's net."""

    position: int
    name: str
    product: str
    quantity: int
    amount: Decimal
    is_refunded: bool


def of(order: Order) -> list[BoughtLine]:
    """The lines of an order, together its net to the cent; none where its channel told no prices."""
    lines = list(OrderLine.objects.filter(order=order).order_by("position"))
    if any(line.amount is None or line.amount < 0 for line in lines):
        return []
    shares = earning.spread(int(order.net * CENTS), [line.amount or NOTHING for line in lines])
    gone = _refunded(order)
    found = []
    for line, share in zip(lines, shares, strict=True):
        what = (line.product, line.name, line.quantity)
        is_refunded = what in gone
        if is_refunded:
            gone.remove(what)  # of two equal lines one may have gone back
        found.append(
            BoughtLine(
                position=line.position,
                name=line.name or line.product,
                product=line.product,
                quantity=line.quantity,
                amount=(Decimal(share) / CENTS).quantize(NOTHING),
                is_refunded=is_refunded,
            )
        )
    return found


def facts(order: Order, positions: Collection[int]) -> tuple[LineFact, ...]:
    """These lines of an order, as a refund keeps them."""
    return tuple(
        LineFact(product=line.product, name=line.name, quantity=line.quantity, amount=line.amount)
        for line in of(order)
        if line.position in positions
    )


def _refunded(order: Order) -> list[tuple[str, str, int]]:
    """Product, name and quantity of every line that a refund of the order has named."""
    return [
        (line.get("product", ""), line.get("name", ""), line.get("quantity", 1))
        for lines in order.refunds.order_by("pk").values_list("lines", flat=True)
        for line in lines
    ]
