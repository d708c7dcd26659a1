"""What a tier gives, as the programme says it: the columns of the benefit matrix (B2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty import expiry, offers
from loyalty.expiry import Expiry
from loyalty.reading import Part, is_line, refuse_twice

CENT = Decimal("0.01")
REGIONAL = "regional"
NATIONWIDE = ("nationwide", "free")  # `free` is the older word
PERIODS = ("day", "week", "month", "quarter", "year")
PERIODS_A_YEAR = {"day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}
MAX_PROVINCES = 40
MAX_USES = 20


@dataclass(frozen=True, slots=True)
class Use:
    """A benefit that can be had so many `times` a period: monthly 10 % off, a yearly trial.

    discount: the share of one order that is paid, in place of the tier's; amount: yuan off one order.
    With neither it is something to be had, which `name` describes.
    """

    code: str
    name: dict[str, str]
    per: str = "month"
    times: int = 1
    discount: Decimal | None = None
    amount: Decimal | None = None

    def period(self, day: date) -> str:
        """The name of the period in which a local day lies: 2026-11-22, 2026-W47, 2026-11, 2026-Q4, 2026."""
        if self.per == "day":
            return day.isoformat()
        if self.per == "week":
            year, week, _weekday = day.isocalendar()
            return f"{year}-W{week:02}"
        if self.per == "month":
            return f"{day.year}-{day.month:02}"
        return f"{day.year}-Q{(day.month + 2) // 3}" if self.per == "quarter" else str(day.year)


@dataclass(frozen=True, slots=True)
class Benefits:
    """What a tier gives. `discount` is the share that is paid (0.95); `extra` is in the brand's words.

    values: yuan a year that the brand says a benefit without a formula is worth, by its word.
    """

    discount: Decimal = Decimal(1)
    coefficient: Decimal = Decimal(1)
    points_per_yuan: int = 100
    shipping: str = "none"
    provinces: tuple[str, ...] = ()
    service: str = "standard"
    badge: str = ""
    birthday: dict[str, Any] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Decimal] = field(default_factory=dict)
    expiry: Expiry | None = None  # None: as the programme says

    def worth(self, points: int) -> Decimal:
        """What points are worth at checkout, in yuan, rounded down to the cent."""
        return (Decimal(points) / self.points_per_yuan).quantize(CENT, ROUND_DOWN)

    def ships_free_to(self, province: str) -> bool:
        """Whether postage to a province is free: 上海 and 上海市 are the same."""
        if self.shipping in NATIONWIDE:
            return True
        return self.shipping == REGIONAL and _plain(province) in map(_plain, self.provinces)

    def use(self, code: str) -> Use | None:
        """The counted benefit of that code, if the tier has it."""
        return next((use for use in self.uses if use.code == code), None)


def _plain(province: str) -> str:
    """A province without the word for what it is: 广西壮族自治区 is 广西."""
    name = province.strip()
    for ending in ("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市"):
        name = name.removesuffix(ending)
    return name


@dataclass(frozen=True, slots=True)
class Valuation:
    """By what the value of a tier's benefits is told: one and the same buyer for all tiers, and weights.

    The buyer spends `spend` yuan in `orders` orders a year, each sent for `postage` yuan. A weight says how
    much of a benefit's yuan counts: 1 is all, 0.5 for what only every second member takes up.
    """

    spend: Decimal = Decimal(10000)
    orders: int = 10
    postage: Decimal = Decimal(10)
    service: dict[str, Decimal] = field(default_factory=dict)  # yuan a year, by level of service
    weights: dict[str, Decimal] = field(default_factory=dict)

    def weight(self, benefit: str) -> Decimal:
        """How much a benefit counts; 1 when the programme does not say."""
        return self.weights.get(benefit, Decimal(1))


WEIGHTED = ("discount", "points", "shipping", "service", "birthday", "uses", "badge", "extra")


# --- reading -----------------------------------------------------------------------------------------


def read(part: Part) -> Benefits:
    """The benefits that a tier's group says; mistakes are noted on the part."""
    shipping = part.text("shipping", "none")
    benefits = Benefits(
        discount=part.decimal("discount", "1", low="0.01", high="1", places=4),
        coefficient=part.decimal("coefficient", "1", high="100", places=4),
        points_per_yuan=part.whole("points_per_yuan", 100, low=1, high=1_000_000),
        shipping=shipping,
        provinces=_provinces(part, shipping),
        service=part.text("service", "standard"),
        badge=part.text("badge"),
        birthday=offers.birthday(part),
        uses=_uses(part),
        extra=offers.free_form(part, "extra"),
        values=_yuan_by_word(part, "values"),
        expiry=expiry.read(part),
    )
    part.done()
    return benefits


