"""What came from an old system, and what was taken back of it, in words (A16, B14)."""

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _


def sentence(why: Mapping[str, Any]) -> str:
    """`Migrated from oldshop (migration 3); earned there on 2025-06-01`."""
    words = {"channel": why.get("channel", ""), "number": why.get("legacy", "")}
    if why.get("undone"):
        text = _("Migration %(number)s from %(channel)s was taken back") % words
        return _with_numbers(text, why)
    text = _("Migrated from %(channel)s (migration %(number)s)") % words
    if why.get("earned_at"):
        return _("%(text)s; earned there on %(day)s") % {"text": text, "day": _day(why["earned_at"])}
    if why.get("since"):
        return _("%(text)s; held there since %(day)s") % {"text": text, "day": _day(why["since"])}
    return text


def _with_numbers(text: str, why: Mapping[str, Any]) -> str:
    parts = [text]
    if "brought" in why:
        parts.append(_("%(points)s points had come in") % {"points": why["brought"]})
    if why.get("lapsed"):
        parts.append(_("%(points)s of them had expired") % {"points": why["lapsed"]})
    if why.get("used"):
        parts.append(_("%(points)s of them had been used") % {"points": why["used"]})
    if why.get("debt"):
        parts.append(_("%(points)s are owed") % {"points": why["debt"]})
    return reduce(lambda text, more: _("%(text)s; %(more)s") % {"text": text, "more": more}, parts)


def _day(instant: str) -> str:
    return localtime(datetime.fromisoformat(instant)).date().isoformat()
