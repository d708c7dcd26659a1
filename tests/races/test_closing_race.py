"""A day is closed while somebody writes: an entry of before midnight may be seen only after it (law 7)."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, transaction

from loyalty import clock, closings, ledger
from loyalty.models import Closing, ClosingBalance
from tests.planting import broken
from tests.races.threads import LONGEST
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


class Writer:
    """A thread that has written in a transaction which ends when it may."""

    def __init__(self) -> None:
        self.has_written, self.may_end = Event(), Event()

    @contextmanager
    def at_work(self, trade: Trade, member: int, *, only_looks: bool = False) -> Iterator[None]:
        """Let 5 points be given to a member, unseen by others until `may_end`, at the latest at the end."""

        def work() -> None:
            with transaction.atomic():
                if only_looks:
                    ledger.peek([member])
                else:
                    trade.give(member, 5, cause="late")
                self.has_written.set()
                assert self.may_end.wait(LONGEST)
            connection.close()

        thread = Thread(target=work, daemon=True)
        thread.start()
        try:
            assert self.has_written.wait(LONGEST)
            yield
        finally:
            self.may_end.set()
            thread.join(LONGEST)
            assert not thread.is_alive()


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture
def mei(trade: Trade) -> int:
    member = trade.buy("M1", "100", buyer("mei")).member_id
    assert member is not None
    return member


def test_whoever_writes_when_a_day_is_closed_is_waited_for(
    trade: Trade, mei: int, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def let_the_writer_end(_seconds: float) -> None:
        assert Closing.objects.count() == 0, "nothing is closed before"
        writer.may_end.set()

    monkeypatch.setattr(closings, "sleep", let_the_writer_end)
    with writer.at_work(trade, mei):
        closing = closings.close(clock.read().recorded, patience=LONGEST)
    assert closing is not None and writer.may_end.is_set()
    assert ClosingBalance.objects.get().balance == 105
    assert proven()


def test_the_control_who_does_not_wait_misses_what_was_recorded_before(
    trade: Trade, mei: int, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closings, "_writers", set)
    with writer.at_work(trade, mei):
        assert closings.close(clock.read().recorded) is not None
    assert ClosingBalance.objects.get().balance == 100
    assert broken() == {"closings_are_what_entries_say"}


def test_who_waits_for_too_long_leaves_it_to_the_next_turn(trade: Trade, mei: int, writer: Writer) -> None:
    at = clock.read().recorded
    with writer.at_work(trade, mei):
        assert closings.close(at, patience=0) is None
        assert Closing.objects.count() == 0
    assert closings.close(at, patience=0) is not None


def test_nobody_waits_for_those_who_only_look(trade: Trade, mei: int, writer: Writer) -> None:
    with writer.at_work(trade, mei, only_looks=True):
        assert closings.close(clock.read().recorded, patience=0) is not None
