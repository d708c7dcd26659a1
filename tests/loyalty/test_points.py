"""Points asked for one by one, each with its cause."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import InternalError

from loyalty import clock, ledger, nightly, points
from loyalty.errors import CauseTaken, HoldEnded, HoldNotFound, NotEnoughPoints
from loyalty.models import Entry, Hold, Lot, Wallet
from members.models import OutboxEvent
from tests.trade import Trade, buyer, proven


@pytest.fixture
def mei(trade: Trade) -> int:
    """A member with 1,000 points."""
    member = trade.buy("T0", "1000", buyer("mei")).member_id
    assert member is not None
    return member


def test_redeeming_answers_with_what_is_left_and_tells_the_channels(trade: Trade, mei: int) -> None:
    receipt = trade.spend(mei, 300)
    assert (receipt.points, receipt.figures.available, receipt.is_new) == (300, 700, True)
    event = OutboxEvent.objects.filter(topic="points.changed").latest("id")
    assert (event.payload["points"], event.payload["balance"]) == (-300, 700)
    assert proven()


def test_a_short_redemption_is_refused_and_nothing_has_moved(trade: Trade, mei: int) -> None:
    with pytest.raises(NotEnoughPoints):
        trade.spend(mei, 1001)
    assert (
        trade.available(mei),
        Entry.objects.count(),
        OutboxEvent.objects.filter(topic="points.changed").count(),
    ) == (
        1000,
        1,
        1,
    )


def test_the_same_cause_again_is_answered_as_the_first_time(trade: Trade, mei: int) -> None:
    first = trade.spend(mei, 600, cause="gift-1")
    again = trade.spend(mei, 600, cause="gift-1")  # there are only 400 left: it must not be refused for that
    assert (again.entry_id, again.is_new) == (first.entry_id, False)
    assert trade.available(mei) == 400


def test_the_same_cause_with_other_content_is_refused(trade: Trade, mei: int) -> None:
    trade.spend(mei, 600, cause="gift-1")
    with pytest.raises(CauseTaken):
        trade.spend(mei, 1, cause="gift-1")
    bo = trade.buy("T9", "900", buyer("bo")).member_id
    assert bo is not None
    with pytest.raises(CauseTaken):
        trade.spend(bo, 600, cause="gift-1")
    assert proven()


def test_two_channels_may_use_the_same_cause(trade: Trade, mei: int) -> None:
    trade.spend(mei, 1, cause="one")
    assert points.redeem(mei, 1, cause="one", channel=trade.app).is_new


def test_points_given_by_hand_lapse_as_the_programme_says(trade: Trade, mei: int) -> None:
    trade.give(mei, 50)
    lot = Lot.objects.latest("id")
    assert lot.expires_at is not None
    assert timedelta(days=364) < lot.expires_at - clock.read().now < timedelta(days=368)


def test_a_hold_is_captured_in_part_and_the_rest_let_go(trade: Trade, mei: int) -> None:
    hold = trade.hold(mei, 400)
    assert (hold.figures.available, hold.figures.held) == (600, 400)
    receipt = points.capture(mei, hold.hold_id, points=150, channel=trade.tmall)
    assert (receipt.figures.available, receipt.figures.held) == (850, 0)
    with pytest.raises(HoldEnded):
        points.release(mei, hold.hold_id, channel=trade.tmall)
    assert proven()


def test_a_hold_that_is_short_fails_now(trade: Trade, mei: int) -> None:
    trade.hold(mei, 800)
    with pytest.raises(NotEnoughPoints):
        trade.hold(mei, 201, cause="another")
    assert Hold.objects.count() == 1


def test_the_same_hold_again_is_the_same_hold(trade: Trade, mei: int) -> None:
    first = trade.hold(mei, 800)
    assert trade.hold(mei, 800).hold_id == first.hold_id
    with pytest.raises(CauseTaken):
        trade.hold(mei, 1)
    assert trade.figures(mei).held == 800


def test_a_hold_of_another_channel_is_not_found(trade: Trade, mei: int) -> None:
    hold = trade.hold(mei, 800)
    with pytest.raises(HoldNotFound):
        points.capture(mei, hold.hold_id, channel=trade.app)


def test_a_hold_times_out_by_the_clock_and_the_night_writes_it_down(trade: Trade, mei: int) -> None:
    hold = trade.hold(mei, 800, seconds=60)
    clock.move(timedelta(minutes=2))
    assert trade.available(mei) == 1000
    assert Hold.objects.get().state == "open"  # nobody has written it yet
    nightly.post_expiry()
    assert Hold.objects.get().state == "timed_out"
    with pytest.raises(HoldEnded):
        points.capture(mei, hold.hold_id, channel=trade.tmall)
    assert proven()


def test_points_lapse_by_the_clock_and_the_night_writes_it_once(trade: Trade, mei: int) -> None:
    clock.move(timedelta(days=400))
    assert trade.available(mei) == 0
    assert nightly.post_expiry().expired == 1000
    assert nightly.post_expiry().expired == 0
    assert Entry.objects.filter(kind="expire").count() == 1
    assert proven()


def test_as_of_is_what_would_have_been_answered_then(trade: Trade, mei: int) -> None:
    seen = []
    for cause in ("a", "b"):
        trade.spend(mei, 100, cause=cause)
        seen.append((clock.read().recorded, trade.figures(mei)))
    hold = trade.hold(mei, 50)
    seen.append((clock.read().recorded, trade.figures(mei)))
    points.capture(mei, hold.hold_id, points=20, channel=trade.tmall)
    trade.refund("T0", "R1", "300")
    for at, figures in seen:
        assert ledger.figures_as_of(mei, at) == figures
    assert ledger.figures_as_of(mei, trade.now - timedelta(days=1)) == ledger.NOTHING


@pytest.mark.parametrize("statement", ["UPDATE loyalty_entry SET points = 1", "DELETE FROM loyalty_entry"])
def test_an_entry_is_forever(trade: Trade, mei: int, statement: str) -> None:
    with (
        pytest.raises((IntegrityError, InternalError), match="points_entry_is_forever"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Entry.objects.get().points == 1000


def test_no_lot_can_be_overdrawn_whatever_the_code_believes(trade: Trade, mei: int) -> None:
    with pytest.raises(IntegrityError, match="lot_holds_what_it_has"), transaction.atomic():
        Lot.objects.update(remaining=-1)
    with pytest.raises(IntegrityError, match="wallet_not_overdrawn"), transaction.atomic():
        Wallet.objects.update(balance=-1)
