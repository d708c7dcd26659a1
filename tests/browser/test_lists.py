"""The filters of a list in Chromium, by keyboard alone and on a phone (E2)."""

from typing import Any

import pytest
from playwright.sync_api import expect

from members.models import Order
from tests.counter import Shop
from tests.trade import buyer

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("zh-hans", 390)])
def test_orders_are_narrowed_by_keyboard_and_widened_again(
    shop: Shop, sign_in: Any, language: str, width: int
) -> None:
    shop.buy("T-2", "80.00", buyer("tb-mei"))
    shop.buy("A-1", "600.00", buyer("bo"), channel=shop.app)
    page = sign_in("marketing", language=language, width=width)
    page.goto("/admin/members/order/")
    rows = page.locator("#result_list .data-row")
    expect(rows).to_have_count(Order.objects.count())

    page.focus(".sk-filters")
    page.keyboard.press("Enter")
    expect(page.locator("#changelist-filter")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.keyboard.press("Enter")  # focus has gone back to the button
    page.focus("[name=channel][value=tmall]")
    page.keyboard.press("Space")
    page.focus("[name=net_from]")
    page.keyboard.type("100")
    page.keyboard.press("Enter")
    page.wait_for_url("**/order/?*net_from=100*")
    narrowed = Order.objects.filter(channel__code="tmall", net__gte=100)
    expect(rows).to_have_count(narrowed.count())
    expect(rows).to_contain_text([order.number for order in narrowed])
    expect(page.locator(".sk-asked > li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.focus(".sk-asked > li:last-child > a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/order/?channel=tmall")
    expect(rows).to_have_count(Order.objects.filter(channel__code="tmall").count())
