"""A clerk's day, in Chromium: serve, double click, lose the line, reload, scan, enrol, refund (E1)."""

import json
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from members.models import Member, Order, Refund
from members.numbers import number_of
from privacy import consent
from tests.counter import Shop
from tests.trade import proven

pytestmark = pytest.mark.browser

SCREENS = [("en", 1280), ("zh-hans", 1280), ("en", 390), ("zh-hans", 390)]


def find(page: Page, asked: str) -> None:
    page.fill("#asked", asked)
    page.press("#asked", "Enter")


def serve(page: Page, amount: str) -> None:
    """Find Mei and type an amount; the sum is on the page afterwards."""
    find(page, "13800138001")
    page.wait_for_selector("#till")
    page.type("#id_amount", amount)
    expect(page.locator("#usable")).to_be_attached()


def sold() -> list[Order]:
    return list(Order.objects.filter(channel__code="jingan").order_by("id"))


@pytest.mark.parametrize(("language", "width"), SCREENS)
def test_serve_a_member_with_the_keyboard_alone(shop: Shop, sign_in: Any, language: str, width: int) -> None:
    page = sign_in(language=language, width=width)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("#asked")).to_be_focused()
    page.keyboard.type("138 0013 8001")
    page.keyboard.press("Enter")
    expect(page.locator(".desk-tier")).to_contain_text("Basic" if language == "en" else "普通会员")
    expect(page.locator("#id_amount")).to_be_focused()
    page.keyboard.type("200")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(".desk-to-pay")).to_contain_text("¥195.00")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".desk-receipt")).to_contain_text("195 × 1 × 1 = 195")
    expect(page.locator("#asked")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    (order,) = sold()
    assert (order.member_id, order.net, order.points_spent) == (shop.mei, Decimal("200.00"), 500)
    assert shop.available(shop.mei) == 195
    assert proven()


def test_two_touches_are_enough(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "128.50")
    page.click("[data-pay]")
    page.wait_for_selector(".desk-receipt")
    assert [order.net for order in sold()] == [Decimal("128.50")]


def test_a_double_click_counts_once(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "200")
    page.dblclick("[data-pay]")
    page.wait_for_selector(".desk-receipt")
    page.wait_for_load_state("networkidle")
    assert len(sold()) == 1
    assert shop.available(shop.mei) == 700


def test_a_lost_answer_and_a_second_press_count_once(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "200")

    def lose_the_answer(route: Route) -> None:
        route.fetch()  # the server records the sale, and the tablet never hears of it
        route.abort()

    page.route("**/sell/", lose_the_answer, times=1)
    page.click("[data-pay]")
    expect(page.locator(".desk-lost")).to_contain_text("counted once")
    assert len(sold()) == 1
    page.click("[data-pay]")
    page.wait_for_selector(".desk-receipt")
    expect(page.locator(".desk-receipt")).to_contain_text("not counted again")
    assert len(sold()) == 1
    assert shop.available(shop.mei) == 700


def test_a_reload_shows_the_receipt_and_counts_nothing(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "200")
    page.click("[data-pay]")
    page.wait_for_selector(".desk-receipt")
    page.reload()
    expect(page.locator(".desk-receipt")).to_contain_text("¥200.00")
    assert len(sold()) == 1


def test_the_same_amount_again_is_asked_about(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    for _time in range(2):
        serve(page, "200")
        page.click("[data-pay]")
        page.wait_for_selector(".desk-receipt, .sk-alert.sk-bad")
    assert len(sold()) == 1
    page.check("[name=again]")
    page.click("[data-pay]")
    page.wait_for_selector(".desk-receipt")
    assert len(sold()) == 2


def test_the_sum_follows_the_keys(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "3")
    page.click("[data-max]")
    expect(page.locator("#id_points")).to_have_value("300")
    expect(page.locator(".desk-to-pay")).to_contain_text("¥0.00")
    page.fill("#id_amount", "10")
    expect(page.locator(".desk-to-pay")).to_contain_text("¥7.00")
    page.uncheck("#id_use_points")
    expect(page.locator(".desk-to-pay")).to_contain_text("¥10.00")
    assert sold() == []


def test_a_scan_that_lands_in_the_amount_finds_the_next_member(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    find(page, "13800138001")
    page.wait_for_selector("#till")
    page.keyboard.type(number_of(shop.mei))
    page.keyboard.press("Enter")
    expect(page.locator("#id_amount")).to_have_value("")
    expect(page.locator(".desk-card")).to_contain_text(number_of(shop.mei))
    assert sold() == []


def test_keys_that_nobody_listens_to_belong_to_the_scanner(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type(number_of(shop.mei))
    page.keyboard.press("Enter")
    expect(page.locator(".desk-card")).to_contain_text("138****8001")


def test_offline_nothing_moves_and_the_last_card_stays_masked(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "200")
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("[data-pay]")).to_be_disabled()
    page.keyboard.press("Control+Enter")
    find(page, "13911112222")
    expect(page.locator(".desk-last")).to_contain_text("梅**")
    kept = json.loads(page.evaluate("sessionStorage.getItem('desk.last')"))
    assert set(kept) == {"clerk", "name", "tier", "points", "time"}
    assert (kept["name"], kept["points"]) == ("梅**", "500 pts")
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    page.click("#sign-out button")
    page.wait_for_selector("#login-form")
    assert page.evaluate("sessionStorage.length") == 0
    assert sold() == []


def test_enrol_a_stranger_and_serve_them_at_once(shop: Shop, sign_in: Any) -> None:
    page = sign_in(width=390)
    find(page, "139 1111 2222")
    expect(page.locator("#id_phone")).to_have_value("139 1111 2222")
    expect(page.locator("#id_name")).to_be_focused()
    assert page.locator("[type=checkbox]:checked").count() == 0
    page.keyboard.type("顾小曼")
    page.check("[name=personalisation]")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#till")
    page.type("#id_amount", "60")
    page.keyboard.press("Enter")
    expect(page.locator("[data-pay]")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk-receipt")
    member = Member.objects.latest("id")
    assert (member.name, member.phone) == ("顾小曼", "+8613911112222")
    assert consent.allowed(member, "personalisation") and not consent.allowed(member, "marketing", "sms")
    assert shop.available(member.pk) == 60


def test_refund_part_of_a_sale(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    serve(page, "200")
    page.click("[data-pay]")
    page.wait_for_selector(".desk-receipt")
    page.click(".desk-more >> [data-go]")
    page.dblclick(".desk-refund [data-go]")
    page.wait_for_selector("#refund")
    page.wait_for_load_state("networkidle")  # the second click asks for the page once more
    expect(page.locator("[data-pay]")).to_have_count(0)
    page.fill("#id_goods", "250")
    expect(page.locator("#quote .sk-error")).to_be_visible()
    page.dblclick("[value=whole]")
    expect(page.locator("[data-pay]")).to_contain_text("¥200.00")
    assert not Refund.objects.exists()
    page.fill("#id_goods", "50")
    expect(page.locator("[data-pay]")).to_contain_text("¥50.00")
    page.dblclick("[data-pay]")
    expect(page.locator(".sk-alert.sk-good")).to_contain_text("50 pts")
    assert [refund.goods for refund in Refund.objects.all()] == [Decimal("50.00")]
    assert shop.available(shop.mei) == 650


def test_refund_with_the_keyboard_alone_on_a_narrow_screen(shop: Shop, sign_in: Any) -> None:
    page = sign_in(width=390)
    serve(page, "200")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".desk-receipt")
    page.locator(".desk-more a", has_text="Refund").press("Enter")
    page.locator(".desk-refund a").press("Enter")
    expect(page.locator("[value=whole]")).to_be_focused()
    page.keyboard.press("Control+Enter")  # nothing has been chosen
    expect(page.locator("#quote .sk-error")).to_be_visible()
    page.locator("[value=part]").press("Space")
    expect(page.locator("#id_goods")).to_be_focused()
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    expect(page.locator("[data-pay]")).to_be_focused()
    assert not Refund.objects.exists()
    page.keyboard.press("Enter")
    expect(page.locator(".sk-alert.sk-good")).to_contain_text("¥50.00")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert [refund.goods for refund in Refund.objects.all()] == [Decimal("50.00")]


def test_the_language_changes_and_the_card_stays(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    find(page, "13800138001")
    page.wait_for_selector("#till")
    page.click("button[lang=zh-hans]")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    expect(page.locator(".desk-tier")).to_contain_text("普通会员")


def test_without_scripts_the_desk_works_as_pages(shop: Shop, sign_in: Any) -> None:
    page = sign_in(java_script_enabled=False)
    find(page, "13800138001")
    page.fill("#id_amount", "200")
    page.click("[data-pay]")
    expect(page.locator(".desk-receipt")).to_contain_text("¥200.00")
    page.reload()
    assert len(sold()) == 1
    assert shop.available(shop.mei) == 700
    page.locator(".desk-more a", has_text="Refund").click()
    page.click(".desk-refund a")
    page.check("[value=whole]")
    page.click("#refund noscript button, #refund [formaction]")
    page.click("[data-pay]")
    expect(page.locator(".sk-alert.sk-good")).to_contain_text("¥200.00")
    assert shop.available(shop.mei) == 500
