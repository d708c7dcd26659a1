"""The programme: how points are earned, what they are worth, who stands in which tier (B1, B2, B5).

A `Programme` is one version, read from its document (docs/programme.md) and never
changed. `parse` refuses a document with every mistake and its path; `document` gives back exactly what was
read. Activities, coupons, rewards, referral and milestones are checked by `loyalty.offers` and kept in
`rest` as plain data.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_lazy as _

from loyalty import benefit_terms, conditions, expiry, grant_terms, offers, quote_terms, tier_terms
from loyalty.benefit_terms import Valuation
from loyalty.conditions import Condition, Matcher
from loyalty.expiry import NEVER, Expiry
from loyalty.grant_terms import GrantTerms
from loyalty.names import in_words, standing
from loyalty.quote_terms import QuoteTerms
from loyalty.reading import Part, Problems, refuse_twice
from loyalty.tier_terms import Growth, Tier

SECTIONS = (
    "programme",
    "time_zone",
    "effective_from",
    "points",
    "growth",
    "tiers",
    "benefit_value",
    "quotes",
    "rules",
    *offers.SECTIONS,
)
MAX_RULES = 500


@dataclass(frozen=True, slots=True)
class PointsPolicy:
    """What holds for all points. Points and days are whole; `base_per_yuan` is points a yuan."""

    base_per_yuan: Decimal = Decimal(1)
    pending_days: int = 0
    expiry: Expiry = NEVER
    refund_shortage: Literal["debt", "refuse", "money"] = "debt"
    reissue_grace_days: int = 30
    points_paid_earns: bool = False
    assume_received_after_days: int = 15
    adjust_limit: int = 1000  # points that one person may give or take by hand
    refund_limit: Decimal = Decimal(1000)  # yuan that one person whose role has a limit may refund
    adjust_day_factor: int = 10  # how often one person may use up a limit within a day


@dataclass(frozen=True, slots=True)
class Limits:
    """How many points a rule may add at most; None is no limit."""

    per_member: int | None = None
    per_member_day: int | None = None
    per_member_month: int | None = None
    budget: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An earning rule. It holds from `starts_at`, before `ends_at`; `other` is coupon, gift and tier."""

    code: str
    starts_at: datetime | None
    ends_at: datetime | None
    when: Condition | None
    factor: Decimal | None
    bonus: int | None
    other: dict[str, str]
    exclusive: bool
    stack: bool
    limits: Limits
    name: dict[str, str] = field(default_factory=dict)  # by language; {}: it goes by its code

    @property
    def called(self) -> str:
        """Its name in the language that is active, or else its code."""
        return in_words(self.name) or standing(self.code) or self.code

    @property
    def gives_points(self) -> bool:
        """Whether it multiplies or adds points; else it gives coupons, gifts or tiers alone."""
        return self.factor is not None or self.bonus is not None

    def holds_at(self, instant: datetime) -> bool:
        """Whether the instant lies in the rule's time: `from <= t < to`."""
        return (self.starts_at is None or self.starts_at <= instant) and (
            self.ends_at is None or instant < self.ends_at
        )


