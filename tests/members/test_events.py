"""Behaviour events: kept once, attached to members, forgotten by the month; and what of them is not kept."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg.errors
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members import event_rows, events, paths
from members.facts import AccountFact, EventFact, EventKind
from members.models import Account, Channel, Event, EventKey, Member, Visitor
from tests import make
from tests.api import Api

NOW = make.NOW
YESTERDAY = NOW - timedelta(days=1)


def told(event_id: str = "e1", who: str | None = "mei", **values: Any) -> EventFact:
    given: dict[str, Any] = {"kind": EventKind.VIEW, "at": YESTERDAY, "buyer": AccountFact(external_id=who)}
    return EventFact(event_id=event_id, **(given | values))


def record(channel: Channel, *facts: EventFact, now: datetime = NOW) -> list[str]:
    """What became of each: its outcome, or the code of its refusal."""
    return [
        each.error.code if each.error else each.outcome for each in events.record(channel, facts, now=now)
    ]


def members_of_events() -> list[int | None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(v.member_id, a.member_id)"
            "  FROM members_event e JOIN members_visitor v ON v.id = e.visitor_id"
            "  LEFT JOIN members_account a ON a.channel_id = v.channel_id AND a.external_index = v.index"
            " ORDER BY e.id"
        )
        return [member_id for (member_id,) in cursor.fetchall()]


# -- kept once -----------------------------------------------------------------------------------------


def test_an_event_is_kept_once(wechat: Channel) -> None:
    assert record(wechat, told(path="/tea", duration=12)) == ["new"]
    assert record(wechat, told(path="/tea", duration=12)) == ["same"]
    kept = Event.objects.get()
    assert (kept.kind, kept.at, kept.path, kept.duration) == ("view", YESTERDAY, "/tea", 12)


def test_the_same_id_with_another_time_is_the_same_event_in_whatever_month(
    wechat: Channel,
) -> None:
    record(wechat, told())
    assert record(wechat, told(at=NOW - timedelta(days=70))) == ["same"]
    assert Event.objects.get().at == YESTERDAY


def test_twice_in_one_batch_is_once(wechat: Channel) -> None:
    assert record(wechat, told(path="/first"), told(path="/second")) == ["new", "same"]
    assert Event.objects.get().path == "/first"


def test_another_channel_has_ids_of_its_own(wechat: Channel, tmall: Channel) -> None:
    record(wechat, told())
    assert record(tmall, told()) == ["new"]


def test_one_bad_event_does_not_stop_the_others(wechat: Channel) -> None:
    facts = [
        told("e1"),
        told("e2", who=None),
        told("e3", at=NOW + timedelta(days=2)),
        told("e4", at=NOW - timedelta(days=500)),
        told("e5", member_no="SK-22222222"),
        told("e6"),
    ]
    assert record(wechat, *facts) == [
        "new",
        "members.buyer_unknown",
        "members.event_in_future",
        "members.event_too_old",
        "members.not_found",
        "new",
    ]
    assert Event.objects.count() == EventKey.objects.count() == 2


def test_a_batch_costs_as_many_statements_as_one_event(wechat: Channel) -> None:
    record(wechat, told("warm"))
    costs = []
    for number in (1, 200):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            record(wechat, *(told(f"{number}/{each}", who=f"u{number}/{each}") for each in range(number)))
        costs.append(len([each for each in queries.captured_queries if "SAVEPOINT" not in each["sql"]]))
    assert costs[0] == costs[1] <= 4


# -- whose they are ------------------------------------------------------------------------------------


def test_nobody_becomes_a_member_by_looking(wechat: Channel) -> None:
    record(wechat, told(), told("e2", who=None, buyer=make.buyer(None, make.phone())))
    assert (Member.objects.count(), Account.objects.count(), Visitor.objects.count()) == (0, 0, 2)
    assert members_of_events() == [None, None]


def test_events_told_before_the_account_are_the_members_from_the_moment_it_is_there(wechat: Channel) -> None:
    record(wechat, told())
    mei = make.known(wechat, make.buyer("mei", make.phone()))
    assert members_of_events() == [mei.member_id]
    record(wechat, told("e2"))
    assert (members_of_events(), Visitor.objects.count()) == ([mei.member_id] * 2, 1)


def test_events_follow_an_account_to_another_member(wechat: Channel) -> None:
    mei = make.known(wechat, make.buyer("mei"))
    bo = make.known(wechat, make.buyer("bo"))
    record(wechat, told())
    Account.objects.filter(pk=mei.account_id).update(member=bo.member_id)
    assert members_of_events() == [bo.member_id]


def test_a_key_leads_to_a_member_who_is_known_elsewhere(wechat: Channel, tmall: Channel) -> None:
    mei = make.known(tmall, make.buyer("mei-tmall", make.phone()))
    by_phone = make.buyer(None, make.phone())
    assert record(
        wechat, told("e1", buyer=by_phone), told("e2", buyer=make.buyer("mei-app", make.phone()))
    ) == [
        "new",
        "new",
    ]
    assert members_of_events() == [mei.member_id] * 2
    assert Member.objects.count() == 1


def test_a_member_number_will_do(wechat: Channel) -> None:
    mei = make.known(wechat, make.buyer("mei"))
    number = Member.objects.get().number
    record(wechat, told("e1", buyer=None, member_no=number), told("e2", buyer=None, member_no=number.lower()))
    assert members_of_events() == [mei.member_id] * 2
    assert (Visitor.objects.count(), Account.objects.count()) == (1, 1)


# -- months --------------------------------------------------------------------------------------------


def months() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(inhrelid::regclass::text, 6) FROM pg_inherits"
            " WHERE inhparent = 'members_event'::regclass ORDER BY 1"
        )
        return [month for (month,) in cursor.fetchall()]


def test_a_month_is_that_of_shanghai(wechat: Channel) -> None:
    last_second = datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC)
    record(wechat, told("e1", at=last_second), told("e2", at=last_second + timedelta(seconds=1)))
    assert months() == ["202601", "202602"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM members_event_202601")
        assert cursor.fetchone() == (1,)


def test_the_night_makes_months_to_come_and_drops_those_kept_long_enough(
    wechat: Channel,
) -> None:
    oldest, kept = datetime(2025, 1, 31, 12, tzinfo=UTC), datetime(2025, 2, 1, 12, tzinfo=UTC)
    before = oldest + timedelta(days=30)
    assert record(wechat, told("old", at=oldest), told("kept", at=kept), now=before) == ["new", "new"]
    assert settings.EVENT_MONTHS == 13 and events.first_kept(NOW).isoformat() == "2025-02-01"
    assert events.tidy(NOW) == (3, 1)
    assert months() == ["202502", "202603", "202604", "202605"]
    assert [event.at for event in Event.objects.all()] == [kept]
    assert EventKey.objects.count() == 1
    assert events.tidy(NOW) == (0, 0)
    assert record(wechat, told("old", at=oldest)) == ["members.event_too_old"]


def test_the_last_month_cannot_be_dropped(db: None) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        event_rows.forget_months(timezone.now().date())
    assert isinstance(refusal.value.__cause__, psycopg.errors.RestrictViolation)


def test_the_serving_role_makes_months_and_owns_none_of_them(wechat: Channel) -> None:
    visitor = Visitor.objects.create(channel=wechat, index=b"x" * 32)
    month = YESTERDAY.date().replace(day=1)
    row = event_rows.EventRow(UUID(int=1), month, YESTERDAY, visitor.pk, "view", "", "", "", "", "", "", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.SERVING_ROLE])
        if cursor.fetchone() is None:
            pytest.skip("one role is both")
        for table in ("members_event", "members_eventkey", "members_visitor"):
            cursor.execute(f"GRANT SELECT, INSERT ON {table} TO {settings.SERVING_ROLE}")
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {settings.SERVING_ROLE}")
        cursor.execute(f"GRANT USAGE ON SEQUENCE members_event_id_seq TO {settings.SERVING_ROLE}")
        cursor.execute(f"SET LOCAL ROLE {settings.SERVING_ROLE}")
        assert event_rows.make_months({row.month}) == 1
        assert event_rows.add([row]) == {row.key}
        with pytest.raises(DatabaseError), transaction.atomic():
            cursor.execute("DROP TABLE members_event_202602")
        cursor.execute("RESET ROLE")
    assert Event.objects.count() == 1


# -- what is not kept ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://shop.example.com/tea/42?phone=13800138000#mei", "/tea/42"),
        ("https://shop.example.com?from=mei", "/"),
        ("pages/item/index?id=3", "pages/item/index"),
        ("/users/13800138000/orders", "/users/*/orders"),
        ("/u/mei.li%40example.com/edit", "/u/*/edit"),
        ("/orders/2026110100042", "/orders/2026110100042"),
        ("/" + "x" * 500, "/" + "x" * 199),
    ],
)
def test_a_path_is_kept_without_what_may_say_who_it_is(address: str, kept: str) -> None:
    assert paths.path_of(address) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("龙井 100克", "龙井 100克"),
        ("+8613800138000 快递", "* 快递"),
        ("mei@example.com", "*"),
        ("310101199001011234", "*"),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_a_search_is_kept_without_telephones_and_mailboxes(typed: str, kept: str) -> None:
    assert paths.without_contacts(typed) == kept


# -- by API --------------------------------------------------------------------------------------------


def item(event_id: str = "e1", **values: Any) -> dict[str, Any]:
    at = (timezone.now() - timedelta(hours=1)).isoformat()
    return {"event_id": event_id, "kind": "view", "external_id": "mei", "at": at, **values}


def test_a_batch_is_answered_item_by_item(wechat: Channel) -> None:
    api = Api(wechat)
    items = [
        item("e1", path="https://x.example/tea?q=1", session="s1", keyword="龙井", duration=30),
        item("e2", kind="stared"),
        item("e3", external_id=None),
        item("e1"),
        item("e4", colour="green"),
        {"event_id": "e5", "at": "2026-01-01"},
    ]
    answer = api.post("/events/batch/", {"events": items})
    assert answer.status == 200
    assert [each["status"] for each in answer.body["items"]] == [201, 400, 400, 200, 201, 400]
    assert [each.get("outcome") for each in answer.body["items"]] == ["new", None, None, "same", "new", None]
    assert answer.body["items"][1]["errors"] == [
        {"path": "kind", "code": "word_unknown", "message": "This is none of the words that are known here."}
    ]
    assert answer.body["items"][4]["ignored"] == ["colour"]
    assert {(each["path"], each["code"]) for each in answer.body["items"][5]["errors"]} == {
        ("at", "date_invalid"),
        ("kind", "required_missing"),
        ("external_id", "required_missing"),
    }
    kept = Event.objects.get(session="s1")
    assert (kept.path, kept.keyword, kept.duration) == ("/tea", "龙井", 30)


def test_more_than_a_thousand_is_too_many_and_another_scope_will_not_do(wechat: Channel) -> None:
    assert Api(wechat).post("/events/batch/", {"items": [{}] * 1001}).code == "api.invalid"
    assert Api(wechat, scopes=["orders"]).post("/events/batch/", []).code == "api.forbidden"
    assert Event.objects.count() == 0
