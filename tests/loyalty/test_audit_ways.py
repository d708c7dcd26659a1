"""A law can be broken in more ways than one: each of these is named too.

The worlds are those of `test_audit_rooms`, where each law has its first planting.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from loyalty import clock, closings, publishing
from tests.loyalty.test_audit_rooms import (
    claims_in_every_state,
    grants_of_every_prize,
    tiers_by_hand,
    what_has_limits,
    what_time_and_refunds_did,
)
from tests.planting import broken, damage
from tests.trade import Trade, buyer, proven


class Way(NamedTuple):
    """One way to break a law in a world; `others` are laws that it cannot help but break."""

    world: Callable[[], None]
    law: str
    statements: tuple[str, ...]
    others: tuple[str, ...] = ()


def limit(name: str, most: int) -> str:
    """A rule that says a limit of less than was given under it."""
    return (
        "UPDATE loyalty_programmeversion SET document = jsonb_set(document,"
        f" '{{rules,0,limits,{name}}}', '{most}') WHERE number = 1"
    )


LIMITS, BENEFITS = "rules_stay_within_their_limits", "benefits_stay_within_the_terms_of_their_tier"
BY_HAND, GRANTED = "tiers_by_hand_were_given_by_two_people", "nothing_is_given_without_its_grant"
TAKEN_BACK = "withdrawn_growth_and_tiers_were_taken_back"
HISTORY = "tiers_are_what_history_makes_them"

WAYS: dict[str, Way] = {
    "more for a member": Way(what_has_limits, LIMITS, (limit("per_member", 99),)),
    "more in a month": Way(what_has_limits, LIMITS, (limit("per_member_month", 99),)),
    "more on a day": Way(what_has_limits, LIMITS, (limit("per_member_day", 99),)),
    "more in all, by a later version": Way(
        what_has_limits,
        LIMITS,
        ("UPDATE loyalty_ruleuse SET points = 11 WHERE points = 10",),
        others=("rule_uses_are_what_entries_say",),
    ),
    "a use that no entry names": Way(
        what_has_limits,
        "rule_uses_are_what_entries_say",
        ("UPDATE loyalty_ruleuse SET rule = 'another' WHERE rule = 'thanks' AND points = 5",),
    ),
    "a tier without the benefit": Way(
        what_has_limits, BENEFITS, ("UPDATE loyalty_benefituse SET tier = 'gold' WHERE number = 2",)
    ),
    "fewer times in the tier's terms": Way(
        what_has_limits,
        BENEFITS,
        (
            "UPDATE loyalty_programmeversion SET document = jsonb_set(document,"
            " '{tiers,0,benefits,uses,0,times}', '1')",
        ),
    ),
    "counted in another week": Way(
        what_has_limits, BENEFITS, ("UPDATE loyalty_benefituse SET period = '2020-W01' WHERE number = 2",)
    ),
    "one time had twice": Way(
        what_has_limits,
        BENEFITS,
        (
            "DROP INDEX benefit_used_once_a_time",
            "UPDATE loyalty_benefituse SET number = 1 WHERE number = 2",
        ),
    ),
    "an activity counted twice a day": Way(
        what_has_limits,
        "activities_stay_within_the_limit_of_a_day",
        (
            "ALTER TABLE loyalty_activity DROP CONSTRAINT activity_number_once_a_day",
            "UPDATE loyalty_activity SET number = 1 WHERE number IS NULL",
        ),
    ),
    "the same number of a reward twice": Way(
        claims_in_every_state,
        "claims_stay_within_the_limit_of_a_member",
        (
            "ALTER TABLE loyalty_claim DROP CONSTRAINT claim_member_number_once",
            "UPDATE loyalty_claim SET member_number = 1 WHERE state = 'done'",
        ),
    ),
    "a floor that nobody approved": Way(
        tiers_by_hand,
        BY_HAND,
        ("UPDATE loyalty_tierevent SET why = why - 'approval' WHERE kind = 'floor' AND tier = 'silver'",),
        others=("approved_tiers_were_given_once",),
    ),
    "an end that nobody approved": Way(
        tiers_by_hand,
        BY_HAND,
        ("UPDATE loyalty_tierevent SET why = why - 'approval' WHERE kind = 'end'",),
        others=("approved_tiers_were_given_once", HISTORY),
    ),
    "approved by who asked": Way(
        tiers_by_hand,
        BY_HAND,
        (
            "ALTER TABLE privacy_approval DROP CONSTRAINT approval_by_a_second_person",
            "UPDATE privacy_approval SET decided_by_id = asked_by_id WHERE change->>'tier' = 'silver'",
        ),
    ),
    "approved by the member it is about": Way(
        tiers_by_hand,
        BY_HAND,
        (
            "UPDATE privacy_staffprofile SET member_id = (SELECT id FROM members_member) WHERE user_id ="
            " (SELECT id FROM auth_user WHERE username = 'boss')",
        ),
    ),
    "a floor that lasts longer than was approved": Way(
        tiers_by_hand,
        BY_HAND,
        ("UPDATE loyalty_tierevent SET ends_at = ends_at + interval '1 year' WHERE tier = 'silver'",),
        others=(HISTORY,),
    ),
    "growth value from nowhere": Way(
        grants_of_every_prize,
        GRANTED,
        (
            "INSERT INTO loyalty_growthentry (wallet_id, growth, cause, why, programme_id, happened_at)"
            " SELECT wallet_id, 900, 'forged', '{}', programme_id, happened_at"
            " FROM loyalty_growthentry LIMIT 1",
        ),
        others=(HISTORY,),
    ),
    "a tier of a grant that was refused": Way(
        grants_of_every_prize,
        GRANTED,
        (
            "UPDATE loyalty_grant SET state = 'not_given', refusal = 'limit_reached'"
            " WHERE state = 'given' AND prize = 'tier'",
        ),
    ),
    "a gift of a grant that was refused": Way(
        grants_of_every_prize,
        GRANTED,
        (
            "UPDATE loyalty_grant SET state = 'not_given', refusal = 'limit_reached', claim_id = NULL"
            " WHERE prize = 'gift'",
        ),
    ),
    "a cut that was never made": Way(
        tiers_by_hand,
        GRANTED,
        (
            "UPDATE loyalty_tierevent SET kind = 'cut', cause = 'cut:1:' || (SELECT id FROM members_member)"
            " WHERE kind = 'floor' AND tier = 'silver'",
        ),
    ),
    "a tier that did not end": Way(
        grants_of_every_prize,
        TAKEN_BACK,
        (
            "UPDATE loyalty_grant SET state = 'withdrawn'"
            " WHERE id = (SELECT max(id) FROM loyalty_grant WHERE prize = 'tier')",
        ),
    ),
    "growth value that stayed": Way(
        grants_of_every_prize,
        TAKEN_BACK,
        ("UPDATE loyalty_grant SET state = 'withdrawn' WHERE value = '9'",),
    ),
    "points that stayed": Way(
        grants_of_every_prize,
        "withdrawn_points_were_taken_back_once",
        ("UPDATE loyalty_grant SET state = 'withdrawn' WHERE value = '70'",),
    ),
    "two grants of one name": Way(
        grants_of_every_prize,
        "grants_are_named_by_their_occasion",
        (
            "ALTER TABLE loyalty_grant DROP CONSTRAINT grant_once_per_cause",
            "INSERT INTO loyalty_grant (member_id, source, code, prize, value, occasion, cause,"
            " state, refusal, why, programme_id, happened_at)"
            " SELECT member_id, source, code, prize, value, occasion, cause,"
            " 'withdrawn', '', why, programme_id, happened_at FROM loyalty_grant WHERE value = 'TOTE'",
        ),
        others=("grant_coupons_and_gifts_are_there",),
    ),
    "growth value in another's wallet": Way(
        what_time_and_refunds_did,
        "order_growth_in_proportion",
        (
            "UPDATE loyalty_growthentry SET wallet_id = (SELECT max(id) FROM loyalty_wallet)"
            " WHERE order_id = (SELECT id FROM members_order WHERE number = 'T0')",
        ),
        others=(HISTORY,),
    ),
    "growth value that an order never brought": Way(
        what_time_and_refunds_did,
        "order_growth_in_proportion",
        (
            "DELETE FROM loyalty_growthentry"
            " WHERE order_id = (SELECT id FROM members_order WHERE number = 'T0')",
        ),
        others=(HISTORY,),
    ),
    "a lot of which less lapsed than entries say": Way(
        what_time_and_refunds_did,
        "each_month_of_expiry_is_outstanding",
        (
            "UPDATE loyalty_lot SET expired = expired - 1"
            " WHERE order_id = (SELECT id FROM members_order WHERE number = 'T0')",
        ),
        others=("points_lapsed_when_their_lot_did",),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_named(db: None, way: str) -> None:
    world, law, statements, others = WAYS[way]
    world()
    assert proven()
    damage(*statements)
    assert broken() == {law, *others}


# --- closings -----------------------------------------------------------------------------------------

CLOSED = "closings_are_what_entries_say"


def close() -> None:
    assert closings.close(clock.read().recorded) is not None


@pytest.fixture
def closed(trade: Trade) -> Trade:
    """Two days closed; Mei moved on both, Bo on the first, and Mei again since."""
    trade.buy("M1", "100", buyer("mei"))
    trade.buy("B1", "50", buyer("bo"))
    close()
    trade.buy("M2", "200", buyer("mei"))
    close()
    trade.buy("M3", "300", buyer("mei"))
    assert proven()
    return trade


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM loyalty_closingbalance WHERE balance = 50",
        "UPDATE loyalty_closingbalance SET debt = 1 WHERE balance = 50",
        "DELETE FROM loyalty_closing WHERE id = (SELECT min(id) FROM loyalty_closing)",
        "UPDATE loyalty_closing SET as_of = as_of - interval '1 hour'"
        " WHERE id = (SELECT max(id) FROM loyalty_closing)",
        "INSERT INTO loyalty_closingbalance (closing_id, wallet_id, version, balance, debt)"
        " SELECT max(closing_id), min(wallet_id), 1, 50, 0 FROM loyalty_closingbalance WHERE balance = 50",
    ],
    ids=["a row gone", "a debt", "a day gone", "another instant", "a row too many"],
)
def test_closings_that_do_not_fit_the_entries_are_named(closed: Trade, statement: str) -> None:
    if statement.startswith("INSERT"):
        statement = statement.replace("max(closing_id)", "(SELECT max(id) FROM loyalty_closing)")
    damage(statement)
    assert broken() == {CLOSED}


def test_an_entry_that_is_moved_behind_a_closing_is_named(closed: Trade) -> None:
    damage("UPDATE loyalty_entry SET recorded_at = now() + interval '1 hour' WHERE points = 50")
    assert broken() == {CLOSED, "entries_are_chained_by_hash"}


# --- what breaks none ---------------------------------------------------------------------------------


def test_a_version_that_lowers_limits_breaks_none(db: None) -> None:
    """What was given under the old ones stays given, also to members who had more than is allowed now."""
    what_has_limits()
    document = publishing.current().programme.source
    lower = {**document["rules"][0], "limits": {"budget": 1, "per_member": 1}}
    rest = {key: value for key, value in document.items() if key != "effective_from"}
    publishing.load({**rest, "rules": [lower, *document["rules"][1:]]}, environment="demo")
    assert proven()
