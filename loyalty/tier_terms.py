"""What a tier asks and how it is kept, as the programme says it (B1). Pure.

A window says which purchases count for a judgement: the months before it, the calendar year, or the year
since the anniversary of joining. docs/programme.md says what each setting means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from loyalty import benefit_terms
from loyalty.benefit_terms import Benefits
from loyalty.calendar import anniversary, end_of, midnight, months_after, months_before
from loyalty.reading import Part, refuse_twice

MAX_TIERS = 20
MOMENT = timedelta(microseconds=1)
CUTS = ("day", "month", "quarter", "year")


@dataclass(frozen=True, slots=True)
class Window:
    """Which purchases count: those of so many `months`, of the calendar year, or since the anniversary."""

    months: int | None = 12
    calendar: Literal["year"] | None = None
    anniversary: Literal["joined"] | None = None

    def start(
        self, at: datetime, zone: ZoneInfo, *, joined_at: datetime | None, end: datetime | None = None
    ) -> datetime:
        """From when on purchases count for a judgement at `at`; of rolling windows the start itself does not.

        end: the end of the period that is judged, when that lies before `at` (a grace). A calendar year or a
        member's year that has ended is judged whole, with what was bought in the grace; a rolling window
        ends with the judgement. Who never joined has calendar years for a member's.
        """
        if self.months is not None:
            return months_before(at, self.months, zone)
        day = ((end or at + MOMENT) - MOMENT).astimezone(zone).date()
        if self.calendar or joined_at is None:
            return midnight(date(day.year, 1, 1), zone) - MOMENT
        return midnight(_anniversary_before(day, joined_at, zone), zone) - MOMENT


def _anniversary_before(day: date, joined_at: datetime, zone: ZoneInfo) -> date:
    joined = joined_at.astimezone(zone).date()
    this_year = anniversary(joined, day.year)
    return this_year if this_year <= day else anniversary(joined, day.year - 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Figures that a window must hold: all of them, or any. Spend in yuan, growth in growth value."""

    mode: Literal["all", "any"] = "all"
    spend: Decimal | None = None
    orders: int | None = None
    growth: int | None = None

    def reached(self, spend: Decimal, orders: int, growth: int = 0) -> bool:
        """Whether the figures meet what is asked; what asks for nothing is never met."""
        answers = [
            have >= asked
            for have, asked in ((spend, self.spend), (orders, self.orders), (growth, self.growth))
            if asked is not None
        ]
        return bool(answers) and (all(answers) if self.mode == "all" else any(answers))


