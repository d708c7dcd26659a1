"""A ladder of tiers and a member on it, in memory: for tests that need no database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from loyalty.climbing import Climber
from loyalty.programme import Programme, parse
from loyalty.purse import Purse
from loyalty.tiers import Event, Grown, History, Ladder, Purchase

SILVER = {"window": {"months": 12}, "all": {"spend": "3000", "orders": 5}}
GOLD = {"window": {"months": 12}, "all": {"spend": "10000", "orders": 15}}


def at(text: str) -> datetime:
    """Noon in Shanghai."""
    return datetime.fromisoformat(text).replace(hour=4, tzinfo=UTC)


def tier(code: str, qualify: dict[str, Any], **keep: Any) -> dict[str, Any]:
    kept = {"months": 12, "grace_days": 30, "down": "one", "on_refund": "keep", **keep}
    if "years" in keep or "anniversaries" in keep:
        del kept["months"]
    return {"code": code, "name": {"en": code.title()}, "qualify": qualify, "keep": kept, "benefits": {}}


def programme(*tiers: dict[str, Any], **more: Any) -> Programme:
    basic = {"code": "basic", "name": {"en": "Basic"}, "benefits": {"points_per_yuan": 100}}
    return parse({"programme": "main", "time_zone": "Asia/Shanghai", "tiers": [basic, *tiers], **more})


def ladder(**keep: Any) -> Ladder:
    """Basic, silver and gold as in the documents."""
    return Ladder(programme(tier("silver", SILVER, **keep), tier("gold", GOLD, **keep)), 1)


def climber(code: str = "basic", until: str | None = None, *purchases: Purchase, **known: Any) -> Climber:
    end = at(until) if until else None
    history = History(bought=sorted(purchases), **known)
    return Climber(Purse(1, 1, tier=code, tier_until=end), history, code, end)


def bought(*yuan: str, on: str = "2026-03-01") -> list[Purchase]:
    return [Purchase(at(on), Decimal(amount), number) for number, amount in enumerate(yuan)]


def monthly(amount: str, *days: str) -> list[Purchase]:
    """One purchase on each of these days."""
    return [Purchase(at(day), Decimal(amount), number) for number, day in enumerate(days)]


def grown(growth: int, on: str) -> Grown:
    return Grown(at(on), growth)


def floor(code: str, start: str, end: str | None, *, id: int = 1, kind: str = "floor") -> Event:
    return Event(id, kind, code, at(start), at(end) if end else None, {"reason": "a word"})


def path(member: Climber) -> list[tuple[str, str, str]]:
    """The steps taken: from, to and why."""
    return [(step.before, step.after, step.reason) for step in member.steps]
