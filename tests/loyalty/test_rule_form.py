"""The rule builder's form: a rule becomes rows and rows become the same rule again."""

import html.parser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.conditions import KINDS
from loyalty.console import rule_form, rule_rows, rule_widgets
from loyalty.console.rule_form import RuleForm
from loyalty.console.rule_rows import CLOCK, Group, Row
from loyalty.programme import sketch
from loyalty.rule_choices import RuleChoices
from tests.loyalty import rule_documents

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHOICES = RuleChoices(
    options={
        "order.channel": [("app", "App"), ("jd", "JD"), ("tmall", "Tmall")],
        "order.store": [],
        "order.weekday": [("monday", "Monday"), ("friday", "Friday")],
        "member.tier": [("basic", "Basic"), ("silver", "Silver"), ("gold", "Gold")],
        "member.tags": [("staff", "Staff"), ("vip", "VIP")],
    },
    suggestions={"line.category": ["tea"], "line.product": ["oolong"]},
    prizes={"coupon": [("WELCOME", "Welcome")], "gift": [], "tier": [("gold", "Gold")]},
)
DOUBLE_ELEVEN: dict[str, Any] = {
    "code": "double-eleven",
    "from": "2026-11-11T00:00:00+08:00",
    "to": "2026-11-12T00:00:00+08:00",
    "when": {
        "all": [
            {"field": "order.channel", "op": "in", "value": ["tmall", "jd"]},
            {"field": "order.paid", "op": ">=", "value": "300"},
            {"not": {"field": "member.tags", "op": "contains", "value": "staff"}},
        ]
    },
    "then": {"factor": "2"},
    "exclusive": False,
    "limits": {"per_member": 2000},
}


