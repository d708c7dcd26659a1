"""What a programme may say of its rewards, and what it means at an instant (B8)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty import reward_terms
from loyalty.errors import ProgrammeInvalid
from loyalty.programme import parse
from loyalty.reward_terms import Place, Terms
from tests.trade import PROGRAMME, utc

NOON = {
    "code": "NOON",
    "from": "2026-11-11T12:00:00+08:00",
    "to": "2026-11-11T13:00:00+08:00",
    "points": 99,
    "money": "1.00",
    "stock": 10,
    "per_member": 1,
}
FULL: dict[str, Any] = {
    "code": "TOTE",
    "name": {"zh-hans": "帆布袋", "en": "Tote"},
    "description": {"zh-hans": "纯棉", "en": "Cotton"},
    "kind": "gift",
    "points": 500,
    "money": "9.90",
    "stock": 100,
    "per_member": 2,
    "tiers": ["silver", "gold"],
    "from": "2026-11-01T00:00:00+08:00",
    "to": "2026-12-01T00:00:00+08:00",
    "ways": ["counter", "parcel"],
    "sales": [NOON],
}


def read(*items: dict[str, Any]) -> dict[str, Terms]:
    return reward_terms.of(parse({**PROGRAMME, "rewards": list(items)}).rest)


def test_a_reward_says_what_it_costs_and_who_may_have_it():
    terms = read(FULL)["TOTE"]
    assert (terms.kind, terms.points, terms.money, terms.stock, terms.per_member) == (
        "gift",
        500,
        Decimal("9.90"),
        100,
        2,
    )
    assert terms.is_for("gold") and not terms.is_for("basic")
    assert terms.shelves() == {Place("TOTE"): 100, Place("TOTE", "NOON"): 10}


def test_what_is_not_said_is_without_limit():
    terms = read({"code": "PEN", "name": {"en": "Pen"}, "kind": "gift", "points": 0})["PEN"]
    assert (terms.stock, terms.per_member, terms.tiers, terms.ways) == (None, None, (), ("counter",))
    assert terms.is_for("basic") and terms.offer_at(utc("2020-01-01")) is not None


@pytest.mark.parametrize(
    ("local", "price"),
    [
        ("2026-10-31 23:59:59", None),
        ("2026-11-01 00:00:00", (500, Decimal("9.90"))),
        ("2026-11-11 11:59:59", (500, Decimal("9.90"))),
        ("2026-11-11 12:00:00", (99, Decimal("1.00"))),
        ("2026-11-11 12:59:59", (99, Decimal("1.00"))),
        ("2026-11-11 13:00:00", (500, Decimal("9.90"))),
        ("2026-12-01 00:00:00", None),
    ],
)
def test_a_price_holds_from_its_beginning_and_before_its_end(local: str, price: Any) -> None:
    offer = read(FULL)["TOTE"].offer_at(utc(local) - timedelta(hours=8))
    assert (offer and offer.price) == price


def test_a_sale_has_its_own_shelf_when_it_says_how_many():
    own, shared = read(FULL)["TOTE"], read({**FULL, "sales": [{**NOON, "stock": None}]})["TOTE"]
    at = utc("2026-11-11 04:30")
    own_offer, shared_offer = own.offer_at(at), shared.offer_at(at)
    assert own_offer and (own_offer.place, own_offer.stock, own_offer.per_member) == (("TOTE", "NOON"), 10, 1)
    assert shared_offer and (shared_offer.place, shared_offer.stock) == (("TOTE", ""), 100)


def test_a_sale_that_sets_no_limit_keeps_the_rewards():
    offer = read({**FULL, "sales": [{**NOON, "per_member": None}]})["TOTE"].offer_at(utc("2026-11-11 04:30"))
    assert offer and offer.per_member == 2


def test_a_reward_is_over_when_no_sale_of_it_comes_any_more():
    terms = read({**FULL, "to": "2026-11-05T00:00:00+08:00"})["TOTE"]
    assert not terms.is_over(utc("2026-11-06")) and terms.is_over(utc("2026-11-12"))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"kind": "car"}, "kind"),
        ({"points": None}, "points"),
        ({"points": -1}, "points"),
        ({"money": 9.9}, "money"),
        ({"coupon": "TEN"}, "coupon"),
        ({"kind": "coupon"}, "coupon"),
        ({"kind": "coupon", "coupon": "TEN", "ways": ["parcel"]}, "ways"),
        ({"ways": ["drone"]}, "ways"),
        ({"to": "2026-10-01T00:00:00+08:00"}, "to"),
        ({"colour": "red"}, "colour"),
        ({"sales": [{**NOON, "from": None}]}, "sales[0].from"),
        ({"sales": [{**NOON, "points": None}]}, "sales[0].points"),
        ({"sales": [{**NOON, "to": NOON["from"]}]}, "sales[0].to"),
        ({"sales": [NOON, NOON]}, "sales[1].code"),
        ({"sales": [NOON, {**NOON, "code": "LATE", "from": "2026-11-11T12:59:00+08:00"}]}, "sales[1].from"),
    ],
)
def test_a_mistake_is_told_with_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ProgrammeInvalid) as refusal:
        read({**FULL, **change})
    assert f"rewards[0].{path}" in [problem["path"] for problem in refusal.value.problems]


def test_a_code_is_there_once():
    with pytest.raises(ProgrammeInvalid):
        read(FULL, FULL)
