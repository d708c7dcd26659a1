"""The recount finds what was tampered with: each planted damage is named, and nothing else is (law 8)."""

from datetime import timedelta

import pytest
from django.db import connection

from loyalty import clock, nightly, recount, tier_events
from loyalty.models import Wallet
from tests.trade import Trade, buyer, tier_of

PLANTED = {
    "a tier that nobody reached": ("loyalty_wallet", "UPDATE {} SET tier = 'gold'", {"tier"}),
    "a tier that lasts longer": (
        "loyalty_wallet",
        "UPDATE {} SET tier_until = tier_until + interval '1 year'",
        {"tier_until"},
    ),
    "a step with other numbers": (
        "loyalty_tierchange",
        """UPDATE {} SET why = why || '{{"spend": "99999"}}' WHERE position = 1""",
        {"step 1"},
    ),
    "a step with another reason": (
        "loyalty_tierchange",
        "UPDATE {} SET reason = 'by_hand' WHERE position = 1",
        {"step 1"},
    ),
    "a step at another time": (
        "loyalty_tierchange",
        "UPDATE {} SET happened_at = happened_at - interval '1 day' WHERE position = 1",
        {"step 1"},
    ),
    "a step that was taken away": (
        "loyalty_tierchange",
        "DELETE FROM {} WHERE position = (SELECT max(position) FROM loyalty_tierchange)",
        {"step 3"},
    ),
    "a purchase that was made larger": (
        "loyalty_tierlook",
        "UPDATE {} SET kept = kept + 1000 WHERE kind = 'order'",
        {"step 1"},
    ),
    "a floor that lasts longer": (
        "loyalty_tierevent",
        "UPDATE {} SET ends_at = ends_at + interval '1 year'",
        {"tier", "tier_since", "tier_until", "tier_steps", "step 2", "step 3"},
    ),
}


@pytest.fixture
def mei(trade: Trade) -> int:
    """Silver by purchases, gold by a floor that has ended: three steps."""
    for number in range(5):
        member = trade.buy(f"T{number}", "700", buyer("mei")).member_id
    assert member is not None
    floor = tier_events.Gift(
        member_id=member,
        tier="gold",
        cause="floor",
        programme_id=trade.programme.pk,
        kind="floor",
        ends_at=clock.read().now + timedelta(days=30),
    )
    tier_events.give([floor])
    clock.move(timedelta(days=40))
    nightly.reassess_tiers()
    assert (tier_of(member), Wallet.objects.get().tier_steps) == ("silver", 3)
    return member


def tamper(table: str, statement: str) -> None:
    """Change what the trade has written, past the trigger that refuses it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement.format(table))
        assert cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_history_that_nobody_touched_is_as_it_should_be(mei: int) -> None:
    assert list(recount.walk()) == []


@pytest.mark.parametrize("damage", PLANTED)
def test_planted_damage_is_found(mei: int, damage: str) -> None:
    table, statement, expected = PLANTED[damage]
    tamper(table, statement)
    assert {difference.what for difference in recount.walk()} == expected


def test_growth_value_that_nobody_earned_is_found(trade: Trade, mei: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_growthentry (wallet_id, growth, cause, why, programme_id, happened_at)"
            " SELECT id, 900, 'forged', '{}', %s, now() FROM loyalty_wallet",
            [trade.programme.pk],
        )
    (found,) = recount.walk()
    assert (found.what, found.stored, found.recounted) == ("growth", "900", "0")


def test_chunks_leave_nobody_out(trade: Trade, mei: int) -> None:
    for number in range(4):
        trade.buy(f"B{number}", "1", buyer(f"b{number}"))
    tamper("loyalty_wallet", "UPDATE {} SET tier = 'gold'")
    assert len({difference.wallet_id for difference in recount.walk(chunk=2)}) == 5
