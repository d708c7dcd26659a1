"""The document opened for the form: alternatives stand side by side, so that each is one field; and closed.

`closed(opened(document))` is the document again, whatever is in it that the form does not show.
"""

import copy
from collections.abc import Mapping
from typing import Any

SLOTS = ("use1", "use2")
LENGTHS = ("months", "years", "anniversaries")


def opened(document: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which alternatives of the document stand side by side."""
    found = copy.deepcopy(dict(document))
    for section in ("points", "growth", "benefit_value", "quotes"):
        found[section] = dict(found.get(section) or {})
    found["points"]["expiry"] = _expiry_opened(found["points"].get("expiry"))
    for tier in found["tiers"]:
        if "qualify" in tier:
            tier["qualify"] = _qualify_opened(tier["qualify"])
        if "keep" in tier:
            tier["keep"] = _keep_opened(tier["keep"])
        benefits = tier["benefits"] = dict(tier.get("benefits") or {})
        uses = list(benefits.pop("uses", None) or [])
        benefits |= dict(zip(SLOTS, uses, strict=False))
        benefits["more_uses"] = uses[len(SLOTS) :]
    return found


def closed(found: dict[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of `opened`; `document` is what was opened, for what it said although it is empty."""
    expiry = _expiry_closed(found["points"].pop("expiry"))
    if expiry is not None:
        found["points"]["expiry"] = expiry
    for section in ("points", "growth", "benefit_value", "quotes"):
        _drop_empty(found[section], "weights", "service")
        if not found[section] and section not in document:
            del found[section]
    for tier, before in zip(found["tiers"], document["tiers"], strict=True):
        if "qualify" in tier:
            tier["qualify"] = _qualify_closed(tier["qualify"])
        if "keep" in tier:
            tier["keep"] = _keep_closed(tier["keep"])
        _close_benefits(tier, before)
    return found


def _close_benefits(tier: dict[str, Any], before: Mapping[str, Any]) -> None:
    benefits = tier["benefits"]
    slots = [benefits.pop(slot, None) for slot in SLOTS]
    for slot in slots:
        if slot and not slot.get("name", True):
            del slot["name"]
    uses = [slot for slot in slots if slot] + benefits.pop("more_uses")
    if uses:
        benefits["uses"] = uses
    _drop_empty(benefits, "birthday")
    extra = benefits.get("extra")
    if extra is not None:
        _drop_empty(extra, "words")
        _drop_empty(benefits, "extra")
    if not benefits and "benefits" not in before:
        del tier["benefits"]


def _drop_empty(group: dict[str, Any], *keys: str) -> None:
    for key in keys:
        if key in group and group[key] in ({}, None):
            del group[key]


def _qualify_opened(qualify: dict[str, Any]) -> dict[str, Any]:
    mode = "any" if "any" in qualify else "all"
    asked = qualify.pop(mode, None) or {}
    if "growth" in qualify:
        asked = {"growth": qualify.pop("growth")}
        qualify["growth_alone"] = True
    qualify["asked"], qualify["mode"] = asked, mode
    window = qualify.pop("window", None)
    if window:
        ((form, count),) = window.items()
        qualify["window"] = {"form": form, "count": count if form == "months" else None}
    return qualify


def _qualify_closed(qualify: dict[str, Any]) -> dict[str, Any]:
    asked, mode = qualify.pop("asked", {}), qualify.pop("mode", "all")
    window = qualify.pop("window", {})
    form, count = window.get("form") or "months", window.get("count")
    closed: dict[str, Any] = {}
    if form == "months" and count is not None:
        closed["window"] = {"months": count}
    elif form == "calendar":
        closed["window"] = {"calendar": "year"}
    elif form == "anniversary":
        closed["window"] = {"anniversary": "joined"}
    if qualify.pop("growth_alone", False) and set(asked) == {"growth"}:
        closed["growth"] = asked["growth"]
    elif asked:
        closed[mode] = asked
    return closed | qualify


def _keep_opened(keep: dict[str, Any]) -> dict[str, Any]:
    said = [word for word in LENGTHS if word in keep]
    length = {"form": said[0], "count": keep.pop(said[0])} if said else {}
    needs = keep.get("needs")
    if needs and "any" in needs:
        keep["needs"] = {**needs["any"], "mode": "any"}
    return {"length": length, **keep}


def _keep_closed(keep: dict[str, Any]) -> dict[str, Any]:
    length = keep.pop("length", {})
    if length.get("count") is not None:
        keep = {length.get("form") or "months": length["count"], **keep}
    needs = keep.pop("needs", None)
    if needs is not None:
        mode = needs.pop("mode", "all")
        if needs:
            keep["needs"] = {"any": needs} if mode == "any" else needs
    return keep


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
