"""Which rules held for an order, which did not, and why (B5, B14). Pure.

What the test bench shows beside the points. The points themselves come from `loyalty.earning`, as they do
when an order is settled; nothing here decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty import conditions, sentences
from loyalty.conditions import AllOf, AnyOf, Check, Condition, Not, Situation
from loyalty.programme import Programme, Rule
from loyalty.sentences import NO_NAMES, Names

Outcome = Literal["gives", "cut", "used_up", "outbid", "nothing", "not_met", "not_in_time", "shut_out"]
HELD = frozenset({"gives", "cut", "used_up", "outbid", "nothing"})

OUTCOMES: dict[Outcome, Promise] = {
    "gives": gettext_lazy("Holds"),
    "cut": gettext_lazy("Holds, cut by a limit"),
    "used_up": gettext_lazy("Holds, but nothing is left"),
    "outbid": gettext_lazy("Holds, but a greater factor counts"),
    "nothing": gettext_lazy("Holds, but adds no point"),
    "not_met": gettext_lazy("Does not hold"),
    "not_in_time": gettext_lazy("Not at this time"),
    "shut_out": gettext_lazy("Not looked at"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of a condition: whether it came out as wanted (under a "not": that it does not hold)."""

    check: Check
    holds: bool
    found: tuple[object, ...]
    wanted: bool = True

    def in_words(self, names: Names = NO_NAMES, zone: ZoneInfo = conditions.SHANGHAI) -> str:
        """`goods after discounts is at least ¥300 (it was ¥200)`."""
        asked = sentences.check(self.check, names, zone)
        if not self.wanted:
            asked = _("not (%(condition)s)") % {"condition": asked}
        seen = dict.fromkeys(sentences.value(each, self.check.field, names, zone) for each in self.found)
        if conditions.KINDS[self.check.field] == "flag":
            phrase = _("%(asked)s (it was so)") if self.holds else _("%(asked)s (it was not so)")
            return phrase % {"asked": asked}
        if not seen:
            return _("%(asked)s (there were no lines)") % {"asked": asked}
        return _("%(asked)s (it was %(found)s)") % {"asked": asked, "found": sentences.listed(list(seen))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one rule for one order. `added` of `wanted` points were given."""

    rule: Rule
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    told: tuple[Mapping[str, Any], ...] = field(default=())
    shut_out_by: str = ""

    @property
    def held(self) -> bool:
        return self.outcome in HELD

    @property
    def added(self) -> int:
        """The points that it added."""
        return sum(told["added"] for told in self.told)

    @property
    def misses(self) -> tuple[Finding, ...]:
        """The checks that did not hold."""
        return tuple(finding for finding in self.findings if not finding.holds)

    def label(self) -> str:
        """The outcome in the reader's language."""
        return str(OUTCOMES[self.outcome])

    def reasons(self, names: Names = NO_NAMES, zone: ZoneInfo = conditions.SHANGHAI) -> list[str]:
        """Why it came out so; one sentence each."""
        if self.outcome == "shut_out":
            return [_("Rule %(code)s before it lets no other follow.") % {"code": self.shut_out_by}]
        if self.outcome == "not_in_time":
            return [_when(self.rule, zone)]
        if self.outcome == "not_met":
            failed = self.misses or self.findings
            return [finding.in_words(names, zone) for finding in failed]
        given = [sentences.of_told(told) for told in self.told]
        if self.rule.other:
            given.append(sentences.given_things(self.rule, names))
        return given


def judge(programme: Programme, situation: Situation, why: Mapping[str, Any]) -> list[Verdict]:
    """A verdict for every rule, highest priority first; `why` is the explanation of `earning.price`."""
    told: dict[str, list[Mapping[str, Any]]] = {}
    for each in why.get("rules", ()):
        told.setdefault(each["code"], []).append(each)
    verdicts: list[Verdict] = []
    shut_by = ""
    for rule in programme.every_rule:
        verdict = _verdict(rule, situation, programme.time_zone, tuple(told.get(rule.code, ())), shut_by)
        verdicts.append(verdict)
        if verdict.held and rule.exclusive:
            shut_by = rule.called
    return verdicts


def findings(condition: Condition | None, situation: Situation, zone: ZoneInfo) -> tuple[Finding, ...]:
    """Every check of a condition, asked by itself, from left to right."""
    return tuple(_findings(condition, situation, zone, wanted=True)) if condition is not None else ()


def _verdict(
    rule: Rule, situation: Situation, zone: ZoneInfo, told: tuple[Mapping[str, Any], ...], shut_by: str
) -> Verdict:
    if shut_by:
        return Verdict(rule=rule, outcome="shut_out", shut_out_by=shut_by)
    if not rule.holds_at(situation.order_time):
        return Verdict(rule=rule, outcome="not_in_time")
    seen = findings(rule.when, situation, zone)
    if not conditions.compile(rule.when, zone).holds(situation):
        return Verdict(rule=rule, outcome="not_met", findings=seen)
    return Verdict(rule=rule, outcome=_outcome(rule, told), findings=seen, told=told)


def _outcome(rule: Rule, told: tuple[Mapping[str, Any], ...]) -> Outcome:
    added = sum(each["added"] for each in told)
    if any("cut_from" in each for each in told):
        return "cut" if added or rule.other else "used_up"
    if rule.other or added:
        return "gives"
    return "outbid" if rule.factor is not None and rule.factor > 1 else "nothing"


def _findings(condition: Condition, situation: Situation, zone: ZoneInfo, *, wanted: bool) -> list[Finding]:
    if isinstance(condition, Not):
        return _findings(condition.part, situation, zone, wanted=not wanted)
    if isinstance(condition, AllOf | AnyOf):
        return [each for part in condition.parts for each in _findings(part, situation, zone, wanted=wanted)]
    holds = conditions.compile(condition, zone).holds(situation)
    return [Finding(condition, holds is wanted, conditions.found(condition, situation, zone), wanted)]


def _when(rule: Rule, zone: ZoneInfo) -> str:
    words = {
        "start": sentences.instant(rule.starts_at, zone),
        "end": sentences.instant(rule.ends_at, zone),
    }
    if rule.starts_at and rule.ends_at:
        return _("It runs from %(start)s to before %(end)s.") % words
    return _("It runs from %(start)s on.") % words if rule.starts_at else _("It ran until %(end)s.") % words
