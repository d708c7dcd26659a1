"""How a rule's rows look: which fields and operators can be chosen, and with what a value is given (B5).

Pure. Templates walk what is made here; words come in the language that is active.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from loyalty.conditions import MAX_DEPTH
from loyalty.console.rule_rows import CLOCK, LISTED, PAIRED, Group, Row
from loyalty.rule_choices import RuleChoices
from loyalty.sentences import FIELD_NAMES

FIELD_GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
    (
        gettext_lazy("Order"),
        ("order.channel", "order.store", "order.paid", "order.first"),
    ),
    (
        pgettext_lazy("fields of rules", "When"),
        ("order.time", CLOCK, "order.weekday", "order.day", "order.is_member_day"),
    ),
    (pgettext_lazy("fields of rules", "Bought"), ("line.category", "line.product", "line.amount")),
    (
        pgettext_lazy("fields of rules", "Who"),
        (
            "member.tier",
            "member.tags",
            "member.is_birthday",
            "member.is_birthday_week",
            "member.birthday_month",
            "member.joined_days",
            "member.repurchases_year",
            "member.purchases_90d",
            "member.average_order_90d",
        ),
    ),
)
FIELD_LABELS: dict[str, Promise] = {
    **FIELD_NAMES,
    "order.time": gettext_lazy("date and time of the order"),
    CLOCK: gettext_lazy("time of day"),
}
OPERATOR_LABELS: dict[str, Promise] = {
    "=": pgettext_lazy("operator", "is"),
    "!=": pgettext_lazy("operator", "is not"),
    "<": pgettext_lazy("operator", "is below"),
    "<=": pgettext_lazy("operator", "is at most"),
    ">": pgettext_lazy("operator", "is above"),
    ">=": pgettext_lazy("operator", "is at least"),
    "in": pgettext_lazy("operator", "is one of"),
    "not_in": pgettext_lazy("operator", "is none of"),
    "between": pgettext_lazy("operator", "is from … to"),
    "contains": pgettext_lazy("operator", "contains"),
}
OF_TIMES: dict[str, Promise] = {
    "<": pgettext_lazy("operator", "is before"),
    "<=": pgettext_lazy("operator", "is not after"),
    ">": pgettext_lazy("operator", "is after"),
    ">=": pgettext_lazy("operator", "is not before"),
    "between": pgettext_lazy("operator", "is from … to before"),
}
OF_SETS: dict[str, Promise] = {
    "contains": pgettext_lazy("operator", "include"),
    "in": pgettext_lazy("operator", "include one of"),
    "not_in": pgettext_lazy("operator", "include none of"),
}
GROUP_LABELS: dict[str, Promise] = {
    "all": gettext_lazy("all of these hold"),
    "any": gettext_lazy("any of these holds"),
    "none": gettext_lazy("none of these holds"),
}
TYPES = {"time": "datetime-local", "clock": "time"}


class Option(NamedTuple):
    """One choice of a list; `is_chosen` marks what is chosen now."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row. `widget`: choose (one), tick (several) or type; typed values stand in `typed`."""

    path: str
    name: str
    fields: Sequence[tuple[str, Sequence[Option]]]
    operators: Sequence[Option]
    widget: str
    options: Sequence[Option] = ()
    typed: Sequence[str] = ()
    input_type: str = "text"
    input_mode: str = ""
    unit: str = ""
    suggestions: str = ""
    was: str = ""
    errors: Sequence[str] = ()
    is_row: bool = True

    @property
    def id(self) -> str:
        """The row as an element of the page."""
        return self.path.replace(".", "-")


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """Rows that belong together, and how."""

    path: str
    kinds: Sequence[Option]
    parts: "Sequence[ShownRow | ShownGroup]"
    depth: int
    kind: str = "one"
    errors: Sequence[str] = field(default=())
    is_row: bool = False

    @property
    def id(self) -> str:
        """The group as an element of the page."""
        return self.path.replace(".", "-")

    @property
    def may_nest(self) -> bool:
        """Whether a group within it could still be read."""
        return self.depth < MAX_DEPTH - 1


