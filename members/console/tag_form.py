"""A tag rule as rows of plain choices: [what is asked ▾] [at least ▾] [3] [where ▾] [of … days] (A13).

What is typed becomes rows, and rows become the rule's document. What is wrong is said by `tag_conditions`
and shown at the row that it is about. Adding and dropping rows are buttons: nothing here needs a script.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from members import tag_conditions
from members.errors import TagRuleInvalid
from members.models import Case, Event
from members.tag_conditions import FACTS, MATCHES, MONEY, MOST_ROWS, OPERATORS, Condition, Conditions

PARTS = ("fact", "op", "value", "days", "of")
_NUMBER = re.compile(r"row(\d{1,2})\.fact")


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str | Promise
    is_chosen: bool


@dataclass(slots=True)
class Row:
    """One row as it is typed."""

    number: int
    typed: Mapping[str, str]
    channels: Mapping[str, str]
    error: str = ""

    @property
    def fact(self) -> tag_conditions.Fact | None:
        """What is asked, once that is chosen."""
        return FACTS.get(self.typed.get("fact", ""))

    @property
    def facts(self) -> list[Option]:
        """Everything that can be asked."""
        return self._options("fact", {name: fact.label for name, fact in FACTS.items()})

    @property
    def operators(self) -> list[Option]:
        """How the fact compares."""
        return self._options("op", {op: OPERATORS[op] for op in self.fact.operators} if self.fact else {})

    @property
    def choices(self) -> list[Option]:
        """What the fact can be narrowed to; none where it is typed."""
        kind = self.fact.of if self.fact else ""
        any_of = {} if self.fact and self.fact.needs_of else {"": _("any")}
        if kind == "channel":
            return self._options("of", any_of | dict(self.channels))
        if kind == "event":
            return self._options("of", any_of | dict(Event.Kind.choices))
        if kind == "case":
            return self._options("of", any_of | dict(Case.Kind.choices))
        return []

    @property
    def is_typed(self) -> bool:
        """Whether what it is narrowed to is typed: there are too many provinces to choose from."""
        return bool(self.fact and self.fact.of == "province")

    @property
    def unit(self) -> str:
        """What stands before the number."""
        return "¥" if self.fact and self.fact.value == MONEY else ""

    def _options(self, name: str, labels: Mapping[str, str | Promise]) -> list[Option]:
        chosen = self.typed.get(name, "")
        return [Option(value, label, value == chosen) for value, label in labels.items()]


@dataclass(slots=True)
class Form:
    """A rule as it is typed; `conditions` is None while something is wrong with it."""

    name: str
    match: str
    rows: list[Row]
    channels: Mapping[str, str]
    conditions: Conditions | None = None
    error: str = ""
    finished: list[Condition] = field(default_factory=list)

    @property
    def matches(self) -> list[Option]:
        """Whether all or any must hold."""
        return [Option(value, label, value == self.match) for value, label in MATCHES.items()]

    @property
    def has_room(self) -> bool:
        """Whether another row fits."""
        return len(self.rows) < MOST_ROWS

    @property
    def sentence(self) -> str:
        """What is finished of it, in words."""
        if not self.finished:
            return ""
        known = Conditions(self.match, tuple(self.finished))
        return tag_conditions.sentence(known, channels=self.channels)

    def read(self, *, marks: bool) -> None:
        """Read the rows; with `marks` what is wrong is shown at them."""
        self.finished = []
        for row in self.rows:
            try:
                self.finished.append(tag_conditions.read_row(row.typed, channels=self.channels))
            except TagRuleInvalid as wrong:
                row.error = str(wrong.details["what"]) if marks else ""
        if self.rows and len(self.finished) == len(self.rows):
            self.conditions = Conditions(self.match, tuple(self.finished))


def opened(document: Mapping[str, Any] | None, name: str, channels: Mapping[str, str]) -> Form:
    """The form of a rule as it is kept; with one empty row for a new one."""
    document = document or {"match": "all", "rows": [{}]}
    rows = [
        Row(number, {part: _text(row.get(part)) for part in PARTS}, channels)
        for number, row in enumerate(document["rows"])
    ]
    form = Form(name, document["match"], rows, channels)
    form.read(marks=False)
    return form


def posted(data: QueryDict, name: str, channels: Mapping[str, str]) -> Form:
    """The form as it was sent, after what its button does to the rows."""
    action = data.get("do", "")
    numbers = sorted({int(found[1]) for key in data if (found := _NUMBER.fullmatch(key))})[:MOST_ROWS]
    typed = [
        {part: data.get(f"row{number}.{part}", "").strip() for part in PARTS}
        for number in numbers
        if action != f"drop:{number}"
    ]
    if (action == "add" and len(typed) < MOST_ROWS) or not typed:
        typed.append(dict.fromkeys(PARTS, ""))
    match = data.get("match", "all")
    rows = [Row(number, row, channels) for number, row in enumerate(typed)]
    form = Form(name, match if match in MATCHES else "all", rows, channels)
    form.read(marks=action in ("count", "save"))
    return form


def _text(value: object) -> str:
    return "" if value is None else str(value)
