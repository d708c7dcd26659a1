"""At the desk a card says why it says what it says, when it is asked (B14)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loyalty import clock, coupons
from members.numbers import number_of
from privacy import roles
from tests.counter import MEI, PLACE, Shop
from tests.coupon_shop import WELCOME
from tests.trade import PROGRAMME, buyer, phone

TWICE: dict[str, Any] = {"code": "twice", "then": {"factor": "2"}}


@pytest.fixture
def shop(db: None) -> Shop:
    """Mei has reached silver, and has a coupon for a late parcel."""
    shop = Shop()
    shop.publish({**PROGRAMME, "rules": [TWICE], "coupons": [WELCOME]})
    shop.now = clock.read().recorded  # the version holds from the minute it was published in
    for number in range(5):
        shop.buy(f"N-{number}", "700", buyer("tb-mei", phone(MEI)))
    coupons.give(shop.mei, "WELCOME", reason="Late parcel", nonce="n", actor_id=None)
    return shop


def desk(role: str = "clerk", language: str = "en") -> Client:
    user, _password = roles.make_staff(role, role, store=PLACE)
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def card(client: Client, shop: Shop, **asked: str) -> str:
    answer = client.get(reverse("desk:member", args=[number_of(shop.mei)]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_card_that_is_asked_why_quotes_points_tier_and_coupons(shop: Shop) -> None:
    shown = card(desk(), shop, why="1")
    for words in (
        "700 × 1 × 1 × 2 = 1400 (twice)",
        "every order: points × 2",
        "Earning rule twice · version 2",
        "Basic → Silver",
        "asked: ¥3,000.00 and 5 orders",
        "By hand: Late parcel",
    ):
        assert words in shown
    assert shown.count("Earning rule twice") == 5  # the latest few; the whole statement is in the console


def test_a_card_that_is_not_asked_offers_to_say_why_and_reads_nothing_more(shop: Shop) -> None:
    client = desk()
    with CaptureQueriesContext(connection) as plain:
        shown = card(client, shop)
    assert "every order" not in shown and "?why=1" in shown
    with CaptureQueriesContext(connection) as asked:
        card(client, shop, why="1")
    assert [query for query in plain.captured_queries if "loyalty_entry" in query["sql"]] == []
    assert len(asked) > len(plain)


def test_a_part_of_the_page_says_why_too(shop: Shop) -> None:
    address = reverse("desk:member", args=[number_of(shop.mei)])
    answer = desk().get(f"{address}?why=1", headers={"X-Desk": "part"})
    assert answer["X-Desk-Url"] == address  # a reload shows the plain card again
    assert "every order: points × 2" in answer.content.decode()


def test_somebody_who_has_nothing_is_told_where_everybody_begins(shop: Shop) -> None:
    bo = shop.buy("B-1", "0", buyer("bo")).member_no
    assert bo is not None
    shown = desk().get(reverse("desk:member", args=[bo]), {"why": "1"}).content.decode()
    assert "No points have moved yet." in shown and "Everybody begins in this tier." in shown


def test_the_reasons_are_in_the_clerk_s_language(shop: Shop) -> None:
    shown = card(desk(language="zh-hans"), shop, why="1")
    assert "普通会员 → 银卡" in shown and "新人券" in shown
