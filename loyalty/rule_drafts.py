"""The rules of the draft: written, moved, copied, ended and taken away (B5).

Each verb answers the document as it would be; `edit` makes it the draft. Whether it makes sense is decided by
`loyalty.programme.parse` alone.
"""

import copy
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from loyalty import publishing
from loyalty.errors import DraftChanged, ProgrammeMissing, RuleNotFound
from loyalty.models import ProgrammeVersion
from loyalty.publishing import Loaded
from loyalty.reading import CODE

Document = dict[str, Any]
LONGEST_CODE = 50


def base() -> ProgrammeVersion:
    """What is edited: the draft, or else the newest version. Raises ProgrammeMissing."""
    found = publishing.current_draft() or publishing.newest()
    if found is None:
        raise ProgrammeMissing
    return found


def edit(change: Callable[[Document], Document], *, actor: User | None, seen: str) -> Loaded:
    """Make a change of the draft; seen: the digest of the document that its author looked at.

    Raises DraftChanged when it is another by now, ProgrammeInvalid, RuleNotFound and ProgrammeMissing.
    """
    version = base()
    if publishing.digest(version.document) != seen:
        raise DraftChanged
    return publishing.draft(change(publishing.to_edit(version)), actor=actor, seen=version.document)


def rules_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules of a document as they are written, highest priority first."""
    return list(document.get("rules") or ())


def find(document: Mapping[str, Any], code: str) -> dict[str, Any]:
    """One rule as it is written. Raises RuleNotFound."""
    return rules_of(document)[place(document, code)]


def place(document: Mapping[str, Any], code: str) -> int:
    """Where a rule stands, 0 first. Raises RuleNotFound."""
    for position, rule in enumerate(rules_of(document)):
        if rule.get("code") == code:
            return position
    raise RuleNotFound


# --- the document as it would be -----------------------------------------------------------------------


def written(document: Mapping[str, Any], code: str, rule: Mapping[str, Any]) -> Document:
    """With a rule in place of the one called `code`; with '' as a new one, behind all others."""
    changed, rules = _opened(document)
    if code:
        rules[place(document, code)] = dict(rule)
    else:
        rules.append(dict(rule))
    return changed


def moved(document: Mapping[str, Any], code: str, by: int) -> Document:
    """With a rule `by` places further down (up: negative), as far as there are places."""
    changed, rules = _opened(document)
    at = place(document, code)
    rules.insert(max(0, min(len(rules) - 1, at + by)), rules.pop(at))
    return changed


def copied(document: Mapping[str, Any], code: str) -> Document:
    """With a copy right behind a rule, under a code of its own (`new_code`)."""
    changed, rules = _opened(document)
    at = place(document, code)
    rules.insert(at + 1, copy.deepcopy(rules[at]) | {"code": new_code(document, code)})
    return changed


def ended(document: Mapping[str, Any], code: str, at: datetime, zone: ZoneInfo) -> Document:
    """With a rule that ends at an instant, to the second."""
    changed, rules = _opened(document)
    rules[place(document, code)]["to"] = at.astimezone(zone).replace(microsecond=0).isoformat()
    return changed


def removed(document: Mapping[str, Any], code: str) -> Document:
    """Without a rule."""
    changed, rules = _opened(document)
    del rules[place(document, code)]
    return changed


def new_code(document: Mapping[str, Any], code: str) -> str:
    """A code that no rule has yet: `double` becomes `double-2`."""
    taken = {rule.get("code") for rule in rules_of(document)}
    number = 2
    while True:
        ending = f"-{number}"
        candidate = code[: LONGEST_CODE - len(ending)].rstrip("-_") + ending
        if candidate not in taken and CODE.fullmatch(candidate):
            return candidate
        number += 1


def _opened(document: Mapping[str, Any]) -> tuple[Document, list[dict[str, Any]]]:
    changed = copy.deepcopy(dict(document))
    changed["rules"] = rules = list(changed.get("rules") or ())
    return changed, rules
