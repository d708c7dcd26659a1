"""The console's pages on friends: who decides, what is shown, and the coefficient (B9)."""

import pytest
from django.test import Client

from loyalty.models import Referral
from members.models import Member
from privacy import roles
from tests.friends import Circle, row_of, standing


@pytest.fixture
def circle(db: None) -> Circle:
    circle = Circle()
    circle.bring("bo", device="handset-1")
    circle.bring("ai", device="handset-1")
    return circle


def client_of(role: str) -> Client:
    staff, _password = roles.make_staff(role, role)
    client = Client()
    client.force_login(staff)
    return client


def test_the_queue_shows_who_waits_and_why(circle: Circle) -> None:
    page = client_of("marketing").get("/referrals/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "Same device" in text
    assert Member.objects.get(pk=circle.mei).number in text
    assert "Let them count" not in text  # marketing looks, service decides


def test_service_decides_with_a_word(circle: Circle) -> None:
    client = client_of("service")
    row = Referral.objects.get(state="review")
    refused = client.post(f"/referrals/{row.pk}/decide/", {"decision": "count", "note": ""})
    assert refused.status_code == 400
    assert row_of(row.friend_id).state == "review"
    done = client.post(f"/referrals/{row.pk}/decide/", {"decision": "count", "note": "They are sisters"})
    assert done.status_code == 302
    assert standing(row.friend_id) == ("counted", ["same_device"])
    assert "They are sisters" in client.get("/referrals/?list=counted").content.decode()


def test_clerks_do_not_see_the_pages(circle: Circle) -> None:
    client = client_of("finance")
    assert client.get("/referrals/").status_code == 403
    assert client.get("/referrals/coefficient/").status_code == 403


def test_the_coefficient_is_shown_by_month_and_channel(circle: Circle) -> None:
    page = client_of("marketing").get("/referrals/coefficient/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "0.500" in text and "All channels" in text


def test_the_members_page_shows_code_and_friends(circle: Circle) -> None:
    number = Member.objects.get(pk=circle.mei).number
    text = client_of("service").get(f"/members/{number}/").content.decode()
    assert circle.code in text and "2 more for the next rung" in text
