"""Conditions of rules: who and what a rule is for, as data (B5).

A condition is a tree: `{all: […]}`, `{any: […]}`, `{not: …}`, and at its leaves one test
`{field, op, value}`. The catalogue below is all that can be asked; an unknown field or operator, or a
value of the wrong type, is refused when the programme is read.

A condition that names a line field is asked of every line of the order, with the order's and the
member's facts the same for each; the rule then counts the lines for which it holds. Any other
condition is asked once and counts the whole order.

What is not known (no store, no birthday) equals nothing: `=`, `in` and the orders are false, `!=` and
`not_in` true, so that `!=` always is the opposite of `=`.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from loyalty.reading import Part, as_decimal, as_instant, is_line, is_whole

MAX_DEPTH = 6
# True and 1 are equal in Python; the month of the order gets a value that no month equals.
THIS_MONTH = "this month"
SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Value = str | bool | int | Decimal | datetime | time | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order, as rules see it. `amount` is net, in yuan."""

    category: str
    product: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Situation:
    """What a rule may look at: one order and its buyer, as they were when the order was paid.

    `order_paid` is the goods after discounts, without postage, in yuan. A member known only by name has
    None for the birthday month; `member_joined_days` counts whole days since joining.
    """

    order_channel: str
    order_store: str | None
    order_paid: Decimal
    order_time: datetime
    order_first: bool
    lines: tuple[Line, ...] = ()
    member_tier: str = ""
    member_tags: frozenset[str] = frozenset()
    member_segments: frozenset[str] = frozenset()
    member_is_birthday: bool = False
    member_birthday_month: int | None = None
    member_joined_days: int | None = None
    member_repurchases_year: int = 0
    member_is_birthday_week: bool = False
    member_purchases_90d: int = 0
    member_average_order_90d: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One question: a field, an operator and the value to compare with."""

    field: str
    op: str
    value: Value


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Check | AllOf | AnyOf | Not

EQUALITY = ("=", "!=")
CHOICE = ("=", "!=", "in", "not_in")
ORDER = ("<", "<=", ">", ">=", "between")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "not_in", "between", "contains")

# Each type: the operators that make sense for it.
OPERATORS_OF = {
    "text": (*CHOICE, "contains"),
    "code": CHOICE,
    "set": ("contains", "in", "not_in"),
    "flag": EQUALITY,
    "whole": (*CHOICE, *ORDER),
    "money": (*EQUALITY, *ORDER),
    "time": ORDER,
    "month": (*CHOICE, *ORDER),
}

FIELDS = {
    "order.channel": "code",
    "order.store": "code",
    "order.paid": "money",
    "order.time": "time",
    "order.day": "whole",
    "order.weekday": "code",
    "order.first": "flag",
    "line.category": "text",
    "line.product": "text",
    "line.amount": "money",
    "member.tier": "code",
    "member.tags": "set",
    "member.segments": "set",
    "member.is_birthday": "flag",
    "member.is_birthday_week": "flag",
    "member.birthday_month": "month",
    "member.joined_days": "whole",
    "member.repurchases_year": "whole",
    "member.purchases_90d": "whole",
    "member.average_order_90d": "money",
}
# What the programme itself answers: its own word stands in place of the check once it is read.
PROMISED = {"order.is_member_day": "flag"}
KINDS = FIELDS | PROMISED


# --- reading -----------------------------------------------------------------------------------------


def read(part: Part, depth: int = 1) -> Condition:
    """The condition that a part of the programme's document says; mistakes go to the part's problems."""
    if depth > MAX_DEPTH:
        part.problem("", _("The condition is nested too deeply."))
        return AllOf(())
    groups = [word for word in ("all", "any", "not") if part.has(word)]
    if len(groups) > 1 or (groups and part.has("field")):
        part.problem("", _("Write one of all, any, not or field."))
        return AllOf(())
    condition = _read_group(part, groups[0], depth) if groups else _read_check(part)
    part.done()
    return condition


def _read_group(part: Part, word: str, depth: int) -> Condition:
    if word == "not":
        return Not(read(part.part("not"), depth + 1))
    parts = part.parts(word)
    if not parts:
        part.problem(word, _("Write at least one condition."))
    conditions = tuple(read(each, depth + 1) for each in parts)
    return AllOf(conditions) if word == "all" else AnyOf(conditions)


def _read_check(part: Part) -> Condition:
    field, op, raw = part.raw("field"), part.raw("op"), part.raw("value")
    kind = KINDS.get(field) if isinstance(field, str) else None
    if kind is None:
        part.problem("field", _("There is no such field."))
        return AllOf(())
    if op not in OPERATORS:
        part.problem("op", _("There is no such operator."))
        return AllOf(())
    if op not in OPERATORS_OF[kind]:
        part.problem("op", _("This operator does not fit the field."))
        return AllOf(())
    value = _value(kind, op, raw)
    if value is None:
        part.problem("value", _WANTED[kind])
        return AllOf(())
    if isinstance(value, bool) and kind == "month":
        return _this_month(part, op, value)
    if op == "between" and not _in_order(kind, value):
        part.problem("value", _("Write the lower end first."))
    return Check(field, op, value)


def _this_month(part: Part, op: str, value: bool) -> Condition:
    """`member.birthday_month = true` asks for the month of the order; false asks for the opposite."""
    if op not in EQUALITY:
        part.problem("op", _("This operator does not fit the field."))
    return Check("member.birthday_month", "=" if (op == "=") is value else "!=", THIS_MONTH)


_WANTED = {
    "text": _("Write a text, or a list of texts for in and not_in."),
    "code": _("Write a text, or a list of texts for in and not_in."),
    "set": _("Write a text, or a list of texts for in and not_in."),
    "flag": _("Write true or false."),
    "whole": _("Write a whole number, two for between, a list for in and not_in."),
    "money": _('Write an amount as text, in quotes: "300"; two for between.'),
    "time": _('Write a time of day ("18:00") or a time with its offset; two of a kind for between.'),
    "month": _("Write true, false or a month from 1 to 12."),
}


def _value(kind: str, op: object, raw: object) -> Value | None:
    """The typed value for an operator, or None when it has the wrong type."""
    if op not in ("in", "not_in", "between"):
        return _scalar(kind, raw)
    if not isinstance(raw, list) or not raw or (op == "between" and len(raw) != 2):
        return None
    values = tuple(_scalar(kind, each) for each in raw)
    if any(value is None or isinstance(value, bool) for value in values):
        return None
    if kind == "time" and len({type(value) for value in values}) > 1:
        return None
    return values


def _scalar(kind: str, raw: object) -> str | bool | int | Decimal | datetime | time | None:
    if kind in ("text", "code", "set"):
        return raw if isinstance(raw, str) and is_line(raw) else None
    if kind == "flag":
        return raw if isinstance(raw, bool) else None
    if kind == "whole":
        return raw if isinstance(raw, int) and is_whole(raw) else None
    if kind == "money":
        return as_decimal(raw)
    if kind == "month":
        return raw if isinstance(raw, bool) or (isinstance(raw, int) and 1 <= raw <= 12) else None
    return as_instant(raw) or _time_of_day(raw)


def _time_of_day(raw: object) -> time | None:
    try:
        value = time.fromisoformat(raw) if isinstance(raw, str) and ":" in raw else None
    except ValueError:
        return None
    return value if value is not None and value.tzinfo is None else None


def _in_order(kind: str, value: Value) -> bool:
    """A time of day may run over midnight; everything else goes from low to high."""
    if not isinstance(value, tuple) or isinstance(value[0], time):
        return True
    return value[0] < value[1] if kind == "time" else value[0] <= value[1]


def checks(condition: Condition) -> list[Check]:
    """Every leaf of a condition, from left to right."""
    if isinstance(condition, Check):
        return [condition]
    parts = (condition.part,) if isinstance(condition, Not) else condition.parts
    return [check for part in parts for check in checks(part)]


def settled(condition: Condition, member_day: Condition | None) -> Condition:
    """The condition with the programme's member day in place of the check that asks for it."""
    if isinstance(condition, Not):
        return Not(settled(condition.part, member_day))
    if isinstance(condition, AllOf | AnyOf):
        return type(condition)(tuple(settled(part, member_day) for part in condition.parts))
    if condition.field != "order.is_member_day" or member_day is None:
        return condition
    return member_day if (condition.op == "=") is condition.value else Not(member_day)


