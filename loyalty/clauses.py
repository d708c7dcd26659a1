"""Clauses of the programme, quoted as they stood in the version that decided, and what each made (B14).

Statement, member page, desk and API quote them here. The clauses of an order's points add up to its points.
What they need is read once for a page, and only when something on it quotes them: the versions, and what
channels, stores and tags are called.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from math import floor
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loyalty import (
    comparison,
    conditions,
    grant_terms,
    grant_words,
    publishing,
    referral_terms,
    rule_choices,
    sentences,
)
from loyalty.coupon_words import short
from loyalty.expiry import Expiry
from loyalty.models import ProgrammeVersion
from loyalty.names import called, in_words
from loyalty.prizes import Prize
from loyalty.programme import Programme, Rule
from loyalty.publishing import Held, Programmes
from loyalty.sentences import Names

KINDS: dict[str, str | Promise] = {
    "base": gettext_lazy("Points for each yuan"),
    "tier": gettext_lazy("Tier"),
    "rule": gettext_lazy("Earning rule"),
    "activity": gettext_lazy("Activity"),
    "milestone": gettext_lazy("Milestone"),
    "birthday": gettext_lazy("Birthday treat"),
    "member_day": gettext_lazy("Member day"),
    "referral": gettext_lazy("Referral"),
    "expiry": gettext_lazy("Expiry of points"),
}
_ONCE_PER: dict[str, str | Promise] = {
    "ever": gettext_lazy("%(text)s; once"),
    "year": gettext_lazy("%(text)s; once a year"),
    "month": gettext_lazy("%(text)s; once a month"),
    "order": gettext_lazy("%(text)s; once an order"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause in words. `points`: what it made, None where it made none; `cut_from`: before its limit."""

    kind: str  # a word of KINDS
    code: str
    name: str = ""  # what the code is called in that version; the code itself where it has no name
    version: int | None
    sentence: str
    points: int | None = None
    cut_from: int | None = None
    cut: str = ""  # by which limit, in words

    @property
    def label(self) -> str:
        """What kind of clause it is, in a word or two."""
        return str(KINDS[self.kind])


