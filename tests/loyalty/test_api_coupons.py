"""Coupons by API: lock, use, release, each once; refusals with their reason; what a member holds (B6)."""

from typing import Any

import pytest

from loyalty.models import Coupon, CouponUse
from members.models import Scope
from members.numbers import number_of
from privacy import roles
from tests.api import Answer, Api
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, history, picture, proven, row


@pytest.fixture
def shop(db: None) -> CouponShop:
    return CouponShop(WELCOME, SPRING, PRINTED)


@pytest.fixture
def app(shop: CouponShop) -> Api:
    return Api(shop.app)


def ask(shop: CouponShop, order_no: str = "O1", **told: Any) -> dict[str, Any]:
    return {"order_no": order_no, "member_no": number_of(shop.mei), "amount": "200.00", **told}


def reasons(answer: Answer) -> list[str]:
    assert (answer.status, answer.code) == (409, "loyalty.coupon_not_usable")
    return [error["code"] for error in answer.body["errors"]]


def test_lock_then_use(shop: CouponShop, app: Api) -> None:
    code = shop.coupon()
    locked = app.once(f"/coupons/{code}/lock/", ask(shop, expires_in=60))
    assert (locked.status, locked.body["state"], locked.body["discount"]) == (201, "locked", "20.00")
    assert locked.body["words"] == "¥20 off from ¥100"
    used = app.once(f"/coupons/{code.lower()}/use/", {"order_no": "O1", "member_no": number_of(shop.mei)})
    assert (used.status, used.body["state"], used.body["discount"]) == (201, "used", "20.00")
    assert used.body["sentence"] == "min(20.00, 200.00) = 20.00"
    again = app.once(f"/coupons/{code}/use/", ask(shop))
    assert (again.status, again.body) == (200, used.body)
    assert proven()


def test_without_an_idempotency_key_nothing_moves(shop: CouponShop, app: Api) -> None:
    code = shop.coupon()
    for verb in ("lock", "use", "release"):
        answer = app.post(f"/coupons/{code}/{verb}/", ask(shop))
        assert (answer.status, answer.code) == (400, "api.idempotency_key_missing")
    assert history(code) == []


def test_let_go_and_taken_by_another_channel(shop: CouponShop, app: Api) -> None:
    code, tmall = shop.coupon(), Api(shop.tmall)
    app.once(f"/coupons/{code}/lock/", ask(shop))
    refused = tmall.once(f"/coupons/{code}/use/", ask(shop))
    assert reasons(refused) == ["locked"]
    assert refused.body["detail"] == "This coupon cannot be used. It is set aside for another order."
    released = app.once(f"/coupons/{code}/release/", {"order_no": "O1", "member_no": number_of(shop.mei)})
    assert (released.status, released.body["state"]) == (200, "issued")
    assert tmall.once(f"/coupons/{code}/use/", ask(shop)).status == 201
    assert CouponUse.objects.get().channel == shop.tmall


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"amount": "99.99"}, "min_spend"),
        ({"amount": None}, "basket_missing"),
        ({"member_no": None}, "not_yours"),
    ],
)
def test_a_refusal_says_why_in_words_and_as_a_code(
    shop: CouponShop, app: Api, told: dict[str, Any], reason: str
) -> None:
    code = shop.coupon()
    before = picture()
    answer = app.once(f"/coupons/{code}/use/", ask(shop, **told))
    assert reasons(answer) == [reason]
    assert answer.body["errors"][0]["message"]
    assert picture() == before


def test_nobody_s_code_is_not_found(shop: CouponShop, app: Api) -> None:
    answer = app.once("/coupons/ABCDEFGHJKMN/use/", ask(shop))
    assert (answer.status, answer.code) == (404, "loyalty.coupon_not_found")