@dataclass(frozen=True, slots=True)
class Programme:
    """One version of the programme. `source` is the document it was read from."""

    code: str
    time_zone: ZoneInfo
    effective_from: datetime | None
    points: PointsPolicy
    tiers: tuple[Tier, ...]
    rules: tuple[Rule, ...]
    rest: dict[str, Any]
    growth: Growth | None = None  # None: there is no growth value
    valuation: Valuation = field(default_factory=Valuation)
    quotes: QuoteTerms = field(default_factory=QuoteTerms)
    source: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    # Factors promised outside of the rules: birthdays and member days. They stand behind all rules.
    standing: tuple[Rule, ...] = field(default=(), compare=False, repr=False)
    # What is given beside points for purchases: `rest`, read once.
    grants: GrantTerms = field(default_factory=GrantTerms, compare=False, repr=False)
    # Every rule with its condition made ready once: each order is asked each of them.
    ready: tuple[tuple[Rule, Matcher], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        ready = tuple((rule, conditions.compile(rule.when, self.time_zone)) for rule in self.every_rule)
        object.__setattr__(self, "ready", ready)

    @property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules, highest priority first, and behind them the factors of birthdays and member days."""
        return self.rules + self.standing

    def tier(self, code: str) -> Tier:
        """The tier of that code; one that this version does not have stands for the lowest."""
        return next((tier for tier in self.tiers if tier.code == code), self.tiers[0])

    def tier_called(self, code: str) -> str:
        """A tier's name in the language that is active ('' is the lowest), or that it is none any more."""
        found = next((tier for tier in self.tiers if tier.code == (code or self.tiers[0].code)), None)
        return in_words(found.name) if found else _("%(code)s (no longer a tier)") % {"code": code}

    def expiry_of(self, tier: Tier) -> Expiry:
        """How points earned in a tier run out: the tier's own word, or the programme's."""
        return self.points.expiry if tier.benefits.expiry is None else tier.benefits.expiry


# --- reading -----------------------------------------------------------------------------------------


def parse(document: Mapping[str, Any]) -> Programme:
    """The programme that a document says.

    Raises ProgrammeInvalid with every mistake, as a list of `{path, message}`.
    """
    problems = Problems()
    source = plain(document)
    part = Part(source, "", problems)
    tiers, rest = tier_terms.read(part), offers.read(part)
    rules = _rules(part)
    _check_tier_names(tiers, rules, problems)
    if not problems.found:
        rules = _settled(rules, rest, problems)
    programme = Programme(
        code=part.code("programme"),
        time_zone=_zone(part),
        effective_from=part.instant("effective_from"),
        points=_points(part.part("points")),
        tiers=tiers,
        rules=() if problems.found else rules,
        rest=rest,
        growth=tier_terms.read_growth(part, tiers),
        valuation=benefit_terms.read_valuation(part),
        quotes=quote_terms.read(part),
        source=part.fields,
        standing=() if problems.found else _standing(tiers, rest),
        grants=GrantTerms() if problems.found else grant_terms.of(rest),
    )
    part.done()
    problems.settle()
    return programme


def sketch(document: Mapping[str, Any]) -> tuple[Rule, list[dict[str, str]]]:
    """A rule as it is being written, and what is wrong with it so far, as `{path, message}`.

    Where something is wrong or missing, the rule is read as if it were not there.
    """
    problems = Problems()
    return _rule(Part(plain(document), "", problems)), problems.found


def document(programme: Programme) -> dict[str, Any]:
    """The document of a programme, exactly as it was read, in the order in which people read it."""
    return {key: copy.deepcopy(programme.source[key]) for key in SECTIONS if key in programme.source}


def plain(value: Any) -> Any:
    """A copy with text for keys, as JSON keeps it: `{7: …}` and `{"7": …}` are the same document."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _zone(part: Part) -> ZoneInfo:
    name = part.text("time_zone", "Asia/Shanghai")
    try:
        return _known_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        part.problem("time_zone", _("There is no such time zone."))
        return ZoneInfo("Asia/Shanghai")


@lru_cache(maxsize=32)
def _known_zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _points(part: Part) -> PointsPolicy:
    policy = PointsPolicy(
        base_per_yuan=part.decimal("base_per_yuan", "1", high="1000", places=4),
        pending_days=part.whole("pending_days", high=365),
        expiry=expiry.read(part) or NEVER,
        refund_shortage=cast(Any, part.choice("refund_shortage", ("debt", "refuse", "money"), "debt")),
        reissue_grace_days=part.whole("reissue_grace_days", 30, high=3650),
        points_paid_earns=part.flag("points_paid_earns"),
        assume_received_after_days=part.whole("assume_received_after_days", 15, high=365),
        adjust_limit=part.whole("adjust_limit", 1000),
        refund_limit=part.decimal("refund_limit", "1000", high="10000000"),
        adjust_day_factor=part.whole("adjust_day_factor", 10, low=1, high=1000),
    )
    part.done()
    return policy


def _rules(programme: Part) -> tuple[Rule, ...]:
    parts = programme.parts("rules")
    if len(parts) > MAX_RULES:
        programme.problem("rules", _("Write at most %(most)s rules.") % {"most": MAX_RULES})
    rules = tuple(_rule(part) for part in parts[:MAX_RULES])
    refuse_twice(parts[:MAX_RULES], [rule.code for rule in rules])
    return rules


def _rule(part: Part) -> Rule:
    starts_at, ends_at = part.instant("from"), part.instant("to")
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        part.problem("to", _("The rule ends before it begins."))
    when, then = part.maybe_part("when"), part.part("then")
    rule = Rule(
        code=part.code("code"),
        starts_at=starts_at,
        ends_at=ends_at,
        when=conditions.read(when) if when is not None else None,
        factor=then.maybe_decimal("factor", high="100", places=4),
        bonus=then.maybe_whole("bonus", low=1, high=1_000_000),
        other={word: then.code(word) for word in ("coupon", "gift", "tier") if then.has(word)},
        exclusive=part.flag("exclusive"),
        stack=part.flag("stack"),
        limits=_limits(part.part("limits")),
        name=part.name("name", required=False),
    )
    then.done()
    if not any(then.has(word) for word in then.fields):
        part.problem("then", _("Say what the rule gives."))
    elif not (then.has("factor") or then.has("bonus")) and rule.limits != Limits():
        part.problem("limits", _("Limits count points, and this rule gives none."))
    part.done()
    return rule


def _settled(rules: tuple[Rule, ...], rest: dict[str, Any], problems: Problems) -> tuple[Rule, ...]:
    """The rules with the programme's own member days in place of the word for them."""
    member_day = grant_terms.on_member_day(rest)
    found = []
    for position, rule in enumerate(rules):
        asked = {check.field for check in conditions.checks(rule.when)} if rule.when is not None else set()
        if "order.is_member_day" in asked and member_day is None:
            problems.add(f"rules[{position}].when", _("The programme has no member day."))
        if rule.when is None or not asked & conditions.PROMISED.keys():
            found.append(rule)
        else:
            found.append(replace(rule, when=conditions.settled(rule.when, member_day)))
    return tuple(found)


def _standing(tiers: tuple[Tier, ...], rest: dict[str, Any]) -> tuple[Rule, ...]:
    """The factors of birthdays and member days, as rules that nobody wrote (B11)."""
    promised = grant_terms.standing_rules([(tier.code, tier.benefits.birthday) for tier in tiers], rest)
    return tuple(
        Rule(
            code=each.code,
            starts_at=None,
            ends_at=None,
            when=each.when,
            factor=each.factor,
            bonus=None,
            other={},
            exclusive=False,
            stack=False,
            limits=Limits(),
        )
        for each in promised
    )


def _limits(part: Part) -> Limits:
    limits = Limits(
        per_member=part.maybe_whole("per_member"),
        per_member_day=part.maybe_whole("per_member_day"),
        per_member_month=part.maybe_whole("per_member_month"),
        budget=part.maybe_whole("budget"),
    )
    part.done()
    return limits


def _check_tier_names(tiers: Sequence[Tier], rules: Sequence[Rule], problems: Problems) -> None:
    """A rule for a tier that does not exist would never hold, and nobody would notice."""
    known = {tier.code for tier in tiers}
    for position, rule in enumerate(rules):
        if rule.other.get("tier") and rule.other["tier"] not in known:
            problems.add(f"rules[{position}].then.tier", _("There is no such tier."))
        for check in conditions.checks(rule.when) if rule.when is not None else ():
            named = check.value if isinstance(check.value, tuple) else (check.value,)
            if check.field == "member.tier" and not known.issuperset(named):
                problems.add(f"rules[{position}].when", _("There is no such tier."))
