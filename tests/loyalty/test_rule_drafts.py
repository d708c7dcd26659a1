"""The rules of a draft, moved about as documents."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty import publishing, rule_drafts
from loyalty.errors import DraftChanged, ProgrammeInvalid, ProgrammeMissing, RuleNotFound
from loyalty.models import ProgrammeVersion
from tests.trade import PROGRAMME, Trade

SHANGHAI = ZoneInfo("Asia/Shanghai")


def rule(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "then": {"factor": "2"}, **more}


def document(*codes: str) -> dict[str, Any]:
    return {**PROGRAMME, "rules": [rule(code) for code in codes]}


def codes(found: dict[str, Any]) -> list[str]:
    return [each["code"] for each in found["rules"]]


@pytest.mark.parametrize(
    ("code", "by", "expected"),
    [("b", -1, "bac"), ("b", 1, "acb"), ("a", -1, "abc"), ("c", 1, "abc"), ("a", 9, "bca"), ("c", -9, "cab")],
)
def test_a_rule_moves_as_far_as_there_are_places(code: str, by: int, expected: str) -> None:
    assert "".join(codes(rule_drafts.moved(document("a", "b", "c"), code, by))) == expected


@given(st.permutations(["a", "b", "c", "d"]), st.sampled_from("abcd"), st.integers(-5, 5))
def test_moving_loses_no_rule(order: list[str], code: str, by: int) -> None:
    assert sorted(codes(rule_drafts.moved(document(*order), code, by))) == ["a", "b", "c", "d"]


def test_a_copy_stands_behind_its_rule_under_a_code_of_its_own() -> None:
    found = rule_drafts.copied(rule_drafts.copied(document("a", "b"), "a"), "a")
    assert codes(found) == ["a", "a-3", "a-2", "b"]
    found["rules"][1]["then"]["factor"] = "9"
    assert found["rules"][0]["then"] == {"factor": "2"}


def test_a_long_code_is_cut_to_make_room_for_its_number() -> None:
    found = rule_drafts.new_code(document(), "x" * 50)
    assert (found, len(found)) == ("x" * 48 + "-2", 50)


def test_a_rule_is_written_in_its_place_or_behind_all_others() -> None:
    changed = rule_drafts.written(document("a", "b"), "a", rule("z"))
    assert codes(changed) == ["z", "b"]
    assert codes(rule_drafts.written(changed, "", rule("new"))) == ["z", "b", "new"]


def test_an_end_is_told_by_the_programmes_clock() -> None:
    at = datetime(2026, 11, 11, 4, 0, 30, 99, tzinfo=UTC)
    found = rule_drafts.ended(document("a"), "a", at, SHANGHAI)
    assert found["rules"][0]["to"] == "2026-11-11T12:00:30+08:00"


def test_the_document_that_was_given_stays_as_it_was() -> None:
    given_one = document("a", "b")
    rule_drafts.moved(given_one, "a", 1)
    rule_drafts.removed(given_one, "a")
    rule_drafts.ended(given_one, "a", datetime.now(UTC), SHANGHAI)
    assert given_one == document("a", "b")


def test_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(RuleNotFound):
        rule_drafts.removed(document("a"), "z")


# --- into the draft -----------------------------------------------------------------------------------


def edit(change: Any, seen: str = "") -> Any:
    base = rule_drafts.base()
    return rule_drafts.edit(change, actor=None, seen=seen or publishing.digest(base.document))


def test_an_edit_becomes_the_draft_and_what_is_published_stays(db: None) -> None:
    Trade(rules=[rule("a"), rule("b")])
    edit(lambda found: rule_drafts.moved(found, "a", 1))
    draft = publishing.current_draft()
    assert draft is not None and codes(draft.document) == ["b", "a"]
    assert [each.code for each in publishing.current().programme.rules] == ["a", "b"]


def test_who_saw_another_draft_changes_nothing(db: None) -> None:
    Trade(rules=[rule("a"), rule("b")])
    seen = publishing.digest(rule_drafts.base().document)
    edit(lambda found: rule_drafts.removed(found, "b"))
    with pytest.raises(DraftChanged):
        edit(lambda found: rule_drafts.removed(found, "a"), seen)
    draft = publishing.current_draft()
    assert draft is not None and codes(draft.document) == ["a"]


@pytest.mark.parametrize(
    "when",
    [
        {"field": "order.colour", "op": "=", "value": "red"},
        {"field": "order.paid", "op": "like", "value": "3"},
        {"field": "member.tier", "op": "=", "value": "platinum"},
        {"field": "order.is_member_day", "op": "=", "value": True},
    ],
)
def test_what_cannot_be_asked_fails_when_the_rule_is_saved(db: None, when: dict[str, Any]) -> None:
    Trade(rules=[rule("a")])
    with pytest.raises(ProgrammeInvalid) as refused:
        edit(lambda found: rule_drafts.written(found, "a", rule("a", when=when)))
    assert all(problem["path"].startswith("rules[0].when") for problem in refused.value.problems)
    assert ProgrammeVersion.objects.count() == 1


def test_limits_of_a_rule_that_gives_no_points_are_refused(db: None) -> None:
    Trade()
    gift = {"code": "a", "then": {"coupon": "WELCOME"}, "limits": {"budget": 10}}
    with pytest.raises(ProgrammeInvalid, match="mistakes") as refused:
        edit(lambda found: rule_drafts.written(found, "", gift))
    assert refused.value.problems[0]["path"] == "rules[0].limits"


def test_without_a_programme_there_is_nothing_to_edit(db: None) -> None:
    with pytest.raises(ProgrammeMissing):
        rule_drafts.base()
