"""The sum of a sale as the till shows it: each amount with its reason, and what was left out (B7, B13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from loyalty import coupon_words, quote_words, quotes
from loyalty.quotes import Offered

MOST_SHOWN = 5  # coupons that were left out; a clerk with a queue reads no more


class Part(NamedTuple):
    """One thing that takes something off: what, how much in yuan, and the numbers it is made of."""

    label: str
    off: Decimal
    why: str
    gift: str = ""


class LeftOut(NamedTuple):
    """A coupon that is not used, and why."""

    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the till shows. `seen` goes along with the sale and says that the clerk saw this sum."""

    parts: Sequence[Part]
    left_out: Sequence[LeftOut]
    points: int
    points_value: Decimal
    points_why: str
    usable: int
    worth_of_usable: Decimal
    to_pay: Decimal
    points_to_earn: int
    seen: str


def of(offered: Offered, *, seen: str) -> Shown:
    """An offer in the language that is active."""
    chosen = offered.choice
    parts = []
    if chosen.cut_off:
        parts.append(Part(quote_words.cut_label(offered), chosen.cut_off, quote_words.cut(offered)))
    parts += [
        Part(
            coupon_words.title(each.offer.terms),
            each.verdict.discount or Decimal(0),
            quote_words.coupon(each),
            each.offer.terms.gift,
        )
        for each in chosen.taken
    ]
    left_out = [LeftOut(code, coupon_words.reason(why)) for code, why in offered.refused_codes]
    left_out += [
        LeftOut(coupon_words.title(each.offer.terms), coupon_words.reason(each.why_not))
        for each in quotes.not_used(offered)
    ]
    return Shown(
        parts=parts,
        left_out=left_out[:MOST_SHOWN],
        points=offered.points,
        points_value=offered.points_value,
        points_why=quote_words.points(offered),
        usable=offered.usable,
        worth_of_usable=offered.worth_of_usable,
        to_pay=offered.to_pay,
        points_to_earn=offered.points_to_earn,
        seen=seen,
    )