class Book:
    """The versions of the programme, to be quoted from; one for a page, in the language that is active.

    programmes: the versions, where they have been read already.
    """

    def __init__(self, programmes: Programmes | None = None) -> None:
        self._programmes = programmes
        self._quoted: dict[tuple[int, str], str] = {}  # rules in words, by version and code

    @property
    def programmes(self) -> Programmes:
        """All published versions, read when the first of them is quoted."""
        if self._programmes is None:
            self._programmes = publishing.load_all()
        return self._programmes

    @cached_property
    def _ids(self) -> Mapping[int, int]:
        """The ids of published versions by their numbers."""
        published = ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.PUBLISHED)
        return dict(published.values_list("number", "id"))

    @cached_property
    def _places(self) -> Names:
        return rule_choices.names({})

    def numbered(self, number: int | None) -> Held | None:
        """A published version by its number, as explanations name it; None when there is none."""
        version_id = self._ids.get(number) if number is not None else None
        return self.programmes.held(version_id) if version_id is not None else None

    # --- points of orders -----------------------------------------------------------------------------

    def of_earning(self, why: Mapping[str, Any], version: ProgrammeVersion | None) -> tuple[Clause, ...]:
        """What made the points of an order: the points for each yuan, the tier, and each rule."""
        if "base" not in why:
            return ()
        number = version.number if version else None
        rate = Decimal(why["base_per_yuan"])
        base = floor(Decimal(why["base"]) * rate)
        told = [Clause(kind="base", code="", version=number, sentence=_per_yuan(rate), points=base)]
        coefficient = Decimal(why["coefficient"])
        if coefficient != 1 and version is not None:
            words = {"tier": self._tier_name(why["tier"], version), "what": short(coefficient)}
            told.append(
                Clause(
                    kind="tier",
                    code=why["tier"],
                    name=words["tier"],
                    version=number,
                    sentence=_("%(tier)s: points × %(what)s") % words,
                    points=int(why["plain"]) - base,
                )
            )
        told += [self._of_rule(each, version) for each in why.get("rules", ())]
        return tuple(told)

    def _tier_name(self, code: str, version: ProgrammeVersion) -> str:
        return in_words(self.programmes.by_id(version.pk).tier(code).name)

    def _of_rule(self, told: Mapping[str, Any], version: ProgrammeVersion | None) -> Clause:
        code: str = told["code"]
        rule = _rule_of(self.programmes.by_id(version.pk), code) if version is not None else None
        return Clause(
            kind="rule",
            code=code,
            name=rule.called if rule else called(told),
            version=version.number if version else None,
            sentence=self._rule_in_words(code, version.pk) if version is not None else "",
            points=told["added"],
            cut_from=told.get("cut_from"),
            cut=_cut(told, rule) if rule else "",
        )

    def _rule_in_words(self, code: str, version_id: int) -> str:
        """A rule's sentence; a page quotes the same few rules on most of its lines."""
        if (version_id, code) not in self._quoted:
            programme = self.programmes.by_id(version_id)
            rule = _rule_of(programme, code)
            self._quoted[version_id, code] = self._in_words(rule, programme) if rule else ""
        return self._quoted[version_id, code]

    def _in_words(self, rule: Rule, programme: Programme) -> str:
        asked = {check.field for check in conditions.checks(rule.when)} if rule.when is not None else set()
        names = {**_own_names(programme), **(self._places if asked & rule_choices.PLACES else {})}
        return sentences.of_rule(rule, names, programme.time_zone)

    def of_payment(self, why: Mapping[str, Any], version: ProgrammeVersion | None) -> tuple[Clause, ...]:
        """What points that paid for an order were worth: by the tier of that moment."""
        if version is None:
            return ()
        name = self._tier_name(why["tier"], version)
        words = {"tier": name, "points": why["per_yuan"]}
        sentence = _("%(tier)s: %(points)s points are worth ¥1") % words
        return (Clause(kind="tier", code=why["tier"], name=name, version=version.number, sentence=sentence),)

    # --- what was given -------------------------------------------------------------------------------

    def of_grant(self, why: Mapping[str, Any]) -> tuple[Clause, ...]:
        """What gave something beside points for purchases; nothing for what no clause gave."""
        source, code = str(why.get("source", "")), str(why.get("code", ""))
        held = self.numbered(why.get("version")) if source == "rule" or source in _GIVERS else None
        if held is None:
            return ()
        if source == "rule":
            sentence = self._rule_in_words(code, held.id)
        else:
            sentence = _GIVERS[source](why, held.programme)
        if not sentence:
            return ()
        name = called({**why, "called": why.get("called") or _name_of(source, code, held.programme)})
        return (Clause(kind=source, code=code, name=name, version=held.number, sentence=sentence),)

    # --- expiry ---------------------------------------------------------------------------------------

    def of_expiry(self, earned_at: datetime, expired_at: datetime, version_id: int) -> tuple[Clause, ...]:
        """By which clause points that were earned then ran out when they did; nothing when by none."""
        held = self.programmes.held(version_id)
        programme = held.programme
        tiers = [tier for tier in programme.tiers if tier.benefits.expiry is not None]
        ways: list[tuple[str, Expiry]] = [("", programme.points.expiry)]
        ways += [(tier.code, tier.benefits.expiry) for tier in tiers if tier.benefits.expiry is not None]
        for code, expiry in ways:
            if expiry.expires_at(earned_at, programme.time_zone) == expired_at:
                words = _("Points run out %(when)s") % {"when": comparison.expiry_in_words(expiry)}
                name = in_words(programme.tier(code).name) if code else ""
                return (Clause(kind="expiry", code=code, name=name, version=held.number, sentence=words),)
        return ()


def _per_yuan(rate: Decimal) -> str:
    points = short(rate)
    return ngettext(
        "%(points)s point for each yuan", "%(points)s points for each yuan", 1 if rate == 1 else 2
    ) % {"points": points}


def _rule_of(programme: Programme, code: str) -> Rule | None:
    return next((rule for rule in programme.every_rule if rule.code == code), None)


def _name_of(source: str, code: str, programme: Programme) -> Mapping[str, str]:
    """What a version calls a rule, a milestone or the tier of a birthday treat; {} for what has no name."""
    if source == "rule":
        rule = _rule_of(programme, code)
        return rule.name if rule else {}
    if source == "birthday":
        return programme.tier(code).name
    if source != "milestone":
        return {}
    return next((each.name for each in programme.grants.milestones if each.code == code), {})


def _cut(told: Mapping[str, Any], rule: Rule) -> str:
    """`cut from 300 to 120 by its limit: 500 points (a member and day), of which 120 were left`.

    '' when nothing was cut. Orders of before that was kept name every limit of their rule.
    """
    if "cut_from" not in told:
        return ""
    if known := sentences.limits_that_cut(told, rule.limits):
        return _("cut from %(wanted)s to %(given)s by its limit: %(limits)s") % {
            "wanted": f"{told['cut_from']:,}",
            "given": f"{told['added']:,}",
            "limits": known,
        }
    limits = [
        str(whom) for word, whom in sentences.LIMIT_NAMES.items() if getattr(rule.limits, word) is not None
    ]
    return ngettext(
        "cut from %(wanted)s to %(given)s by its limit (%(limits)s)",
        "cut from %(wanted)s to %(given)s by one of its limits (%(limits)s)",
        len(limits),
    ) % {
        "wanted": f"{told['cut_from']:,}",
        "given": f"{told['added']:,}",
        "limits": sentences.listed(limits),
    }


