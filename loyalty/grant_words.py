"""Grants in words: what was given, for what, and why or why not, with the numbers filled in (B14).

Coupons, rewards and tiers are called as the programme version called them by which they were given.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty import conditions, coupon_words, grant_terms, reward_words, sentences
from loyalty.card import in_words
from loyalty.models import Grant
from loyalty.names import called
from loyalty.programme import Programme
from loyalty.reading import Part, Problems

# Why nothing was given: beside what coupons say.
REFUSALS: dict[str, str | Promise] = {
    **coupon_words.REASONS,
    "too_late": gettext_lazy("We heard of it too late."),
    "no_such_reward": gettext_lazy("The programme has no such reward."),
    "not_a_gift": gettext_lazy("This reward is a coupon, and is given as one."),
    "no_such_tier": gettext_lazy("The programme has no such tier."),
    "day_limit": gettext_lazy("The day's limit had been reached."),
}
ACTIVITIES: dict[str, str | Promise] = {
    "enrolment": gettext_lazy("Joining gift"),
    "first_purchase": gettext_lazy("First purchase"),
    "profile_step": gettext_lazy("Profile step"),
    "check_in": gettext_lazy("Check-in"),
    "review": gettext_lazy("Review"),
    "survey": gettext_lazy("Survey"),
    "share": gettext_lazy("Share"),
    "event": gettext_lazy("Event"),
}


def prize(kind: str, value: str, programme: Programme | None = None) -> str:
    """What was given: `50 points`, `Coupon Welcome`, `Gift Tote bag`."""
    if kind == Grant.Prize.POINTS:
        return _("%(points)s points") % {"points": value}
    if kind == Grant.Prize.GROWTH:
        return _("%(growth)s growth value") % {"growth": value}
    name = _name(kind, value, programme) if programme is not None else value
    phrase = {
        Grant.Prize.COUPON: _("Coupon %(name)s"),
        Grant.Prize.GIFT: _("Gift %(name)s"),
        Grant.Prize.TIER: _("Tier %(name)s"),
    }[Grant.Prize(kind)]
    return phrase % {"name": name}


def _name(kind: str, code: str, programme: Programme) -> str:
    if kind == Grant.Prize.TIER:
        return programme.tier_called(code)
    section = "coupons" if kind == Grant.Prize.COUPON else "rewards"
    named: Sequence[Mapping[str, Any]] = programme.rest.get(section) or ()
    return next((in_words(item["name"]) for item in named if item["code"] == code), code)


def refusal(code: str) -> str:
    """Why nothing was given."""
    return str(REFUSALS.get(code, code))


def source_name(why: Mapping[str, Any]) -> str:
    """What the rule, milestone or activity behind something given is called; its code without a name."""
    if why.get("source") == Grant.Source.ACTIVITY:
        return str(ACTIVITIES.get(str(why.get("code", "")), "")) or called(why)
    return called(why)


def sentence(why: Mapping[str, Any]) -> str:
    """For what something was given, in the language that is active; '' for what explains nothing."""
    if "source" not in why and "reward" in why:
        return reward_words.sentence(why)  # a coupon that was claimed as a reward
    words = _WORDS.get(str(why.get("source", "")))
    if words is None:
        return ""
    text = words(why)
    if why.get("undone"):
        text = _("%(reason)s; the order came to nothing") % {"reason": text}
    return text


def _activity(why: Mapping[str, Any]) -> str:
    code = str(why["code"])
    name = str(ACTIVITIES.get(code, code))
    if "rung" in why:
        return _("%(days)s days in a row") % {"days": why["rung"]}
    if "streak" in why:
        return _("%(activity)s, day %(streak)s in a row") % {"activity": name, "streak": why["streak"]}
    if "step" in why:
        step = str(grant_terms.STEPS.get(str(why["step"]), why["step"]))
        return _("%(activity)s: %(what)s") % {"activity": name, "what": step}
    if "order" in why or "order_no" in why:
        number = why.get("order") or why.get("order_no")
        if "product" in why:
            return _("%(activity)s of %(product)s, order %(number)s") % {
                "activity": name,
                "product": why["product"],
                "number": number,
            }
        return _("%(activity)s, order %(number)s") % {"activity": name, "number": number}
    if code in ("survey", "event") and code in why:
        return _("%(activity)s: %(what)s") % {"activity": name, "what": why[code]}
    return name


def _rule(why: Mapping[str, Any]) -> str:
    text = _("Rule %(code)s") % {"code": called(why)}
    return _with_conditions(text, why)


def _milestone(why: Mapping[str, Any]) -> str:
    text = _("Milestone %(code)s") % {"code": called(why)}
    return _with_conditions(text, why)


def _with_conditions(text: str, why: Mapping[str, Any]) -> str:
    """`Milestone twelve: repurchases in a year is at least 12 (it was 12)`."""
    if not why.get("when"):
        return text
    condition = conditions.read(Part(why["when"], "", Problems()))
    asked = sentences.of_condition(condition)
    facts = why.get("facts") or {}
    # Of what is so or not so, the condition that was met says it already.
    found = [
        f"¥{fact}" if conditions.FIELDS.get(name) == "money" else str(fact)
        for name, fact in facts.items()
        if fact not in ("True", "False")
    ]
    was = ", ".join(found)
    if not was:
        return _("%(text)s: %(asked)s") % {"text": text, "asked": asked}
    if why.get("consecutive"):
        return _("%(text)s: %(asked)s, counted in months in a row (it was %(was)s)") % {
            "text": text,
            "asked": asked,
            "was": was,
        }
    return _("%(text)s: %(asked)s (it was %(was)s)") % {"text": text, "asked": asked, "was": was}


def _birthday(why: Mapping[str, Any]) -> str:
    return _("Birthday treat of %(year)s, tier %(tier)s") % {
        "year": why.get("year", ""),
        "tier": called(why) or why.get("tier", ""),
    }


def _member_day(why: Mapping[str, Any]) -> str:
    return _("Member day %(day)s") % {"day": why.get("day", "")}


def _referral(why: Mapping[str, Any]) -> str:
    if why.get("side") == "friend":
        return _("Brought by a member")
    if "rung" in why:
        numbers = {"friends": why["friends"], "rung": why["rung"]}
        text = (
            ngettext(
                "%(friends)s friend counts, rung %(rung)s",
                "%(friends)s friends count, rung %(rung)s",
                numbers["friends"],
            )
            % numbers
        )
    else:
        text = _("Friend no. %(friends)s counts") % {"friends": why.get("friends", "")}
    if "factor" in why:
        numbers = {"text": text, "base": why["base"], "factor": why["factor"], "points": why["value"]}
        text = _("%(text)s: %(base)s × %(factor)s = %(points)s") % numbers
    return _with_conditions(text, why)


_WORDS = {
    "activity": _activity,
    "rule": _rule,
    "milestone": _milestone,
    "birthday": _birthday,
    "member_day": _member_day,
    "referral": _referral,
}
