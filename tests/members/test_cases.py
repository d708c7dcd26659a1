"""Cases: one row however they are told, times that make sense, sealed texts, states the member sees."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from members import cases
from members.errors import CaseStateForeign, CaseTimesDisorder, VersionConflict
from members.facts import CaseFact, CaseKind, CaseState
from members.models import Case, CaseStep, Channel, Member
from tests import make
from tests.api import Api

NOW = make.NOW
OPENED = NOW - timedelta(days=3)
MEI = make.buyer("mei", make.phone())


def told(number: str = "C1", **values: Any) -> CaseFact:
    given: dict[str, Any] = {
        "kind": CaseKind.RETURN,
        "state": CaseState.OPEN,
        "opened_at": OPENED,
        "buyer": MEI,
    }
    return CaseFact(number=number, **(given | values))


def receive(channel: Channel, **values: Any) -> cases.CaseReceipt:
    return cases.receive(channel, told(**values), now=NOW)


def steps() -> list[str]:
    return list(CaseStep.objects.order_by("revision").values_list("state", flat=True))


def test_a_case_is_its_buyers(tmall: Channel) -> None:
    receipt = receive(tmall)
    assert (receipt.outcome, receipt.case.member) == ("new", Member.objects.get())
    assert steps() == ["open"]


def test_the_same_again_changes_nothing(tmall: Channel) -> None:
    receive(tmall, words="太小了")
    assert receive(tmall, words="太小了").outcome == "same"
    assert (Case.objects.get().revision, steps()) == (1, ["open"])


def test_each_state_is_a_step_and_what_is_not_told_is_kept(tmall: Channel) -> None:
    receive(tmall, words="太小了", question_type="尺码")
    for state in (CaseState.APPROVED, CaseState.SENT, CaseState.ARRIVED):
        assert receive(tmall, state=state).outcome == "changed"
    closed = NOW - timedelta(hours=1)
    receive(tmall, state=CaseState.REFUNDED, closed_at=closed, satisfaction=9)
    case = Case.objects.get()
    assert (case.words, case.question_type, case.satisfaction, case.revision) == ("太小了", "尺码", 9, 5)
    assert steps() == ["open", "approved", "sent", "arrived", "refunded"]
    last = CaseStep.objects.order_by("revision").last()
    assert last is not None and last.happened_at == closed


def test_what_is_taken_up_again_is_not_closed(tmall: Channel) -> None:
    receive(tmall, state=CaseState.RESOLVED, closed_at=NOW)
    receive(tmall, state=CaseState.WORKING)
    assert (Case.objects.get().closed_at, steps()) == (None, ["resolved", "working"])


def test_an_older_version_is_ignored_and_counted(tmall: Channel) -> None:
    receive(tmall, version=2, state=CaseState.APPROVED)
    assert receive(tmall, version=1, state=CaseState.CANCELLED).outcome == "stale"
    case = Case.objects.get()
    assert (case.state, case.stale_count, steps()) == ("approved", 1, ["approved"])


def test_the_same_version_with_another_content_is_refused(tmall: Channel) -> None:
    receive(tmall, version=2)
    with pytest.raises(VersionConflict):
        receive(tmall, version=2, satisfaction=3)
    assert Case.objects.get().satisfaction is None


def test_without_a_buyer_it_is_that_of_the_buyer_of_the_order(tmall: Channel) -> None:
    assert receive(tmall, buyer=None, order_number="T-1").case.member is None
    make.heard(tmall, make.order("T-1", who=MEI))
    receipt = receive(tmall, buyer=None, order_number="T-1")
    assert (receipt.outcome, receipt.case.member_id) == ("changed", Member.objects.get().pk)
    assert steps() == ["open"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (CaseKind.COMPLAINT, CaseState.SENT),
        (CaseKind.REVIEW, CaseState.REFUNDED),
        (CaseKind.RETURN, CaseState.REPLACED),
    ],
)
def test_a_state_is_of_its_kind_and_the_database_says_so_too(
    tmall: Channel, kind: CaseKind, state: CaseState
) -> None:
    with pytest.raises(CaseStateForeign):
        receive(tmall, kind=kind, state=state)
    assert Case.objects.count() == 0
    receive(tmall)
    with pytest.raises(IntegrityError, match="case_state_is_of_its_kind"), transaction.atomic():
        Case.objects.update(kind=kind.value, state=state.value)


def test_a_case_is_opened_before_it_is_answered_or_closed(tmall: Channel) -> None:
    for name in ("first_response_at", "closed_at"):
        with pytest.raises(CaseTimesDisorder):
            receive(tmall, **{name: OPENED - timedelta(seconds=1)})
    receive(tmall, first_response_at=OPENED + timedelta(minutes=4))
    with pytest.raises(CaseTimesDisorder):
        receive(tmall, opened_at=OPENED + timedelta(hours=1))
    with pytest.raises(IntegrityError, match="case_begins_with_its_opening"), transaction.atomic():
        Case.objects.update(closed_at=OPENED - timedelta(days=1))


def test_the_response_time_is_computed_by_the_database(tmall: Channel) -> None:
    receive(tmall, first_response_at=OPENED + timedelta(minutes=4))
    assert Case.objects.get().response_time == timedelta(minutes=4)


def test_what_was_said_is_sealed(tmall: Channel) -> None:
    receive(tmall, words="请打 13800138001", answer="好的，李女士")
    with connection.cursor() as cursor:
        cursor.execute("SELECT words, answer FROM members_case")
        sealed = b"".join(bytes(each) for each in cursor.fetchone())
    assert b"13800138001" not in sealed and "李".encode() not in sealed


# -- by API --------------------------------------------------------------------------------------------


def body(**values: Any) -> dict[str, Any]:
    buyer = {"external_id": "mei", "identifiers": {"phone": "13800138001"}}
    return {"kind": "return", "opened_at": "2026-02-01T10:00:00+08:00", "buyer": buyer, **values}


def test_a_return_by_api_from_first_word_to_money(tmall: Channel) -> None:
    api = Api(tmall)
    first = api.put("/cases/C1/", body(text="太小了", order_no="T-1", product="SCARF"))
    assert (first.status, first.body["outcome"], first.body["state"]) == (201, "new", "open")
    answered = "2026-02-01T10:05:30+08:00"
    again = api.put("/cases/C1/", body(state="approved", first_response_at=answered, state_at=answered))
    assert (again.status, again.body["response_seconds"], again.body["is_open"]) == (200, 330, True)
    done = body(state="refunded", closed_at="2026-02-05T10:00:00+08:00", satisfaction=10)
    assert api.put("/cases/C1/", done).body["is_open"] is False
    seen = api.get("/cases/C1/").body
    assert [(step["state"], step["at"]) for step in seen["steps"]] == [
        ("open", "2026-02-01T10:00:00+08:00"),
        ("approved", answered),
        ("refunded", "2026-02-05T10:00:00+08:00"),
    ]
    assert seen["flow"] == ["open", "approved", "sent", "arrived", "refunded"]
    assert (seen["satisfaction"], seen["order_no"], seen["product"]) == (10, "T-1", "SCARF")
    assert "太小了" not in str(seen)


def test_a_state_that_is_not_told_follows_from_the_times(tmall: Channel) -> None:
    api = Api(tmall)
    assert api.put("/cases/C1/", body()).body["state"] == "open"
    answered = {"first_response_at": "2026-02-01T11:00:00+08:00"}
    assert api.put("/cases/C2/", body(**answered)).body["state"] == "working"
    assert api.put("/cases/C3/", body(closed_at="2026-02-01T11:00:00+08:00")).body["state"] == "resolved"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"satisfaction": 11}, "api.invalid"),
        ({"kind": "wish"}, "api.invalid"),
        ({"opened_at": None}, "api.invalid"),
        ({"state": "replaced"}, "members.case_state_foreign"),
        ({"closed_at": "2026-01-01T00:00:00+08:00"}, "members.case_times_disorder"),
    ],
)
def test_a_case_that_makes_no_sense_is_refused(tmall: Channel, wrong: dict[str, Any], code: str) -> None:
    answer = Api(tmall).put("/cases/C1/", body(**wrong))
    assert (answer.status, answer.code) == (400, code)
    assert (Case.objects.count(), Member.objects.count()) == (0, 0)


def test_a_channel_sees_its_own_cases_and_a_member_those_of_all(tmall: Channel, wechat: Channel) -> None:
    Api(tmall).put("/cases/C1/", body())
    Api(tmall).put("/cases/C2/", body(kind="complaint"))
    api = Api(wechat)
    assert api.get("/cases/C1/").code == "members.case_not_found"
    number = Member.objects.get().number
    page = api.get(f"/members/{number}/cases/?limit=1").body
    assert [case["external_id"] for case in page["cases"]] == ["C2"]
    rest = api.get(page["next"].partition("/api/v1")[2]).body
    assert ([case["external_id"] for case in rest["cases"]], rest["next"]) == (["C1"], None)
