"""Consents by API: given, withdrawn, proved for any instant, told on without the answer."""

from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from members.models import Channel, Member, OutboxEvent
from privacy import notices, roles
from privacy.models import ConsentEvent
from tests import make
from tests.api import Answer, Api

SMS = {"purpose": "marketing", "channel": "sms"}


@pytest.fixture
def mei(wechat: Channel) -> Member:
    make.known(wechat, make.buyer("mei", make.phone()))
    return Member.objects.get()


def day(number: int) -> str:
    return f"2026-03-{number:02}T12:00:00+08:00"


def asked(api: Api, mei: Member, **query: str) -> Any:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return api.get(f"/members/{mei.number}/consents/?{text}").body


def test_given_by_number_and_withdrawn_by_the_channels_own_id(mei: Member, wechat: Channel) -> None:
    api = Api(wechat)
    given = api.post("/consents/", {"member_no": mei.number, **SMS, "granted": True, "method": "tap"})
    assert (given.status, given.body["recorded"][0]["granted"]) == (201, True)
    assert (given.body["recorded"][0]["method"], given.body["recorded"][0]["source"]) == ("tap", "wechat")
    assert asked(api, mei, **SMS)["proof"]["allowed"] is True
    withdrawn = api.post("/consents/", {"external_id": "mei", "consents": [{**SMS, "granted": False}]})
    assert (withdrawn.status, withdrawn.body["member_no"]) == (201, mei.number)
    assert asked(api, mei, **SMS)["proof"]["allowed"] is False
    assert ConsentEvent.objects.count() == 2


def test_what_holds_already_is_not_news(mei: Member, wechat: Channel) -> None:
    api = Api(wechat)
    body = {"member_no": mei.number, **SMS, "granted": True}
    api.post("/consents/", body)
    again = api.post("/consents/", body)
    assert (again.status, again.body["recorded"]) == (200, [])
    assert (ConsentEvent.objects.count(), OutboxEvent.objects.filter(topic="consent.changed").count()) == (
        1,
        1,
    )


def test_any_past_instant_is_proved_with_notice_and_receipt(mei: Member, wechat: Channel) -> None:
    notices.publish_defaults()
    version = notices.current("privacy", "zh-hans").version
    api = Api(wechat)
    words = [
        {**SMS, "granted": True, "at": day(1), "notice": version},
        {**SMS, "granted": False, "at": day(10)},
    ]
    assert api.post("/consents/", {"member_no": mei.number, "consents": words}).status == 201
    before = asked(api, mei, at="2026-02-28T00:00:00+08:00", **SMS)
    assert (before["standing"], before["proof"]["allowed"], before["proof"]["decided_by"]) == (
        [],
        False,
        None,
    )
    proof = asked(api, mei, at=day(5), **SMS)["proof"]
    decided = proof["decided_by"]
    assert (proof["allowed"], decided["notice"], decided["at"]) == (True, version, day(1))
    assert proof["receipt"]["consentReceiptID"] == decided["receipt"]
    assert UUID(decided["receipt"]) == ConsentEvent.objects.earliest("happened_at").receipt
    assert len(proof["receipt"]["policy"]["sha256"]) == 64
    assert proof["receipt"]["piiPrincipalId"] == mei.number
    assert asked(api, mei, at=day(10), **SMS)["proof"]["allowed"] is False


def test_what_was_heard_later_does_not_count_for_what_was_known(mei: Member, wechat: Channel) -> None:
    api = Api(wechat)
    api.post("/consents/", {"member_no": mei.number, **SMS, "granted": True, "at": day(1)})
    assert asked(api, mei, at=day(5), known_at=day(5), **SMS)["proof"]["allowed"] is False
    assert asked(api, mei, at=day(5), **SMS)["proof"]["allowed"] is True


def test_the_channels_hear_which_purpose_changed_and_not_how(mei: Member, wechat: Channel) -> None:
    Api(wechat).post("/consents/", {"member_no": mei.number, **SMS, "granted": True})
    told = OutboxEvent.objects.get(topic="consent.changed")
    assert told.payload == {"member_no": mei.number, "purpose": "marketing", "way": "sms"}
    assert told.member_id == mei.pk


def refused(answer: Answer, code: str) -> None:
    assert answer.code == code
    assert ConsentEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**SMS, "granted": True}, "api.invalid"),
        ({"member_no": "SK-22222222", **SMS, "granted": True}, "members.not_found"),
        ({"external_id": "mei", **SMS}, "api.invalid"),
        ({"external_id": "mei", "consents": []}, "api.invalid"),
        ({"external_id": "mei", "consents": [{**SMS, "granted": "yes"}]}, "api.invalid"),
        ({"external_id": "mei", "purpose": "third_party", "granted": True}, "privacy.party_missing"),
        ({"external_id": "mei", "purpose": "Marketing!", "granted": True}, "api.invalid"),
    ],
)
def test_what_cannot_be_read_records_nothing(
    mei: Member, wechat: Channel, body: dict[str, Any], code: str
) -> None:
    refused(Api(wechat).post("/consents/", body), code)


def test_a_key_without_the_scope_neither_tells_nor_sees(mei: Member, wechat: Channel) -> None:
    api = Api(wechat, scopes=["orders"])
    refused(api.post("/consents/", {"external_id": "mei", **SMS, "granted": True}), "api.forbidden")
    assert api.get(f"/members/{mei.number}/consents/").code == "api.forbidden"


def test_staff_tell_in_their_own_name(mei: Member) -> None:
    lin: User
    lin, _password = roles.make_staff("lin", "service")
    answer = Api(lin).post("/consents/", {"member_no": mei.number, **SMS, "granted": False})
    assert (answer.status, answer.body["recorded"][0]["method"]) == (201, "spoken")
    assert ConsentEvent.objects.get().actor == lin
