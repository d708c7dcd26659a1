"""From the poster in the shop to the card in the hand and the scan at the desk, on a phone (A7, A8)."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from members import member_codes, store_links
from members.models import Enrolment, EnrolmentStep, Member, SpentMemberCode, Store
from privacy.models import ConsentEvent
from tests import joiners
from tests.browser.conftest import PATIENCE_MS, blocked
from tests.counter import Shop
from tests.joiners import LIN, code_of, deliver

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(shop: Shop, live_server: Any, browser: Browser, settings: Any) -> Any:
    """A phone of 390 px; what its browser blocks or complains about fails the test."""
    settings.ENROLMENT_LIMITS = joiners.FREELY
    complaints: list[str] = []
    context = browser.new_context(
        base_url=live_server.url, locale="en-GB", viewport={"width": 390, "height": 844}
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.extend(blocked(said.text)))
    yield page
    context.close()
    assert complaints == []


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") <= 390)


def test_scan_join_and_show_the_card(shop: Shop, phone: Page) -> None:
    phone.goto(f"/join/{store_links.token_of(Store.objects.get())}/")
    expect(phone.locator("input:checked")).to_have_count(0)
    assert fits(phone)
    phone.fill("#id_phone", LIN)
    phone.check("[name=agree]")
    phone.click(".sk-primary")
    phone.wait_for_selector("#id_code")
    assert fits(phone) and LIN not in phone.url
    deliver()
    phone.fill("#id_code", code_of(Enrolment.objects.get().pk))
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/card/welcome/")
    phone.fill("#id_name", "林一")
    phone.get_by_role("button", name="Save").click()
    phone.wait_for_selector("#id_birthday")
    assert fits(phone)
    phone.goto("/card/")
    expect(phone.locator(".join-number")).to_have_text(Member.objects.latest("id").number)
    assert fits(phone)

    first = phone.get_attribute("#qr", "src")
    phone.evaluate("renew()")
    expect(phone.locator("#qr")).not_to_have_attribute("src", first or "")
    phone.context.set_offline(True)
    expect(phone.locator("#as-of")).to_be_visible()
    phone.evaluate("expires = Date.now() - 1; show()")
    expect(phone.locator("#stale")).to_be_visible()
    phone.context.set_offline(False)
    expect(phone.locator("#stale")).to_be_hidden()
    assert json.loads(phone.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")) == {}

    lin = Member.objects.latest("id")
    assert (lin.name, lin.phone, lin.recruited_store) == ("林一", f"+86{LIN}", Store.objects.get())
    assert list(ConsentEvent.objects.filter(member=lin).values_list("purpose", flat=True)) == ["membership"]
    steps = EnrolmentStep.objects.order_by("id").values_list("step", flat=True)
    assert list(steps) == ["opened", "phone", "sent", "confirmed", "name"]


def test_a_clerk_scans_the_card_once(shop: Shop, sign_in: Any) -> None:
    page = sign_in()
    code = member_codes.make(shop.mei).text
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator(".desk-card")).to_contain_text(shop.member.number)
    page.fill("#asked", code)
    page.press("#asked", "Enter")
    expect(page.locator("#place")).to_contain_text("used already")
    assert code not in page.url
    assert SpentMemberCode.objects.get().member_id == shop.mei
