"""Rewards by API: the catalogue as a member sees it, a claim and its undoing, each once (B8, D10)."""

from typing import Any

import pytest

from loyalty import rewards
from loyalty.models import Claim
from members import merging
from members.numbers import number_of
from privacy import roles
from tests.api import Api
from tests.boutique import TOTE, Boutique, shelf
from tests.counter import PLACE
from tests.trade import buyer, proven


@pytest.fixture
def shop(db: None) -> Boutique:
    return Boutique()


@pytest.fixture
def app(shop: Boutique) -> Api:
    return Api(shop.app)


def ask(shop: Boutique, **more: Any) -> dict[str, Any]:
    return {"member_no": number_of(shop.mei), "cause": "c1", **more}


def test_the_catalogue_shows_a_member_what_they_can_have(shop: Boutique, app: Api) -> None:
    shop.offer({**TOTE, "sales": [shop.sale(stock=3)]}, {**TOTE, "code": "CAR", "points": 9000})
    answer = app.get(f"/rewards/?member_no={number_of(shop.mei)}")
    assert answer.status == 200 and answer.body["member_no"] == number_of(shop.mei)
    tote, car = answer.body["rewards"]
    assert (tote["name"], tote["points"], tote["price"], tote["usual_price"], tote["left"]) == (
        "Tote",
        10,
        "10 pts",
        "100 pts",
        3,
    )
    assert tote["can_claim"] and tote["sale"]["code"] == "NOON" and tote["why_not"] is None
    assert (car["can_claim"], car["why_not"], car["why_not_words"]) == (
        False,
        "not_enough_points",
        "8,500 pts short.",
    )


def test_without_a_member_the_catalogue_is_everybodys(shop: Boutique, app: Api) -> None:
    answer = app.get("/rewards/")
    assert (answer.body["member_no"], answer.body["rewards"][0]["can_claim"]) == (None, True)
    assert app.get("/rewards/?member_no=SK-00000000").status == 404


def test_the_catalogue_speaks_the_callers_language(shop: Boutique, app: Api) -> None:
    answer = app.get("/rewards/", **{"Accept-Language": "zh-hans"})
    assert answer.body["rewards"][0]["name"] == "帆布袋"


def test_a_claim_answers_what_it_cost_and_what_is_left(shop: Boutique, app: Api) -> None:
    answer = app.once("/rewards/TOTE/claim/", ask(shop, way="parcel", points=100, money="0"))
    assert answer.status == 201
    assert (answer.body["points"], answer.body["available"], answer.body["way"], answer.body["state"]) == (
        100,
        400,
        "parcel",
        "claimed",
    )
    assert answer.body["sentence"].startswith("Tote: 100 pts, by version")
    assert proven()


def test_the_same_request_and_the_same_cause_are_one_claim(shop: Boutique, app: Api) -> None:
    first = app.once("/rewards/TOTE/claim/", ask(shop), key="k1")
    replay = app.once("/rewards/TOTE/claim/", ask(shop), key="k1")
    again = app.once("/rewards/TOTE/claim/", ask(shop), key="k2")
    assert (first.status, replay.status, again.status) == (201, 201, 200)
    assert replay.headers["Idempotent-Replay"] == "true"
    assert first.body["claim_id"] == replay.body["claim_id"] == again.body["claim_id"]
    assert shelf() == (5, 1) and shop.available(shop.mei) == 400


@pytest.mark.parametrize(
    ("terms", "body", "status", "code"),
    [
        ({"stock": 0}, {}, 409, "loyalty.out_of_stock"),
        ({"points": 501}, {}, 409, "loyalty.not_enough_points"),
        ({}, {"points": 99}, 409, "loyalty.reward_price_changed"),
        ({"code": "MUG"}, {}, 404, "loyalty.reward_not_found"),
        ({}, {"member_no": "SK-00000000"}, 404, "members.not_found"),
        ({}, {"member_no": None}, 400, "api.invalid"),
        ({}, {"cause": 7}, 400, "api.invalid"),
        ({}, {"way": "drone"}, 400, "api.invalid"),
        ({}, {"store": "nowhere"}, 400, "api.invalid"),
        ({}, {"points": -1}, 400, "api.invalid"),
        ({}, {"money": 1.5}, 400, "api.invalid"),
    ],
)
def test_a_refusal_has_a_code_and_moves_nothing(
    shop: Boutique, app: Api, terms: dict[str, Any], body: dict[str, Any], status: int, code: str
) -> None:
    shop.offer({**TOTE, **terms})
    answer = app.once("/rewards/TOTE/claim/", ask(shop, **body))
    assert (answer.status, answer.code) == (status, code)
    assert not Claim.objects.exists() and shop.available(shop.mei) == 500


