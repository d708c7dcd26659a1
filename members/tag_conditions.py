"""What a tag rule may ask of a member: a small, closed set of conditions, and their words (A13).

Pure. A rule is `{"match": "all" | "any", "rows": [{"fact", "op", "value", "days", "of"}]}`; each row becomes
one Condition. `members.tag_rules` has the SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from members.errors import TagRuleInvalid
from members.facts import CaseKind, EventKind
from members.models import Case, Event
from members.templatetags.amounts import count as written
from members.templatetags.amounts import yuan

MOST_ROWS = 10
MOST_DAYS = 3650
MOST_COUNT = 1_000_000
MOST_YUAN = Decimal("9999999.99")

COUNT, MONEY, DAYS, NOTHING = "count", "money", "days", ""
AT_LEAST, AT_MOST, IS, IS_NOT = "ge", "le", "is", "is_not"

OPERATORS: Final[dict[str, str | Promise]] = {
    AT_LEAST: gettext_lazy("at least"),
    AT_MOST: gettext_lazy("at most"),
    IS: gettext_lazy("is"),
    IS_NOT: gettext_lazy("is not"),
}
MATCHES: Final[dict[str, str | Promise]] = {
    "all": gettext_lazy("all of these hold"),
    "any": gettext_lazy("any of these holds"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that can be asked. value: what it is compared with; of: what it may be narrowed to."""

    label: str | Promise
    operators: tuple[str, ...]
    value: str
    is_windowed: bool = False
    of: str = ""  # channel, event, case or province
    needs_of: bool = False
    needs_days: bool = False


NUMBERS, CHOICES = (AT_LEAST, AT_MOST), (IS, IS_NOT)
FACTS: Final[dict[str, Fact]] = {
    "orders": Fact(gettext_lazy("Number of purchases"), NUMBERS, COUNT, is_windowed=True, of="channel"),
    "spend": Fact(gettext_lazy("Money spent"), NUMBERS, MONEY, is_windowed=True, of="channel"),
    "last_order": Fact(gettext_lazy("Days since the last purchase"), NUMBERS, DAYS),
    "events": Fact(
        gettext_lazy("Visits and clicks"), NUMBERS, COUNT, is_windowed=True, of="event", needs_days=True
    ),
    "cases": Fact(gettext_lazy("Service cases"), NUMBERS, COUNT, is_windowed=True, of="case"),
    "channel": Fact(gettext_lazy("Channel"), CHOICES, NOTHING, of="channel", needs_of=True),
    "province": Fact(gettext_lazy("Province"), CHOICES, NOTHING, of="province", needs_of=True),
    "joined": Fact(gettext_lazy("Days since joining"), NUMBERS, DAYS),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One row. value: a whole number or yuan; days: back from now, None for ever; of: "" for any."""

    fact: str
    op: str
    value: Decimal = Decimal(0)
    days: int | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of the rows all hold, or any."""

    match: str
    rows: tuple[Condition, ...]


def read(document: Any, *, channels: Mapping[str, str]) -> Conditions:
    """The conditions of a rule; `channels` are names by code. Raises TagRuleInvalid, which says why."""
    rows = document.get("rows") if isinstance(document, Mapping) else None
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise TagRuleInvalid(what=_("there is no condition"))
    if len(rows) > MOST_ROWS:
        raise TagRuleInvalid(what=_("at most %(most)s conditions fit into one rule") % {"most": MOST_ROWS})
    if document.get("match") not in MATCHES:
        raise TagRuleInvalid(what=_("say whether all or any of them must hold"))
    return Conditions(document["match"], tuple(read_row(row, channels=channels) for row in rows))


def read_row(row: Any, *, channels: Mapping[str, str]) -> Condition:
    """One row. Raises TagRuleInvalid."""
    told: Mapping[str, Any] = row if isinstance(row, Mapping) else {}
    name = told.get("fact")
    fact = FACTS.get(name) if isinstance(name, str) else None
    if fact is None or name is None:
        raise TagRuleInvalid(what=_("choose what is asked"))
    if told.get("op") not in fact.operators:
        raise TagRuleInvalid(what=_("choose how it compares"))
    of = str(told.get("of") or "").strip() if fact.of else ""
    if (fact.needs_of and not of) or (of and not _is_known(fact.of, of, channels)):
        raise TagRuleInvalid(what=_("choose one that there is"))
    value = _value(fact, told.get("value"))
    if told["op"] == AT_LEAST and fact.value in (COUNT, MONEY) and value == 0:
        raise TagRuleInvalid(what=_("at least nothing is true of everybody"))
    return Condition(name, told["op"], value, _days(fact, told.get("days")), of)


def _is_known(kind: str, of: str, channels: Mapping[str, str]) -> bool:
    return {
        "channel": of in channels,
        "event": of in EventKind.__members__.values(),
        "case": of in CaseKind.__members__.values(),
        "province": len(of) <= 30,
    }[kind]


def _value(fact: Fact, told: Any) -> Decimal:
    if not fact.value:
        return Decimal(0)
    most = {COUNT: Decimal(MOST_COUNT), MONEY: MOST_YUAN, DAYS: Decimal(MOST_DAYS)}[fact.value]
    places = 2 if fact.value == MONEY else 0
    try:
        value = Decimal(str(told).strip() if told is not None else "")
    except InvalidOperation:
        raise TagRuleInvalid(what=_("a number is missing")) from None
    if not value.is_finite() or not 0 <= value <= most or value != round(value, places):
        raise TagRuleInvalid(what=_("a number from 0 to %(most)s is wanted") % {"most": f"{most:,}"})
    return round(value, places)


def _days(fact: Fact, told: Any) -> int | None:
    text = str(told).strip() if told is not None else ""
    if not fact.is_windowed:
        return None
    if not text and not fact.needs_days:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST_DAYS):
        raise TagRuleInvalid(what=_("say of how many days, 1 to %(most)s") % {"most": MOST_DAYS})
    return int(text)


