"""Bo buys tea, spends the points on a cup, and brings the tea back: what he owes, sees, and pays off."""

from decimal import Decimal

import pytest
from django.utils import translation

from loyalty import card, statement
from loyalty.errors import NotEnoughPoints
from loyalty.models import Entry
from members.facts import PointsSpentFact
from tests.trade import Trade, buyer, phone, proven

BO = buyer("bo", phone("+8613900139002"), name="薄荷")


@pytest.fixture
def bo(trade: Trade) -> int:
    """Bo after he has spent the hundred points of his tea."""
    member = trade.buy("TEA", "100.00", BO).member_id
    assert member is not None
    trade.spend(member, 100, cause="cup")
    return member


def test_he_owes_what_he_has_spent_and_pays_it_off_with_what_he_earns(trade: Trade, bo: int) -> None:
    receipt = trade.refund("TEA", "R1", "100.00")
    assert (receipt.points_taken, receipt.debt) == (100, 100)

    trade.buy("CUP", "30.00", BO)
    figures = trade.figures(bo)
    assert (figures.debt, figures.available, figures.balance) == (70, 0, -70)
    shown = card.of(bo)
    assert (shown.figures.debt, shown.worth) == (70, Decimal("0.00"))  # clerk and member both see it

    trade.buy("POT", "90.00", BO)
    figures = trade.figures(bo)
    assert (figures.debt, figures.available, figures.balance) == (0, 20, 20)
    assert proven()


def test_while_he_owes_he_spends_nothing_not_even_what_he_earns(trade: Trade, bo: int) -> None:
    trade.refund("TEA", "R1", "100.00")
    trade.buy("CUP", "30.00", BO)
    entries = Entry.objects.count()
    with pytest.raises(NotEnoughPoints):
        trade.spend(bo, 1, cause="sweet")
    with pytest.raises(NotEnoughPoints):
        trade.hold(bo, 1)
    assert Entry.objects.count() == entries
    assert proven()


def test_a_refund_in_parts_owes_in_parts_and_in_all_what_was_earned(trade: Trade, bo: int) -> None:
    parts = ("33.33", "33.33", "33.34")
    receipts = [trade.refund("TEA", f"R{n}", part) for n, part in enumerate(parts)]
    assert [receipt.points_taken for receipt in receipts] == [34, 33, 33]
    assert [receipt.debt for receipt in receipts] == [34, 67, 100]
    assert proven()


def test_what_comes_back_to_him_pays_his_debt_first(trade: Trade, bo: int) -> None:
    """An order he had paid partly with points is refunded too: half of what returns is already owed."""
    trade.give(bo, 60)
    trade.spend(bo, 60, cause="pay-COAT")
    spent = PointsSpentFact(points=60, cause="pay-COAT")
    trade.buy("COAT", "50.00", BO, points_value=Decimal("0.60"), spent=spent)  # earns 49
    trade.refund("TEA", "R1", "100.00")  # 49 of the hundred are there
    assert trade.figures(bo).debt == 51

    receipt = trade.refund("COAT", "R2", "50.00")
    assert (receipt.points_taken, receipt.points_returned) == (49, 60)
    figures = trade.figures(bo)
    assert (figures.debt, figures.available) == (40, 0)  # 51 and 49 were owed, 60 came back
    assert proven()


def test_his_statement_tells_it_in_words(trade: Trade, bo: int) -> None:
    trade.refund("TEA", "R1", "40.00")
    trade.buy("CUP", "15.00", BO)
    with translation.override("en"):
        sentences = [line.sentence for line in statement.entries(bo)[::-1]]
    assert sentences == [
        "100 × 1 × 1 = 100",
        "",
        "Of 100 points for ¥100.00, ¥60.00 kept leaves 60; 40 are owed",
        "15 × 1 × 1 = 15",
        "15 points paid a debt of 40",
    ]
