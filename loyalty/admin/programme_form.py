"""The programme as a form: points as fields, tiers as columns, what they ask and give as rows.

The form knows where a setting stands in the document and how it is typed; whether it makes sense is
decided by `loyalty.programme.parse` alone, and its mistakes are shown at the fields they are about.
What the form does not show (rules, coupons, a tier's own words) passes through untouched.
"""

import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from loyalty.comparison import CHOICES
from loyalty.errors import ProgrammeInvalid
from loyalty.programme import parse

Choices = tuple[tuple[str, Promise], ...]
Kind = Literal["text", "whole", "flag", "choice"]
WHOLE = re.compile(r"-?[0-9]{1,12}")
CHECKED, UNCHECKED = "true", "false"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the document: its label, where it stands, its type, and what holds without it."""

    label: Promise
    path: str
    kind: Kind = "text"
    default: str = ""
    choices: Choices = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that people read together."""

    label: Promise
    settings: tuple[Setting, ...]
    # The lowest tier is everybody's: it asks for nothing and cannot be lost.
    above_lowest: bool = False


EXPIRY_FORMS: Choices = (
    ("never", _("never")),
    ("months", _("months after earning")),
    ("days", _("days after earning")),
    ("years", _("at the end of a later year")),
)
ROUNDINGS: Choices = (
    ("", _("to the day")),
    ("month_end", _("to the end of the month")),
    ("year_end", _("to the end of the year")),
)
SHORTAGES: Choices = tuple(CHOICES["refund_shortage"].items())
SHIPPING: Choices = tuple(CHOICES["benefits.shipping"].items())
SERVICE: Choices = tuple(CHOICES["benefits.service"].items())

BEGINNING = Setting(_("Holds from (empty: from when it is published)"), "effective_from")

POINTS = (
    Setting(_("Points per yuan"), "base_per_yuan", default="1"),
    Setting(_("Days until points ripen"), "pending_days", "whole", "0"),
    Setting(_("Points expire"), "expiry.form", "choice", "never", EXPIRY_FORMS),
    Setting(_("After how many"), "expiry.count", "whole"),
    Setting(_("Rounded up"), "expiry.round_up_to", "choice", "", ROUNDINGS),
    Setting(_("Refund of points already spent"), "refund_shortage", "choice", "debt", SHORTAGES),
    Setting(_("Days of grace for re-issued points"), "reissue_grace_days", "whole", "30"),
    Setting(_("Receipt is assumed after days"), "assume_received_after_days", "whole", "15"),
    Setting(_("A second person approves adjustments above"), "adjust_limit", "whole", "1000"),
    Setting(_("What is paid with points earns points"), "points_paid_earns", "flag", UNCHECKED),
)

TIERS = (
    Group(
        _("Names"),
        (
            Setting(_("Chinese name"), "name.zh-hans"),
            Setting(_("English name"), "name.en"),
        ),
    ),
    Group(
        _("What it asks"),
        (
            Setting(_("Spend, yuan"), "qualify.asked.spend"),
            Setting(_("Number of orders"), "qualify.asked.orders", "whole"),
            Setting(_("Needed"), "qualify.mode", "choice", "all", tuple(CHOICES["qualify.mode"].items())),
            Setting(_("Within months"), "qualify.window.months", "whole", "12"),
        ),
        above_lowest=True,
    ),
    Group(
        _("How it lasts"),
        (
            Setting(_("Months"), "keep.months", "whole", "12"),
            Setting(_("Days of grace"), "keep.grace_days", "whole", "0"),
            Setting(
                _("Then down"),
                "keep.down",
                "choice",
                "one",
                tuple(CHOICES["keep.down"].items()),
            ),
            Setting(
                _("On a refund"),
                "keep.on_refund",
                "choice",
                "keep",
                tuple(CHOICES["keep.on_refund"].items()),
            ),
        ),
        above_lowest=True,
    ),
    Group(
        _("What it gives"),
        (
            Setting(_("Share of the price paid"), "benefits.discount", default="1"),
            Setting(_("Points coefficient"), "benefits.coefficient", default="1"),
            Setting(_("Points for one yuan"), "benefits.points_per_yuan", "whole", "100"),
            Setting(_("Shipping"), "benefits.shipping", "choice", "none", SHIPPING),
            Setting(_("Service"), "benefits.service", "choice", "standard", SERVICE),
            Setting(_("Birthday factor"), "benefits.birthday.factor"),
        ),
    ),
)


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
    for setting in POINTS:
        yield _name(f"points.{setting.path}"), setting
    for position in range(len(document["tiers"])):
        for group in TIERS:
            if position == 0 and group.above_lowest:
                continue
            for setting in group.settings:
                yield _name(f"tiers[{position}].{setting.path}"), setting


