"""The page of one member: masked, revealed with a reason, tagged by hand, with all that happened (A12)."""

import pytest
from django.test import Client
from django.urls import reverse

from members.models import Member, MemberTag
from members.numbers import number_of
from privacy import consent, roles
from privacy.models import AccessRecord
from tests import trade as brand
from tests.trade import Trade

MEI = "+8613800138001"


@pytest.fixture
def mei(trade: Trade) -> Member:
    """Mei has bought in two channels, spent points, had a refund, and agreed to something."""
    who = brand.buyer("tb-mei", brand.phone(MEI), name="梅晓雨")
    member_id = trade.buy("T-1", "500.00", who, at=trade.ago(9)).member_id
    trade.buy("A-1", "80.00", brand.buyer("app-mei", brand.phone(MEI)), channel=trade.app, at=trade.ago(5))
    assert member_id is not None
    trade.spend(member_id, 100)
    trade.refund("T-1", "R-1", "50.00")
    member = Member.objects.get(pk=member_id)
    consent.give(member, "marketing", channel="sms")
    return member


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def page(client: Client, member: Member, **asked: str) -> str:
    answer = client.get(reverse("member:show", args=[member.number]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_who_how_known_and_what_happened(mei):
    shown = page(signed_in("service"), mei)
    assert "梅**" in shown and "138****8001" in shown
    assert "梅晓雨" not in shown and "13800138001" not in shown
    assert "First heard of here" in shown and "Same verified phone" in shown
    for what in ("Order T-1", "Order A-1", "500 × 1 × 1 = 500", "Redeemed", "Taken back after a refund"):
        assert what in shown
    assert "Agreed: Marketing messages" in shown


def test_the_time_line_is_newest_first_and_can_be_narrowed(mei):
    shown = page(signed_in("service"), mei)
    assert shown.index("Order A-1") < shown.index("500 × 1 × 1 = 500")
    narrowed = page(signed_in("marketing"), mei, kind="points")
    assert "Redeemed" in narrowed and "500 × 1 × 1 = 500" not in narrowed


def test_the_time_line_pages_on_without_gap_or_double(mei, trade, monkeypatch):
    monkeypatch.setattr("members.timeline.PAGE", 3)
    for number in range(7):
        who = brand.buyer("tb-mei", brand.phone(MEI))
        trade.buy(f"N-{number}", "10.00", who, at=trade.ago(20 + number))
    client, seen, before = signed_in("service"), [], ""
    for _page in range(5):
        answer = client.get(reverse("member:show", args=[mei.number]), {"kind": "order", "before": before})
        events = answer.context["events"]
        seen += [event.details[0] for event in events]
        before = answer.context["older"]
        if not before:
            break
    assert seen == ["Order A-1", "Order T-1", *(f"Order N-{number}" for number in range(7))]


def test_looking_at_a_member_is_on_record_and_only_the_trail_s_readers_see_it(mei):
    service = signed_in("service")
    page(service, mei)
    assert AccessRecord.objects.filter(action="view", member=mei, actor_label="service").count() == 1
    assert "Looks at the data" not in page(service, mei)
    assert "Viewed, masked: service" in page(signed_in("auditor"), mei)


def test_revealing_needs_a_reason_and_leaves_a_record(mei):
    client, address = signed_in("service"), reverse("member:reveal", args=[mei.number])
    refused = client.post(address, {"fields": ["phone"], "reason": " "})
    assert refused.status_code == 400 and "13800138001" not in refused.content.decode()
    assert not AccessRecord.objects.filter(action="reveal").exists()
    shown = client.post(address, {"fields": ["phone"], "reason": "Ticket 42: wrong parcel"})
    assert "13800138001" in shown.content.decode() and "梅晓雨" not in shown.content.decode()
    assert shown["Refresh"].startswith("60;") and "no-store" in shown["Cache-Control"]
    record = AccessRecord.objects.get(action="reveal")
    assert (record.member_id, record.fields, record.reason) == (mei.pk, ["phone"], "Ticket 42: wrong parcel")


@pytest.mark.parametrize("role", ["marketing", "admin", "auditor"])
def test_roles_that_may_not_reveal_are_refused(mei, role):
    answer = signed_in(role).post(
        reverse("member:reveal", args=[mei.number]), {"fields": ["phone"], "reason": "curious"}
    )
    assert answer.status_code == 403 and "13800138001" not in answer.content.decode()
    assert not AccessRecord.objects.filter(action="reveal").exists()


def test_tags_are_given_once_and_taken_away(mei):
    client = signed_in("marketing")
    for name in ("Tea lover", " tea  lover ", "老客"):
        client.post(reverse("member:give-tag", args=[mei.number]), {"name": name})
    assert sorted(MemberTag.objects.values_list("tag__code", flat=True)) == ["tea-lover", "老客"]
    client.post(reverse("member:take-tag", args=[mei.number, "tea-lover"]))
    assert [given.tag.name for given in MemberTag.objects.select_related("tag")] == ["老客"]
    assert MemberTag.objects.filter(given_by__username="marketing").count() == 1


def test_a_tag_without_a_letter_and_a_role_without_tags_are_refused(mei):
    address = reverse("member:give-tag", args=[mei.number])
    assert signed_in("marketing").post(address, {"name": "!!!"}).status_code == 400
    assert signed_in("auditor").post(address, {"name": "VIP"}).status_code == 403
    assert not MemberTag.objects.exists()


def test_a_member_is_found_by_phone_without_it_standing_in_an_address(mei):
    client = signed_in("service")
    found = client.post(reverse("member-find"), {"asked": "138 0013 8001"})
    assert found["Location"] == reverse("member:show", args=[mei.number])
    missed = client.post(reverse("member-find"), {"asked": "13911112222"}, follow=True)
    assert "Nobody has this phone" in missed.content.decode()
    assert client.get(reverse("member-find")).status_code == 405


def test_who_has_no_console_is_sent_to_sign_in(mei):
    for client in (Client(), signed_in("clerk")):
        answer = client.get(reverse("member:show", args=[mei.number]))
        assert answer.status_code == 302 and "/admin/login/" in answer["Location"]
    assert signed_in("finance").get(reverse("member:show", args=[mei.number])).status_code == 403


def test_an_unknown_number_is_not_found(mei):
    client = signed_in("service")
    for number in ("SK-XXXXXXXX", number_of(999_999)):
        assert client.get(reverse("member:show", args=[number])).status_code == 404
