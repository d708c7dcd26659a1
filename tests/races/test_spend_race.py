"""Many spend one member's points at once: never a point more than there is (ledger.md, the last example)."""

from collections import Counter
from collections.abc import Sequence
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection

from loyalty import ledger
from loyalty.errors import NotEnoughPoints
from loyalty.models import Entry
from tests.races.threads import at_once
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

TRIES = 10


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def spends(trade: Trade, member: int, threads: int, tries: int) -> Counter[str]:
    """So many threads, each trying to redeem 10 points so many times; what became of the tries, by name."""

    def spender(thread: int) -> list[str]:
        return [one_try(trade, member, f"{thread}-{number}") for number in range(tries)]

    answers = at_once(*[lambda thread=thread: spender(thread) for thread in range(threads)])
    return Counter(outcome for outcomes in answers for outcome in outcomes)


def one_try(trade: Trade, member: int, cause: str) -> str:
    try:
        trade.spend(member, 10, cause=cause)
    except IntegrityError as refused:
        return named_constraint(refused)
    except Exception as refused:
        return type(refused).__name__
    return "spent"


def named_constraint(refused: IntegrityError) -> str:
    return str(getattr(refused.__cause__, "diag", None) and refused.__cause__.diag.constraint_name)  # type: ignore[union-attr]


def test_64_threads_try_640_times_to_spend_10_of_1000_points(trade: Trade) -> None:
    member = trade.buy("T0", "1000", buyer("mei")).member_id
    assert member is not None
    outcomes = spends(trade, member, threads=64, tries=TRIES)
    assert outcomes == {"spent": 100, NotEnoughPoints.__name__: 540}
    figures = trade.figures(member)
    assert (figures.balance, figures.available, figures.debt) == (0, 0, 0)
    assert Entry.objects.filter(kind="redeem").count() == 100
    assert proven()


def look_without_locking(parties: int) -> Any:
    """The locking look at wallets with its lock left out; all have looked before anybody goes on."""
    have_looked = Barrier(parties, timeout=30)

    def look(member_ids: Sequence[int], *_how: object) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM loyalty_read("
                "ARRAY(SELECT id FROM loyalty_wallet WHERE member_id = ANY(%s)), '{}', '{}')",
                [list(member_ids)],
            )
            rows = cursor.fetchall()
        have_looked.wait()
        return rows

    return look


def test_without_the_lock_the_database_refuses_and_the_balance_is_never_wrong(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = trade.buy("T0", "1000", buyer("mei")).member_id
    assert member is not None
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_lock_wallets", look_without_locking(8))
        outcomes = spends(trade, member, threads=8, tries=TRIES)
    spent = outcomes.pop("spent")
    assert set(outcomes) <= {"points_entry_no_gap_no_fork", "lot_holds_what_it_has"}
    assert outcomes.total() == 80 - spent > 0, "the control must collide, or the test above proves nothing"
    assert trade.figures(member).balance == 1000 - 10 * spent
    assert Entry.objects.filter(kind="redeem").count() == spent
    assert proven()


def test_one_cause_from_sixteen_threads_is_spent_once(trade: Trade) -> None:
    member = trade.buy("T0", "1000", buyer("mei")).member_id
    assert member is not None
    receipts = at_once(*[lambda: trade.spend(member, 900, cause="one") for _ in range(16)])
    assert Counter(receipt.is_new for receipt in receipts) == {True: 1, False: 15}
    assert len({receipt.entry_id for receipt in receipts}) == 1
    assert trade.available(member) == 100
    assert proven()
