"""Benefits: in words of both languages, in yuan by one formula, and counted by period (B2)."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from loyalty import benefits, clock, programme_file, publishing
from loyalty.benefit_terms import Benefits, Use
from loyalty.errors import BenefitNotYours, BenefitUsedUp, CauseTaken
from loyalty.models import BenefitUse
from loyalty.programme import parse
from loyalty.tier_terms import Tier
from tests.trade import PROGRAMME, Trade, buyer

ROOT = Path(__file__).resolve().parents[2]


def silver(**given: Any) -> Tier:
    return Tier("silver", {"en": "Silver"}, 1, None, None, Benefits(**given))


# --- in words ---------------------------------------------------------------------------------------


def test_benefits_are_told_as_shops_of_each_language_say_it() -> None:
    tier = silver(discount=Decimal("0.90"), coefficient=Decimal("1.2"), points_per_yuan=80)
    assert benefits.told(tier) == ["10% off", "1.2 times the points", "80 points are worth ¥1"]
    with translation.override("zh-hans"):
        discount, coefficient, worth = benefits.told(tier)
    assert discount.replace(" ", "") == "9折"  # what is paid, not what is taken off
    assert "1.2" in coefficient and "80" in worth


def test_every_benefit_of_the_demo_programme_is_told() -> None:
    demo = (ROOT / "loyalty" / "programmes" / "demo.yaml").read_text(encoding="utf-8")
    programme = parse(programme_file.read(demo))
    assert benefits.told(programme.tier("diamond")) == [
        "20% off",
        "2 times the points",
        "60 points are worth ¥1",
        "Free shipping nationwide",
        "A named adviser",
        "3 times the points on the birthday",
        "A gift on the birthday (BIRTHDAY-BOX)",
        "30% off one order: 1 a month",
        "A new product to try: 1 a quarter",
        "Badge: 钻",
        "A group of diamond members",
        "New arrivals before everybody else",
        "Limited editions first",
    ]
    assert "Free shipping to 上海市, 江苏省, 浙江省, 安徽省" in benefits.told(programme.tier("silver"))


def test_words_of_the_brands_own_are_told_in_the_readers_language() -> None:
    tier = silver(extra={"club": {"en": "A club", "zh-hans": "俱乐部"}, "lounge": True, "guests": 2})
    assert benefits.told(tier)[1:] == ["A club", "lounge", "guests: 2"]
    with translation.override("zh-hans"):
        assert benefits.told(tier)[1] == "俱乐部"


def test_postage_is_free_to_the_provinces_that_are_named() -> None:
    given = Benefits(shipping="regional", provinces=("上海市", "广西壮族自治区"))
    assert [given.ships_free_to(name) for name in ("上海", "广西", "北京市")] == [True, True, False]
    assert Benefits(shipping="nationwide").ships_free_to("西藏")
    assert not Benefits().ships_free_to("上海市")


# --- in yuan ----------------------------------------------------------------------------------------


def test_the_value_of_benefits_is_told_by_one_buyer_and_weights() -> None:
    """10,000 yuan in 10 orders: each benefit by its formula, and the total with its weights."""
    given = {
        "discount": "0.90",
        "coefficient": "1.2",
        "points_per_yuan": 80,
        "shipping": "regional",
        "provinces": [f"省{number}" for number in range(31)],
        "service": "priority",
        "birthday": {"factor": "2", "points": 80},
        "uses": [{"code": "monthly", "name": {"en": "20% off"}, "discount": "0.80"}],
        "values": {"badge": "5", "early": "60"},
    }
    document = {
        **PROGRAMME,
        "tiers": [PROGRAMME["tiers"][0], {**PROGRAMME["tiers"][1], "benefits": given}],
        "benefit_value": {"service": {"priority": "50"}, "weights": {"shipping": "0.5", "uses": "0"}},
    }
    basic, column = benefits.matrix(parse(document))
    assert {benefit.word: benefit.yuan for benefit in column.benefits} == {
        "discount": Decimal("1000.00"),  # 10,000 × (1 − 0.90)
        "points": Decimal("135.00"),  # 9,000 × 1 × 1.2 ÷ 80
        "shipping": Decimal("100.00"),  # 10 orders × 10 yuan, to every province
        "service": Decimal("50.00"),
        "birthday": Decimal("14.50"),  # 900 × 1.2 ÷ 80 once more, and 80 points
        "uses": Decimal("1000.00"),  # 10 orders × 1,000 × (0.90 − 0.80)
        "badge": Decimal("5.00"),
        "extra": Decimal("60.00"),
    }
    assert column.value == Decimal("1314.50")  # 1000 + 135 + 100 × 0.5 + 50 + 14.5 + 0 + 5 + 60
    assert basic.value == Decimal("100.00")  # 10,000 points at 100 for a yuan


# --- counted ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per", "period"),
    [
        ("day", "2026-11-22"),
        ("week", "2026-W47"),
        ("month", "2026-11"),
        ("quarter", "2026-Q4"),
        ("year", "2026"),
    ],
)
def test_a_period_has_a_name(per: str, period: str) -> None:
    assert Use("tea", {"en": "Tea"}, per).period(date(2026, 11, 22)) == period


@pytest.fixture
def mei(trade: Trade) -> int:
    """A member whose tier has two teas a month, and this month's 10 % off."""
    uses = [
        {"code": "tea", "name": {"en": "Tea"}, "per": "month", "times": 2},
        {"code": "ten-off", "name": {"en": "10% off"}, "discount": "0.90"},
    ]
    basic = {**PROGRAMME["tiers"][0], "benefits": {"uses": uses}}
    publishing.load({**PROGRAMME, "tiers": [basic]}, environment="demo")
    member = trade.buy("T1", "100", buyer("mei")).member_id
    assert member is not None
    return member


