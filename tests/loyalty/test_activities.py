"""What members do beside buying: each counts once, and brings what the programme promises (B4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty import accounts, activities, clock
from loyalty.activities import ActivityReceipt
from loyalty.errors import ActivityInvalid, ActivityNotOffered, CauseTaken
from loyalty.models import Activity, CheckIn, Entry, Grant
from members.facts import LineFact, OrderStatus
from members.models import Member
from tests.trade import Trade, buyer, proven

OFFERED: dict[str, Any] = {
    "check_in": {"points": 2, "streak": {3: {"points": 20}, 5: {"points": 50}}},
    "profile_step": {"points": 5, "steps": ["birthday", "avatar"]},
    "review": {"points": 10, "per_day": 2},
    "survey": {"points": 7},
    "share": {"points": 1, "per_day": 3},
}
NOON = timedelta(hours=4)  # 12:00 in Shanghai


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(sections={"activities": OFFERED})


@pytest.fixture
def mei(trade: Trade) -> int:
    return known(trade, "mei")


def known(trade: Trade, name: str, *keys: Any, **told: Any) -> int:
    (receipt,) = accounts.receive(trade.tmall, [buyer(name, *keys, **told)])
    return receipt.member_id


def do(trade: Trade, member: int, kind: str, **told: Any) -> ActivityReceipt:
    return activities.do(member, kind, channel=trade.tmall, **told)


def noon(days_ago: int) -> datetime:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + NOON - timedelta(days=days_ago)


# --- checking in --------------------------------------------------------------------------------------


def test_a_check_in_counts_once_a_local_day(trade: Trade, mei: int) -> None:
    evening, night = noon(3) + timedelta(hours=11), noon(3) + timedelta(hours=13)  # one day in UTC
    first, again = do(trade, mei, "check_in", at=noon(3)), do(trade, mei, "check_in", at=evening)
    next_day = do(trade, mei, "check_in", at=night)
    assert [each.is_new for each in (first, again, next_day)] == [True, False, True]
    assert again.activity_id == first.activity_id
    assert [grant.pk for grant in again.given] == [grant.pk for grant in first.given]
    assert next_day.streak == 2
    assert trade.available(mei) == 4
    assert proven()


def test_days_in_a_row_reach_the_rungs_and_a_gap_begins_anew(trade: Trade, mei: int) -> None:
    days = [10, 9, 8, 7, 6, 5, 3, 2, 1]
    receipts = [do(trade, mei, "check_in", at=noon(ago)) for ago in days]
    assert [receipt.streak for receipt in receipts] == [1, 2, 3, 4, 5, 6, 1, 2, 3]
    # The rungs of 3 and 5 once in the first streak, that of 3 again in the second.
    assert trade.available(mei) == len(days) * 2 + 20 + 50 + 20
    rungs = Grant.objects.filter(occasion__startswith="activity:streak").order_by("id")
    assert list(rungs.values_list("why__rung", flat=True)) == [3, 5, 3]


def test_with_repeats_the_ladder_begins_anew_after_its_highest_rung(db: None) -> None:
    offered = {"check_in": {"points": 1, "streak": {2: {"points": 10}}, "streak_repeats": True}}
    trade = Trade(sections={"activities": offered})
    mei = known(trade, "mei")
    receipts = [do(trade, mei, "check_in", at=noon(ago)) for ago in (5, 4, 3, 2, 1)]
    assert [len(receipt.given) for receipt in receipts] == [1, 2, 1, 2, 1]


def test_a_day_told_late_continues_the_day_before_it_and_leaves_later_ones(trade: Trade, mei: int) -> None:
    do(trade, mei, "check_in", at=noon(3))
    do(trade, mei, "check_in", at=noon(1))
    late = do(trade, mei, "check_in", at=noon(2))
    assert late.streak == 2
    assert dict(CheckIn.objects.values_list("day", "streak")) == {
        noon(3).date(): 1,
        noon(2).date(): 2,
        noon(1).date(): 1,
    }


def test_a_streak_goes_on_across_a_merge(trade: Trade, mei: int) -> None:
    double = known(trade, "double")
    do(trade, double, "check_in", at=noon(3))
    do(trade, mei, "check_in", at=noon(2))
    Member.objects.filter(pk=double).update(status=Member.Status.MERGED, merged_into_id=mei)
    assert do(trade, mei, "check_in", at=noon(1)).streak == 2
    assert not do(trade, mei, "check_in", at=noon(3)).is_new


# --- reviews, with their limit -----------------------------------------------------------------------


def order_of(trade: Trade, number: str, name: str, *products: str) -> int:
    lines = tuple(LineFact(product=each, name=each) for each in products)
    member = trade.buy(number, "0.00", buyer(name), lines=lines).member_id
    assert member is not None
    return member


def review(trade: Trade, member: int, number: str, product: str) -> ActivityReceipt:
    return do(trade, member, "review", detail={"order_no": number, "product": product})


def test_a_product_of_an_order_is_reviewed_once(trade: Trade) -> None:
    mei = order_of(trade, "T1", "mei", "tea", "cup")
    first = review(trade, mei, "T1", "tea")
    assert (first.is_new, review(trade, mei, "T1", "tea").is_new) == (True, False)
    assert review(trade, mei, "T1", "cup").is_new
    assert trade.available(mei) == 20
    assert first.given[0].why["product"] == "tea"


def test_beyond_the_days_limit_a_review_is_kept_and_brings_nothing(trade: Trade) -> None:
    mei = order_of(trade, "T1", "mei", "tea", "cup", "pot")
    receipts = [review(trade, mei, "T1", product) for product in ("tea", "cup", "pot")]
    assert [(receipt.refusal, len(receipt.given)) for receipt in receipts] == [
        ("", 1),
        ("", 1),
        ("day_limit", 0),
    ]
    again = review(trade, mei, "T1", "pot")
    assert (again.is_new, again.refusal) == (False, "day_limit")
    assert trade.available(mei) == 20
    assert list(Activity.objects.order_by("id").values_list("number", "per_day")) == [
        (1, 2),
        (2, 2),
        (None, 2),
    ]


def test_only_what_the_member_has_bought_is_reviewed(trade: Trade) -> None:
    mei, bo = order_of(trade, "T1", "mei", "tea"), order_of(trade, "T2", "bo", "cup")
    trade.buy("T3", "0.00", buyer("mei"), status=OrderStatus.CANCELLED)
    for member, number, product in (
        (bo, "T1", "tea"),
        (mei, "T1", "cup"),
        (mei, "T3", "TEA"),
        (mei, "X", "tea"),
    ):
        with pytest.raises(ActivityInvalid) as refused:
            review(trade, member, number, product)
        assert refused.value.problems[0]["code"] == "unknown"
    assert (Activity.objects.count(), Entry.objects.count()) == (0, 0)


# --- steps, surveys, shares ---------------------------------------------------------------------------


def test_a_step_that_we_can_see_must_have_been_taken(trade: Trade, mei: int) -> None:
    with pytest.raises(ActivityInvalid) as refused:
        do(trade, mei, "profile_step", detail={"step": "birthday"})
    assert refused.value.problems == [
        {"path": "detail.step", "code": "not_taken", "message": "This has not been told to us yet."}
    ]
    assert do(trade, mei, "profile_step", detail={"step": "avatar"}).given
    with pytest.raises(ActivityInvalid):
        do(trade, mei, "profile_step", detail={"step": "shoe_size"})
    assert trade.available(mei) == 5


def test_a_survey_counts_once_and_a_share_by_its_cause(trade: Trade, mei: int) -> None:
    assert do(trade, mei, "survey", detail={"survey": "spring"}).is_new
    assert not do(trade, mei, "survey", detail={"survey": "spring"}, cause="again").is_new
    assert do(trade, mei, "survey", detail={"survey": "autumn"}).is_new
    with pytest.raises(ActivityInvalid):
        do(trade, mei, "share")
    assert do(trade, mei, "share", cause="s1").is_new
    assert not do(trade, mei, "share", cause="s1").is_new
    assert trade.available(mei) == 15


def test_a_cause_that_named_something_else_is_refused(trade: Trade, mei: int) -> None:
    do(trade, mei, "survey", detail={"survey": "spring"}, cause="c1")
    before = Grant.objects.count()
    with pytest.raises(CauseTaken):
        do(trade, mei, "survey", detail={"survey": "autumn"}, cause="c1")
    with pytest.raises(CauseTaken):
        do(trade, known(trade, "bo"), "survey", detail={"survey": "spring"}, cause="c1")
    assert Grant.objects.count() == before


@pytest.mark.parametrize("days", [-1, 40])
def test_neither_the_future_nor_long_ago_is_checked_in(trade: Trade, mei: int, days: int) -> None:
    with pytest.raises(ActivityInvalid) as refused:
        do(trade, mei, "check_in", at=clock.read().now - timedelta(days=days))
    assert refused.value.problems[0]["code"] == "out_of_range"
    assert CheckIn.objects.count() == 0


def test_what_the_programme_does_not_promise_is_not_taken_in(trade: Trade, mei: int) -> None:
    for kind in ("event", "enrolment", "nonsense"):
        with pytest.raises(ActivityNotOffered):
            do(trade, mei, kind, detail={"event": "tea"})
