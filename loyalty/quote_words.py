"""A quote in the reader's language: each amount with its reason, and what was left out and why (B7, B13)."""

from django.utils.translation import gettext as _

from loyalty import coupon_words
from loyalty.choice import Taken
from loyalty.coupon_words import short
from loyalty.quotes import Offered


def cut(offered: Offered) -> str:
    """What the tier or the counted benefit takes off: `268.00 × 10% = 26.80`; '' when nothing."""
    chosen = offered.choice
    if not chosen.cut_off:
        return ""
    parts = []
    if chosen.cut.share < 1:
        parts.append(f"{chosen.goods} × {short((1 - chosen.cut.share) * 100)}%")
    if chosen.cut.amount:
        parts.append(f"{chosen.cut.amount:.2f}")
    return f"{' + '.join(parts)} = {chosen.cut_off}"


def cut_label(offered: Offered) -> str:
    """What takes it off, in words: the counted benefit by its name, or the tier."""
    if offered.use is None:
        return _("Discount of the tier")
    left = offered.use.left - 1
    return _("%(name)s (%(left)s left after it)") % {"name": offered.use.name, "left": left}


def coupon(taken: Taken) -> str:
    """How a coupon came to what it took off, with its numbers."""
    return coupon_words.formula(taken.verdict.why) or coupon_words.worth(taken.offer.terms)


def points(offered: Offered) -> str:
    """What the points are worth: `600 ÷ 60 = 10.00`; '' when none are used."""
    if not offered.points:
        return ""
    return f"{offered.points} ÷ {offered.tier.benefits.points_per_yuan} = {offered.points_value}"
