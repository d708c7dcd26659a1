"""The card: one member at a glance, masked, in the reader's language (E1, B2)."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import translation

from loyalty import card, clock
from members import enrolment
from members.models import Member
from members.numbers import number_of
from tests.trade import Trade, buyer, phone

ROOT = Path(__file__).resolve().parent.parent.parent
MEI = buyer("mei", phone("+8613800138001"), name="梅晓雨")


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def test_it_shows_who_and_what_and_nothing_in_clear(trade: Trade) -> None:
    mei = trade.buy("T1", "1234.56", MEI).member_id
    assert mei is not None
    shown = card.of(mei)
    assert (shown.member_no, shown.status) == (number_of(mei), "active")
    assert (shown.name_masked, shown.phone_masked) == ("梅**", "138****8001")
    assert (shown.tier_code, shown.tier_name, shown.tier_until) == ("basic", "Basic", None)
    assert (shown.figures.available, shown.points_per_yuan, shown.worth) == (1234, 100, Decimal("12.34"))
    assert "梅晓雨" not in str(shown) and "13800138001" not in str(shown)


def test_one_who_has_never_bought_has_a_card_too(trade: Trade) -> None:
    bo = enrolment.enrol(trade.app, None, "13900139002", notice_versions={}).member_id
    shown = card.of(bo)
    assert (shown.tier_code, shown.figures.balance, shown.worth, shown.bought) == ("basic", 0, Decimal(0), [])
    assert shown.next_tier is not None
    assert (shown.next_tier.spend, shown.next_tier.orders) == (Decimal(3000), 5)


def test_it_says_what_is_missing_for_the_next_tier(trade: Trade) -> None:
    for number in range(2):
        mei = trade.buy(f"T{number}", "400.50", MEI).member_id
    assert mei is not None
    missing = card.of(mei).next_tier
    assert missing is not None
    assert (missing.code, missing.name, missing.needs_both) == ("silver", "Silver", True)
    assert (missing.spend, missing.orders) == (Decimal("2199.00"), 3)
    trade.refund("T0", "R1", "400.50")
    missing = card.of(mei).next_tier
    assert missing is not None and (missing.spend, missing.orders) == (Decimal("2599.50"), 4)


def test_a_silver_member_is_shown_until_when_and_what_gold_asks(trade: Trade) -> None:
    for number in range(5):
        mei = trade.buy(f"T{number}", "700", MEI, at=trade.ago(9 - number)).member_id
    assert mei is not None
    shown = card.of(mei)
    assert (shown.tier_code, shown.tier_name, shown.points_per_yuan) == ("silver", "Silver", 80)
    assert shown.tier_until is not None
    assert timedelta(days=350) < shown.tier_until - trade.now < timedelta(days=367)
    assert shown.worth == Decimal("43.75")  # 3,500 points at 80
    assert shown.next_tier is not None and shown.next_tier.code == "gold"
    assert (shown.next_tier.spend, shown.next_tier.orders) == (Decimal(6500), 10)


def test_at_the_top_nothing_is_missing(trade: Trade) -> None:
    for number in range(15):
        mei = trade.buy(f"T{number}", "700", MEI, at=trade.ago(20 - number)).member_id
    assert mei is not None
    assert (card.of(mei).tier_code, card.of(mei).next_tier) == ("gold", None)


def test_the_last_purchases_of_all_channels_come_latest_first(trade: Trade) -> None:
    for number in range(4):
        channel = trade.tmall if number % 2 else trade.app
        mei = trade.buy(f"T{number}", f"{10 + number}", MEI, channel=channel, at=trade.ago(number)).member_id
    trade.refund("T1", "R1", "11")
    assert mei is not None
    shown = [(each.channel_name, each.net, each.points) for each in card.of(mei, purchases=3).bought]
    assert shown == [("app", Decimal(10), 10), ("tmall", Decimal(11), 0), ("app", Decimal(12), 12)]


def test_points_that_have_lapsed_are_worth_nothing_on_it(trade: Trade) -> None:
    mei = trade.buy("T1", "500", MEI).member_id
    assert mei is not None
    shown = card.of(mei)
    assert (shown.figures.expiring, shown.figures.expiring_at is not None) == (500, True)
    clock.move(timedelta(days=400))
    shown = card.of(mei)
    assert (shown.figures.available, shown.worth, shown.figures.expiring_at) == (0, Decimal(0), None)


def test_it_asks_the_database_as_often_for_one_who_bought_much(
    trade: Trade, django_assert_num_queries
) -> None:
    few = trade.buy("F0", "10", buyer("few")).member_id
    for number in range(12):
        many = trade.buy(f"M{number}", "10", MEI).member_id
    assert few is not None and many is not None
    for member in (few, many):
        with django_assert_num_queries(6):
            card.of(member)


# --- in words -----------------------------------------------------------------------------------------


def test_a_name_missing_in_a_language_is_shown_in_whichever_there_is() -> None:
    with translation.override("zh-hans"):
        assert card.in_words({"en": "Silver", "zh-hans": "银卡"}) == "银卡"
        assert card.in_words({"en": "Silver"}) == "Silver"
    assert card.in_words({"zh-hans": "银卡"}) == "银卡"
    assert card.in_words({}) == ""


def test_there_is_no_card_of_nobody(db: None) -> None:
    with pytest.raises(Member.DoesNotExist):
        card.of(1)
