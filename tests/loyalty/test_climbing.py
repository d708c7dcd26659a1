"""Up at once, down after grace, renewed when earned again, held up by what was given. No database."""

from loyalty.tiers import Ladder
from tests.loyalty.ladders import (
    SILVER,
    at,
    bought,
    climber,
    floor,
    grown,
    ladder,
    monthly,
    path,
    programme,
    tier,
)


def test_an_upgrade_comes_with_the_purchase_that_completes_it_and_is_explained() -> None:
    purchases = monthly("700", *[f"2026-0{month}-01" for month in range(1, 7)])
    member = climber("basic", None, *purchases)
    member.promote(ladder(), since=purchases[-1].paid_at, now=at("2026-07-01"))
    (step,) = member.steps
    assert (step.before, step.after, step.reason) == ("basic", "silver", "qualified")
    assert step.why == {
        "spend": "4200",
        "orders": 6,
        "needs": {"months": 12, "mode": "all", "spend": "3000", "orders": 5},
    }
    assert step.valid_until is not None
    assert step.valid_until.isoformat() == "2027-06-02T00:00:00+08:00"
    assert (member.purse.tier, member.purse.tier_until) == ("silver", step.valid_until)


def test_an_order_heard_late_completes_a_window_that_ended_after_it() -> None:
    member = climber("basic", None, *monthly("700", *[f"2026-0{month}-01" for month in range(1, 6)]))
    member.promote(ladder(), since=at("2026-02-01"), now=at("2026-07-01"))
    assert path(member) == [("basic", "silver", "qualified")]
    assert member.steps[0].happened_at == at("2026-05-01")


def test_purchases_older_than_the_window_do_not_count() -> None:
    old = monthly("600", *["2025-01-01"] * 4)
    member = climber("basic", None, *old, *bought("600"))
    member.promote(ladder(), since=at("2026-03-01"), now=at("2026-03-01"))
    assert member.purse.tier == "basic"


def test_an_upgrade_starts_a_new_validity() -> None:
    member = climber("silver", "2026-04-01", *bought(*["700"] * 15))
    member.promote(ladder(), since=at("2026-03-01"), now=at("2026-03-01"))
    assert path(member) == [("silver", "gold", "qualified")]
    assert member.purse.tier_until is not None
    assert member.purse.tier_until.isoformat() == "2027-03-02T00:00:00+08:00"


def test_growth_value_raises_when_it_comes_about() -> None:
    rungs = Ladder(programme(tier("silver", {"growth": 500})), 1)
    member = climber(growth=[grown(300, "2026-01-01"), grown(200, "2026-02-01")])
    member.promote(rungs, since=at("2026-01-01"), now=at("2026-03-01"))
    assert (path(member), member.steps[0].happened_at) == (
        [("basic", "silver", "qualified")],
        at("2026-02-01"),
    )
    assert member.steps[0].why["growth"] == 500


# --- down -------------------------------------------------------------------------------------------


def test_a_tier_does_not_lapse_before_its_grace_is_over() -> None:
    member = climber("gold", "2026-03-01")
    member.pass_time(ladder(), at("2026-03-30"))
    assert (member.purse.tier, member.steps) == ("gold", [])


def test_a_tier_lapses_one_step_after_its_grace() -> None:
    member = climber("gold", "2026-03-01")
    member.pass_time(ladder(), at("2026-04-01"))
    assert path(member) == [("gold", "silver", "lapsed")]
    assert member.steps[0].happened_at == at("2026-03-31")


def test_a_tier_may_lapse_to_fit() -> None:
    member = climber("gold", "2026-03-01")
    member.pass_time(ladder(down="to_fit"), at("2026-04-01"))
    assert path(member) == [("gold", "basic", "lapsed")]


def test_a_tier_earned_again_is_renewed_and_that_is_written_down() -> None:
    member = climber("silver", "2026-03-01", *bought(*["600"] * 5, on="2026-01-01"))
    member.pass_time(ladder(), at("2026-04-05"))
    assert path(member) == [("silver", "silver", "renewed")]
    assert member.purse.tier_until == member.steps[0].valid_until
    assert member.steps[0].valid_until is not None
    assert member.steps[0].valid_until.isoformat() == "2027-03-02T00:00:00+08:00"


