"""The auditor finds damage beside the points too: coupons, claims, grants, friends, approvals."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from loyalty import (
    activities,
    adjustments,
    audit,
    benefits,
    clock,
    coupon_batches,
    nightly,
    refunds,
    rewards,
    tier_events,
    withdrawals,
)
from loyalty.models import Grant, RuleUse, TierEvent
from members.facts import OrderStatus
from members.models import Member
from privacy import approvals, roles
from tests.boutique import TOTE, Boutique
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop
from tests.friends import Circle
from tests.loyalty import test_audit, test_audit_legacy, test_audit_merges, test_grants
from tests.planting import Planting, broken, damage
from tests.trade import PROGRAMME, Trade, buyer, proven


def coupons_in_every_state() -> None:
    """Mei's: one used after a lock, one locked, one still hers. Bo's: used and returned. And printed ones."""
    shop = CouponShop(WELCOME, SPRING, PRINTED)
    used, locked = shop.coupon(cause="one"), shop.coupon(cause="two")
    shop.lock(used, "O1")
    shop.use(used, "O1")
    shop.lock(locked, "O2")
    shop.coupon("SPRING")
    returned = shop.coupon(member=shop.bo, cause="bo")
    shop.buy("O3", "200", buyer("bo"))
    shop.use(returned, "O3", member_id=shop.bo, channel=shop.tmall)
    batch = coupon_batches.make("PRINTED", 5)
    coupon_batches.work(batch.pk)


def claims_in_every_state() -> None:
    """Claimed, handed over, and cancelled with the points given back."""
    shop = Boutique({**TOTE, "per_member": 5})
    shop.claim(cause="c1")
    cancelled, done = shop.claim(cause="c2").claim, shop.claim(cause="c3").claim
    rewards.cancel(cancelled.pk, reason="Changed her mind", actor_id=None)
    rewards.hand_over(done.pk, actor_id=None)


@transaction.atomic
def grants_of_every_prize() -> None:
    """Of each prize one that stands; points, growth value and a tier that were withdrawn; a streak."""
    trade = Trade(
        sections={
            "coupons": [WELCOME],
            "rewards": [TOTE],
            "growth": {"per_yuan": "1"},
            "activities": {"check_in": {"points": 1}},
        }
    )
    mei = test_grants.member(trade)
    for prize, value in (("points", "50"), ("growth", "30"), ("tier", "silver")):
        test_grants.give(test_grants.wish(mei, prize, value, occasion=f"undone-{prize}"))
    withdrawals.withdraw(list(Grant.objects.order_by("id")), now=clock.read().now)
    assert set(Grant.objects.values_list("state", flat=True)) == {"withdrawn"}
    prizes = (
        ("points", "50"),
        ("points", "70"),
        ("growth", "9"),
        ("coupon", "WELCOME"),
        ("gift", "TOTE"),
        ("tier", "silver"),
    )
    given = test_grants.give(
        *[
            test_grants.wish(mei, prize, value, occasion=f"occasion-{place}")
            for place, (prize, value) in enumerate(prizes)
        ]
    )
    assert [each.refusal for each in given] == [""] * len(prizes)
    activities.do(mei, "check_in", channel=trade.app)
    clock.move(timedelta(days=1))
    activities.do(mei, "check_in", channel=trade.app)


def friends_who_bought() -> None:
    """Mei brought Bo and Cai; both bought, and kept it."""
    circle = Circle()
    circle.bring("bo")
    circle.bring("cai")


def what_two_people_approved() -> None:
    """Adjustments alone, reversed and approved; a refund above the limit; a request that waits."""
    trade = Trade(refund_limit="10")
    member = trade.buy("T1", "100", buyer("mei")).member_id
    assert member is not None
    lin, boss = roles.make_staff("lin", "service")[0], roles.make_staff("boss", "admin")[0]

    def adjust(points: int, cause: str, **told: Any) -> Any:
        return adjustments.adjust(member, points, "Late parcel", lin, cause=cause, **told)

    alone = adjust(600, "1")
    adjust(-300, "2", reverses=alone.receipt.entry_id)
    approvals.approve(adjust(5000, "3").approval.pk, boss)
    asked = refunds.ask(
        trade.tmall, "T1", number="R1", goods=Decimal(50), actor_id=lin.pk, reason="Broken one"
    )
    assert asked.approval_id is not None
    approvals.approve(asked.approval_id, boss)
    adjust(7000, "4")


def tiers_by_hand() -> None:
    """A floor that two people gave, one that two people ended, and one that still waits."""
    trade = Trade()
    mei = Member.objects.get(number=trade.buy("T1", "100", buyer("mei")).member_no)
    lin, boss = roles.make_staff("lin", "service")[0], roles.make_staff("boss", "admin")[0]
    until = clock.read().now + timedelta(days=90)
    for tier in ("gold", "silver"):
        approvals.approve(tier_events.ask(mei, tier, until, "Opened the new shop", lin).pk, boss)
    gold = TierEvent.objects.get(tier="gold")
    approvals.approve(tier_events.ask_end(gold, "The shop has closed", lin).pk, boss)
    tier_events.ask(mei, "gold", until, "Opens it again", lin)


def what_has_limits() -> None:
    """Rules with a budget and caps, a version that lowers them, a counted benefit, a daily limit."""
    uses = [{"code": "tea", "name": {"en": "Tea"}, "per": "week", "times": 2}]
    basic = {**PROGRAMME["tiers"][0], "benefits": {"uses": uses}}
    limits = {"budget": 300, "per_member": 160, "per_member_month": 150, "per_member_day": 100}

    def rules(**limits: int) -> list[dict[str, Any]]:
        return [
            {"code": "double", "then": {"factor": "2"}, "limits": limits},
            {"code": "thanks", "then": {"bonus": 5}},
        ]

    trade = Trade(
        rules=rules(**limits),
        sections={
            "tiers": [basic, *PROGRAMME["tiers"][1:]],
            "activities": {"share": {"points": 1, "per_day": 1}},
        },
    )
    mei = trade.buy("M1", "80", buyer("mei")).member_id
    assert mei is not None
    trade.receive([trade.order(f"M{number}", "80", buyer("mei")) for number in (2, 3)])
    trade.receive([trade.order(f"B{number}", "60", buyer(f"b{number}")) for number in (1, 2)])
    assert sum(RuleUse.objects.filter(rule="double").values_list("points", flat=True)) == 220
    before = {key: value for key, value in trade.programme.document.items() if key != "effective_from"}
    trade.publish({**before, "rules": rules(**{**limits, "budget": 230, "per_member_day": 50})})
    trade.buy("C1", "100", buyer("cai"), at=clock.read().now)
    assert sum(RuleUse.objects.filter(rule="double").values_list("points", flat=True)) == 230
    benefits.give_back(mei, "tea", [benefits.use(mei, "tea", cause="tea-0")[0].cause])
    for number in (1, 2):
        benefits.use(mei, "tea", cause=f"tea-{number}")
    for number in (1, 2):
        activities.do(mei, "share", channel=trade.app, cause=f"share-{number}")


def what_time_and_refunds_did() -> None:
    """Growth value of orders that were refunded, cancelled and told to be another's; points that lapsed."""
    trade = Trade(sections={"growth": {"per_yuan": "0.5"}})
    for number, net in enumerate(("100.10", "99.90", "80", "60.30")):
        trade.buy(f"T{number}", net, buyer("mei"), at=trade.ago(30))
    trade.refund("T1", "R1", "33.30")
    trade.buy("T2", "80", buyer("mei"), at=trade.ago(30), status=OrderStatus.CANCELLED)
    trade.buy("T3", "60.30", buyer("bo"), at=trade.ago(30))
    clock.move(timedelta(days=500))
    nightly.post_expiry()


