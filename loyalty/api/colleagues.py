"""Whom of staff an answer names (D6): to a key of staff who it was, to a channel's only that staff did it.

A channel's system is a house of its own, and the names that staff sign in with are no business of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loyalty.explanations import STAFF, Explanation
from loyalty.models import Entry
from loyalty.statement import Line
from loyalty.tier_paths import PathStep
from loyalty.tier_words import sentence
from members.api_keys import Caller

BY_HAND = "adjust"  # the causes of what staff does by hand go on with who it was
NAMING = frozenset({"asked_by"})  # what an explanation says of a person of staff


def reads_names(caller: Caller) -> bool:
    """Whether the key is one of staff."""
    return caller.staff is not None


def name(told: str, caller: Caller) -> str:
    """A user name for this key; '' stays nobody."""
    return told if reads_names(caller) or not told else STAFF


def line(told: Line, caller: Caller) -> Line:
    """An entry of the statement for this key."""
    if reads_names(caller):
        return told
    cause = told.cause
    if told.kind == Entry.Kind.ADJUST and cause.startswith(f"{BY_HAND}:"):
        cause = f"{BY_HAND}:{STAFF}:{cause.split(':', 2)[-1]}"
    return replace(told, cause=cause, why=_unnamed(told.why), explanation=_explanation(told.explanation))


def _explanation(told: Explanation) -> Explanation:
    return replace(
        told,
        by=STAFF if told.by_kind == STAFF else told.by,
        approved_by=STAFF if told.approved_by else "",
        details=told.details_unnamed,
    )


def step(told: PathStep, caller: Caller) -> PathStep:
    """A step of a tier's path for this key."""
    if reads_names(caller) or NAMING.isdisjoint(told.why):
        return told
    why = _unnamed(told.why)
    return replace(told, why=why, sentence=sentence(told.reason, why))


def _unnamed(why: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in why.items() if key not in NAMING}
