"""Coupons at the desk: the best is used and says why, a code is shown, a sum that changed is seen first."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import Coupon, CouponUse
from members.models import Order
from tests.coupon_shop import PRINTED, SPRING, WELCOME, goods
from tests.loyalty.test_desk import PART, address, sale, signed_in
from tests.loyalty.test_quotes import QuoteShop
from tests.trade import proven


@pytest.fixture
def shop(db: None) -> QuoteShop:
    shop = QuoteShop(WELCOME, SPRING, PRINTED)
    shop.give(shop.mei, 500, cause="first")
    return shop


@pytest.fixture
def desk(shop: QuoteShop) -> Client:
    return signed_in("clerk", store="jingan/jingan")


def quoted(desk: Client, shop: QuoteShop, **told: Any) -> str:
    typed = {"use_coupons": "on", **told}
    return desk.post(address("quote", shop), sale(**typed), **PART).content.decode()


def sold() -> Order:
    return Order.objects.get(channel__code="jingan")


def test_the_sum_shows_coupon_points_and_why(desk: Client, shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    page = quoted(desk, shop, amount="200", code="SPRING-26")
    assert "Welcome" in page and "−¥20.00" in page and "¥180.00" in page
    assert "min(20.00, 200.00) = 20.00" in page
    assert "Spring, not used: It cannot be used together with another coupon of this order." in page
    assert "500 pts could be used" in page and "¥5.00" in page


def test_unticked_coupons_are_kept(desk: Client, shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    page = quoted(desk, shop, amount="200", use_coupons="")
    assert "Welcome" not in page and "¥200.00" in page


def test_a_sale_uses_the_coupon_and_the_receipt_says_so(desk: Client, shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    page = desk.post(address("sell", shop), sale(use_coupons="on"), **PART).content.decode()
    assert (sold().net, sold().discount) == (Decimal("180.00"), Decimal("20.00"))
    assert "Welcome" in page and "−¥20.00" in page and "¥180.00 taken and recorded" in page
    assert CouponUse.objects.get().order_no == sold().number
    assert proven()


def test_a_public_code_at_the_counter_becomes_the_members_coupon(desk: Client, shop: QuoteShop) -> None:
    desk.post(address("sell", shop), sale(use_coupons="on", code="spring 26"), **PART)
    assert sold().net == Decimal("180.00")
    coupon = Coupon.objects.get(campaign="SPRING")
    assert (coupon.member_id, coupon.state) == (shop.mei, "used")


def test_a_wrong_code_stops_the_sale_in_words(desk: Client, shop: QuoteShop) -> None:
    answer = desk.post(address("sell", shop), sale(use_coupons="on", code="NOT-ONE"), **PART)
    assert answer.status_code == 409
    assert "The programme has no such coupon." in answer.content.decode()
    assert not Order.objects.filter(channel__code="jingan").exists()


def test_a_sum_that_changed_since_it_was_shown_is_shown_anew(desk: Client, shop: QuoteShop) -> None:
    code = shop.coupon("WELCOME")
    seen = re.search(r'name="seen" value="([^"]+)"', quoted(desk, shop, amount="200"))
    assert seen is not None
    shop.use(code, "ONLINE", lines=goods("200"))
    typed = sale(amount="200", use_coupons="on", seen=seen[1])
    answer = desk.post(address("sell", shop), typed, **PART)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Check the new sum" in page and "¥200.00" in page
    assert not Order.objects.filter(channel__code="jingan").exists()
    again = {**typed, "seen": ""}
    assert desk.post(address("sell", shop), again, **PART).status_code == 200
    assert sold().net == Decimal("200.00")


def test_who_types_faster_than_the_sum_is_drawn_is_not_stopped(desk: Client, shop: QuoteShop) -> None:
    seen = re.search(r'name="seen" value="([^"]+)"', quoted(desk, shop, amount="20"))
    assert seen is not None
    answer = desk.post(address("sell", shop), sale(amount="200", use_coupons="on", seen=seen[1]), **PART)
    assert answer.status_code == 200
    assert sold().net == Decimal("200.00")


def test_the_same_amount_again_is_asked_about_although_the_coupon_is_gone(
    desk: Client, shop: QuoteShop
) -> None:
    shop.coupon("WELCOME")
    for _time in range(2):
        answer = desk.post(address("sell", shop), sale(use_coupons="on"), **PART)
    assert answer.status_code == 422
    assert "Is this another purchase?" in answer.content.decode()
    assert sold().net == Decimal("180.00")


def test_the_receipt_can_be_read_again_with_its_coupon(desk: Client, shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    desk.post(address("sell", shop), sale(use_coupons="on"), **PART)
    page = desk.get(reverse("desk:receipt", args=[*address_args(shop), sold().number])).content.decode()
    assert "Welcome" in page and "¥180.00" in page


def address_args(shop: QuoteShop) -> list[str]:
    return [address("member", shop).rstrip("/").rpartition("/")[2]]
