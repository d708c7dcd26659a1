"""What the API answers when it is asked why: entries, coupons and steps of the tier (B14)."""

from typing import Any

import pytest

from loyalty import adjustments, coupons
from members.numbers import number_of
from privacy import approvals, roles
from tests.api import Api
from tests.coupon_shop import WELCOME, goods
from tests.trade import PROGRAMME, Trade, buyer

SILVER: dict[str, Any] = {
    "code": "hello",
    "when": {"field": "order.first", "op": "=", "value": True},
    "then": {"bonus": 50, "tier": "silver", "coupon": "WELCOME"},
    "limits": {"budget": 30},
}


@pytest.fixture
def trade(db: None) -> Trade:
    """Mei has bought once, and the rule for new buyers has given what was left of its budget."""
    trade = Trade(rules=[SILVER], sections={"coupons": [WELCOME]})
    trade.buy("T1", "120", buyer("mei"))
    return trade


@pytest.fixture
def mei(trade: Trade) -> int:
    member = trade.buy("T1", "120", buyer("mei")).member_id
    assert member is not None
    return member


@pytest.fixture
def app(trade: Trade) -> Api:
    return Api(trade.app)


def entry(app: Api, mei: int, **headers: str) -> Any:
    return app.get(f"/members/{number_of(mei)}/points/entries/", **headers).body["entries"][0]


def test_an_entry_answers_who_by_which_version_and_clause_by_clause(app: Api, mei: int) -> None:
    found = entry(app, mei)
    assert (found["formula"], found["version"]) == ("120 × 1 × 1 + 30 = 150", 1)
    assert found["by"] == {"kind": "channel", "name": "tmall"}
    assert (found["reverses"], found["approved_by"], found["details"]) == (None, "", [])
    assert found["clauses"] == [
        {
            "kind": "base",
            "label": "Points for each yuan",
            "code": "",
            "name": "",
            "version": 1,
            "sentence": "1 point for each yuan",
            "points": 120,
            "cut_from": None,
            "cut": "",
        },
        {
            "kind": "rule",
            "label": "Earning rule",
            "code": "hello",
            "name": "hello",
            "version": 1,
            "sentence": "it is the first purchase: 50 bonus points, coupon Welcome, tier Silver;"
            " at most 30 points (all members together)",
            "points": 30,
            "cut_from": 50,
            "cut": "cut from 50 to 30 by its limit: 30 points (all members together), of which 30 were left",
        },
    ]
    assert sum(clause["points"] for clause in found["clauses"]) == found["points"]


def test_clauses_are_in_the_caller_s_language(app: Api, mei: int) -> None:
    _base, rule = entry(app, mei, **{"Accept-Language": "zh-hans"})["clauses"]
    assert "银卡" in rule["sentence"] and "新人券" in rule["sentence"]


def test_a_correction_answers_what_it_reverses_and_who_stood_behind_it(
    trade: Trade, app: Api, mei: int
) -> None:
    trade.give(mei, 8000)
    lin, boss = roles.make_staff("lin", "service")[0], roles.make_staff("boss", "admin")[0]
    given = entry(app, mei)
    asked = adjustments.adjust(mei, -2000, "Wrong file", lin, cause="a", reverses=given["id"]).approval
    assert asked is not None
    approvals.approve(asked.pk, boss, "")
    found = entry(Api(boss), mei)
    assert found["by"] == {"kind": "staff", "name": "lin"}
    assert (found["approved_by"], found["approval_id"]) == ("boss", asked.pk)
    assert any(detail.startswith("Asked by lin, approved by boss") for detail in found["details"])
    found = entry(app, mei)
    assert found["by"] == {"kind": "staff", "name": "staff"}
    assert (found["approved_by"], found["approval_id"]) == ("staff", asked.pk)
    assert found["details"][-1].startswith("Asked by one of staff, approved by another")
    assert found["reverses"] == {"entry_id": given["id"], "share": "0.2500"}
    assert found["reason"] == "Wrong file"


def test_a_refund_answers_its_proportion(trade: Trade, app: Api, mei: int) -> None:
    earned = entry(app, mei)
    trade.refund("T1", "R1", "30")
    found = entry(app, mei)
    assert found["formula"] == "150 × 90 ÷ 120 = 112; 150 − 112 = 38"
    assert found["reverses"] == {"entry_id": earned["id"], "share": "0.2533"}


def test_a_coupon_answers_why_by_which_version_and_each_step(trade: Trade, app: Api, mei: int) -> None:
    address = f"/members/{number_of(mei)}/coupons/"
    (held,) = app.get(address).body["coupons"]
    coupons.use(held["code"], channel=trade.app, order_no="A1", member_id=mei, lines=goods("200"))
    document = {**PROGRAMME, "coupons": [{**WELCOME, "value": "5"}], "rules": []}
    trade.publish(document)
    (held,) = app.get(address).body["coupons"]
    assert (held["sentence"], held["version"]) == ("Rule hello: it is the first purchase", 1)
    (clause,) = held["clauses"]
    assert (clause["kind"], clause["code"], clause["version"], clause["points"]) == ("rule", "hello", 1, None)
    assert [(step["kind"], step["sentence"], step["channel"]) for step in held["steps"]] == [
        ("issued", "Rule hello: it is the first purchase", ""),
        ("used", "min(20.00, 200.00) = 20.00", "app"),
    ]


def test_a_tier_that_was_given_answers_by_which_rule(app: Api, mei: int) -> None:
    (step,) = app.get(f"/members/{number_of(mei)}/tier/").body["path"]
    assert (step["sentence"], step["version"]) == ("Given by the earning rule hello", 1)
    assert [clause["code"] for clause in step["clauses"]] == ["hello"]


def test_a_grant_answers_its_version(app: Api, mei: int) -> None:
    grants = app.get(f"/members/{number_of(mei)}/grants/").body["grants"]
    assert {(grant["prize"], grant["version"]) for grant in grants} == {("coupon", 1), ("tier", 1)}
