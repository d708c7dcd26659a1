"""Giving: each thing once for its occasion, whatever cannot be given said with its reason (B4, B5)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty import clock, grants, publishing, withdrawals
from loyalty.grants import Given, Wish
from loyalty.models import Coupon, Entry, Grant, GrowthEntry
from loyalty.prizes import Prize
from members.models import Member
from tests.trade import Trade, buyer, proven, tier_of

COUPONS = [
    {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10", "valid": {"days": 30}, "quota": 2}
]


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(sections={"coupons": COUPONS})


def member(trade: Trade, name: str = "mei") -> int:
    found = trade.buy(f"T-{name}", "0.00", buyer(name)).member_id
    assert found is not None
    return found


def wish(member_id: int, kind: str = "points", value: str = "50", **told: Any) -> Wish:
    how: dict[str, Any] = {
        "source": Grant.Source.ACTIVITY,
        "code": "review",
        "occasion": "activity:review:1",
        "happened_at": clock.read().now,
        "programme": publishing.current(),
        "per_person": True,
    }
    return Wish(member_id=member_id, prize=Prize(kind, value), **(how | told))


@transaction.atomic
def give(*wishes: Wish, now: datetime | None = None) -> list[Given]:
    return grants.give(wishes, now=now or clock.read().now)


def merge(gone: int, survivor: int) -> None:
    Member.objects.filter(pk=gone).update(status=Member.Status.MERGED, merged_into_id=survivor)


def test_points_are_an_entry_that_says_why(trade: Trade) -> None:
    mei = member(trade)
    (given,) = give(wish(mei, why={"order": "T1"}))
    assert given.entry_id is not None
    entry = Entry.objects.get(pk=given.entry_id)
    assert (entry.kind, entry.points, entry.order_id) == ("earn", 50, None)
    assert entry.why == {
        "source": "activity",
        "code": "review",
        "version": 1,
        "prize": "points",
        "value": "50",
        "order": "T1",
    }
    assert entry.moves.get().lot.expires_at is not None
    grant = Grant.objects.get()
    assert (grant.entry_id, grant.state, grant.occasion) == (entry.pk, "given", f"activity:review:1:{mei}")
    assert grant.cause == f"activity:review:1:{mei}:points"
    assert proven()


def test_the_same_occasion_gives_once_however_often_it_is_wished(trade: Trade) -> None:
    mei = member(trade)
    first, again = give(wish(mei)), give(wish(mei), wish(mei, value="70"))
    assert [each.is_new for each in first + again] == [True, False, False]
    assert [each.grant_id for each in again] == [first[0].grant_id] * 2
    assert trade.available(mei) == 50


def test_an_occasion_that_was_had_gives_nothing_else_either(trade: Trade) -> None:
    """Another programme version may promise a coupon where the last one gave points."""
    mei = member(trade)
    give(wish(mei))
    (given,) = give(wish(mei, "coupon", "TEN"))
    assert not given.is_new
    assert Coupon.objects.count() == 0


def test_two_prizes_of_one_occasion_are_both_given(trade: Trade) -> None:
    mei = member(trade)
    assert [each.is_new for each in give(wish(mei), wish(mei, "coupon", "TEN"))] == [True, True]
    assert Coupon.objects.get().member_id == mei


def test_what_one_had_counts_for_the_other_after_a_merge(trade: Trade) -> None:
    mei, double = member(trade), member(trade, "double")
    give(wish(double))
    merge(double, mei)
    (given,) = give(wish(mei))
    assert not given.is_new
    assert trade.available(mei) == 0
    (other,) = give(wish(mei, occasion="activity:review:2"))
    assert other.is_new


def test_a_spent_quota_is_a_row_with_its_reason_and_no_error(trade: Trade) -> None:
    people = [member(trade, name) for name in ("mei", "bo", "cai")]
    given = give(*[wish(each, "coupon", "TEN") for each in people])
    assert [each.refusal for each in given] == ["", "", "quota_spent"]
    refused = Grant.objects.get(member=people[2])
    assert (refused.state, refused.refusal, refused.coupon_id) == ("not_given", "quota_spent", None)
    # The refusal is the answer of this occasion: raising the quota does not give it afterwards.
    (again,) = give(wish(people[2], "coupon", "TEN"))
    assert (again.is_new, again.refusal) == (False, "quota_spent")


def test_a_coupon_that_does_not_exist_is_said_so(trade: Trade) -> None:
    (given,) = give(wish(member(trade), "coupon", "NOSUCH"))
    assert (given.state, given.refusal) == ("not_given", "no_such_coupon")


def test_a_wish_that_came_refused_uses_its_occasion_up(trade: Trade) -> None:
    mei = member(trade)
    (given,) = give(wish(mei, refused="too_late"))
    assert (given.is_new, given.state, given.entry_id) == (True, "not_given", None)
    assert not give(wish(mei))[0].is_new
    assert trade.available(mei) == 0


@transaction.atomic
def withdraw(*rows: Grant) -> list[Grant]:
    return withdrawals.withdraw(rows, now=clock.read().now)


def test_points_that_are_taken_back_and_given_anew_have_causes_of_their_own(trade: Trade) -> None:
    mei = member(trade)
    give(wish(mei))
    assert withdraw(Grant.objects.get())
    assert trade.available(mei) == 0
    (anew,) = give(wish(mei))
    assert (anew.is_new, anew.cause) == (True, f"activity:review:1:{mei}:points:2")
    assert trade.available(mei) == 50
    withdraw(Grant.objects.get(state="given"))
    assert trade.figures(mei).balance == 0
    assert proven()


def test_points_that_were_spent_are_owed(trade: Trade) -> None:
    mei = member(trade)
    give(wish(mei))
    trade.spend(mei, 30)
    withdraw(Grant.objects.get())
    assert (trade.figures(mei).debt, trade.available(mei)) == (30, 0)
    assert proven()


def test_points_that_had_lapsed_are_not_taken_a_second_time(trade: Trade) -> None:
    mei = member(trade)
    give(wish(mei, happened_at=trade.ago(800)))
    assert trade.figures(mei).balance == 0
    withdraw(Grant.objects.get())
    assert (trade.figures(mei).debt, trade.figures(mei).balance) == (0, 0)
    assert Grant.objects.get().state == "withdrawn"
    assert proven()


def test_a_coupon_that_was_used_stays_given(trade: Trade) -> None:
    mei, bo = member(trade), member(trade, "bo")
    give(wish(mei, "coupon", "TEN"), wish(bo, "coupon", "TEN"))
    Coupon.objects.filter(member=mei).update(state=Coupon.State.USED)
    withdraw(*Grant.objects.all())
    assert dict(Grant.objects.values_list("member", "state")) == {mei: "given", bo: "withdrawn"}
    assert Coupon.objects.get(member=bo).state == "withdrawn"


def test_a_batch_costs_the_same_for_one_and_for_fifty(trade: Trade) -> None:
    people = [member(trade, f"m{number}") for number in range(51)]

    give(*[wish(each, occasion="activity:event:y") for each in people])  # every wallet is there
    one = [wish(people[0], occasion="activity:event:z")]
    with CaptureQueriesContext(connection) as single:
        give(*one)
    with CaptureQueriesContext(connection) as many:
        give(*[replace(one[0], member_id=each) for each in people[1:]])
    assert len(single) == len(many) <= 12
    assert proven()


# --- growth value, gifts and tiers --------------------------------------------------------------------


def test_growth_value_is_given_and_reversed(trade: Trade) -> None:
    mei = member(trade)
    give(wish(mei, "growth", "40"))
    assert list(GrowthEntry.objects.values_list("growth", flat=True)) == [40]
    withdraw(Grant.objects.get())
    assert sum(GrowthEntry.objects.values_list("growth", flat=True)) == 0
    assert Grant.objects.get().state == "withdrawn"
    assert proven()


def test_a_tier_is_given_at_once_and_ends_when_its_order_comes_to_nothing(trade: Trade) -> None:
    mei = member(trade)
    give(wish(mei, "tier", "silver"))
    assert tier_of(mei) == "silver"
    withdraw(Grant.objects.get())
    assert (tier_of(mei), Grant.objects.get().state) == ("basic", "withdrawn")
    assert proven()


def test_a_tier_that_the_programme_does_not_have_is_said_so(trade: Trade) -> None:
    (given,) = give(wish(member(trade), "tier", "platinum"))
    assert (given.state, given.refusal) == ("not_given", "no_such_tier")


def test_all_kinds_of_prizes_come_together(db: None) -> None:
    tote = {"code": "TOTE", "name": {"en": "Tote"}, "kind": "gift", "points": 500, "stock": 1}
    trade = Trade(sections={"coupons": COUPONS, "rewards": [tote]})
    mei = member(trade)
    kinds = [("points", "5"), ("growth", "6"), ("coupon", "TEN"), ("gift", "TOTE"), ("tier", "silver")]
    given = give(*[wish(mei, kind, value) for kind, value in kinds])
    assert [each.refusal for each in given] == [""] * 5
    assert (trade.available(mei), tier_of(mei)) == (5, "silver")
    assert proven()
    gone = withdraw(*Grant.objects.all())
    assert sorted(grant.prize for grant in gone) == sorted(kind for kind, _value in kinds)
    assert (trade.figures(mei).balance, tier_of(mei)) == (0, "basic")
    assert proven()
