"""Orders and refunds by API: new and seen, stale and in conflict, batches, and what they earn."""

from decimal import Decimal
from typing import Any

import pytest

from loyalty.models import Entry
from members.models import Order, Refund
from privacy import roles
from tests.api import Api
from tests.trade import Trade, proven

MEI = {"external_id": "mei", "identifiers": {"phone": "13900000001"}}
PAID = "2026-01-15T10:00:00+08:00"


def order(goods: str = "200.00", **told: Any) -> dict[str, Any]:
    return {"buyer": MEI, "status": "paid", "paid_at": PAID, "amounts": {"goods": goods}, **told}


@pytest.fixture
def tmall(trade: Trade) -> Api:
    return Api(trade.tmall)


def test_a_new_order_answers_201_with_its_points_and_their_reason(tmall: Api) -> None:
    answer = tmall.put("/orders/T1/", order())
    assert answer.status == 201
    assert (answer.body["outcome"], answer.body["tier"], answer.body["net"]) == ("new", "basic", "200.00")
    points = answer.body["points"]
    assert (points["total"], points["earned"], points["pending"], points["added"]) == (200, 200, 0, 200)
    assert points["sentence"] == "200 × 1 × 1 = 200"
    assert proven()


def test_the_same_again_answers_200_and_earns_nothing_more(tmall: Api) -> None:
    tmall.put("/orders/T1/", order())
    answer = tmall.put("/orders/T1/", order())
    assert (answer.status, answer.body["outcome"], answer.body["points"]["added"]) == (200, "same", 0)
    assert answer.body["points"]["total"] == 200
    assert Entry.objects.count() == 1


def test_pending_points_are_not_told_as_earned(db: None) -> None:
    trade = Trade(pending_days=7, assume_received_after_days=15)
    told = order(paid_at=trade.now.isoformat())
    points = Api(trade.tmall).put("/orders/T1/", told).body["points"]
    assert (points["earned"], points["pending"]) == (0, 200)
    assert points["available_from"] > trade.now.isoformat()


def test_an_older_version_is_stale_and_changes_nothing(tmall: Api) -> None:
    tmall.put("/orders/T1/", order(version=2))
    answer = tmall.put("/orders/T1/", order("100.00", version=1))
    assert (answer.status, answer.body["stale"]) == (200, True)
    assert Order.objects.get().goods == Decimal("200.00")


def test_the_same_version_with_another_body_is_a_conflict(tmall: Api) -> None:
    tmall.put("/orders/T1/", order(version="2026-01-15T10:00:00Z"))
    answer = tmall.put("/orders/T1/", order("100.00", version="2026-01-15T18:00:00+08:00"))
    assert (answer.status, answer.code) == (409, "members.version_conflict")
    assert Order.objects.get().goods == Decimal("200.00")


def test_a_field_that_nobody_knows_is_named(tmall: Api) -> None:
    answer = tmall.put("/orders/T1/", order(recieved_at=PAID, lines=[{"name": "Tea", "colour": "green"}]))
    assert answer.status == 201
    assert answer.body["ignored"] == ["lines.0.colour", "recieved_at"]


def test_every_mistake_is_told_at_once_and_where(tmall: Api) -> None:
    told = order(status="payed", lines=[{"amount": 1.5}, {"quantity": -1}])
    answer = tmall.put("/orders/T1/", told)
    assert (answer.status, answer.code) == (400, "api.invalid")
    assert [(each["path"], each["code"]) for each in answer.body["errors"]] == [
        ("status", "status_unknown"),
        ("lines.0.amount", "money_not_text"),
        ("lines.1.quantity", "out_of_range"),
    ]
    assert not Order.objects.exists()


def test_an_order_is_seen_by_its_own_channel_only(trade: Trade, tmall: Api) -> None:
    tmall.put("/orders/T1/", order(store=None))
    seen = tmall.get("/orders/T1/")
    assert (seen.status, seen.body["net"], seen.body["points"]["total"]) == (200, "200.00", 200)
    assert Api(trade.app).get("/orders/T1/").code == "loyalty.order_not_found"


def test_a_batch_answers_every_item_in_its_place(tmall: Api) -> None:
    items = [
        {"order_no": "T1", **order()},
        {"order_no": "T2", **order(status="payed")},
        7,
        {"order_no": "T3", **order(store="nowhere")},
        {"order_no": "T1", **order()},
        {"order_no": "T4", **order("30.00")},
    ]
    answer = tmall.post("/orders/batch/", items)
    assert answer.status == 200
    assert [item["status"] for item in answer.body["items"]] == [201, 400, 400, 400, 200, 201]
    assert answer.body["items"][3]["code"] == "members.store_unknown"
    assert answer.body["items"][5]["points"]["total"] == 30
    assert sorted(Order.objects.values_list("number", flat=True)) == ["T1", "T4"]
    assert proven()


