"""Closing a day: every balance that moved is written down once, as of a local midnight (law 7)."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import clock, closings, jobs, ledger
from loyalty.models import Closing, ClosingBalance, Wallet
from tests.planting import damage
from tests.trade import Trade, buyer, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    return clock.read().recorded


def balances(closing: Closing | None) -> dict[int, tuple[int, int, int]]:
    """Version, balance and debt in a closing, by member."""
    rows = ClosingBalance.objects.filter(closing=closing).select_related("wallet")
    return {row.wallet.member_id: (row.version, row.balance, row.debt) for row in rows}


@pytest.fixture
def mei(trade: Trade) -> int:
    member = trade.buy("M1", "100", buyer("mei")).member_id
    assert member is not None
    return member


def test_a_closing_is_what_was_answered_at_its_instant(trade: Trade, mei: int) -> None:
    trade.spend(mei, 100)
    trade.refund("M1", "R1", "40")
    closing = closings.close(now())
    assert closing is not None
    trade.buy("M2", "300", buyer("mei"))
    assert balances(closing) == {mei: (3, -40, 40)}
    then = ledger.figures_as_of(mei, closing.as_of)
    assert (then.balance, then.debt) == (-40, 40)
    assert trade.figures(mei).balance == 260
    assert proven()


def test_only_wallets_that_moved_since_the_last_one_are_written(trade: Trade, mei: int) -> None:
    bo = trade.buy("B1", "50", buyer("bo")).member_id
    first = closings.close(now())
    assert set(balances(first)) == {mei, bo}
    trade.spend(mei, 30, cause="tea")
    trade.spend(mei, 30, cause="cup")
    assert balances(closings.close(now())) == {mei: (3, 40, 0)}
    assert balances(closings.close(now())) == {}
    assert proven()


def test_the_same_instant_is_closed_once_and_none_before_it_afterwards(trade: Trade, mei: int) -> None:
    at = now()
    closing = closings.close(at)
    trade.spend(mei, 30)
    assert closings.close(at) is None
    assert closings.close(at - timedelta(days=1)) is None
    assert list(Closing.objects.all()) == [closing]
    assert ClosingBalance.objects.count() == 1


def test_what_is_recorded_at_the_very_instant_is_in_the_closing(trade: Trade, mei: int) -> None:
    recorded = Wallet.objects.get().entries.get().recorded_at
    before = closings.close(recorded - timedelta(microseconds=1))
    assert (balances(before), ledger.figures_as_of(mei, recorded - timedelta(microseconds=1)).balance) == (
        {},
        0,
    )
    assert balances(closings.close(recorded)) == {mei: (1, 100, 0)}
    assert proven()


def test_a_day_that_is_not_over_is_not_closed(trade: Trade, mei: int) -> None:
    with pytest.raises(ValueError, match="when it is over"):
        closings.close(now() + timedelta(hours=1))
    assert Closing.objects.count() == 0


def test_by_itself_the_last_midnight_of_the_programme_is_closed(trade: Trade, mei: int) -> None:
    """However late the job comes: what was recorded since belongs to the next day."""
    damage("UPDATE loyalty_entry SET recorded_at = recorded_at - interval '3 days'")
    trade.spend(mei, 30)
    closing = closings.close()
    assert closing is not None
    local = closing.as_of.astimezone(SHANGHAI)
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    assert timedelta(0) <= now() - closing.as_of < timedelta(days=1)
    assert balances(closing) == {mei: (1, 100, 0)}


def test_the_demos_clock_moves_no_closing(trade: Trade, mei: int) -> None:
    clock.move(timedelta(days=40))
    closing = closings.close()
    assert closing is not None and closing.as_of <= now()


def test_without_a_programme_there_is_nothing_to_close(db: None) -> None:
    assert closings.close() is None


def test_a_day_of_many_members_costs_as_many_statements_as_of_one(trade: Trade, mei: int) -> None:
    counts = []
    for group in (["bo"], [f"m{number}" for number in range(20)]):
        for who in group:
            trade.buy(f"N-{who}", "10", buyer(who))
        with CaptureQueriesContext(connection) as asked:
            assert closings.close(now()) is not None
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 10


def test_the_hourly_job_closes_a_day_once(trade: Trade, mei: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="loyalty.jobs")
    jobs.close_day(timestamp=0)
    jobs.close_day(timestamp=0)
    (record,) = caplog.records
    assert Closing.objects.get().as_of.isoformat() in record.getMessage()
