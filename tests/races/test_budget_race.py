"""A budget that many orders draw on at once is spent to the point, and no point further (B5)."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest

from loyalty import limits, orders
from loyalty.models import RuleUse, Wallet
from members import accounts
from tests.races.threads import at_once, refusals
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 8
BUDGET = 1000


@pytest.fixture
def campaign(db: None) -> Trade:
    """Everything counts double, until a thousand points are given."""
    rule = {"code": "double", "then": {"factor": "2"}, "limits": {"budget": BUDGET}}
    return Trade(rules=[rule])


def purchases(trade: Trade, thread: int, count: int) -> Callable[[], object]:
    facts = [trade.order(f"T{thread}-{number}", "150", buyer(f"b{thread}")) for number in range(count)]
    return lambda: [orders.receive(trade.tmall, [fact]) for fact in facts]


def given() -> int:
    return sum(RuleUse.objects.values_list("points", flat=True))


def test_a_budget_spent_by_eight_threads_is_spent_to_the_point(campaign: Trade) -> None:
    answers = at_once(*[purchases(campaign, thread, 4) for thread in range(CLIENTS)])
    assert refusals(answers) == []
    assert given() == BUDGET
    plain = CLIENTS * 4 * 150
    assert sum(Wallet.objects.values_list("balance", flat=True)) == plain + BUDGET
    assert proven()


def test_without_taking_turns_the_budget_would_be_overshot(
    campaign: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Known before, as two strangers whose keys fall into one bucket come in one after the other.
    accounts.receive(campaign.tmall, [buyer(f"b{n}") for n in range(CLIENTS)], now=campaign.now)
    nobody_has_written = Barrier(CLIENTS, timeout=30)
    load = limits.load

    def load_before_anybody_writes(*about: Any) -> limits.Limits:
        found = load(*about)
        nobody_has_written.wait()
        return found

    monkeypatch.setattr(limits, "take_turns", lambda codes: None)
    monkeypatch.setattr(limits, "load", load_before_anybody_writes)
    answers = at_once(*[purchases(campaign, thread, 1) for thread in range(CLIENTS)])
    assert refusals(answers) == []
    assert given() == CLIENTS * 150 > BUDGET
