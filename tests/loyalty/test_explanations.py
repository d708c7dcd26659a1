"""Every entry answers who, why and by how much, by clauses as they stood in their version (B14)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as some

from loyalty import activities, adjustments, clock, earning, explanations, nightly, points, rewards, statement
from loyalty.clauses import Book, Clause
from loyalty.conditions import Situation
from loyalty.models import Entry, ProgrammeVersion
from loyalty.programme import parse
from loyalty.publishing import Held, Programmes
from loyalty.statement import Line
from members.facts import PointsSpentFact
from privacy import approvals, roles
from tests.boutique import TOTE, Boutique
from tests.friends import Circle
from tests.trade import PROGRAMME, Trade, buyer, phone

MEI = buyer("mei", phone("+8613800138001"))
DOUBLE: dict[str, Any] = {
    "code": "double",
    "when": {"field": "order.channel", "op": "=", "value": "tmall"},
    "then": {"factor": "2"},
}


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def last(member: int | None, kind: str = "") -> Line:
    assert member is not None
    return next(line for line in statement.entries(member) if kind in ("", line.kind))


def told(clauses: tuple[Clause, ...]) -> list[tuple[str, str, int | None, str]]:
    return [(each.kind, each.code, each.points, each.sentence) for each in clauses]


# --- earned by orders -----------------------------------------------------------------------------------


def silver(*rules: dict[str, Any]) -> tuple[Trade, int]:
    """Mei has just become silver."""
    trade = Trade(rules=rules)
    for number in range(5):
        member = trade.buy(f"T{number}", "700", MEI, at=trade.ago(9 - number), channel=trade.app).member_id
    assert member is not None
    return trade, member


def test_an_order_is_quoted_clause_by_clause_and_they_add_up(db: None) -> None:
    trade, mei = silver(DOUBLE)
    trade.buy("T9", "200", MEI)
    line = last(mei)
    assert line.explanation.formula == "200 × 1 × 1.2 × 2 = 480"
    assert told(line.explanation.clauses) == [
        ("base", "", 200, "1 point for each yuan"),
        ("tier", "silver", 40, "Silver: points × 1.2"),
        ("rule", "double", 240, "channel is tmall: points × 2"),
    ]
    assert [each.version for each in line.explanation.clauses] == [1, 1, 1] == [line.explanation.version] * 3
    assert (line.explanation.by_kind, line.explanation.by) == ("channel", "tmall")


def test_channels_stores_and_tiers_are_called_by_name(db: None) -> None:
    at_gold = {"field": "member.tier", "op": "in", "value": ["silver", "gold"]}
    trade, mei = silver({**DOUBLE, "when": {"all": [DOUBLE["when"], at_gold]}})
    trade.tmall.name = "Tmall flagship"
    trade.tmall.save(update_fields=["name"])
    trade.buy("T9", "200", MEI)
    *_, rule = last(mei).explanation.clauses
    assert rule.sentence == "channel is Tmall flagship and tier is one of Silver, Gold: points × 2"
    with translation.override("zh-hans"):
        *_, rule = last(mei).explanation.clauses
    assert "银卡、金卡" in rule.sentence


def test_a_rule_is_quoted_as_it_stood_though_it_reads_otherwise_now(trade: Trade) -> None:
    trade.publish({**PROGRAMME, "rules": [DOUBLE]})
    mei = trade.buy("T1", "100", MEI, at=clock.read().recorded).member_id
    trade.publish({**PROGRAMME, "rules": [{**DOUBLE, "then": {"factor": "5"}, "when": None}]})
    (_base, rule) = last(mei).explanation.clauses
    assert (rule.version, rule.sentence, rule.points) == (2, "channel is tmall: points × 2", 100)
    assert last(mei).explanation.version == 2


@pytest.mark.parametrize(
    ("limits", "cut"),
    [
        (
            {"budget": 30},
            "cut from 100 to 30 by its limit: 30 points (all members together), of which 30 were left",
        ),
        (
            {"per_member": 30, "per_member_day": 5000, "per_member_month": 31, "budget": 900},
            "cut from 100 to 30 by its limit: 30 points (a member in all), of which 30 were left",
        ),
        (
            {"per_member_day": 30, "per_member": 900, "budget": 30},
            "cut from 100 to 30 by its limit: 30 points (a member and day), of which 30 were left,"
            " 30 points (all members together), of which 30 were left",
        ),
    ],
)
def test_a_limit_says_from_what_to_what_it_cut(db: None, limits: dict[str, int], cut: str) -> None:
    trade = Trade(rules=[{**DOUBLE, "limits": limits}])
    mei = trade.buy("T1", "100", MEI).member_id
    (_base, rule) = last(mei).explanation.clauses
    assert (rule.points, rule.cut_from, rule.cut) == (30, 100, cut)
    spent = trade.buy("T2", "100", MEI).member_id
    (_base, rule) = last(spent).explanation.clauses
    assert (rule.points, rule.cut_from) == (0, 100)  # a rule that gave nothing any more is told too
    assert rule.cut == cut.replace("to 30 by", "to 0 by").replace("which 30 were", "which 0 were")


def test_the_limit_that_cut_is_named_by_what_was_left_of_it_then(db: None) -> None:
    """A day and a budget: the first order is cut by neither, the second by its day, a third by the budget."""
    limits = {"per_member_day": 150, "budget": 200}
    trade = Trade(rules=[{**DOUBLE, "limits": limits}])
    mei = trade.buy("T1", "100", MEI).member_id
    assert [clause.cut for clause in last(mei).explanation.clauses] == ["", ""]
    trade.buy("T2", "100", MEI)
    day = "cut from 100 to 50 by its limit: 150 points (a member and day), of which 50 were left"
    budget = "200 points (all members together), of which"
    assert last(mei).explanation.clauses[1].cut == day
    bo = trade.buy("T3", "100", buyer("bo")).member_id
    assert last(bo).explanation.clauses[1].cut == f"cut from 100 to 50 by its limit: {budget} 50 were left"


def test_an_order_of_before_the_limit_was_kept_names_what_may_have_cut_it(db: None) -> None:
    both = {"per_member": 30, "budget": 900}
    trade = Trade(rules=[{**DOUBLE, "limits": both}])
    trade.buy("T1", "100", MEI)
    entry = Entry.objects.get()
    (told,) = entry.why["rules"]
    del told["cut_by"]
    (_base, rule) = Book().of_earning(entry.why, entry.programme)
    assert rule.cut == "cut from 100 to 30 by one of its limits (a member in all, all members together)"


factors = some.decimals("0.5", "5", places=2).map(lambda factor: {"factor": str(factor)})
bonuses = some.integers(1, 500).map(lambda bonus: {"bonus": bonus})


@given(
    base=some.decimals("0.01", "9999.99", places=2),
    coefficient=some.decimals("0.5", "3", places=1),
    gifts=some.lists(some.one_of(factors, bonuses), max_size=4),
    room=some.integers(0, 1000),
)
def test_the_clauses_of_whatever_was_earned_add_up_to_it(
    base: Decimal, coefficient: Decimal, gifts: list[dict[str, Any]], room: int
) -> None:
    tier = {"code": "basic", "name": {"en": "Basic"}, "benefits": {"coefficient": str(coefficient)}}
    rules = [{"code": f"r{place}", "then": then} for place, then in enumerate(gifts)]
    programme = parse({**PROGRAMME, "tiers": [tier], "rules": rules})
    at = datetime(2026, 11, 22, tzinfo=UTC)
    priced = earning.price(
        Situation("tmall", None, base, at, order_first=False),
        base=base,
        programme=programme,
        tier=programme.tiers[0],
        room=earning.Room({"r0": room}),
    )
    book = Book(Programmes([Held(1, 1, at, programme)]))
    clauses = book.of_earning(priced.why, ProgrammeVersion(pk=1, number=1))
    assert sum(clause.points or 0 for clause in clauses) == priced.points


# --- taken back, given back, spent ----------------------------------------------------------------------


def test_a_refund_names_what_it_reverses_and_in_what_proportion(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    earned = last(mei)
    trade.refund("T1", "R1", "50")
    first = last(mei).explanation
    assert first.formula == "200 × 150 ÷ 200 = 150; 200 − 150 = 50"
    assert first.reverses is not None
    assert (first.reverses.entry_id, first.reverses.share) == (earned.id, Decimal("0.2500"))
    assert (
        first.details[0].startswith(f"Reverses entry {earned.id} (+200 on ") and "by 25%" in first.details[0]
    )
    trade.refund("T1", "R2", "30")
    assert last(mei).explanation.formula == "200 × 120 ÷ 200 = 120; 150 − 120 = 30"


def test_what_had_expired_is_not_taken_twice_and_the_sum_says_so(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI, at=trade.ago(400)).member_id
    assert mei is not None
    trade.give(mei, 10)
    trade.refund("T1", "R1", "50")
    assert last(mei).kind == "earn"  # nothing was left to be taken
    fresh = trade.buy("T2", "100", MEI, at=trade.ago(300)).member_id
    assert fresh is not None
    trade.spend(mei, 60)
    clock.move(timedelta(days=100))
    nightly.post_expiry()
    trade.refund("T2", "R2", "100")
    line = last(mei, "take_back")
    assert line.points == -60
    assert line.explanation.formula == "100 × 0 ÷ 100 = 0; 100 − 0 − 40 = 60"
    assert line.explanation.details[1] == (
        "40 of them had expired or were withheld in money, and are not taken again"
    )


def test_points_given_back_name_the_payment(trade: Trade) -> None:
    mei = trade.buy("T0", "200", MEI).member_id
    assert mei is not None
    trade.spend(mei, 150, cause="pay-T1")
    payment = last(mei)
    spent = PointsSpentFact(points=150, cause="pay-T1")
    trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=spent)
    trade.refund("T1", "R1", "35.75")
    told = last(mei, "give_back").explanation
    assert told.formula == "150 × 35.75 ÷ 71.5 = 75"
    assert told.reverses is not None
    assert (told.reverses.entry_id, told.reverses.share) == (payment.id, Decimal("0.5"))
    trade.refund("T1", "R2", "35.75")
    assert last(mei, "give_back").explanation.formula == "150 × 71.5 ÷ 71.5 = 150; 150 − 75 = 75"


def test_a_cancelled_claim_gives_back_what_it_cost(db: None) -> None:
    shop = Boutique(TOTE)
    claim = shop.claim().claim
    paid = last(shop.mei)
    rewards.cancel(claim.pk, reason="Out of colour", actor_id=None)
    line = last(shop.mei)
    assert line.explanation.reverses is not None
    assert (line.kind, line.explanation.reverses.entry_id) == ("give_back", paid.id)
    assert line.explanation.version == 2


def test_what_was_held_is_told_when_it_is_captured(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    assert mei is not None
    held = trade.hold(mei, 100)
    points.capture(mei, held.hold_id, points=80, channel=trade.tmall)
    (detail,) = last(mei).explanation.details
    assert detail.startswith("80 of the 100 points that were set aside on ") and detail.endswith(" for hold")


def test_a_redemption_says_which_order_it_paid_for_or_what_its_channel_calls_it(trade: Trade) -> None:
    mei = trade.buy("T0", "200", MEI).member_id
    assert mei is not None
    trade.spend(mei, 20, cause="gift-7")
    assert last(mei).explanation.details == ("Asked for as gift-7",)
    trade.spend(mei, 150, cause="pay-T1")
    spent = PointsSpentFact(points=150, cause="pay-T1")
    trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=spent)
    assert last(mei, "redeem").explanation.details == ("150 points took ¥1.50 off order T1",)


def test_points_that_leave_with_their_order_say_so(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    trade.buy("T1", "200", buyer("bo"))
    line = last(mei)
    assert (line.points, line.sentence) == (-200, "The order belongs to another member now")
    assert line.explanation.reverses is not None and line.explanation.reverses.share == 1


def test_what_is_kept_after_all_comes_back_by_the_difference(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    trade.refund("T1", "R1", "50", version=1)
    trade.refund("T1", "R1", "20", version=2)
    line = last(mei)
    assert (line.kind, line.points) == ("earn", 30)
    assert line.explanation.details == ("30 of them, as more of the order is kept",)
    assert line.explanation.formula == "200 × 180 ÷ 200 = 180; 180 − 150 = 30"


def test_an_order_that_grew_is_explained_by_what_it_came_to(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    trade.buy("T1", "300", MEI, version=2)
    line = last(mei)
    assert (line.points, line.sentence) == (100, "Of 200 points for ¥200.00, ¥300.00 kept makes 300")
    assert line.explanation.formula == "200 × 300 ÷ 200 = 300; 300 − 200 = 100"
    trade.buy("T1", "100", MEI, version=3)
    taken = last(mei)
    assert taken.points == -200
    assert taken.explanation.reverses is None, "it takes more than the latest of two entries gave"


def test_a_debt_and_a_lapse_have_their_numbers_filled_in() -> None:
    assert explanations.formula("settle", {"debt": 100, "paid": 30}, 0) == "100 − 30 = 70"
    assert explanations.formula("expire", {"earned": 200}, -80) == "200 − 120 = 80"
    assert explanations.formula("take_back", {"net_bought": "0", "kept": "0"}, -3) == ""


@pytest.mark.parametrize("kind", Entry.Kind.values)
def test_an_entry_without_reasons_has_no_formula(kind: str) -> None:
    assert explanations.formula(kind, {}, -3) == ""


def test_expired_points_name_the_clause_by_which_they_ran_out(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI, at=trade.ago(30)).member_id
    trade.publish({**PROGRAMME, "points": {**PROGRAMME["points"], "expiry": "never"}})
    clock.move(timedelta(days=366))
    nightly.post_expiry()
    line = last(mei, "expire")
    assert told(line.explanation.clauses) == [("expiry", "", None, "Points run out after 12 months")]
    assert line.explanation.clauses[0].version == 1 == line.explanation.version
    assert (line.explanation.by_kind, line.explanation.by) == ("programme", "the programme itself")


# --- by hand --------------------------------------------------------------------------------------------


def test_a_correction_names_its_entry_its_maker_and_who_approved(trade: Trade) -> None:
    mei = trade.buy("T1", "100", MEI).member_id
    assert mei is not None
    lin, boss = roles.make_staff("lin", "service")[0], roles.make_staff("boss", "admin")[0]
    trade.give(mei, 4000)
    gift = last(mei)
    asked = adjustments.adjust(mei, -2000, "Wrong campaign", lin, cause="a", reverses=gift.id).approval
    assert asked is not None
    approvals.approve(asked.pk, boss, "")
    line = last(mei)
    told = line.explanation
    assert line.reason == "Wrong campaign"
    assert (told.by_kind, told.by, told.approved_by) == ("staff", "lin", "boss")
    assert told.approval_id == asked.pk and told.version == 1
    assert told.reverses is not None
    assert (told.reverses.entry_id, told.reverses.share) == (gift.id, Decimal("0.5"))
    assert told.details[1].startswith("Asked by lin, approved by boss on ")


def test_within_the_limit_one_person_stands_behind_it(trade: Trade) -> None:
    mei = trade.buy("T1", "100", MEI).member_id
    assert mei is not None
    adjustments.adjust(mei, 50, "Late parcel", roles.make_staff("lin", "service")[0], cause="a")
    told = last(mei).explanation
    assert (told.by, told.approved_by, told.reverses, told.details) == ("lin", "", None, ())


# --- given beside purchases -----------------------------------------------------------------------------


def test_a_grant_quotes_what_gave_it(db: None) -> None:
    trade = Trade(sections={"activities": {"check_in": {"points": 2, "per_day": 1}}})
    mei = trade.buy("T1", "10", MEI).member_id
    assert mei is not None
    activities.do(mei, "check_in", channel=trade.app)
    trade.publish({**PROGRAMME, "activities": {"check_in": {"points": 9}}})
    line = last(mei)
    assert told(line.explanation.clauses) == [
        ("activity", "check_in", None, "Check-in: 2 points; at most 1 a day")
    ]
    assert (line.explanation.version, line.sentence) == (1, "Check-in, day 1 in a row")


def test_a_rung_of_the_ladder_is_quoted(db: None) -> None:
    circle = Circle()
    for name in ("bo", "lin", "kai"):
        circle.bring(name)
    line = last(circle.mei)
    assert (line.points, line.sentence) == (50, "3 friends count, rung 3")
    assert told(line.explanation.clauses) == [
        ("referral", "rung-3", None, "For 3 friends who count: 50 points")
    ]


SECTIONS: dict[str, Any] = {
    "coupons": [{"code": "TEA", "name": {"en": "Tea"}, "kind": "amount", "value": "5", "valid": {"days": 9}}],
    "activities": {
        "birthday": {"points": 100},
        "member_day": {"days": [8], "coupon": "TEA"},
        "check_in": {"points": 2, "streak": {7: {"points": 20}}},
    },
    "milestones": [
        {
            "code": "twelve",
            "when": {"field": "member.repurchases_year", "op": ">=", "value": 12},
            "then": {"coupon": "TEA"},
            "once_per": "year",
            "consecutive": True,
        }
    ],
    "referral": {
        "each": {"both": {"points": 30}},
        "multiply": {"when": {"field": "member.purchases_90d", "op": ">=", "value": 3}, "factor": "2"},
    },
    "rules": [{"code": "ten", "then": {"coupon": "TEA"}}],
}


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ({"source": "rule", "code": "ten"}, "every order: coupon Tea"),
        ({"source": "birthday", "code": "basic", "tier": "basic"}, "For a birthday: 100 points"),
        ({"source": "member_day", "code": "member-day"}, "On member days: Coupon Tea"),
        ({"source": "activity", "code": "check_in", "rung": 7}, "7 days in a row: 20 points"),
        (
            {"source": "milestone", "code": "twelve"},
            "repurchases in a year is at least 12, counted in months in a row: Coupon Tea; once a year",
        ),
        (
            {"source": "referral", "code": "each", "factor": "2"},
            "For each friend who counts: 30 points; points × 2 when purchases in 90 days is at least 3",
        ),
        (
            {"source": "referral", "code": "each", "side": "friend"},
            "For who was brought by a member: 30 points",
        ),
    ],
)
def test_whatever_gives_is_quoted_in_both_languages(db: None, why: dict[str, Any], sentence: str) -> None:
    Trade(sections=SECTIONS)
    (clause,) = Book().of_grant({**why, "version": 1})
    assert (clause.sentence, clause.version, clause.code) == (sentence, 1, why["code"])
    english = clause.label
    with translation.override("zh-hans"):
        (chinese,) = Book().of_grant({**why, "version": 1})
        assert chinese.sentence and chinese.label != english


@pytest.mark.parametrize(
    "why",
    [
        {},
        {"source": "rule", "code": "ten", "version": 99},
        {"source": "rule", "code": "gone", "version": 1},
        {"source": "milestone", "code": "gone", "version": 1},
        {"source": "somebody", "version": 1},
    ],
)
def test_what_no_clause_gave_quotes_none(db: None, why: dict[str, Any]) -> None:
    Trade(sections=SECTIONS)
    assert Book().of_grant(why) == ()


# --- what it costs --------------------------------------------------------------------------------------


def cost(member: int, limit: int) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert len(statement.entries(member, limit=limit)) == limit
    return len(asked)


def test_a_page_of_everything_costs_the_same_however_long_it_is(db: None) -> None:
    trade = Trade(rules=[DOUBLE], sections={"activities": {"check_in": {"points": 2}}})
    lin, boss = roles.make_staff("lin", "service")[0], roles.make_staff("boss", "admin")[0]
    mei = trade.buy("T0", "9000", MEI, at=trade.ago(2)).member_id
    assert mei is not None

    def live(name: str) -> None:
        """One entry of every kind."""
        trade.buy(name, "100", MEI, at=trade.ago(1))
        trade.refund(name, f"R-{name}", "50")
        held = trade.hold(mei, 10, cause=f"H-{name}")
        points.capture(mei, held.hold_id, channel=trade.tmall)
        trade.spend(mei, 150, cause=f"pay-{name}")
        spent = PointsSpentFact(points=150, cause=f"pay-{name}")
        trade.buy(f"P-{name}", "71.50", MEI, points_value=Decimal("1.50"), spent=spent)
        trade.refund(f"P-{name}", f"RP-{name}", "35.75")
        asked = adjustments.adjust(mei, 2000, "Flood damage", lin, cause=name).approval
        assert asked is not None
        approvals.approve(asked.pk, boss, "")
        activities.do(mei, "check_in", channel=trade.app)
        trade.buy(f"O-{name}", "10", MEI, at=trade.ago(800))  # lapsed before it was heard of
        clock.move(timedelta(days=1))

    live("one")
    short = Entry.objects.filter(wallet__member=mei).count()
    few = cost(mei, short)
    for name in ("two", "three", "four"):
        live(name)
    assert cost(mei, Entry.objects.filter(wallet__member=mei).count()) == few == 10
