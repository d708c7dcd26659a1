"""Two versions of the programme side by side, in words: "Tier silver: spend 3000 → 4000".

What is compared is what the documents mean: `"3000"` and `"3000.00"`, or a default written out, are no
difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from loyalty import conditions, grant_terms, sentences
from loyalty.expiry import Expiry
from loyalty.programme import Programme, Rule
from loyalty.sentences import NO_NAMES, Names
from loyalty.tier_terms import Tier

NOTHING = "–"
LISTED = ("coupons", "rewards", "milestones")

LABELS: dict[str, Promise] = {
    "programme": _("programme"),
    "time_zone": _("time zone"),
    "effective_from": _("effective from"),
    "base_per_yuan": _("points per yuan spent"),
    "pending_days": _("days until points ripen"),
    "expiry": _("expiry"),
    "refund_shortage": _("when refunded points are spent"),
    "reissue_grace_days": _("days of grace for re-issued points"),
    "points_paid_earns": _("what is paid with points earns"),
    "assume_received_after_days": _("days until receipt is assumed"),
    "adjust_limit": _("limit of adjustments by one person"),
    "refund_limit": _("limit of refunds by one person"),
    "adjust_day_factor": _("how often one person may use up a limit in a day"),
    "order": pgettext_lazy("sequence", "order"),
    "name.zh-hans": _("Chinese name"),
    "name.en": _("English name"),
    "qualify.window.months": _("window in months"),
    "qualify.window.calendar": _("window of the calendar"),
    "qualify.window.anniversary": _("window since the anniversary"),
    "qualify.cut": _("chosen anew each"),
    "qualify.mode": _("all or any of what is asked"),
    "qualify.spend": _("spend"),
    "qualify.orders": pgettext_lazy("how many", "orders"),
    "qualify.growth": _("growth value"),
    "qualify.by_invitation": _("by invitation"),
    "qualify.top_percent": _("top per cent"),
    "keep.months": _("lasts for months"),
    "keep.years": _("lasts for calendar years"),
    "keep.anniversaries": _("lasts to the anniversary"),
    "keep.warn_days": _("days of warning"),
    "keep.needs.mode": _("all or any of what keeping asks"),
    "keep.needs.spend": _("spend to keep it"),
    "keep.needs.orders": _("orders to keep it"),
    "keep.needs.growth": _("growth value to keep it"),
    "keep.grace_days": _("days of grace"),
    "keep.down": _("steps down"),
    "keep.on_refund": _("on a refund"),
    "benefits.discount": pgettext_lazy("of a tier", "discount"),
    "benefits.coefficient": _("points coefficient"),
    "benefits.points_per_yuan": _("points for one yuan"),
    "benefits.shipping": _("shipping"),
    "benefits.provinces": _("provinces with free shipping"),
    "benefits.service": _("service"),
    "benefits.badge": _("badge"),
    "benefits.birthday.factor": _("birthday factor"),
    "benefits.birthday.points": _("birthday points"),
    "benefits.birthday.coupon": _("birthday coupon"),
    "benefits.birthday.gift": _("birthday gift"),
    "benefits.expiry": _("expiry of points"),
    "starts_at": _("begins"),
    "ends_at": _("ends"),
    "when": _("condition"),
    "factor": _("factor"),
    "bonus": _("bonus points"),
    "other.coupon": _("coupon"),
    "other.gift": _("gift"),
    "other.tier": _("tier"),
    "exclusive": _("no rule after it"),
    "stack": _("multiplies with others"),
    "limits.per_member": _("points for one member"),
    "limits.per_member_day": _("points for one member in a day"),
    "limits.per_member_month": _("points for one member in a month"),
    "limits.budget": _("budget of points"),
}

# Words that settings of activities and referrals are put together from: `check_in.points`.
_WORDS: dict[str, Promise] = {
    "enrolment": _("enrolment"),
    "first_purchase": _("first purchase"),
    "profile_step": _("step of the profile"),
    "check_in": _("check-in"),
    "streak": _("days in a row"),
    "review": _("review"),
    "points": _("points"),
    "coupon": _("coupon"),
    "gift": _("gift"),
    "tier": _("tier"),
    "counts_after": _("counts after"),
    "each": _("for each friend"),
    "ladder": _("friends in all"),
    "both": _("both"),
    "referrer": _("referrer"),
    "friend": _("friend"),
    "benefits": _("benefits"),
    "extra": _("in the brand's own words"),
    "uses": _("counted benefit"),
    "values": _("worth, yuan a year"),
    "discount": pgettext_lazy("of a tier", "discount"),
    "amount": _("amount"),
    "times": _("times"),
    "per": _("in each"),
    "per_yuan": _("growth value per yuan kept"),
    "spend": _("spend"),
    "orders": pgettext_lazy("how many", "orders"),
    "postage": _("postage"),
    "service": _("service"),
    "weights": _("weight"),
    "shipping": _("shipping"),
    "birthday": _("birthday"),
    "badge": _("badge"),
    "priority": _("priority"),
    "adviser": _("a named adviser"),
    "survey": _("survey"),
    "share": _("sharing"),
    "event": _("event"),
    "member_day": _("member day"),
    "valid_minutes": _("minutes that a quote holds"),
    "saving": _("weight of what a coupon saves"),
    "urgency": _("weight of how soon it ends"),
    "narrowness": _("weight of how few orders it fits"),
    "days": _("days"),
    "weekday": _("day of the week"),
    "factor": _("factor"),
    "steps": _("steps"),
    "per_day": _("most in a day"),
    "code": _("code"),
    "name": _("name"),
    "en": _("in English"),
    "zh-hans": _("in Chinese"),
}

PERIODS: dict[str, Promise] = {
    "day": _("day"),
    "week": _("week"),
    "month": _("month"),
    "quarter": _("quarter"),
    "year": _("year"),
}

# Settings that take one of a few words; a word of the brand's own stands for itself.
CHOICES: dict[str, dict[str, Promise]] = {
    "refund_shortage": {
        "debt": _("becomes a debt"),
        "refuse": _("refuses the refund"),
        "money": _("is withheld in money"),
    },
    "qualify.mode": {"all": _("all"), "any": _("any")},
    "keep.down": {"one": _("one tier"), "to_fit": _("to fit")},
    "keep.on_refund": {"keep": _("stays"), "reassess": _("is judged at once")},
    "qualify.window.calendar": {"year": _("calendar year")},
    "qualify.window.anniversary": {"joined": _("joining")},
    "qualify.cut": PERIODS,
    "keep.needs.mode": {"all": _("all"), "any": _("any")},
    "benefits.shipping": {
        "none": _("none"),
        "regional": _("in some regions"),
        "nationwide": _("nationwide"),
        "free": _("nationwide"),
    },
    "counts_after": {"enrolment": _("enrolment"), "first_purchase": _("first purchase")},
    "benefits.service": {
        "standard": _("standard"),
        "priority": _("priority"),
        "adviser": _("a named adviser"),
    },
}

PLACES: dict[str, Promise] = {
    "": _("Programme"),
    "points": _("Points"),
    "growth": _("Growth value"),
    "tiers": _("Tiers"),
    "benefit_value": _("Value of benefits"),
    "quotes": _("Quotes"),
    "rules": _("Rules"),
    "activities": _("Activities"),
    "coupons": _("Coupons"),
    "rewards": _("Rewards"),
    "referral": _("Referral"),
    "milestones": _("Milestones"),
}

_ITEMS: dict[str, Promise] = {
    "tiers": _("Tier %(code)s"),
    "rules": _("Rule %(code)s"),
    "coupons": _("Coupon %(code)s"),
    "rewards": _("Reward %(code)s"),
    "milestones": _("Milestone %(code)s"),
}

# --- differences -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two versions say differently.

    `path` is (section, code of the item or '', setting); the setting '' is the whole item (a rule itself, of
    others the code), then one of `before` and `after` is None. The values are typed as in Programme.
    """

    section: str
    item: str
    setting: str
    before: Any
    after: Any
    names: Names = field(default_factory=dict, compare=False, repr=False)  # what codes in it are called

    @property
    def path(self) -> str:
        """The place as one word: `tiers.silver.qualify.spend`."""
        return ".".join(word for word in (self.section, self.item, self.setting) if word)

    def place(self) -> str:
        """Where it is, in the reader's language: "Tier silver"."""
        if self.item:
            return str(_ITEMS[self.section]) % {"code": self.names.get((self.section, self.item), self.item)}
        return str(PLACES[self.section])

    def label(self) -> str:
        """What it is, in the reader's language; a word of the brand's own stays as it is."""
        known = LABELS.get(self.setting)
        return str(known) if known else " · ".join(str(_WORDS.get(w, w)) for w in self.setting.split("."))

    def was(self) -> str:
        """The old value in the reader's language."""
        return self._in_words(self.before)

    def now(self) -> str:
        """The new value in the reader's language."""
        if self.path == "effective_from" and self.after is None:
            return str(_("when it is published"))
        return self._in_words(self.after)

    def _in_words(self, value: Any) -> str:
        if self.setting == "order" and isinstance(value, tuple):
            return sentences.listed([self.names.get((self.section, code), code) for code in value])
        return value_in_words(value, self.setting, self.names)

    def sentence(self, language: str) -> str:
        """The whole difference in words."""
        with translation.override(language):
            if not self.setting:
                words = _("%(place)s is new") if self.before is None else _("%(place)s is removed")
                told = words % {"place": self.place()}
                if not isinstance(self.after, Rule):
                    return told
                return _("%(told)s: %(rule)s") % {"told": told, "rule": self.now()}
            return _("%(place)s: %(setting)s %(before)s → %(after)s") % {
                "place": self.place(),
                "setting": self.label(),
                "before": self.was(),
                "after": self.now(),
            }


