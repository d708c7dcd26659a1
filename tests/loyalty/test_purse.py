"""The rules by which points move, on one purse in memory: no database, no clock."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.errors import HoldEnded, NotEnoughPoints
from loyalty.purse import LotState, Origin, Purse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def purse() -> Purse:
    return Purse(wallet_id=1, member_id=1)


def origin(cause: str = "x", order_id: int | None = None, at: datetime = NOON) -> Origin:
    return Origin(cause=cause, happened_at=at, order_id=order_id)


def earn(
    purse: Purse,
    points: int,
    *,
    order_id: int | None = None,
    expires: datetime | None = None,
    ripe: datetime = NOON,
    at: datetime = NOON,
) -> LotState:
    purse.earn(points, origin(order_id=order_id, at=at), available_from=ripe, expires_at=expires, now=at)
    lot = purse.lots[-1]
    lot.id = len(purse.lots)
    return lot


def prove(purse: Purse) -> None:
    """Laws 1 to 3, on the purse as it stands."""
    assert purse.balance == sum(posting.points for posting in purse.postings)
    assert purse.balance == sum(lot.remaining for lot in purse.lots) - purse.debt
    assert purse.debt >= 0
    for lot in purse.lots:
        assert 0 <= lot.held <= lot.remaining <= lot.earned
        moved = sum(points for posting in purse.postings for moved, points in posting.moves if moved is lot)
        assert lot.remaining == moved
    assert purse.held == sum(hold.points for hold in purse.holds if hold.state == "open")


def test_points_are_spent_nearest_expiry_first_and_never_expiring_last(purse: Purse) -> None:
    never = earn(purse, 10)
    late = earn(purse, 10, expires=NOON + 9 * DAY)
    soon = earn(purse, 10, expires=NOON + 2 * DAY)
    posting = purse.redeem(25, origin(), now=NOON)
    assert posting.moves == [(soon, -10), (late, -10), (never, -5)]
    prove(purse)


def test_a_redemption_that_is_short_moves_nothing(purse: Purse) -> None:
    earn(purse, 10)
    with pytest.raises(NotEnoughPoints):
        purse.redeem(11, origin(), now=NOON)
    assert (purse.balance, purse.version) == (10, 1)
    prove(purse)


def test_a_lot_is_worth_nothing_from_its_midnight_on_though_no_job_ran(purse: Purse) -> None:
    earn(purse, 10, expires=NOON + DAY)
    assert purse.available(NOON + DAY - timedelta(microseconds=1)) == 10
    assert purse.available(NOON + DAY) == 0


def test_time_writes_an_expiry_once_and_at_its_own_instant(purse: Purse) -> None:
    earn(purse, 10, expires=NOON + DAY)
    purse.advance(NOON + 5 * DAY)
    purse.advance(NOON + 6 * DAY)
    assert [(posting.kind, posting.points) for posting in purse.postings] == [("earn", 10), ("expire", -10)]
    assert purse.postings[-1].origin.happened_at == NOON + DAY
    prove(purse)


def test_pending_points_cannot_be_spent_until_they_ripen(purse: Purse) -> None:
    earn(purse, 10, ripe=NOON + DAY)
    assert purse.figures(NOON).pending == 10
    with pytest.raises(NotEnoughPoints):
        purse.redeem(1, origin(), now=NOON)
    assert purse.figures(NOON + DAY).available == 10


def test_earn_spend_refund_leaves_a_debt_that_the_next_points_pay(purse: Purse) -> None:
    own = earn(purse, 100, order_id=7)
    purse.redeem(100, origin("spend"), now=NOON)
    purse.take_back(100, origin("refund"), own=[own], now=NOON)
    assert (purse.debt, purse.available(NOON), purse.balance) == (100, 0, -100)
    earn(purse, 30)
    assert (purse.debt, purse.available(NOON), purse.balance) == (70, 0, -70)
    prove(purse)


def test_a_refund_takes_the_orders_own_points_first_even_while_they_are_pending(purse: Purse) -> None:
    other = earn(purse, 50)
    own = earn(purse, 50, order_id=7, ripe=NOON + DAY)
    posting = purse.take_back(60, origin(), own=[own], now=NOON)
    assert posting.moves == [(own, -50), (other, -10)]
    prove(purse)


def test_a_refund_leaves_holds_and_other_orders_pending_points_alone(purse: Purse) -> None:
    earn(purse, 20)
    purse.hold(20, cause="h", reason="", channel_id=1, expires_at=NOON + DAY, now=NOON)
    earn(purse, 30, order_id=8, ripe=NOON + DAY)
    purse.take_back(10, origin(), own=[], now=NOON)
    assert (purse.debt, purse.held, purse.figures(NOON).pending) == (10, 20, 30)
    prove(purse)


def test_points_that_ripen_pay_debt_before_they_can_lapse(purse: Purse) -> None:
    purse.take_back(40, origin(), own=[], now=NOON)
    earn(purse, 100, ripe=NOON + DAY, expires=NOON + 2 * DAY)
    purse.advance(NOON + 3 * DAY)
    assert [posting.points for posting in purse.postings if posting.kind == "expire"] == [-60]
    assert (purse.debt, purse.balance) == (0, 0)
    prove(purse)


def test_given_back_points_return_to_their_lots_with_their_expiry(purse: Purse) -> None:
    lot = earn(purse, 100, expires=NOON + 9 * DAY)
    purse.redeem(80, origin("spend"), now=NOON)
    purse.give_back([(lot, 80)], origin("refund"), now=NOON, reissue_until=NOON + 30 * DAY)
    assert (lot.remaining, len(purse.lots)) == (100, 1)
    prove(purse)


def test_given_back_points_whose_lot_lapsed_are_issued_anew_with_a_grace(purse: Purse) -> None:
    lot = earn(purse, 100, expires=NOON + DAY)
    purse.redeem(80, origin("spend"), now=NOON)
    later = NOON + 5 * DAY
    purse.advance(later)
    purse.give_back([(lot, 80)], origin("refund"), now=later, reissue_until=later + 30 * DAY)
    assert (purse.available(later), purse.lots[-1].expires_at) == (80, later + 30 * DAY)
    prove(purse)


def test_given_back_points_pay_debt_first(purse: Purse) -> None:
    lot = earn(purse, 100)
    purse.redeem(100, origin("spend"), now=NOON)
    purse.take_back(70, origin("refund one"), own=[], now=NOON)
    purse.give_back([(lot, 100)], origin("refund two"), now=NOON, reissue_until=NOON)
    assert (purse.debt, purse.available(NOON)) == (0, 30)
    prove(purse)


def test_a_hold_sets_points_aside_until_it_is_captured_in_part(purse: Purse) -> None:
    earn(purse, 100)
    hold = purse.hold(60, cause="h", reason="", channel_id=1, expires_at=NOON + DAY, now=NOON)
    assert (purse.available(NOON), purse.held) == (40, 60)
    purse.capture(hold, 45, origin("h"), now=NOON)
    assert (purse.available(NOON), purse.held, hold.state) == (55, 0, "captured")
    prove(purse)


def test_a_hold_ends_once(purse: Purse) -> None:
    earn(purse, 100)
    hold = purse.hold(60, cause="h", reason="", channel_id=1, expires_at=NOON + DAY, now=NOON)
    purse.release(hold, now=NOON)
    with pytest.raises(HoldEnded):
        purse.capture(hold, 60, origin("h"), now=NOON)
    with pytest.raises(HoldEnded):
        purse.release(hold, now=NOON)
    assert (purse.available(NOON), purse.balance) == (100, 100)
    prove(purse)


def test_a_hold_times_out_by_itself(purse: Purse) -> None:
    earn(purse, 100)
    hold = purse.hold(60, cause="h", reason="", channel_id=1, expires_at=NOON + DAY, now=NOON)
    purse.advance(NOON + DAY)
    assert (hold.state, purse.available(NOON + DAY)) == ("timed_out", 100)
    prove(purse)


def test_held_points_do_not_lapse_while_they_are_held_but_at_once_when_let_go(purse: Purse) -> None:
    earn(purse, 100, expires=NOON + DAY)
    hold = purse.hold(60, cause="h", reason="", channel_id=1, expires_at=NOON + 9 * DAY, now=NOON)
    later = NOON + 2 * DAY
    purse.advance(later)
    assert (purse.balance, purse.held) == (60, 60)
    purse.release(hold, now=later)
    assert (purse.balance, purse.held) == (0, 0)
    assert [posting.points for posting in purse.postings if posting.kind == "expire"] == [-40, -60]
    prove(purse)
