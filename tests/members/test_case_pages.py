"""Cases and events in the console: lists that stay narrow, and words that are shown with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from members import cases, events, exports
from members.facts import AccountFact, CaseFact, CaseKind, CaseState, EventFact, EventKind
from members.models import Case, Channel, Member
from privacy import roles
from privacy.models import AccessRecord
from tests import make

NOW = timezone.now()
EVENTS = reverse("admin:members_event_changelist")


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def case(wechat: Channel) -> Case:
    opened = NOW - timedelta(days=2)
    fact = CaseFact(
        number="R-1",
        kind=CaseKind.RETURN,
        state=CaseState.APPROVED,
        opened_at=opened,
        first_response_at=opened + timedelta(minutes=7),
        buyer=make.buyer("mei", make.phone()),
        words="打 13800138001 找我",
    )
    return cases.receive(wechat, fact, now=NOW).case


def test_a_case_shows_how_far_it_is_and_not_what_was_said(case: Case) -> None:
    page = signed_in("service").get(reverse("cases:show", args=[case.pk]))
    shown = page.content.decode()
    assert "7 minutes" in shown and "13800138001" not in shown
    assert [(str(step["label"]), step["at"] is None) for step in page.context["flow"]] == [
        ("Agreed to", False),
        ("Sent back", True),
        ("Arrived with us", True),
        ("Money returned", True),
    ]
    assert AccessRecord.objects.get(action="view").member_id == case.member_id


def test_what_was_said_is_shown_with_a_reason_and_on_record(case: Case) -> None:
    client, address = signed_in("service"), reverse("cases:show", args=[case.pk])
    refused = client.post(address, {"reason": " "})
    assert refused.status_code == 400 and "13800138001" not in refused.content.decode()
    assert not AccessRecord.objects.filter(action="reveal").exists()
    answer = client.post(address, {"reason": "Ticket 42: call back"})
    assert "打 13800138001 找我" in answer.content.decode() and "no-store" in answer["Cache-Control"]
    record = AccessRecord.objects.get(action="reveal")
    assert (record.model, record.fields, record.member_id) == (
        "members.Case",
        ["words", "answer"],
        case.member_id,
    )


def test_who_may_not_reveal_is_refused_and_finance_sees_no_case(case: Case) -> None:
    address = reverse("cases:show", args=[case.pk])
    assert signed_in("marketing").post(address, {"reason": "curious"}).status_code == 403
    assert signed_in("finance").get(address).status_code == 403
    assert not AccessRecord.objects.filter(action="reveal").exists()


def test_the_list_of_cases_is_found_by_whole_numbers(case: Case) -> None:
    client, address = signed_in("service"), reverse("admin:members_case_changelist")
    assert "R-1" in client.get(address, {"q": "R-1"}).content.decode()
    assert "R-1</a>" not in client.get(address, {"q": "R"}).content.decode()
    assert client.get(address, {"kind__exact": "return", "state__exact": "approved"}).status_code == 200


def test_cases_are_exported_without_what_was_said(case: Case, wechat: Channel, tmp_path: Any) -> None:
    path = tmp_path / "cases.csv"
    assert exports.write(wechat, "cases", path, label="test") == 1
    text = path.read_text(encoding="utf-8-sig")
    assert "R-1," in text and ",420," in text and "13800138001" not in text


# -- events --------------------------------------------------------------------------------------------


@pytest.fixture
def looked(case: Case, wechat: Channel) -> Member:
    facts = [
        EventFact(
            event_id=f"{who}{hours}",
            kind=EventKind.VIEW,
            at=NOW - timedelta(hours=hours),
            buyer=AccountFact(external_id=who),
            product=f"{who}-{hours}",
            keyword="secret word",
            path="/secret/path",
        )
        for who in ("mei", "stranger")
        for hours in (2, 100)
    ]
    events.record(wechat, facts, now=NOW)
    return Member.objects.get()


def products(client: Client, **asked: str) -> list[str]:
    return [event.product for event in client.get(EVENTS, asked).context["cl"].result_list]


def test_everybodys_events_are_those_of_the_last_day_and_a_members_are_all(looked: Member) -> None:
    client = signed_in("marketing")
    assert sorted(products(client)) == ["mei-2", "stranger-2"]
    assert len(products(client, time="week")) == 4
    assert products(client, q=looked.number) == ["mei-2", "mei-100"]
    assert products(client, q="SK-22222222") == []
    assert products(client, channel="0") == []
    shown = client.get(EVENTS).content.decode()
    assert "secret word" not in shown and "/secret/path" not in shown


def test_the_table_of_events_is_never_counted(looked: Member) -> None:
    client = signed_in("marketing")
    with CaptureQueriesContext(connection) as asked:
        client.get(EVENTS)
    told = [query["sql"] for query in asked if "members_event" in query["sql"]]
    assert told and all("COUNT(" not in sql.upper() and 'members_event"."at" >=' in sql for sql in told)


def test_events_are_not_for_finance(looked: Member) -> None:
    assert signed_in("finance").get(EVENTS).status_code == 403
