"""What integrators try: the words of orders elsewhere, names left out, bodies that contradict themselves."""

from typing import Any

import pytest

from loyalty.api import examples
from members import channels
from members.errors import ChannelCodeInvalid
from members.models import Order
from members.numbers import number_of
from privacy import roles
from tests.api import Api
from tests.boutique import Boutique, shelf
from tests.trade import Trade

ORDER: dict[str, Any] = {
    "buyer": {"external_id": "mei"},
    "status": "paid",
    "paid_at": "2026-01-15T10:00:00+08:00",
    "amounts": {"goods": "200.00"},
}


@pytest.fixture
def tmall(trade: Trade) -> Api:
    return Api(trade.tmall)


def test_a_key_that_stands_twice_is_refused_and_named(tmall: Api) -> None:
    twice = b'{"status": "paid", "amounts": {"goods": "10.00", "goods": "90.00"}}'
    answer = tmall.put("/orders/T1/", twice)
    assert (answer.status, answer.code) == (400, "api.invalid")
    assert [(each["path"], each["code"]) for each in answer.body["errors"]] == [("goods", "key_twice")]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/orders/T1/", {**ORDER, "order_no": "T2"}, "order_no"),
        ("/accounts/mei/", {"external_id": "bo"}, "external_id"),
    ],
)
def test_a_body_that_names_another_than_its_address_is_refused(
    tmall: Api, path: str, body: dict[str, Any], field: str
) -> None:
    answer = tmall.put(path, body)
    assert (answer.status, answer.code) == (400, "api.invalid")
    assert [(each["path"], each["code"]) for each in answer.body["errors"]] == [(field, "not_as_addressed")]
    assert tmall.put("/orders/T1/", {**ORDER, "order_no": "T1"}).status == 201


@pytest.mark.parametrize("paid_at", ["2026-01-15T10:00:00", "2026-01-15 10:00", "2026-01-15"])
def test_a_time_without_its_offset_is_refused_and_it_is_said_how_to_write_it(
    tmall: Api, paid_at: str
) -> None:
    (error,) = tmall.put("/orders/T1/", {**ORDER, "paid_at": paid_at}).body["errors"]
    assert (error["path"], error["code"]) == ("paid_at", "date_invalid")
    assert "+08:00" in error["message"]


def test_a_refund_of_nothing_is_out_of_range(tmall: Api) -> None:
    tmall.put("/orders/T1/", ORDER)
    for body, code in (({"goods": "0.00"}, "out_of_range"), ({}, "required_missing")):
        (error,) = tmall.put("/orders/T1/refunds/R1/", body).body["errors"]
        assert (error["path"], error["code"]) == ("goods", code)


def test_a_batch_of_accounts_repeats_whose_each_answer_is(tmall: Api) -> None:
    items = [{"external_id": "mei"}, {"external_id": "bo", "tags": 5}, {"identifiers": {"unionid": "u1"}}]
    told = tmall.post("/accounts/batch/", items).body["items"]
    assert [item.get("external_id") for item in told] == ["mei", None, None]


def test_a_claim_without_a_cause_goes_by_its_idempotency_key(db: None) -> None:
    shop = Boutique()
    body = {"member_no": number_of(shop.mei)}
    first, again = (Api(shop.app).once("/rewards/TOTE/claim/", body, key="k1") for _ in range(2))
    assert (first.status, first.body["claim_id"]) == (201, again.body["claim_id"])
    assert shelf() == (5, 1)


def test_a_quote_takes_lines_as_orders_have_them(trade: Trade, tmall: Api) -> None:
    number = tmall.put("/orders/T1/", ORDER).body["member_no"]
    lines = [{"product": "TEA", "quantity": 2, "price": "150.00", "discount": "20.00"}, {"amount": "5.00"}]
    quoted = tmall.post("/quotes/", {"member_no": number, "lines": lines})
    assert (quoted.status, quoted.body["goods"]) == (201, "285.00")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("kind=nope", "kind", "word_unknown"),
        ("recorded_to=x", "recorded_to", "date_invalid"),
        ("recorded_from=2026-01-01T00:00:00", "recorded_from", "date_invalid"),
        ("cursor=-1", "cursor", "out_of_range"),
        ("limit=99999999999999999999", "limit", "out_of_range"),
    ],
)
def test_a_query_is_refused_by_the_codes_of_a_body(tmall: Api, query: str, field: str, code: str) -> None:
    number = tmall.put("/orders/T1/", ORDER).body["member_no"]
    answer = tmall.get(f"/members/{number}/points/entries/?{query}")
    assert answer.status == 400
    assert [(each["path"], each["code"]) for each in answer.body["errors"]] == [(field, code)]
    seen = tmall.get(f"/members/{number}/points/entries/?recorded_from=2026-01-01T00:00:00+08:00")
    assert len(seen.body["entries"]) == 1


