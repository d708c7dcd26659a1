"""Rules and their conditions in words, in the language that is active (B5, B14).

Pure. One sentence says all that a rule does: for how long, for which orders, what it gives, how much at most,
and what becomes of the rules after it. Builder, comparison and explanations share it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from loyalty.conditions import SHANGHAI, THIS_MONTH, AllOf, AnyOf, Check, Condition, Not, names_a_line
from loyalty.names import called
from loyalty.programme import Limits, Rule

# What codes are called: (field of a condition, or coupon, gift, tier; code) -> name.
Names = Mapping[tuple[str, str], str]
NO_NAMES: Names = {}

FIELD_NAMES: dict[str, Promise] = {
    "order.channel": gettext_lazy("channel"),
    "order.store": gettext_lazy("store"),
    "order.paid": gettext_lazy("goods after discounts"),
    "order.time": gettext_lazy("time of the order"),
    "order.day": gettext_lazy("day of the month"),
    "order.weekday": gettext_lazy("day of the week"),
    "order.first": gettext_lazy("first order"),
    "order.is_member_day": gettext_lazy("member day"),
    "line.category": gettext_lazy("category of the line"),
    "line.product": gettext_lazy("product of the line"),
    "line.amount": gettext_lazy("amount of the line"),
    "member.tier": gettext_lazy("tier"),
    "member.tags": gettext_lazy("tags"),
    "member.segments": gettext_lazy("segments"),
    "member.is_birthday": gettext_lazy("birthday today"),
    "member.is_birthday_week": gettext_lazy("birthday this week"),
    "member.birthday_month": gettext_lazy("month of birth"),
    "member.joined_days": gettext_lazy("days since joining"),
    "member.repurchases_year": gettext_lazy("repurchases in a year"),
    "member.purchases_90d": gettext_lazy("purchases in 90 days"),
    "member.average_order_90d": gettext_lazy("average order in 90 days"),
}
WEEKDAY_NAMES: dict[str, Promise] = {
    "monday": gettext_lazy("Monday"),
    "tuesday": gettext_lazy("Tuesday"),
    "wednesday": gettext_lazy("Wednesday"),
    "thursday": gettext_lazy("Thursday"),
    "friday": gettext_lazy("Friday"),
    "saturday": gettext_lazy("Saturday"),
    "sunday": gettext_lazy("Sunday"),
}
LIMIT_NAMES: dict[str, Promise] = {
    "per_member_day": gettext_lazy("a member and day"),
    "per_member_month": gettext_lazy("a member and month"),
    "per_member": gettext_lazy("a member in all"),
    "budget": gettext_lazy("all members together"),
}

_PHRASES: dict[str, Promise] = {
    "=": gettext_lazy("%(field)s is %(value)s"),
    "!=": gettext_lazy("%(field)s is not %(value)s"),
    "<": gettext_lazy("%(field)s is below %(value)s"),
    "<=": gettext_lazy("%(field)s is at most %(value)s"),
    ">": gettext_lazy("%(field)s is above %(value)s"),
    ">=": gettext_lazy("%(field)s is at least %(value)s"),
    "in": gettext_lazy("%(field)s is one of %(value)s"),
    "not_in": gettext_lazy("%(field)s is none of %(value)s"),
    "between": gettext_lazy("%(field)s is from %(low)s to %(high)s"),
    "contains": gettext_lazy("%(field)s contains %(value)s"),
}
_OF_SETS: dict[str, Promise] = {
    "contains": gettext_lazy("%(field)s include %(value)s"),
    "in": gettext_lazy("%(field)s include one of %(value)s"),
    "not_in": gettext_lazy("%(field)s include none of %(value)s"),
}
_OF_TIMES: dict[str, Promise] = {
    "<": gettext_lazy("%(field)s is before %(value)s"),
    "<=": gettext_lazy("%(field)s is not after %(value)s"),
    ">": gettext_lazy("%(field)s is after %(value)s"),
    ">=": gettext_lazy("%(field)s is not before %(value)s"),
    "between": gettext_lazy("%(field)s is from %(low)s to before %(high)s"),
}
# What is true or not needs no "is yes".
_OF_FLAGS: dict[str, tuple[Promise, Promise]] = {
    "order.first": (gettext_lazy("it is the first purchase"), gettext_lazy("it is not the first purchase")),
    "order.is_member_day": (gettext_lazy("it is a member day"), gettext_lazy("it is no member day")),
    "member.is_birthday": (gettext_lazy("it is the birthday"), gettext_lazy("it is not the birthday")),
    "member.is_birthday_week": (
        gettext_lazy("it is the week of the birthday"),
        gettext_lazy("it is not the week of the birthday"),
    ),
}
_SETS = frozenset({"member.tags", "member.segments"})


# --- a rule --------------------------------------------------------------------------------------------


def of_rule(rule: Rule, names: Names = NO_NAMES, zone: ZoneInfo = SHANGHAI) -> str:
    """What a rule does: `channel is tmall: points × 2; at most 500 points (a member and day)`."""
    text = _("%(condition)s: %(given)s") % {
        "condition": _within(rule, of_condition(rule.when, names, zone), zone),
        "given": given(rule, names) or "…",
    }
    limits = limits_in_words(rule.limits)
    if limits:
        text = _("%(text)s; at most %(limits)s") % {"text": text, "limits": limits}
    return _("%(text)s; no rule after it counts") % {"text": text} if rule.exclusive else text


def given(rule: Rule, names: Names = NO_NAMES) -> str:
    """What a rule gives: `points × 2, 50 bonus points, coupon Welcome`; '' is nothing."""
    words = [_factor(rule)] if rule.factor is not None else []
    if rule.bonus is not None:
        words.append(_("%(what)s bonus points") % {"what": rule.bonus})
    if rule.other:
        words.append(given_things(rule, names))
    return listed(words)


def given_things(rule: Rule, names: Names = NO_NAMES) -> str:
    """What a rule gives beside points: `coupon Welcome, tier Gold`."""
    phrases = {"coupon": _("coupon %(what)s"), "gift": _("gift %(what)s"), "tier": _("tier %(what)s")}
    return listed(
        [phrases[kind] % {"what": names.get((kind, code), code)} for kind, code in rule.other.items()]
    )


def limits_in_words(limits: Limits) -> str:
    """How much a rule gives at most, nearest limit first; '' is no limit."""
    return listed(
        [
            _("%(points)s points (%(whom)s)") % {"points": f"{limit:,}", "whom": whom}
            for word, whom in LIMIT_NAMES.items()
            if (limit := getattr(limits, word)) is not None
        ]
    )


def of_told(told: Mapping[str, Any]) -> str:
    """What a rule did for one order, from the explanation kept with it: `double × 2: + 200`."""
    words = {"code": called(told), "added": f"{told['added']:,}"}
    if "factor" in told:
        text = _("%(code)s × %(factor)s: + %(added)s") % {**words, "factor": told["factor"]}
    else:
        text = _("%(code)s: + %(added)s") % words
    if "cut_from" not in told:
        return text
    cut = {"text": text, "wanted": f"{told['cut_from']:,}"}
    if not told.get("cut_by"):
        return _("%(text)s (of %(wanted)s, as its limit allows)") % cut
    left = [
        _("%(whom)s: %(left)s left") % {"whom": whom, "left": f"{told['cut_by'][name]:,}"}
        for name, whom in LIMIT_NAMES.items()
        if name in told["cut_by"]
    ]
    return _("%(text)s (of %(wanted)s, as its limit allows: %(limits)s)") % {**cut, "limits": listed(left)}


def limits_that_cut(told: Mapping[str, Any], limits: Limits) -> str:
    """The limits of a rule that cut what it gave, with their numbers; '' where that was not kept.

    limits: those of the version that decided.
    """
    left = told.get("cut_by", {})
    return listed(
        [
            _("%(points)s points (%(whom)s), of which %(left)s were left")
            % {"points": f"{limit:,}", "whom": whom, "left": f"{left[name]:,}"}
            for name, whom in LIMIT_NAMES.items()
            if name in left and (limit := getattr(limits, name)) is not None
        ]
    )


def listed(words: Sequence[str]) -> str:
    """Words one after the other, as the language parts them."""
    return _joined(words, _("%(first)s, %(second)s"))


def _factor(rule: Rule) -> str:
    words = {"what": f"{rule.factor:f}"}
    by_line = rule.when is not None and names_a_line(rule.when)
    text = (_("points × %(what)s for those lines") if by_line else _("points × %(what)s")) % words
    return _("%(given)s on top of other factors") % {"given": text} if rule.stack else text


def _within(rule: Rule, condition: str, zone: ZoneInfo) -> str:
    words = {
        "condition": condition,
        "start": instant(rule.starts_at, zone),
        "end": instant(rule.ends_at, zone),
    }
    if rule.starts_at and rule.ends_at:
        return _("From %(start)s to before %(end)s, %(condition)s") % words
    if rule.starts_at:
        return _("From %(start)s on, %(condition)s") % words
    return _("Until before %(end)s, %(condition)s") % words if rule.ends_at else condition


# --- a condition ---------------------------------------------------------------------------------------


def of_condition(condition: Condition | None, names: Names = NO_NAMES, zone: ZoneInfo = SHANGHAI) -> str:
    """A condition: `channel is tmall and goods after discounts is at least ¥300`."""
    if condition is None or _says_nothing(condition):
        return _("every order")
    return _words(condition, names, zone)


def _says_nothing(condition: Condition) -> bool:
    """Whether nothing is asked: of a mistake in a document an empty group is left."""
    if isinstance(condition, Check):
        return False
    parts = (condition.part,) if isinstance(condition, Not) else condition.parts
    return all(_says_nothing(part) for part in parts)


def _words(condition: Condition, names: Names, zone: ZoneInfo) -> str:
    if isinstance(condition, Check):
        return check(condition, names, zone)
    if isinstance(condition, Not):
        return _("not (%(condition)s)") % {"condition": _words(condition.part, names, zone)}
    parts = [part for part in condition.parts if not _says_nothing(part)]
    words = [_grouped(part, names, zone, alone=len(parts) == 1) for part in parts]
    joint = _("%(first)s and %(second)s") if isinstance(condition, AllOf) else _("%(first)s or %(second)s")
    return _joined(words, joint)


def _grouped(condition: Condition, names: Names, zone: ZoneInfo, *, alone: bool) -> str:
    """A group inside a group stands in brackets, so that "and" and "or" cannot be misread."""
    words = _words(condition, names, zone)
    if alone or not isinstance(condition, AllOf | AnyOf) or len(condition.parts) < 2:
        return words
    return _("(%(condition)s)") % {"condition": words}


def _joined(words: Sequence[str], joint: str) -> str:
    first, *others = words or [""]
    for second in others:
        first = joint % {"first": first, "second": second}
    return first


def check(asked: Check, names: Names = NO_NAMES, zone: ZoneInfo = SHANGHAI) -> str:
    """One check: `tier is one of gold, diamond`."""
    field, op = asked.field, asked.op
    if field in _OF_FLAGS:
        yes, no = _OF_FLAGS[field]
        return str(yes if (op == "=") is asked.value else no)
    words: dict[str, object] = {"field": FIELD_NAMES[field]}
    if op == "between" and isinstance(asked.value, tuple):
        words["low"], words["high"] = (value(each, field, names, zone) for each in asked.value)
    elif isinstance(asked.value, tuple):
        words["value"] = listed([value(each, field, names, zone) for each in asked.value])
    else:
        words["value"] = value(asked.value, field, names, zone)
    phrases = _OF_SETS if field in _SETS else _OF_TIMES if field == "order.time" else _PHRASES
    return str(phrases[op]) % words


def value(found: object, field: str = "", names: Names = NO_NAMES, zone: ZoneInfo = SHANGHAI) -> str:
    """One value of a field, asked for or found."""
    if found is None or found == "":
        return pgettext("of a fact", "unknown")
    if isinstance(found, bool):
        return str(pgettext_lazy("answer", "yes") if found else pgettext_lazy("answer", "no"))
    if found == THIS_MONTH:
        return _("the month of the order")
    if isinstance(found, frozenset):
        words = [value(each, field, names, zone) for each in sorted(found)]
        return listed(words) if words else _("none")
    if isinstance(found, Decimal):
        return f"¥{found:,f}"
    if isinstance(found, datetime):
        return instant(found, zone)
    if isinstance(found, time):
        return found.isoformat(timespec="auto" if found.second or found.microsecond else "minutes")
    if field == "order.weekday":
        return str(WEEKDAY_NAMES.get(str(found), found))
    return names.get((field, str(found)), str(found))


def instant(at: datetime | None, zone: ZoneInfo = SHANGHAI) -> str:
    """An instant by the programme's clocks, as `2026-11-11 00:00`; '' is none."""
    if at is None:
        return ""
    local = at.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(sep=" ", timespec="auto" if local.second or local.microsecond else "minutes")
