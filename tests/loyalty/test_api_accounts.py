"""Accounts by API: who is told to be whom, and no personal data in an address."""

from typing import Any

import pytest

from members.models import Account, Identifier, Member
from privacy.models import AccessRecord, ConsentEvent
from tests.api import Api
from tests.trade import Trade, buyer, phone

MEI = {"identifiers": {"phone": "139 0000 0001"}, "profile": {"name": "王小梅", "gender": "female"}}


@pytest.fixture
def tmall(trade: Trade) -> Api:
    return Api(trade.tmall)


def test_a_buyer_becomes_a_member_with_a_tier(tmall: Api) -> None:
    answer = tmall.put("/accounts/mei/", MEI)
    assert answer.status == 201
    assert (answer.body["is_new_member"], answer.body["tier"], answer.body["points"]["available"]) == (
        True,
        "basic",
        0,
    )
    assert Member.objects.get().name == "王小梅"
    assert Identifier.objects.get().value == "+8613900000001"


def test_the_same_phone_in_another_channel_is_the_same_member(trade: Trade, tmall: Api) -> None:
    known = trade.buy("T1", "100", buyer("mei", phone("+8613900000001")))
    answer = Api(trade.app).put("/accounts/wx-1/", MEI)
    assert (answer.status, answer.body["is_new_member"]) == (201, False)
    assert answer.body["member_no"] == known.member_no
    assert answer.body["matched_by"] == "phone_verified"
    assert answer.body["points"]["available"] == 100


def test_fields_may_stand_in_the_profile_or_beside_it(tmall: Api) -> None:
    tmall.put("/accounts/mei/", {"name": "王小梅", "birthday": "1990-03-15"})
    account = Account.objects.get()
    assert (account.name, str(account.birthday)) == ("王小梅", "1990-03-15")


def test_told_again_it_is_seen_and_an_older_version_is_stale(tmall: Api) -> None:
    tmall.put("/accounts/mei/", MEI | {"version": 2})
    assert tmall.put("/accounts/mei/", MEI | {"version": 2}).body["outcome"] == "same"
    stale = tmall.put("/accounts/mei/", {"profile": {"name": "王大梅"}, "version": 1})
    assert (stale.status, stale.body["stale"]) == (200, True)
    conflict = tmall.put("/accounts/mei/", {"profile": {"name": "王大梅"}, "version": 2})
    assert (conflict.status, conflict.code) == (409, "members.version_conflict")
    assert Account.objects.get().name == "王小梅"


@pytest.mark.parametrize("external_id", ["mei@example.com", "M@EXAMPLE.cn", "13900000001", "+86139 00000001"])
def test_no_mail_and_no_own_phone_in_an_address(tmall: Api, external_id: str) -> None:
    answer = tmall.put(f"/accounts/{external_id}/", MEI)
    assert (answer.status, answer.code) == (400, "api.external_id_personal")
    assert not Account.objects.exists()


def test_a_number_that_is_not_the_phone_sent_with_it_is_an_id(tmall: Api) -> None:
    assert tmall.put("/accounts/13900000002/", MEI).status == 201


def test_a_masked_phone_is_evidence_and_no_key(tmall: Api) -> None:
    assert tmall.put("/accounts/mei/", {"identifiers": {"phone": "139****0001"}}).status == 201
    assert not Identifier.objects.exists()
    assert Account.objects.get().phone_masked == "139****0001"


@pytest.mark.parametrize(
    ("identifiers", "path"),
    [
        ({"phone": "11111111111"}, "identifiers.phone"),
        ({"phone": {"value": "x"}}, "identifiers.phone.value"),
        ({"phone": {"verified": True}}, "identifiers.phone.value"),
        ({"phone": {"value": "13900000001", "verified": "yes"}}, "identifiers.phone.verified"),
        ({"email": "no mail"}, "identifiers.email"),
        ([], "identifiers"),
    ],
)
def test_a_key_that_is_none_is_refused_with_its_place(tmall: Api, identifiers: Any, path: str) -> None:
    answer = tmall.put("/accounts/mei/", {"identifiers": identifiers})
    assert answer.code == "api.invalid"
    assert [error["path"] for error in answer.body["errors"]] == [path]
    assert not Account.objects.exists()


def test_consents_come_with_the_account(tmall: Api) -> None:
    told = {"purpose": "marketing", "granted": True, "channel": "sms", "at": "2026-01-01T00:00:00+08:00"}
    tmall.put("/accounts/mei/", MEI | {"consents": [told]})
    event = ConsentEvent.objects.get()
    assert (event.purpose, event.channel, event.granted) == ("marketing", "sms", True)


def test_a_consent_that_names_no_party_undoes_the_whole_put(tmall: Api) -> None:
    told = MEI | {"consents": [{"purpose": "third_party", "granted": True}]}
    assert tmall.put("/accounts/mei/", told).code == "privacy.party_missing"
    assert not Account.objects.exists() and not Member.objects.exists()


def test_an_account_is_seen_masked_without_the_scope_and_leaves_no_trail(tmall: Api) -> None:
    tmall.put("/accounts/mei/", MEI)
    seen = tmall.get("/accounts/mei/").body
    assert (seen["is_masked"], seen["profile"]["name"]) == (True, "王**")
    assert not AccessRecord.objects.exists()


def test_what_is_seen_in_clear_is_in_the_trail(trade: Trade) -> None:
    personal = Api(trade.tmall, scopes=["accounts", "members.personal"])
    personal.put("/accounts/mei/", MEI)
    seen = personal.get("/accounts/mei/").body
    assert (seen["is_masked"], seen["profile"]["name"]) == (False, "王小梅")
    record = AccessRecord.objects.get()
    assert (record.action, record.channel, record.member) == ("reveal", "tmall", Member.objects.get())
    assert record.actor_label == f"key {personal.row.prefix}"
    assert "王小梅" not in str(AccessRecord.objects.values().get())


def test_an_account_is_of_its_channel(trade: Trade, tmall: Api) -> None:
    tmall.put("/accounts/mei/", MEI)
    assert Api(trade.app).get("/accounts/mei/").code == "members.account_not_found"
    assert Api(trade.app).delete("/accounts/mei/").code == "members.account_not_found"


def test_unbinding_keeps_the_points(trade: Trade, tmall: Api) -> None:
    trade.buy("T1", "100", buyer("mei", phone("+8613900000001")))
    assert tmall.delete("/accounts/mei/").status == 204
    seen = tmall.get("/accounts/mei/").body
    assert seen["unbound_at"] is not None and seen["points"]["available"] == 100


def test_a_batch_answers_every_item_in_its_place(tmall: Api) -> None:
    items = [
        {"external_id": "mei", **MEI},
        {"profile": {"name": "nobody"}},
        {"external_id": "bo", "identifiers": {"phone": "1"}},
        {"identifiers": {"phone": "13900000003"}, "shoe_size": 42},
        {"external_id": "mei", **MEI},
    ]
    answer = tmall.post("/accounts/batch/", {"accounts": items}).body["items"]
    assert [item["status"] for item in answer] == [201, 400, 400, 201, 200]
    assert answer[3]["ignored"] == ["shoe_size"]
    assert answer[0]["member_no"] == answer[4]["member_no"] != answer[3]["member_no"]
    assert Account.objects.count() == 2