def _own_names(programme: Programme) -> dict[tuple[str, str], str]:
    """What a version calls its own tiers, coupons and gifts."""
    tiers = [(tier.code, in_words(tier.name)) for tier in programme.tiers]
    named = [("member.tier", tiers), ("tier", tiers)]
    for word, section in (("coupon", "coupons"), ("gift", "rewards")):
        items = programme.rest.get(section) or ()
        named.append((word, [(item["code"], in_words(item.get("name") or {})) for item in items]))
    return {(where, code): name or code for where, items in named for code, name in items}


# --- what gives beside purchases, in words ---------------------------------------------------------------


def _given(prizes: Sequence[Prize], programme: Programme) -> str:
    return sentences.listed([grant_words.prize(each.kind, each.value, programme) for each in prizes])


def _activity(why: Mapping[str, Any], programme: Programme) -> str:
    terms = programme.grants.activity(str(why["code"]))
    if terms is None:
        return ""
    if "rung" in why:
        rung = next((prizes for days, prizes in terms.streak if days == why["rung"]), ())
        words = {"days": why["rung"], "given": _given(rung, programme)}
        return _("%(days)s days in a row: %(given)s") % words
    name = str(grant_words.ACTIVITIES.get(terms.kind, terms.kind))
    text = _("%(activity)s: %(what)s") % {"activity": name, "what": _given(terms.prizes, programme)}
    if terms.per_day is None:
        return text
    return _("%(text)s; at most %(times)s a day") % {"text": text, "times": terms.per_day}


def _milestone(why: Mapping[str, Any], programme: Programme) -> str:
    terms = next((each for each in programme.grants.milestones if each.code == why["code"]), None)
    if terms is None:
        return ""
    asked = sentences.of_condition(terms.when, _own_names(programme), programme.time_zone)
    if terms.consecutive:
        asked = _("%(asked)s, counted in months in a row") % {"asked": asked}
    given = {"condition": asked, "given": _given(terms.prizes, programme)}
    return str(_ONCE_PER[terms.once_per]) % {"text": _("%(condition)s: %(given)s") % given}


def _birthday(why: Mapping[str, Any], programme: Programme) -> str:
    tier = programme.tier(str(why.get("tier", "")))
    own = grant_terms.treat(tier.benefits.birthday)
    if own.prizes:
        words = {"tier": in_words(tier.name), "given": _given(own.prizes, programme)}
        return _("For a birthday in the tier %(tier)s: %(given)s") % words
    return _("For a birthday: %(given)s") % {"given": _given(programme.grants.birthday.prizes, programme)}


def _member_day(_why: Mapping[str, Any], programme: Programme) -> str:
    return _("On member days: %(given)s") % {"given": _given(programme.grants.member_day.prizes, programme)}


def _referral(why: Mapping[str, Any], programme: Programme) -> str:
    terms = referral_terms.of(programme.rest)
    sides = dict(terms.ladder).get(why["rung"]) if "rung" in why else terms.each
    if sides is None:
        return ""
    is_friend = why.get("side") == "friend"
    words = {
        "given": _given(sides.friend if is_friend else sides.referrer, programme),
        "friends": why.get("rung"),
    }
    if is_friend:
        text = _("For who was brought by a member: %(given)s") % words
    elif "rung" in why:
        text = (
            ngettext(
                "For %(friends)s friend who counts: %(given)s",
                "For %(friends)s friends who count: %(given)s",
                why["rung"],
            )
            % words
        )
    else:
        text = _("For each friend who counts: %(given)s") % words
    if "factor" not in why or terms.multiply is None:
        return text
    asked = sentences.of_condition(terms.multiply.when, _own_names(programme), programme.time_zone)
    factor = {"text": text, "factor": short(terms.factor), "asked": asked}
    return _("%(text)s; points × %(factor)s when %(asked)s") % factor


_GIVERS: Mapping[str, Callable[[Mapping[str, Any], Programme], str]] = {
    "activity": _activity,
    "milestone": _milestone,
    "birthday": _birthday,
    "member_day": _member_day,
    "referral": _referral,
}
