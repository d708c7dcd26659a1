"""The audit in Chromium: laws in words, what breaks one, in both languages and on a phone (D7)."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from loyalty import audit, audit_runs
from loyalty.models import AuditRun
from privacy import roles
from tests.browser.conftest import PASSWORD
from tests.counter import Shop
from tests.planting import damage

pytestmark = pytest.mark.browser


def fits(page: Page, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_audit_shows_its_laws_and_what_breaks_one(
    shop: Shop, sign_in: Any, language: str, width: int
) -> None:
    roles.make_staff("auditor", "auditor", password=PASSWORD)
    audit_runs.run()
    page = sign_in("auditor", language=language, width=width)
    page.goto("/audit/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator(".sk-alert.sk-good")).to_have_count(1)
    assert fits(page, width)
    damage("UPDATE loyalty_wallet SET held = held + 7", "UPDATE loyalty_lot SET earned = earned + 1")
    found = {each["name"] for each in audit_runs.run().violations}
    page.reload()
    expect(page.locator(".sk-alert.sk-bad")).to_have_count(1)
    broken = page.locator("table").first
    for name in found:
        expect(broken).to_contain_text(name)
    assert broken.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    laws = page.locator("table").nth(1)
    for law in laws.locator("details summary").all():
        law.click()
    expect(laws.locator("li:visible")).to_have_count(len(audit.LAWS))
    assert fits(page, width)
    assert "wallet_holds_add_up" in found and AuditRun.objects.count() == 2
