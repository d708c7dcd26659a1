"""Two people: what one asks for, another lets happen, and exactly that happens (D6)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg.errors
import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from members.models import Member
from privacy import approvals, roles
from privacy.errors import (
    ApprovalChanged,
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotFound,
    AskedOtherwise,
    NotAllowed,
    OthersRequest,
    OwnBenefit,
    OwnRequest,
    ReasonMissing,
)
from privacy.jobs import expire_approvals
from privacy.models import Approval, StaffProfile

RAN: list[tuple[dict[str, Any], str]] = []


class WillNot(Exception):
    """The operation refuses."""


def run(change: Mapping[str, Any], approval: Approval) -> dict[str, Any]:
    """The operation of the kind that these tests ask for."""
    if change.get("refuses"):
        raise WillNot
    RAN.append((dict(change), approval.asked_by.username))
    return {"ran": len(RAN)}


def say(change: Mapping[str, Any]) -> str:
    return f"Do {change['what']}."


@pytest.fixture(autouse=True)
def trial(settings):
    RAN.clear()
    here = __name__
    trial = {"verb": "points.approve", "operation": f"{here}.run", "sentence": f"{here}.say"}
    settings.APPROVABLE = {"trial": trial}


@pytest.fixture
def maker(staff) -> User:
    return staff("service")


@pytest.fixture
def checker(staff) -> User:
    return staff("admin")


def asked(maker: User, what: str = "this", **more: Any) -> Approval:
    change = more.pop("change", {"what": what})
    return approvals.ask("trial", change, reason="Goodwill", asked_by=maker, **more)


def state(row: Approval) -> str:
    row.refresh_from_db()
    return row.state


def test_what_was_asked_for_runs_when_a_second_person_approves(maker, checker):
    row = asked(maker)
    assert RAN == [] and state(row) == "waiting"
    done = approvals.approve(row.pk, checker, "Fine")
    assert [({"what": "this"}, maker.username)] == RAN
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.note, row.result) == ("approved", checker, "Fine", {"ran": 1})
    assert done.pk == row.pk


def test_a_refusal_runs_nothing_and_says_why(maker, checker):
    row = asked(maker)
    with pytest.raises(ReasonMissing):
        approvals.refuse(row.pk, checker, " no ")
    assert state(row) == "waiting"
    approvals.refuse(row.pk, checker, "Twice this week")
    assert (state(row), row.note, RAN) == ("refused", "Twice this week", [])


def test_it_is_decided_once(maker, checker, staff):
    row = asked(maker)
    approvals.approve(row.pk, checker)
    for decide in (approvals.approve, approvals.refuse):
        with pytest.raises(ApprovalDecided):
            decide(row.pk, staff("admin"), "Once more")
    assert len(RAN) == 1


def test_who_asks_does_not_decide(staff):
    admin = staff("admin")
    row = asked(admin)
    for decide in (approvals.approve, approvals.refuse):
        with pytest.raises(OwnRequest):
            decide(row.pk, admin, "It is fine")
    assert (state(row), RAN) == ("waiting", [])


def test_only_the_roles_of_that_kind_decide(maker, staff):
    row = asked(maker)
    for role in set(roles.matrix().roles) - {"admin"}:
        with pytest.raises(NotAllowed):
            approvals.approve(row.pk, staff(role))
    left = staff("admin")
    left.is_active = False
    with pytest.raises(NotAllowed):
        approvals.approve(row.pk, left)
    assert (state(row), RAN) == ("waiting", [])


def test_nobody_decides_about_their_own_membership(maker, checker, mei, bo):
    StaffProfile.objects.filter(user=checker).update(member=mei)
    own, other = asked(maker, member_id=mei.pk), asked(maker, member_id=bo.pk)
    checker = User.objects.get(pk=checker.pk)
    with pytest.raises(OwnBenefit):
        approvals.approve(own.pk, checker)
    approvals.approve(other.pk, checker)
    assert (state(own), state(other)) == ("waiting", "approved")


def test_a_merge_hides_no_membership(maker, checker, mei, bo):
    """Mei was merged into Bo; the checker's profile still names Mei, the request the survivor."""
    Member.objects.filter(pk=mei.pk).update(status="merged", merged_into=bo)
    StaffProfile.objects.filter(user=checker).update(member=mei)
    row = asked(maker, member_id=bo.pk)
    with pytest.raises(OwnBenefit):
        approvals.approve(row.pk, User.objects.get(pk=checker.pk))
    assert state(row) == "waiting"


