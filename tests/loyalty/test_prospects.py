"""Prospects: whose purchases must be read to know what milestones an order brought, and whose need not be."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.programme import parse
from loyalty.prospects import Prospects
from loyalty.publishing import Held, Programmes
from tests.trade import PROGRAMME

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVER = datetime.min.replace(tzinfo=UTC)


def asks(field: str, op: str, value: object) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def prospects(*when: dict[str, Any], years: tuple[int, ...] = (2026,), **told: Any) -> Prospects:
    """Of a programme whose milestones are called m0, m1, …, each once a year."""
    milestones = [
        {"code": f"m{n}", "when": each, "then": {"points": 5}, "once_per": "year", **told}
        for n, each in enumerate(when)
    ]
    programme = parse({**PROGRAMME, "milestones": milestones})
    held = Held(1, 1, datetime(2020, 1, 1, tzinfo=UTC), programme)
    return Prospects(Programmes([held]), years, NOW, SHANGHAI)


def test_nobody_is_one_whom_no_count_up_to_theirs_would_bring_there() -> None:
    asked = prospects(asks("member.repurchases_year", ">=", 3))
    assert [asked.of("basic", count) for count in (0, 2, 3, 40)] == [
        (),
        (),
        ("milestone:m0:2026",),
        ("milestone:m0:2026",),
    ]


def test_a_count_is_a_bound_so_that_less_may_do_as_well() -> None:
    exactly, below = asks("member.repurchases_year", "=", 1), asks("member.repurchases_year", "<", 2)
    assert prospects(exactly, below).of("basic", 9) == ("milestone:m0:2026", "milestone:m1:2026")


def test_a_tier_is_known_and_counts_together_with_the_purchases() -> None:
    both = {"all": [asks("member.tier", "=", "silver"), asks("member.repurchases_year", ">=", 3)]}
    asked = prospects(both)
    assert [asked.of("basic", 9), asked.of("silver", 2), asked.of("silver", 3)] == [
        (),
        (),
        ("milestone:m0:2026",),
    ]


def test_what_else_a_milestone_asks_is_found_out_for_everybody() -> None:
    assert prospects(asks("member.tags", "in", ["tea"])).of("basic", 0) == ("milestone:m0:2026",)


def test_a_past_year_has_its_own_occasion_and_is_counted_from_its_beginning() -> None:
    asked = prospects(asks("member.repurchases_year", ">=", 1), years=(2024, 2026))
    assert asked.of("basic", 1) == ("milestone:m0:2026", "milestone:m0:2024")
    assert datetime(2023, 12, 29, tzinfo=UTC) < asked.since < datetime(2023, 12, 31, tzinfo=UTC)


def test_months_in_a_row_may_have_begun_at_any_time() -> None:
    assert prospects(asks("member.repurchases_year", ">=", 3), consecutive=True).since == EVER