def values(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What the fields show for a document, as text."""
    opened = _opened(document)
    for name, setting in settings_of(document):
        yield name, _text(_found(opened, _way(name, setting)), setting.default)


def edited(document: Mapping[str, Any], changed: Mapping[str, str]) -> dict[str, Any]:
    """The document with the changed fields written into it; an emptied field takes its setting away."""
    opened = _opened(document)
    for name, setting in settings_of(document):
        if name in changed:
            _put(opened, _way(name, setting), _value(setting, changed[name]))
    return _closed(opened)


def digest(document: Mapping[str, Any]) -> str:
    """A short name of a document's content, to notice that somebody else edited it meanwhile."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]


def to_edit(document: Mapping[str, Any], *, is_published: bool) -> dict[str, Any]:
    """What an edit begins from. The next version does not begin when the published one began."""
    return {key: value for key, value in document.items() if not is_published or key != BEGINNING.path}


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
    if setting is BEGINNING or setting.path.startswith("name."):
        return forms.CharField(label=str(setting.label), required=False, widget=forms.TextInput(style))
    number = {"inputmode": "numeric" if setting.kind == "whole" else "decimal", "autocomplete": "off"}
    return forms.CharField(label=str(setting.label), required=False, widget=forms.TextInput(style | number))


def _name(path: str) -> str:
    """The field of a path; where the form says it otherwise than the document, the field that says it."""
    if path.startswith("points.expiry") and not path.startswith(
        ("points.expiry.form", "points.expiry.round")
    ):
        path = "points.expiry.count"
    path = re.sub(r"\.qualify\.(all|any)\b", ".qualify.asked", path)
    path = re.sub(r"\.qualify$", ".qualify.asked.spend", path)
    return re.sub(r"[.\[]", "-", path.replace("]", ""))


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
    return str(value)


def _value(setting: Setting, text: str) -> Any:
    if not text:
        return None
    if setting.kind == "flag":
        return text == CHECKED
    return int(text) if setting.kind == "whole" and WHOLE.fullmatch(text) else text


def _opened(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which alternatives of the document stand side by side, so that each is one field."""
    opened = copy.deepcopy(dict(document))
    opened["points"] = points = dict(opened.get("points") or {})
    points["expiry"] = _expiry_opened(points.get("expiry"))
    for tier in opened["tiers"]:
        if "qualify" in tier:
            qualify = tier["qualify"]
            mode = "any" if "any" in qualify else "all"
            qualify["asked"], qualify["mode"] = qualify.pop(mode, {}), mode
    return opened


def _closed(opened: dict[str, Any]) -> dict[str, Any]:
    """The opposite of `_opened`."""
    points = opened["points"]
    expiry = _expiry_closed(points.pop("expiry"))
    if expiry is not None:
        points["expiry"] = expiry
    if not points:
        del opened["points"]
    for tier in opened["tiers"]:
        if "qualify" in tier:
            asked, mode = tier["qualify"].pop("asked"), tier["qualify"].pop("mode", "all")
            if asked:
                tier["qualify"][mode] = asked
        if not (tier.get("benefits") or {}).get("birthday", True):
            del tier["benefits"]["birthday"]
    return opened


def _expiry_opened(expiry: Any) -> dict[str, Any]:
    if not isinstance(expiry, dict):
        return {"form": expiry} if expiry else {}
    if "at" in expiry:
        return {"form": "years", "count": expiry.get("years", 1)}
    ((unit, count),) = expiry["after"].items()
    return {"form": unit, "count": count, "round_up_to": expiry.get("round_up_to")}


def _expiry_closed(opened: dict[str, Any]) -> Any:
    form, count = opened.get("form"), opened.get("count")
    if form in (None, "never"):
        return form
    if form == "years":
        return {"at": "year_end", "years": count}
    rounding = {"round_up_to": opened["round_up_to"]} if opened.get("round_up_to") else {}
    return {"after": {form: count}, **rounding}