def _provinces(part: Part, shipping: str) -> tuple[str, ...]:
    value = part.raw("provinces")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_PROVINCES or not all(is_line(each) for each in value):
        part.problem("provinces", _("Write a list of provinces."))
        return ()
    if shipping != REGIONAL:
        part.problem("provinces", _("Provinces belong to regional shipping."))
    return tuple(value)


def _uses(parent: Part) -> tuple[Use, ...]:
    parts = parent.parts("uses")
    if len(parts) > MAX_USES:
        parent.problem("uses", _("Write at most %(most)s of them.") % {"most": MAX_USES})
    uses = tuple(_use(part) for part in parts[:MAX_USES])
    refuse_twice(parts[:MAX_USES], [use.code for use in uses])
    return uses


def _use(part: Part) -> Use:
    use = Use(
        code=part.code("code"),
        name=part.name("name"),
        per=part.choice("per", PERIODS, "month"),
        times=part.whole("times", 1, low=1, high=1000),
        discount=part.maybe_decimal("discount", low="0.01", high="1", places=4),
        amount=part.maybe_decimal("amount", low="0.01"),
    )
    if part.has("discount") and part.has("amount"):
        part.problem("amount", _("Write a discount or an amount, not both."))
    part.done()
    return use


def _yuan_by_word(parent: Part, key: str) -> dict[str, Decimal]:
    part = parent.part(key)
    return {word: part.decimal(word) for word in part.fields}


def read_valuation(parent: Part) -> Valuation:
    """The section `benefit_value`: by what benefits are told in yuan."""
    part = parent.part("benefit_value")
    weights = part.part("weights")
    valuation = Valuation(
        spend=part.decimal("spend", "10000", low="1"),
        orders=part.whole("orders", 10, low=1, high=1000),
        postage=part.decimal("postage", "10"),
        service=_yuan_by_word(part, "service"),
        weights={word: weights.decimal(word, "1", high="10") for word in WEIGHTED if weights.has(word)},
    )
    weights.done()
    part.done()
    return valuation


# --- valuing -----------------------------------------------------------------------------------------

MAINLAND_PROVINCES = 31


def value(
    benefits: Benefits, valuation: Valuation, *, base_per_yuan: Decimal, prizes: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """What each benefit is worth to the buyer of the valuation, in yuan a year, before its weight (B2).

    prizes: what coupons and gifts are worth, by code, for birthday treats. docs/programme.md has the
    formulas and why they are so.
    """
    paid = valuation.spend * benefits.discount
    point = 1 / Decimal(benefits.points_per_yuan)
    order = valuation.spend / valuation.orders
    found = {
        "discount": valuation.spend - paid,
        "points": paid * base_per_yuan * benefits.coefficient * point,
        "shipping": valuation.orders * valuation.postage * _share_sent_free(benefits),
        "service": valuation.service.get(benefits.service, Decimal(0)),
        "birthday": _birthday(benefits, order * benefits.discount * base_per_yuan * point, prizes),
        "uses": sum((_use_value(use, benefits, valuation) for use in benefits.uses), Decimal(0)),
        "badge": benefits.values.get("badge", Decimal(0)),
        "extra": sum((yuan for word, yuan in benefits.values.items() if word != "badge"), Decimal(0)),
    }
    return {word: yuan.quantize(CENT) for word, yuan in found.items()}


def total(worth: Mapping[str, Decimal], valuation: Valuation) -> Decimal:
    """The total benefit value 总权益价值 of a tier: each benefit's yuan times its weight."""
    weighed = (yuan * valuation.weight(word) for word, yuan in worth.items())
    return sum(weighed, Decimal(0)).quantize(CENT)


def _share_sent_free(benefits: Benefits) -> Decimal:
    if benefits.shipping in NATIONWIDE:
        return Decimal(1)
    if benefits.shipping != REGIONAL:
        return Decimal(0)
    return min(Decimal(1), Decimal(len(benefits.provinces)) / MAINLAND_PROVINCES)


def _birthday(benefits: Benefits, plain: Decimal, prizes: Mapping[str, Decimal]) -> Decimal:
    """One order on the birthday earns its factor; beside it things are given. `plain`: its yuan without."""
    treat = benefits.birthday
    more = plain * benefits.coefficient * (Decimal(treat.get("factor", "1")) - 1)
    given = sum((prizes.get(str(treat.get(word)), Decimal(0)) for word in ("coupon", "gift")), Decimal(0))
    return more + Decimal(treat.get("points", 0)) / benefits.points_per_yuan + given


def _use_value(use: Use, benefits: Benefits, valuation: Valuation) -> Decimal:
    """Had at most as often as the buyer orders; worth only what it takes off beyond the tier's discount."""
    times = min(use.times * PERIODS_A_YEAR[use.per], valuation.orders)
    if use.discount is None:
        return times * (use.amount or Decimal(0))
    return times * valuation.spend / valuation.orders * max(Decimal(0), benefits.discount - use.discount)
