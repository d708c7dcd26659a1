"""An earning rule as a form: when, then, limits. A rule becomes a form and the form the same rule again (B5).

Pure. The document's own reading decides what is right (`loyalty.programme`); its answers are shown beside the
fields they are about.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.console import rule_rows
from loyalty.console.rule_rows import WHOLE, Group, Posted, instant_text, local_text

PRIZES = ("coupon", "gift", "tier")
NUMBERS = {
    "bonus": ("then", "bonus"),
    "per_member_day": ("limits", "per_member_day"),
    "per_member_month": ("limits", "per_member_month"),
    "per_member": ("limits", "per_member"),
    "budget": ("limits", "budget"),
}
TEXTS = {
    "code": ("code",),
    "name_zh": ("name", "zh-hans"),
    "name_en": ("name", "en"),
    "factor": ("then", "factor"),
    "coupon": ("then", "coupon"),
    "gift": ("then", "gift"),
    "tier": ("then", "tier"),
}
TIMES = {"from": ("from",), "to": ("to",)}
FLAGS = {"exclusive": ("exclusive",), "stack": ("stack",)}
LIMIT_LABELS: dict[str, Promise] = {
    "per_member_day": _("A member and day"),
    "per_member_month": _("A member and month"),
    "per_member": _("A member in all"),
    "budget": _("Budget, all members together"),
}


@dataclass(slots=True)
class RuleForm:
    """What the page shows of a rule: its rows, and its other fields as text by their names."""

    base: Mapping[str, Any]
    zone: ZoneInfo
    rows: Group
    texts: dict[str, str]
    errors: dict[str, list[str]] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    places: dict[str, rule_rows.Node] = field(default_factory=dict)

    def show(self, problems: Sequence[Mapping[str, str]]) -> None:
        """Show mistakes (`{path, message}`, below the rule) at the rows and fields that they are about."""
        fields = {".".join(way): name for name, way in (NUMBERS | TEXTS | TIMES | FLAGS).items()}
        others = rule_rows.show_errors(self.places, [each for each in problems if _is_of_rows(each)])
        for problem in [*(each for each in problems if not _is_of_rows(each)), *others]:
            self.errors.setdefault(fields.get(problem["path"], problem["path"]), []).append(
                problem["message"]
            )

    @property
    def has_errors(self) -> bool:
        """Whether anything is marked."""
        return bool(self.errors) or any(node.errors for node in rule_rows.nodes(self.rows))


def _is_of_rows(problem: Mapping[str, str]) -> bool:
    return problem["path"].split(".")[0].split("[")[0] == rule_rows.ROOT


def opened(rule: Mapping[str, Any], zone: ZoneInfo) -> RuleForm:
    """The form of a rule as it is written."""
    texts = {name: _text(_found(rule, way)) for name, way in (NUMBERS | TEXTS).items()}
    texts |= {name: local_text(_text(_found(rule, way)), zone) for name, way in TIMES.items()}
    texts |= {name: "true" if _found(rule, way) is True else "" for name, way in FLAGS.items()}
    return _finished(RuleForm(rule, zone, rule_rows.opened(rule.get("when"), zone), texts))


def posted(rule: Mapping[str, Any], data: Posted, zone: ZoneInfo, action: str = "") -> RuleForm:
    """The form as it was sent for a rule (as written before, {} for a new one), after a button's action."""
    names = NUMBERS | TEXTS | TIMES | FLAGS
    texts = {name: data.get(name, "").strip() for name in names}
    rows = rule_rows.with_action(rule_rows.posted(data), action)
    return _finished(RuleForm(rule, zone, rows, texts))


def _finished(form: RuleForm) -> RuleForm:
    """With the document that the form says: what was not touched stands in it as it stood."""
    document = copy.deepcopy(dict(form.base))
    for name, way in TEXTS.items():
        _put(document, way, form.texts[name] or None)
    if document.get("name") == {}:  # a rule without a name goes by its code
        del document["name"]
    for name, way in NUMBERS.items():
        text = form.texts[name]
        _put(document, way, int(text) if WHOLE.fullmatch(text) else text or None)
    for name, way in TIMES.items():
        was = _text(_found(form.base, way))
        text = form.texts[name]
        _put(document, way, instant_text(text, form.zone, was) if text else None)
    for name, way in FLAGS.items():
        if form.texts[name] or _found(document, way) is not None:
            _put(document, way, bool(form.texts[name]))
    rows = rule_rows.written(form.rows, form.zone)
    _put(document, ("when",), rows.when)
    form.document, form.places = document, rows.places
    return form


def _found(document: Mapping[str, Any], way: Sequence[str]) -> Any:
    found: Any = document
    for key in way:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _put(document: dict[str, Any], way: Sequence[str], value: Any) -> None:
    """Write a value; None takes away what is there."""
    *outer, last = way
    for key in outer:
        if not isinstance(document.get(key), dict):
            if value is None:
                return
            document[key] = {}
        document = document[key]
    if value is not None:
        document[last] = value
    elif document.get(last) is not None:
        del document[last]


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
