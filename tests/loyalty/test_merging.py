"""Two members who are one person: their points, their tier, and how both come apart again (A6)."""

import pytest

from loyalty.models import Entry, Wallet
from members import merging
from members.facts import PointsSpentFact
from tests.trade import Trade, buyer, proven, tier_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def trade() -> Trade:
    return Trade()


class Two:
    """Mei, and Mei again under another account."""

    def __init__(self, trade: Trade) -> None:
        self.trade = trade
        self.mei = self.member("mei")
        self.again = self.member("again")

    def member(self, name: str) -> int:
        receipt = self.trade.buy(f"first-{name}", "0.00", buyer(name))
        assert receipt.member_id is not None
        return receipt.member_id

    def merge(self) -> int:
        return merging.merge(self.mei, self.again, actor_id=None, reason="Same person").pk


@pytest.fixture
def two(trade: Trade) -> Two:
    return Two(trade)


def test_what_one_has_the_other_can_spend(trade: Trade, two: Two):
    trade.give(two.mei, 100, "a")
    trade.give(two.again, 50, "b")
    two.merge()
    assert trade.available(two.mei) == trade.available(two.again) == 150
    trade.spend(two.mei, 120)
    assert trade.available(two.mei) == 30
    spent = Entry.objects.get(kind="redeem")
    assert (spent.wallet.member_id, spent.points) == (two.mei, -120)
    assert proven()


def test_nothing_happened_since_and_nothing_is_left_of_it(trade: Trade, two: Two):
    trade.give(two.mei, 100, "a")
    trade.give(two.again, 50, "b")
    before = list(Wallet.objects.order_by("pk").values())
    merge = two.merge()
    assert proven()
    merging.unmerge(merge, actor_id=None, reason="Two people")
    assert list(Wallet.objects.order_by("pk").values()) == before
    assert proven()


def test_spent_across_goes_back(trade: Trade, two: Two):
    trade.give(two.mei, 100, "a")
    trade.give(two.again, 50, "b")
    merge = two.merge()
    trade.spend(two.mei, 120)
    merging.unmerge(merge, actor_id=None, reason="Two people")
    mei, again = trade.figures(two.mei), trade.figures(two.again)
    assert (mei.balance, mei.debt, again.available) == (-20, 20, 50)
    assert proven()


def test_points_pay_a_debt_across(trade: Trade, two: Two):
    trade.buy("T1", "100.00", buyer("mei"))
    trade.spend(two.mei, 100)
    trade.refund("T1", "R1", "100.00")
    trade.give(two.again, 300, "b")
    assert trade.figures(two.mei).debt == 100
    merge = two.merge()
    assert (trade.figures(two.mei).available, trade.figures(two.mei).debt) == (200, 0)
    assert proven()
    merging.unmerge(merge, actor_id=None, reason="Two people")
    assert (trade.figures(two.mei).debt, trade.figures(two.again).available) == (100, 300)
    assert proven()


def test_tier(trade: Trade, two: Two):
    for number in range(3):
        trade.buy(f"A{number}", "700.00", buyer("mei"))
        trade.buy(f"B{number}", "700.00", buyer("again"))
    assert tier_of(two.mei) == tier_of(two.again) == "basic"
    merge = two.merge()
    assert tier_of(two.mei) == tier_of(two.again) == "silver"
    assert proven()
    trade.buy("B9", "100.00", buyer("again"))
    assert Entry.objects.latest("pk").points == 120
    assert proven()
    merging.unmerge(merge, actor_id=None, reason="Two people")
    assert tier_of(two.mei) == tier_of(two.again) == "basic"
    assert proven()


def test_refund_after_unmerge(trade: Trade, two: Two):
    trade.give(two.mei, 100, "a")
    trade.give(two.again, 50, "b")
    merge = two.merge()
    trade.spend(two.mei, 120, "pay")
    trade.buy("B1", "10.00", buyer("again"), spent=PointsSpentFact(points=120, cause="pay"))
    merging.unmerge(merge, actor_id=None, reason="Two people")
    assert proven()
    trade.refund("B1", "R1", "10.00")
    assert trade.figures(two.mei).available == 100
    assert trade.figures(two.again).available == 50
    assert proven()
