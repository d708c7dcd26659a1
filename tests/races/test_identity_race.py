"""Two channels meet the same unknown person at once: one member comes of it (A5)."""

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from members import acquaintances, identity
from members.facts import AccountFact
from members.keys import Place
from members.models import Account, Channel, Identifier, Member
from tests import make

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def at_once(*works: Callable[[], object]) -> list[Any]:
    """Run works in threads of their own; what each answered or raised."""
    answers: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        try:
            answers[place] = work()
        except IntegrityError as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return answers


def meet_in_the_middle(monkeypatch: pytest.MonkeyPatch, parties: int, *, lock: bool) -> None:
    """Hold every request after its first look, so that all have seen the person as unknown.

    Without the lock, hold them once more after their second look: none has written when all have looked.
    """
    first, second = Barrier(parties, timeout=30), Barrier(parties, timeout=30)
    holders = acquaintances.holders

    def take_turns(buckets: Sequence[int]) -> None:
        first.wait()
        if lock:
            acquaintances.lock(buckets)

    def look_again(places: Sequence[Place]) -> Any:
        found = holders(places)
        second.wait()
        return found

    monkeypatch.setattr(identity, "take_turns", take_turns)
    if not lock:
        monkeypatch.setattr(acquaintances, "holders", look_again)


def work(channel: Channel, fact: AccountFact) -> Callable[[], object]:
    def run() -> object:
        with transaction.atomic():
            return identity.resolve(channel, [fact], now=make.NOW)[0]

    return run


def two_channels() -> list[Callable[[], object]]:
    return [
        work(channel, make.buyer(f"mei-{channel.code}", make.phone(verified=True), name="梅花"))
        for channel in (make.tmall(), make.wechat())
    ]


def test_one_phone_in_two_channels_at_once_is_one_member(monkeypatch: pytest.MonkeyPatch):
    works = two_channels()
    meet_in_the_middle(monkeypatch, 2, lock=True)
    answers = at_once(*works)
    assert {answer.member_id for answer in answers} == {Member.objects.get().pk}
    assert sorted(answer.is_new_member for answer in answers) == [False, True]
    assert Account.objects.count() == 2
    assert Identifier.objects.get().leads


def test_without_the_lock_the_constraint_refuses_the_second_member(monkeypatch: pytest.MonkeyPatch):
    works = two_channels()
    meet_in_the_middle(monkeypatch, 2, lock=False)
    answers = at_once(*works)
    (error,) = [answer for answer in answers if isinstance(answer, IntegrityError)]
    assert "identifier_leads_to_one_member" in str(error)
    assert (Member.objects.count(), Account.objects.count(), Identifier.objects.count()) == (1, 1, 1)


def test_eight_requests_for_one_buyer_make_one_account(monkeypatch: pytest.MonkeyPatch):
    channel = make.tmall()
    meet_in_the_middle(monkeypatch, 8, lock=True)
    answers = at_once(*[work(channel, make.buyer("mei", make.phone(), name="梅花")) for _ in range(8)])
    assert len({answer.account_id for answer in answers}) == Account.objects.count() == 1
    assert Member.objects.count() == 1


def test_batches_in_opposite_order_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch):
    channel = make.tmall()
    crowd = [make.buyer(f"b{n}", make.phone(f"+86137{n:08d}")) for n in range(50)]
    meet_in_the_middle(monkeypatch, 2, lock=True)

    def batch(facts: list[AccountFact]) -> Callable[[], object]:
        def run() -> object:
            with transaction.atomic():
                return identity.resolve(channel, facts, now=make.NOW)

        return run

    answers = at_once(batch(crowd), batch(crowd[::-1]))
    assert not any(isinstance(answer, Exception) for answer in answers)
    assert Member.objects.count() == Account.objects.count() == Identifier.objects.count() == 50