def test_each_kind_of_key_is_told_of_the_other(trade: Trade, tmall: Api) -> None:
    roles.apply_roles()
    person = Api(roles.make_staff("marie", "marketing")[0])
    assert "staff" in tmall.get("/approvals/").body["detail"]
    assert "channel" in person.get("/changes/").body["detail"]


@pytest.mark.parametrize("code", ["x y", "", "渠道", "a/b", "a" * 51])
def test_a_channels_code_can_stand_in_an_address(db: None, code: str) -> None:
    with pytest.raises(ChannelCodeInvalid):
        channels.make(code, "web")


def test_a_misspelt_field_of_a_post_does_not_go_unnoticed(tmall: Api) -> None:
    number = tmall.put("/orders/T1/", ORDER).body["member_no"]
    asked = {"points": 5, "cause": "c1", "expire_in": 60}
    first, again = (tmall.once(f"/members/{number}/points/holds/", asked, key="k1") for _ in range(2))
    assert (first.status, first.body["ignored"]) == (201, ["expire_in"])
    assert again.body == first.body
    kept = tmall.once(f"/members/{number}/points/redeem/", {"points": 5, "cause": "c2", "reason": "Tea"})
    assert "ignored" not in kept.body
    quoted = tmall.post("/quotes/", {"member_no": number, "amount": "9.00", "all_pionts": True})
    assert quoted.body["ignored"] == ["all_pionts"]


def test_an_order_is_shown_in_the_words_in_which_it_was_put(tmall: Api) -> None:
    number = tmall.put("/orders/T0/", ORDER).body["member_no"]
    tmall.once(f"/members/{number}/points/redeem/", {"points": 50, "cause": "c1"})
    line = {"product": "TEA", "name": "Tea", "category": "tea", "quantity": 2, "price": "60.00"}
    amounts = {"goods": "120.00", "discount": "20.00", "postage": "8.00", "paid": "108.00"}
    told = {"lines": [line], "amounts": amounts, "points_spent": {"points": 50, "cause": "c1"}}
    tmall.put("/orders/T1/", {**ORDER, **told})
    seen = tmall.get("/orders/T1/").body
    assert (seen["status"], seen["points_spent"]) == ("paid", told["points_spent"])
    assert seen["amounts"] == amounts | {"points_value": "0.00", "stored_value": "0.00"}
    assert seen["lines"] == [line | {"discount": "0.00", "amount": "120.00"}]


def test_each_example_of_the_description_is_taken_as_it_stands(tmall: Api) -> None:
    number = tmall.put("/accounts/u-81/", examples.ACCOUNT).body["member_no"]
    assert tmall.put("/orders/T1/", examples.ORDER).body["member_no"] == number
    told = [
        tmall.put("/orders/T1/refunds/R1/", examples.REFUND),
        tmall.once("/orders/T1/refunds/", examples.REFUND_ASKED),
        tmall.once(f"/members/{number}/points/earn/", {**examples.POINTS, "cause": "earned"}),
        tmall.once(f"/members/{number}/points/redeem/", examples.POINTS),
        tmall.once(f"/members/{number}/points/holds/", examples.HOLD),
        tmall.post("/quotes/", {**examples.QUOTE, "member_no": number}),
    ]
    assert [(answer.status, answer.body.get("ignored")) for answer in told] == [(201, None)] * len(told)


def test_the_reason_of_an_order_says_what_of_it_stays(tmall: Api) -> None:
    assert tmall.put("/orders/T1/", ORDER).body["points"]["sentence"] == "200 × 1 × 1 = 200"
    grown = tmall.put("/orders/T1/", {**ORDER, "amounts": {"goods": "300.00"}, "version": 2}).body["points"]
    assert grown["total"] == 300
    assert grown["sentence"] == "200 × 1 × 1 = 200; for what is kept of the order now: 300"
    tmall.put("/orders/T1/refunds/R1/", {"goods": "200.00"})
    assert tmall.get("/orders/T1/").body["points"]["sentence"].endswith("now: 100")


def test_what_cannot_be_read_and_what_is_wrong_are_told_apart(tmall: Api) -> None:
    unread = tmall.put("/orders/T1/", b"{'status': paid}")
    wrong = tmall.put("/orders/T1/", {**ORDER, "status": "sold"})
    assert (unread.status, unread.code) == (wrong.status, wrong.code) == (400, "api.invalid")
    assert unread.body["detail"] == "The body is not JSON that can be read." and "errors" not in unread.body
    assert wrong.body["detail"].startswith("The request was read, but some of it is wrong or missing")
    assert [each["path"] for each in wrong.body["errors"]] == ["status"]
