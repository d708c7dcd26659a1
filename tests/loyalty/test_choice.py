"""The best of what applies: a clerk who tries everything by hand never finds a better sum (B7)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty import choice
from loyalty.choice import Choice, Cut, NotTaken, Offer, Taken
from loyalty.coupon_terms import Basket, BasketLine, Terms, read
from loyalty.quote_terms import QuoteTerms
from loyalty.reading import Part, Problems

NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
TIER = Cut(share=Decimal("0.9"))
PLAIN = Cut()


def terms(code: str, kind: str = "amount", **told: Any) -> Terms:
    document = {"code": code, "name": {"en": code}, "kind": kind, **told}
    problems = Problems()
    made = read(Part(document, "", problems))
    assert not problems.found, problems.found
    return made


def offer(
    code: str, kind: str = "amount", *, days: int | None = None, worth: str = "0", **told: Any
) -> Offer:
    ends = NOW + timedelta(days=days) if days is not None else None
    return Offer(id=code, terms=terms(code, kind, **told), valid_until=ends, worth=Decimal(worth))


def basket(*amounts: str, postage: str = "0", **told: Any) -> Basket:
    lines = tuple(BasketLine(Decimal(amount), product=f"p{n}") for n, amount in enumerate(amounts))
    return Basket(channel="web", tier="silver", lines=lines, postage=Decimal(postage), **told)


def best(goods: Basket, *offers: Offer, cuts: tuple[Cut, ...] = (PLAIN,)) -> Choice:
    return choice.best(goods, offers, cuts, now=NOW, terms=QuoteTerms())


def taken(found: Choice) -> list[str]:
    return [each.offer.id for each in found.taken]


def left_out(found: Choice) -> dict[str, str]:
    return {each.offer.id: each.why_not for each in found.not_taken}


def test_the_screen_of_the_desk() -> None:
    # 268 at 9折, 满200减20: what remains is 221.20.
    found = best(basket("268"), offer("TWENTY", value="20", min_spend="200"), cuts=(TIER,))
    assert (found.cut_off, found.net, found.saved) == (Decimal("26.80"), Decimal("221.20"), Decimal("46.80"))


def test_of_coupons_that_stand_alone_the_one_that_saves_most_is_used_and_the_other_is_told_why() -> None:
    found = best(basket("300"), offer("TEN", "percentage", value="10"), offer("TWENTY", value="20"))
    assert taken(found) == ["TEN"]
    assert left_out(found) == {"TWENTY": "not_combined"}


def test_many_that_combine_beat_a_greater_one_that_stands_alone() -> None:
    small = [offer(f"S{n}", value="12", combines=True) for n in range(3)]
    found = best(basket("300"), *small, offer("ALONE", value="30"))
    assert taken(found) == ["S0", "S1", "S2"]
    assert found.net == Decimal("264.00")


def test_a_percentage_is_taken_before_an_amount() -> None:
    found = best(
        basket("100"),
        offer("AMOUNT", value="20", combines=True),
        offer("SHARE", "percentage", value="20", combines=True),
    )
    assert taken(found) == ["SHARE", "AMOUNT"]
    assert found.net == Decimal("60.00")


def test_the_minimum_spend_asks_for_the_goods_whatever_another_coupon_took() -> None:
    found = best(
        basket("200"),
        offer("SHARE", "percentage", value="10", combines=True),
        offer("FROM200", value="50", min_spend="200", combines=True),
    )
    assert found.net == Decimal("130.00")


def test_the_minimum_spend_is_asked_after_the_discount_of_the_tier() -> None:
    found = best(basket("210"), offer("FROM200", value="50", min_spend="200"), cuts=(TIER,))
    assert left_out(found) == {"FROM200": "min_spend"}
    assert found.net == Decimal("189.00")


def test_of_two_that_save_the_same_the_one_that_ends_sooner_is_used() -> None:
    found = best(basket("100"), offer("LATE", value="20", days=90), offer("SOON", value="20", days=2))
    assert taken(found) == ["SOON"]
    judged: list[Taken | NotTaken] = [*found.taken, *found.not_taken]
    scores = {each.offer.id: each.score for each in judged}
    # 1 × 1 + 0.5 × (1 − 2 ÷ 30) = 1.4667; the other is not urgent at all
    assert scores == {"SOON": Decimal("1.4667"), "LATE": Decimal("1.0000")}


def test_of_two_that_save_the_same_the_one_that_fits_fewer_orders_is_used() -> None:
    found = best(basket("100"), offer("ANYWHERE", value="20"), offer("HERE", value="20", channels=["web"]))
    assert taken(found) == ["HERE"]
    assert left_out(found) == {"ANYWHERE": "not_combined"}


def test_a_coupon_that_would_save_nothing_more_is_kept() -> None:
    found = best(basket("30"), offer("A", value="30", combines=True), offer("B", value="30", combines=True))
    assert len(taken(found)) == 1
    assert list(left_out(found).values()) == ["outbid"]


def test_a_counted_benefit_is_spent_only_when_it_saves_more() -> None:
    monthly = Cut(code="monthly", share=Decimal("0.8"))
    same = Cut(code="same", share=Decimal("0.9"))
    assert best(basket("100"), cuts=(TIER, same)).cut == TIER
    assert best(basket("100"), cuts=(TIER, same, monthly)).cut == monthly


def test_a_smaller_discount_that_leaves_room_for_a_coupon_can_be_better() -> None:
    # At 8折 the goods no longer reach 200; the plain price does, and saves 50 where 8折 saves 48.
    great = Cut(code="monthly", share=Decimal("0.8"))
    found = best(basket("240"), offer("FROM200", value="50", min_spend="200"), cuts=(PLAIN, great))
    assert (found.cut, found.net) == (PLAIN, Decimal("190.00"))


def test_shipping_coupons_take_off_postage_alone() -> None:
    found = best(basket("100", postage="12"), offer("SHIP", "shipping", value="10"))
    assert (found.net, found.postage, found.postage_off) == (
        Decimal("100"),
        Decimal("2.00"),
        Decimal("10.00"),
    )
    assert taken(best(basket("100"), offer("SHIP", "shipping"))) == [], "there is no postage to take off"


def test_a_gift_is_worth_what_its_reward_costs_in_points() -> None:
    tote = offer("TOTE", "gift", value="TOTE", worth="8")
    assert taken(best(basket("100"), tote, offer("FIVE", value="5"))) == ["TOTE"]
    assert taken(best(basket("100"), tote, offer("TEN", value="10"))) == ["TEN"]


def test_a_coupon_for_some_goods_takes_off_those_alone() -> None:
    found = best(basket("60", "40"), offer("P1", value="50", products=["p1"]))
    assert found.left == (Decimal("60.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    "amounts", [("0.01", "0.01", "0.01"), ("33.33", "33.33", "33.34"), ("0.05", "199.95")]
)
def test_what_is_split_over_lines_adds_up_to_the_cent(amounts: tuple[str, ...]) -> None:
    found = best(basket(*amounts), offer("ODD", "percentage", value="33"), cuts=(Cut(share=Decimal("0.77")),))
    assert sum(found.of_cut) == found.cut_off
    for each in found.taken:
        assert sum(each.of_lines) == each.verdict.discount
    assert all(left >= 0 for left in found.left)


amounts_of_lines = st.lists(st.integers(1, 40000), min_size=1, max_size=4)
coupons_of_somebody = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["amount", "percentage", "shipping"]),
            "value": st.integers(1, 90),
            "min_spend": st.sampled_from(["0", "50", "150"]),
            "combines": st.booleans(),
            "products": st.sampled_from([[], ["p0"], ["p1", "p2"]]),
        }
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(cents=amounts_of_lines, told=coupons_of_somebody, postage=st.integers(0, 20))
def test_no_legal_way_to_use_the_coupons_is_better(
    cents: list[int], told: list[dict[str, Any]], postage: int
) -> None:
    goods = basket(*(str(Decimal(each) / 100) for each in cents), postage=str(postage))
    offers = [
        offer(f"C{n}", **{**each, "value": str(each["value"]), "products": each["products"] or None})
        for n, each in enumerate(told)
    ]
    found = best(goods, *offers, cuts=(TIER, Cut(code="use", share=Decimal("0.85"))))
    assert found.goods + Decimal(postage) - found.saved == found.net + found.postage
    assert found.saved >= most_by_hand(goods, offers)
    assert sum(found.left) == found.net >= 0
    used = [each.offer for each in found.taken]
    assert len(used) < 2 or all(each.terms.combines for each in used), "what stands alone, stands alone"


def most_by_hand(goods: Basket, offers: list[Offer]) -> Decimal:
    """What somebody saves at most who tries the coupons in the documented order, in every selection."""
    most = Decimal(0)
    for share in (Decimal("0.9"), Decimal("0.85")):
        for count in range(len(offers) + 1):
            for picked in combinations(sorted(offers, key=choice.turn), count):
                alone = [each for each in picked if not each.terms.combines]
                if not alone or count == 1:
                    most = max(most, saved_by_hand(goods, picked, share))
    return most


def saved_by_hand(goods: Basket, picked: tuple[Offer, ...], share: Decimal) -> Decimal:
    """One selection with pencil and paper: money alone, in whole cents, no lines but those that count."""
    before = [line.amount for line in goods.lines or ()]
    total = sum(before, Decimal(0))
    cut = total - (total * share).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    left = [a - b for a, b in zip(before, choice.share(cut, before), strict=True)]
    reached, saved, postage = list(left), cut, goods.postage or Decimal(0)
    for each in picked:
        on = [n for n in range(len(left)) if not each.terms.products or f"p{n}" in each.terms.products]
        value = each.terms.value or Decimal(0)
        if not on or sum(reached[n] for n in on) < each.terms.min_spend:
            continue
        rest = sum((left[n] for n in on), Decimal(0))
        if each.terms.kind == "shipping":
            off = min(value, postage)
            postage -= off
        else:
            raw = value if each.terms.kind == "amount" else rest * value / 100
            off = min(raw.quantize(Decimal("0.01"), "ROUND_HALF_UP"), rest)
            for n, part in zip(on, choice.share(off, [left[n] for n in on]), strict=True):
                left[n] -= part
        saved += off
    return saved
