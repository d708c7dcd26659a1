"""Quotes by API: an amount for every reason, one commit an order, refusals that move nothing (B7, B13)."""

from decimal import Decimal
from typing import Any

import pytest

from loyalty.models import CouponUse, Quote
from members.numbers import number_of
from tests.api import Api
from tests.coupon_shop import PRINTED, SPRING, WELCOME, proven
from tests.loyalty.test_quotes import QuoteShop


@pytest.fixture
def shop(db: None) -> QuoteShop:
    shop = QuoteShop(WELCOME, SPRING, PRINTED)
    shop.give(shop.mei, 600, cause="gift")
    return shop


@pytest.fixture
def app(shop: QuoteShop) -> Api:
    return Api(shop.app)


def ask(shop: QuoteShop, **told: Any) -> dict[str, Any]:
    return {"member_no": number_of(shop.mei), "amount": "200.00", **told}


def test_a_basket_with_everything_says_what_each_part_comes_from(shop: QuoteShop, app: Api) -> None:
    code = shop.coupon("WELCOME")
    lines = [{"product": "TEA", "amount": "150.00"}, {"category": "cups", "amount": "50.00"}]
    asked = ask(shop, amount=None, lines=lines, postage="8.00", all_points=True, codes=["SPRING-26", "NONE"])
    quote = app.post("/quotes/", {name: each for name, each in asked.items() if each is not None})
    assert quote.status == 201
    body = quote.body
    assert (body["goods"], body["net"], body["saved"]) == ("200.00", "180.00", "20.00")
    assert [(each["code"], each["discount"]) for each in body["coupons"]] == [(code, "20.00")]
    assert body["coupons"][0]["sentence"] == "min(20.00, 200.00) = 20.00"
    # Both take ¥20 off; the one that ends within its month and asks a minimum spend scores higher.
    assert [(each["code"], each["why_not"]) for each in body["not_used"]] == [
        ("SPRING-26", "not_combined"),
        ("NONE", "no_such_coupon"),
    ]
    assert all(each["reason"] for each in body["not_used"])
    assert body["points"] == {
        "available": 600,
        "usable": 600,
        "usable_value": "6.00",
        "used": 600,
        "value": "6.00",
        "sentence": "600 ÷ 100 = 6.00",
    }
    assert body["to_pay"] == "182.00", "180 less 6 of points, and 8 of postage"
    for column, total in (("coupon_discount", "20.00"), ("points_value", "6.00"), ("to_pay", "174.00")):
        assert sum(Decimal(line[column]) for line in body["lines"]) == Decimal(total)
    assert CouponUse.objects.count() == 0, "asking moves nothing"


def test_a_commit_answers_with_what_the_order_is_to_name(shop: QuoteShop, app: Api) -> None:
    shop.coupon("WELCOME")
    quote = app.post("/quotes/", ask(shop, points=300)).body
    done = app.once(f"/quotes/{quote['quote_id']}/commit/", {"order_no": "O1"})
    assert (done.status, done.body["to_pay"]) == (201, quote["to_pay"])
    assert done.body["points_spent"] == {"points": 300, "cause": "sale:O1"}
    again = app.once(f"/quotes/{quote['quote_id']}/commit/", {"order_no": "O1"})
    assert (again.status, again.body) == (200, done.body)
    other = app.once(f"/quotes/{quote['quote_id']}/commit/", {"order_no": "O2"})
    assert (other.status, other.code) == (409, "loyalty.quote_ended")
    assert shop.available(shop.mei) == 300
    assert proven()


def test_the_order_that_was_quoted_is_told_and_cancelled_and_all_comes_back(
    shop: QuoteShop,
) -> None:
    app = Api(shop.tmall)
    shop.coupon("WELCOME")
    quote = app.post("/quotes/", ask(shop, points=300)).body
    spent = app.once(f"/quotes/{quote['quote_id']}/commit/", {"order_no": "O1"}).body["points_spent"]
    order = {
        "buyer": {"external_id": "mei"},
        "status": "paid",
        "paid_at": shop.now.isoformat(),
        "lines": [{"product": "TEA", "quantity": 1, "price": "200.00", "discount": "20.00"}],
        "amounts": {"goods": "200.00", "discount": "20.00", "points_value": "3.00"},
        "points_spent": spent,
    }
    assert app.put("/orders/O1/", order).status == 201
    assert app.put("/orders/O1/", {**order, "status": "cancelled"}).status == 200
    assert shop.available(shop.mei) == 600
    assert CouponUse.objects.get().returned_at is not None
    assert proven()


def test_a_commit_wants_an_idempotency_key(shop: QuoteShop, app: Api) -> None:
    quote = app.post("/quotes/", ask(shop)).body
    answer = app.post(f"/quotes/{quote['quote_id']}/commit/", {"order_no": "O1"})
    assert (answer.status, answer.code) == (400, "api.idempotency_key_missing")
    assert Quote.objects.get().committed_at is None


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"member_no": None}, "member_no"),
        ({"amount": None}, "lines"),
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"points": -1}, "points"),
        ({"codes": "WELCOME"}, "codes"),
        ({"with_coupons": "yes"}, "with_coupons"),
        ({"lines": [{"product": "TEA"}], "amount": None}, "lines.0.amount"),
    ],
)
def test_what_is_asked_wrongly_is_refused_by_its_field(
    shop: QuoteShop, app: Api, told: dict[str, Any], field: str
) -> None:
    asked = {name: each for name, each in ask(shop, **told).items() if each is not None}
    answer = app.post("/quotes/", asked)
    assert (answer.status, answer.code) == (400, "api.invalid")
    assert field in {error["path"] for error in answer.body["errors"]}


def test_somebody_unknown_has_no_quote(app: Api) -> None:
    answer = app.post("/quotes/", {"member_no": "SK-AAAAA", "amount": "10.00"})
    assert (answer.status, answer.code) == (404, "members.not_found")


def test_a_quote_of_another_channel_is_not_there(shop: QuoteShop, app: Api) -> None:
    quote = app.post("/quotes/", ask(shop)).body
    answer = Api(shop.tmall).once(f"/quotes/{quote['quote_id']}/commit/", {"order_no": "O1"})
    assert (answer.status, answer.code) == (404, "loyalty.quote_not_found")


def test_a_basket_of_a_thousand_lines_costs_as_few_queries_as_one(
    shop: QuoteShop, app: Api, django_assert_max_num_queries: Any
) -> None:
    shop.coupon("WELCOME")
    lines = [{"product": f"P{number}", "amount": "0.33"} for number in range(1000)]
    asked = {"member_no": number_of(shop.mei), "lines": lines, "all_points": True}
    app.post("/quotes/", ask(shop))
    with django_assert_max_num_queries(14):
        answer = app.post("/quotes/", asked)
    assert answer.status == 201
    assert sum(Decimal(line["to_pay"]) for line in answer.body["lines"]) == Decimal(answer.body["to_pay"])
