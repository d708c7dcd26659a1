"""The page of a member's tier: why it is what it is, what leads on, and asking for one by hand (B1, B2)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from loyalty import clock, nightly, publishing, tier_events
from loyalty.models import TierEvent
from members.models import Member
from privacy import approvals, roles
from privacy.models import AccessRecord, Approval
from tests.trade import Trade, buyer, tier_of


@pytest.fixture
def mei(trade: Trade) -> Member:
    """Silver since her fifth order."""
    for number in range(5):
        member_id = trade.buy(f"T{number}", "700", buyer("mei"), at=trade.ago(5 - number)).member_id
    assert member_id is not None
    return Member.objects.get(pk=member_id)


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def page(client: Client, member: Member) -> str:
    answer = client.get(reverse("member:tier", args=[member.number]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_path_is_told_with_its_numbers_and_its_version(mei: Member) -> None:
    shown = page(signed_in("service"), mei)
    assert "Basic → Silver" in shown
    assert "¥3,500.00, 5 orders within 12 months; asked: ¥3,000.00 and 5 orders" in shown
    assert "by version 1 of the programme" in shown


def test_what_leads_on_is_shown_need_by_need(mei: Member) -> None:
    shown = page(signed_in("service"), mei)
    assert "To Gold" in shown and "All of this" in shown
    assert "¥3,500.00 of ¥10,000.00" in shown and "¥6,500.00 missing" in shown
    assert 'value="35"' in shown and 'value="33"' in shown
    assert "To keep Silver" in shown


def test_the_members_page_shows_the_same_in_short(mei: Member) -> None:
    answer = signed_in("service").get(reverse("member:show", args=[mei.number]))
    shown = answer.content.decode()
    assert "To Gold" in shown and "¥6,500.00 missing" in shown
    assert reverse("member:tier", args=[mei.number]) in shown


def test_a_look_at_the_page_is_on_the_trail(mei: Member) -> None:
    page(signed_in("service"), mei)
    assert AccessRecord.objects.filter(member=mei, action="view").count() == 1


def test_a_tier_is_asked_for_and_runs_through_its_last_day(mei: Member) -> None:
    client = signed_in("service")
    last = (clock.read().now + timedelta(days=30)).date()
    answer = client.post(
        reverse("member:ask-tier", args=[mei.number]),
        {"tier": "gold", "until": last.isoformat(), "reason": "Opened the new shop"},
        follow=True,
    )
    assert "A second person decides" in answer.content.decode()
    asked = Approval.objects.get()
    boss, _password = roles.make_staff("boss", "admin")
    approvals.approve(asked.pk, boss, "")
    event = TierEvent.objects.get()
    assert event.ends_at is not None
    assert (
        event.ends_at.isoformat() == f"{last.isoformat()}T16:00:00+00:00"
    )  # the midnight after, in Shanghai
    shown = page(client, mei)
    assert "Opened the new shop" in shown and "Floor by hand" in shown


def test_what_was_given_is_ended_from_the_page(mei: Member, trade: Trade) -> None:
    floor = tier_events.Gift(
        member_id=mei.pk,
        tier="gold",
        cause="one",
        programme_id=trade.programme.pk,
        kind="floor",
        ends_at=clock.read().now + timedelta(days=30),
    )
    made = tier_events.give([floor])
    client = signed_in("service")
    address = reverse("member:end-tier", args=[mei.number, made["one"]])
    assert client.post(address, {"reason": "no"}).status_code == 400
    client.post(address, {"reason": "It was another member"})
    boss, _password = roles.make_staff("boss", "admin")
    approvals.approve(Approval.objects.get().pk, boss, "")
    assert tier_of(mei.pk) == "silver"


def test_mistakes_are_shown_at_the_form_and_nothing_is_asked(mei: Member) -> None:
    client = signed_in("service")
    address = reverse("member:ask-tier", args=[mei.number])
    empty = client.post(address, {"tier": "gold", "reason": ""})
    assert (empty.status_code, "This field is required" in empty.content.decode()) == (422, True)
    past = client.post(address, {"tier": "gold", "until": "2020-01-01", "reason": "A good neighbour"})
    assert (past.status_code, "Say until when" in past.content.decode()) == (400, True)
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    ("role", "may_see", "may_ask"),
    [("service", 200, 302), ("marketing", 200, 403), ("auditor", 200, 403), ("admin", 200, 403)],
)
def test_each_role_does_what_the_matrix_says(mei: Member, role: str, may_see: int, may_ask: int) -> None:
    client = signed_in(role)
    assert client.get(reverse("member:tier", args=[mei.number])).status_code == may_see
    body = {"tier": "gold", "until": "2099-01-01", "reason": "A good neighbour"}
    assert client.post(reverse("member:ask-tier", args=[mei.number]), body).status_code == may_ask


def test_growth_value_is_listed_with_its_numbers(trade: Trade) -> None:
    document = {**trade.programme.document, "effective_from": trade.ago(1).isoformat()}
    publishing.load({**document, "growth": {"per_yuan": "2"}}, environment="demo")
    mei = Member.objects.get(number=trade.buy("T1", "100", buyer("mei")).member_no)
    shown = page(signed_in("service"), mei)
    assert "Order T1: ¥100.00 × 2, in all 200" in shown


def test_the_page_says_that_the_member_was_warned(trade: Trade, mei: Member) -> None:
    document = {**trade.programme.document, "effective_from": trade.ago(99).isoformat()}
    silver = {**document["tiers"][1], "keep": {"months": 12, "warn_days": 366}}
    publishing.load({**document, "tiers": [document["tiers"][0], silver]}, environment="demo")
    nightly.reassess_tiers()
    assert "The member was told on" in page(signed_in("service"), mei)
