"""Two merge the same two members at once, and somebody spends beside a merge (A6)."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from loyalty.errors import MergedMeanwhile, NotEnoughPoints
from members import merging
from members.errors import AlreadyMerged
from members.models import Member, Merge
from tests.races.threads import at_once
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def member(trade: Trade, name: str) -> int:
    made = trade.buy(f"first-{name}", "100", buyer(name)).member_id
    assert made is not None
    return made


def merge(one: int, other: int) -> Any:
    return merging.merge(one, other, actor_id=None, reason="Same person")


def both_ways(trade: Trade) -> Counter[str]:
    """Pairs of members, each merged into the other at the same time; what became of the tries."""
    outcomes: Counter[str] = Counter()
    for number in range(5):
        one, other = member(trade, f"a{number}"), member(trade, f"b{number}")
        answers = at_once(partial(merge, one, other), partial(merge, other, one))
        outcomes.update(type(answer).__name__ for answer in answers)
        merged = Member.objects.filter(pk__in=[one, other], status=Member.Status.MERGED)
        assert merged.count() == 1, "a circle, or nothing"
    return outcomes


def test_a_into_b_and_b_into_a_ends_in_one_merge(trade: Trade) -> None:
    assert both_ways(trade) == {"Merge": 5, AlreadyMerged.__name__: 5}
    assert proven()


def test_without_the_lock_the_database_refuses(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "lock", lambda ids: list(Member.objects.filter(pk__in=ids)))
    assert both_ways(trade) == {"Merge": 5, AlreadyMerged.__name__: 5}
    assert proven()


def test_who_spends_beside_a_merge_spends_what_there_is(trade: Trade) -> None:
    """Each has 100 points: 200 together, of which nobody spends one twice, merged before or after."""
    for number in range(3):
        one, other = member(trade, f"a{number}"), member(trade, f"b{number}")

        def spend(who: int, cause: str) -> str:
            for again in range(20):
                try:
                    trade.spend(who, 30, cause=cause)
                except NotEnoughPoints:
                    return "short"
                except MergedMeanwhile:
                    assert again < 19, "somebody always gets through"
                else:
                    return "spent"
            return "never"

        works = [
            lambda who=who, cause=f"{number}-{who}-{turn}": spend(who, cause)
            for who in (one, other)
            for turn in range(5)
        ]
        *answers, merged = at_once(*works, partial(merge, one, other))
        assert isinstance(merged, Merge)
        spent = Counter(answers)
        assert set(spent) <= {"spent", "short"}
        figures = trade.figures(one)
        assert figures.balance == 200 - 30 * spent["spent"] >= 0
        assert figures.debt == 0
    assert proven()
