"""Many at once: limits let in exactly so many, one code makes one member, a scan counts once (A7, A8)."""

from collections import Counter
from contextlib import contextmanager
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty import newcomers
from members import joining, member_codes, rates
from members.errors import CodeWrong, MemberCodeUsed, TooOften
from members.models import Enrolment, EnrolmentStep, Member, RateCount, SpentMemberCode
from members.rates import Limit
from tests import joiners
from tests.joiners import LIN, code_of, wrong
from tests.races.threads import at_once, refusals
from tests.trade import Trade, buyer

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_four_threads_get_exactly_as_many_codes_as_the_limits_allow(settings: Any) -> None:
    settings.ENROLMENT_LIMITS = {**joiners.FREELY, "phone_per_hour": (7, 3600)}
    app = Trade().app

    def ask_ten_times() -> list[str]:
        told = []
        for _time in range(10):
            try:
                joining.begin(app, LIN, origin="api", ip="203.0.113.9")
                told.append("sent")
            except TooOften:
                told.append("refused")
        return told

    answers = at_once(*[ask_ten_times] * 4)
    assert Counter(each for told in answers for each in told) == {"sent": 7, "refused": 33}
    assert Enrolment.objects.count() == len(joiners.jobs()) == 7
    # What the phone's limit refused counts against nobody else's.
    assert set(RateCount.objects.values_list("count", flat=True)) == {7}


def test_counting_in_two_statements_would_let_more_in() -> None:
    """The control: look first, count afterwards, and the limit does not hold."""
    limit, looked = Limit(1, 3600), Barrier(4, timeout=30)

    def look_then_count() -> bool:
        allowed = RateCount.objects.count() < limit.most
        looked.wait()
        if allowed:
            rates.allows(("naive", "1", Limit(1000, 3600)))
        return allowed

    assert at_once(*[look_then_count] * 4) == [True] * 4
    assert at_once(*[partial(rates.allows, ("right", "1", limit))] * 4).count(True) == 1


def confirming(settings: Any) -> tuple[Any, Any]:
    """An enrolment, and what confirms it."""
    settings.ENROLMENT_LIMITS = joiners.FREELY
    app = Trade().app
    asked = joining.begin(app, LIN, origin="api")
    return asked, partial(newcomers.confirm, asked.id, app, code_of(asked.id))


def test_two_confirmations_at_once_make_one_member(settings: Any) -> None:
    _asked, confirm = confirming(settings)
    answers = at_once(*[confirm] * 4)
    assert [type(each) for each in refusals(answers)] == [CodeWrong] * 3
    (joined,) = [each for each in answers if not isinstance(each, Exception)]
    assert joined.receipt.is_new_member
    assert Member.objects.count() == 1
    assert EnrolmentStep.objects.filter(step="confirmed").count() == 1


def test_without_the_lock_the_constraint_refuses_the_second(settings: Any, monkeypatch: Any) -> None:
    """The control: both find the enrolment open, and one of them is stopped by the database."""
    _asked, confirm = confirming(settings)
    both = Barrier(2, timeout=30)

    def look(proof: joining.Proof) -> Enrolment:
        found = Enrolment.objects.get(pk=proof.id, state="waiting")
        both.wait()
        return found

    monkeypatch.setattr(joining, "hold", look)
    (refused,) = refusals(at_once(confirm, confirm))
    assert isinstance(refused, IntegrityError) and "enrolment_step_once" in str(refused)
    assert Member.objects.count() == 1


def test_five_tries_are_five_however_many_come_at_once(settings: Any) -> None:
    asked, confirm = confirming(settings)
    app = confirm.args[1]
    guesses = [f"{(int(wrong(code_of(asked.id))) + n) % 10**6:06}" for n in range(12)]
    answers = at_once(*[partial(newcomers.confirm, asked.id, app, guess) for guess in guesses])
    assert [type(each) for each in answers] == [CodeWrong] * 12
    assert Enrolment.objects.get().tries_left == 0
    with pytest.raises(CodeWrong):
        confirm()


def test_a_member_code_counts_once_at_two_counters() -> None:
    trade = Trade()
    mei = trade.buy("T1", "10", buyer("mei")).member_id
    assert mei is not None
    code = member_codes.make(mei).text

    def scan() -> Member:
        with transaction.atomic():
            return member_codes.spend(code)

    answers = at_once(*[scan] * 4)
    assert [type(each) for each in refusals(answers)] == [MemberCodeUsed] * 3
    assert SpentMemberCode.objects.count() == 1


def test_a_scan_that_is_undone_leaves_the_code_to_the_next() -> None:
    trade = Trade()
    mei = trade.buy("T1", "10", buyer("mei")).member_id
    assert mei is not None
    code = member_codes.make(mei).text

    @contextmanager
    def undone():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            yield
            raise ZeroDivisionError

    with undone():
        member_codes.spend(code)
    assert member_codes.spend(code).pk == mei