ROOMS: list[tuple[Callable[[], None], list[Planting]]] = [
    (
        coupons_in_every_state,
        [
            Planting(
                "coupons_within_quota_and_limit",
                (
                    "ALTER TABLE loyalty_coupon DROP CONSTRAINT coupon_within_quota",
                    "UPDATE loyalty_coupon SET quota = 1 WHERE campaign = 'WELCOME' AND number = 3",
                ),
            ),
            Planting(
                "coupon_numbers_are_given_once",
                (
                    "ALTER TABLE loyalty_coupon DROP CONSTRAINT coupon_number_once",
                    "UPDATE loyalty_coupon SET number = 1 WHERE campaign = 'WELCOME' AND number = 3",
                ),
            ),
            Planting(
                "coupon_is_used_at_most_once",
                (
                    "DROP INDEX coupon_used_once",
                    "INSERT INTO loyalty_couponuse (coupon_id, channel_id, order_no, used_at)"
                    " SELECT coupon_id, channel_id, 'another', used_at FROM loyalty_couponuse",
                ),
                others=("coupon_uses_are_in_its_history",),
            ),
            Planting(
                "coupon_stands_where_its_history_ends",
                ("UPDATE loyalty_coupon SET state = 'withdrawn' WHERE campaign = 'SPRING'",),
            ),
            Planting(
                "coupon_history_is_possible",
                (
                    "UPDATE loyalty_couponmove SET kind = 'released' WHERE position = 1 AND coupon_id IN"
                    " (SELECT coupon_id FROM loyalty_couponmove WHERE kind = 'used' AND position = 2)",
                ),
            ),
            Planting(
                "coupon_uses_are_in_its_history",
                ("DELETE FROM loyalty_couponuse WHERE order_no = 'O1'",),
            ),
            Planting(
                "coupon_batches_add_up",
                ("UPDATE loyalty_couponbatch SET made = made - 1, read = read - 1",),
            ),
            Planting(
                "each_coupon_change_was_told_once",
                (
                    "DELETE FROM members_outboxevent WHERE id = (SELECT max(id) FROM members_outboxevent"
                    " WHERE topic = 'coupon.changed')",
                ),
            ),
        ],
    ),
    (
        claims_in_every_state,
        [
            Planting("shelf_stock_is_sum_of_its_moves", ("UPDATE loyalty_shelf SET stock = stock + 1",)),
            Planting("shelf_taken_is_its_claims", ("UPDATE loyalty_shelf SET taken = taken + 1",)),
            Planting(
                "claim_stands_where_its_history_ends",
                ("UPDATE loyalty_claim SET state = 'prepared' WHERE state = 'claimed'",),
            ),
            Planting(
                "claim_history_is_possible",
                (
                    "UPDATE loyalty_claimmove SET state = 'shipped' WHERE position = 1 AND claim_id ="
                    " (SELECT id FROM loyalty_claim WHERE state = 'done')",
                ),
            ),
            Planting(
                "claim_cost_what_it_says",
                ("UPDATE loyalty_claim SET points = points - 10 WHERE state = 'claimed'",),
            ),
            Planting(
                "cancelled_claims_were_paid_back",  # one that stands pays back, and the cancelled one not
                ("UPDATE loyalty_entry SET cause = 'claim:app:c1' WHERE kind = 'give_back'",),
                others=("entries_are_chained_by_hash",),
            ),
            Planting(
                "shelves_are_not_oversold",
                (
                    "ALTER TABLE loyalty_shelf DROP CONSTRAINT shelf_not_oversold",
                    "UPDATE loyalty_shelfmove SET change = 1",
                    "UPDATE loyalty_shelf SET stock = 1",
                ),
            ),
            Planting(
                "claims_stay_within_the_limit_of_a_member",
                (
                    "ALTER TABLE loyalty_claim DROP CONSTRAINT claim_within_limit_per_member",
                    "UPDATE loyalty_claim SET per_member = 1 WHERE state = 'done'",
                ),
            ),
            Planting(
                "each_claim_step_was_told_once",
                (
                    "UPDATE members_outboxevent SET change = change || '0' WHERE topic = 'reward.changed'"
                    " AND payload->>'state' = 'done'",
                ),
            ),
        ],
    ),
    (
        grants_of_every_prize,
        [
            Planting(
                "grant_points_are_their_entry",
                ("UPDATE loyalty_grant SET value = '51' WHERE value = '50' AND state = 'given'",),
            ),
            Planting(
                "points_given_have_their_grant",
                (
                    "UPDATE loyalty_grant SET state = 'not_given', refusal = 'limit_reached', entry_id = NULL"
                    " WHERE value = '70'",
                ),
            ),
            Planting(
                "withdrawn_points_were_taken_back_once",
                ("UPDATE loyalty_grant SET state = 'given' WHERE state = 'withdrawn' AND prize = 'points'",),
            ),
            Planting(
                "an_occasion_gives_a_thing_once",
                (
                    "UPDATE loyalty_grant SET occasion = (SELECT occasion FROM loyalty_grant"
                    " WHERE value = '50' AND state = 'given') WHERE value = '70'",
                ),
                others=("grants_are_named_by_their_occasion",),
            ),
            Planting(
                "grants_are_named_by_their_occasion",
                ("UPDATE loyalty_grant SET occasion = 'another' WHERE value = '70'",),
            ),
            Planting(
                "withdrawn_growth_and_tiers_were_taken_back",
                ("UPDATE loyalty_grant SET state = 'given' WHERE state = 'withdrawn' AND prize = 'growth'",),
            ),
            Planting(
                "nothing_is_given_without_its_grant",
                (
                    "UPDATE loyalty_grant SET state = 'not_given', refusal = 'limit_reached',"
                    " coupon_id = NULL WHERE prize = 'coupon'",
                ),
            ),
            Planting(
                "grant_coupons_and_gifts_are_there",
                ("UPDATE loyalty_grant SET coupon_id = NULL WHERE prize = 'coupon'",),
                others=("nothing_is_given_without_its_grant",),
            ),
            Planting(
                "grant_growth_and_tiers_are_there",
                ("UPDATE loyalty_grant SET value = 'gold' WHERE prize = 'tier'",),
            ),
            Planting(
                "a_streak_has_its_day_before", ("UPDATE loyalty_checkin SET streak = 5 WHERE streak = 2",)
            ),
            Planting(
                "a_check_in_is_an_activity",
                ("UPDATE loyalty_activity SET day = day + 9 WHERE kind = 'check_in'",),
            ),
        ],
    ),
    (
        friends_who_bought,
        [
            Planting(
                "friends_that_count_are_numbered",
                ("UPDATE loyalty_referral SET number = 3 WHERE number = 2",),
            ),
            Planting(
                "friends_that_count_kept_a_purchase",
                ("UPDATE loyalty_referral SET order_id = NULL WHERE number = 1",),
            ),
        ],
    ),
    (
        tiers_by_hand,
        [
            Planting(
                "tiers_by_hand_were_given_by_two_people",
                (
                    "UPDATE privacy_approval SET change = jsonb_set(change, '{tier}', '\"gold\"')"
                    " WHERE change->>'tier' = 'silver'",
                ),
            ),
            Planting(
                "approved_tiers_were_given_once",
                (
                    "UPDATE privacy_approval SET state = 'approved', decided_at = now(), decided_by_id ="
                    " (SELECT id FROM auth_user WHERE username = 'boss') WHERE state = 'waiting'",
                ),
            ),
        ],
    ),
    (
        what_has_limits,
        [
            Planting(
                "rules_stay_within_their_limits",
                (
                    "UPDATE loyalty_programmeversion SET document = jsonb_set(document,"
                    " '{rules,0,limits,budget}', '219') WHERE number = 1",
                ),
            ),
            Planting(
                "rule_uses_are_what_entries_say",
                ("DELETE FROM loyalty_ruleuse WHERE rule = 'thanks'",),
            ),
            Planting(
                "benefits_stay_within_the_terms_of_their_tier",
                ("UPDATE loyalty_benefituse SET number = 3 WHERE number = 2",),
            ),
            Planting(
                "activities_stay_within_the_limit_of_a_day",
                (
                    "ALTER TABLE loyalty_activity DROP CONSTRAINT activity_within_limit_per_day",
                    "UPDATE loyalty_activity SET number = 2 WHERE number IS NULL",
                ),
            ),
        ],
    ),
    (
        what_time_and_refunds_did,
        [
            Planting(
                "order_growth_in_proportion",
                ("UPDATE loyalty_growthentry SET growth = growth + 1 WHERE why->>'before' = '49'",),
                others=("tiers_are_what_history_makes_them",),
            ),
            Planting(
                "points_lapsed_when_their_lot_did",
                ("UPDATE loyalty_lot SET expires_at = expires_at + interval '1 month' WHERE expired > 0",),
            ),
        ],
    ),
    (
        what_two_people_approved,
        [
            Planting(
                "corrections_reverse_no_more_than_was",
                (
                    "UPDATE loyalty_entry SET why = jsonb_set(why, '{reverses}', (SELECT to_jsonb(id)"
                    " FROM loyalty_entry WHERE kind = 'earn')) WHERE points = -300",
                ),
            ),
            Planting(
                "approved_adjustments_are_what_two_people_approved",
                (
                    "UPDATE privacy_approval SET change = jsonb_set(change, '{points}', '4000')"
                    " WHERE state = 'approved' AND kind = 'points.adjust'",
                ),
            ),
            Planting(
                "adjustments_alone_stay_within_the_limit",
                ("UPDATE loyalty_entry SET why = why - 'approval' WHERE points = 5000",),
            ),
            Planting(
                "approved_requests_were_carried_out_once",
                (
                    "UPDATE privacy_approval SET state = 'approved', decided_at = now(), decided_by_id ="
                    " (SELECT id FROM auth_user WHERE username = 'boss') WHERE state = 'waiting'",
                ),
            ),
            Planting(
                "refunds_by_staff_were_approved_by_two_people",
                (
                    "UPDATE privacy_approval SET change = jsonb_set(change, '{goods}', '\"60\"')"
                    " WHERE kind = 'orders.refund'",
                ),
            ),
        ],
    ),
]
PLANTED = [(world, planting) for world, plantings in ROOMS for planting in plantings]


@pytest.mark.parametrize(("world", "planting"), PLANTED, ids=lambda each: getattr(each, "law", ""))
def test_planted_damage_is_named(db: None, world: Callable[[], None], planting: Planting) -> None:
    world()
    assert proven()
    damage(*planting.statements)
    assert broken() == {planting.law, *planting.others}


def test_every_law_has_a_planting() -> None:
    planted = [planting.law for planting in test_audit.PLANTINGS] + [planting.law for _, planting in PLANTED]
    planted += [planting.law for planting in test_audit_merges.PLANTED]
    planted += sorted({planting.law for planting in test_audit_legacy.PLANTINGS})
    elsewhere = ["chains_pass_through_their_anchors"]  # tests/loyalty/test_anchors.py
    assert sorted(planted + elsewhere) == sorted(audit.LAWS)
