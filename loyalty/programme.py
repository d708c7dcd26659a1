"""The programme: how points are earned, what they are worth, who stands in which tier (B1, B2, B5).

A `Programme` is one version, read from its document (interface.md, *The programme as a file*) and never
changed. `parse` refuses a document with every mistake and its path; `document` gives back exactly what was
read. Activities, coupons, rewards, referral and milestones are checked by `loyalty.offers` and kept in
`rest` as plain data.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext_lazy as _

from loyalty import conditions, offers
from loyalty.calendar import add_months, end_of
from loyalty.conditions import Condition
from loyalty.reading import Part, Problems, refuse_twice

CENT = Decimal("0.01")
SECTIONS = ("programme", "time_zone", "effective_from", "points", "tiers", "rules", *offers.SECTIONS)
MAX_TIERS = 20
MAX_RULES = 500


@dataclass(frozen=True, slots=True)
class Expiry:
    """When points run out. All None: never.

    After `months` or `days`, optionally rounded up to the end of that month or year; or, with `years`, at
    the end of the year so many years after the year of earning (0: the year of earning itself).
    """

    months: int | None = None
    days: int | None = None
    years: int | None = None
    round_up_to: Literal["", "month_end", "year_end"] = ""

    @property
    def never(self) -> bool:
        return self.months is None and self.days is None and self.years is None

    def expires_at(self, earned_at: datetime, zone: ZoneInfo) -> datetime | None:
        """The local midnight at which points earned at `earned_at` are worth nothing; None is never.

        The last day is a whole day: twelve months from 15 March last through 15 March, and end at the
        midnight that begins the 16th. 31 January and one month is the end of February.
        """
        return _end(self, earned_at.astimezone(zone).date(), zone)

    def last_day(self, earned_on: date) -> date | None:
        """The last day on which points earned on a day can be spent."""
        if self.never:
            return None
        if self.years is not None:
            return date(earned_on.year + self.years, 12, 31)
        last = earned_on + timedelta(days=self.days or 0)
        if self.months is not None:
            last = add_months(earned_on, self.months)
        if self.round_up_to == "year_end":
            return date(last.year, 12, 31)
        if self.round_up_to == "month_end":
            return add_months(last.replace(day=1), 1) - timedelta(days=1)
        return last


@lru_cache(maxsize=4096)
def _end(expiry: Expiry, earned_on: date, zone: ZoneInfo) -> datetime | None:
    # A batch's orders were mostly bought on a few days: their ends are found once.
    last = expiry.last_day(earned_on)
    return None if last is None else end_of(last, zone)


NEVER = Expiry()


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
    adjust_limit: int = 1000


@dataclass(frozen=True, slots=True)
class Qualify:
    """What a tier asks for within its window. Spend in yuan, growth in growth value."""

    window_months: int = 12
    mode: Literal["all", "any"] = "all"
    spend: Decimal | None = None
    orders: int | None = None
    growth: int | None = None
    by_invitation: bool = False
    top_percent: Decimal | None = None

    def met(self, spend: Decimal, orders: int, growth: int = 0) -> bool:
        """Whether the figures of a window meet what is asked; invitations and cuts are never met so."""
        if self.by_invitation or self.top_percent is not None:
            return False
        answers = [
            have >= asked
            for have, asked in ((spend, self.spend), (orders, self.orders), (growth, self.growth))
            if asked is not None
        ]
        return bool(answers) and (all(answers) if self.mode == "all" else any(answers))


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a tier lasts, and how it is lost."""

    months: int = 12
    grace_days: int = 0
    down: Literal["one", "to_fit"] = "one"
    on_refund: Literal["keep", "reassess"] = "keep"


