"""What bringing a friend gives: for every friend, and by a ladder of how many count (B9).

Pure. `check` refuses a document's mistakes when it is saved; `of` reads the section `referral` of an accepted
document; docs/programme.md says what each setting means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty import conditions, prizes
from loyalty.conditions import Condition
from loyalty.prizes import AMOUNTS, Prize
from loyalty.reading import Part, Problems

FIRST_PURCHASE = "first_purchase"
ENROLMENT = "enrolment"
SIDES = ("both", "referrer", "friend")
MOST_KEEP_DAYS = 365
MOST_FACTOR = "10"


@dataclass(frozen=True, slots=True)
class Sides:
    """What the referrer and the friend are given."""

    referrer: tuple[Prize, ...] = ()
    friend: tuple[Prize, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """A condition on the referrer, and as it was written."""

    when: Condition
    document: dict[str, Any]

    @property
    def asks(self) -> frozenset[str]:
        """The fields that it asks about."""
        return frozenset(check.field for check in conditions.checks(self.when))


@dataclass(frozen=True, slots=True)
class ReferralTerms:
    """The section of one programme version. Without it friends are counted, and nothing is given."""

    counts_after: str = FIRST_PURCHASE
    keep_days: int = 0
    each: Sides = Sides()
    ladder: tuple[tuple[int, Sides], ...] = ()
    only_when: About | None = None
    multiply: About | None = None
    factor: Decimal = Decimal(1)

    @property
    def gives(self) -> bool:
        """Whether there is anything to be had."""
        return bool(self.ladder) or self.each != Sides()

    @property
    def asks(self) -> frozenset[str]:
        """The fields of the referrer that its conditions ask about."""
        return frozenset().union(*(about.asks for about in (self.only_when, self.multiply) if about))

    def due_at(self, paid_at: datetime) -> datetime:
        """From when on a purchase that was kept makes a friend count."""
        return paid_at + timedelta(days=self.keep_days)

    def rungs(self, friends: int) -> list[tuple[int, Sides]]:
        """The rungs that so many friends have reached."""
        return [rung for rung in self.ladder if rung[0] <= friends]

    def next_rung(self, friends: int) -> tuple[int, Sides] | None:
        """The next rung above so many friends; None at the top."""
        return next((rung for rung in self.ladder if rung[0] > friends), None)


def multiplied(prize: Prize, factor: Decimal) -> Prize:
    """A prize times a factor, rounded down: points and growth value; a coupon, gift or tier stays one."""
    if prize.kind not in AMOUNTS:
        return prize
    return prize._replace(value=str(int((int(prize.value) * factor).to_integral_value(ROUND_DOWN))))


# --- checking ----------------------------------------------------------------------------------------


def check(part: Part) -> None:
    """Check the section `referral`."""
    part.choice("counts_after", (FIRST_PURCHASE, ENROLMENT))
    part.whole("keep_days", high=MOST_KEEP_DAYS)
    if part.raw("counts_after") == ENROLMENT and part.has("keep_days"):
        part.problem("keep_days", _("Who counts by enrolling has no purchase to keep."))
    _check_sides(part.part("each"))
    for _count, rung in part.rungs("ladder"):
        _check_sides(rung)
        if not rung.fields:
            rung.problem("", _("Say what is given: points, a coupon or a gift."))
    _check_condition(part, "only_when")
    multiply = part.maybe_part("multiply")
    if multiply is not None:
        _check_condition(multiply, "when", required=True)
        multiply.decimal("factor", "1", low="1", high=MOST_FACTOR, places=4, required=True)
        multiply.done()
    part.done()


def _check_sides(part: Part) -> None:
    for side in SIDES:
        given = part.maybe_part(side)
        if given is not None:
            prizes.check(given, tier=True)
            given.done()
    part.done()


def _check_condition(part: Part, key: str, *, required: bool = False) -> None:
    """A condition that asks of the member alone: there is no order of the referrer's to ask about."""
    when = part.maybe_part(key)
    if when is None:
        if required:
            part.problem(key, _("This is missing."))
        return
    for each in conditions.checks(conditions.read(when)):
        if not each.field.startswith("member."):
            asked = {"field": each.field}
            part.problem(key, _("Ask about the member only: %(field)s is not known here.") % asked)


# --- reading -----------------------------------------------------------------------------------------


def of(rest: Mapping[str, Any]) -> ReferralTerms:
    """The terms of an accepted programme, out of its `rest`."""
    told = rest.get("referral") or {}
    ladder = told.get("ladder") or {}
    terms = ReferralTerms(
        counts_after=told.get("counts_after") or FIRST_PURCHASE,
        keep_days=told.get("keep_days") or 0,
        each=_sides(told.get("each")),
        ladder=tuple(sorted((int(count), _sides(rung)) for count, rung in ladder.items())),
    )
    if told.get("only_when"):
        terms = replace(terms, only_when=_about(told["only_when"]))
    if multiply := told.get("multiply"):
        terms = replace(terms, multiply=_about(multiply["when"]), factor=Decimal(multiply["factor"]))
    return terms


def _sides(told: Mapping[str, Any] | None) -> Sides:
    told = told or {}
    both = prizes.of(told.get("both"))
    return Sides(both + prizes.of(told.get("referrer")), both + prizes.of(told.get("friend")))


def _about(document: dict[str, Any]) -> About:
    return About(conditions.read(Part(document, "", Problems())), document)