def test_a_claim_is_undone_once_and_by_its_own_channel(shop: Boutique, app: Api) -> None:
    claim_id = app.once("/rewards/TOTE/claim/", ask(shop)).body["claim_id"]
    address, why = f"/claims/{claim_id}/cancel/", {"reason": "Changed their mind"}
    other = Api(shop.tmall).once(address, why)
    assert (other.status, other.code) == (404, "loyalty.claim_not_found")
    assert app.once(address, {"reason": "no"}).code == "privacy.reason_missing"
    for _again in range(2):
        answer = app.once(address, why)
        assert (answer.status, answer.body["state"], answer.body["available"]) == (200, "cancelled", 500)
    assert shelf() == (5, 0) and proven()


def test_what_was_handed_over_is_not_undone(shop: Boutique, app: Api) -> None:
    claim_id = app.once("/rewards/TOTE/claim/", ask(shop)).body["claim_id"]
    rewards.hand_over(claim_id, actor_id=None)
    answer = app.once(f"/claims/{claim_id}/cancel/", {"reason": "Changed their mind"})
    assert (answer.status, answer.code) == (409, "loyalty.claim_elsewhere")


def test_a_members_claims_are_told_page_by_page(shop: Boutique, app: Api) -> None:
    shop.offer({**TOTE, "per_member": 9})
    for number in range(3):
        app.once("/rewards/TOTE/claim/", ask(shop, cause=f"c{number}"))
    address = f"/members/{number_of(shop.mei)}/claims/"
    first = app.get(f"{address}?limit=2")
    rest = app.get(first.body["next"])
    ids = [claim["claim_id"] for claim in (*first.body["claims"], *rest.body["claims"])]
    assert ids == sorted(ids, reverse=True) and len(ids) == 3 and rest.body["next"] is None
    assert first.body["claims"][0]["can_cancel"]


def test_a_coupon_comes_with_its_code(shop: Boutique, app: Api) -> None:
    ten = {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10"}
    tenner = {"code": "TENNER", "name": {"en": "¥10"}, "kind": "coupon", "coupon": "TEN", "points": 200}
    shop.offer(tenner, coupons=[ten])
    answer = app.once("/rewards/TENNER/claim/", ask(shop))
    assert answer.body["state"] == "done" and len(answer.body["coupon_code"]) >= 12


def test_a_key_without_the_scope_and_staff_without_the_role_are_refused(shop: Boutique) -> None:
    narrow = Api(shop.app, scopes=["points"])
    assert narrow.get("/rewards/").status == 403
    finance = Api(roles.make_staff("finance", "finance")[0])
    assert finance.get("/rewards/").status == 200
    assert finance.once("/rewards/TOTE/claim/", ask(shop)).status == 403
    assert not Claim.objects.exists()


def test_a_clerk_claims_in_their_own_store(shop: Boutique) -> None:
    clerk = Api(roles.make_staff("clerk", "clerk", store=PLACE)[0])
    answer = clerk.once("/rewards/TOTE/claim/", ask(shop))
    assert (answer.status, answer.body["store"]) == (201, "jingan")
    cancelled = clerk.once(f"/claims/{answer.body['claim_id']}/cancel/", {"reason": "Claimed by mistake"})
    assert cancelled.body["state"] == "cancelled"


def test_after_a_merge_the_claims_of_both_are_told(shop: Boutique, app: Api) -> None:
    bo = shop.buy("T-bo", "300.00", buyer("bo")).member_id
    assert bo is not None
    told = [
        app.once("/rewards/TOTE/claim/", ask(shop, member_no=number_of(member_id), cause=cause)).body
        for member_id, cause in ((bo, "c2"), (shop.mei, "c1"))
    ]
    merging.merge(shop.mei, bo, actor_id=None, reason="Same person")
    for member_id in (shop.mei, bo):
        claims = app.get(f"/members/{number_of(member_id)}/claims/").body["claims"]
        assert [claim["claim_id"] for claim in claims] == [told[1]["claim_id"], told[0]["claim_id"]]
