"""Members by API: found by one thing, masked unless the key may see more, and that is recorded."""

from typing import Any

import pytest

from members.models import Channel, Member
from privacy import roles
from privacy.models import AccessRecord
from tests.api import Api
from tests.trade import Trade, buyer, phone


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture
def mei(trade: Trade) -> Member:
    receipt = trade.buy("T1", "100", buyer("mei", phone("+8613900000001"), name="王小梅"))
    return Member.objects.get(number=receipt.member_no)


@pytest.mark.parametrize(
    "key",
    [
        {"phone": "139-0000-0001"},
        {"phone": "+8613900000001"},
        {"external_id": "mei"},
        {"member_no": "number"},
        {"member_no": "lower"},
    ],
)
def test_a_member_is_found_by_one_thing_and_masked(trade: Trade, mei: Member, key: dict[str, str]) -> None:
    written = {"number": mei.number, "lower": mei.number.lower().replace("-", " ")}
    asked = {name: written.get(value, value) for name, value in key.items()}
    answer = Api(trade.tmall).post("/members/find/", asked)
    assert answer.status == 200
    assert (answer.body["member_no"], answer.body["is_masked"]) == (mei.number, True)
    assert (answer.body["name"], answer.body["phone"]) == ("王**", "139****0001")
    assert answer.body["accounts"][0]["channel"] == "tmall"
    assert not AccessRecord.objects.exists()


@pytest.mark.parametrize(
    "key", [{"phone": "13900000009"}, {"email": "no"}, {"member_no": "x"}, {"phone": "王"}], ids=str
)
def test_nobody_is_404(trade: Trade, mei: Member, key: dict[str, str]) -> None:
    answer = Api(trade.tmall).post("/members/find/", key)
    assert (answer.status, answer.code) == (404, "members.not_found")


@pytest.mark.parametrize("body", [{}, {"phone": "1", "email": "a@b.cn"}, {"phone": 1}, {"phone": "\x00"}, []])
def test_exactly_one_thing_is_asked_by(trade: Trade, mei: Member, body: Any) -> None:
    assert Api(trade.tmall).post("/members/find/", body).code == "api.invalid"


def test_an_external_id_is_of_the_own_channel(trade: Trade, mei: Member) -> None:
    assert Api(trade.app).post("/members/find/", {"external_id": "mei"}).code == "members.not_found"


def test_with_the_scope_for_it_data_is_clear_and_each_look_recorded(trade: Trade, mei: Member) -> None:
    personal = Api(trade.tmall, scopes=["members.read", "members.personal"])
    found = personal.post("/members/find/", {"phone": "13900000001"}).body
    seen = personal.get(f"/members/{mei.number}/").body
    assert found == seen and (seen["name"], seen["phone"]) == ("王小梅", "+8613900000001")
    records = AccessRecord.objects.all()
    looks = [(each.action, each.member_id, each.channel) for each in records]
    assert looks == [("reveal", mei.pk, "tmall")] * 2
    assert set(records[0].fields) == {"name", "phone", "email", "birthday"}


def test_without_members_read_nobody_is_shown(trade: Trade, mei: Member) -> None:
    blind = Api(trade.tmall, scopes=["points", "members.personal"])
    assert blind.get(f"/members/{mei.number}/").code == "api.forbidden"
    assert blind.post("/members/find/", {"phone": "13900000001"}).code == "api.forbidden"


# -- revealing ------------------------------------------------------------------------------------------


def test_service_reveals_what_they_give_a_reason_for_and_it_is_on_record(mei: Member) -> None:
    person = roles.make_staff("xiao", "service")[0]
    answer = Api(person).post(
        f"/members/{mei.number}/reveal/", {"fields": ["phone", "birthday"], "reason": "Parcel came back"}
    )
    assert answer.status == 200
    assert answer.body == {
        "phone": mei.phone,
        "birthday": None if mei.birthday is None else str(mei.birthday),
    }
    (record,) = AccessRecord.objects.filter(action=AccessRecord.Action.REVEAL)
    assert (record.actor_id, record.member_id, record.reason) == (person.pk, mei.pk, "Parcel came back")
    assert record.fields == ["phone", "birthday"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"fields": ["phone"]}, "privacy.reason_missing"),
        ({"fields": ["phone"], "reason": "why"}, "privacy.reason_missing"),
        ({"fields": [], "reason": "Parcel came back"}, "api.invalid"),
        ({"fields": ["profile"], "reason": "Parcel came back"}, "api.invalid"),
    ],
)
def test_nothing_is_revealed_without_a_reason_or_a_field(
    mei: Member, body: dict[str, Any], code: str
) -> None:
    answer = Api(roles.make_staff("xiao", "service")[0]).post(f"/members/{mei.number}/reveal/", body)
    assert answer.code == code
    assert not AccessRecord.objects.filter(action=AccessRecord.Action.REVEAL).exists()


def test_a_channel_and_marketing_reveal_nothing(mei: Member) -> None:
    body = {"fields": ["phone"], "reason": "Parcel came back"}
    for holder in (Channel.objects.get(code="tmall"), roles.make_staff("ying", "marketing")[0]):
        assert Api(holder).post(f"/members/{mei.number}/reveal/", body).code == "api.forbidden"