def differences(old: Programme | None, new: Programme, names: Names = NO_NAMES) -> list[Difference]:
    """What `new` says differently, in the order of the document; without an old one, all that is there."""
    before = _settings(old) if old is not None else {}
    after = _settings(new)
    found = []
    for place in [*after, *(place for place in before if place not in after)]:
        section, item = place
        was, now = before.get(place), after.get(place)
        if item and (was is None or now is None):
            whole = _rule(new if was is None else old, item) if section == "rules" else item
            found.append(
                Difference(
                    section, item, "", None if was is None else whole, None if now is None else whole, names
                )
            )
            continue
        if "order" in (was or {}) and not _reordered((was or {})["order"], (now or {})["order"]):
            continue
        found += [
            Difference(section, item, setting, (was or {}).get(setting), (now or {}).get(setting), names)
            for setting in dict.fromkeys([*(now or {}), *(was or {})])
            if (was or {}).get(setting) != (now or {}).get(setting)
        ]
    return found


def _rule(programme: Programme | None, code: str) -> Rule | None:
    return next((rule for rule in programme.rules if rule.code == code), None) if programme else None


def _reordered(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether those that stayed stand in another order; what came and went is told by itself."""
    return [code for code in before if code in after] != [code for code in after if code in before]


Settings = dict[tuple[str, str], dict[str, Any]]


def _settings(programme: Programme) -> Settings:
    """Every setting of a programme by its place: {(section, item): {setting: value}}."""
    settings: Settings = {
        ("", ""): {
            "programme": programme.code,
            "time_zone": programme.time_zone.key,
            "effective_from": programme.effective_from,
        },
        ("points", ""): dict(_leaves(programme.points)),
        ("growth", ""): dict(_leaves(programme.growth)) if programme.growth else {},
        ("tiers", ""): {"order": tuple(tier.code for tier in programme.tiers)},
    }
    for tier in programme.tiers:
        settings["tiers", tier.code] = _item(tier, without=("code", "rank"))
    settings["benefit_value", ""] = dict(_leaves(programme.valuation))
    settings["quotes", ""] = dict(_leaves(programme.quotes))
    settings["rules", ""] = {"order": tuple(rule.code for rule in programme.rules)}
    for rule in programme.rules:
        settings["rules", rule.code] = _item(rule, without=("code",))
    for section, content in programme.rest.items():
        if section not in LISTED:
            settings[section, ""] = dict(_leaves(content))
            continue
        for item in content:
            settings[section, item["code"]] = _item(item, without=("code",))
    return settings


def _item(item: Tier | Rule | dict[str, Any], *, without: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in _leaves(item) if name not in without}


def _leaves(value: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    """The settings below a value: (`qualify.spend`, 3000). Conditions and expiries are one setting each."""
    if isinstance(value, conditions.Condition | Expiry):
        yield prefix, value
    elif is_dataclass(value):
        for each in fields(value):
            yield from _leaves(getattr(value, each.name), f"{prefix}.{each.name}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, f"{prefix}.{key}".lstrip("."))
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        for each in value:
            yield from _leaves(each, f"{prefix}.{each.code}")
    elif value is not None:
        yield prefix, tuple(value) if isinstance(value, list) and _is_flat(value) else value


def _is_flat(values: list[Any]) -> bool:
    return not any(isinstance(value, dict | list) for value in values)


# --- in words ----------------------------------------------------------------------------------------


def value_in_words(value: Any, setting: str = "", names: Names = NO_NAMES) -> str:
    """A setting's value as people read it, in the language that is active."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return _word(value, setting, names)
    if isinstance(value, bool):
        return str(pgettext_lazy("answer", "yes") if value else pgettext_lazy("answer", "no"))
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, Expiry):
        return expiry_in_words(value)
    if isinstance(value, Rule):
        return sentences.of_rule(value, names)
    if isinstance(value, conditions.Condition):
        return sentences.of_condition(value, names)
    if isinstance(value, tuple):
        return sentences.listed([_word(each, setting, names) for each in value])
    return str(value)


