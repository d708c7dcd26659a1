"""A member's code and friends by API, and how an account is answered that names a code (B9)."""

import pytest

from loyalty import referrals
from members.models import Member
from tests.api import Api
from tests.friends import Circle, standing


@pytest.fixture
def circle(db: None) -> Circle:
    return Circle()


@pytest.fixture
def app(circle: Circle) -> Api:
    return Api(circle.app)


def test_a_member_is_told_their_code_and_ladder(circle: Circle, app: Api) -> None:
    circle.bring("bo")
    number = Member.objects.get(pk=circle.mei).number
    answer = app.get(f"/members/{number}/referral/")
    assert answer.status == 200
    assert (answer.body["code"], answer.body["counted"], answer.body["missing"]) == (circle.code, 1, 2)
    assert [rung["reached"] for rung in answer.body["ladder"]] == [True, False, False]
    assert answer.body["ladder"][0]["friend"] == ["Coupon Welcome"]
    assert [friend["state"] for friend in answer.body["friends"]] == ["counted"]
    assert [given["name"] for given in answer.body["given"]] == ["Coupon Welcome"]


def test_nobody_s_referral_is_not_found(app: Api) -> None:
    assert app.get("/members/SK-00000/referral/").status == 404


def test_an_account_that_names_a_code_is_told_what_became_of_it(circle: Circle, app: Api) -> None:
    told = {"referred_by": circle.code, "identifiers": {"device": "handset-1"}}
    answer = app.put("/accounts/bo/", told)
    assert (answer.status, answer.body["referral"]) == (201, {"state": "waiting", "reasons": []})
    answer = app.put("/accounts/ai/", told)
    assert answer.body["referral"] == {"state": "review", "reasons": ["same_device"]}
    assert "ignored" not in answer.body or answer.body["ignored"] == []
    answer = app.put("/accounts/cy/", {"referred_by": "NOBODYHERE"})
    assert answer.body["referral"] == {"state": referrals.UNKNOWN_CODE, "reasons": []}
    assert app.put("/accounts/di/", {"city": "上海"}).body["referral"] is None


def test_a_batch_answers_for_each(circle: Circle, app: Api) -> None:
    accounts = [{"external_id": "bo", "referred_by": circle.code}, {"external_id": "ai"}]
    items = app.post("/accounts/batch/", {"accounts": accounts}).body["items"]
    assert [item["referral"] for item in items] == [{"state": "waiting", "reasons": []}, None]


def test_nobody_is_recognised_by_a_device(circle: Circle, app: Api) -> None:
    told = {"identifiers": {"device": "handset-1"}}
    numbers = {app.put(f"/accounts/{name}/", told).body["member_no"] for name in ("bo", "ai")}
    assert len(numbers) == 2
    assert standing(circle.join("cy", by=circle.code, device="handset-9")) == ("waiting", [])
