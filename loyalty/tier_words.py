"""Why a tier changed, what is missing and what keeps it, in words and numbers (B14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty import legacy_words
from loyalty.models import TierChange
from loyalty.names import called
from loyalty.tiers import Progress
from members.templatetags.amounts import count, yuan

Reason = TierChange.Reason

_WINDOWS = {
    "calendar": gettext_lazy("in the calendar year"),
    "anniversary": gettext_lazy("since the anniversary of joining"),
}
_SOURCES = {
    "rule": gettext_lazy("Given by the earning rule %(code)s"),
    "activity": gettext_lazy("Given for an activity (%(code)s)"),
    "referral": gettext_lazy("Given for friends brought along (%(code)s)"),
    "milestone": gettext_lazy("Given for the milestone %(code)s"),
    "birthday": gettext_lazy("Given on the birthday"),
    "member_day": gettext_lazy("Given on a member day"),
}


def sentence(reason: str, why: Mapping[str, Any]) -> str:
    """Why a step was taken, with its numbers, in the language that is active."""
    if "legacy" in why:
        return legacy_words.sentence(why)
    if reason in (Reason.BY_HAND, Reason.INVITED) or "approval" in why:
        return _by_hand(why)
    if reason in (Reason.GIVEN, Reason.CUT, Reason.FLOOR_ENDED):
        return given("cut" if "place" in why else "gift", why)
    if "needs" in why:
        return _judged(why)
    if reason == Reason.MERGED and "other" in why:
        return _("With %(number)s: the better tier of the two stays") % {"number": why["other"]}
    if reason == Reason.UNMERGED and "other" in why:
        return _("%(number)s is another person again") % {"number": why["other"]}
    return ""


def given(kind: str, why: Mapping[str, Any]) -> str:
    """For what a tier was given, by the kind of the event."""
    if kind == "cut":
        return _cut(why)
    if "legacy" in why:
        return legacy_words.sentence(why)
    if "approval" in why:
        return _by_hand(why)
    source = _SOURCES.get(str(why.get("source")))
    if source is None:
        return str(why.get("reason", ""))
    text = str(source) % {"code": called(why)}
    return _("%(reason)s; the order came to nothing") % {"reason": text} if why.get("undone") else text


def _judged(why: Mapping[str, Any]) -> str:
    """`¥4,200.00, 6 orders within 12 months; asked are ¥3,000.00 and 5 orders`."""
    needs = why["needs"]
    wanted = [what for what in ("spend", "orders", "growth") if what in needs]
    shown = wanted or [what for what in ("spend", "orders", "growth") if what in why]
    have = ", ".join(figure(what, why.get(what, 0)) for what in shown)
    words = {"have": have, "window": _window(needs)}
    if not wanted:
        return (_("%(have)s %(window)s") % words).strip()
    asked = [figure(what, needs[what]) for what in wanted]
    words["asked"] = (_(" or ") if needs.get("mode") == "any" else _(" and ")).join(asked)
    return _("%(have)s %(window)s; asked: %(asked)s") % words


def _window(needs: Mapping[str, Any]) -> str:
    months = needs.get("months")
    if months is None:
        return str(_WINDOWS.get(str(needs.get("window")), ""))
    return ngettext("within %(months)s month", "within %(months)s months", months) % {"months": months}


def _by_hand(why: Mapping[str, Any]) -> str:
    if "approval" not in why:
        return str(why.get("reason", ""))
    if "asked_by" not in why:  # for whom the names of staff are not
        return _("%(reason)s (asked by staff, approved as request %(approval)s)") % {
            "reason": why.get("reason", ""),
            "approval": why["approval"],
        }
    return _("%(reason)s (asked by %(who)s, approved as request %(approval)s)") % {
        "reason": why.get("reason", ""),
        "who": why.get("asked_by", ""),
        "approval": why.get("approval", ""),
    }


def _cut(why: Mapping[str, Any]) -> str:
    return _(
        "Place %(place)s of %(buyers)s who bought, with %(spend)s; the first %(percent)s%% are chosen"
    ) % {
        "place": why.get("place"),
        "buyers": why.get("buyers"),
        "spend": yuan(Decimal(why.get("spend", 0))),
        "percent": why.get("percent"),
    }


def figure(what: str, value: Any) -> str:
    """A figure with its unit: ¥3,000.00, 5 orders, 800 growth value."""
    if what == "spend":
        return yuan(Decimal(value))
    if what == "orders":
        return ngettext("%(count)s order", "%(count)s orders", int(value)) % {"count": count(int(value))}
    return _("%(count)s growth value") % {"count": count(int(value))}


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedLine:
    """A need in words: both figures, what is missing (empty when nothing is), and the share that is there."""

    what: str
    label: str
    have: str
    asked: str
    missing: str
    percent: int


def needs(way: Progress) -> list[NeedLine]:
    """What a tier asks, line by line, in the language that is active."""
    labels = {"spend": _("Spend"), "orders": _("Orders"), "growth": _("Growth value")}
    return [
        NeedLine(
            what=need.what,
            label=labels[need.what],
            # With its unit after the second figure: 26 of 30 orders.
            have=figure(need.what, need.have) if need.what == "spend" else count(int(need.have)),
            asked=figure(need.what, need.asked),
            missing=figure(need.what, need.missing) if need.missing else "",
            percent=need.percent,
        )
        for need in way.needs
    ]


def growth_sentence(why: Mapping[str, Any], order_number: str = "") -> str:
    """For what growth value came about, with its numbers: `Order T-1: 200.00 × 1 → 200`."""
    if not order_number:
        source = _SOURCES.get(str(why.get("source")))
        return str(source) % {"code": called(why)} if source else ""
    if "kept" not in why:
        return _("Order %(number)s does not count any more") % {"number": order_number}
    return _("Order %(number)s: ¥%(kept)s × %(per_yuan)s, in all %(total)s") % {
        "number": order_number,
        "kept": why["kept"],
        "per_yuan": why["per_yuan"],
        "total": count(int(why["total"])),
    }
