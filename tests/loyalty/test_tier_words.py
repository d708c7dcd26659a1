"""Every step of a tier says why, in words and with its numbers (B14)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from loyalty import tier_words
from loyalty.models import TierChange

NEEDS = {"months": 12, "mode": "all", "spend": "10000", "orders": 15}
GIFT = {"event": 7, "source": "milestone", "code": "twelve", "version": 3}
CUT = {"event": 7, "cut": 1, "place": 2, "buyers": 40, "percent": "5", "spend": "9000"}
HAND = {"reason": "Opened the new shop", "approval": 9, "asked_by": "lin"}

STEPS: list[tuple[str, dict[str, Any], str]] = [
    (
        "qualified",
        {"spend": "12030", "orders": 16, "needs": NEEDS},
        "¥12,030.00, 16 orders within 12 months; asked: ¥10,000.00 and 15 orders",
    ),
    (
        "lapsed",
        {"spend": "900", "orders": 1, "needs": {**NEEDS, "mode": "any"}},
        "¥900.00, 1 order within 12 months; asked: ¥10,000.00 or 15 orders",
    ),
    ("programme", {"spend": "0", "orders": 0, "needs": {}}, "¥0.00, 0 orders"),
    ("by_hand", HAND, "Opened the new shop (asked by lin, approved as request 9)"),
    ("by_hand", {"reason": "Moved from the old system"}, "Moved from the old system"),
    ("given", GIFT, "Given for the milestone twelve"),
    ("cut", CUT, "Place 2 of 40 who bought, with ¥9,000.00; the first 5% are chosen"),
    ("floor_ended", GIFT, "Given for the milestone twelve"),
    ("floor_ended", {**GIFT, "undone": True}, "Given for the milestone twelve; the order came to nothing"),
    ("floor_ended", CUT, "Place 2 of 40 who bought, with ¥9,000.00; the first 5% are chosen"),
    ("floor_ended", HAND, "Opened the new shop (asked by lin, approved as request 9)"),
]


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(("reason", "why", "words"), STEPS)
def test_a_step_says_why_with_its_numbers(reason: str, why: dict[str, Any], words: str) -> None:
    assert tier_words.sentence(reason, why) == words


@pytest.mark.parametrize("reason", TierChange.Reason.values)
def test_a_step_that_kept_no_reason_is_still_shown(reason: str) -> None:
    assert tier_words.sentence(reason, {}) == ""