def test_years_gone_by_are_judged_one_after_another() -> None:
    member = climber("gold", "2023-03-01")
    member.pass_time(ladder(), at("2026-04-05"))
    assert path(member) == [("gold", "silver", "lapsed"), ("silver", "basic", "lapsed")]
    assert member.purse.tier_until is None


def test_a_step_down_passes_over_tiers_of_the_invited() -> None:
    black = {"code": "black", "name": {"en": "B"}, "qualify": {"by_invitation": True}, "benefits": {}}
    rungs = Ladder(programme(tier("silver", SILVER), black, tier("gold", {"all": {"orders": 9}})), 1)
    member = climber("gold", "2026-03-01")
    member.pass_time(rungs, at("2026-04-05"))
    assert path(member) == [("gold", "silver", "lapsed")]


def test_to_the_end_of_next_year_is_to_its_last_midnight() -> None:
    rungs = ladder(years=1, grace_days=0)
    member = climber("basic", None, *bought(*["700"] * 5, on="2026-06-01"))
    member.promote(rungs, since=at("2026-06-01"), now=at("2026-06-01"))
    assert member.until is not None
    assert member.until.isoformat() == "2028-01-01T00:00:00+08:00"
    member.history.bought = bought(*["700"] * 5, on="2027-12-31")
    member.pass_time(rungs, at("2028-01-02"))
    assert member.until.isoformat() == "2029-01-01T00:00:00+08:00"


def test_to_the_next_anniversary_but_one() -> None:
    rungs = ladder(anniversaries=2)
    member = climber("basic", None, *bought(*["700"] * 5, on="2026-06-01"), joined_at=at("2020-08-15"))
    member.promote(rungs, since=at("2026-06-01"), now=at("2026-06-01"))
    assert member.until is not None
    assert member.until.isoformat() == "2027-08-15T00:00:00+08:00"


def test_a_refund_leaves_the_tier_alone_or_takes_it_at_once_as_policy_says() -> None:
    for policy, steps in (("keep", []), ("reassess", [("silver", "basic", "refund")])):
        member = climber("silver", "2027-01-01", *bought("100"))
        member.fall(ladder(on_refund=policy), now=at("2026-04-01"))
        assert path(member) == steps


# --- what is given ----------------------------------------------------------------------------------


def test_a_floor_holds_a_member_up_until_it_ends() -> None:
    member = climber()
    member.accept(ladder(), floor("gold", "2026-03-01", "2026-06-01"), now=at("2026-03-01"))
    assert (member.purse.tier, member.purse.tier_until) == ("gold", at("2026-06-01"))
    member.pass_time(ladder(), at("2026-07-01"))
    assert path(member) == [("basic", "gold", "by_hand"), ("gold", "basic", "floor_ended")]
    assert member.steps[1].happened_at == at("2026-06-01")
    assert member.purse.tier_until is None


def test_what_is_earned_beneath_a_floor_is_there_when_it_ends() -> None:
    member = climber("basic", None, *bought(*["700"] * 5, on="2026-04-01"))
    member.accept(ladder(), floor("gold", "2026-03-01", "2026-06-01"), now=at("2026-03-01"))
    member.promote(ladder(), since=at("2026-04-01"), now=at("2026-04-01"))
    assert (member.purse.tier, member.tier) == ("gold", "silver")
    member.pass_time(ladder(), at("2026-07-01"))
    assert path(member)[1:] == [("gold", "silver", "floor_ended")]
    assert member.purse.tier_until is not None
    assert member.purse.tier_until.isoformat() == "2027-04-02T00:00:00+08:00"


def test_a_floor_keeps_a_tier_that_time_would_take() -> None:
    member = climber("silver", "2026-03-01")
    member.accept(ladder(), floor("silver", "2026-02-01", "2026-12-01"), now=at("2026-02-01"))
    assert (path(member), member.purse.tier_until) == ([], at("2026-12-01"))
    member.pass_time(ladder(), at("2026-05-01"))
    assert (path(member), member.tier) == ([], "basic")
    member.pass_time(ladder(), at("2026-12-02"))
    assert path(member) == [("silver", "basic", "floor_ended")]