def test_what_the_operation_refuses_goes_on_waiting(maker, checker):
    row = asked(maker, change={"what": "this", "refuses": True})
    with pytest.raises(WillNot):
        approvals.approve(row.pk, checker)
    assert (state(row), row.decided_by) == ("waiting", None)
    approvals.refuse(row.pk, checker, "It cannot be done")
    assert state(row) == "refused"


def test_a_request_runs_out_after_a_day_before_any_job_says_so(maker, checker):
    row = asked(maker)
    assert timedelta(hours=23, minutes=59) < row.expires_at - timezone.now() <= timedelta(hours=24)
    damage("UPDATE privacy_approval SET expires_at = now() - interval '1 second'")
    row.refresh_from_db()
    assert (row.state, approvals.state_of(row)) == ("waiting", "expired")
    assert not approvals.listed(checker).exists() and not approvals.for_decision(checker).exists()
    for decide in (approvals.approve, approvals.refuse):
        with pytest.raises(ApprovalExpired):
            decide(row.pk, checker, "Too late now")
    expire_approvals(0)
    assert (state(row), row.decided_at, row.decided_by) == ("expired", row.expires_at, None)
    with pytest.raises(ApprovalExpired):
        approvals.approve(row.pk, checker)
    assert RAN == [] and approvals.expire() == 0


@pytest.mark.parametrize(
    "altered",
    [
        """change = '{"what": "that"}'""",
        "reason = 'Another reason'",
        "kind = 'other'",
        "member_id = (SELECT max(id) FROM members_member)",
        "asked_by_id = (SELECT min(id) FROM auth_user WHERE id <> asked_by_id)",
    ],
)
def test_what_was_altered_past_every_guard_does_not_run(maker, checker, staff, mei, settings, altered):
    settings.APPROVABLE = {**settings.APPROVABLE, "other": settings.APPROVABLE["trial"]}
    row = asked(maker)
    damage(f"UPDATE privacy_approval SET {altered}")
    with pytest.raises(ApprovalChanged):
        approvals.approve(row.pk, staff("admin"))
    assert (state(row), RAN) == ("waiting", [])
    approvals.refuse(row.pk, staff("admin"), "It was altered")
    assert state(row) == "refused"


def test_the_database_refuses_another_change_and_a_second_decision(maker, checker):
    row = asked(maker)
    for statement in (
        """UPDATE privacy_approval SET change = '{"what": "that"}'""",
        "UPDATE privacy_approval SET expires_at = expires_at + interval '1 day'",
        "DELETE FROM privacy_approval",
    ):
        assert refused(statement) == "approval_asks_one_thing"
    approvals.refuse(row.pk, checker, "No, thank you")
    for column in ("state = 'approved'", "note = 'yes'", "result = '{}'", "decided_at = now()"):
        assert refused(f"UPDATE privacy_approval SET {column}") == "approval_is_decided_once"


def test_the_database_refuses_one_person_as_two(maker):
    row = asked(maker)
    with pytest.raises(IntegrityError, match="approval_by_a_second_person"), transaction.atomic():
        Approval.objects.filter(pk=row.pk).update(
            state="approved", decided_by=maker, decided_at=timezone.now()
        )


def test_the_same_cause_asks_once(maker, staff):
    first = asked(maker, cause="form-1")
    assert asked(maker, cause="form-1").pk == first.pk
    with pytest.raises(AskedOtherwise):
        asked(maker, "that", cause="form-1")
    asked(maker)
    asked(maker)
    assert Approval.objects.count() == 3


