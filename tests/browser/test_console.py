"""The console in Chromium, in both languages: the home, and a member revealed with a reason (E2, D5)."""

from typing import Any

import pytest
from playwright.sync_api import expect

from privacy.models import AccessRecord
from tests.counter import Shop

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_home_shows_figures_and_a_chart(shop: Shop, sign_in: Any, language: str, width: int) -> None:
    page = sign_in("admin", language=language, width=width)
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator(".sk-figure")).to_have_count(4)
    expect(page.locator(".sk-legend")).to_contain_text("¥500.00")
    assert page.locator("canvas.chart").bounding_box()["height"] > 200
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_service_finds_a_member_and_reveals_the_phone_with_a_reason(shop: Shop, sign_in: Any) -> None:
    page = sign_in("service")
    page.fill("#find-member", "13800138001")
    page.press("#find-member", "Enter")
    page.wait_for_url("**/members/SK-*/")
    expect(page.locator(".sk-kv").first).to_contain_text("138****8001")
    assert "13800138001" not in page.content() and "13800138001" not in page.url
    page.click("summary")
    page.fill("#reason", "Ticket 42")
    page.check("[name=fields][value=phone]")
    page.press("#reason", "Enter")
    expect(page.locator(".sk-kv").first).to_contain_text("+8613800138001")
    record = AccessRecord.objects.get(action="reveal")
    assert (record.member_id, record.fields, record.reason) == (shop.mei, ["phone"], "Ticket 42")
    assert record.actor_label == "service"


def test_a_member_at_390_pixels(shop: Shop, sign_in: Any) -> None:
    page = sign_in("service", width=390)
    page.fill("#find-member", "13800138001")
    page.press("#find-member", "Enter")
    expect(page.locator(".sk-timeline li")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