class Fields(html.parser.HTMLParser):
    """What a browser sends for a page's form: (name, value) of every field that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "input" and told.get("name"):
            if told.get("type") != "checkbox" or "checked" in told:
                self.sent.append((told["name"], told.get("value", "on")))
        elif tag == "select":
            self._select, self._options = told["name"], []
        elif tag == "option" and self._select:
            self._options.append((told["value"], "selected" in told))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            first = [value for value, _is_chosen in self._options[:1]]
            self.sent += [(self._select, value) for value in (chosen[-1:] or first)]
            self._select = None


def page_of(form: RuleForm) -> str:
    """The fields of the page, as its template draws them."""
    context = {
        "form": form,
        "root": rule_widgets.group(form.rows, CHOICES),
        "prizes": rule_widgets.prize_options(form.texts, CHOICES),
        "limits": [(name, name, form.texts[name]) for name in rule_form.LIMIT_LABELS],
        "may_draft": True,
        "is_finished": True,
    }
    return render_to_string("loyalty/rules/fields.html", context)


def sent(form: RuleForm) -> QueryDict:
    """The page sent back as it is."""
    fields = Fields()
    fields.feed(page_of(form))
    data = QueryDict(mutable=True)
    for name, value in fields.sent:
        data.appendlist(name, value)
    return data


def again(rule: dict[str, Any], **changes: str) -> dict[str, Any]:
    """The rule after it was opened and sent back, with some fields changed."""
    data = sent(rule_form.opened(rule, SHANGHAI))
    for name, value in changes.items():
        data[name] = value
    return rule_form.posted(rule, data, SHANGHAI).document


# --- there and back -----------------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule_documents.rules())
def test_a_rule_sent_back_untouched_is_the_same_rule(rule: dict[str, Any]) -> None:
    assert again(rule) == rule


@settings(deadline=None)
@given(rule_documents.conditions())
def test_what_was_read_from_rows_reads_as_the_same_condition(when: dict[str, Any]) -> None:
    """Also for a rule that is not there yet, so that nothing could be kept from before."""
    data = sent(rule_form.opened({"code": "a", "when": when, "then": {"factor": "2"}}, SHANGHAI))
    fresh = rule_form.posted({}, data, SHANGHAI)
    assert (
        sketch(fresh.document)[0].when == sketch({"code": "a", "when": when, "then": {"factor": "2"}})[0].when
    )
    assert sketch(fresh.document)[1] == []


@pytest.mark.parametrize(
    ("changes", "way", "expected"),
    [
        ({"factor": "3"}, ("then", "factor"), "3"),
        ({"factor": "", "bonus": "50"}, ("then",), {"bonus": 50}),
        ({"coupon": "WELCOME"}, ("then", "coupon"), "WELCOME"),
        ({"exclusive": "true"}, ("exclusive",), True),
        ({"to": "2026-11-11T18:00"}, ("to",), "2026-11-11T18:00:00+08:00"),
        ({"to": ""}, ("to",), None),
        ({"budget": "1000"}, ("limits",), {"per_member": 2000, "budget": 1000}),
        ({"per_member": ""}, ("limits",), {}),
        ({"bonus": "many"}, ("then", "bonus"), "many"),  # refused when it is read, and shown as typed
        ({"when.1.value": "500"}, ("when", "all"), None),
    ],
)
def test_a_field_that_is_changed_changes_its_setting(changes, way, expected):
    found: Any = again(DOUBLE_ELEVEN, **changes)
    for key in way:
        found = found.get(key)
    if way == ("when", "all"):
        expected = [
            DOUBLE_ELEVEN["when"]["all"][0],
            {"field": "order.paid", "op": ">=", "value": "500"},
            DOUBLE_ELEVEN["when"]["all"][2],
        ]
    assert found == expected


def test_a_name_is_written_kept_and_taken_away():
    """Without a name in either language there is no name, and the rule goes by its code."""
    both = {"zh-hans": "双十一", "en": "Double Eleven"}
    named = again(DOUBLE_ELEVEN, name_zh="双十一", name_en="Double Eleven")
    assert named == {**DOUBLE_ELEVEN, "name": both}
    assert again(named) == named
    assert again(named, name_en="")["name"] == {"zh-hans": "双十一"}
    assert again(named, name_en="", name_zh=" ") == DOUBLE_ELEVEN


def test_ticked_boxes_keep_the_order_of_the_document():
    data = sent(rule_form.opened(DOUBLE_ELEVEN, SHANGHAI))
    assert data.getlist("when.0.value") == ["jd", "tmall"]
    data.setlist("when.0.value", ["app", "jd", "tmall"])
    assert rule_form.posted(DOUBLE_ELEVEN, data, SHANGHAI).document["when"]["all"][0]["value"] == [
        "tmall",
        "jd",
        "app",
    ]


def test_an_instant_stays_in_its_own_offset_until_it_is_touched():
    rule = {"code": "a", "from": "2026-11-10T16:00:00Z", "then": {"factor": "2"}}
    assert rule_form.opened(rule, SHANGHAI).texts["from"] == "2026-11-11T00:00"
    assert again(rule)["from"] == "2026-11-10T16:00:00Z"
    assert again(rule, **{"from": "2026-11-11T01:00"})["from"] == "2026-11-11T01:00:00+08:00"


# --- rows ---------------------------------------------------------------------------------------------


def pressed(rule: dict[str, Any], *actions: str) -> RuleForm:
    form = rule_form.opened(rule, SHANGHAI)
    for action in actions:
        form = rule_form.posted(rule, sent(form), SHANGHAI, action)
    return form


def test_a_new_rule_is_for_every_order_until_a_row_is_added():
    assert "when" not in pressed({}).document
    form = pressed({}, "add:when")
    assert [type(part) for part in form.rows.parts] == [Row]
    assert form.rows.kind == "one"


def test_a_second_row_makes_it_a_group_of_all():
    form = pressed({}, "add:when", "add:when")
    assert form.rows.kind == "all"
    assert len(form.document["when"]["all"]) == 2


def test_rows_are_added_and_taken_away_where_the_button_stands():
    form = pressed(DOUBLE_ELEVEN, "group:when", "add:when.3", "drop:when.0")
    inner = form.rows.parts[2]
    assert isinstance(inner, Group) and (inner.kind, len(inner.parts), inner.path) == ("any", 2, "when.2")
    assert [part.path for part in form.rows.parts] == ["when.0", "when.1", "when.2"]


def test_no_rows_are_left_when_the_last_is_taken_away():
    rule = {"code": "a", "when": {"field": "order.first", "op": "=", "value": True}, "then": {"factor": "2"}}
    assert "when" not in pressed(rule, "drop:when.0").document


def test_an_unknown_button_changes_nothing():
    assert pressed(DOUBLE_ELEVEN, "explode:when", "add:elsewhere", "").document == DOUBLE_ELEVEN


def test_none_of_several_is_not_any_of_them():
    form = rule_form.opened(DOUBLE_ELEVEN, SHANGHAI)
    data = sent(form)
    data["when.kind"] = "none"
    assert list(rule_form.posted(DOUBLE_ELEVEN, data, SHANGHAI).document["when"]) == ["not"]
    assert len(rule_form.posted(DOUBLE_ELEVEN, data, SHANGHAI).document["when"]["not"]["any"]) == 3


def test_another_field_forgets_the_answer_to_the_one_before():
    data = sent(rule_form.opened(DOUBLE_ELEVEN, SHANGHAI))
    data["when.1.field"] = "order.first"
    form = rule_form.posted(DOUBLE_ELEVEN, data, SHANGHAI)
    row = form.rows.parts[1]
    assert isinstance(row, Row) and (row.op, row.texts) == ("=", [])


def test_a_time_of_day_and_a_date_are_two_questions():
    for value, name in (("18:00", CLOCK), ("2026-11-11T00:00:00+08:00", "order.time")):
        when = {"field": "order.time", "op": ">=", "value": value}
        (row,) = rule_rows.opened(when, SHANGHAI).parts
        assert isinstance(row, Row) and row.name == name


def test_nobody_can_nest_deeper_than_can_be_read():
    actions = ["group:when" + ".0" * depth for depth in range(9)]
    assert rule_documents.depth(pressed({}, *actions).document["when"]) <= 6


def test_every_field_there_is_can_be_chosen():
    offered = {name for _label, names in rule_widgets.FIELD_GROUPS for name in names}
    assert offered - {CLOCK} == set(KINDS) - {"member.segments"}  # there are no segments to choose yet


# --- what is wrong ------------------------------------------------------------------------------------


def test_a_mistake_stands_at_its_row():
    data = sent(rule_form.opened(DOUBLE_ELEVEN, SHANGHAI))
    data["when.1.value"] = "lots"
    data["when.2.0.value"] = ""
    form = rule_form.posted(DOUBLE_ELEVEN, data, SHANGHAI)
    form.show(sketch(form.document)[1])
    wrong = {node.path: node.errors for node in rule_rows.nodes(form.rows) if node.errors}
    assert set(wrong) == {"when.1", "when.2.0"}
    assert "Write an amount" in wrong["when.1"][0]
    page = page_of(form)
    assert 'value="lots"' in page and "Write an amount" in page


def test_a_mistake_stands_at_its_field():
    data = sent(rule_form.opened(DOUBLE_ELEVEN, SHANGHAI))
    for name, text in {"code": "no spaces", "factor": "-1", "to": "2020-01-01T00:00", "budget": "-5"}.items():
        data[name] = text
    form = rule_form.posted(DOUBLE_ELEVEN, data, SHANGHAI)
    form.show(sketch(form.document)[1])
    assert set(form.errors) == {"code", "factor", "to", "budget"}
    assert form.has_errors


def test_a_rule_that_gives_nothing_is_told_so():
    form = rule_form.posted({}, QueryDict("code=a"), SHANGHAI)
    form.show(sketch(form.document)[1])
    assert form.errors == {"then": ["Say what the rule gives."]}


@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_that_is_sent_breaks_the_form(name: str, value: str) -> None:
    data = QueryDict(mutable=True)
    for field in (
        "when.kind",
        "when.0.field",
        "when.0.op",
        "when.0.value",
        "when.0.was",
        "from",
        "bonus",
        name,
    ):
        data[field] = value
    form = rule_form.posted({}, data, SHANGHAI, value)
    form.show(sketch(form.document)[1])
    shown = sent(form)
    assert shown["bonus"] == value.strip(), "what was typed stands in the page, for them to correct"
    assert rule_form.posted({}, shown, SHANGHAI).document == form.document, "and sent again it says the same"
