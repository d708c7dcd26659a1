"""What an order earns, by the worked examples of the ledger and around their edges."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty import earning
from loyalty.conditions import Line, Situation
from loyalty.earning import Room
from loyalty.programme import Programme, parse

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)


def programme(*rules: dict[str, Any], **points: Any) -> Programme:
    return parse(
        {
            "programme": "main",
            "time_zone": "Asia/Shanghai",
            "points": {"base_per_yuan": "1", "pending_days": 0, "expiry": "never", **points},
            "tiers": [
                {"code": "basic", "name": {"en": "Basic"}, "benefits": {"points_per_yuan": 100}},
                {
                    "code": "silver",
                    "name": {"en": "Silver"},
                    "qualify": {"window": {"months": 12}, "all": {"spend": "3000"}},
                    "benefits": {"coefficient": "1.2", "points_per_yuan": 80},
                },
                {
                    "code": "gold",
                    "name": {"en": "Gold"},
                    "qualify": {"window": {"months": 12}, "all": {"spend": "10000", "orders": 15}},
                    "benefits": {"coefficient": "1.5", "points_per_yuan": 60},
                },
            ],
            "rules": list(rules),
        }
    )


def situation(*lines: Line, channel: str = "tmall", paid: str = "200") -> Situation:
    return Situation(
        order_channel=channel,
        order_store=None,
        order_paid=Decimal(paid),
        order_time=NOON,
        order_first=False,
        lines=lines,
    )


def price(
    rules: list[dict[str, Any]],
    *,
    base: str = "200",
    tier: str = "basic",
    room: Room | None = None,
    **told: Any,
) -> earning.Priced:
    version = programme(*rules)
    return earning.price(
        told.get("situation", situation()),
        base=Decimal(base),
        programme=version,
        tier=version.tier(tier),
        room=room,
    )


DOUBLE = {"code": "double", "then": {"factor": "2"}}


def test_200_yuan_at_silver_with_a_double_campaign_earn_480() -> None:
    priced = price([DOUBLE], tier="silver")
    assert priced.points == 480
    assert earning.formula(priced.why) == "200 × 1 × 1.2 × 2 = 480"
    assert priced.uses == {"double": 240}


@pytest.mark.parametrize(("tier", "worth"), [("basic", "15.00"), ("silver", "18.75"), ("gold", "25.00")])
def test_1500_points_are_worth_more_the_higher_the_tier(tier: str, worth: str) -> None:
    assert programme().tier(tier).benefits.worth(1500) == Decimal(worth)


def test_of_two_factors_the_greater_holds_and_those_that_stack_multiply() -> None:
    treble = {"code": "treble", "then": {"factor": "3"}}
    assert price([DOUBLE, treble]).points == 600
    assert price([DOUBLE, {**treble, "stack": True}]).points == 1200


def test_a_bonus_is_added_after_and_not_multiplied() -> None:
    priced = price([DOUBLE, {"code": "gift", "then": {"bonus": 50}}])
    assert priced.points == 450
    assert earning.formula(priced.why) == "200 × 1 × 1 × 2 + 50 = 450"


def test_a_limit_cuts_to_what_still_fits_and_says_so() -> None:
    priced = price([DOUBLE], room=Room({"double": 30}))
    assert priced.points == 230
    assert priced.why["rules"] == [{"code": "double", "added": 30, "factor": "2", "cut_from": 200}]
    assert earning.formula(priced.why) == "200 × 1 × 1 = 200; + 30 = 230"


def test_an_exclusive_rule_shuts_out_those_below_it() -> None:
    assert price([{**DOUBLE, "exclusive": True}, {"code": "gift", "then": {"bonus": 50}}]).points == 400


def test_a_rule_about_lines_counts_only_those_lines() -> None:
    tea = {**DOUBLE, "when": {"field": "line.category", "op": "=", "value": "tea"}}
    lines = (Line("tea", "T1", Decimal("60")), Line("cup", "C1", Decimal("140")))
    assert price([tea], situation=situation(*lines)).points == 260


def test_a_campaign_holds_from_its_first_instant_to_just_before_its_last() -> None:
    rule = {**DOUBLE, "from": "2026-11-11T12:00:00+08:00", "to": "2026-11-11T12:00:01+08:00"}
    assert price([rule]).points == 400
    ended = {**DOUBLE, "from": "2026-11-11T11:00:00+08:00", "to": "2026-11-11T12:00:00+08:00"}
    assert price([ended]).points == 200


def test_the_part_paid_with_points_does_not_earn_unless_policy_says_so() -> None:
    net, value = Decimal("71.50"), Decimal("1.50")
    assert earning.base_of(net=net, points_value=value, policy=programme().points) == 70
    generous = programme(points_paid_earns=True).points
    assert earning.base_of(net=net, points_value=value, policy=generous) == net


def test_seven_uneven_refunds_of_99_99_take_back_exactly_what_was_earned() -> None:
    net, earned, kept, taken = Decimal("99.99"), 99, Decimal("99.99"), 0
    for part in ("0.01", "13.37", "20.00", "33.33", "3.28", "29.99", "0.01"):
        kept -= Decimal(part)
        taken += earned - taken - earning.stays(earned=earned, net_bought=net, kept=kept)
    assert (kept, taken) == (Decimal(0), 99)


@pytest.mark.parametrize(("kept", "stays"), [("78", 7), ("0", 0), ("100", 10)])
def test_100_bought_at_10_points_keeps_in_proportion(kept: str, stays: int) -> None:
    assert earning.stays(earned=10, net_bought=Decimal(100), kept=Decimal(kept)) == stays


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_points_spread_over_lines_add_up_and_none_is_off_by_a_whole_point(
    points: int, cents: list[int]
) -> None:
    amounts = [Decimal(cent) / 100 for cent in cents]
    shares = earning.spread(points, amounts)
    assert sum(shares) == points
    whole = sum(amounts)
    if whole:
        for share, amount in zip(shares, amounts, strict=True):
            assert abs(share - points * amount / whole) < 1


@given(st.integers(0, 10**5), st.integers(1, 10**7), st.lists(st.integers(1, 10**6), min_size=1, max_size=9))
def test_any_split_of_a_full_refund_takes_what_was_earned(earned: int, cents: int, parts: list[int]) -> None:
    net = Decimal(cents) / 100
    kept, stays = net, earned
    for part in parts:
        kept = max(Decimal(0), kept - Decimal(part) / 100)
        now = earning.stays(earned=earned, net_bought=net, kept=kept)
        assert 0 <= now <= stays
        stays = now
    assert earning.stays(earned=earned, net_bought=net, kept=Decimal(0)) == 0
    assert earning.returned(spent=earned, net_bought=net, kept=Decimal(0)) == earned
