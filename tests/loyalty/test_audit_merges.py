"""Law 17 is proven, and damage to it is found: wallets of merged members, and what moved between them."""

import pytest

from members import merging
from tests.planting import Planting, broken, damage
from tests.trade import Trade, buyer, proven

pytestmark = pytest.mark.django_db


@pytest.fixture
def history() -> Trade:
    """Mei was two, and spent what both had; Bo was two, and is two again."""
    trade = Trade()
    made = {name: trade.buy(f"T-{name}", "100", buyer(name)).member_id or 0 for name in NAMES}
    merging.merge(made["mei"], made["mei2"], actor_id=None, reason="Same person")
    trade.spend(made["mei"], 150, "s1")
    merge = merging.merge(made["bo"], made["bo2"], actor_id=None, reason="Same person")
    trade.spend(made["bo"], 130, "s2")
    merging.unmerge(merge.pk, actor_id=None, reason="Two people")
    return trade


NAMES = ("mei", "mei2", "bo", "bo2")
MERGED = "(SELECT id FROM loyalty_wallet WHERE person_id <> member_id)"
SURVIVOR = "(SELECT id FROM loyalty_wallet WHERE person_id = member_id)"
PLANTED = [
    Planting(
        "wallets_are_linked_as_merges_say",
        (f"UPDATE loyalty_wallet SET person_id = NULL WHERE id = {SURVIVOR}",),
    ),
    Planting(
        "linked_wallets_show_one_tier",
        (f"UPDATE loyalty_wallet SET tier = 'gold' WHERE id = {MERGED}",),
        ("tiers_are_what_history_makes_them",),
    ),
    Planting(
        "available_points_pay_the_debts_of_the_person",
        (f"UPDATE loyalty_wallet SET debt = 10, balance = balance - 10 WHERE id = {SURVIVOR}",),
        ("balance_is_sum_of_entries", "debt_is_as_last_written", "issued_less_used_is_outstanding"),
    ),
    Planting(
        "what_moved_out_moved_in",
        (f"UPDATE loyalty_entry SET cause = 'another' WHERE kind = 'move_in' AND wallet_id = {SURVIVOR}",),
        ("entries_are_chained_by_hash",),
    ),
    Planting(
        "undone_merges_left_nothing_spent_across",
        ("UPDATE members_merge SET undone_at = clock_timestamp() WHERE undone_at IS NULL",),
        ("wallets_are_linked_as_merges_say",),
    ),
]


@pytest.mark.parametrize("planting", PLANTED, ids=[each.law for each in PLANTED])
def test_planted_damage_is_named(history: Trade, planting: Planting) -> None:
    assert proven()
    damage(*planting.statements)
    assert broken() == {planting.law, *planting.others}
