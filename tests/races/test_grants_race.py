"""What is given once is given once, however many give it at the same time (B4, B11)."""

from collections import Counter
from datetime import timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from loyalty import accounts, activities, birthdays, clock, grants, ledger
from loyalty.models import Activity, Entry, Grant
from tests.races.threads import LONGEST, at_once, refusals
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 8
NIGHTS = 4
PEOPLE = 30
PROMISED: dict[str, Any] = {
    "birthday": {"points": 50},
    "member_day": {"days": list(range(1, 32)), "points": 3},
    "catch_up_days": 0,
    "check_in": {"points": 2},
    "event": {"points": 5, "per_day": 3},
}


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(sections={"activities": PROMISED})


def born_today(trade: Trade, name: str) -> int:
    day = clock.read().now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    # A year that has a 29 February.
    fact = buyer(name, birthday=day.replace(year=1992), joined_at=trade.ago(30))
    (receipt,) = accounts.receive(trade.tmall, [fact])
    return receipt.member_id


def balances(trade: Trade, members: list[int]) -> set[int]:
    return {trade.figures(member).balance for member in members}


# --- the nightly run, several at once ----------------------------------------------------------------


def test_four_nightly_runs_at_once_give_each_member_once(trade: Trade) -> None:
    members = [born_today(trade, f"m{number}") for number in range(PEOPLE)]
    runs = at_once(*[birthdays.treat_birthdays] * NIGHTS, *[birthdays.hold_member_days] * NIGHTS)
    assert refusals(runs) == []
    assert sum(run.given for run in runs) == PEOPLE * 2
    assert balances(trade, members) == {53}
    assert Counter(Grant.objects.values_list("source", flat=True)) == {
        "birthday": PEOPLE,
        "member_day": PEOPLE,
    }
    assert proven()


def test_without_the_wallets_lock_the_key_of_causes_still_lets_one_give(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: nobody waits for a wallet before it is given to, and all look before anybody has given."""
    member = born_today(trade, "mei")
    together = Barrier(NIGHTS, timeout=LONGEST)

    def open_without_lock(member_ids: Any) -> ledger.Purses:
        purses = ledger.peek(member_ids)
        together.wait()
        return purses

    trade.give(member, 1)  # so that there is a wallet to peek into
    monkeypatch.setattr(grants, "_lock", open_without_lock)
    runs = at_once(*[birthdays.treat_birthdays] * NIGHTS)
    assert refusals(runs) == []
    assert sum(run.given for run in runs) == 1
    assert Entry.objects.filter(why__source="birthday").count() == 1
    assert trade.figures(member).balance == 51
    assert proven()


# --- one activity, told by many ----------------------------------------------------------------------


def test_a_check_in_told_eight_times_at_once_is_one(trade: Trade) -> None:
    member = born_today(trade, "mei")
    answers = at_once(
        *[lambda: activities.do(member, "check_in", channel=trade.tmall) for _ in range(CLIENTS)]
    )
    assert refusals(answers) == []
    assert Counter(answer.is_new for answer in answers) == {True: 1, False: CLIENTS - 1}
    assert len({answer.activity_id for answer in answers}) == 1
    assert trade.available(member) == 2
    assert proven()


def events(trade: Trade, member: int) -> list[Any]:
    """Eight different events at once, of which three a day bring something."""
    return [
        lambda code=f"e{number}": activities.do(member, "event", channel=trade.tmall, detail={"event": code})
        for number in range(CLIENTS)
    ]


def test_the_limit_of_a_day_holds_when_all_come_at_once(trade: Trade) -> None:
    member = born_today(trade, "mei")
    answers = at_once(*events(trade, member))
    assert refusals(answers) == []
    assert Counter(answer.refusal for answer in answers) == {"": 3, "day_limit": CLIENTS - 3}
    assert trade.available(member) == 15
    assert proven()


def test_without_the_wallets_lock_the_numbers_of_a_day_refuse_the_rest(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: all count before anybody has written, and take the same number of the day."""
    member = born_today(trade, "mei")
    trade.give(member, 1)
    together = Barrier(CLIENTS, timeout=LONGEST)
    before = activities._before

    def look_together(doing: Any) -> Any:
        found = before(doing)
        together.wait()
        return found

    monkeypatch.setattr(activities, "_open", ledger.peek)
    monkeypatch.setattr(activities, "_before", look_together)
    answers = at_once(*events(trade, member))
    refused = refusals(answers)
    assert len(refused) >= CLIENTS - 3
    assert all(isinstance(each, IntegrityError) for each in refused)
    assert all("activity_number_once_a_day" in str(each) for each in refused)
    assert Activity.objects.filter(kind="event", number__isnull=False).count() <= 3
    assert proven()


def test_a_day_later_nothing_is_left_to_do(trade: Trade) -> None:
    """Late and twice: the run of yesterday comes after that of today."""
    member = born_today(trade, "mei")
    birthdays.treat_birthdays()
    clock.move(timedelta(days=1))
    at_once(birthdays.treat_birthdays, birthdays.treat_birthdays)
    assert trade.figures(member).balance == 50
