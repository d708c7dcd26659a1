"""Laws are looked at beside each other: by connections of their own that see one state of the database."""

from threading import Event

import pytest
from django.db import connection, transaction

from loyalty import audit
from loyalty.audit import abreast
from loyalty.models import Entry
from tests.loyalty.test_recount import tamper
from tests.races.threads import at_once
from tests.trade import Trade, buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

WHO = "SELECT pg_backend_pid(), pg_current_snapshot()::text, count(*) FROM loyalty_entry"


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def test_two_looks_see_the_same_although_somebody_writes_between_them(trade: Trade) -> None:
    trade.buy("T1", "100", buyer("mei"))
    is_written = Event()

    def ask() -> tuple[int, str, int]:
        with connection.cursor() as cursor:
            cursor.execute(WHO)
            found: tuple[int, str, int] = cursor.fetchone()
        return found

    def wait_and_ask() -> tuple[int, str, int]:
        assert is_written.wait(timeout=30)
        return ask()

    answers = abreast.run([ask, wait_and_ask], [1, 0], settings=())
    first = next(answers)
    at_once(lambda: trade.buy("T2", "100", buyer("mei")))
    is_written.set()
    [second] = answers
    assert first[0] != second[0], "two connections"
    assert first[1:] == second[1:], "one state"
    assert Entry.objects.count() == first[2] + 1, "the control: something was written meanwhile"


def test_what_a_look_raises_is_raised_and_no_connection_is_left() -> None:
    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        list(abreast.run([fail, fail], [1, 0], settings=()))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state = 'idle in transaction'"
        )
        assert cursor.fetchone() == (0,)


def test_damage_is_found_abreast_as_it_is_one_after_the_other(trade: Trade) -> None:
    trade.buy("T1", "100", buyer("mei"))
    assert [each.name for each in audit.walk()] == list(audit.LAWS)
    tamper("loyalty_wallet", "UPDATE {} SET tier = 'gold', held = held + 1, head = sha256('another')")
    found = list(audit.check())
    with transaction.atomic():
        assert list(audit.check()) == found
    assert {each.name for each in found} >= {
        "wallet_holds_add_up",
        "wallet_ends_its_chain",
        "tiers_are_what_history_makes_them",
    }
    with pytest.raises(AssertionError):
        proven()
