"""Marketing builds a rule and tries it, a second person publishes it, in Chromium (B5)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty import publishing, rule_drafts
from loyalty.models import Entry, OrderEarning, ProgrammeVersion
from tests.counter import Shop
from tests.trade import buyer, proven

pytestmark = pytest.mark.browser

SignIn = Callable[..., Page]
WIDTHS = [1280, 390]


def fits(page: Page, width: int) -> bool:
    """Whether nothing hangs over the edge of the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


def build(page: Page) -> None:
    """`weekend`: at the counter, from ¥100 on, 2 times the points."""
    page.goto("/rules/new/")
    page.fill("#code", "counter")
    page.click("#when-add")
    page.select_option("#when-0-field", "order.channel")
    expect(page.locator("#when-0-op")).to_be_visible()
    page.select_option("#when-0 .rule-value select", "jingan")
    page.click("#when-add")
    page.select_option("#when-1-field", "order.paid")
    expect(page.locator("#when-1-op")).to_be_visible()
    page.select_option("#when-1-op", ">=")
    page.fill("#when-1 .rule-value input", "100")
    page.fill("#factor", "2")  # typed while the page is being drawn anew, it stays


@pytest.mark.parametrize("width", WIDTHS)
def test_a_rule_is_built_tried_handed_in_and_published(
    shop: Shop, sign_in: SignIn, settings: Any, width: int
) -> None:
    settings.ENVIRONMENT = "production"
    page = sign_in("marketing", width=width)
    build(page)
    sentence = page.locator("#sentence")
    expect(sentence).to_contain_text("Channel is 静安 and goods after discounts is at least ¥100: points × 2")
    assert fits(page, width)

    page.select_option("#id_bench-channel", "jingan")
    page.fill("#id_bench-paid", "99.99")
    page.click("#try")
    expect(page.locator("#outcome")).to_contain_text("goods after discounts is at least ¥100 (it was ¥99.99)")
    page.fill("#id_bench-paid", "150")
    page.click("#try")
    expect(page.locator(".rule-formula")).to_have_text("150 × 1 × 1 × 2 = 300")
    assert fits(page, width)
    before = Entry.objects.count(), OrderEarning.objects.count()
    assert ProgrammeVersion.objects.count() == 1

    page.click("button[value=save]")
    expect(page.locator("#rule-counter")).to_contain_text("New in the draft")
    assert rule_drafts.find(rule_drafts.base().document, "counter") == {
        "code": "counter",
        "when": {
            "all": [
                {"field": "order.channel", "op": "=", "value": "jingan"},
                {"field": "order.paid", "op": ">=", "value": "100"},
            ]
        },
        "then": {"factor": "2"},
    }
    assert (Entry.objects.count(), OrderEarning.objects.count()) == before
    page.click("text=Compare and hand in")
    page.click("button:has-text('Ready for review')")
    expect(page.locator(".sk-badge").first).to_have_text("Ready for review")

    reviewer = sign_in("admin", width=width)
    reviewer.goto("/rules/")
    reviewer.click("text=Review and publish")
    reviewer.click("button:has-text('Publish')")
    expect(reviewer.locator("body")).to_contain_text("is published")
    (rule,) = publishing.current().programme.rules
    assert rule.code == "counter"
    published = ProgrammeVersion.objects.get(number=2)
    assert published.published_by is not None and published.drafted_by is not None
    assert (published.drafted_by.get_username(), published.published_by.get_username()) == (
        "marketing",
        "admin",
    )
    assert proven()


def test_a_rule_is_built_with_the_keyboard_alone(shop: Shop, sign_in: SignIn) -> None:
    page = sign_in("marketing")
    page.goto("/rules/new/")
    page.focus("#code")
    page.keyboard.type("first")
    page.focus("#when-add")
    page.keyboard.press("Enter")
    expect(page.locator("#when-0-field")).to_be_focused()
    page.keyboard.type("first order")
    expect(page.locator("#when-0-op")).to_be_attached()
    expect(page.locator("#when-0-field")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("yes")
    page.focus("#bonus")
    page.keyboard.type("30")
    expect(page.locator("#sentence")).to_contain_text("It is the first purchase: 30 bonus points")
    page.keyboard.press("Enter")  # shows the page again, and saves nothing
    assert publishing.current_draft() is None
    page.focus("button[value=save]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules/#rule-first")
    assert rule_drafts.find(rule_drafts.base().document, "first") == {
        "code": "first",
        "when": {"field": "order.first", "op": "=", "value": True},
        "then": {"bonus": 30},
    }


def test_a_rule_is_built_and_tried_without_scripts(shop: Shop, sign_in: SignIn) -> None:
    shop.buy("T-9", "60", buyer("tb-mei"))
    page = sign_in("marketing", width=390, java_script_enabled=False)
    page.goto("/rules/new/")
    page.fill("#code", "plain")
    page.fill("#factor", "3")
    page.click("#when-add")
    page.select_option("#when-0-field", "order.paid")
    page.click("noscript button, .rule-says button")
    page.select_option("#when-0-op", "<")
    page.fill("#when-0 .rule-value input", "80")
    page.fill("#id_bench-order", "T-9")
    page.click("#try")
    expect(page.locator("#outcome")).to_contain_text("60 × 1 × 1 × 3 = 180")
    expect(page.locator("#outcome")).to_contain_text("60 pts")
    assert publishing.current_draft() is None
    page.click("button[value=save]")
    page.wait_for_url("**/rules/#rule-plain")
    assert rule_drafts.find(rule_drafts.base().document, "plain")["when"] == {
        "field": "order.paid",
        "op": "<",
        "value": "80",
    }