# Whose codes a setting takes, by its last word.
_NAMED = {
    "channel": "order.channel",
    "channels": "order.channel",
    "stores": "order.store",
    "tiers": "member.tier",
    "tier": "tier",
    "coupon": "coupon",
    "gift": "gift",
}


def _word(value: Any, setting: str, names: Names) -> str:
    known = _choices(setting).get(value)
    if known is not None:
        return str(known)
    return names.get((_NAMED.get(setting.rpartition(".")[2], ""), str(value)), str(value))


def _choices(setting: str) -> Mapping[str, Promise]:
    """The words that a setting takes; of a benefit's periods and a profile's steps wherever they stand."""
    last = setting.rpartition(".")[2]
    return {"per": PERIODS, "steps": grant_terms.STEPS}.get(last) or CHOICES.get(setting, {})


def expiry_in_words(expiry: Expiry) -> str:
    """When points run out, in the language that is active."""
    if expiry.never:
        return str(_("never"))
    if expiry.years is not None:
        return _("at the end of the year, %(years)s years on") % {"years": expiry.years}
    rounded = {
        "": (_("after %(count)s months"), _("after %(count)s days")),
        "month_end": (
            _("after %(count)s months, at the end of the month"),
            _("after %(count)s days, at the end of the month"),
        ),
        "year_end": (
            _("after %(count)s months, at the end of the year"),
            _("after %(count)s days, at the end of the year"),
        ),
    }[expiry.round_up_to]
    months, days = rounded
    if expiry.months is not None:
        return str(months) % {"count": expiry.months}
    return str(days) % {"count": expiry.days}
