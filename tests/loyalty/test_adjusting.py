"""Points by hand from the member's page, and the inbox in which a second person finds them (B3, D6)."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from loyalty.models import Entry
from members.models import Member
from privacy import roles
from privacy.models import Approval, StaffProfile
from tests.trade import Trade, buyer, proven


@pytest.fixture
def mei(trade: Trade) -> Member:
    """A member with 100 points."""
    trade.buy("T1", "100", buyer("mei"))
    return Member.objects.get()


def signed_in(role: str, name: str = "") -> Client:
    user, _password = roles.make_staff(name or role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def lin(trade: Trade) -> Client:
    return signed_in("service", "lin")


@pytest.fixture
def boss(trade: Trade) -> Client:
    return signed_in("admin", "boss")


def form(amount: object = 300, step: str = "do", **more: object) -> dict[str, object]:
    said = {"nonce": uuid4(), "way": "give", "amount": amount, "reason": "Late parcel", "reverses": ""}
    return {**said, "step": step, **more}


def address(member: Member) -> str:
    return reverse("member:adjust", args=[member.number])


def test_the_preview_says_what_will_be_and_does_nothing(lin, mei):
    page = lin.post(address(mei), form(step="preview")).content.decode()
    assert "Available: 100 → 400." in page and "Do it now" in page
    assert "0 of 1,000 for this member" in page and "0 of 10,000 in all" in page
    assert not Entry.objects.filter(kind="adjust").exists()


def test_within_the_limit_it_is_done_once_however_often_it_is_sent(lin, mei):
    sent = form()
    for _touch in range(2):
        answer = lin.post(address(mei), sent, follow=True)
        assert answer.redirect_chain[-1][0] == reverse("member:show", args=[mei.number])
        assert "+300 points by hand. Available now: 400." in answer.content.decode()
    entry = Entry.objects.get(kind="adjust")
    assert (entry.points, entry.reason, entry.actor) == (300, "Late parcel", User.objects.get(username="lin"))
    assert proven()


def test_above_the_limit_it_goes_to_the_inbox_and_a_second_person_lets_it_happen(lin, boss, mei):
    preview = lin.post(address(mei), form(1500, "preview")).content.decode()
    assert "a second person decides" in preview and "Ask for it" in preview
    asked = lin.post(address(mei), form(1500), follow=True).content.decode()
    assert f"Give 1,500 points to {mei.number}." in asked
    assert "Asked by" in asked and "You asked for this yourself" not in asked
    assert "Waits for: Administrator" in asked and 'value="approve"' not in asked
    row = Approval.objects.get()
    inbox = boss.get(reverse("approvals:inbox")).content.decode()
    assert "Late parcel" in inbox and 'value="approve"' in inbox
    foretold = reverse("approvals:foretell", args=[row.pk])
    assert f'hx-get="{foretold}"' in inbox
    assert "Available: 100 → 1,600." in boss.get(foretold).content.decode()
    assert "Available: 100 → 1,600." in boss.get(reverse("approvals:show", args=[row.pk])).content.decode()
    done = boss.post(
        reverse("approvals:decide", args=[row.pk]), {"decision": "approve", "note": "Fine"}, follow=True
    ).content.decode()
    assert "Approved: Give 1,500 points" in done and "Nothing waits for you" in done
    assert Entry.objects.get(kind="adjust").points == 1500
    page = lin.get(reverse("member:show", args=[mei.number])).content.decode()
    assert f"By hand, approved by a second person (request {row.pk})" in page
    assert proven()


def test_a_refusal_wants_a_word_and_the_maker_reads_it(lin, boss, mei):
    lin.post(address(mei), form(1500))
    decide = reverse("approvals:decide", args=[Approval.objects.get().pk])
    refused = boss.post(decide, {"decision": "refuse", "note": ""})
    assert refused.status_code == 400 and "at least five characters" in refused.content.decode()
    boss.post(decide, {"decision": "refuse", "note": "Too generous"})
    own = lin.get(reverse("approvals:inbox"), {"list": "asked"}).content.decode()
    assert "Too generous" in own and "Refused" in own
    late = boss.post(decide, {"decision": "approve"})
    assert late.status_code == 409 and "has been decided already" in late.content.decode()
    assert not Entry.objects.filter(kind="adjust").exists()


def test_who_asked_withdraws_it_on_the_page_and_nobody_else_is_offered_that(lin, boss, mei):
    lin.post(address(mei), form(1500))
    row = Approval.objects.get()
    assert 'value="withdraw"' in lin.get(reverse("approvals:show", args=[row.pk])).content.decode()
    assert 'value="withdraw"' not in boss.get(reverse("approvals:show", args=[row.pk])).content.decode()
    decide = reverse("approvals:decide", args=[row.pk])
    foreign = boss.post(decide, {"decision": "withdraw"})
    assert foreign.status_code == 403 and "only they can withdraw it" in foreign.content.decode()
    done = lin.post(decide, {"decision": "withdraw", "note": "Wrong parcel"}, follow=True).content.decode()
    assert f"Withdrawn: Give 1,500 points to {mei.number}." in done
    assert "Wrong parcel" in done and 'value="withdraw"' not in done
    assert boss.post(decide, {"decision": "approve"}).status_code == 409
    assert not Entry.objects.filter(kind="adjust").exists()
    assert proven()


def test_what_waits_is_counted_for_whom_it_waits(lin, boss, mei):
    assert "request to decide" not in boss.get(reverse("admin:index")).content.decode()
    lin.post(address(mei), form(1500))
    needs = boss.get(reverse("admin:index")).context["needs"]
    assert [(need.count, need.words, need.url) for need in needs] == [
        (1, "request to decide", reverse("approvals:inbox"))
    ]

    def badge(client: Client) -> object:
        menu = client.get(reverse("admin:index")).context["sidebar_navigation"]
        (line,) = [item for group in menu for item in group["items"] if item["title"] == "Approvals"]
        return line.get("badge")

    assert (badge(boss), badge(lin)) == (1, None)


def test_a_person_is_told_why_they_cannot_decide(lin, boss, mei):
    lin.post(address(mei), form(1500))
    row = Approval.objects.get()
    StaffProfile.objects.filter(user__username="boss").update(member=mei)
    page = boss.get(reverse("approvals:show", args=[row.pk])).content.decode()
    assert "about your own membership" in page and 'value="approve"' not in page
    answer = boss.post(reverse("approvals:decide", args=[row.pk]), {"decision": "approve"})
    assert answer.status_code == 403
    assert not Entry.objects.filter(kind="adjust").exists()


def test_a_correction_is_chosen_from_what_can_be_corrected(lin, mei):
    lin.post(address(mei), form())
    wrong = Entry.objects.get(kind="adjust").pk
    page = lin.get(address(mei)).content.decode()
    assert re.search(rf'<option value="{wrong}">[^<]*Adjusted by hand \+300: Late parcel', page)
    lin.post(address(mei), form(way="take", reason="Wrong member", reverses=wrong))
    assert Entry.objects.filter(why__reverses=wrong).get().points == -300
    beyond = lin.post(address(mei), form(1, way="take", reverses=wrong))
    assert beyond.status_code == 422 and "Select a valid choice" in beyond.content.decode()
    assert proven()


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"amount": ""}, 422, "This field is required"),
        ({"amount": "1.5"}, 422, "Type whole points"),
        ({"amount": "-5"}, 422, "greater than or equal to 1"),
        ({"reason": "no"}, 422, "at least 5 characters"),
        ({"way": "take", "amount": 101}, 409, "does not have that many points"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "do"])
def test_a_slip_is_said_and_nothing_moves(lin, mei, said, status, words, step):
    answer = lin.post(address(mei), form(step=step) | said)
    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert not Entry.objects.filter(kind="adjust").exists() and not Approval.objects.exists()


def test_the_form_and_the_inbox_are_for_those_who_may(lin, mei):
    for role in ("marketing", "finance", "admin", "auditor"):
        client = signed_in(role)
        assert client.get(address(mei)).status_code == 403
        assert client.post(address(mei), form()).status_code == 403
        inbox = client.get(reverse("approvals:inbox")).status_code
        assert inbox == 200
        shown = client.get(reverse("member:show", args=[mei.number]))
        assert shown.status_code == 403 or "Points by hand</a>" not in shown.content.decode()
    assert "Points by hand</a>" in lin.get(reverse("member:show", args=[mei.number])).content.decode()
    assert not Entry.objects.filter(kind="adjust").exists()
    assert signed_in("clerk").get(reverse("approvals:inbox")).status_code == 302
    assert lin.get(reverse("approvals:show", args=[999])).status_code == 404


@pytest.mark.parametrize("tab", ["", "waiting", "asked", "decided", "nonsense"])
def test_an_empty_tab_says_what_comes_here(lin, tab):
    page = lin.get(reverse("approvals:inbox"), {"list": tab}).content.decode()
    assert "sk-empty" in page


def test_open_holds_are_on_the_member_s_page_and_in_a_list(lin, trade, mei):
    held = trade.hold(mei.pk, 30, cause="basket-7")
    page = lin.get(reverse("member:show", args=[mei.number])).content.decode()
    assert "Points set aside" in page and "30 pts" in page and "basket-7" in page
    address = reverse("admin:loyalty_hold_changelist")
    assert len(lin.get(address).context["cl"].result_list) == 1
    trade_points = lin.get(address, {"state": "released"}).context["cl"].result_list
    assert len(trade_points) == 0
    assert held.state == "open"
    assert len(lin.get(address, {"state": "all"}).context["cl"].result_list) == 1
