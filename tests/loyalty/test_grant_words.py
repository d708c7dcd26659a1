"""Every grant says in both languages what it is, for what, and why not (B14)."""

from typing import Any

import pytest
from django.utils import translation

from loyalty import grant_words
from loyalty.grant_terms import ACTIVITIES
from loyalty.models import Grant
from loyalty.prizes import WORDS

TWELVE = {"field": "member.repurchases_year", "op": ">=", "value": 12}
FIRST = {"field": "order.first", "op": "=", "value": True}
BIG = {"field": "order.paid", "op": ">=", "value": "300"}
REASONS: list[tuple[dict[str, Any], str]] = [
    ({"source": "activity", "code": "enrolment"}, "Joining gift"),
    ({"source": "activity", "code": "first_purchase", "order": "T1"}, "First purchase, order T1"),
    ({"source": "activity", "code": "check_in", "streak": 3}, "Check-in, day 3 in a row"),
    ({"source": "activity", "code": "check_in", "streak": 7, "rung": 7}, "7 days in a row"),
    ({"source": "activity", "code": "profile_step", "step": "birthday"}, "Profile step: birthday"),
    ({"source": "activity", "code": "profile_step", "step": "avatar"}, "Profile step: avatar"),
    ({"source": "activity", "code": "review", "order_no": "T1", "product": "tea"}, "Review of tea, order T1"),
    ({"source": "activity", "code": "survey", "survey": "spring"}, "Survey: spring"),
    ({"source": "rule", "code": "ten"}, "Rule ten"),
    (
        {"source": "milestone", "code": "twelve", "when": TWELVE, "facts": {"member.repurchases_year": "12"}},
        "Milestone twelve: repurchases in a year is at least 12 (it was 12)",
    ),
    (
        {"source": "milestone", "code": "row", "when": TWELVE, "facts": {"f": "12"}, "consecutive": True},
        "Milestone row: repurchases in a year is at least 12, counted in months in a row (it was 12)",
    ),
    (
        {"source": "birthday", "code": "gold", "tier": "gold", "year": 2026},
        "Birthday treat of 2026, tier gold",
    ),
    ({"source": "member_day", "code": "member_day", "day": "2026-11-18"}, "Member day 2026-11-18"),
    (
        {"source": "rule", "code": "hi", "when": FIRST, "facts": {"order.first": "True"}},
        "Rule hi: it is the first purchase",
    ),
    (
        {"source": "rule", "code": "big", "when": BIG, "facts": {"order.paid": "320.50"}},
        "Rule big: goods after discounts is at least ¥300 (it was ¥320.50)",
    ),
    ({"source": "rule", "code": "ten", "undone": True}, "Rule ten; the order came to nothing"),
]


@pytest.mark.parametrize(("why", "words"), REASONS)
def test_a_reason_is_told_with_its_numbers(why: dict[str, Any], words: str) -> None:
    assert grant_words.sentence(why) == words


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_source_activity_and_prize_has_words(language: str) -> None:
    with translation.override(language):
        for source in Grant.Source.values:
            for code in ACTIVITIES:
                assert grant_words.sentence({"source": source, "code": code})
        for kind in WORDS:
            assert "5" in grant_words.prize(kind, "5")


def test_a_coupon_that_was_claimed_says_what_it_cost() -> None:
    why = {"reward": "TEN", "name": {"en": "Ten off"}, "points": 80, "money": "0", "version": 3}
    assert grant_words.sentence(why) == "Ten off: 80 pts, by version 3"


def test_what_explains_nothing_says_nothing() -> None:
    assert grant_words.sentence({}) == ""


def test_an_unknown_refusal_is_shown_as_it_is() -> None:
    assert grant_words.refusal("brand_new") == "brand_new"
    assert grant_words.refusal("too_late") == "We heard of it too late."
