"""The catalogue: what a member can have, what keeps them from it, and that a claim finds it so (B8)."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty import catalogue, errors
from tests.boutique import TOTE, Boutique


@pytest.fixture
def shop(db: None) -> Boutique:
    return Boutique()


def seen(shop: Boutique, code: str = "TOTE", member: int | None = 0) -> catalogue.Card:
    cards = {card.code: card for card in catalogue.of(shop.mei if member == 0 else member)}
    return cards[code]


@pytest.mark.parametrize(
    ("terms", "refusal", "sentence"),
    [
        ({}, "", ""),
        ({"points": 620}, "not_enough_points", "120 pts short."),
        ({"stock": 0}, "sold_out", "Sold out."),
        ({"tiers": ["silver", "gold"]}, "other_tiers", "For Silver, Gold."),
        ({"from": "2099-01-01T00:00:00+08:00"}, "not_yet", "From 2099-01-01 00:00."),
    ],
)
def test_the_catalogue_says_what_a_member_can_have_and_why_not(shop, terms, refusal, sentence):
    shop.offer({**TOTE, **terms})
    card = seen(shop)
    assert (card.refusal, card.sentence, card.can_claim) == (refusal, sentence, not refusal)


def test_the_catalogue_counts_what_was_claimed(shop):
    shop.claim(cause="c1")
    assert (seen(shop).left, seen(shop).claimed, seen(shop).can_claim) == (4, 1, True)
    shop.claim(cause="c2")
    assert (seen(shop).refusal, seen(shop).sentence) == (
        "limit_reached",
        "Claimed already: 2 for each member.",
    )


def test_to_everybody_the_catalogue_shows_prices_without_a_member(shop):
    shop.offer({**TOTE, "points": 9999, "tiers": ["gold"], "money": "9.90"})
    card = seen(shop, member=None)
    assert (card.refusal, card.price) == ("", "9,999 pts + ¥9.90")


def test_what_is_over_or_only_given_is_not_in_the_catalogue(shop):
    over = {**TOTE, "code": "OLD", "to": "2026-01-01T00:00:00+08:00"}
    given = {"code": "MYSTERY", "name": {"en": "Mystery"}, "kind": "gift", "given_only": True}
    shop.offer(TOTE, over, given)
    assert [card.code for card in catalogue.of(shop.mei)] == ["TOTE"]


def test_a_sale_shows_its_price_beside_the_usual_one(shop):
    shop.offer({**TOTE, "sales": [shop.sale(stock=3), shop.sale("SOON", hours=(2, 3))]})
    card = seen(shop)
    assert (card.price, card.usual_price, card.left) == ("10 pts", "100 pts", 3)
    assert card.sale and card.next_sale and (card.sale.code, card.next_sale.code) == ("NOON", "SOON")


def test_what_the_catalogue_promises_is_what_a_claim_finds(shop):
    """Over many kinds of terms: a card without a refusal can be claimed, one with it cannot."""
    kinds: list[dict[str, Any]] = [
        {},
        {"points": 501},
        {"stock": 0},
        {"tiers": ["gold"]},
        {"tiers": ["basic"]},
        {"from": "2099-01-01T00:00:00+08:00"},
        {"sales": [shop.sale(stock=0)]},
        {"points": 900, "sales": [shop.sale()]},
        {"sales": [shop.sale(hours=(1, 2))], "from": "2099-01-01T00:00:00+08:00"},
    ]
    shop.offer(*({**TOTE, "code": f"R{number}", **terms} for number, terms in enumerate(kinds)))
    promised = {card.code: card.can_claim for card in catalogue.of(shop.mei)}
    found = {}
    for code in promised:
        try:
            with transaction.atomic():
                found[code] = shop.claim(code, cause=code).is_new
                transaction.set_rollback(True)
        except errors.LoyaltyError:
            found[code] = False
    assert found == promised and sorted(found.values()) == [False] * 6 + [True] * 3


def test_the_catalogue_asks_as_often_for_many_rewards_as_for_one(shop):
    counted = []
    for many in (1, 30):
        shop.offer(*({**TOTE, "code": f"R{number}"} for number in range(many)))
        catalogue.of(shop.mei)
        with CaptureQueriesContext(connection) as asked:
            catalogue.of(shop.mei)
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 9
