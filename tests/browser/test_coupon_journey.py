"""A coupon from the marketer to the till: given in the console, used at the desk, told why (B6, B7)."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from loyalty.models import Coupon, CouponUse
from members.models import Order
from members.numbers import number_of
from tests.counter import Shop
from tests.coupon_shop import SPRING, WELCOME
from tests.trade import PROGRAMME, proven

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_given_in_the_console_and_used_at_the_desk(
    shop: Shop, sign_in: Any, language: str, width: int
) -> None:
    shop.publish({**PROGRAMME, "coupons": [WELCOME, SPRING]})
    office = sign_in("marketing", language=language, width=width)
    office.goto(f"/members/{number_of(shop.mei)}/")
    office.click("details:has(#give-campaign) summary")
    office.select_option("#give-campaign", "WELCOME")
    office.fill("#give-reason", "Sorry for the late parcel")
    office.click("form:has(#give-campaign) button")
    expect(office.locator("body")).to_contain_text("Welcome" if language == "en" else "新人券")

    page = sign_in(language=language, width=width)
    page.fill("#asked", "13800138001")
    page.press("#asked", "Enter")
    page.wait_for_selector("#till")
    page.fill("#id_code", "SPRING-26")
    page.type("#id_amount", "268")
    # Ten per cent of 268 is more than 20: the code that is shown wins, and the coupon stays hers.
    expect(page.locator(".desk-to-pay")).to_contain_text("¥241.20")
    page.click(".desk-why-sum summary")
    expect(page.locator(".desk-reasons")).to_contain_text("268.00 × 10% = 26.80")
    expect(page.locator(".desk-reasons")).to_contain_text("Welcome" if language == "en" else "新人券")
    page.fill("#id_code", "")
    expect(page.locator(".desk-to-pay")).to_contain_text("¥248.00")
    page.click("[data-pay]")
    expect(page.locator(".desk-receipt")).to_contain_text("¥248.00")
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    order = Order.objects.get(channel__code="jingan")
    assert (order.net, order.discount) == (Decimal("248.00"), Decimal("20.00"))
    assert CouponUse.objects.get().order_no == order.number
    assert Coupon.objects.get().state == "used"
    assert shop.available(shop.mei) == 500 + 248
    assert proven()