@dataclass(frozen=True, slots=True)
class Qualify(Asked):
    """What a tier asks for within its window, or how else one comes to it.

    top_percent: the tier is held by so many per cent of those who bought within the window, chosen at the
    beginning of each `cut`; what is asked beside it is the least that counts.
    """

    window: Window = Window()
    by_invitation: bool = False
    top_percent: Decimal | None = None
    cut: Literal["day", "month", "quarter", "year"] = "month"

    @property
    def is_bought(self) -> bool:
        """Whether purchases lead to the tier; to others one is invited, or chosen."""
        return not self.by_invitation and self.top_percent is None

    def met(self, spend: Decimal, orders: int, growth: int = 0) -> bool:
        """Whether the figures of a window lead to the tier; invitations and cuts are never met so."""
        return self.is_bought and self.reached(spend, orders, growth)

    def cut_at(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The period of the cut that `at` lies in: when it began, and when the next one begins."""
        day = at.astimezone(zone).date()
        if self.cut == "day":
            return midnight(day, zone), end_of(day, zone)
        months = {"month": 1, "quarter": 3, "year": 12}[self.cut]
        first = date(day.year, day.month - (day.month - 1) % months, 1)
        year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
        return midnight(first, zone), midnight(date(year, month + 1, 1), zone)


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a tier lasts, and how it is lost.

    It lasts `months` after it was reached; or to the end of the `years`-th calendar year, or to the
    `anniversaries`-th anniversary of joining, after that. needs: what keeping asks, where that is not what
    reaching asks. warn_days: so long before its end a member who would lose it is warned; 0 is never.
    """

    months: int | None = 12
    years: int | None = None
    anniversaries: int | None = None
    grace_days: int = 0
    warn_days: int = 0
    down: Literal["one", "to_fit"] = "one"
    on_refund: Literal["keep", "reassess"] = "keep"
    needs: Asked | None = None

    def until(self, reached_at: datetime, zone: ZoneInfo, *, joined_at: datetime | None) -> datetime:
        """When a tier that was reached (or renewed) at an instant ends: the midnight after its last day."""
        if self.years is not None:
            return midnight(date(reached_at.astimezone(zone).year + self.years + 1, 1, 1), zone)
        if self.anniversaries is not None:
            joined_at = joined_at or reached_at
            day = _anniversary_before(reached_at.astimezone(zone).date(), joined_at, zone)
            joined = joined_at.astimezone(zone).date()
            return midnight(anniversary(joined, day.year + self.anniversaries), zone)
        return months_after(reached_at, self.months or 12, zone)

    def renewed(self, until: datetime, zone: ZoneInfo, *, joined_at: datetime | None) -> datetime:
        """When the period after the one that ended at `until` ends: so many whole years or months later."""
        if self.years is not None:
            return midnight(date(until.astimezone(zone).year + max(1, self.years), 1, 1), zone)
        if self.anniversaries is not None:
            return self.until(until, zone, joined_at=joined_at)
        return months_after(until, self.months or 12, zone)


@dataclass(frozen=True, slots=True)
class Growth:
    """How growth value comes about: so much for each yuan of an order that is kept."""

    per_yuan: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the ladder; rank 0 is the lowest, where everybody begins."""

    code: str
    name: dict[str, str]
    rank: int
    qualify: Qualify | None
    keep: Keep | None
    benefits: Benefits

    @property
    def is_bought(self) -> bool:
        """Whether everybody is in it, or purchases lead to it."""
        return self.qualify is None or self.qualify.is_bought

    @property
    def counts_from_joining(self) -> bool:
        """Whether its window, or its end, goes by the day the member joined."""
        by_window = self.qualify is not None and self.qualify.window.anniversary is not None
        return by_window or (self.keep is not None and self.keep.anniversaries is not None)


# --- reading -----------------------------------------------------------------------------------------


def read(programme: Part) -> tuple[Tier, ...]:
    """The tiers of a document, the lowest first; mistakes are noted on the part."""
    parts = programme.parts("tiers")
    if not 1 <= len(parts) <= MAX_TIERS:
        programme.problem("tiers", _("Write 1 to %(most)s tiers, the lowest first.") % {"most": MAX_TIERS})
    tiers = tuple(_tier(part, rank) for rank, part in enumerate(parts[:MAX_TIERS]))
    refuse_twice(parts[:MAX_TIERS], [tier.code for tier in tiers])
    for lower, higher, part in zip(tiers, tiers[1:], parts[1:], strict=False):
        _check_ascent(lower, higher, part)
    return tiers


def read_growth(programme: Part, tiers: tuple[Tier, ...]) -> Growth | None:
    """The section `growth`; without one there is growth value only where a tier asks for it."""
    if not programme.has("growth"):
        programme.raw("growth")
        return Growth() if any(_asks_growth(tier) for tier in tiers) else None
    part = programme.part("growth")
    growth = Growth(per_yuan=part.decimal("per_yuan", "1", high="1000", places=4))
    part.done()
    return growth


def _asks_growth(tier: Tier) -> bool:
    needs = tier.keep.needs if tier.keep else None
    return any(asked is not None and asked.growth is not None for asked in (tier.qualify, needs))


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
        benefits=benefit_terms.read(part.part("benefits")),
    )
    part.done()
    return tier


def _qualify(part: Part) -> Qualify:
    window = _window(part.part("window"))
    if part.has("all") and part.has("any"):
        part.problem("", _("Write all or any, not both."))
    mode: Literal["all", "any"] = "any" if part.has("any") else "all"
    asked = part.part(mode)
    figures = _figures(asked)
    growth_here = part.maybe_whole("growth", low=1)
    if part.has("growth") and asked.fields:
        part.problem("growth", _("Write growth beside spend and orders."))
    qualify = Qualify(
        window=window,
        mode=mode,
        spend=figures.spend,
        orders=figures.orders,
        growth=figures.growth if figures.growth is not None else growth_here,
        by_invitation=part.flag("by_invitation"),
        top_percent=_percent(part),
        cut=cast(Any, part.choice("cut", CUTS, "month")),
    )
    part.done()
    if qualify.by_invitation and qualify.top_percent is not None:
        part.problem("top_percent", _("A tier is for the invited or for the top, not both."))
    if qualify.top_percent is not None and (window.anniversary or qualify.growth is not None):
        part.problem("top_percent", _("The top is chosen by spend and orders in one window for all."))
    if part.has("cut") and qualify.top_percent is None:
        part.problem("cut", _("Only a tier of the top has cuts."))
    if not (asked.fields or part.has("growth") or qualify.by_invitation or part.has("top_percent")):
        part.problem("", _("Say what the tier asks for."))
    return qualify


def _window(part: Part) -> Window:
    """`{months: n}`, `{calendar: year}` or `{anniversary: joined}`."""
    calendar = part.choice("calendar", ("year",))
    joined = part.choice("anniversary", ("joined",))
    months = part.maybe_whole("months", low=1, high=120)
    part.done()
    if sum(part.has(word) for word in ("months", "calendar", "anniversary")) > 1:
        part.problem("", _("Write months, calendar or anniversary."))
    if calendar:
        return Window(months=None, calendar="year")
    if joined:
        return Window(months=None, anniversary="joined")
    return Window(months=months or 12)


def _figures(part: Part, mode: Literal["all", "any"] = "all") -> Asked:
    asked = Asked(
        mode=mode,
        spend=part.maybe_decimal("spend", low="0.01"),
        orders=part.maybe_whole("orders", low=1),
        growth=part.maybe_whole("growth", low=1),
    )
    part.done()
    return asked


def _percent(part: Part) -> Decimal | None:
    """A share of members: a whole number of per cent, or a decimal as text."""
    value = part.raw("top_percent")
    if isinstance(value, int) and not isinstance(value, bool):
        part.fields["top_percent"] = str(value)
    return part.maybe_decimal("top_percent", low="0.01", high="100")


def _keep(part: Part) -> Keep:
    lengths: Mapping[str, int | None] = {
        "months": part.maybe_whole("months", low=1, high=120),
        "years": part.maybe_whole("years", low=0, high=10),
        "anniversaries": part.maybe_whole("anniversaries", low=1, high=10),
    }
    said = [word for word in lengths if part.has(word)]
    if len(said) > 1:
        part.problem("", _("Write months, years or anniversaries."))
    keep = Keep(
        months=lengths["months"] if said else 12,
        years=lengths["years"],
        anniversaries=lengths["anniversaries"],
        grace_days=part.whole("grace_days", high=366),
        warn_days=part.whole("warn_days", high=366),
        down=cast(Any, part.choice("down", ("one", "to_fit"), "one")),
        on_refund=cast(Any, part.choice("on_refund", ("keep", "reassess"), "keep")),
        needs=_needs(part),
    )
    part.done()
    return keep


def _needs(part: Part) -> Asked | None:
    """`needs: {spend, orders, growth}`, all of them; or `needs: {any: {…}}`."""
    needs = part.maybe_part("needs")
    if needs is None:
        return None
    if needs.has("any"):
        asked = _figures(needs.part("any"), "any")
        needs.done()
        return asked
    if not needs.fields:
        part.problem("needs", _("Say what keeping the tier asks for."))
    return _figures(needs)


def _check_ascent(lower: Tier, higher: Tier, part: Part) -> None:
    """The lowest tier comes first: a tier that asks less than the one below it would never be left."""
    below, above = lower.qualify, higher.qualify
    if below is None or above is None or not (lower.is_bought and higher.is_bought):
        return
    if (below.window, below.mode) != (above.window, above.mode):
        return
    for name in ("spend", "orders", "growth"):
        less, more = getattr(below, name), getattr(above, name)
        if less is not None and more is not None and more < less:
            part.problem("qualify", _("This tier asks less than the tier below it."))
            return
