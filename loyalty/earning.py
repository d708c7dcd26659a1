"""What an order earns, and why (B3, B5, B14).

`points = floor(base x base_per_yuan x tier coefficient x factor) + bonus`, with base the net of the order
less what was paid with points. Of the factor rules that apply the greatest holds, those marked `stack`
multiply; a bonus is added once, unmultiplied. Limits cut, they do not cancel (ledger.md, *earn*).

Pure: one evaluator for one order, for a batch, and for any replay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from loyalty.conditions import Line, Situation, compile
from loyalty.programme import PointsPolicy, Programme, Rule
from loyalty.tier_terms import Tier


@dataclass(slots=True)
class Room:
    """How many points limited rules may still add for one wallet. Rules without limits are not in it.

    `by_limit`: the same by rule and limit, so that the explanation can name the one that cut.
    """

    left: dict[str, int] = field(default_factory=dict)
    by_limit: dict[str, dict[str, int]] = field(default_factory=dict)

    def cut(self, rule: str, points: int) -> int:
        """What of `points` still fits; it is used up at once."""
        if rule not in self.left:
            return points
        fits = max(0, min(points, self.left[rule]))
        self.left[rule] -= fits
        lefts = self.by_limit.get(rule, {})
        for name in lefts:
            lefts[name] -= fits
        return fits

    def tightest(self, rule: str) -> dict[str, int]:
        """The limits of a rule that cut first, with what is left of them."""
        lefts = self.by_limit.get(rule, {})
        return {name: left for name, left in lefts.items() if left <= self.left[rule]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The points an order earns, with the numbers that made them."""

    points: int
    why: dict[str, Any]
    uses: Mapping[str, int]  # rule code -> points it added


@dataclass(slots=True)
class _Part:
    """A part of the base that the same rules count: the whole order, or one line of it."""

    base: Fraction
    line: Line | None


def base_of(*, net: Decimal, points_value: Decimal, policy: PointsPolicy) -> Decimal:
    """The yuan that earn: net, without postage, less what was paid with points unless policy says so."""
    return net if policy.points_paid_earns else max(Decimal(0), net - points_value)


def price(
    situation: Situation | None,
    *,
    base: Decimal,
    programme: Programme,
    tier: Tier,
    room: Room | None = None,
) -> Priced:
    """Price one order by the rules of one programme version, for a member of one tier.

    `situation` is None when no rule runs at the time of the order: then nobody needs to look.
    """
    rules = applicable(programme, situation) if situation is not None else []
    if situation is None or not rules:
        return _priced_plainly(base, programme, tier)
    factors = sorted(
        (rule for rule in rules if rule.factor is not None and not rule.stack), key=_greatest_first
    )
    factors += [rule for rule in rules if rule.factor is not None and rule.stack]
    parts = _parts(
        situation, base, by_line=any(compile(rule.when, programme.time_zone).by_line for rule in factors)
    )
    rate = Fraction(programme.points.base_per_yuan) * Fraction(tier.benefits.coefficient)
    room = room or Room()

    plain = total = _points(parts, rate, (), programme, situation)
    uses: dict[str, int] = {}
    told: list[dict[str, Any]] = []
    reached = plain
    for position, rule in enumerate(factors, start=1):
        with_rule = _points(parts, rate, factors[:position], programme, situation)
        added, reached = with_rule - reached, with_rule
        if added <= 0:
            continue
        tightest, given = room.tightest(rule.code), room.cut(rule.code, added)
        uses[rule.code] = given
        told.append(_told(rule, added, given, tightest, factor=str(rule.factor)))
        total += given
    for rule in rules:
        if rule.bonus:
            tightest, given = room.tightest(rule.code), room.cut(rule.code, rule.bonus)
            uses[rule.code] = uses.get(rule.code, 0) + given
            told.append(_told(rule, rule.bonus, given, tightest, bonus=rule.bonus))
            total += given
    why = _why(base, programme, tier, plain=plain, total=total)
    if told:
        why["rules"] = told
    return Priced(points=total, why=why, uses={code: points for code, points in uses.items() if points})


def running(programme: Programme, at: datetime) -> list[Rule]:
    """The rules in whose time an order was paid, highest priority first; those that give no points too.

    Behind them stand the factors that the programme promises for birthdays and member days.
    """
    return [rule for rule in programme.every_rule if rule.holds_at(at)]


def running_between(programme: Programme, first: datetime, last: datetime) -> list[Rule]:
    """The rules that may hold for an order paid at one of the instants from `first` to `last`."""
    return [
        rule
        for rule in programme.every_rule
        if (rule.starts_at is None or rule.starts_at <= last)
        and (rule.ends_at is None or first < rule.ends_at)
    ]


def _priced_plainly(base: Decimal, programme: Programme, tier: Tier) -> Priced:
    points = floor(base * programme.points.base_per_yuan * tier.benefits.coefficient)
    return Priced(points=points, why=_why(base, programme, tier, plain=points, total=points), uses={})


def _why(base: Decimal, programme: Programme, tier: Tier, *, plain: int, total: int) -> dict[str, Any]:
    return {
        "base": str(base),
        "base_per_yuan": str(programme.points.base_per_yuan),
        "tier": tier.code,
        "coefficient": str(tier.benefits.coefficient),
        "plain": plain,
        "points": total,
    }


