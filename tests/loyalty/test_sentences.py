"""Rules in words: one sentence that names every part, in both languages."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given

from loyalty import conditions, sentences
from loyalty.conditions import KINDS, AllOf
from loyalty.programme import Rule, sketch
from loyalty.reading import Part, Problems
from tests.loyalty import rule_documents

LANGUAGES = ("en", "zh-hans")


def read(document: dict[str, Any]) -> conditions.Condition:
    problems = Problems()
    condition = conditions.read(Part(document, "when", problems))
    problems.settle()
    return condition


def rule(**written: Any) -> Rule:
    found, problems = sketch({"code": "double", "then": {"factor": "2"}, **written})
    assert problems == []
    return found


def check(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


# --- conditions ---------------------------------------------------------------------------------------


def test_a_condition_in_words():
    document = {
        "all": [
            check("order.channel", "in", ["tmall", "jd"]),
            {"any": [check("order.paid", ">=", "300"), check("order.first", "=", True)]},
            {"not": check("member.tags", "contains", "staff")},
        ]
    }
    assert sentences.of_condition(read(document)) == (
        "channel is one of tmall, jd and (goods after discounts is at least ¥300 or it is the first purchase)"
        " and not (tags include staff)"
    )


@pytest.mark.parametrize(
    ("field", "op", "value", "words"),
    [
        ("member.birthday_month", "=", True, "month of birth is the month of the order"),
        ("order.time", "between", ["22:00", "02:00"], "time of the order is from 22:00 to before 02:00"),
        ("order.time", ">=", "2026-11-10T16:00:00Z", "time of the order is not before 2026-11-11 00:00"),
        ("order.time", "<", "18:30:15", "time of the order is before 18:30:15"),
        ("order.weekday", "in", ["monday", "friday"], "day of the week is one of Monday, Friday"),
        ("order.is_member_day", "=", True, "it is a member day"),
        ("order.is_member_day", "!=", True, "it is no member day"),
        ("member.is_birthday", "!=", False, "it is the birthday"),
        ("member.tags", "not_in", ["staff", "test"], "tags include none of staff, test"),
        ("line.product", "contains", "oolong", "product of the line contains oolong"),
    ],
)
def test_each_type_has_words_of_its_own(field, op, value, words):
    assert sentences.of_condition(read(check(field, op, value))) == words


def test_codes_are_called_by_their_names():
    names = {
        ("order.channel", "tmall"): "天猫旗舰店",
        ("member.tier", "gold"): "Gold",
        ("coupon", "W"): "Welcome",
    }
    found = rule(
        when={"all": [check("order.channel", "in", ["tmall", "jd"]), check("member.tier", "=", "gold")]},
        then={"coupon": "W"},
    )
    assert sentences.of_rule(found, names) == (
        "channel is one of 天猫旗舰店, jd and tier is Gold: coupon Welcome"
    )


def test_what_asks_nothing_is_every_order():
    assert sentences.of_condition(None) == "every order"
    assert sentences.of_condition(AllOf((AllOf(()),))) == "every order"


# --- rules --------------------------------------------------------------------------------------------


def test_a_rule_says_when_for_whom_what_how_much_and_what_follows():
    found = rule(
        **{"from": "2026-11-11T00:00:00+08:00", "to": "2026-11-12T00:00:00+08:00"},
        when=check("order.channel", "=", "tmall"),
        then={"factor": "2", "bonus": 50, "coupon": "WELCOME"},
        exclusive=True,
        stack=True,
        limits={"per_member": 2000, "per_member_day": 500, "budget": 1000000},
    )
    assert sentences.of_rule(found) == (
        "From 2026-11-11 00:00 to before 2026-11-12 00:00, channel is tmall:"
        " points × 2 on top of other factors, 50 bonus points, coupon WELCOME;"
        " at most 500 points (a member and day), 2,000 points (a member in all),"
        " 1,000,000 points (all members together); no rule after it counts"
    )


def test_a_rule_about_lines_says_that_it_counts_those():
    found = rule(when=check("line.category", "=", "tea"))
    assert sentences.of_rule(found) == "category of the line is tea: points × 2 for those lines"


def test_times_are_told_by_the_programmes_clock():
    found = rule(**{"from": "2026-11-11T00:00:00+08:00"})
    assert "2026-11-10 17:00" in sentences.of_rule(found, zone=ZoneInfo("Europe/Berlin"))


def test_what_a_rule_did_is_told_with_its_cut():
    assert sentences.of_told({"code": "double", "factor": "2", "added": 1200}) == "double × 2: + 1,200"
    cut = {"code": "hello", "bonus": 50, "added": 30, "cut_from": 50}
    assert sentences.of_told(cut) == "hello: + 30 (of 50, as its limit allows)"


@pytest.mark.parametrize("field", KINDS)
def test_every_field_has_a_name_in_both_languages(field):
    for language in LANGUAGES:
        with translation.override(language):
            assert str(sentences.FIELD_NAMES[field])


@pytest.mark.parametrize("language", LANGUAGES)
@given(document=rule_documents.rules())
def test_the_sentence_never_fails_and_names_every_part(language: str, document: dict[str, Any]) -> None:
    found, problems = sketch(document)
    assert problems == []
    with translation.override(language):
        text = sentences.of_rule(found)
        expected = [sentences.value(each, asked.field) for asked, each in _asked(found)]
    expected += [f"{limit:,}" for limit in rule_documents.limits_in(document)]
    expected += [sentences.instant(at) for at in (found.starts_at, found.ends_at) if at is not None]
    expected += [f"{found.factor:f}" if found.factor is not None else "", str(found.bonus or "")]
    expected += list(found.other.values())
    assert [part for part in expected if part not in text] == []


def _asked(found: Rule) -> list[tuple[conditions.Check, object]]:
    checks = conditions.checks(found.when) if found.when is not None else []
    return [
        (each, value)
        for each in checks
        if KINDS[each.field] != "flag"  # a flag is told by its own phrase
        for value in (each.value if isinstance(each.value, tuple) else (each.value,))
    ]


def test_values_found_are_told_too():
    assert sentences.value(None) == "unknown"
    assert sentences.value(frozenset(), "member.tags") == "none"
    assert sentences.value(frozenset({"b", "a"}), "member.tags") == "a, b"
    assert sentences.value(Decimal("1234.5")) == "¥1,234.5"
    assert sentences.instant(datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))) == "2026-01-01 00:00"
