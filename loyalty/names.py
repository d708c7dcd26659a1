"""Names of the programme in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language


def in_words(name: Mapping[str, str]) -> str:
    """A name of the programme in the language that is active, or in whichever it has."""
    language = (get_language() or "en").lower()
    return name.get(language) or name.get(language.split("-")[0]) or next(iter(name.values()), "")


def called(why: Mapping[str, Any]) -> str:
    """What an explanation calls the rule, milestone or tier behind it: by its name then, or its code."""
    name = why.get("called")
    return (in_words(name) if isinstance(name, Mapping) else "") or str(why.get("code", ""))