@pytest.mark.parametrize("body", [{}, {"items": 5}, "text", [[]] * 1001], ids=["none", "5", "text", "many"])
def test_a_batch_is_a_list_of_at_most_a_thousand(tmall: Api, body: Any) -> None:
    assert tmall.post("/orders/batch/", body).code == "api.invalid"


def test_a_refund_that_was_told_takes_back_and_is_counted_once(tmall: Api) -> None:
    tmall.put("/orders/T1/", order())
    first = tmall.put("/orders/T1/refunds/R1/", {"goods": "50.00"})
    assert (first.status, first.body["points_taken"], first.body["debt"]) == (201, 50, 0)
    again = tmall.put("/orders/T1/refunds/R1/", {"goods": "50"})
    assert (again.status, again.body["points_taken"]) == (200, 0)
    assert tmall.put("/orders/T1/refunds/R1/", {"goods": "51.00"}).code == "members.version_conflict"
    assert tmall.get("/orders/T1/").body["refunded_goods"] == "50.00"
    assert proven()


def test_a_refund_before_its_order_waits_for_it(tmall: Api) -> None:
    early = tmall.put("/orders/T1/refunds/R1/", {"goods": "50.00"})
    assert (early.status, early.body["parked"]) == (201, True)
    assert tmall.put("/orders/T1/", order()).body["points"]["total"] == 150


def test_a_refund_asked_of_us_answers_once_per_key(tmall: Api) -> None:
    tmall.put("/orders/T1/", order())
    first = tmall.once("/orders/T1/refunds/", {"goods": "50.00"}, "k1")
    again = tmall.once("/orders/T1/refunds/", {"goods": "50.00"}, "k1")
    assert (first.status, first.body["points_taken"], first.body["money_to_withhold"]) == (201, 50, "0.00")
    assert again.body == first.body and again.headers["Idempotent-Replay"] == "true"
    assert Refund.objects.count() == 1


def test_a_refund_that_the_programme_refuses_moves_nothing(db: None) -> None:
    trade = Trade(refund_shortage="refuse")
    tmall = Api(trade.tmall)
    member_no = tmall.put("/orders/T1/", order()).body["member_no"]
    tmall.once(f"/members/{member_no}/points/redeem/", {"points": 200, "cause": "all"})
    answer = tmall.once("/orders/T1/refunds/", {"goods": "50.00"})
    assert (answer.status, answer.code) == (409, "loyalty.refund_short")
    assert not Refund.objects.exists() and Entry.objects.count() == 2


def test_refunds_of_what_is_not_there_or_too_much_are_refused(tmall: Api) -> None:
    assert tmall.once("/orders/T9/refunds/", {"goods": "1.00"}).code == "loyalty.order_not_found"
    tmall.put("/orders/T1/", order())
    assert tmall.once("/orders/T1/refunds/", {"goods": "200.01"}).code == "loyalty.refund_too_large"
    assert tmall.once("/orders/T1/refunds/", {"goods": "0"}).code == "api.invalid"
    assert tmall.post("/orders/T1/refunds/", {"goods": "1.00"}).code == "api.idempotency_key_missing"
    assert not Refund.objects.exists()


def test_a_clerk_refunds_in_the_own_store_and_nowhere_else(trade: Trade, tmall: Api) -> None:
    roles.apply_roles()
    tmall.put("/orders/T1/", order())
    elsewhere, _ = roles.make_staff("carl", "clerk", store="pos/jingan")
    assert Api(elsewhere).once("/orders/T1/refunds/", {"goods": "1.00"}).code == "api.forbidden"
    assert not Refund.objects.exists()


def test_what_a_spent_budget_cut_is_told_with_the_order(db: None) -> None:
    double = {"code": "double", "name": {"en": "Double day", "zh-hans": "双倍日"}, "then": {"factor": "2"}}
    limits = {"budget": 300, "per_member_day": 250}
    api = Api(Trade(rules=[{**double, "limits": limits}]).tmall)
    whole, daily, spent = (
        api.put(f"/orders/T{number}/", order(buyer={"external_id": buyer})).body["points"]
        for number, buyer in enumerate(["mei", "mei", "bo"])
    )
    assert (whole["total"], whole["cut"]) == (400, [])
    (cut,) = daily["cut"]
    assert (cut["code"], cut["wanted"], cut["given"]) == ("loyalty.limit_reached", 200, 50)
    (cut,) = spent["cut"]
    assert (cut["code"], cut["rule"], cut["rule_name"]) == ("loyalty.budget_spent", "double", "Double day")
    assert (spent["total"], cut["wanted"], cut["given"]) == (250, 200, 50)
    assert "all members together: 50 left" in cut["sentence"]
    assert api.get("/orders/T2/").body["points"]["cut"] == [cut]