def applicable(programme: Programme, situation: Situation) -> list[Rule]:
    """Rules that hold for this order, highest priority first, up to the first exclusive one."""
    found: list[Rule] = []
    for rule, matcher in programme.ready:
        if rule.holds_at(situation.order_time) and matcher.holds(situation):
            found.append(rule)
            if rule.exclusive:
                break
    return found


def _greatest_first(rule: Rule) -> Decimal:
    return -(rule.factor or Decimal(1))


def _parts(situation: Situation, base: Decimal, *, by_line: bool) -> list[_Part]:
    """The base whole, or over the lines in proportion when a rule counts lines."""
    amounts = sum((line.amount for line in situation.lines), Decimal(0))
    if not by_line or amounts <= 0:
        return [_Part(Fraction(base), None)]
    share = Fraction(base) / Fraction(amounts)
    return [_Part(share * Fraction(line.amount), line) for line in situation.lines]


def _points(
    parts: Sequence[_Part], rate: Fraction, rules: Sequence[Rule], programme: Programme, situation: Situation
) -> int:
    return floor(
        rate * sum((part.base * _factor(part, rules, programme, situation) for part in parts), Fraction(0))
    )


def _factor(part: _Part, rules: Sequence[Rule], programme: Programme, situation: Situation) -> Fraction:
    greatest, stacked = Fraction(1), Fraction(1)
    for rule in rules:
        matcher = compile(rule.when, programme.time_zone)
        if matcher.by_line and part.line is not None and not matcher.asks(situation, part.line):
            continue
        if rule.stack:
            stacked *= Fraction(rule.factor or 1)
        else:
            greatest = max(greatest, Fraction(rule.factor or 1))
    return greatest * stacked


def _told(rule: Rule, wanted: int, given: int, tightest: Mapping[str, int], **what: Any) -> dict[str, Any]:
    name = {"called": dict(rule.name)} if rule.name else {}
    told: dict[str, Any] = {"code": rule.code, **name, "added": given, **what}
    if given == wanted:
        return told
    cut_by = {"cut_by": dict(tightest)} if tightest else {}
    return {**told, "cut_from": wanted, **cut_by}


def stays(*, earned: int, net_bought: Decimal, kept: Decimal) -> int:
    """What of an order's points stays when `kept` of its net is kept: floor(earned x kept / bought).

    Cumulative over all refunds, so that any split of a full refund takes exactly what was earned.
    """
    if kept == net_bought:
        return earned
    if net_bought <= 0:
        return earned if kept >= net_bought else 0
    return earned * _cents(kept) // _cents(net_bought)


def returned(*, spent: int, net_bought: Decimal, kept: Decimal) -> int:
    """What of the points an order was paid with comes back: floor(spent x refunded / bought)."""
    if net_bought <= 0 or kept <= 0:
        return spent
    return spent * _cents(max(Decimal(0), net_bought - kept)) // _cents(net_bought)


def _cents(yuan: Decimal) -> int:
    return int(yuan * 100)


def spread(points: int, amounts: Sequence[Decimal]) -> list[int]:
    """Spread points over lines in proportion to their amounts, by largest remainder: the sum is exact."""
    whole = sum(amounts, Decimal(0))
    if whole <= 0:
        return [points, *([0] * (len(amounts) - 1))] if amounts else []
    exact = [Fraction(points) * Fraction(amount) / Fraction(whole) for amount in amounts]
    shares = [floor(share) for share in exact]
    by_remainder = sorted(range(len(amounts)), key=lambda at: (shares[at] - exact[at], at))
    for at in by_remainder[: points - sum(shares)]:
        shares[at] += 1
    return shares


def formula(why: Mapping[str, Any]) -> str:
    """The numbers filled in: `200 × 1 × 1.2 × 2 = 480` (B14).

    Where a limit cut, or a rule counted only some lines, one product would not be true: then what each
    rule added is told after what the order earns plainly, as `200 × 1 × 1.2 = 240; + 96 + 50 = 386`.
    """
    rules = why.get("rules", ())
    plainly = [why["base"], why["base_per_yuan"], why["coefficient"]]
    factors = [rule["factor"] for rule in rules if "factor" in rule]
    bonuses = [rule["added"] for rule in rules if "bonus" in rule]
    product = _product([*plainly, *factors])
    if product + sum(bonuses) == why["points"]:
        text = " × ".join(_short(number) for number in [*plainly, *factors])
        return text + "".join(f" + {bonus}" for bonus in bonuses) + f" = {why['points']}"
    text = " × ".join(_short(number) for number in plainly) + f" = {why['plain']}; "
    return text + " ".join(f"+ {rule['added']}" for rule in rules) + f" = {why['points']}"


def _product(numbers: Sequence[str]) -> int:
    product = Fraction(1)
    for number in numbers:
        product *= Fraction(number)
    return floor(product)


def _short(number: str) -> str:
    """1.20 → 1.2, 200.00 → 200."""
    return number.rstrip("0").rstrip(".") if "." in number else number