def test_a_floor_below_the_tier_changes_nothing_that_is_seen() -> None:
    member = climber("gold", "2027-01-01")
    member.accept(ladder(), floor("silver", "2026-02-01", "2028-01-01"), now=at("2026-02-01"))
    assert (path(member), member.purse.tier, member.purse.tier_until) == ([], "gold", at("2027-01-01"))
    member.pass_time(ladder(down="to_fit"), at("2027-03-01"))
    assert path(member) == [("gold", "silver", "lapsed")]


def test_a_floor_that_begins_later_begins_by_itself() -> None:
    member = climber()
    member.accept(ladder(), floor("gold", "2026-05-01", "2026-06-01"), now=at("2026-03-01"))
    assert member.purse.tier == "basic"
    assert member.next_at(ladder()) == at("2026-05-01")
    member.pass_time(ladder(), at("2026-05-02"))
    assert path(member) == [("basic", "gold", "by_hand")]
    assert member.next_at(ladder()) == at("2026-06-01")


def test_what_is_ended_early_ends_then() -> None:
    member = climber()
    member.accept(ladder(), floor("gold", "2026-03-01", "2026-12-01"), now=at("2026-03-01"))
    member.end(ladder(), 1, {"reason": "a mistake"}, now=at("2026-04-01"))
    assert path(member)[1:] == [("gold", "basic", "floor_ended")]
    member.pass_time(ladder(), at("2027-01-01"))
    assert len(member.steps) == 2


def test_a_gift_raises_for_as_long_as_the_tier_lasts() -> None:
    member = climber()
    member.accept(ladder(), floor("gold", "2026-03-01", None, kind="gift"), now=at("2026-03-01"))
    assert path(member) == [("basic", "gold", "given")]
    assert member.purse.tier_until is not None
    assert member.purse.tier_until.isoformat() == "2027-03-02T00:00:00+08:00"
    member.pass_time(ladder(), at("2027-05-01"))
    assert path(member)[1:] == [("gold", "silver", "lapsed")]


def test_a_gift_of_what_one_has_begins_it_anew() -> None:
    member = climber("gold", "2026-04-01")
    member.accept(ladder(), floor("gold", "2026-03-01", None, kind="gift"), now=at("2026-03-01"))
    assert path(member) == []
    assert member.purse.tier_until is not None
    assert member.purse.tier_until.isoformat() == "2027-03-02T00:00:00+08:00"


def test_an_invitation_can_be_kept_by_what_keeping_asks() -> None:
    black = tier("black", {"by_invitation": True}, needs={"spend": "500"}, grace_days=0)
    rungs = Ladder(programme(tier("silver", SILVER), black), 1)
    member = climber("basic", None, *bought("600", on="2027-01-01"))
    member.accept(rungs, floor("black", "2026-03-01", None, kind="invitation"), now=at("2026-03-01"))
    member.pass_time(rungs, at("2027-04-01"))
    assert path(member) == [("basic", "black", "invited"), ("black", "black", "renewed")]
    member.pass_time(rungs, at("2028-04-01"))
    assert path(member)[2:] == [("black", "silver", "lapsed")]


# --- a version that begins --------------------------------------------------------------------------


def test_a_version_that_asks_less_raises_and_one_that_asks_more_takes_nothing() -> None:
    easier = Ladder(programme(tier("silver", {"all": {"spend": "100"}})), 2)
    harder = Ladder(programme(tier("silver", {"all": {"spend": "90000"}})), 3)
    member = climber("basic", None, *bought("200"))
    member.adapt(easier, now=at("2026-03-02"))
    assert path(member) == [("basic", "silver", "programme")]
    member.adapt(harder, now=at("2026-03-03"))
    assert path(member)[1:] == []


def test_nobody_stands_where_there_is_no_tier_any_more() -> None:
    member = climber("platinum", "2027-01-01", *bought(*["700"] * 5))
    member.adapt(ladder(), now=at("2026-03-02"))
    assert path(member) == [("platinum", "silver", "programme")]
