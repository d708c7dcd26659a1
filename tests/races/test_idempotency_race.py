"""Many requests with one Idempotency-Key at once: one acts, whoever comes second learns of the first."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from loyalty.models import Entry
from members import replays
from members.errors import InProgress
from members.models import ApiKeyUse, KeptAnswer, Tag
from members.replays import Answer, Request
from tests.api import Api
from tests.trade import Trade, buyer, phone

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

THREADS = 8
ASKED = Request(holder="channel:1", key="k1", line="POST /x/", digest=b"1" * 32)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run the work in all threads, begun together; answers results, or the exceptions raised."""
    ready = threading.Barrier(THREADS)
    results: list[Any] = [None] * THREADS

    def run(number: int) -> None:
        try:
            ready.wait(10)
            results[number] = work(number)
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


class Act:
    """Work that leaves a row each time it is done; it takes long enough for the others to come."""

    def __init__(self) -> None:
        self.begun = 0
        self._counting = threading.Lock()

    def __call__(self) -> Answer:
        with self._counting:
            self.begun += 1
            number = self.begun
        Tag.objects.create(code=f"act-{number}", name="act")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")
        return Answer(201, {"number": number})


def test_one_acts_and_the_others_are_told_that_it_runs() -> None:
    act = Act()
    results = at_once(lambda number: replays.once(ASKED, act))
    assert act.begun == 1
    assert Counter(type(result) for result in results) == {Answer: 1, InProgress: THREADS - 1}
    assert replays.once(ASKED, act) == Answer(201, {"number": 1}, is_replay=True)
    assert Tag.objects.count() == KeptAnswer.objects.count() == 1


def test_without_the_lock_the_unique_key_undoes_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    locks = iter(range(10_000))
    monkeypatch.setattr(replays, "_lock_of", lambda asked: next(locks))  # a lock of its own for each
    act = Act()
    results = at_once(lambda number: replays.once(ASKED, act))
    assert act.begun > 1, "the control must collide, or the test above proves nothing"
    assert Tag.objects.count() == KeptAnswer.objects.count() == 1
    first = [result for result in results if not result.is_replay]
    assert len(first) == 1
    assert {result.body["number"] for result in results} == {first[0].body["number"]}


def test_a_refusal_lets_the_next_one_act() -> None:
    def refuse() -> Answer:
        Tag.objects.create(code="refused", name="refused")
        raise InProgress

    with pytest.raises(InProgress):
        replays.once(ASKED, refuse)
    assert not Tag.objects.exists()
    assert replays.once(ASKED, Act()).status == 201


def test_one_redemption_over_http_whoever_repeats_it() -> None:
    trade = Trade()
    number = trade.buy("T1", "100", buyer("mei", phone("+8613900000001"))).member_no
    api = Api(trade.tmall)
    assert api.get("/orders/T1/").status == 200
    path, body = f"/members/{number}/points/redeem/", {"points": 10, "cause": "c1"}
    answers = at_once(lambda thread: Api(trade.tmall).once(path, body, "k1"))
    assert {answer.status for answer in answers} <= {201, 409}
    assert {answer.code for answer in answers if answer.status == 409} <= {"api.in_progress"}
    assert api.once(path, body, "k1").body["available"] == 90
    assert Entry.objects.filter(kind="redeem").count() == 1


def test_one_key_with_many_causes_acts_for_one_of_them() -> None:
    trade = Trade()
    number = trade.buy("T1", "100", buyer("mei", phone("+8613900000001"))).member_no
    assert Api(trade.tmall).get("/orders/T1/").status == 200
    path = f"/members/{number}/points/redeem/"
    answers = at_once(lambda thread: Api(trade.tmall).once(path, {"points": 10, "cause": f"c{thread}"}, "k1"))
    assert [answer.status for answer in answers].count(201) == 1
    assert {answer.status for answer in answers} <= {201, 409, 422}
    assert Entry.objects.filter(kind="redeem").count() == 1


def test_requests_with_one_key_at_once_are_all_counted() -> None:
    api = Api(Trade().tmall)
    api.get("/orders/T1/")
    at_once(lambda thread: api.get("/orders/T1/"))
    use = ApiKeyUse.objects.get()
    assert use.count + use.before == THREADS + 1
