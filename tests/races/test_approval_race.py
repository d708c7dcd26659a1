"""Two people, and no more: approvers and makers at once (D6, ledger.md, *by hand*)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from loyalty import adjustments, ledger, makers
from loyalty.adjustments import Adjustment
from loyalty.errors import ReversedAlready
from loyalty.makers import Tally
from loyalty.models import Entry
from privacy import approvals, roles
from privacy.errors import ApprovalDecided
from privacy.models import Approval
from tests.races.test_spend_race import look_without_locking
from tests.races.threads import LONGEST, at_once, refusals
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

PEOPLE = 8


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture
def mei(trade: Trade) -> int:
    member = trade.buy("T1", "100", buyer("mei")).member_id
    assert member is not None
    return member


@pytest.fixture
def lin(trade: Trade) -> User:
    return roles.make_staff("lin", "service")[0]


def adjust(lin: User, member: int, points: int, cause: object, **how: Any) -> Adjustment:
    return adjustments.adjust(member, points, "Late parcel", lin, cause=str(cause), **how)


def given() -> list[int]:
    return list(Entry.objects.filter(kind="adjust").values_list("points", flat=True))


def asked(lin: User, mei: int) -> int:
    approval = adjust(lin, mei, 1500, "one").approval
    assert approval is not None
    return approval.pk


def deciders(approval_id: int) -> list[Callable[[], object]]:
    people = [roles.make_staff(f"boss-{number}", "admin")[0] for number in range(PEOPLE)]
    refusing = partial(approvals.refuse, approval_id, people[0], "Too generous")
    return [refusing, *(partial(approvals.approve, approval_id, person) for person in people[1:])]


def test_of_eight_who_decide_at_once_one_does(trade: Trade, mei: int, lin: User) -> None:
    number = asked(lin, mei)
    answers = at_once(*deciders(number))
    assert [type(refusal) for refusal in refusals(answers)] == [ApprovalDecided] * (PEOPLE - 1)
    assert given() == ([1500] if Approval.objects.get().state == "approved" else [])
    assert proven()


def test_without_the_lock_the_database_lets_one_decision_stand(
    trade: Trade, mei: int, lin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = asked(lin, mei)
    have_looked = Barrier(PEOPLE, timeout=LONGEST)

    def look(approval_id: int) -> Approval | None:
        found = Approval.objects.filter(pk=approval_id).first()
        have_looked.wait()
        return found

    monkeypatch.setattr(approvals, "_lock", look)
    answers = at_once(*deciders(number))
    refused = refusals(answers)
    assert len(refused) == PEOPLE - 1
    assert any(isinstance(each, DatabaseError) for each in refused), "the control must collide"
    assert not any(isinstance(each, ApprovalDecided) for each in refused)
    assert given() == ([1500] if Approval.objects.get().state == "approved" else [])
    assert proven()


def maker_and_checker(number: int, lin: User) -> list[Callable[[], object]]:
    boss, _password = roles.make_staff("boss", "admin")
    return [partial(approvals.withdraw, number, lin), partial(approvals.approve, number, boss)]


def test_withdrawn_or_approved_and_never_both(trade: Trade, mei: int, lin: User) -> None:
    number = asked(lin, mei)
    answers = at_once(*maker_and_checker(number, lin))
    assert [type(refusal) for refusal in refusals(answers)] == [ApprovalDecided]
    ended = Approval.objects.get().state
    assert (ended, given()) in (("approved", [1500]), ("withdrawn", []))
    assert proven()


def test_without_the_lock_the_database_keeps_withdrawing_and_approving_apart(
    trade: Trade, mei: int, lin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = asked(lin, mei)
    have_looked = Barrier(2, timeout=LONGEST)

    def look(approval_id: int) -> Approval | None:
        found = Approval.objects.filter(pk=approval_id).first()
        have_looked.wait()
        return found

    monkeypatch.setattr(approvals, "_lock", look)
    refused = refusals(at_once(*maker_and_checker(number, lin)))
    assert [isinstance(each, DatabaseError) for each in refused] == [True], "the control must collide"
    assert (Approval.objects.get().state, given()) in (("approved", [1500]), ("withdrawn", []))
    assert proven()


def test_slices_at_once_stay_within_the_limit(trade: Trade, mei: int, lin: User) -> None:
    answers = at_once(*[partial(adjust, lin, mei, 400, n) for n in range(PEOPLE)])
    assert refusals(answers) == []
    assert given() == [400, 400]
    assert Approval.objects.count() == PEOPLE - 2
    assert proven()


def test_without_turns_slices_at_once_would_slip_past_the_limit(
    trade: Trade, mei: int, lin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_counted = Barrier(PEOPLE, timeout=LONGEST)
    count = adjustments._tally

    def count_before_anybody_writes(*about: Any) -> Tally:
        tally = count(*about)
        have_counted.wait()
        return tally

    monkeypatch.setattr(makers, "take_turn", lambda actor_id, what: None)
    monkeypatch.setattr(adjustments, "_tally", count_before_anybody_writes)
    assert refusals(at_once(*[partial(adjust, lin, mei, 400, n) for n in range(PEOPLE)])) == []
    assert given() == [400] * PEOPLE


def test_the_same_form_at_once_counts_once(trade: Trade, mei: int, lin: User) -> None:
    answers = at_once(*[lambda: adjust(lin, mei, 400, "one") for _ in range(PEOPLE)])
    assert Counter(done.receipt.is_new for done in answers) == {True: 1, False: PEOPLE - 1}
    assert given() == [400]
    waiting = at_once(*[lambda: adjust(lin, mei, 4000, "two") for _ in range(PEOPLE)])
    assert len({done.approval.pk for done in waiting}) == Approval.objects.count() == 1


def people_who_reverse(mei: int, entry: int) -> list[Callable[[], object]]:
    people = [roles.make_staff(f"service-{number}", "service")[0] for number in range(PEOPLE)]
    return [partial(adjust, person, mei, -300, "one", reverses=entry) for person in people]


def test_nothing_is_reversed_twice_by_people_at_once(trade: Trade, mei: int) -> None:
    trade.give(mei, 5000, cause="more")
    entry = trade.give(mei, 500).entry_id
    answers = at_once(*people_who_reverse(mei, entry))
    assert [type(refusal) for refusal in refusals(answers)] == [ReversedAlready] * (PEOPLE - 1)
    assert given() == [-300]
    assert proven()


def test_without_the_wallet_s_lock_the_chain_of_entries_lets_one_reversal_stand(
    trade: Trade, mei: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade.give(mei, 5000, cause="more")
    entry = trade.give(mei, 500).entry_id
    works = people_who_reverse(mei, entry)
    have_counted = Barrier(PEOPLE, timeout=LONGEST)
    count = adjustments._reversal

    def count_before_anybody_writes(*about: Any) -> Any:
        done = count(*about)
        have_counted.wait()
        return done

    monkeypatch.setattr(ledger, "_lock_wallets", look_without_locking(PEOPLE))
    monkeypatch.setattr(adjustments, "_reversal", count_before_anybody_writes)
    refused = refusals(at_once(*works))
    assert len(refused) == PEOPLE - 1
    assert not any(isinstance(each, ReversedAlready) for each in refused), "the control must collide"
    assert given() == [-300]
    assert proven()
