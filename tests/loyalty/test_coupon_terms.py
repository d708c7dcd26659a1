"""What a coupon is worth: read strictly, judged with the numbers that made it (B6)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty import coupon_codes, coupon_terms, coupon_words
from loyalty.coupon_terms import Basket, BasketLine, Terms
from loyalty.errors import ProgrammeInvalid
from loyalty.programme import parse
from tests.coupon_shop import PRINTED, SPRING, WELCOME, goods
from tests.trade import PROGRAMME

NOON = datetime(2026, 3, 1, 4, tzinfo=UTC)  # in Shanghai


def programme(*campaigns: dict[str, Any]) -> Any:
    return parse({**PROGRAMME, "coupons": list(campaigns)})


def terms(**told: Any) -> Terms:
    return coupon_terms.of(programme({**WELCOME, **told}))["WELCOME"]


def basket(*lines: BasketLine, **told: Any) -> Basket:
    return Basket(**{"channel": "app", "lines": lines, **told})


def problems(*campaigns: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ProgrammeInvalid) as refused:
        programme(*campaigns)
    return [(problem["path"], problem["message"]) for problem in refused.value.problems]


# --- reading ------------------------------------------------------------------------------------------


def test_a_campaign_says_everything_about_its_coupons() -> None:
    told = terms(
        channels=["app"], stores=["jingan"], products=["TEA"], categories=["茶"], tiers=["gold"], bearer=True
    )
    assert (told.kind, told.value, told.min_spend, told.quota, told.per_member) == (
        "amount",
        Decimal(20),
        Decimal(100),
        5,
        2,
    )
    assert (told.channels, told.stores, told.products) == (("app",), ("jingan",), ("TEA",))
    assert (told.categories, told.tiers, told.bearer, told.combines) == (("茶",), ("gold",), True, False)
    assert (told.back, told.grace_days) == ("whole", 7)


def test_a_mistake_is_told_with_its_place() -> None:
    found = problems(
        {**WELCOME, "return": "sometimes", "max_discount": "5", "minspend": "1", "products": [1]}
    )
    assert [path for path, _message in found] == [
        "coupons[0].max_discount",
        "coupons[0].products",
        "coupons[0].return",
        "coupons[0].minspend",
    ]


def test_two_campaigns_cannot_answer_to_one_code_however_it_is_typed() -> None:
    other = {**SPRING, "code": "OTHER", "public_code": "spring 26"}
    assert [path for path, _message in problems(SPRING, other)] == ["coupons[1].public_code"]
    other["public_code"] = "SPR1NG26"  # I and 1 look alike
    assert [path for path, _message in problems(SPRING, other)] == ["coupons[1].public_code"]


def test_a_public_code_is_found_as_people_type_it() -> None:
    held = programme(WELCOME, SPRING)
    for typed in ("SPRING-26", "spring26", " Spring 26 ", "ＳＰＲＩＮＧ２６"):
        found = coupon_terms.find_public(held, coupon_codes.readings(typed))
        assert found is not None and found.code == "SPRING"
    assert coupon_terms.find_public(held, coupon_codes.readings("SUMMER")) is None


# --- validity -----------------------------------------------------------------------------------------


def test_the_last_day_is_a_whole_day() -> None:
    assert terms().validity(NOON) == (None, datetime(2026, 3, 31, 16, tzinfo=UTC))


def test_of_two_ends_the_first_holds() -> None:
    told = terms(valid={"days": 30, "to": "2026-03-10T00:00:00+08:00", "from": "2026-03-02T00:00:00+08:00"})
    assert told.validity(NOON) == (
        datetime(2026, 3, 1, 16, tzinfo=UTC),
        datetime(2026, 3, 9, 16, tzinfo=UTC),
    )


def test_a_coupon_that_comes_back_lives_at_least_as_long_as_the_grace() -> None:
    told, ran_out, far = terms(return_grace_days=3), NOON - timedelta(days=1), NOON + timedelta(days=9)
    assert told.until_returned(ran_out, NOON) == datetime(2026, 3, 4, 16, tzinfo=UTC)
    assert told.until_returned(far, NOON) == far
    assert told.until_returned(None, NOON) is None
    assert terms(return_grace_days=0).until_returned(ran_out, NOON) == ran_out


# --- judging ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "lines", "discount", "sentence"),
    [
        ({}, ["200"], "20", "min(20.00, 200.00) = 20.00"),
        ({"min_spend": "0"}, ["7.50"], "7.50", "min(20.00, 7.50) = 7.50"),
        ({"kind": "percentage", "value": "10"}, ["99.99", "55.55"], "15.55", "155.54 × 10% = 15.55"),
        (
            {"kind": "percentage", "value": "12.5", "max_discount": "15"},
            ["200"],
            "15",
            "200.00 × 12.5% = 25.00 → 15.00",
        ),
    ],
)
def test_a_coupon_takes_off_what_its_formula_says(
    told: dict[str, Any], lines: list[str], discount: str, sentence: str
) -> None:
    verdict = terms(**told).judge(basket(*goods(*lines)))
    assert verdict.why_not == ""
    assert verdict.discount == Decimal(discount)
    assert coupon_words.formula(verdict.why) == sentence


def test_free_shipping_takes_off_the_postage_and_nothing_else() -> None:
    free = terms(kind="shipping", value=None).judge(basket(*goods("100"), postage=Decimal("12.00")))
    assert (free.discount, free.postage) == (Decimal("0.00"), Decimal("12.00"))
    some = terms(kind="shipping", value="8").judge(basket(*goods("100"), postage=Decimal("12.00")))
    assert (some.postage, coupon_words.formula(some.why)) == (Decimal(8), "min(8.00, 12.00) = 8.00")


def test_a_gift_coupon_names_its_gift() -> None:
    verdict = terms(kind="gift", value="TOTE").judge(basket(*goods("100")))
    assert (verdict.gift, verdict.discount, verdict.why_not) == ("TOTE", Decimal("0.00"), "")


def test_only_the_products_it_is_for_count() -> None:
    told = terms(products=["TEA"], categories=["cups"], min_spend="100")
    lines = [
        BasketLine(Decimal(60), "TEA"),
        BasketLine(Decimal(500), "SCARF"),
        BasketLine(Decimal(45), "C1", "cups"),
    ]
    verdict = told.judge(basket(*lines))
    assert (verdict.discount, verdict.counted, verdict.lines) == (Decimal(20), Decimal(105), (0, 2))
    short = told.judge(basket(*lines[:2]))
    assert (short.why_not, short.counted) == ("min_spend", Decimal(60))
    assert told.judge(basket(lines[1])).why_not == "wrong_products"


@pytest.mark.parametrize(
    ("told", "where", "why_not"),
    [
        ({"channels": ["tmall"]}, {}, "wrong_channel"),
        ({"stores": ["jingan"]}, {}, "wrong_store"),
        ({"stores": ["jingan"]}, {"store": "jingan"}, ""),
        ({"tiers": ["gold"]}, {}, "tier"),
        ({"tiers": ["gold"]}, {"tier": "silver"}, "tier"),
        ({"tiers": ["gold"]}, {"tier": "gold"}, ""),
        ({}, {"lines": None}, "basket_missing"),
        ({"min_spend": "0"}, {"lines": None}, ""),
    ],
)
def test_where_and_for_whom(told: dict[str, Any], where: dict[str, Any], why_not: str) -> None:
    lines = {"lines": tuple(goods("200"))}
    verdict = terms(**told).judge(Basket(**{"channel": "app", **lines, **where}))
    assert verdict.why_not == why_not
    assert why_not == "" or why_not in coupon_words.REASONS


yuan = st.decimals("0.01", "5000", places=2)


@given(
    st.sampled_from(["amount", "percentage"]),
    st.lists(yuan, min_size=1, max_size=5),
    st.decimals("0.01", "100", places=2),
    st.none() | yuan,
)
def test_a_coupon_never_takes_off_more_than_there_is(
    kind: str, amounts: list[Decimal], value: Decimal, most: Decimal | None
) -> None:
    told = {"kind": kind, "value": str(value), "min_spend": "0"}
    if most is not None and kind == "percentage":
        told["max_discount"] = str(most)
    verdict = terms(**told).judge(basket(*[BasketLine(amount) for amount in amounts]))
    assert verdict.discount is not None
    assert 0 <= verdict.discount <= sum(amounts)
    assert verdict.discount == round(verdict.discount, 2)
    if kind == "amount":
        assert verdict.discount == min(value, sum(amounts))


# --- undone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("back", "is_cancelled", "kept", "over"),
    [
        ("whole", True, "0", True),
        ("whole", False, "0", True),
        ("whole", False, "90", False),
        ("any", False, "90", True),  # of 200 that it counted, 100 are left: at its minimum of 101, too few
        ("any", False, "175", False),
        ("never", True, "0", False),
    ],
)
def test_when_it_is_given_back(back: str, is_cancelled: bool, kept: str, over: bool) -> None:
    told = terms(**{"return": back, "min_spend": "101"})
    found = told.is_over(
        is_cancelled=is_cancelled, net=Decimal(180), kept=Decimal(kept), counted=Decimal(200)
    )
    assert found is over


def test_an_order_that_cost_nothing_is_not_refunded_by_that() -> None:
    nothing = Decimal(0)
    assert not terms().is_over(is_cancelled=False, net=nothing, kept=nothing, counted=Decimal(20))
    assert terms().is_over(is_cancelled=True, net=nothing, kept=nothing, counted=Decimal(20))


# --- codes and words ----------------------------------------------------------------------------------


def test_codes_are_long_all_different_and_of_a_plain_alphabet() -> None:
    drawn = list(coupon_codes.draw(5000))
    assert len(set(drawn)) == 5000 and {len(code) for code in drawn} == {12}
    assert set("".join(drawn)) == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@given(st.text(alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=12, max_size=12))
def test_a_code_is_read_back_however_it_is_typed(code: str) -> None:
    shown = coupon_codes.shown(code)
    assert shown.count("-") == 2
    for typed in (
        shown,
        shown.lower(),
        code.replace("0", "o").replace("1", "l"),
        f" {shown.replace('-', ' ')}",
    ):
        assert code in coupon_codes.readings(typed)


@pytest.mark.parametrize("text", ["", "abc", "x" * 33, "HELLO!", "红包红包", "'; DROP"])
def test_what_can_be_no_code_is_none(text: str) -> None:
    assert coupon_codes.readings(text) == ()


def test_a_coupon_says_what_it_is_worth_in_words() -> None:
    assert coupon_words.worth(terms()) == "¥20 off from ¥100"
    held = coupon_terms.of(programme(SPRING, PRINTED))
    assert coupon_words.worth(held["SPRING"]) == "10% off, at most ¥50"
    assert coupon_words.worth(held["PRINTED"]) == "¥5 off"
    capped = coupon_terms.of(programme({**SPRING, "min_spend": "200"}))["SPRING"]
    assert coupon_words.worth(capped) == "10% off from ¥200, at most ¥50"
