"""The member code: a minute, one use, nobody else's (A7)."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from django.test import Client

from loyalty import publishing
from members import member_codes, seeing
from members.errors import MemberCodeExpired, MemberCodeUnknown, MemberCodeUsed
from members.models import Channel, Member, SpentMemberCode
from privacy import roles
from tests.api import Api
from tests.make import buyer, known, phone
from tests.trade import PROGRAMME

pytestmark = pytest.mark.django_db
NOW = 1_800_000_000.5


@pytest.fixture
def mei(tmall: Channel) -> Member:
    return Member.objects.get(pk=known(tmall, buyer("mei", phone(), name="梅花")).member_id)


def test_a_code_leads_to_its_member_once(mei: Member, pos: Channel) -> None:
    code = member_codes.make(mei.pk, now=NOW)
    assert len(code.text) == 24 and code.expires_at.timestamp() == int(NOW) + 60
    assert member_codes.spend(code.text, channel=pos, now=NOW + 59) == mei
    with pytest.raises(MemberCodeUsed):
        member_codes.spend(code.text, channel=pos, now=NOW + 59)
    assert SpentMemberCode.objects.get().channel == pos


def test_it_is_read_as_people_and_scanners_write_it(mei: Member) -> None:
    text = member_codes.make(mei.pk, now=NOW).text
    typed = "-".join(text[n : n + 4] for n in range(0, 24, 4)).lower().replace("1", "l").replace("0", "o")
    assert member_codes.is_one(typed)
    assert member_codes.spend(typed, now=NOW) == mei


@pytest.mark.parametrize("later", [61, 3600, 32_000])
def test_after_a_minute_it_has_run_out(mei: Member, later: int) -> None:
    with pytest.raises(MemberCodeExpired):
        member_codes.spend(member_codes.make(mei.pk, now=NOW).text, now=NOW + later)
    assert not SpentMemberCode.objects.exists()


def test_it_does_not_come_back_when_its_low_bits_do(mei: Member) -> None:
    text = member_codes.make(mei.pk, now=NOW).text
    with pytest.raises(MemberCodeUnknown):
        member_codes.spend(text, now=NOW + (1 << 15))


def test_one_changed_character_is_no_code(mei: Member) -> None:
    text = member_codes.make(mei.pk, now=NOW).text
    for place, character in enumerate(text):
        other = "7" if character != "7" else "8"
        with pytest.raises((MemberCodeUnknown, MemberCodeExpired)):
            member_codes.spend(text[:place] + other + text[place + 1 :], now=NOW)
    assert member_codes.spend(text, now=NOW) == mei


def test_a_clock_a_little_behind_ours_still_reads_it(mei: Member) -> None:
    assert member_codes.spend(member_codes.make(mei.pk, now=NOW).text, now=NOW - 3) == mei
    with pytest.raises(MemberCodeUnknown):
        member_codes.spend(member_codes.make(mei.pk, now=NOW).text, now=NOW - 10)


def test_neither_a_phone_nor_a_number_looks_like_one(mei: Member) -> None:
    for text in ("13800138001", "+86 138 0013 8001", mei.number, "", "UUUUUUUUUUUUUUUUUUUUUUUU"):
        assert not member_codes.is_one(text)


def test_the_pictures_are_whole_and_need_no_style(mei: Member) -> None:
    text = member_codes.make(mei.pk).text
    for picture in (member_codes.qr(text), member_codes.barcode_128(text)):
        root = ET.fromstring(picture)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "style" not in picture and "script" not in picture and text not in picture


# -- By API and at the desk -------------------------------------------------------------------------------


def live(mei: Member, api: Api) -> dict[str, Any]:
    answer = api.post(f"/members/{mei.number}/code/")
    assert answer.status == 200
    return dict(answer.body)


def test_by_api_it_is_made_found_and_used(mei: Member, tmall: Channel, pos: Channel) -> None:
    told = live(mei, Api(tmall))
    till = Api(pos)
    assert till.post("/members/find/", {"code": told["code"]}).body["member_no"] == mei.number
    assert till.post("/members/find/", {"code": told["code"]}).code == "members.member_code_used"
    assert till.post("/members/find/", {"code": "7" * 24}).code == "members.member_code_unknown"
    old = member_codes.make(mei.pk, now=NOW).text
    assert till.post("/members/find/", {"code": old}).status == 404  # of another year
    assert Api(tmall).post("/members/SK-00000000/code/").status == 404
    assert Api(tmall, scopes=["points"]).post(f"/members/{mei.number}/code/").status == 403


def test_at_the_desk_a_scan_uses_it(mei: Member, pos: Channel) -> None:
    publishing.load(PROGRAMME, environment="demo")
    clerk, _password = roles.make_staff("lin", "clerk", store="jingan/jingan")
    desk = Client(headers={"X-Desk": "part", "Accept-Language": "en"})
    desk.force_login(clerk)
    code = member_codes.make(mei.pk).text
    found = desk.post("/desk/find/", {"asked": code})
    assert mei.number in found.content.decode() and code not in found["X-Desk-Url"]
    again = desk.post("/desk/find/", {"asked": code})
    assert "used already" in again.content.decode()
    assert "no member code of ours" in desk.post("/desk/find/", {"asked": "7" * 24}).content.decode()
    spent = SpentMemberCode.objects.get()
    assert (spent.actor, spent.channel, spent.member) == (clerk, pos, mei)


def test_codes_of_a_merged_member_lead_to_the_survivor(mei: Member, tmall: Channel) -> None:
    other = Member.objects.get(pk=known(tmall, buyer("other")).member_id)
    code = member_codes.make(other.pk, now=NOW).text
    Member.objects.filter(pk=other.pk).update(status="merged", merged_into=mei)
    assert member_codes.spend(code, now=NOW) == mei == seeing.find(member_no=other.number)


def test_used_codes_are_forgotten_after_a_day(mei: Member) -> None:
    member_codes.spend(member_codes.make(mei.pk, now=NOW).text, now=NOW)
    assert member_codes.forget() == 0
    SpentMemberCode.objects.update(spent_at="2026-01-01T00:00:00Z")
    assert member_codes.forget() == 1