def left(member: int) -> dict[str, int]:
    held = publishing.current()
    tier = held.programme.tiers[0]
    return {each.use.code: each.left for each in benefits.left(member, tier, held, clock.read().now)}


def test_a_benefit_is_had_as_often_as_the_period_allows(trade: Trade, mei: int) -> None:
    assert left(mei) == {"tea": 2, "ten-off": 1}
    assert benefits.use(mei, "tea", cause="app:1", channel=trade.app)[0].number == 1
    assert benefits.use(mei, "tea", cause="app:2", channel=trade.app)[0].number == 2
    with pytest.raises(BenefitUsedUp):
        benefits.use(mei, "tea", cause="app:3", channel=trade.app)
    assert (left(mei), BenefitUse.objects.count()) == ({"tea": 0, "ten-off": 1}, 2)


def test_the_same_use_told_twice_is_one(mei: int) -> None:
    first, is_new = benefits.use(mei, "ten-off", cause="app:1")
    again, is_new_again = benefits.use(mei, "ten-off", cause="app:1")
    assert (first.pk, is_new, is_new_again) == (again.pk, True, False)
    with pytest.raises(CauseTaken):
        benefits.use(mei, "tea", cause="app:1")


def test_what_is_given_back_can_be_had_again(mei: int) -> None:
    benefits.use(mei, "ten-off", cause="app:1")
    assert benefits.give_back(mei, "ten-off", ["app:1"]) == 1
    assert benefits.give_back(mei, "ten-off", ["app:1"]) == 0
    assert benefits.use(mei, "ten-off", cause="app:2")[0].number == 1


def test_the_next_month_it_comes_anew(mei: int) -> None:
    benefits.use(mei, "ten-off", cause="app:1")
    clock.move(timedelta(days=32))
    assert left(mei) == {"tea": 2, "ten-off": 1}
    assert benefits.use(mei, "ten-off", cause="app:2")[1]


def test_a_benefit_of_another_tier_is_not_had(mei: int) -> None:
    with pytest.raises(BenefitNotYours):
        benefits.use(mei, "champagne", cause="app:1")
