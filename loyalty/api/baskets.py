"""What is to be bought and in which store, as requests about coupons and quotes tell it."""

from loyalty.coupon_terms import BasketLine
from members.api.view import Place
from members.bodies import NOTHING, Body
from members.errors import StoreUnknown
from members.models import Store
from members.reading import line_amount

MOST_LINES = 1000


def lines(body: Body) -> list[BasketLine] | None:
    """The basket as its lines, or as one line of their sum; None when neither is told."""
    amount = body.money("amount")
    told = [_line(part) for part in body.parts("lines", MOST_LINES)]
    if told and amount is not None and amount != sum(line.amount for line in told):
        body.note("amount", "amounts_disagree")
    if not told:
        return None if amount is None else [BasketLine(amount)]
    return told


def _line(body: Body) -> BasketLine:
    line = BasketLine(
        amount=body.required("amount", line_amount(body)) or NOTHING,
        product=body.id("product", 100) or "",
        category=body.text("category", 100) or "",
    )
    body.leave()
    return line


def store(place: Place, code: str) -> Store | None:
    """The store that a channel names, or the one its member of staff is in. Raises StoreUnknown."""
    if place.store_id is not None:
        return Store.objects.get(pk=place.store_id)
    if not code:
        return None
    found = Store.objects.filter(channel=place.channel, code=code).first()
    if found is None:
        raise StoreUnknown(channel=place.channel.code, store=code)
    return found
