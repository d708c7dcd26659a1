"""Gold and back: Mei climbs, gives half of it back, is looked after by hand, and comes down in her own time.

Silver asks for 3,000 yuan in five orders within a year, gold for 10,000 in fifteen; each is kept for a year,
with a month of grace. A refund does not take a tier before its period ends.
"""

from datetime import timedelta

import pytest
from django.utils import translation

from loyalty import benefits, clock, nightly, recount, tier_events, tier_paths
from loyalty.models import TierChange, TierWarning
from members.models import Member, OutboxEvent
from privacy import approvals, roles
from tests.trade import PROGRAMME, Trade, buyer, proven, tier_of

MEI = buyer("tb-mei")


@pytest.fixture
def shop(db: None) -> Trade:
    """The programme of the trade, which warns a month before and has a tea for gold members each month."""
    trade = Trade()
    tiers = [dict(tier) for tier in PROGRAMME["tiers"]]
    for tier in tiers[1:]:
        tier["keep"] = {**tier["keep"], "warn_days": 30}
    tea = {"code": "tea", "name": {"en": "A tin of tea", "zh-hans": "一罐茶"}}
    tiers[2]["benefits"] = {**tiers[2]["benefits"], "uses": [tea]}
    trade.publish({**PROGRAMME, "tiers": tiers, "effective_from": trade.ago(900).isoformat()})
    return trade


def test_gold_and_back(shop: Trade) -> None:
    mei = she_buys_her_way_to_gold(shop)
    she_returns_half_of_it_and_stays_gold(shop, mei)
    she_is_warned_and_lapses_to_silver(shop, mei)
    a_colleague_keeps_her_gold_through_the_winter(shop, mei)
    she_comes_down_in_her_own_time(shop, mei)
    her_path_tells_every_step_with_its_reason(mei)
    assert proven()
    assert list(recount.walk()) == []


def she_buys_her_way_to_gold(shop: Trade) -> int:
    """Fifteen orders of 700 yuan: silver with the fifth, gold with the fifteenth."""
    mei = 0
    for number in range(15):
        mei = shop.buy(f"T{number}", "700.00", MEI, at=shop.ago(30 - number)).member_id or 0
        assert tier_of(mei) == ("basic" if number < 4 else "silver" if number < 14 else "gold")
    used, is_new = benefits.use(mei, "tea", cause="app:tea-1")
    assert (is_new, used.number) == (True, 1)
    return mei


def she_returns_half_of_it_and_stays_gold(shop: Trade, mei: int) -> None:
    """Ten orders come back: her points go, her tier does not before its time."""
    for number in range(10):
        shop.refund(f"T{number}", f"R{number}", "700.00")
    assert tier_of(mei) == "gold"
    standing = tier_paths.stand(mei)
    assert standing.to_keep is not None
    assert [(need.what, str(need.have)) for need in standing.to_keep.needs] == [
        ("spend", "3500.00"),
        ("orders", "5"),
    ]


def she_is_warned_and_lapses_to_silver(shop: Trade, mei: int) -> None:
    """A month before the end she is told; after the month of grace she is silver, one step down."""
    clock.move(timedelta(days=340))
    assert nightly.reassess_tiers().warned == 1
    warning = TierWarning.objects.get()
    assert (warning.tier, warning.why["to"]) == ("gold", "silver")
    assert OutboxEvent.objects.filter(topic="member.updated", payload__tier_ends__tier="gold").count() == 1
    clock.move(timedelta(days=30))
    assert (nightly.reassess_tiers().lowered, tier_of(mei)) == (0, "gold")
    clock.move(timedelta(days=20))
    assert (nightly.reassess_tiers().lowered, tier_of(mei)) == (1, "silver")


def a_colleague_keeps_her_gold_through_the_winter(shop: Trade, mei: int) -> None:
    """Lin asks, the manager lets it happen: gold for ninety days, whatever she buys."""
    lin, _password = roles.make_staff("lin", "service")
    manager, _password = roles.make_staff("manager", "admin")
    until = clock.read().now + timedelta(days=90)
    asked = tier_events.ask(Member.objects.get(pk=mei), "gold", until, "Her shop burned down", lin)
    assert tier_of(mei) == "silver"
    approvals.approve(asked.pk, manager, "Of course")
    assert tier_of(mei) == "gold"
    assert benefits.use(mei, "tea", cause="app:tea-2")[1]
    clock.move(timedelta(days=91))
    assert (nightly.reassess_tiers().lowered, tier_of(mei)) == (1, "silver")


def she_comes_down_in_her_own_time(shop: Trade, mei: int) -> None:
    """She buys no more. Silver was hers for a year from the day she came down to it."""
    clock.move(timedelta(days=330))
    nightly.reassess_tiers()
    assert tier_of(mei) == "basic"


def her_path_tells_every_step_with_its_reason(mei: int) -> None:
    steps = tier_paths.steps(mei)[::-1]
    assert [(step.before, step.after, step.reason) for step in steps] == [
        ("basic", "silver", "qualified"),
        ("silver", "gold", "qualified"),
        ("gold", "silver", "lapsed"),
        ("silver", "gold", "by_hand"),
        ("gold", "silver", "floor_ended"),
        ("silver", "basic", "lapsed"),
    ]
    assert steps[1].sentence == ("¥10,500.00, 15 orders within 12 months; asked: ¥10,000.00 and 15 orders")
    assert steps[3].sentence.startswith("Her shop burned down (asked by lin")
    with translation.override("zh-hans"):
        assert "¥10,500.00" in tier_paths.steps(mei)[::-1][1].sentence
    told = OutboxEvent.objects.filter(topic="tier.changed").order_by("id")
    assert [event.payload["after"] for event in told] == [step.after for step in steps]
    assert TierChange.objects.count() == 6
