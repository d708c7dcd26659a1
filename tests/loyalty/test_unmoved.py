"""Whom the recount may leave out: nobody but who never moved, and nobody who was tampered with (law 8)."""

import pytest

from loyalty import points, publishing, recount, unmoved
from loyalty.models import Wallet
from members import merging
from tests.loyalty.test_recount import tamper
from tests.trade import Trade, buyer


def member(trade: Trade, name: str, *amounts: str) -> int:
    """A member with an order of each of these amounts."""
    for number, amount in enumerate(amounts):
        made = trade.buy(f"{name}-{number}", amount, buyer(name)).member_id
    assert made is not None
    return made


def repeated() -> set[int]:
    """The members whose looks the recount repeats one by one."""
    wallets = dict(Wallet.objects.values_list("pk", "member_id"))
    return {wallets[id_] for ids in unmoved.leave_out(publishing.load_all()) for id_ in ids}


@pytest.fixture
def bo(trade: Trade) -> int:
    """Who bought often and little, and stands in the lowest tier."""
    return member(trade, "bo", *["10"] * 6)


def test_who_never_moved_is_left_out_and_who_rose_is_not(trade: Trade, bo: int) -> None:
    mei = member(trade, "mei", *["700"] * 5)
    assert repeated() == {mei}
    assert list(recount.walk()) == []


def test_who_has_a_wallet_and_never_bought_is_left_out(trade: Trade) -> None:
    trade.buy("first", "1", buyer("somebody"))
    points.earn(member(trade, "bo", "1"), 10, cause="gift", channel=trade.tmall)
    assert repeated() == set()


def test_who_was_merged_is_repeated(trade: Trade, bo: int) -> None:
    other = member(trade, "other", "1")
    merging.merge(bo, other, actor_id=None, reason="Same person")
    assert repeated() == {bo, other}


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        ("loyalty_wallet", "UPDATE {} SET tier = 'gold'"),
        ("loyalty_wallet", "UPDATE {} SET tier_steps = 1"),
        ("loyalty_wallet", "UPDATE {} SET tier_since = now()"),
        ("loyalty_wallet", "UPDATE {} SET tier_until = now()"),
        ("loyalty_tierlook", "UPDATE {} SET kept = kept * 100000"),
        ("loyalty_tierlook", "UPDATE {} SET growth = 5"),
    ],
)
def test_who_was_tampered_with_is_repeated_and_found(trade: Trade, bo: int, table: str, damage: str) -> None:
    assert repeated() == set()
    tamper(table, damage)
    assert repeated() == {bo}
    by_hand = list(recount.recount(list(Wallet.objects.values_list("pk", flat=True))))
    assert list(recount.walk()) == by_hand != []
