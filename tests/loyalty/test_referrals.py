"""Who brought whom, and whether it counts; each once, and nothing refused in silence (B9)."""

from datetime import timedelta

import pytest

from loyalty import accounts, clock, referrals
from loyalty.models import Coupon, Grant, Referral
from members import channels
from members.models import Member
from tests.friends import Circle, fact, given, numbers, row_of, standing
from tests.trade import phone, proven, tier_of

SHARED = phone("+8613800138001", verified=False)


@pytest.fixture
def circle(db: None) -> Circle:
    return Circle()


# --- codes -------------------------------------------------------------------------------------------


def test_a_code_is_a_members_own_for_ever_and_says_nothing(circle: Circle) -> None:
    bo = circle.join("bo")
    assert referrals.code_of(circle.mei) == circle.code != referrals.code_of(bo)
    assert len(circle.code) == 10
    assert set(circle.code) <= set("23456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_a_code_may_be_typed_in_small_letters_and_with_spaces(circle: Circle) -> None:
    typed = f" {circle.code[:5].lower()}-{circle.code[5:].lower()} "
    assert standing(circle.bring("bo", by=typed)) == ("counted", [])


def test_a_code_that_is_nobodys_brings_nobody_and_the_account_stands(circle: Circle) -> None:
    bo = circle.bring("bo", by="NOBODY")
    assert not Referral.objects.exists()
    assert circle.available(bo) == 120


# --- counting ----------------------------------------------------------------------------------------


def test_a_friend_counts_after_the_first_purchase_and_both_are_given_a_coupon(circle: Circle) -> None:
    bo = circle.join("bo", by=circle.code)
    assert standing(bo) == ("waiting", [])
    assert Member.objects.get(pk=bo).referrer_id == circle.mei
    assert given(circle.mei) == []
    circle.first_buy("bo")
    row = row_of(bo)
    assert (row.state, row.number) == ("counted", 1)
    assert row.order is not None and row.order.number == "O-bo"
    assert given(circle.mei) == given(bo) == [("rung-1", "coupon", "WELCOME")]
    assert set(Coupon.objects.values_list("member", flat=True)) == {circle.mei, bo}
    assert proven()


def test_each_rung_is_given_once_when_it_is_reached(circle: Circle) -> None:
    for number in range(5):
        circle.bring(f"friend-{number}")
    assert numbers(circle.mei) == [1, 2, 3, 4, 5]
    assert given(circle.mei) == [
        ("rung-1", "coupon", "WELCOME"),
        ("rung-3", "points", "50"),
        ("rung-5", "tier", "gold"),
    ]
    assert circle.available(circle.mei) == 50
    assert tier_of(circle.mei) == "gold"
    assert proven()


def test_what_was_given_says_for_how_many_friends_and_never_whose_order_it_was(circle: Circle) -> None:
    for number in range(3):
        circle.bring(f"friend-{number}")
    grant = Grant.objects.get(member=circle.mei, prize="points")
    assert (grant.why["friends"], grant.why["rung"], grant.why["version"]) == (3, 3, 1)
    assert grant.order is None


def test_told_again_and_bought_again_a_friend_counts_once(circle: Circle) -> None:
    bo = circle.bring("bo")
    circle.join("bo", by=circle.code)
    circle.join("bo", by=circle.code, city="上海")
    circle.first_buy("bo", number="O-2")
    assert Referral.objects.count() == 1
    assert given(bo) == [("rung-1", "coupon", "WELCOME")]


def test_a_friend_may_count_on_joining(db: None) -> None:
    circle = Circle({}, counts_after="enrolment", each={"both": {"points": 10}})
    bo = circle.join("bo", by=circle.code)
    assert standing(bo) == ("counted", [])
    assert given(circle.mei) == given(bo) == [("each", "points", "10")]
    circle.first_buy("bo")
    circle.returned("bo")
    assert standing(bo) == ("counted", [])
    assert proven()


def test_every_friend_brings_what_each_says(db: None) -> None:
    circle = Circle({}, each={"referrer": {"points": 10}})
    for number in range(3):
        circle.bring(f"friend-{number}")
    assert given(circle.mei) == [("each", "points", "10")] * 3
    assert proven()


def test_an_old_purchase_told_late_counts_and_sends_nobody_a_coupon(circle: Circle) -> None:
    bo = circle.join("bo", by=circle.code)
    circle.first_buy("bo", at=circle.ago(40))
    assert standing(bo) == ("counted", [])
    assert given(circle.mei) == given(bo) == [("rung-1", "coupon", "too_late")]


# --- a purchase that is kept -------------------------------------------------------------------------


def test_with_keep_days_the_night_counts_who_has_kept_the_purchase(db: None) -> None:
    circle = Circle(keep_days=7)
    bo = circle.join("bo", by=circle.code)
    circle.first_buy("bo")
    assert standing(bo) == ("waiting", [])
    assert row_of(bo).due_at == circle.now + timedelta(days=7)
    assert referrals.count_due() == 0
    clock.move(timedelta(days=7))
    assert [referrals.count_due(), referrals.count_due()] == [1, 0]
    assert given(circle.mei) == [("rung-1", "coupon", "WELCOME")]


def test_a_full_refund_within_the_days_makes_the_friend_wait_again(db: None) -> None:
    circle = Circle(keep_days=7)
    bo = circle.bring("bo")
    circle.returned("bo")
    row = row_of(bo)
    assert (row.state, row.order, row.due_at) == ("waiting", None, None)
    clock.move(timedelta(days=8))
    assert referrals.count_due() == 0
    circle.first_buy("bo", number="O-again", at=circle.now + timedelta(days=5))
    assert row_of(bo).due_at == circle.now + timedelta(days=12)
    assert given(circle.mei) == []


def test_a_partial_refund_changes_nothing(circle: Circle) -> None:
    bo = circle.bring("bo")
    circle.refund("O-bo", "R-1", "119", channel=circle.app)
    assert standing(bo) == ("counted", [])


def test_a_purchase_that_comes_to_nothing_takes_the_rung_back_and_the_next_one_gives_it_anew(
    circle: Circle,
) -> None:
    friends = [circle.bring(f"friend-{number}") for number in range(3)]
    circle.returned("friend-0")
    assert standing(friends[0]) == ("waiting", [])
    assert numbers(circle.mei) == [1, 2]
    assert given(circle.mei) == [("rung-1", "coupon", "WELCOME")]
    assert given(friends[0]) == []
    assert circle.available(circle.mei) == 0
    circle.bring("friend-3")
    assert numbers(circle.mei) == [1, 2, 3]
    assert given(circle.mei)[1:] == [("rung-3", "points", "50")]
    assert circle.available(circle.mei) == 50
    assert proven()


def test_a_second_purchase_keeps_a_friend_counting(circle: Circle) -> None:
    bo = circle.bring("bo")
    circle.first_buy("bo", number="O-2")
    circle.returned("bo")
    row = row_of(bo)
    assert row.state == "counted" and row.order is not None and row.order.number == "O-2"
    assert given(bo) == [("rung-1", "coupon", "WELCOME")]


# --- what speaks against it --------------------------------------------------------------------------


def test_nobody_brings_themselves(circle: Circle) -> None:
    mei = circle.join("mei", by=circle.code)
    assert mei == circle.mei
    assert standing(mei) == ("refused", ["self", "not_new"])
    again = circle.join("mei-again", phone("+8613800138001"), by=circle.code)
    assert again == circle.mei
    assert Referral.objects.count() == 1
    assert given(circle.mei) == []


def test_who_was_a_member_before_is_not_new(circle: Circle) -> None:
    circle.join("bo", phone("+8613900139002"))
    bo = circle.join("bo", phone("+8613900139002"), by=circle.code)
    assert standing(bo) == ("refused", ["not_new"])
    ai = circle.join("ai", phone("+8613900139003"))
    (receipt,) = accounts.receive(
        circle.tmall, [fact("tb-ai", phone("+8613900139003"), referred_by=circle.code)]
    )
    assert receipt.member_id == ai
    assert standing(ai) == ("refused", ["not_new"])


def test_who_bought_before_joining_is_not_new_unless_the_order_was_told_first(
    circle: Circle,
) -> None:
    circle.first_buy("bo", at=circle.ago(3))
    assert standing(circle.join("bo", by=circle.code)) == ("refused", ["not_new"])
    circle.first_buy("ai")
    assert standing(circle.join("ai", by=circle.code)) == ("counted", [])


def test_a_shared_phone_waits_for_a_person(circle: Circle) -> None:
    circle.join("mei", phone("+8613800138001"), name="梅晓雨")
    bo = circle.bring("bo", SHARED, name="薄荷叶")
    assert bo != circle.mei
    assert standing(bo) == ("review", ["same_phone"])
    assert given(circle.mei) == given(bo) == []


def test_a_shared_device_waits_for_a_person_also_among_friends(circle: Circle) -> None:
    circle.join("mei", phone("+8613800138001"), device="handset-1", city="上海")
    assert standing(circle.bring("bo", device="handset-1")) == ("review", ["same_device"])
    assert standing(circle.bring("ai", device="handset-2")) == ("counted", [])
    assert standing(circle.bring("cy", device="handset-2")) == ("review", ["same_device"])


def test_a_parcel_to_the_same_address_waits_for_a_person(circle: Circle) -> None:
    circle.first_buy("mei", address="静安区南京西路 1 号 1001 室")
    bo = circle.join("bo", by=circle.code)
    circle.first_buy("bo", address="上海市静安区南京西路１号１００１室")
    assert standing(bo) == ("review", ["same_address"])
    ai = circle.join("ai", by=circle.code)
    circle.first_buy("ai", address="静安区南京西路2号")
    assert standing(ai) == ("counted", [])


def test_a_ring_waits_for_a_person_up_to_three_steps(circle: Circle) -> None:
    code, ring = circle.code, [circle.mei]
    for name in ("bo", "ai", "cy"):
        friend = circle.join(name, by=code)
        code = referrals.code_of(friend)
        ring.append(friend)
    circle.join("mei", by=code)
    assert standing(circle.mei) == ("refused", ["household", "not_new"])


def test_a_friend_is_brought_by_whoever_comes_first(circle: Circle) -> None:
    bo = circle.join("bo", by=circle.code)
    ai = circle.join("ai")
    circle.join("bo", by=referrals.code_of(ai))
    circle.first_buy("bo")
    rows = Referral.objects.filter(friend=bo).order_by("id").values_list("referrer", "state", "reasons")
    assert list(rows) == [
        (circle.mei, "counted", []),
        (ai, "refused", ["not_new", "other_referrer"]),
    ]


# --- conditions on the referrer ----------------------------------------------------------------------

REGULAR = {
    "all": [
        {"field": "member.purchases_90d", "op": ">=", "value": 3},
        {"field": "member.average_order_90d", "op": ">=", "value": "500"},
    ]
}


def test_who_buys_often_and_much_is_given_double(db: None) -> None:
    circle = Circle({1: {"both": {"points": 10}}}, multiply={"when": REGULAR, "factor": "2"})
    for number in range(3):
        circle.buy(f"M{number}", "500", fact("mei"), channel=circle.app, at=circle.ago(80 - number))
    bo = circle.bring("bo")
    assert given(circle.mei) == [("rung-1", "points", "20")]
    assert given(bo) == [("rung-1", "points", "10")]
    why = Grant.objects.get(member=circle.mei, source="referral").why
    assert (why["base"], why["factor"]) == ("10", "2")
    assert why["facts"] == {"member.average_order_90d": "500.00", "member.purchases_90d": "3"}


def test_who_does_not_is_given_what_the_ladder_says(db: None) -> None:
    circle = Circle({1: {"both": {"points": 10}}}, multiply={"when": REGULAR, "factor": "2"})
    for number in range(3):
        circle.buy(f"M{number}", "499", fact("mei"), channel=circle.app, at=circle.ago(80 - number))
    circle.bring("bo")
    assert given(circle.mei) == [("rung-1", "points", "10")]


def test_the_programme_may_ask_who_brings(db: None) -> None:
    circle = Circle(only_when={"field": "member.purchases_90d", "op": ">=", "value": 1})
    assert standing(circle.bring("bo")) == ("refused", ["not_entitled"])
    circle.first_buy("mei")
    assert standing(circle.bring("ai")) == ("counted", [])


# --- at the counter ----------------------------------------------------------------------------------


def test_a_clerk_enrols_a_friend_with_the_code(circle: Circle) -> None:
    store = channels.make_store(channels.make("jingan", "pos"), "jingan")
    enrolled = accounts.enrol(
        store.channel, store, "13900139002", notice_versions={}, referred_by=circle.code
    )
    assert standing(enrolled.member_id) == ("waiting", [])
    known = accounts.enrol(store.channel, store, "13800138001", notice_versions={}, referred_by=circle.code)
    assert standing(known.member_id)[0] == "refused"
