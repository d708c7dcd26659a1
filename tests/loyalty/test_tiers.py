"""Up at once, down after grace, renewed when earned again: one purse and its purchases, no database."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from loyalty.programme import Programme, parse
from loyalty.purse import Purse
from loyalty.tiers import Ladder, Purchase, Standing


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(hour=4, tzinfo=UTC)  # noon in Shanghai


def programme(**keep: Any) -> Programme:
    kept = {"months": 12, "grace_days": 30, "down": "one", "on_refund": "keep", **keep}
    silver = {"window": {"months": 12}, "all": {"spend": "3000", "orders": 5}}
    gold = {"window": {"months": 12}, "all": {"spend": "10000", "orders": 15}}
    return parse(
        {
            "programme": "main",
            "time_zone": "Asia/Shanghai",
            "points": {"base_per_yuan": "1", "pending_days": 0, "expiry": "never"},
            "tiers": [
                {"code": "basic", "name": {"en": "Basic"}, "benefits": {"points_per_yuan": 100}},
                {"code": "silver", "name": {"en": "S"}, "qualify": silver, "keep": kept, "benefits": {}},
                {"code": "gold", "name": {"en": "G"}, "qualify": gold, "keep": kept, "benefits": {}},
            ],
        }
    )


def ladder(**keep: Any) -> Ladder:
    return Ladder(programme(**keep), 1)


def purse(tier: str = "basic", until: str | None = None) -> Purse:
    return Purse(1, 1, tier=tier, tier_until=at(until) if until else None)


def bought(*yuan: str, on: str = "2026-03-01") -> list[Purchase]:
    return [Purchase(at(on), Decimal(amount), number) for number, amount in enumerate(yuan)]


@pytest.mark.parametrize(
    ("purchases", "tier"),
    [
        (bought(*["2000"] * 6), "silver"),  # 12,000 in 6 orders: gold asks for 15 as well
        (bought(*["750"] * 4), "basic"),  # 3,000 in 4 orders
        (bought(*["600"] * 5), "silver"),
        (bought(*["599.99"] * 5), "basic"),
        (bought(*["700"] * 15), "gold"),
    ],
)
def test_a_tier_asks_for_all_it_asks_for(purchases: list[Purchase], tier: str) -> None:
    member = purse()
    ladder().promote(member, purchases, since=purchases[0].paid_at, now=at("2026-03-02"))
    assert member.tier == tier


@pytest.mark.parametrize(
    ("member", "purchases", "matter"),
    [
        (purse(), bought(*["600"] * 4), False),
        (purse(), bought(*["600"] * 5), True),
        (purse("silver", until="2027-03-01"), bought(*["600"] * 14), False),  # gold is beyond them
        (purse("silver", until="2027-03-01"), bought(*["700"] * 15), True),
        (purse("silver", until="2026-02-28"), bought("1"), True),  # its time has run out: it is judged
        (purse("gold", until="2027-03-01"), bought(*["700"] * 30), False),  # nothing is above
    ],
)
def test_purchases_matter_only_where_their_sum_or_the_time_may_move_a_tier(
    member: Purse, purchases: list[Purchase], matter: bool
) -> None:
    everything = Standing(sum((each.kept for each in purchases), Decimal(0)), len(purchases))
    before = (member.tier, member.tier_until)
    assert ladder().may_move(member, everything, now=at("2026-04-15")) is matter
    ladder().lapse(member, purchases, now=at("2026-04-15"))
    ladder().promote(member, purchases, since=purchases[0].paid_at, now=at("2026-04-15"))
    assert ((member.tier, member.tier_until) != before) is matter


def test_an_upgrade_comes_with_the_purchase_that_completes_it_and_is_explained() -> None:
    rungs, member = ladder(), purse()
    purchases = [Purchase(at(f"2026-0{month}-01"), Decimal(700), month) for month in range(1, 7)]
    rungs.promote(member, purchases, since=purchases[-1].paid_at, now=at("2026-07-01"))
    (step,) = rungs.steps
    assert (step.before, step.after, step.reason) == ("basic", "silver", "qualified")
    assert step.why == {
        "spend": "4200",
        "orders": 6,
        "needs": {"months": 12, "mode": "all", "spend": "3000", "orders": 5},
    }
    assert step.valid_until is not None
    assert step.valid_until.isoformat() == "2027-06-02T00:00:00+08:00"


def test_an_order_heard_late_completes_a_window_that_ended_after_it() -> None:
    rungs, member = ladder(), purse()
    purchases = [Purchase(at(f"2026-0{month}-01"), Decimal(700), month) for month in range(1, 6)]
    rungs.promote(member, purchases, since=at("2026-02-01"), now=at("2026-07-01"))
    assert member.tier == "silver"
    assert rungs.steps[0].happened_at == at("2026-05-01")


def test_purchases_older_than_the_window_do_not_count() -> None:
    member = purse()
    purchases = bought(*["600"] * 4, on="2025-01-01") + bought("600", on="2026-03-01")
    ladder().promote(member, purchases, since=at("2026-03-01"), now=at("2026-03-01"))
    assert member.tier == "basic"


def test_a_refunded_order_counts_neither_its_yuan_nor_itself() -> None:
    member = purse()
    purchases = bought(*["800"] * 4, "0")
    ladder().promote(member, purchases, since=at("2026-03-01"), now=at("2026-03-02"))
    assert member.tier == "basic"


def test_a_tier_does_not_lapse_before_its_grace_is_over() -> None:
    member = purse("gold", until="2026-03-01")
    ladder().lapse(member, [], now=at("2026-03-30"))
    assert member.tier == "gold"


def test_a_tier_lapses_one_step_after_its_grace() -> None:
    rungs, member = ladder(), purse("gold", until="2026-03-01")
    rungs.lapse(member, [], now=at("2026-04-01"))
    assert (member.tier, rungs.steps[0].reason) == ("silver", "lapsed")


def test_a_tier_may_lapse_to_fit() -> None:
    member = purse("gold", until="2026-03-01")
    ladder(down="to_fit").lapse(member, [], now=at("2026-04-01"))
    assert member.tier == "basic"


def test_a_tier_earned_again_is_renewed_without_a_step() -> None:
    rungs, member = ladder(), purse("silver", until="2026-03-01")
    rungs.lapse(member, bought(*["600"] * 5, on="2026-01-01"), now=at("2026-04-05"))
    assert (member.tier, rungs.steps) == ("silver", [])
    assert member.tier_until is not None and member.tier_until > at("2027-02-28")


def test_years_gone_by_are_judged_one_after_another() -> None:
    rungs, member = ladder(), purse("gold", until="2023-03-01")
    rungs.lapse(member, [], now=at("2026-04-05"))
    assert [step.after for step in rungs.steps] == ["silver", "basic"]
    assert member.tier_until is None


def test_a_refund_leaves_the_tier_alone_or_takes_it_at_once_as_policy_says() -> None:
    for policy, tier in (("keep", "silver"), ("reassess", "basic")):
        member = purse("silver", until="2027-01-01")
        ladder(on_refund=policy).undo(member, bought("100"), now=at("2026-04-01"))
        assert member.tier == tier


def test_what_is_missing_for_the_next_tier_is_told() -> None:
    missing = ladder().missing("basic", bought("600", "600"), at("2026-04-01"))
    assert missing == {"tier": "silver", "spend": Decimal(1800), "orders": 3, "mode": "all"}
    assert ladder().missing("gold", [], at("2026-04-01")) is None