@dataclass(frozen=True, slots=True)
class Benefits:
    """What a tier gives. `discount` is the share that is paid (0.95); `extra` is in the brand's words."""

    discount: Decimal = Decimal(1)
    coefficient: Decimal = Decimal(1)
    points_per_yuan: int = 100
    shipping: str = "none"
    service: str = "standard"
    birthday: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    expiry: Expiry | None = None  # None: as the programme says

    def worth(self, points: int) -> Decimal:
        """What points are worth at checkout, in yuan, rounded down to the cent."""
        return (Decimal(points) / self.points_per_yuan).quantize(CENT, ROUND_DOWN)


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the ladder; rank 0 is the lowest, where everybody begins."""

    code: str
    name: dict[str, str]
    rank: int
    qualify: Qualify | None
    keep: Keep | None
    benefits: Benefits


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
    source: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def tier(self, code: str) -> Tier:
        """The tier of that code; one that this version does not have stands for the lowest."""
        return next((tier for tier in self.tiers if tier.code == code), self.tiers[0])

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
    programme = Programme(
        code=part.code("programme"),
        time_zone=_zone(part),
        effective_from=part.instant("effective_from"),
        points=_points(part.part("points")),
        tiers=_tiers(part),
        rules=_rules(part),
        rest=offers.read(part),
        source=part.fields,
    )
    part.done()
    _check_tier_names(programme, problems)
    problems.settle()
    return programme


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
        expiry=_expiry(part) or NEVER,
        refund_shortage=cast(Any, part.choice("refund_shortage", ("debt", "refuse", "money"), "debt")),
        reissue_grace_days=part.whole("reissue_grace_days", 30, high=3650),
        points_paid_earns=part.flag("points_paid_earns"),
        assume_received_after_days=part.whole("assume_received_after_days", 15, high=365),
        adjust_limit=part.whole("adjust_limit", 1000),
    )
    part.done()
    return policy


def _expiry(parent: Part) -> Expiry | None:
    """`never`, `{after: {months: n}, round_up_to: month_end}` or `{at: year_end, years: n}`."""
    value = parent.raw("expiry")
    if value is None or value == "never":
        return None if value is None else NEVER
    part = parent.part("expiry")
    if part.has("after") == part.has("at"):
        part.problem("", _("Write never, after or at."))
        return NEVER
    expiry = _expiry_at(part) if part.has("at") else _expiry_after(part)
    part.done()
    return expiry


def _expiry_at(part: Part) -> Expiry:
    part.choice("at", ("year_end",))
    return Expiry(years=part.whole("years", 1, high=100))


def _expiry_after(part: Part) -> Expiry:
    after = part.part("after")
    months = after.maybe_whole("months", low=1, high=1200)
    days = after.maybe_whole("days", low=1, high=36500)
    after.done()
    if after.has("months") == after.has("days"):
        after.problem("", _("Write months or days."))
    rounding = part.choice("round_up_to", ("month_end", "year_end"))
    return Expiry(months=months, days=days, round_up_to=cast(Any, rounding))


def _tiers(programme: Part) -> tuple[Tier, ...]:
    parts = programme.parts("tiers")
    if not 1 <= len(parts) <= MAX_TIERS:
        programme.problem("tiers", _("Write 1 to %(most)s tiers, the lowest first.") % {"most": MAX_TIERS})
    tiers = tuple(_tier(part, rank) for rank, part in enumerate(parts[:MAX_TIERS]))
    refuse_twice(parts[:MAX_TIERS], [tier.code for tier in tiers])
    for lower, higher, part in zip(tiers, tiers[1:], parts[1:], strict=False):
        _check_ascent(lower, higher, part)
    return tiers


def _tier(part: Part, rank: int) -> Tier:
    qualify, keep = part.maybe_part("qualify"), part.maybe_part("keep")
    if rank == 0 and qualify is not None:
        part.problem("qualify", _("The lowest tier is everybody's: it asks for nothing."))
    if rank == 0 and keep is not None:
        part.problem("keep", _("The lowest tier cannot be lost."))
    if rank > 0 and qualify is None:
        part.problem("qualify", _("This is missing."))
    tier = Tier(
        code=part.code("code"),
        name=part.name("name"),
        rank=rank,
        qualify=_qualify(qualify) if qualify is not None else None,
        keep=_keep(keep) if keep is not None else None,
        benefits=_benefits(part.part("benefits")),
    )
    part.done()
    return tier


def _qualify(part: Part) -> Qualify:
    window = part.part("window")
    months = window.whole("months", 12, low=1, high=120)
    window.done()
    if part.has("all") and part.has("any"):
        part.problem("", _("Write all or any, not both."))
    mode: Literal["all", "any"] = "any" if part.has("any") else "all"
    asked = part.part(mode)
    growth_here, growth_inside = part.maybe_whole("growth", low=1), asked.maybe_whole("growth", low=1)
    if part.has("growth") and asked.fields:
        part.problem("growth", _("Write growth beside spend and orders."))
    qualify = Qualify(
        window_months=months,
        mode=mode,
        spend=asked.maybe_decimal("spend", low="0.01"),
        orders=asked.maybe_whole("orders", low=1),
        growth=growth_inside if growth_inside is not None else growth_here,
        by_invitation=part.flag("by_invitation"),
        top_percent=_percent(part),
    )
    asked.done()
    part.done()
    if not (asked.fields or part.has("growth") or qualify.by_invitation or part.has("top_percent")):
        part.problem("", _("Say what the tier asks for."))
    return qualify


def _percent(part: Part) -> Decimal | None:
    """A share of members: a whole number of per cent, or a decimal as text."""
    value = part.raw("top_percent")
    if isinstance(value, int) and not isinstance(value, bool):
        part.fields["top_percent"] = str(value)
    return part.maybe_decimal("top_percent", low="0.01", high="100")


def _keep(part: Part) -> Keep:
    keep = Keep(
        months=part.whole("months", 12, low=1, high=120),
        grace_days=part.whole("grace_days", high=366),
        down=cast(Any, part.choice("down", ("one", "to_fit"), "one")),
        on_refund=cast(Any, part.choice("on_refund", ("keep", "reassess"), "keep")),
    )
    part.done()
    return keep


def _benefits(part: Part) -> Benefits:
    benefits = Benefits(
        discount=part.decimal("discount", "1", low="0.01", high="1", places=4),
        coefficient=part.decimal("coefficient", "1", high="100", places=4),
        points_per_yuan=part.whole("points_per_yuan", 100, low=1, high=1_000_000),
        shipping=part.text("shipping", "none"),
        service=part.text("service", "standard"),
        birthday=offers.birthday(part),
        extra=offers.free_form(part, "extra"),
        expiry=_expiry(part),
    )
    part.done()
    return benefits


def _check_ascent(lower: Tier, higher: Tier, part: Part) -> None:
    """The lowest tier comes first: a tier that asks less than the one below it would never be left."""
    below, above = lower.qualify, higher.qualify
    if below is None or above is None:
        return
    if (below.window_months, below.mode) != (above.window_months, above.mode):
        return
    for name in ("spend", "orders", "growth"):
        less, more = getattr(below, name), getattr(above, name)
        if less is not None and more is not None and more < less:
            part.problem("qualify", _("This tier asks less than the tier below it."))
            return


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
    )
    then.done()
    if not then.fields:
        part.problem("then", _("Say what the rule gives."))
    part.done()
    return rule


def _limits(part: Part) -> Limits:
    limits = Limits(
        per_member=part.maybe_whole("per_member"),
        per_member_day=part.maybe_whole("per_member_day"),
        per_member_month=part.maybe_whole("per_member_month"),
        budget=part.maybe_whole("budget"),
    )
    part.done()
    return limits


def _check_tier_names(programme: Programme, problems: Problems) -> None:
    """A rule for a tier that does not exist would never hold, and nobody would notice."""
    known = {tier.code for tier in programme.tiers}
    for position, rule in enumerate(programme.rules):
        if rule.other.get("tier") and rule.other["tier"] not in known:
            problems.add(f"rules[{position}].then.tier", _("There is no such tier."))
        for check in conditions.checks(rule.when) if rule.when is not None else ():
            named = check.value if isinstance(check.value, tuple) else (check.value,)
            if check.field == "member.tier" and not known.issuperset(named):
                problems.add(f"rules[{position}].when", _("There is no such tier."))
