"""Rewards in words: what one costs, why it cannot be had, and why a claim is what it is (B8, B14)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from loyalty.names import called
from members.templatetags.amounts import minute, points, yuan

KINDS: dict[str, str | Promise] = {
    "gift": gettext_lazy("Gift"),
    "coupon": gettext_lazy("Coupon"),
    "event": gettext_lazy("Event"),
}

# Why a member cannot have a reward, as codes that the API tells; `sentence_of` says them with their numbers.
GIVEN_ONLY, NOT_YET, OVER, OTHER_TIERS = "given_only", "not_yet", "over", "other_tiers"
LIMIT, SOLD_OUT, POINTS_SHORT = "limit_reached", "sold_out", "not_enough_points"
REFUSALS = (GIVEN_ONLY, NOT_YET, OVER, OTHER_TIERS, LIMIT, SOLD_OUT, POINTS_SHORT)


def named(name: Mapping[str, str]) -> str:
    """A name of the programme in the language that is active, or in whichever it has."""
    language = (get_language() or "en").lower()
    return name.get(language) or name.get(language.split("-")[0]) or next(iter(name.values()), "")


def name_of(why: Mapping[str, Any], code: str) -> str:
    """The name of a claimed reward as it was called then; its code when it had none."""
    return named(why.get("name", {})) or code


def price(asked: int, money: Decimal) -> str:
    """`500 pts + ¥9.90`."""
    if asked and money:
        return _("%(points)s + %(money)s") % {"points": points(asked), "money": yuan(money)}
    if money:
        return yuan(money)
    return points(asked) if asked else str(_("Free"))


def refusal(
    code: str, *, at: datetime | None = None, tiers: str = "", limit: int | None = None, short: int = 0
) -> str:
    """Why a member cannot have a reward, in words; '' when nothing stands against it."""
    if code == NOT_YET and at is not None:
        return _("From %(time)s.") % {"time": minute(at)}
    if code == OTHER_TIERS:
        return _("For %(tiers)s.") % {"tiers": tiers}
    if code == LIMIT:
        return _("Claimed already: %(limit)s for each member.") % {"limit": limit}
    if code == POINTS_SHORT:
        return _("%(points)s short.") % {"points": points(short)}
    plain = {
        GIVEN_ONLY: _("Given by the programme, not claimed."),
        NOT_YET: _("Not yet."),
        OVER: _("Over."),
        SOLD_OUT: _("Sold out."),
    }
    return plain.get(code, "")


def sentence(why: Mapping[str, Any]) -> str:
    """Why a claim cost what it did, or for what it was given, with the version of the programme."""
    if "reward" not in why:
        words = {"code": called(why), "version": why.get("version", "")}
        return _("Given for %(code)s, by version %(version)s") % words
    words = {
        "reward": name_of(why, why["reward"]),
        "price": price(int(why["points"]), Decimal(why.get("money", "0"))),
        "version": why.get("version", ""),
        "sale": named(why.get("sale_called", {})) or why.get("sale", ""),
    }
    if words["sale"]:
        return _("%(reward)s: %(price)s in the sale %(sale)s, by version %(version)s") % words
    return _("%(reward)s: %(price)s, by version %(version)s") % words