def test_lines_are_read_and_must_add_up(shop: CouponShop, app: Api) -> None:
    shop.publish({**WELCOME, "products": ["TEA"]})
    code = shop.coupon()
    lines = [{"product": "TEA", "amount": "60.00"}, {"product": "CUP", "amount": "500.00"}]
    assert reasons(app.once(f"/coupons/{code}/lock/", ask(shop, lines=lines, amount=None))) == ["min_spend"]
    wrong = app.once(f"/coupons/{code}/lock/", ask(shop, lines=lines))
    assert (wrong.status, wrong.body["errors"][0]["path"]) == (400, "amount")
    lines[0]["amount"] = "120.00"
    locked = app.once(f"/coupons/{code}/lock/", ask(shop, lines=lines, amount="620.00"))
    assert (locked.status, locked.body["reasons"]["counted"]) == (201, "120.00")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"order_no": ""},
        {"order_no": "O1", "amount": 1.5},
        {"order_no": "O1", "lines": [{}]},
        {"order_no": "O1", "lines": "x"},
        {"order_no": "O1", "expires_in": 0},
        {"order_no": "O" * 65},
    ],
)
def test_a_body_that_cannot_be_read_is_refused(shop: CouponShop, app: Api, body: Any) -> None:
    assert app.once(f"/coupons/{shop.coupon()}/lock/", body).code == "api.invalid"


@pytest.mark.parametrize("code", ["%00", "a", "x" * 300, "红包", "A'--", "%2e%2e"])
def test_strange_codes_are_no_coupons(shop: CouponShop, app: Api, code: str) -> None:
    assert app.once(f"/coupons/{code}/use/", ask(shop)).status in (400, 404)


def test_a_public_code_is_taken_by_its_member(shop: CouponShop, app: Api) -> None:
    used = app.once("/coupons/spring-26/use/", ask(shop))
    assert (used.status, used.body["campaign"], used.body["discount"]) == (201, "SPRING", "20.00")
    assert row(used.body["code"]).member_id == shop.mei


def test_a_store_of_the_channel_and_no_other(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "stores": ["jingan"]})
    till, code = Api(shop.jingan), shop.coupon()
    unknown = till.once(f"/coupons/{code}/use/", ask(shop, store="pudong"))
    assert (unknown.status, unknown.code) == (400, "members.store_unknown")
    assert reasons(till.once(f"/coupons/{code}/use/", ask(shop))) == ["wrong_store"]
    assert till.once(f"/coupons/{code}/use/", ask(shop, store="jingan")).status == 201
    assert CouponUse.objects.get().store == shop.store


def test_a_clerk_uses_it_in_their_own_store(shop: CouponShop) -> None:
    clerk, _password = roles.make_staff("li", "clerk", store="jingan/jingan")
    code = shop.coupon()
    assert Api(clerk).once(f"/coupons/{code}/use/", ask(shop)).status == 201
    use = CouponUse.objects.get()
    assert (use.store, use.channel, use.actor) == (shop.store, shop.jingan, clerk)


def test_who_may_not_cannot(shop: CouponShop) -> None:
    code = shop.coupon()
    auditor, _password = roles.make_staff("an", "auditor")
    for stranger in (Api(auditor), Api(shop.app, scopes=[Scope.POINTS])):
        assert stranger.once(f"/coupons/{code}/use/", ask(shop)).status == 403
    assert Api(shop.app, scopes=[Scope.POINTS]).get(f"/members/{number_of(shop.mei)}/coupons/").status == 403
    assert Api(auditor).get(f"/members/{number_of(shop.mei)}/coupons/").status == 200


def test_a_member_s_coupons_page_by_page(shop: CouponShop, app: Api) -> None:
    shop.publish({**WELCOME, "per_member": 5})
    codes = [shop.coupon(cause=f"{n}") for n in range(5)]
    app.once(f"/coupons/{codes[0]}/use/", ask(shop))
    address = f"/members/{number_of(shop.mei)}/coupons/"
    seen, following = [], f"{address}?limit=2"
    while following:
        page = app.get(following.replace("http://testserver/api/v1", "")).body
        seen += [(held["code"], held["standing"]) for held in page["coupons"]]
        following = page["next"]
    assert seen == [*((code, "usable") for code in reversed(codes[1:])), (codes[0], "used")]
    usable = app.get(f"{address}?usable=true").body["coupons"]
    assert {held["code"] for held in usable} == set(codes[1:])
    assert app.get("/members/SK-00000000/coupons/").status == 404


def test_the_words_are_in_the_caller_s_language(shop: CouponShop, app: Api) -> None:
    shop.coupon()
    address = f"/members/{number_of(shop.mei)}/coupons/"
    held = app.get(address, **{"Accept-Language": "zh-hans"}).body["coupons"][0]
    assert held["name"] == "新人券"
    assert Coupon.objects.count() == 1
