"""Activities by API: told once, counted once, answered with what they brought and why (B4, B14)."""

from typing import Any

import pytest

from loyalty import accounts
from loyalty.models import Activity, Grant
from tests.api import Api
from tests.trade import Trade, buyer, proven

OFFERED: dict[str, Any] = {
    "check_in": {"points": 2},
    "review": {"points": 10},
    "survey": {"coupon": "TEN"},
    "first_purchase": {"points": 50},
}
TEN = {
    "code": "TEN",
    "name": {"en": "Ten off"},
    "kind": "amount",
    "value": "10",
    "valid": {"days": 30},
    "quota": 1,
}


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(sections={"activities": OFFERED, "coupons": [TEN]})


@pytest.fixture
def tmall(trade: Trade) -> Api:
    return Api(trade.tmall)


def path_of(trade: Trade, name: str = "mei") -> str:
    (receipt,) = accounts.receive(trade.tmall, [buyer(name)])
    return f"/members/{receipt.member_no}/"


def test_a_check_in_is_answered_with_what_it_brought_and_why(trade: Trade, tmall: Api) -> None:
    path = path_of(trade) + "activities/"
    first = tmall.once(path, {"kind": "check_in"})
    assert (first.status, first.body["available"], first.body["streak"]) == (201, 2, 1)
    (thing,) = first.body["given"]
    assert (thing["prize"], thing["name"], thing["state"]) == ("points", "2 points", "given")
    assert thing["sentence"] == "Check-in, day 1 in a row"
    again = tmall.once(path, {"kind": "check_in"})
    assert (again.status, again.body) == (200, first.body)
    assert proven()


def test_the_same_request_is_replayed_and_needs_its_key(trade: Trade, tmall: Api) -> None:
    path = path_of(trade) + "activities/"
    assert tmall.post(path, {"kind": "check_in"}).code == "api.idempotency_key_missing"
    tmall.once(path, {"kind": "check_in"}, "k1")
    replay = tmall.once(path, {"kind": "check_in"}, "k1")
    assert (replay.status, replay.headers["Idempotent-Replay"]) == (201, "true")
    assert Activity.objects.count() == 1


def test_a_coupon_that_is_gone_is_said_so_in_words_and_code(trade: Trade, tmall: Api) -> None:
    asked = {"kind": "survey", "detail": {"survey": "spring"}}
    first = tmall.once(path_of(trade) + "activities/", asked)
    assert (first.body["given"][0]["name"], first.body["given"][0]["refusal"]) == ("Coupon Ten off", "")
    second = tmall.once(path_of(trade, "bo") + "activities/", asked)
    (thing,) = second.body["given"]
    assert (second.status, thing["state"], thing["refusal"]) == (201, "not_given", "quota_spent")
    assert thing["refusal_label"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"kind": "nonsense"}, 400, "api.invalid"),
        ({}, 400, "api.invalid"),
        ({"kind": "event", "detail": {"event": "x"}}, 409, "loyalty.activity_not_offered"),
        ({"kind": "survey"}, 400, "loyalty.activity_invalid"),
        ({"kind": "survey", "detail": {"survey": "x" * 51}}, 400, "api.invalid"),
        ({"kind": "check_in", "at": "2020-01-01T00:00:00+08:00"}, 400, "loyalty.activity_invalid"),
        ({"kind": "review", "detail": {"order_no": "T1", "product": "TEA"}}, 400, "loyalty.activity_invalid"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_place(
    trade: Trade, tmall: Api, asked: dict[str, Any], status: int, code: str
) -> None:
    path = path_of(trade) + "activities/"
    answer = tmall.once(path, asked)
    assert (answer.status, answer.code) == (status, code)
    if status == 400:
        assert answer.body["errors"][0]["path"]
    assert (Activity.objects.count(), Grant.objects.count()) == (0, 0)


def test_a_cause_used_for_something_else_is_refused(trade: Trade, tmall: Api) -> None:
    path = path_of(trade) + "activities/"
    tmall.once(path, {"kind": "check_in", "cause": "c1"})
    answer = tmall.once(path, {"kind": "survey", "cause": "c1", "detail": {"survey": "x"}})
    assert (answer.status, answer.code) == (409, "loyalty.cause_taken")


def test_a_key_without_points_may_not(trade: Trade) -> None:
    path = path_of(trade)
    key = Api(trade.tmall, scopes=["orders"])
    assert key.once(path + "activities/", {"kind": "check_in"}).status == 403
    assert key.get(path + "grants/").status == 403


def test_an_order_is_answered_with_what_else_it_gave(trade: Trade, tmall: Api) -> None:
    order = {
        "buyer": {"external_id": "mei"},
        "status": "paid",
        "paid_at": trade.now.isoformat(),
        "lines": [{"product": "TEA", "quantity": 1, "price": "100.00"}],
        "amounts": {"goods": "100.00"},
    }
    first = tmall.put("/orders/T1/", order)
    assert first.body["points"]["total"] == 100
    assert [(thing["value"], thing["sentence"]) for thing in first.body["given"]] == [
        ("50", "First purchase, order T1")
    ]
    assert tmall.put("/orders/T1/", order).body["given"] == []


def test_what_a_member_was_given_is_listed_latest_first(trade: Trade, tmall: Api) -> None:
    path = path_of(trade)
    trade.buy("T1", "100", buyer("mei"))
    tmall.once(path + "activities/", {"kind": "check_in"})
    page = tmall.get(path + "grants/?limit=1")
    assert [line["code"] for line in page.body["grants"]] == ["check_in"]
    older = tmall.get(page.body["next"].partition("/api/v1")[2])
    assert [(line["code"], line["order_no"]) for line in older.body["grants"]] == [("first_purchase", "T1")]
    assert older.body["next"] is None
