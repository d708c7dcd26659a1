"""Points by hand: alone up to a limit, above it with a second person; corrections reverse no more than was
(ledger.md, *by hand* and *correction*)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from loyalty import activities, adjustments, approval_words, clock, statement
from loyalty.adjustments import Adjustment
from loyalty.errors import (
    AdjustmentEmpty,
    CauseTaken,
    EntryNotReversible,
    NotEnoughPoints,
    ReversedAlready,
)
from loyalty.models import Claim, Entry, Grant, Lot
from members.facts import PointsSpentFact
from members.models import OutboxEvent
from privacy import approvals, roles
from privacy.errors import NotAllowed, OwnBenefit, OwnRequest, ReasonMissing
from privacy.models import Approval, StaffProfile
from tests.boutique import TOTE, Boutique
from tests.trade import Trade, buyer, proven

Hand = Callable[..., Adjustment]


def person(role: str, name: str = "") -> User:
    return roles.make_staff(name or role, role)[0]


@pytest.fixture
def mei(trade: Trade) -> int:
    """A member with 100 points."""
    member = trade.buy("T1", "100", buyer("mei")).member_id
    assert member is not None
    return member


@pytest.fixture
def bo(trade: Trade) -> int:
    member = trade.buy("B1", "100", buyer("bo")).member_id
    assert member is not None
    return member


@pytest.fixture
def lin(trade: Trade) -> User:
    """Customer service."""
    return person("service", "lin")


@pytest.fixture
def boss(trade: Trade) -> User:
    return person("admin", "boss")


@pytest.fixture
def by_hand(lin: User) -> Hand:
    """An adjustment by lin, each under a cause of its own unless told."""
    number = 0

    def adjust(member: int, points: int, reason: str = "Late parcel", **how: Any) -> Adjustment:
        nonlocal number
        number += 1
        actor, cause = how.pop("actor", lin), how.pop("cause", f"form-{number}")
        return adjustments.adjust(member, points, reason, actor, cause=cause, **how)

    return adjust


def entries() -> list[int]:
    return list(Entry.objects.filter(kind="adjust").order_by("id").values_list("points", flat=True))


def entry_of(done: Adjustment) -> Entry:
    assert done.receipt is not None
    return Entry.objects.get(pk=done.receipt.entry_id)


def request_of(done: Adjustment) -> Approval:
    assert done.receipt is None and done.approval is not None
    return done.approval


class TestAlone:
    def test_points_given_are_a_lot_that_expires_as_the_programme_says(self, trade, mei, by_hand, lin):
        entry = entry_of(by_hand(mei, 300))
        assert (entry.points, entry.balance_after, entry.reason, entry.actor) == (
            300,
            400,
            "Late parcel",
            lin,
        )
        assert entry.why == {"limit": 1000, "of_member": 0, "in_all": 0}
        assert entry.programme_id == trade.programme.pk
        lot = Lot.objects.get(moves__entry=entry)
        bought = Lot.objects.get(order__number="T1")
        assert (lot.remaining, lot.expires_at) == (300, bought.expires_at)
        assert trade.available(mei) == 400
        assert OutboxEvent.objects.filter(topic="points.changed", payload__points=300).count() == 1
        assert proven()

    def test_points_are_taken_in_the_order_they_are_spent_and_never_beyond_what_is_there(
        self, trade, mei, by_hand
    ):
        by_hand(mei, -60)
        assert trade.available(mei) == 40
        with pytest.raises(NotEnoughPoints):
            by_hand(mei, -41)
        assert (entries(), trade.figures(mei).debt) == ([-60], 0)
        assert proven()

    def test_held_points_are_not_taken(self, trade, mei, by_hand):
        trade.hold(mei, 80)
        with pytest.raises(NotEnoughPoints):
            by_hand(mei, -21)
        by_hand(mei, -20)
        assert proven()

    def test_points_given_pay_a_debt_first(self, trade, mei, by_hand):
        trade.spend(mei, 100)
        trade.refund("T1", "R1", "100")
        by_hand(mei, 130)
        figures = trade.figures(mei)
        assert (figures.debt, figures.available) == (0, 30)
        assert proven()

    def test_a_member_who_never_had_a_point_can_be_given_some(self, trade, by_hand):
        member = trade.buy("P1", "0.50", buyer("new")).member_id
        assert entry_of(by_hand(member, 5)).balance_after == 5
        assert proven()

    @pytest.mark.parametrize(
        ("points", "reason", "error"),
        [(0, "A good reason", AdjustmentEmpty), (10, " why ", ReasonMissing), (10, "", ReasonMissing)],
    )
    def test_points_and_a_reason_are_wanted(self, mei, by_hand, points, reason, error):
        with pytest.raises(error):
            by_hand(mei, points, reason)
        assert entries() == [] and not Approval.objects.exists()

    @pytest.mark.parametrize("role", ["clerk", "marketing", "finance", "privacy", "admin", "auditor"])
    def test_other_roles_do_not_adjust(self, mei, by_hand, role):
        with pytest.raises(NotAllowed):
            by_hand(mei, 10, actor=person(role, f"{role}-2"))
        assert entries() == []

    def test_the_same_form_twice_counts_once(self, trade, mei, by_hand):
        first = by_hand(mei, 10, cause="one")
        again = by_hand(mei, 10, cause="one")
        assert again.receipt is not None and not again.receipt.is_new
        assert again.receipt.entry_id == entry_of(first).pk
        with pytest.raises(CauseTaken):
            by_hand(mei, 11, cause="one")
        assert entries() == [10]

    def test_a_statement_says_who_stands_behind_it(self, mei, by_hand):
        by_hand(mei, 300)
        line = statement.line(entry_of(by_hand(mei, 200)))
        assert line.sentence == "By hand, within the limit of a day: 300 + 200 ≤ 1000"


class TestAboveTheLimit:
    def test_it_waits_and_nothing_moves(self, trade, mei, by_hand):
        row = request_of(by_hand(mei, 1001))
        assert (entries(), trade.available(mei), row.state) == ([], 100, "waiting")
        assert (row.member_id, row.reason) == (mei, "Late parcel")
        assert approval_words.adjustment(row.change).startswith("Give 1,001 points to SK-")
        assert "Available: 100 → 1,101." in approval_words.adjustment_after(row.change)

    def test_the_limit_itself_needs_nobody(self, mei, by_hand):
        by_hand(mei, 1000)
        assert entries() == [1000]

    def test_what_was_approved_is_what_runs(self, trade, mei, by_hand, lin, boss):
        row = request_of(by_hand(mei, 1500))
        approvals.approve(row.pk, boss)
        row.refresh_from_db()
        entry = Entry.objects.get(kind="adjust")
        assert (entry.points, entry.actor, entry.reason) == (1500, lin, "Late parcel")
        assert entry.why == {"approval": row.pk, "limit": 1000}
        assert row.result == {"entry_id": entry.pk, "points": 1500}
        assert statement.line(entry).sentence == (f"By hand, approved by a second person (request {row.pk})")
        assert trade.available(mei) == 1600
        assert proven()

    def test_what_was_refused_never_runs_and_the_same_form_says_so(self, mei, by_hand, boss):
        row = request_of(by_hand(mei, 1500, cause="one"))
        approvals.refuse(row.pk, boss, "Too generous")
        again = request_of(by_hand(mei, 1500, cause="one"))
        assert (again.pk, again.state, entries()) == (row.pk, "refused", [])

    def test_neither_the_maker_nor_the_member_approves(self, trade, mei, by_hand, boss):
        row = request_of(by_hand(mei, 1500))
        StaffProfile.objects.filter(user=boss).update(member_id=mei)
        with pytest.raises(OwnBenefit):
            approvals.approve(row.pk, User.objects.get(pk=boss.pk))
        # A role that changed does not make two people out of one.
        StaffProfile.objects.filter(user__username="lin").update(role="admin")
        with pytest.raises(OwnRequest):
            approvals.approve(row.pk, User.objects.get(username="lin"))
        assert entries() == []

    def test_points_spent_meanwhile_are_not_taken_and_it_goes_on_waiting(self, trade, mei, by_hand, boss):
        trade.give(mei, 2000)
        row = request_of(by_hand(mei, -2000))
        trade.spend(mei, 500)
        with pytest.raises(NotEnoughPoints):
            approvals.approve(row.pk, boss)
        row.refresh_from_db()
        assert (row.state, entries(), trade.available(mei)) == ("waiting", [], 1600)
        assert "cannot be done" in approval_words.adjustment_after(row.change)
        assert proven()

    def test_what_cannot_be_done_is_not_asked_for(self, mei, by_hand):
        with pytest.raises(NotEnoughPoints):
            by_hand(mei, -5000)
        assert not Approval.objects.exists()

    def test_a_programme_may_want_two_people_for_everything(self, db):
        trade = Trade(adjust_limit=0)
        member = trade.buy("T1", "100", buyer("mei")).member_id
        assert member is not None
        lin = person("service")
        done = adjustments.adjust(member, 1, "Late parcel", lin, cause="one")
        assert request_of(done).state == "waiting"


class TestSplitting:
    def test_slices_for_one_member_count_together(self, mei, bo, by_hand):
        by_hand(mei, 600)
        assert request_of(by_hand(mei, 401))
        by_hand(mei, 400)
        assert request_of(by_hand(mei, 1))
        by_hand(bo, 1000)
        assert entries() == [600, 400, 1000]

    def test_given_and_taken_do_not_cancel_out(self, trade, mei, by_hand):
        by_hand(mei, 600)
        assert request_of(by_hand(mei, -500))
        assert proven()

    def test_all_of_a_day_counts_together_over_all_members(self, trade, by_hand):
        members = [trade.buy(f"D{n}", "10", buyer(f"b{n}")).member_id for n in range(11)]
        for member in members[:10]:
            by_hand(member, 1000)
        assert request_of(by_hand(members[10], 1))
        assert sum(entries()) == 10_000

    def test_the_day_is_as_long_as_the_programme_says(self, db):
        trade = Trade(adjust_limit=100, adjust_day_factor=2)
        members = [trade.buy(f"D{n}", "10", buyer(f"b{n}")).member_id for n in range(3)]
        lin = person("service")
        done = [adjustments.adjust(m, 100, "Late parcel", lin, cause=f"f{m}") for m in members if m]
        assert [each.approval is None for each in done] == [True, True, False]

    def test_each_maker_has_a_day_of_their_own(self, mei, by_hand):
        by_hand(mei, 1000)
        by_hand(mei, 1000, actor=person("service", "mo"))
        assert entries() == [1000, 1000]

    def test_what_a_second_person_approved_does_not_count(self, mei, by_hand, boss):
        approvals.approve(request_of(by_hand(mei, 5000)).pk, boss)
        by_hand(mei, 1000)
        assert entries() == [5000, 1000]

    def test_the_next_day_begins_after_24_hours_whatever_the_programme_s_clock_says(
        self, mei, by_hand, monkeypatch
    ):
        by_hand(mei, 1000)
        clock.move(timedelta(days=3))
        assert request_of(by_hand(mei, 1))
        monkeypatch.setattr(adjustments, "DAY", timedelta(0))
        by_hand(mei, 1000)
        assert entries() == [1000, 1000]

    def test_nobody_adjusts_their_own_membership_alone(self, mei, bo, by_hand, lin, boss):
        StaffProfile.objects.filter(user=lin).update(member_id=mei)
        lin = User.objects.get(pk=lin.pk)
        row = request_of(by_hand(mei, 1, actor=lin))
        by_hand(bo, 1, actor=lin)
        approvals.approve(row.pk, boss)
        assert entries() == [1, 1]


class TestCorrections:
    def test_a_correction_names_what_it_reverses(self, trade, mei, by_hand):
        wrong = entry_of(by_hand(mei, 300))
        entry = entry_of(by_hand(mei, -300, "Wrong member", reverses=wrong.pk))
        assert (entry.why["reverses"], entry.why["reversed"]) == (wrong.pk, 0)
        assert statement.line(entry).sentence.startswith(f"Corrects entry {wrong.pk}. By hand")
        assert trade.available(mei) == 100
        assert proven()

    def test_nothing_is_reversed_beyond_its_size(self, mei, by_hand):
        wrong = entry_of(by_hand(mei, 300)).pk
        by_hand(mei, -100, reverses=wrong)
        with pytest.raises(ReversedAlready, match="Only 200 points"):
            by_hand(mei, -201, reverses=wrong)
        by_hand(mei, -200, reverses=wrong)
        with pytest.raises(ReversedAlready):
            by_hand(mei, -1, reverses=wrong)
        assert entries() == [300, -100, -200]
        assert proven()

    def test_a_channel_s_redemption_and_gift_can_be_corrected(self, trade, mei, by_hand):
        gift = trade.give(mei, 50).entry_id
        spent = trade.spend(mei, 30).entry_id
        by_hand(mei, -50, reverses=gift)
        by_hand(mei, 30, reverses=spent)
        assert trade.available(mei) == 100
        assert proven()

    def test_what_follows_something_else_is_not_corrected_by_hand(self, trade, mei, bo, by_hand):
        order = Entry.objects.get(kind="earn", order__number="T1").pk
        paid = trade.spend(mei, 10, cause="pay").entry_id
        spent = PointsSpentFact(points=10, cause="pay")
        trade.buy("P1", "10", buyer("mei"), points_value=Decimal("0.10"), spent=spent)
        mine = trade.give(mei, 5).entry_id
        for member, points, entry in (
            (mei, -100, order),  # a refund of the order takes these back
            (mei, 10, paid),  # a refund of the order gives these back
            (bo, -5, mine),  # another member's
            (mei, 5, mine),  # in the same direction
            (mei, 5, 10**9),  # none at all
        ):
            with pytest.raises(EntryNotReversible):
                by_hand(member, points, reverses=entry)
        assert entries() == []

    def test_what_a_grant_or_a_claim_moved_follows_it(self, db):
        shop = Boutique()
        shop.offer(TOTE, activities={"check_in": {"points": 10}})
        activities.do(shop.mei, "check_in", channel=shop.tmall)
        shop.claim()
        grant, claim = Grant.objects.get(), Claim.objects.get()
        assert grant.entry_id and claim.entry_id
        for points, entry in ((-10, grant.entry_id), (100, claim.entry_id)):
            with pytest.raises(EntryNotReversible):
                adjustments.foresee(shop.mei, points, reverses=entry)

    def test_what_can_be_corrected_is_offered_with_what_is_left(self, trade, mei, by_hand):
        gift = trade.give(mei, 50).entry_id
        by_hand(mei, -20, reverses=gift)
        offered = {entry.pk: left for entry, left in adjustments.reversible(mei)}
        assert offered[gift] == 30
        assert Entry.objects.get(kind="earn", order__number="T1").pk not in offered

    def test_a_correction_that_waits_is_looked_at_again_when_it_runs(self, trade, mei, by_hand, boss):
        gift = trade.give(mei, 3000).entry_id
        first = request_of(by_hand(mei, -2000, reverses=gift))
        second = request_of(by_hand(mei, -2000, reverses=gift))
        approvals.approve(first.pk, boss)
        with pytest.raises(ReversedAlready):
            approvals.approve(second.pk, boss)
        assert (entries(), trade.available(mei)) == ([-2000], 1100)
        assert proven()
