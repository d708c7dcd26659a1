"""A family orders under one phone. Two people are not made one by it: that waits for a person to decide."""

import pytest

from members.facts import IdentifierFact, IdentifierKind
from members.models import Identifier, MatchReview, Member
from tests.trade import Trade, buyer, proven

PHONE = IdentifierFact(kind=IdentifierKind.PHONE, value="+8613800138001", verified=False)
MOTHER = buyer("tb-mother", PHONE, name="梅晓雨")
SON = buyer("app-son", PHONE, name="梅小宝")


@pytest.fixture
def mother(trade: Trade) -> int:
    member = trade.buy("T1", "200.00", MOTHER).member_id
    assert member is not None
    return member


@pytest.fixture
def son(trade: Trade, mother: int) -> int:
    """Her son, who gives the mini-program the phone of the family."""
    member = trade.buy("A1", "80.00", SON, channel=trade.app).member_id
    assert member is not None
    return member


def test_another_name_under_the_same_phone_is_another_member(trade: Trade, mother: int, son: int) -> None:
    assert mother != son
    assert (trade.available(mother), trade.available(son)) == (200, 80)
    review = MatchReview.objects.get()
    assert {review.member_id, review.other_id} == {mother, son}
    assert (review.state, review.reason) == ("open", "name_differs")
    assert review.evidence["same"] == ["phone"]
    assert proven()


def test_the_question_is_asked_once_however_often_they_buy(trade: Trade, mother: int, son: int) -> None:
    for number in range(2, 5):
        trade.buy(f"T{number}", "10.00", MOTHER)
        trade.buy(f"A{number}", "10.00", SON, channel=trade.app)
    assert MatchReview.objects.count() == 1
    assert Member.objects.count() == 2
    assert (trade.available(mother), trade.available(son)) == (230, 110)
    assert proven()


def test_each_is_known_again_by_name_where_the_phone_alone_would_mislead(
    trade: Trade, mother: int, son: int
) -> None:
    again = buyer("jd-son", PHONE, name="梅小宝")
    assert trade.buy("J1", "5.00", again, channel=trade.app).member_id == son
    assert (
        trade.buy("J2", "5.00", buyer("jd-mother", PHONE, name="梅晓雨"), channel=trade.app).member_id
        == mother
    )
    assert Member.objects.count() == 2


def test_who_proves_the_phone_is_whom_it_leads_to_from_then_on(trade: Trade, mother: int, son: int) -> None:
    proved = IdentifierFact(kind=IdentifierKind.PHONE, value=PHONE.value, verified=True)
    trade.buy("A2", "1.00", buyer("app-son", proved, name="梅小宝"), channel=trade.app)
    assert Identifier.objects.get(kind="phone", leads=True).member_id == son
    assert (trade.available(mother), trade.available(son)) == (200, 81)  # points stay where they were
    assert proven()
