"""Orders that change hands, and orders paid with points before they are paid: no point is lost or made."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from loyalty import clock
from loyalty.models import Entry, OrderEarning
from members.facts import OrderStatus, PointsSpentFact
from tests.trade import Trade, buyer, phone, proven

MEI = buyer("mei", phone("+8613900000001"))
BO = buyer("bo", phone("+8613900000002"))


def known(trade: Trade, who: Any, number: str, points: int) -> int:
    """A member with so many points."""
    member = trade.buy(number, str(points), who).member_id
    assert member is not None
    return member


# --- paid with points, at the till or at checkout -----------------------------------------------------


@pytest.fixture
def mei(trade: Trade) -> int:
    """Mei, who had 200 points and has spent 150 of them on an order of 71.50."""
    member = known(trade, MEI, "T0", 200)
    trade.spend(member, 150, cause="pay-T1")
    return member


PAYING = {"points_value": Decimal("1.50"), "spent": PointsSpentFact(points=150, cause="pay-T1")}


def tell(trade: Trade, who: Any = MEI, **told: Any) -> Any:
    return trade.buy("T1", "71.50", who, **{**PAYING, **told})


def test_an_order_placed_with_points_earns_when_it_is_paid(trade: Trade, mei: int) -> None:
    assert tell(trade, status=OrderStatus.PLACED).points == 0
    receipt = tell(trade)
    assert (receipt.points, receipt.earned) == (70, 70)
    assert trade.available(mei) == 50 + 70
    assert proven()


def test_an_order_placed_with_points_and_never_paid_gives_them_back(trade: Trade, mei: int) -> None:
    tell(trade, status=OrderStatus.PLACED)
    assert tell(trade, status=OrderStatus.CANCELLED).points == 0
    assert trade.available(mei) == 200
    assert proven()


def test_placed_paid_and_refunded_in_any_order_end_the_same(trade: Trade, mei: int) -> None:
    """One order of its own for each history; the redemptions are of equal size."""
    steps: dict[str, dict[str, Any]] = {
        "placed": {"status": OrderStatus.PLACED, "version": 1},
        "paid": {"status": OrderStatus.PAID, "version": 2},
        "received": {"status": OrderStatus.RECEIVED, "version": 3},
    }
    for turn, history in enumerate(permutations([*steps, "refund"])):
        trade.give(mei, 150, cause=f"give-{turn}")
        trade.spend(mei, 150, cause=f"pay-{turn}")
        before = trade.available(mei)
        spent = PointsSpentFact(points=150, cause=f"pay-{turn}")
        for step in history:
            if step == "refund":
                trade.refund(f"N{turn}", "R1", "35.75")
            else:
                trade.buy(f"N{turn}", "71.50", MEI, points_value=Decimal("1.50"), spent=spent, **steps[step])
        earning = OrderEarning.objects.get(order__number=f"N{turn}")
        assert (earning.earned, earning.stays, earning.given_back) == (70, 35, 75), history
        assert trade.available(mei) == before + 35 + 75, history
    assert proven()


# --- another buyer than was told ----------------------------------------------------------------------


def test_an_order_that_was_refunded_in_part_moves_with_what_is_left_of_it(trade: Trade) -> None:
    mei, bo = known(trade, MEI, "M0", 10), known(trade, BO, "B0", 10)
    trade.buy("T", "200", MEI)
    trade.refund("T", "R1", "50")
    receipt = trade.buy("T", "200", BO)
    assert (receipt.member_id, receipt.points) == (bo, 150)
    assert (trade.available(mei), trade.available(bo)) == (10, 160)
    assert proven()


def test_there_and_back_again_is_as_it_was(trade: Trade) -> None:
    mei, bo = known(trade, MEI, "M0", 10), known(trade, BO, "B0", 10)
    for who in (MEI, BO, MEI, BO, MEI):
        trade.buy("T", "200", who)
    assert (trade.available(mei), trade.available(bo)) == (210, 10)
    assert trade.refund("T", "R1", "200").points_taken == 200
    assert (trade.available(mei), trade.available(bo)) == (10, 10)
    assert proven()


def test_who_never_used_the_points_of_an_order_owes_nothing_when_it_was_not_theirs(trade: Trade) -> None:
    """They lapsed unused; that it turns out to be Bo's order makes no debt of them."""
    at = trade.ago(500)
    mei = trade.buy("T", "200", MEI, at=at).member_id
    assert mei is not None
    trade.refund("T", "R1", "50")
    trade.buy("T", "200", BO, at=at)
    figures = trade.figures(mei)
    assert (figures.balance, figures.debt) == (0, 0)
    assert proven()


def test_the_new_buyer_owes_no_lapsed_points_either_and_neither_after_it_came_back(trade: Trade) -> None:
    at = trade.ago(500)
    members = [trade.buy("T", "200", who, at=at).member_id for who in (MEI, BO, MEI)]
    trade.refund("T", "R1", "120")
    assert {trade.figures(member).debt for member in members if member is not None} == {0}
    earning = OrderEarning.objects.get()
    assert earning.stays == 80
    assert proven()


def test_what_the_buyer_before_has_spent_of_it_is_owed_by_them(trade: Trade) -> None:
    mei, bo = known(trade, MEI, "M0", 10), known(trade, BO, "B0", 10)
    trade.buy("T", "200", MEI)
    trade.spend(mei, 150)
    trade.buy("T", "200", BO)
    assert (trade.figures(mei).debt, trade.available(bo)) == (140, 210)
    assert proven()


def test_an_order_cancelled_and_told_to_be_anothers_in_one_breath_leaves_nothing(trade: Trade) -> None:
    mei, bo = known(trade, MEI, "M0", 10), known(trade, BO, "B0", 10)
    trade.buy("T", "200", MEI)
    trade.buy("T", "200", BO, status=OrderStatus.CANCELLED)
    trade.buy("T", "200", BO, status=OrderStatus.CANCELLED, completed_at=trade.now)
    assert (trade.available(mei), trade.available(bo)) == (10, 10)
    assert proven()


def test_points_that_were_given_back_before_it_moved_are_not_given_twice(trade: Trade, mei: int) -> None:
    bo = known(trade, BO, "B0", 10)
    tell(trade)
    trade.refund("T1", "R1", "35.75")
    tell(trade, who=BO)
    assert OrderEarning.objects.get(order__number="T1").given_back == 75
    assert (trade.available(mei), trade.available(bo)) == (50 + 75, 10 + 35)
    tell(trade)  # it was Mei's after all
    trade.refund("T1", "R2", "35.75")
    assert (trade.available(mei), trade.available(bo)) == (200, 10)
    assert proven()


def test_each_entry_of_a_move_names_a_cause_of_its_own(trade: Trade) -> None:
    trade.buy("T", "200", MEI)
    trade.refund("T", "R1", "50")
    trade.buy("T", "200", BO)
    causes = Entry.objects.filter(order__number="T").values_list("kind", "cause")
    assert len(set(causes)) == len(causes) == 5
    assert sum(cause.endswith(":left") for _kind, cause in causes) == 1


def test_an_order_moves_while_its_points_are_pending(db: None) -> None:
    trade = Trade(pending_days=7)
    mei = trade.buy("T", "200", MEI).member_id
    bo = trade.buy("T", "200", BO).member_id
    assert mei is not None and bo is not None
    assert (trade.figures(mei).pending, trade.figures(bo).pending) == (0, 200)
    clock.move(timedelta(days=40))
    assert (trade.available(mei), trade.available(bo)) == (0, 200)
    assert proven()