def names_a_line(condition: Condition) -> bool:
    """Whether the condition asks about lines, so that it counts lines and not the order."""
    return any(check.field.startswith("line.") for check in checks(condition))


# --- asking ------------------------------------------------------------------------------------------

Question = Callable[[Situation, Line | None], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition ready to be asked of many situations."""

    asks: Question
    by_line: bool

    def matching_amount(self, situation: Situation) -> Decimal | None:
        """The net yuan of the order that the rule counts; None when the rule does not apply."""
        if not self.by_line:
            return situation.order_paid if self.asks(situation, None) else None
        amounts = [line.amount for line in situation.lines if self.asks(situation, line)]
        return sum(amounts, Decimal("0.00")) if amounts else None

    def holds(self, situation: Situation) -> bool:
        """Whether the condition holds for the order, or for at least one of its lines."""
        return self.matching_amount(situation) is not None


@lru_cache(maxsize=1024)
def compile(condition: Condition | None, zone: ZoneInfo = SHANGHAI) -> Matcher:
    """Make a condition ready to be asked. No condition holds for every order.

    `zone` is the programme's: a time of day and "this month" are told by its clocks.
    """
    if condition is None:
        return Matcher(lambda situation, line: True, by_line=False)
    return Matcher(_question(condition, zone), names_a_line(condition))


def matching_amount(
    condition: Condition | None, situation: Situation, zone: ZoneInfo = SHANGHAI
) -> Decimal | None:
    """The net yuan of the order that a rule with this condition counts; None when it does not apply."""
    return compile(condition, zone).matching_amount(situation)


def found(check: Check, situation: Situation, zone: ZoneInfo = SHANGHAI) -> tuple[object, ...]:
    """What a check looks at in a situation: one value, or that of each line."""
    look = _reader(check, zone)
    if names_a_line(check):
        return tuple(look(situation, line) for line in situation.lines)
    return (look(situation, None),)


def _question(condition: Condition, zone: ZoneInfo) -> Question:
    if isinstance(condition, Not):
        part = _question(condition.part, zone)
        return lambda situation, line: not part(situation, line)
    if isinstance(condition, Check):
        return _leaf(condition, zone)
    parts = [_question(each, zone) for each in condition.parts]
    if isinstance(condition, AllOf):
        return lambda situation, line: all(part(situation, line) for part in parts)
    return lambda situation, line: any(part(situation, line) for part in parts)


def _leaf(check: Check, zone: ZoneInfo) -> Question:
    look = _reader(check, zone)
    compare = _comparison(FIELDS[check.field], check.op, check.value)
    return lambda situation, line: compare(look(situation, line))


def _reader(check: Check, zone: ZoneInfo) -> Callable[[Situation, Line | None], object]:
    """How to look a field up; a clock's question is asked of the programme's clock."""
    subject, __, name = check.field.partition(".")
    if subject == "line":
        return lambda situation, line: getattr(line, name)
    if check.value == THIS_MONTH and check.field == "member.birthday_month":
        return lambda situation, line: (
            THIS_MONTH
            if situation.member_birthday_month == situation.order_time.astimezone(zone).month
            else situation.member_birthday_month
        )
    if check.field == "order.time" and _is_of_day(check.value):
        return lambda situation, line: situation.order_time.astimezone(zone).time()
    if check.field == "order.day":
        return lambda situation, line: situation.order_time.astimezone(zone).day
    if check.field == "order.weekday":
        return lambda situation, line: WEEKDAYS[situation.order_time.astimezone(zone).weekday()]
    attribute = f"{subject}_{name}"
    return lambda situation, line: getattr(situation, attribute)


def _is_of_day(value: Value) -> bool:
    return isinstance(value[0] if isinstance(value, tuple) else value, time)


def _comparison(kind: str, op: str, value: Value) -> Callable[[Any], bool]:
    """A test of one looked-up value. Unknown (None) equals nothing."""
    if kind == "set":
        wanted = frozenset(value) if isinstance(value, tuple) else frozenset([value])
        if op == "not_in":
            return lambda found: wanted.isdisjoint(found)
        return lambda found: not wanted.isdisjoint(found)
    if op == "=":
        return lambda found: found == value
    if op == "!=":
        return lambda found: found != value
    if isinstance(value, tuple) and op in ("in", "not_in"):
        options = frozenset(value)
        return (lambda found: found in options) if op == "in" else (lambda found: found not in options)
    if op == "contains":
        return lambda found: found is not None and value in found
    if isinstance(value, tuple):
        return _between(kind, *value)
    compare = _COMPARE[op]
    return lambda found: found is not None and compare(found, value)


def _between(kind: str, low: Any, high: Any) -> Callable[[Any], bool]:
    """Numbers include both ends; times are `from ≤ t < to`, a time of day may run over midnight."""
    if kind != "time":
        return lambda found: found is not None and low <= found <= high
    if isinstance(low, time) and isinstance(high, time) and low > high:
        return lambda found: found >= low or found < high
    return lambda found: low <= found < high
