"""The night's rounds over the tiers: a version that begins, the top of all, the warning before the end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import clock, nightly, publishing, recount, tier_rounds
from loyalty.models import ProgrammeSweep, TierChange, TierCut, TierEvent, TierWarning, Wallet
from loyalty.tier_rounds import Round
from members.models import OutboxEvent
from tests.trade import PROGRAMME, Trade, buyer, proven, tier_of

BASIC, SILVER, GOLD = PROGRAMME["tiers"]


def publish(trade: Trade, *tiers: dict[str, Any], **more: Any) -> None:
    # It holds for orders of this minute, even when the next one begins meanwhile.
    document = {**PROGRAMME, "tiers": [BASIC, *tiers], "effective_from": trade.ago(0.01).isoformat(), **more}
    trade.programme = publishing.load(document, environment="demo").version


def members(trade: Trade, *amounts: str, days: float = 40) -> list[int]:
    """One member for each amount, who bought once that long ago."""
    return [
        trade.buy(f"M{number}", amount, buyer(f"m{number}"), at=trade.ago(days)).member_id or 0
        for number, amount in enumerate(amounts)
    ]


# --- a version that begins --------------------------------------------------------------------------


def test_a_version_that_asks_less_raises_everybody_who_meets_it_once(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tier_rounds, "CHUNK", 2)
    few, many, none = members(trade, "800", "2000", "10")
    publish(trade, {**SILVER, "qualify": {"all": {"spend": "500"}}})
    done = nightly.reassess_tiers()
    assert (done.members, done.raised) == (3, 2)
    assert [tier_of(member) for member in (few, many, none)] == ["silver", "silver", "basic"]
    assert set(TierChange.objects.values_list("reason", flat=True)) == {"programme"}
    assert ProgrammeSweep.objects.filter(done_at=None).count() == 0
    assert nightly.reassess_tiers() == Round()
    assert proven() and list(recount.walk()) == []


def test_a_sweep_that_was_cut_short_goes_on_where_it_stopped(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = members(trade, "800", "800")
    publish(trade, {**SILVER, "qualify": {"all": {"spend": "500"}}})
    ProgrammeSweep.objects.create(programme_id=publishing.current().id, after=first)
    assert nightly.reassess_tiers().members == 1
    assert [tier_of(member) for member in (first, second)] == ["basic", "silver"]


def test_nobody_stays_in_a_tier_that_is_gone(trade: Trade) -> None:
    for number in range(5):
        mei = trade.buy(f"T{number}", "700", buyer("mei")).member_id
    assert mei is not None and tier_of(mei) == "silver"
    publish(trade, {**SILVER, "code": "pearl", "qualify": {"all": {"spend": "90000"}}})
    nightly.reassess_tiers()
    assert tier_of(mei) == "basic"
    assert proven() and list(recount.walk()) == []


def test_everybody_is_looked_at_again_when_that_is_asked_for(trade: Trade) -> None:
    members(trade, "1", "1", "1")
    assert nightly.reassess_tiers() == Round()
    assert nightly.reassess_tiers(everybody=True) == Round(members=3)


def test_a_chunk_costs_as_many_statements_however_large_it_is(trade: Trade) -> None:
    members(trade, *["800"] * 12)
    publish(trade, {**SILVER, "qualify": {"all": {"spend": "500"}}})
    counts = []
    for size in (4, 12):
        ids = list(Wallet.objects.order_by("member").values_list("member_id", flat=True)[:size])
        sweep, _new = ProgrammeSweep.objects.get_or_create(programme_id=publishing.current().id)
        with CaptureQueriesContext(connection) as asked:
            tier_rounds._look(ids, Round(), sweep=sweep)
        counts.append(len(asked))
    assert counts[0] == counts[1]


# --- the top of all ---------------------------------------------------------------------------------


def top(percent: int = 20, **more: Any) -> dict[str, Any]:
    return {
        "code": "top",
        "name": {"en": "Top"},
        "qualify": {"window": {"months": 12}, "top_percent": percent, **more},
        "benefits": {},
    }


def test_the_top_by_spend_hold_the_tier_and_of_equals_who_joined_first(trade: Trade) -> None:
    ids = members(trade, "100", "900", "500", "500", "300")
    publish(trade, SILVER, top(40))
    assert nightly.reassess_tiers().chosen == 2
    assert [tier_of(member) for member in ids] == ["basic", "top", "top", "basic", "basic"]
    cut = TierCut.objects.get()
    assert (cut.buyers, cut.places, [winner[0] for winner in cut.winners]) == (5, 2, ids[1:3])
    why = TierEvent.objects.get(wallet__member=ids[2]).why
    assert (why["place"], why["buyers"], why["spend"], why["percent"]) == (2, 5, "500.00", "40")
    assert nightly.reassess_tiers() == Round()
    assert proven() and list(recount.walk()) == []


def test_the_cut_is_made_anew_each_period_and_who_is_not_chosen_loses_it(trade: Trade) -> None:
    ids = members(trade, "900", "100", "100", "100", "100")
    publish(trade, SILVER, top())
    nightly.reassess_tiers()
    assert tier_of(ids[0]) == "top"
    trade.buy("L1", "2000", buyer("m1"))
    nightly.reassess_tiers()
    assert (tier_of(ids[0]), tier_of(ids[1])) == ("top", "basic")  # the cut of this month is made
    clock.move(timedelta(days=32))
    nightly.reassess_tiers()
    assert tier_of(ids[1]) == "top"
    clock.move(timedelta(days=2))
    nightly.reassess_tiers()
    assert tier_of(ids[0]) == "basic"
    assert proven() and list(recount.walk()) == []


def test_the_least_that_counts_may_leave_places_empty(trade: Trade) -> None:
    ids = members(trade, "900", "100", "100", "100", "100")
    publish(trade, SILVER, top(40, all={"spend": "500"}))
    assert nightly.reassess_tiers().chosen == 1
    assert [tier_of(member) for member in ids[:2]] == ["top", "basic"]


def test_one_place_there_is_always_if_anybody_has_bought(trade: Trade) -> None:
    (only,) = members(trade, "5")
    publish(trade, SILVER, top(1))
    assert nightly.reassess_tiers().chosen == 1
    assert tier_of(only) == "top"


# --- warning before ---------------------------------------------------------------------------------


def warned(trade: Trade) -> int:
    """A silver member whose tier ends in twelve months and who is warned thirty days before."""
    publish(trade, {**SILVER, "keep": {**SILVER["keep"], "warn_days": 30}})
    for number in range(5):
        mei = trade.buy(f"T{number}", "700", buyer("mei")).member_id
    assert mei is not None and tier_of(mei) == "silver"
    return mei


def test_who_will_lose_a_tier_is_told_before_once(trade: Trade) -> None:
    mei = warned(trade)
    nightly.reassess_tiers()
    clock.move(timedelta(days=330))
    assert nightly.reassess_tiers().warned == 0
    clock.move(timedelta(days=10))
    assert nightly.reassess_tiers().warned == 1
    assert nightly.reassess_tiers().warned == 0
    warning = TierWarning.objects.get()
    assert (warning.tier, warning.wallet.member_id) == ("silver", mei)
    assert (warning.why["to"], warning.why["orders"]) == ("basic", 0)
    told = OutboxEvent.objects.get(topic="member.updated", change=f"tier-warning:{warning.pk}")
    assert told.payload["tier_ends"]["tier"] == "silver"
    assert not OutboxEvent.objects.filter(topic="tier.changed", payload__reason="lapsed").exists()
    assert proven()


def test_who_has_earned_it_again_is_not_warned(trade: Trade) -> None:
    warned(trade)
    for number in range(5):
        trade.buy(f"A{number}", "700", buyer("mei"), at=trade.now + timedelta(seconds=number))
    clock.move(timedelta(days=200))
    for number in range(5):
        trade.buy(f"B{number}", "700", buyer("mei"), at=clock.read().now - timedelta(seconds=number))
    clock.move(timedelta(days=150))
    assert nightly.reassess_tiers().warned == 0
