"""What a channel says it holds of a day, on its way through a door: order by order, or in all.

Money is in yuan with two places. None is what was not told: it is compared with nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


class Held(NamedTuple):
    """One order as the channel holds it.

    net: goods less discounts; paid: net and postage; refunded: goods and postage, so far.
    """

    order_no: str
    status: str | None
    net: Decimal | None
    paid: Decimal | None
    refunded: Decimal | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What all orders placed on the day come to, in whatever state."""

    orders: int | None = None
    net: Decimal | None = None
    paid: Decimal | None = None
    refunded: Decimal | None = None