def as_document(conditions: Conditions) -> dict[str, Any]:
    """The conditions as they are kept."""
    return {
        "match": conditions.match,
        "rows": [
            {"fact": row.fact, "op": row.op, "value": str(row.value), "days": row.days, "of": row.of}
            for row in conditions.rows
        ],
    }


# -- in words ----------------------------------------------------------------------------------------------


def sentence(conditions: Conditions, *, channels: Mapping[str, str]) -> str:
    """Who is meant, in the language that is active."""
    rows = pgettext("between the conditions of a tag rule", "; ").join(
        row_in_words(row, channels=channels) for row in conditions.rows
    )
    if len(conditions.rows) == 1:
        return _("Members with: %(rows)s") % {"rows": rows}
    if conditions.match == "all":
        return _("Members with all of: %(rows)s") % {"rows": rows}
    return _("Members with any of: %(rows)s") % {"rows": rows}


def row_in_words(row: Condition, *, channels: Mapping[str, str]) -> str:
    """One condition in words."""
    number = yuan(row.value) if FACTS[row.fact].value == MONEY else written(int(row.value))
    words = {
        "number": number,
        "window": _("in the last %(days)s days") % {"days": row.days} if row.days else _("ever"),
        "where": _where(row, channels),
        "what": _what(row),
    }
    return _templates()[row.fact, row.op] % words


def _where(row: Condition, channels: Mapping[str, str]) -> str:
    if FACTS[row.fact].of != "channel":
        return row.of
    return _("in %(channel)s") % {"channel": channels.get(row.of, row.of)} if row.of else _("in any channel")


def _what(row: Condition) -> str:
    kind = FACTS[row.fact].of
    if kind == "event":
        return str(Event.Kind(row.of).label) if row.of else _("Did anything")
    if kind == "case":
        return str(Case.Kind(row.of).label) if row.of else _("of any kind")
    return row.of


def _templates() -> Mapping[tuple[str, str], str]:
    return {
        ("orders", AT_LEAST): _("%(number)s or more purchases %(where)s, %(window)s"),
        ("orders", AT_MOST): _("%(number)s or fewer purchases %(where)s, %(window)s"),
        ("spend", AT_LEAST): _("%(number)s or more spent %(where)s, %(window)s"),
        ("spend", AT_MOST): _("%(number)s or less spent %(where)s, %(window)s"),
        ("last_order", AT_LEAST): _("a last purchase %(number)s or more days ago"),
        ("last_order", AT_MOST): _("a last purchase %(number)s or fewer days ago"),
        ("events", AT_LEAST): _("“%(what)s” %(number)s or more times, %(window)s"),
        ("events", AT_MOST): _("“%(what)s” %(number)s or fewer times, %(window)s"),
        ("cases", AT_LEAST): _("%(number)s or more service cases (%(what)s), %(window)s"),
        ("cases", AT_MOST): _("%(number)s or fewer service cases (%(what)s), %(window)s"),
        ("channel", IS): _("an account %(where)s"),
        ("channel", IS_NOT): _("no account %(where)s"),
        ("province", IS): _("a home in %(where)s"),
        ("province", IS_NOT): _("no home in %(where)s"),
        ("joined", AT_LEAST): _("a membership of %(number)s or more days"),
        ("joined", AT_MOST): _("a membership of %(number)s or fewer days"),
    }