def group(shown: Group, choices: RuleChoices) -> ShownGroup:
    """A group as the page shows it, with everything in it."""
    return ShownGroup(
        path=shown.path,
        kind=shown.kind,
        kinds=[Option(kind, str(label), kind == shown.kind) for kind, label in GROUP_LABELS.items()],
        parts=[
            group(part, choices) if isinstance(part, Group) else row(part, choices) for part in shown.parts
        ],
        depth=shown.depth,
        errors=shown.errors,
    )


def row(shown: Row, choices: RuleChoices) -> ShownRow:
    """A row as the page shows it."""
    options = _options(shown, choices)
    widget = "none" if not shown.name else "type"
    if options:
        widget = "tick" if shown.op in LISTED else "choose"
    return ShownRow(
        path=shown.path,
        name=shown.name,
        fields=_fields(shown.name),
        operators=_operators(shown),
        widget=widget,
        options=options,
        typed=_typed(shown),
        input_type=TYPES.get(shown.kind, "text"),
        input_mode={"money": "decimal", "whole": "numeric"}.get(shown.kind, ""),
        unit="¥" if shown.kind == "money" else "",
        suggestions=shown.name if shown.name in choices.suggestions else "",
        was=json.dumps(shown.was, ensure_ascii=False),
        errors=shown.errors,
    )


def _fields(chosen: str) -> list[tuple[str, list[Option]]]:
    known = {name for _label, names in FIELD_GROUPS for name in names}
    shown = [
        (str(label), [Option(name, _label_of(name), name == chosen) for name in names])
        for label, names in FIELD_GROUPS
    ]
    if chosen and chosen not in known:  # from a file: segments are not there to choose yet
        shown.append((_("Other"), [Option(chosen, _label_of(chosen), True)]))
    return shown


def _label_of(name: str) -> str:
    return str(FIELD_LABELS.get(name, name))


def _operators(shown: Row) -> list[Option]:
    labels = OPERATOR_LABELS
    if shown.kind in ("time", "clock"):
        labels = OPERATOR_LABELS | OF_TIMES
    elif shown.kind == "set":
        labels = OPERATOR_LABELS | OF_SETS
    return [Option(op, str(labels[op]), op == shown.op) for op in shown.operators]


def _options(shown: Row, choices: RuleChoices) -> list[Option]:
    """What can be chosen, and what was chosen that is not there any more."""
    found = list(_choices(shown, choices))
    if not found:
        return []
    known = {value for value, _label in found}
    chosen = shown.texts if shown.op in LISTED else shown.texts[:1]
    found += [(text, text) for text in chosen if text not in known]
    if shown.op not in LISTED and not chosen:
        found.insert(0, ("", _("Choose")))
    return [Option(value, label, value in chosen) for value, label in found]


def _choices(shown: Row, choices: RuleChoices) -> Sequence[tuple[str, str]]:
    if shown.op in PAIRED:
        return ()
    if shown.kind == "flag":
        return [
            ("true", str(pgettext_lazy("answer", "yes"))),
            ("false", str(pgettext_lazy("answer", "no"))),
        ]
    if shown.kind == "month":
        months = [(str(number), str(name)) for number, name in MONTHS.items()]
        return [("true", _("the month of the order")), *months] if shown.op in ("=", "!=") else months
    if shown.name == "order.day" and shown.op in (*LISTED, "=", "!="):
        return [(str(day), str(day)) for day in range(1, 32)]
    return choices.options.get(shown.name, ())


def _typed(shown: Row) -> list[str]:
    if shown.op in PAIRED:
        return [*shown.texts, "", ""][:2]
    if shown.op in LISTED:
        return [*shown.texts, ""]
    return [*shown.texts, ""][:1]


def prize_options(chosen: Mapping[str, str], choices: RuleChoices) -> dict[str, list[Option]]:
    """The coupons, gifts and tiers that a rule can give; nothing first."""
    found: dict[str, list[Option]] = {}
    for kind, named in choices.prizes.items():
        given = chosen.get(kind, "")
        known = [("", "–"), *named]
        if given and given not in dict(known):
            known.append((given, given))
        found[kind] = [Option(code, name, code == given) for code, name in known]
    return found
