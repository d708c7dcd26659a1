"""What staff see of grants: the lists, the panel on the member's page, and the time line (B14)."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from loyalty import accounts, activities
from members.models import Member
from privacy import roles
from tests.trade import Trade, buyer

OFFERED: dict[str, Any] = {
    "check_in": {"points": 2, "streak": {1: {"points": 20}}},
    "survey": {"coupon": "TEN"},
    "event": {"coupon": "NOSUCH"},
}
TEN = {"code": "TEN", "name": {"en": "Ten off", "zh-hans": "十元券"}, "kind": "amount", "value": "10"}


@pytest.fixture
def mei(db: None) -> Member:
    trade = Trade(sections={"activities": OFFERED, "coupons": [{**TEN, "valid": {"days": 30}}]})
    (receipt,) = accounts.receive(trade.tmall, [buyer("mei")])
    for kind, detail in (("check_in", {}), ("survey", {"survey": "spring"}), ("event", {"event": "tea"})):
        activities.do(receipt.member_id, kind, channel=trade.tmall, detail=detail)
    return Member.objects.get(pk=receipt.member_id)


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("grant", ["2 points", "20 points", "Coupon Ten off", "Survey: spring", "1 days in a row"]),
        ("activity", ["spring", "tea"]),
        ("checkin", ["tmall"]),
    ],
)
def test_the_lists_show_what_and_why(mei: Member, model: str, shown: list[str]) -> None:
    text = page(signed_in("service"), reverse(f"admin:loyalty_{model}_changelist"))
    assert mei.number in text
    for words in shown:
        assert words in text, words


def test_a_refusal_is_shown_with_its_reason(mei: Member) -> None:
    text = page(signed_in("marketing"), reverse("admin:loyalty_grant_changelist") + "?state=not_given")
    assert "The programme has no such coupon." in text
    assert "2 points" not in text


def test_the_lists_change_nothing(mei: Member) -> None:
    client = signed_in("admin")
    for model in ("grant", "activity", "checkin"):
        assert client.get(reverse(f"admin:loyalty_{model}_add")).status_code == 403


def test_a_list_is_searched_by_member_number(mei: Member) -> None:
    address = reverse("admin:loyalty_grant_changelist")
    client = signed_in("service")
    assert "Ten off" in page(client, f"{address}?q={mei.number}")
    assert "Ten off" not in page(client, f"{address}?q=99999999")


def test_the_members_page_says_what_was_given_and_why(mei: Member) -> None:
    client = signed_in("service")
    text = page(client, reverse("member:show", args=[mei.number]))
    for words in ("Given, and why", "Coupon Ten off", "Survey: spring", "Not given", "no such coupon"):
        assert words in text, words
    narrowed = page(client, reverse("member:show", args=[mei.number]) + "?kind=grant")
    timeline = narrowed.partition('class="sk-timeline"')[2]
    assert "Coupon Ten off" in timeline
    assert "20 points" not in timeline  # points stand in the statement


def test_a_member_without_grants_is_told_so(db: None) -> None:
    trade = Trade()
    (receipt,) = accounts.receive(trade.tmall, [buyer("bo")])
    text = page(signed_in("service"), reverse("member:show", args=[receipt.member_no]))
    assert "Activities, milestones and birthdays show here." in text
