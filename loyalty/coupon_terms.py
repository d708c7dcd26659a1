"""What a campaign's coupons are worth, for whom, where and how long (B6). Pure.

The programme's section `coupons:` is read here, once strictly when the document is (`read`), and again by
whoever holds a coupon of that version (`of`, `find`). `Terms.judge` says what a coupon takes off a basket,
with the numbers that made it, or why it cannot be used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, NamedTuple, Protocol, cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from loyalty import coupon_codes
from loyalty.calendar import end_of
from loyalty.reading import Part, Problems

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
HUNDRED = Decimal(100)
KINDS = ("amount", "percentage", "gift", "shipping")
RETURNS = ("whole", "any", "never")
GRACE_DAYS = 7
SHANGHAI = ZoneInfo("Asia/Shanghai")

Kind = Literal["amount", "percentage", "gift", "shipping"]
Return = Literal["whole", "any", "never"]


class Offering(Protocol):
    """What of a programme version speaks of coupons."""

    @property
    def rest(self) -> Mapping[str, Any]: ...

    @property
    def time_zone(self) -> ZoneInfo: ...


class BasketLine(NamedTuple):
    """One line of what is to be bought; `amount` is yuan before the coupon, after the tier's discount.

    left: what other coupons of the order leave of it to be taken off, None for all. The minimum spend asks
    for the amount: coupons that stand together do not get into each other's way.
    """

    amount: Decimal
    product: str = ""
    category: str = ""
    left: Decimal | None = None

    @property
    def rest(self) -> Decimal:
        """What there is to be taken off."""
        return self.amount if self.left is None else self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What is to be bought, and where. `lines` None: nobody told; `tier` None: nobody knows the buyer."""

    channel: str
    store: str = ""
    tier: str | None = None
    lines: tuple[BasketLine, ...] | None = None
    postage: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a coupon does to a basket. `why_not` is a reason of `loyalty.coupon_words`, or ''.

    discount: yuan off the goods; postage: yuan off the postage; None: the basket was not told.
    counted: yuan of the lines that it counts; lines: their places in the basket.
    """

    why_not: str = ""
    discount: Decimal | None = NOTHING
    postage: Decimal | None = NOTHING
    gift: str = ""
    counted: Decimal | None = None
    lines: tuple[int, ...] = ()
    why: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """One campaign of one programme version. Money is in yuan; a percentage is what is taken off.

    back: when a used coupon is given back. `whole`: the order is cancelled or all of it refunded; `any`:
    also when a refund leaves less of it than the minimum spend; `never`.
    """

    code: str
    name: Mapping[str, str]
    kind: Kind
    value: Decimal | None  # of a gift None; of shipping None takes all of the postage off
    gift: str = ""
    min_spend: Decimal = NOTHING
    max_discount: Decimal | None = None
    quota: int | None = None
    per_member: int | None = None
    tiers: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    public_code: str = ""
    bearer: bool = False
    combines: bool = False
    back: Return = "whole"
    grace_days: int = GRACE_DAYS
    days: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    zone: ZoneInfo = SHANGHAI

    def validity(self, issued_at: datetime) -> tuple[datetime | None, datetime | None]:
        """From when, and before when, a coupon issued at an instant can be used; None is no bound.

        The last day is a whole day: thirty days from 1 March last through 31 March.
        """
        ends = [self.ends_at] if self.ends_at is not None else []
        if self.days is not None:
            last = issued_at.astimezone(self.zone).date() + timedelta(days=self.days)
            ends.append(end_of(last, self.zone))
        return self.starts_at, min(ends) if ends else None

    def until_returned(self, valid_until: datetime | None, now: datetime) -> datetime | None:
        """Before when a coupon that comes back at `now` can be used: its own end, or the grace if later."""
        if valid_until is None:
            return None
        last = now.astimezone(self.zone).date() + timedelta(days=self.grace_days)
        return max(valid_until, end_of(last, self.zone)) if self.grace_days else valid_until

    def is_over(self, *, is_cancelled: bool, net: Decimal, kept: Decimal, counted: Decimal) -> bool:
        """Whether an order has come undone so far that the coupon is given back (`back`).

        net, kept: the order's goods as bought, and what of them was kept; counted: yuan of the lines that
        the coupon had counted. What is left of these is taken in proportion, as refunds name no coupon.
        """
        if self.back == "never":
            return False
        if is_cancelled or net <= 0:  # of what cost nothing there is nothing to refund
            return is_cancelled
        if kept <= 0:
            return True
        return self.back == "any" and counted * kept < self.min_spend * net

    # --- one basket ---------------------------------------------------------------------------------

    def judge(self, basket: Basket) -> Verdict:
        """What the coupon takes off, or the first reason for which the basket does not allow it.

        Whether it holds at this time is the coupon's own affair: its validity began when it was issued.
        """
        place = self._place_refuses(basket)
        if place:
            return Verdict(why_not=place)
        if basket.lines is None:
            return self._untold(basket)
        counting = tuple(n for n, line in enumerate(basket.lines) if self._counts(line))
        if not counting and (self.products or self.categories):
            return Verdict(why_not="wrong_products")
        counted = sum((basket.lines[n].amount for n in counting), NOTHING)
        if counted < self.min_spend:
            why = {"counted": _yuan(counted), "min_spend": _yuan(self.min_spend)}
            return Verdict(why_not="min_spend", counted=counted, lines=counting, why=why)
        rest = sum((basket.lines[n].rest for n in counting), NOTHING)
        return self._taken_off(basket, counted, rest, counting)

    def _place_refuses(self, basket: Basket) -> str:
        if self.channels and basket.channel not in self.channels:
            return "wrong_channel"
        if self.stores and basket.store not in self.stores:
            return "wrong_store"
        if self.tiers and basket.tier not in self.tiers:
            return "tier"
        return ""

    def _counts(self, line: BasketLine) -> bool:
        """Whether a line is of the products or categories it is for; of no list, all are."""
        if not self.products and not self.categories:
            return True
        return line.product in self.products or line.category in self.categories

    def _untold(self, basket: Basket) -> Verdict:
        """Nobody told the basket: what the channel takes off is its own affair, if nothing depends on it."""
        if self.min_spend or self.products or self.categories:
            return Verdict(why_not="basket_missing")
        return Verdict(discount=None, postage=None, gift=self.gift, why={"kind": self.kind})

    def _taken_off(
        self, basket: Basket, counted: Decimal, rest: Decimal, counting: tuple[int, ...]
    ) -> Verdict:
        why: dict[str, Any] = {"kind": self.kind, "counted": _yuan(rest)}
        why |= {"min_spend": _yuan(self.min_spend)} if self.min_spend else {}
        discount, postage = NOTHING, NOTHING
        if self.kind == "amount":
            assert self.value is not None
            discount = min(self.value, rest)
            why["value"] = _yuan(self.value)
        elif self.kind == "percentage":
            assert self.value is not None
            discount = min((rest * self.value / HUNDRED).quantize(CENT, ROUND_HALF_UP), rest)
            why |= {"value": str(self.value), "raw": _yuan(discount)}
        elif self.kind == "shipping":
            told = basket.postage or NOTHING
            postage = told if self.value is None else min(self.value, told)
            why |= {"charged": _yuan(told)} | ({"value": _yuan(self.value)} if self.value is not None else {})
        if self.max_discount is not None and discount > self.max_discount:
            discount = self.max_discount
            why["max_discount"] = _yuan(self.max_discount)
        why |= {"discount": _yuan(discount), "postage": _yuan(postage)}
        return Verdict(
            discount=discount,
            postage=postage,
            gift=self.gift,
            counted=counted,
            lines=counting,
            why=why | ({"gift": self.gift} if self.gift else {}),
        )


def _yuan(amount: Decimal) -> str:
    return f"{amount:.2f}"


# --- reading ------------------------------------------------------------------------------------------


def of(programme: Offering) -> dict[str, Terms]:
    """The campaigns of a programme version by their codes, in the order of the document."""
    return {item["code"]: _terms(item, programme.time_zone) for item in programme.rest.get("coupons") or ()}


def find(programme: Offering, campaign: str) -> Terms | None:
    """One campaign of a programme version."""
    items = programme.rest.get("coupons") or ()
    return next((_terms(item, programme.time_zone) for item in items if item["code"] == campaign), None)


def find_public(programme: Offering, codes: tuple[str, ...]) -> Terms | None:
    """The campaign whose public code is one of these (`coupon_codes.readings`), the likeliest first."""
    items = [item for item in programme.rest.get("coupons") or () if item.get("public_code")]
    by_code = {coupon_codes.clean(item["public_code"]): item for item in items}
    found = next((by_code[code] for code in codes if code in by_code), None)
    return _terms(found, programme.time_zone) if found else None


def _terms(item: Mapping[str, Any], zone: ZoneInfo) -> Terms:
    return read(Part(item, "", Problems()), zone)


def read(part: Part, zone: ZoneInfo = SHANGHAI) -> Terms:
    """The terms that one item of the section says; mistakes are noted in the part."""
    name = part.name("name")
    kind = cast(Kind, part.choice("kind", KINDS, "amount", required=True))
    value, gift = _value(part, kind)
    days, starts_at, ends_at = _validity(part.part("valid"))
    terms = Terms(
        code=part.code("code"),
        name=name,
        kind=kind,
        value=value,
        gift=gift,
        min_spend=part.decimal("min_spend", "0.00"),
        max_discount=_max_discount(part, kind),
        quota=part.maybe_whole("quota", low=1),
        per_member=part.maybe_whole("per_member", low=1, high=1_000_000),
        tiers=part.codes("tiers"),
        products=_names(part, "products"),
        categories=_names(part, "categories"),
        channels=part.codes("channels"),
        stores=part.codes("stores"),
        public_code=_public_code(part),
        bearer=part.flag("bearer"),
        combines=part.flag("combines"),
        back=cast(Return, part.choice("return", RETURNS, "whole")),
        grace_days=part.whole("return_grace_days", GRACE_DAYS, high=3650),
        days=days,
        starts_at=starts_at,
        ends_at=ends_at,
        zone=zone,
    )
    part.done()
    return terms


def refuse_shared_public_codes(parts: list[Part], campaigns: list[Terms]) -> None:
    """Note a mistake where two campaigns answer to one public code, however it is typed."""
    seen: set[str] = set()
    for part, terms in zip(parts, campaigns, strict=True):
        heard = set(coupon_codes.readings(terms.public_code))
        if heard & seen:
            part.problem("public_code", _("Another coupon answers to this code."))
        seen |= heard


def _value(part: Part, kind: str) -> tuple[Decimal | None, str]:
    if kind == "gift":
        return None, part.code("value")
    if kind == "percentage":
        return part.decimal("value", "0.00", low="0.01", high="100", required=True), ""
    if kind == "shipping":
        return part.maybe_decimal("value", low="0.01"), ""
    return part.decimal("value", "0.00", low="0.01", required=True), ""


def _max_discount(part: Part, kind: str) -> Decimal | None:
    most = part.maybe_decimal("max_discount", low="0.01")
    if most is not None and kind != "percentage":
        part.problem("max_discount", _("Only a percentage needs a largest discount."))
    return most


def _names(part: Part, key: str) -> tuple[str, ...]:
    """Products or categories, as the channels write them."""
    value = part.raw(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(v, str) and 0 < len(v.strip()) <= 100 for v in value
    ):
        part.problem(key, _("Write a list of names, each of 1 to 100 characters."))
        return ()
    return tuple(value)


def _public_code(part: Part) -> str:
    text = part.text("public_code")
    if text and coupon_codes.clean(text) is None:
        part.problem("public_code", _("Write 4 to 32 letters and digits."))
        return ""
    return text


def _validity(part: Part) -> tuple[int | None, datetime | None, datetime | None]:
    """So many days after it is given, or between two instants, or both; whichever ends first."""
    days = part.maybe_whole("days", low=1, high=3650)
    starts_at, ends_at = part.instant("from"), part.instant("to")
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        part.problem("to", _("It ends before it begins."))
    part.done()
    return days, starts_at, ends_at