def test_asking_needs_a_reason(maker):
    with pytest.raises(ReasonMissing):
        approvals.ask("trial", {"what": "this"}, reason=" x  ", asked_by=maker)
    assert not Approval.objects.exists()


def test_the_inbox_holds_what_waits_for_this_person_oldest_first(maker, checker, staff, mei):
    StaffProfile.objects.filter(user=checker).update(member=mei)
    checker = User.objects.get(pk=checker.pk)
    first, _own = asked(maker), asked(maker, member_id=mei.pk)
    asked(checker)
    last = asked(maker, "last")
    assert list(approvals.for_decision(checker)) == [first, last]
    assert list(approvals.for_decision(maker)) == []
    assert approvals.listed(maker).count() == 4
    assert approvals.listed(maker, "asked").count() == 3
    approvals.approve(first.pk, checker)
    assert list(approvals.listed(maker, "decided")) == [first]
    assert list(approvals.for_decision(checker)) == [last]


def test_there_is_no_such_request(checker):
    with pytest.raises(ApprovalNotFound):
        approvals.approve(17, checker)
    with pytest.raises(ApprovalNotFound):
        approvals.find(17)


def damage(statement: str) -> None:
    """Change the table as whoever owns it could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE privacy_approval DISABLE TRIGGER USER")
        cursor.execute(statement)
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE privacy_approval ENABLE TRIGGER USER")


def refused(statement: str) -> str:
    """The rule by which the database refuses a statement."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    cause = refusal.value.__cause__
    assert isinstance(cause, psycopg.errors.RestrictViolation)
    return str(cause.diag.constraint_name)


# --- withdrawing ---------------------------------------------------------------------------------------


def test_who_asked_withdraws_while_it_waits_and_the_request_is_kept(maker, checker):
    row = asked(maker)
    done = approvals.withdraw(row.pk, maker, "Wrong member")
    assert (done.state, done.note, done.decided_by) == ("withdrawn", "Wrong member", None)
    assert done.decided_at is not None
    with pytest.raises(ApprovalDecided):
        approvals.approve(row.pk, checker)
    assert (RAN, state(row)) == ([], "withdrawn")
    assert [each.pk for each in approvals.listed(maker, "decided")] == [row.pk]
    assert list(approvals.for_decision(checker)) == []


def test_nobody_else_withdraws_it_and_nothing_that_ended_is_withdrawn(maker, checker, staff):
    row = asked(maker)
    for other in (checker, staff("service")):
        with pytest.raises(OthersRequest):
            approvals.withdraw(row.pk, other)
    assert state(row) == "waiting"
    assert approvals.may_withdraw(row, maker)
    approvals.approve(row.pk, checker)
    with pytest.raises(ApprovalDecided):
        approvals.withdraw(row.pk, maker)
    row.refresh_from_db()
    assert (row.state, approvals.may_withdraw(row, maker)) == ("approved", False)
    with pytest.raises(ApprovalNotFound):
        approvals.withdraw(row.pk + 1000, maker)


def test_what_ran_out_of_time_is_withdrawn_no_more(maker):
    row = asked(maker)
    damage("UPDATE privacy_approval SET expires_at = now() - interval '1 second'")
    with pytest.raises(ApprovalExpired):
        approvals.withdraw(row.pk, maker)
    assert not approvals.may_withdraw(approvals.find(row.pk), maker)


def test_the_database_keeps_a_withdrawn_request_as_it_is(maker, checker):
    row = asked(maker)
    approvals.withdraw(row.pk, maker)
    assert refused("UPDATE privacy_approval SET state = 'waiting'") == "approval_is_decided_once"
    other = asked(maker, "that")
    with pytest.raises(IntegrityError, match="approval_decided_once"), transaction.atomic():
        Approval.objects.filter(pk=other.pk).update(
            state="withdrawn", decided_by=checker, decided_at=timezone.now()
        )
