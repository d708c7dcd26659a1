"""The night's work: what time has done is written down, chunk by chunk, once (B1, B3)."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from loyalty import clock, jobs, nightly, tier_rounds
from loyalty.models import Entry, Hold, TierChange, Wallet
from loyalty.nightly import Night
from loyalty.tier_rounds import Round
from members.models import Member, OutboxEvent
from tests.trade import Trade, buyer, proven, tier_of


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly, "CHUNK", 2)
    monkeypatch.setattr(tier_rounds, "CHUNK", 2)


def crowd(trade: Trade, size: int, net: str = "100", *, days_ago: float = 0) -> list[int]:
    receipts = [
        trade.buy(f"C{number}", net, buyer(f"c{number}"), at=trade.ago(days_ago)) for number in range(size)
    ]
    return [receipt.member_id for receipt in receipts if receipt.member_id is not None]


def silver(trade: Trade, who: str, days_ago: float) -> int:
    """A member whose fifth order made silver that long ago."""
    for number in range(5):
        at = trade.ago(days_ago + 4 - number)
        member = trade.buy(f"{who}{number}", "700", buyer(who), at=at).member_id
    assert member is not None and tier_of(member) == "silver"
    return member


# --- points -------------------------------------------------------------------------------------------


def test_lapsed_points_of_every_member_are_written_down_once(trade: Trade, small_chunks: None) -> None:
    crowd(trade, 5)
    clock.move(timedelta(days=370))
    assert nightly.post_expiry() == Night(members=5, expired=500)
    assert set(Wallet.objects.values_list("balance", flat=True)) == {0}
    assert nightly.post_expiry() == Night()
    assert Entry.objects.filter(kind="expire").count() == 5
    assert proven()


def test_a_night_with_nothing_to_do_does_nothing(trade: Trade) -> None:
    crowd(trade, 3)
    assert (nightly.post_expiry(), nightly.reassess_tiers()) == (Night(), Round())
    assert Entry.objects.count() == 3


def test_a_lapse_is_told_to_the_channels_and_takes_effect_at_its_midnight(trade: Trade) -> None:
    crowd(trade, 1)
    clock.move(timedelta(days=370))
    nightly.post_expiry()
    event = OutboxEvent.objects.filter(topic="points.changed").latest("id")
    assert (event.payload["points"], event.payload["balance"]) == (-100, 0)
    entry = Entry.objects.get(kind="expire")
    lot = entry.moves.get().lot
    assert entry.happened_at == lot.expires_at
    assert entry.happened_at.isoformat().endswith("16:00:00+00:00")  # midnight in Shanghai


def test_a_hold_that_timed_out_is_let_go(trade: Trade) -> None:
    (mei,) = crowd(trade, 1)
    trade.hold(mei, 40, seconds=60)
    clock.move(timedelta(minutes=2))
    assert nightly.post_expiry() == Night(members=1)
    hold = Hold.objects.get()
    assert (hold.state, trade.figures(mei).held, trade.available(mei)) == ("timed_out", 0, 100)
    assert hold.ended_at == hold.expires_at
    assert proven()


def test_points_that_were_held_whole_lapse_after_their_hold_has_timed_out(trade: Trade) -> None:
    """Between two nights: first the hold ended, then the lot that it had held ran out."""
    (mei,) = crowd(trade, 1, days_ago=360)
    trade.hold(mei, 100, seconds=86_400)
    clock.move(timedelta(days=30))
    assert trade.figures(mei).balance == 0
    assert nightly.post_expiry() == Night(members=1, expired=100)
    assert trade.figures(mei).balance == 0
    assert proven()


def test_ripened_points_pay_a_debt_in_the_night(db: None) -> None:
    trade = Trade(pending_days=7)
    first = trade.buy("T1", "100", buyer("mei"), at=trade.ago(60), received_at=trade.ago(50))
    mei = first.member_id
    assert mei is not None
    trade.spend(mei, 100)
    trade.refund("T1", "R1", "100")
    trade.buy("T2", "130", buyer("mei"), received_at=trade.now)
    assert (trade.figures(mei).debt, trade.figures(mei).pending) == (100, 130)
    clock.move(timedelta(days=8))
    assert nightly.post_expiry() == Night(members=1)
    assert Entry.objects.filter(kind="settle").count() == 1
    assert (trade.figures(mei).debt, trade.available(mei)) == (0, 30)
    assert proven()


# --- tiers --------------------------------------------------------------------------------------------


def test_tiers_that_were_not_earned_again_are_lowered_after_their_grace(
    trade: Trade, small_chunks: None
) -> None:
    members = [silver(trade, f"m{number}", days_ago=100) for number in range(3)]
    clock.move(timedelta(days=280))  # twelve months have passed, and not yet thirty days
    assert nightly.reassess_tiers() == Round()
    assert {tier_of(member) for member in members} == {"silver"}
    clock.move(timedelta(days=20))
    assert nightly.reassess_tiers() == Round(members=3, lowered=3)
    assert {tier_of(member) for member in members} == {"basic"}
    assert nightly.reassess_tiers() == Round()
    assert TierChange.objects.filter(reason="lapsed").count() == 3
    assert OutboxEvent.objects.filter(topic="tier.changed", payload__after="basic").count() == 3
    assert proven()


def test_a_tier_earned_again_is_renewed_and_told(trade: Trade) -> None:
    mei = silver(trade, "mei", days_ago=100)
    until = Wallet.objects.get(member=mei).tier_until
    for number in range(5):
        trade.buy(f"again{number}", "600", buyer("mei"), at=trade.ago(20 - number))
    clock.move(timedelta(days=300))
    assert nightly.reassess_tiers() == Round(members=1, renewed=1)
    renewed = Wallet.objects.get(member=mei).tier_until
    assert until is not None and renewed is not None
    assert timedelta(days=364) < renewed - until < timedelta(days=368)
    assert list(TierChange.objects.values_list("reason", flat=True)) == ["qualified", "renewed"]
    assert proven()


def test_years_nobody_looked_at_are_judged_one_after_another(trade: Trade) -> None:
    for number in range(15):
        mei = trade.buy(f"G{number}", "700", buyer("mei"), at=trade.ago(30 - number)).member_id
    assert mei is not None and tier_of(mei) == "gold"
    clock.move(timedelta(days=3 * 366))
    assert nightly.reassess_tiers().lowered == 1
    path = TierChange.objects.filter(reason="lapsed").values_list("before", "after")
    assert (list(path), tier_of(mei)) == ([("gold", "silver"), ("silver", "basic")], "basic")
    assert proven()


# --- the doors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "done"),
    [
        ("post_expiry", {"members": 1, "expired": 3500}),
        (
            "reassess_tiers",
            {"members": 1, "raised": 0, "lowered": 1, "renewed": 0, "chosen": 0, "warned": 0},
        ),
    ],
)
def test_the_commands_say_what_they_did(trade: Trade, command: str, done: dict[str, int]) -> None:
    silver(trade, "mei", days_ago=1)
    clock.move(timedelta(days=500))
    out = StringIO()
    call_command(command, "--json", stdout=out)
    assert json.loads(out.getvalue()) == done
    out = StringIO()
    call_command(command, stdout=out)
    assert out.getvalue() == ", ".join(f"{word}: 0" for word in done) + "\n"


def test_the_workers_jobs_do_the_same(trade: Trade) -> None:
    mei = silver(trade, "mei", days_ago=1)
    clock.move(timedelta(days=500))
    jobs.post_expiry(timestamp=0)
    jobs.reassess_tiers(timestamp=0)
    assert (trade.figures(mei).balance, tier_of(mei)) == (0, "basic")
    assert Member.objects.count() == 1
    assert proven()
