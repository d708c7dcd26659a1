"""Names of the programme in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

MEMBER_DAY = "member-day"  # the codes of factors that the programme promises outside of its rules
BIRTHDAY = "birthday-"  # and the tier


def in_words(name: Mapping[str, str]) -> str:
    """A name of the programme in the language that is active, or in whichever it has."""
    language = (get_language() or "en").lower()
    return name.get(language) or name.get(language.split("-")[0]) or next(iter(name.values()), "")


def called(why: Mapping[str, Any]) -> str:
    """What an explanation calls the rule, milestone or tier behind it: by its name then, or its code."""
    name, code = why.get("called"), str(why.get("code", ""))
    return (in_words(name) if isinstance(name, Mapping) else "") or standing(code) or code


def standing(code: str) -> str:
    """What a factor is called that holds without a rule of its own; '' for any other code."""
    if code == MEMBER_DAY:
        return _("Member day")
    return _("Birthday treat") if code.startswith(BIRTHDAY) else ""
