"""The programme as a form: points as fields, tiers as columns, what they ask and give as rows.

The form knows where a setting stands in the document and how it is typed; whether it makes sense is
decided by `loyalty.programme.parse` alone, and its mistakes are shown at the fields they are about.
What the form does not show (rules, coupons, a tier's own words) passes through untouched.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.admin.programme_opened import LENGTHS, SLOTS, closed, opened
from loyalty.admin.programme_settings import BEGINNING, CHECKED, SECTIONS, TIERS, UNCHECKED, Setting
from loyalty.errors import ProgrammeInvalid
from loyalty.programme import parse

WHOLE = re.compile(r"-?[0-9]{1,12}")
BETWEEN = re.compile(r"[,，、;；\s]+")


class ProgrammeForm(forms.Form):
    """A document in fields. When it is valid, `document` is the document as edited."""

    def __init__(self, base: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> None:
        self.base = base
        self.initially = dict(values(base))
        super().__init__(data, initial=self.initially)
        for name, setting in settings_of(base):
            self.fields[name] = _field(setting, self.initially[name])

    def clean(self) -> dict[str, Any]:
        """Put what was typed into the document, and have the programme judge it."""
        typed = {name: self._typed(name) for name in self.fields}
        self.document = edited(self.base, {n: t for n, t in typed.items() if t != self.initially[n]})
        try:
            parse(self.document)
        except ProgrammeInvalid as refused:
            for problem in refused.problems:
                self._show(problem["path"], problem["message"])
        return self.cleaned_data

    def _typed(self, name: str) -> str:
        value = self.cleaned_data.get(name, "")
        if isinstance(value, bool):
            return CHECKED if value else UNCHECKED
        return str(value).strip()

    def _show(self, path: str, message: str) -> None:
        name = _name(path)
        if name in self.fields:
            self.add_error(name, message)
        else:
            self.add_error(None, _("%(path)s: %(message)s") % {"path": path, "message": message})


# --- the document in fields --------------------------------------------------------------------------


def settings_of(document: Mapping[str, Any]) -> Iterator[tuple[str, Setting]]:
    """Every setting the form shows for a document, by the name of its field."""
    yield BEGINNING.path, BEGINNING
    for section, settings in SECTIONS.items():
        for setting in settings:
            yield _name(f"{section}.{setting.path}"), setting
    for position in range(len(document["tiers"])):
        for group in TIERS:
            if position == 0 and group.above_lowest:
                continue
            for setting in group.settings:
                yield _name(f"tiers[{position}].{setting.path}"), setting


def values(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the fields show for a document, as text."""
    shown = opened(document)
    for name, setting in settings_of(document):
        yield name, _text(_found(shown, _way(name, setting)), setting.default)


def edited(document: Mapping[str, Any], changed: Mapping[str, str]) -> dict[str, Any]:
    """The document with the changed fields written into it; an emptied field takes its setting away."""
    shown = opened(document)
    for name, setting in settings_of(document):
        if name in changed:
            _put(shown, _way(name, setting), _value(setting, changed[name]))
    return closed(shown, document)


def with_tier(document: Mapping[str, Any], code: str) -> dict[str, Any]:
    """The document with a tier on top, which begins as a copy of the highest."""
    changed = copy.deepcopy(dict(document))
    top = copy.deepcopy(changed["tiers"][-1])
    top["code"], top["name"] = code, {"en": code}
    top.setdefault("qualify", {"all": {"orders": 1}})
    changed["tiers"].append(top)
    return changed


def without(document: Mapping[str, Any], section: str, codes: set[str]) -> dict[str, Any]:
    """The document without the tiers or rules of these codes."""
    changed = copy.deepcopy(dict(document))
    changed[section] = [item for item in changed.get(section, []) if item["code"] not in codes]
    return changed


def _field(setting: Setting, value: str) -> forms.Field:
    if setting.kind == "flag":
        box = forms.CheckboxInput(check_test=lambda checked: checked in (True, CHECKED))
        return forms.BooleanField(label=str(setting.label), required=False, widget=box)
    style = {"class": "sk-input"}
    if setting.kind == "choice":
        choices: dict[str, str | Promise] = dict(setting.choices)
        choices.setdefault(value, value)  # a word of the brand's own, from its file
        return forms.ChoiceField(
            label=str(setting.label), choices=choices, required=False, widget=forms.Select(style)
        )
    if setting is BEGINNING:
        style["placeholder"] = "2027-01-01T00:00:00+08:00"
    if setting is BEGINNING or setting.kind == "list" or _is_words(setting.path):
        return forms.CharField(label=str(setting.label), required=False, widget=forms.TextInput(style))
    number = {"inputmode": "numeric" if setting.kind == "whole" else "decimal", "autocomplete": "off"}
    return forms.CharField(label=str(setting.label), required=False, widget=forms.TextInput(style | number))


# Where the form says something otherwise than the document: places of mistakes, and their fields.
_FIELDS = (
    (r"\.qualify\.(all|any)\b", ".qualify.asked"),
    (r"\.qualify\.growth$", ".qualify.asked.growth"),
    (r"\.qualify$", ".qualify.asked.spend"),
    (r"\.window(\.months)?$", ".window.count"),
    (r"\.keep\.needs\.any\b", ".keep.needs"),
    (r"\.keep\.needs$", ".keep.needs.spend"),
    (rf"\.keep\.({'|'.join(LENGTHS)})$", ".keep.length.count"),
    (r"\.uses\[0\]", f".{SLOTS[0]}"),
    (r"\.uses\[1\]", f".{SLOTS[1]}"),
    (r"\.(use[12]|words)\.name$", r".\1.name.en"),
    (r"\.extra\.words$", ".extra.words.en"),
)


def _name(path: str) -> str:
    """The field of a path; where the form says it otherwise than the document, the field that says it."""
    if path.startswith("points.expiry") and not path.startswith(
        ("points.expiry.form", "points.expiry.round")
    ):
        path = "points.expiry.count"
    for pattern, field in _FIELDS:
        path = re.sub(pattern, field, path)
    return re.sub(r"[.\[]", "-", path.replace("]", ""))


def _is_words(path: str) -> bool:
    """Whether people write words there, and no number."""
    return path.rpartition(".")[2] in ("zh-hans", "en", "code", "badge", "coupon", "gift")


def _way(name: str, setting: Setting) -> list[str | int]:
    """The keys that lead to a setting in an opened document."""
    if setting is BEGINNING:
        return [BEGINNING.path]
    section, *rest = name.split("-")
    start: list[str | int] = [section, int(rest[0])] if section == "tiers" else [section]
    return [*start, *setting.path.split(".")]


def _found(document: Any, way: list[str | int]) -> Any:
    for key in way:
        if isinstance(key, str) and not isinstance(document, dict):
            return None
        document = document[key] if isinstance(key, int) else document.get(key)
    return document


def _put(document: Any, way: list[str | int], value: Any) -> None:
    *groups, last = way
    for key in groups:
        document = document[key] if isinstance(key, int) else document.setdefault(key, {})
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def _text(value: Any, default: str) -> str:
    if value is None:
        return default
    if isinstance(value, bool):
        return CHECKED if value else UNCHECKED
    return ", ".join(value) if isinstance(value, list) else str(value)


def _value(setting: Setting, text: str) -> Any:
    if not text:
        return None
    if setting.kind == "flag":
        return text == CHECKED
    if setting.kind == "list":
        return [word for word in BETWEEN.split(text) if word]
    return int(text) if setting.kind == "whole" and WHOLE.fullmatch(text) else text
