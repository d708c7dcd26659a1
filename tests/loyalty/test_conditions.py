"""Conditions of rules: what can be asked, what is answered, and how it reads."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty import conditions
from loyalty.conditions import FIELDS, OPERATORS, OPERATORS_OF, Line, Situation, compile
from loyalty.errors import ProgrammeInvalid
from loyalty.reading import Part, Problems

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEA = Line("tea", "oolong", Decimal("80.00"))
CUP = Line("cups", "celadon", Decimal("120.00"))

MEI = Situation(
    order_channel="tmall",
    order_store=None,
    order_paid=Decimal("200.00"),
    order_time=datetime(2026, 11, 11, 23, 30, tzinfo=SHANGHAI),
    order_first=False,
    lines=(TEA, CUP),
    member_tier="silver",
    member_tags=frozenset({"vip", "tea"}),
    member_segments=frozenset({"loyal"}),
    member_is_birthday=True,
    member_birthday_month=11,
    member_joined_days=400,
    member_repurchases_year=12,
)


def read(document: Any) -> conditions.Condition:
    problems = Problems()
    condition = conditions.read(Part(document, "when", problems))
    problems.settle()
    return condition


def check(field: Any, op: Any, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def counted(document: Any, situation: Situation = MEI) -> Decimal | None:
    return compile(read(document), SHANGHAI).matching_amount(situation)


@pytest.mark.parametrize(
    ("field", "op", "value", "holds"),
    [
        ("order.channel", "=", "tmall", True),
        ("order.channel", "!=", "tmall", False),
        ("order.channel", "in", ["jd", "tmall"], True),
        ("order.channel", "not_in", ["jd", "tmall"], False),
        ("order.store", "=", "S1", False),
        ("order.store", "!=", "S1", True),
        ("order.store", "in", ["S1"], False),
        ("order.store", "not_in", ["S1"], True),
        ("order.paid", "=", "200", True),
        ("order.paid", "<", "200", False),
        ("order.paid", "<=", "200", True),
        ("order.paid", ">", "199.99", True),
        ("order.paid", ">=", "200.01", False),
        ("order.paid", "between", ["200", "300"], True),
        ("order.paid", "between", ["100", "200"], True),
        ("order.paid", "between", ["100", "199.99"], False),
        ("order.time", ">=", "2026-11-11T23:30:00+08:00", True),
        ("order.time", "<", "2026-11-11T15:30:00Z", False),
        ("order.time", "between", ["2026-11-11T00:00:00+08:00", "2026-11-11T23:30:00+08:00"], False),
        ("order.time", "between", ["23:00", "23:30"], False),
        ("order.time", "between", ["23:30", "23:31"], True),
        ("order.time", "between", ["22:00", "02:00"], True),
        ("order.time", "between", ["02:00", "22:00"], False),
        ("order.time", ">=", "18:00", True),
        ("order.first", "=", True, False),
        ("order.first", "!=", True, True),
        ("member.tier", "in", ["silver", "gold"], True),
        ("member.tags", "contains", "vip", True),
        ("member.tags", "in", ["new", "vip"], True),
        ("member.tags", "not_in", ["new", "vip"], False),
        ("member.segments", "contains", "lost", False),
        ("member.is_birthday", "=", True, True),
        ("member.birthday_month", "=", True, True),
        ("member.birthday_month", "!=", True, False),
        ("member.birthday_month", "=", False, False),
        ("member.birthday_month", "=", 11, True),
        ("member.birthday_month", "=", 1, False),
        ("member.birthday_month", "in", [10, 11], True),
        ("member.joined_days", ">=", 400, True),
        ("member.joined_days", "between", [1, 399], False),
        ("member.repurchases_year", "=", 12, True),
    ],
)
def test_a_question_has_an_answer(field, op, value, holds):
    assert counted(check(field, op, value)) == (MEI.order_paid if holds else None)


def test_what_is_unknown_equals_nothing():
    stranger = replace(MEI, member_birthday_month=None, member_joined_days=None)
    for field, op, value, holds in [
        ("member.birthday_month", "=", 11, False),
        ("member.birthday_month", "!=", 11, True),
        ("member.birthday_month", "=", True, False),
        ("member.birthday_month", "between", [1, 12], False),
        ("member.joined_days", "<", 9999, False),
        ("member.joined_days", ">=", 0, False),
    ]:
        assert (counted(check(field, op, value), stranger) is not None) is holds, (field, op)


def test_a_rule_that_names_lines_counts_those_lines():
    tea = check("line.category", "=", "tea")
    assert counted(tea) == Decimal("80.00")
    assert counted({"not": tea}) == Decimal("120.00")
    assert counted({"any": [tea, check("line.product", "contains", "celadon")]}) == Decimal("200.00")
    assert counted({"all": [tea, check("order.paid", ">=", "200")]}) == Decimal("80.00")
    assert counted({"all": [tea, check("line.amount", ">", "80")]}) is None
    assert counted({"any": [tea, check("member.tier", "=", "silver")]}) == Decimal("200.00")


def test_an_order_without_lines_has_none_to_count():
    assert counted(check("line.category", "!=", "tea"), replace(MEI, lines=())) is None


def test_no_condition_holds_for_every_order():
    assert compile(None).matching_amount(MEI) == Decimal("200.00")


def test_a_month_of_one_is_not_this_month():
    january = replace(MEI, member_birthday_month=1)
    assert counted(check("member.birthday_month", "=", 1), january) is not None
    assert counted(check("member.birthday_month", "=", True), january) is None


def test_the_clock_is_that_of_the_programme():
    question = read(check("order.time", "between", ["15:00", "16:00"]))
    assert compile(question, ZoneInfo("UTC")).holds(MEI)
    assert not compile(question, SHANGHAI).holds(MEI)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (check("order.colour", "=", "red"), "when.field"),
        (check(["order.paid"], "=", "1"), "when.field"),
        (check("order.paid", "~", "1"), "when.op"),
        (check("order.paid", ["="], "1"), "when.op"),
        (check("order.paid", "contains", "1"), "when.op"),
        (check("order.paid", ">=", 300), "when.value"),
        (check("order.paid", ">=", 300.5), "when.value"),
        (check("order.paid", ">=", None), "when.value"),
        (check("order.paid", "between", ["1"]), "when.value"),
        (check("order.paid", "between", ["2", "1"]), "when.value"),
        (check("order.channel", "in", "tmall"), "when.value"),
        (check("order.channel", "in", []), "when.value"),
        (check("order.channel", "=", 7), "when.value"),
        (check("order.channel", "=", "a\x00"), "when.value"),
        (check("order.first", "=", "yes"), "when.value"),
        (check("order.first", "<", True), "when.op"),
        (check("order.time", "<", "tomorrow"), "when.value"),
        (check("order.time", "<", "2026-11-11T00:00:00"), "when.value"),
        (check("order.time", "between", ["10:00", "2026-11-11T00:00:00+08:00"]), "when.value"),
        (check("member.joined_days", "=", True), "when.value"),
        (check("member.birthday_month", "=", 13), "when.value"),
        (check("member.birthday_month", "<", True), "when.op"),
        ({"all": []}, "when.all"),
        ({"all": {"field": "order.paid"}}, "when.all"),
        ({"all": [check("order.first", "=", True)], "any": []}, "when"),
        ({"field": "order.first", "op": "=", "value": True, "unit": "x"}, "when.unit"),
        ({}, "when.field"),
        ([], "when"),
        ({"not": {"not": {"not": {"not": {"not": {"not": {"not": {}}}}}}}}, "when.not.not.not.not.not.not"),
        ({"any": [{"all": [check("x", "=", 1)]}]}, "when.any[0].all[0].field"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(document, where):
    with pytest.raises(ProgrammeInvalid) as refused:
        read(document)
    assert where in [problem["path"] for problem in refused.value.problems]


VALUES = {
    "text": "tea",
    "code": "tmall",
    "set": "vip",
    "flag": True,
    "whole": 12,
    "money": "200",
    "time": "2026-11-11T12:00:00+08:00",
    "month": 11,
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("op", OPERATORS)
def test_every_field_answers_every_operator_that_fits(field, op):
    value: Any = VALUES[FIELDS[field]]
    if op in ("in", "not_in"):
        value = [value]
    if op == "between":
        value = [value, "2026-11-12T00:00:00+08:00" if FIELDS[field] == "time" else value]
    if op not in OPERATORS_OF[FIELDS[field]]:
        with pytest.raises(ProgrammeInvalid):
            read(check(field, op, value))
        return
    amount = counted(check(field, op, value))
    assert amount is None or amount > 0


leaves = st.one_of(
    st.builds(
        check, st.just("order.paid"), st.sampled_from(["<", ">=", "="]), st.sampled_from(["100", "200"])
    ),
    st.builds(
        check, st.just("line.category"), st.sampled_from(["=", "!="]), st.sampled_from(["tea", "cups"])
    ),
    st.builds(check, st.just("member.tags"), st.just("contains"), st.sampled_from(["vip", "new"])),
    st.builds(check, st.just("order.store"), st.sampled_from(["=", "!=", "in"]), st.just(["S"])).map(
        lambda each: each if each["op"] == "in" else each | {"value": "S"}
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=4,
)


def nesting(document: Any) -> int:
    parts = document.get("all") or document.get("any") or ([document["not"]] if "not" in document else [])
    return 1 + max(map(nesting, parts), default=0)


@settings(deadline=None)
@given(trees.filter(lambda tree: nesting(tree) < conditions.MAX_DEPTH))
def test_the_opposite_counts_what_is_left(document):
    """A condition and its opposite share the order between them, line by line."""
    one, other = counted(document), counted({"not": document})
    assert (one or 0) + (other or 0) == MEI.order_paid


@settings(deadline=None)
@given(trees.filter(lambda tree: nesting(tree) < conditions.MAX_DEPTH - 1))
def test_not_all_is_any_not(document):
    both = [document, check("member.tier", "=", "gold")]
    assert counted({"not": {"all": both}}) == counted({"any": [{"not": part} for part in both]})
