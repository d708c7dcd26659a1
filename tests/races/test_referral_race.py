"""Two friends at once reach a rung, and two members bring the same friend at once: each counts once (B9)."""

from threading import Barrier
from typing import Any

import pytest

from loyalty import accounts, referrals
from loyalty.models import Grant, Referral
from tests.friends import Circle, fact, given, numbers
from tests.races.test_spend_race import named_constraint
from tests.races.threads import at_once, refusals
from tests.trade import proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

FRIENDS = 6


@pytest.fixture
def circle(db: None) -> Circle:
    return Circle()


def joined(circle: Circle, count: int) -> list[str]:
    names = [f"friend-{number}" for number in range(count)]
    for name in names:
        circle.join(name, by=circle.code)
    return names


def test_friends_who_buy_at_once_reach_each_rung_once(circle: Circle) -> None:
    names = joined(circle, FRIENDS)
    answers = at_once(*[lambda name=name: circle.first_buy(name) for name in names])
    assert refusals(answers) == []
    assert numbers(circle.mei) == list(range(1, FRIENDS + 1))
    assert given(circle.mei) == [
        ("rung-1", "coupon", "WELCOME"),
        ("rung-3", "points", "50"),
        ("rung-5", "tier", "gold"),
    ]
    assert circle.available(circle.mei) == 50
    assert proven()


def test_without_the_lock_the_database_refuses_a_number_that_is_taken(
    circle: Circle, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = joined(circle, 2)
    everybody_has_looked = Barrier(2, timeout=30)
    counted = referrals._counted

    def count_before_anybody_writes(*about: Any) -> Any:
        found = counted(*about)
        everybody_has_looked.wait()
        return found

    monkeypatch.setattr(referrals, "_lock", lambda member_ids: None)
    monkeypatch.setattr(referrals, "_counted", count_before_anybody_writes)
    refused = refusals(at_once(*[lambda name=name: circle.first_buy(name) for name in names]))
    assert [named_constraint(each) for each in refused] == ["referral_number_once"]  # type: ignore[arg-type]
    assert numbers(circle.mei) == [1]
    assert Grant.objects.filter(member=circle.mei, code="rung-1").count() == 1
    assert proven()


def test_a_friend_whom_two_bring_at_once_is_brought_by_one(circle: Circle) -> None:
    bo = circle.join("bo")
    codes = [circle.code, referrals.code_of(bo)] * 4
    receipts = at_once(
        *[lambda code=code: accounts.receive(circle.app, [fact("cy", referred_by=code)])[0] for code in codes]
    )
    assert refusals(receipts) == []
    circle.first_buy("cy")
    rows = Referral.objects.filter(friend=receipts[0].member_id)
    assert sorted(rows.values_list("state", flat=True)) == ["counted", "refused"]
    assert len(numbers(circle.mei) + numbers(bo)) == 1


def test_without_the_turn_at_the_account_the_key_still_lets_one_bring(circle: Circle) -> None:
    bo, cy = circle.join("bo"), circle.join("cy")
    rows = [
        Referral(
            referrer_id=referrer,
            friend_id=cy,
            programme=circle.programme,
            channel=circle.app,
            heard_at=circle.now,
        )
        for referrer in (circle.mei, bo)
    ]
    assert refusals(at_once(*[lambda row=row: referrals._insert([row]) for row in rows])) == []
    found = {row.state: row.reasons for row in Referral.objects.filter(friend=cy)}
    assert found == {"waiting": [], "refused": ["other_referrer"]}
