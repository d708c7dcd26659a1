"""Mei brings five friends, two of them herself in another coat: what counts, who decides, what she gets."""

import pytest

from loyalty import grant_lines, referral_decisions, referral_page, referral_report, referrals
from loyalty.errors import ReferralSettled
from loyalty.models import Grant
from privacy import roles
from privacy.errors import NotAllowed, ReasonMissing
from tests.friends import Circle, given, numbers, row_of, standing
from tests.trade import phone, proven, tier_of

HOME = "静安区南京西路1号1001室"


@pytest.fixture
def circle(db: None) -> Circle:
    circle = Circle()
    circle.first_buy("mei", address=HOME)
    return circle


def bring_five(circle: Circle) -> dict[str, int]:
    """Bo, Ai and Cy are people; Dee uses Mei's own handset, and Eve's parcel goes to Mei's door."""
    circle.join("mei", phone("+8613800138001"), device="handset-of-mei")
    friends = {name: circle.join(name, by=circle.code) for name in ("bo", "ai", "cy", "eve")}
    friends["dee"] = circle.join("dee", by=circle.code, device="handset-of-mei")
    for name in ("bo", "ai", "cy", "dee"):
        circle.first_buy(name, address=f"浦东新区世纪大道{len(name) * 10 + ord(name[0])}号")
    circle.first_buy("eve", address=HOME)
    return friends


def test_three_count_and_two_wait_for_a_person(circle: Circle) -> None:
    friends = bring_five(circle)
    assert {name: standing(friend) for name, friend in friends.items()} == {
        "bo": ("counted", []),
        "ai": ("counted", []),
        "cy": ("counted", []),
        "dee": ("review", ["same_device"]),
        "eve": ("review", ["same_address"]),
    }
    assert given(circle.mei) == [("rung-1", "coupon", "WELCOME"), ("rung-3", "points", "50")]
    assert tier_of(circle.mei) == "basic"
    page = referral_page.of(circle.mei)
    assert (page.counted, page.missing, page.counts["review"]) == (3, 2, 2)
    assert proven()


def test_a_person_refuses_the_one_and_lets_the_flatmate_count(circle: Circle) -> None:
    friends = bring_five(circle)
    service, _password = roles.make_staff("service", "service")
    clerk, _password = roles.make_staff("clerk", "clerk", store="")
    dee, eve = row_of(friends["dee"]).pk, row_of(friends["eve"]).pk
    with pytest.raises(NotAllowed):
        referral_decisions.let_count(dee, clerk, "Looks fine to me")
    with pytest.raises(ReasonMissing):
        referral_decisions.let_count(eve, service, "ok")

    referral_decisions.refuse(dee, service, "Same handset, same hand")
    assert standing(friends["dee"]) == ("refused", ["same_device", "by_hand"])
    referral_decisions.let_count(eve, service, "Flatmates, both known to the store")
    assert standing(friends["eve"]) == ("counted", ["same_address"])
    with pytest.raises(ReferralSettled):
        referral_decisions.let_count(eve, service, "Once more, please")
    assert numbers(circle.mei) == [1, 2, 3, 4]
    assert tier_of(circle.mei) == "basic"

    referral_decisions.let_count(dee, service, "Came in with her passport")
    assert numbers(circle.mei) == [1, 2, 3, 4, 5]
    assert tier_of(circle.mei) == "gold"
    assert proven()


def test_a_person_refuses_one_who_counts_already_and_the_rung_falls(circle: Circle) -> None:
    friends = bring_five(circle)
    service, _password = roles.make_staff("service", "service")
    referral_decisions.refuse(row_of(friends["bo"]).pk, service, "Told us it was a joke")
    assert numbers(circle.mei) == [1, 2]
    assert given(circle.mei) == [("rung-1", "coupon", "WELCOME")]
    assert given(friends["bo"]) == []
    assert referrals.count([friends["bo"]]) == []
    assert proven()


def test_k_is_the_friends_who_counted_for_each_member_who_bought(circle: Circle) -> None:
    bring_five(circle)
    (month,) = referral_report.report().months
    assert (month.friends, month.referrers, month.buyers) == (3, 1, 6)
    assert str(month.coefficient) == "0.500"


def test_each_grant_says_why_in_words(circle: Circle) -> None:
    friends = bring_five(circle)
    lines = grant_lines.of(Grant.objects.filter(source="referral").select_related("order").order_by("id"))
    said = {(line.name, line.sentence) for line in lines}
    assert said == {
        ("Coupon Welcome", "1 friend counts, rung 1"),
        ("Coupon Welcome", "Brought by a member"),
        ("50 points", "3 friends count, rung 3"),
    }
    assert {line.order_number for line in lines if line.sentence == "Brought by a member"} == {"O-bo"}
    assert len(friends) == 5
