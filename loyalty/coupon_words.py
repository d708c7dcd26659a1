"""Coupons in the reader's language: what one is worth, why it took off what it did, why it cannot be used.

The reasons are fixed words: channels decide by them, people read what stands beside them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty.coupon_terms import Terms
from loyalty.names import in_words

# Why a coupon cannot be used, or was not issued.
REASONS: dict[str, str | Promise] = {
    "basket_missing": gettext_lazy("Tell what is bought: this coupon depends on it."),
    "expired": gettext_lazy("It has run out."),
    "limit_reached": gettext_lazy("The member has had as many of these coupons as allowed."),
    "locked": gettext_lazy("It is set aside for another order."),
    "min_spend": gettext_lazy("The goods that it counts do not reach its minimum spend."),
    "needs_member": gettext_lazy("It is for a known member only."),
    "no_such_coupon": gettext_lazy("The programme has no such coupon."),
    "outbid": gettext_lazy("What was chosen saves more, or as much and fits better."),
    "not_combined": gettext_lazy("It cannot be used together with another coupon of this order."),
    "not_started": gettext_lazy("It cannot be used yet."),
    "not_your_tier": gettext_lazy("It is for other tiers."),
    "not_yours": gettext_lazy("It belongs to another member."),
    "over": gettext_lazy("The campaign is over."),
    "quota_spent": gettext_lazy("All coupons of this campaign have been given out."),
    "tier": gettext_lazy("It is for members of other tiers."),
    "used": gettext_lazy("It has been used."),
    "withdrawn": gettext_lazy("It was withdrawn."),
    "wrong_channel": gettext_lazy("It is for other channels."),
    "wrong_products": gettext_lazy("It is for other products."),
    "wrong_store": gettext_lazy("It is for other stores."),
}


def reason(code: str) -> str:
    """Why a coupon cannot be used, in the language that is active."""
    return str(REASONS.get(code, code))


# How a coupon stands at an instant.
STANDINGS: dict[str, str | Promise] = {
    "usable": gettext_lazy("Can be used"),
    "not_started": gettext_lazy("Not yet"),
    "expired": gettext_lazy("Run out"),
    "locked": gettext_lazy("Set aside"),
    "used": gettext_lazy("Used"),
    "withdrawn": gettext_lazy("Withdrawn"),
}


def standing(code: str) -> str:
    """How a coupon stands, in a word."""
    return str(STANDINGS[code])


def title(terms: Terms) -> str:
    """A coupon by its name, or by what it is worth where it has none."""
    return in_words(dict(terms.name)) or worth(terms)


def worth(terms: Terms) -> str:
    """What a coupon takes off, and from how much on: `10% off from ¥200, at most ¥50`."""
    text = _off(terms)
    if terms.min_spend:
        text = _("%(off)s from ¥%(spend)s") % {"off": text, "spend": short(terms.min_spend)}
    if terms.max_discount is not None:
        text = _("%(off)s, at most ¥%(most)s") % {"off": text, "most": short(terms.max_discount)}
    return text


def _off(terms: Terms) -> str:
    if terms.kind == "gift":
        return _("Gift %(code)s") % {"code": terms.gift}
    if terms.kind == "shipping":
        if terms.value is None:
            return _("Free shipping")
        return _("¥%(value)s off the postage") % {"value": short(terms.value)}
    assert terms.value is not None, "only gifts and shipping have no value"
    if terms.kind == "amount":
        return _("¥%(value)s off") % {"value": short(terms.value)}
    # Chinese shops say 9折 where English ones say 10% off.
    numbers = {"percent": short(terms.value), "tenths": short((100 - terms.value) / 10)}
    return _("%(percent)s%% off") % numbers


def formula(why: Mapping[str, Any]) -> str:
    """How a coupon came to what it took off, with the numbers: `180.00 × 10% = 18.00`."""
    kind = why.get("kind")
    if "discount" not in why or kind not in ("amount", "percentage", "shipping"):
        return ""
    if kind == "shipping":
        return _least(why.get("value"), why["charged"], why["postage"])
    if kind == "amount":
        return _least(why["value"], why["counted"], why["discount"])
    text = f"{why['counted']} × {short(Decimal(why['value']))}% = {why['raw']}"
    return f"{text} → {why['discount']}" if "max_discount" in why else text


def _least(most: str | None, there: str, taken: str) -> str:
    return taken if most is None else f"min({most}, {there}) = {taken}"


def short(number: Decimal) -> str:
    """A number without the zeros that say nothing."""
    return format(number.normalize(), "f")
