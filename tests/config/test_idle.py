"""A screen that was left signs its person out; one that is used, or renews itself, is told apart (D6)."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from privacy import roles


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time as the middleware reads it: `clock[0]`."""
    hands = [time.time()]
    monkeypatch.setattr("config.idle.time.time", lambda: hands[0])
    return hands


@pytest.fixture
def admin(db: None) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(roles.make_staff("boss", "admin")[0])
    return client


HOME = "/admin/"


def test_half_an_hour_without_use_ends_the_session(admin, clock):
    assert admin.get(HOME).status_code == 200
    clock[0] += 30 * 60 + 1
    answer = admin.get(HOME, follow=True)
    assert answer.redirect_chain[0][0].startswith("/admin/login/")
    assert "You were signed out" in answer.content.decode()
    assert "_auth_user_id" not in admin.session
    assert admin.get(HOME).status_code == 302


def test_use_keeps_it_open_up_to_a_shift(admin, clock):
    for _look in range(6):
        assert admin.get(HOME).status_code == 200
        clock[0] += 25 * 60
    assert admin.session.get_expiry_age() <= 12 * 60 * 60


def test_a_page_that_renews_itself_is_no_use(admin, clock):
    admin.get(HOME)
    for _renewal in range(31):
        clock[0] += 60
        answer = admin.get(reverse("imports:list"), headers={"HX-Request": "true"})
    assert answer.status_code == 302


def test_it_costs_a_write_a_minute_at_most(admin, clock):
    def seen() -> int:
        return admin.session["seen"]

    admin.get(HOME)
    first = seen()
    clock[0] += 30
    admin.get(HOME)
    assert seen() == first
    clock[0] += 31
    admin.get(HOME)
    assert seen() == first + 61


def test_how_long_is_a_setting(admin, clock, settings):
    settings.SESSION_IDLE_SECONDS = 60
    admin.get(HOME)
    clock[0] += 61
    assert admin.get(HOME).status_code == 302


def test_strangers_are_not_looked_at(client, clock, db):
    assert client.get("/admin/login/").status_code == 200
    assert "seen" not in client.session


@pytest.mark.django_db
def test_a_form_sent_too_late_leads_back_to_its_page_and_says_so() -> None:
    client = Client(headers={"accept-language": "en"})
    page = "http://testserver/members/SK-95PRV426/?kind=points"
    late = client.post("/members/SK-95PRV426/tags/", {"name": "old"}, headers={"referer": page})
    assert late["Location"] == "/admin/login/?next=%2Fmembers%2FSK-95PRV426%2F%3Fkind%3Dpoints"
    assert "Nothing was saved" in client.get(late["Location"]).content.decode()
    for elsewhere in ("https://evil.example/members/", "//evil.example/", ""):
        late = client.post("/members/SK-95PRV426/tags/", {}, headers={"referer": elsewhere})
        assert late["Location"] == "/admin/login/?next=%2F"
