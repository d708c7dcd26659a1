"""Tier and benefits by API: the path with its reasons, the way on, a floor asked for, a benefit had once."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty import clock, nightly, publishing
from loyalty.models import BenefitUse, TierEvent
from privacy import roles
from privacy.models import Approval
from tests.api import Api
from tests.trade import PROGRAMME, Trade, buyer, proven, tier_of


@pytest.fixture
def app(trade: Trade) -> Api:
    return Api(trade.app)


@pytest.fixture
def lin(trade: Trade) -> Api:
    return Api(roles.make_staff("lin", "service")[0])


@pytest.fixture
def boss(trade: Trade) -> Api:
    return Api(roles.make_staff("boss", "admin")[0])


def buys(trade: Trade, orders: int, net: str = "700") -> tuple[int, str]:
    for number in range(orders):
        receipt = trade.buy(f"T{number}", net, buyer("mei"))
    assert receipt.member_id is not None
    return receipt.member_id, f"/members/{receipt.member_no}"


def test_a_channel_is_told_the_tier_the_path_and_what_is_missing(trade: Trade, app: Api) -> None:
    _mei, address = buys(trade, 6)
    answer = app.get(f"{address}/tier/")
    assert answer.status == 200
    assert answer.body["tier"] == {"code": "silver", "name": "Silver"}
    (step,) = answer.body["path"]
    assert (step["before"]["code"], step["after"]["code"], step["reason"]) == ("basic", "silver", "qualified")
    assert step["sentence"] == ("¥3,500.00, 5 orders within 12 months; asked: ¥3,000.00 and 5 orders")
    assert (step["why"]["spend"], step["version"]) == ("3500.00", 1)
    assert answer.body["until"] == step["valid_until"]
    following = answer.body["next"]
    assert (following["code"], following["spend_missing"], following["orders_missing"]) == (
        "gold",
        "5800.00",
        9,
    )
    assert following["needs_both"] is True
    assert [(need["what"], need["percent"]) for need in following["needs"]] == [("spend", 42), ("orders", 40)]
    assert answer.body["to_keep"]["spend_missing"] == "0.00"
    assert answer.body["given"] == []


def test_somebody_who_bought_nothing_stands_at_the_beginning(trade: Trade, app: Api) -> None:
    made = app.put("/accounts/u1/", {"identifiers": {}})
    answer = app.get(f"/members/{made.body['member_no']}/tier/")
    assert (answer.body["tier"]["code"], answer.body["path"], answer.body["until"]) == ("basic", [], None)
    assert app.get("/members/SK-NOBODY/tier/").status == 404


def test_a_floor_is_asked_for_and_happens_when_a_second_person_approves(
    trade: Trade, lin: Api, boss: Api, app: Api
) -> None:
    mei, address = buys(trade, 1)
    until = (clock.read().now + timedelta(days=60)).isoformat()
    body = {"tier": "gold", "until": until, "reason": "Opened the new shop"}
    asked = lin.once(f"{address}/tier/", body, "k1")
    assert (asked.status, asked.body["state"]) == (202, "waiting")
    assert lin.once(f"{address}/tier/", body, "k1").body == asked.body
    assert asked.body["sentence"].startswith("Keep SK-")
    assert tier_of(mei) == "basic"
    done = boss.post(f"/approvals/{asked.body['approval_id']}/approve/", {"note": "Fine"})
    assert (done.status, done.body["state"]) == (200, "approved")
    shown = app.get(f"{address}/tier/").body
    assert shown["tier"]["code"] == "gold"
    assert [(each["tier"]["code"], each["reason"]) for each in shown["given"]] == [
        ("gold", "Opened the new shop")
    ]
    number = asked.body["approval_id"]
    said = "Opened the new shop (asked by {}, approved as request {})"
    assert shown["path"][0]["sentence"] == said.format("staff", number)
    (step,) = lin.get(f"{address}/tier/").body["path"][:1]
    assert (step["sentence"], step["why"]["asked_by"]) == (said.format("lin", number), "lin")
    assert TierEvent.objects.count() == 1
    assert proven()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"tier": "platinum", "reason": "A good neighbour"}, 404, "loyalty.tier_unknown"),
        ({"tier": "basic", "reason": "A good neighbour"}, 409, "loyalty.tier_not_givable"),
        ({"tier": "gold", "reason": "A good neighbour"}, 400, "loyalty.time_invalid"),
        (
            {"tier": "gold", "until": "2020-01-01T00:00:00+08:00", "reason": "Neighbour"},
            400,
            "loyalty.time_invalid",
        ),
        ({"reason": "A good neighbour"}, 400, "api.invalid"),
        ({"tier": "gold", "until": "soon", "reason": "A good neighbour"}, 400, "api.invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(
    trade: Trade, lin: Api, body: dict[str, Any], status: int, code: str
) -> None:
    _mei, address = buys(trade, 1)
    answer = lin.once(f"{address}/tier/", body)
    assert (answer.status, answer.code) == (status, code)
    assert not Approval.objects.exists()


def test_a_channel_and_a_clerk_give_no_tiers(trade: Trade, app: Api) -> None:
    _mei, address = buys(trade, 1)
    body = {"tier": "gold", "until": "2099-01-01T00:00:00+08:00", "reason": "A good neighbour"}
    assert app.once(f"{address}/tier/", body).status == 403
    clerk = Api(roles.make_staff("clerk", "clerk", store="pos/one")[0])
    assert clerk.once(f"{address}/tier/", body).status == 403
    assert not Approval.objects.exists()


# --- benefits ---------------------------------------------------------------------------------------


def with_benefits(trade: Trade) -> None:
    given = {
        "discount": "0.95",
        "shipping": "regional",
        "provinces": ["上海市"],
        "badge": "茶",
        "uses": [{"code": "monthly", "name": {"en": "10% off", "zh-hans": "9折"}, "discount": "0.90"}],
        "extra": {"club": {"en": "A club", "zh-hans": "俱乐部"}},
    }
    basic = {**PROGRAMME["tiers"][0], "benefits": given}
    publishing.load({**PROGRAMME, "tiers": [basic, *PROGRAMME["tiers"][1:]]}, environment="demo")


def test_any_channel_can_ask_what_a_member_has(trade: Trade, app: Api) -> None:
    with_benefits(trade)
    _mei, address = buys(trade, 1)
    answer = app.get(f"{address}/benefits/")
    assert answer.status == 200
    assert answer.body["benefits"] == [
        "5% off",
        "100 points are worth ¥1",
        "Free shipping to 上海市",
        "10% off: 1 a month",
        "Badge: 茶",
        "A club",
    ]
    assert answer.body["shipping"] == {"kind": "regional", "provinces": ["上海市"]}
    (use,) = answer.body["uses"]
    assert (use["code"], use["left"], use["times"], use["discount"]) == ("monthly", 1, 1, "0.90")
    assert (answer.body["badge"], answer.body["extra"]["club"]["zh-hans"]) == ("茶", "俱乐部")


def test_a_counted_benefit_is_had_once_and_given_back(trade: Trade, app: Api) -> None:
    with_benefits(trade)
    _mei, address = buys(trade, 1)
    used = app.once(f"{address}/benefits/monthly/use/", {"cause": "order-1"})
    assert (used.status, used.body["number"]) == (201, 1)
    assert app.once(f"{address}/benefits/monthly/use/", {"cause": "order-1"}).status == 200
    refused = app.once(f"{address}/benefits/monthly/use/", {"cause": "order-2"})
    assert (refused.status, refused.code) == (409, "loyalty.benefit_used_up")
    other = app.once(f"{address}/benefits/champagne/use/", {"cause": "order-2"})
    assert (other.status, other.code) == (409, "loyalty.benefit_not_yours")
    back = app.once(f"{address}/benefits/monthly/give-back/", {"cause": "order-1"})
    assert (back.status, back.body) == (200, {"given_back": 1})
    assert app.once(f"{address}/benefits/monthly/use/", {"cause": "order-2"}).status == 201
    assert BenefitUse.objects.count() == 2


def test_the_matrix_tells_every_tier_and_what_it_is_worth(trade: Trade, app: Api) -> None:
    with_benefits(trade)
    answer = app.get("/benefits/")
    assert answer.status == 200
    assert [column["tier"]["code"] for column in answer.body["tiers"]] == ["basic", "silver", "gold"]
    basic = answer.body["tiers"][0]
    assert {cell["word"]: cell["yuan"] for cell in basic["benefits"]}["discount"] == "500.00"
    assert basic["value"] == "1098.23"


def test_a_tier_that_ran_out_is_told_with_its_reason(trade: Trade, app: Api) -> None:
    _mei, address = buys(trade, 5)
    clock.move(timedelta(days=400))
    nightly.reassess_tiers()
    answer = app.get(f"{address}/tier/")
    assert answer.body["tier"]["code"] == "basic"
    assert answer.body["path"][0]["sentence"] == (
        "¥0.00, 0 orders within 12 months; asked: ¥3,000.00 and 5 orders"
    )
