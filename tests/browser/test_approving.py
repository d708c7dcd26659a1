"""A second person lets points by hand happen, in Chromium, from the menu's badge to the ledger (B3, D6)."""

from typing import Any

import pytest
from playwright.sync_api import expect

from loyalty.models import Entry
from privacy.models import Approval
from tests.counter import Shop
from tests.trade import proven

pytestmark = pytest.mark.browser


def ask_for(page: Any, shop: Shop, amount: str) -> None:
    """From the member's page: type, look at what would be, and go on."""
    page.goto(f"/members/{shop.member.number}/")
    page.get_by_role("link", name="Points by hand").click()
    page.get_by_label("How many").fill(amount)
    page.get_by_label("Why").fill("Late parcel, ticket 42")
    page.get_by_role("button", name="Show what will be").click()


@pytest.mark.parametrize("width", [1280, 390])
def test_points_above_the_limit_are_given_by_two_people(shop: Shop, sign_in: Any, width: int) -> None:
    maker = sign_in("service", width=width)
    ask_for(maker, shop, "1500")
    expect(maker.get_by_text("Available: 500 → 2,000.")).to_be_visible()
    expect(maker.get_by_role("status")).to_contain_text("a second person decides")
    assert maker.evaluate("document.documentElement.scrollWidth") <= width
    maker.get_by_role("button", name="Ask for it").click()
    expect(maker.get_by_role("heading", name="Give 1,500 points")).to_be_visible()
    expect(maker.get_by_role("button", name="Approve")).to_have_count(0)
    assert not Entry.objects.filter(kind="adjust").exists()

    checker = sign_in("admin", width=width)
    need = checker.locator(".sk-need", has_text="request to decide")
    expect(need).to_contain_text("1")
    need.click()
    card = checker.get_by_role("article")
    expect(card).to_contain_text("Late parcel, ticket 42")
    expect(card).to_contain_text("Available: 500 → 2,000.")
    assert checker.evaluate("document.documentElement.scrollWidth") <= width
    card.get_by_label("A word on your decision").fill("It was our fault")
    card.get_by_role("button", name="Approve").click()
    expect(checker.get_by_text("Nothing waits for you")).to_be_visible()

    entry, request = Entry.objects.get(kind="adjust"), Approval.objects.get()
    assert (entry.points, str(entry.actor), entry.wallet.member_id) == (1500, "service", shop.mei)
    assert entry.why["approval"] == request.pk and entry.reason == "Late parcel, ticket 42"
    assert (request.state, str(request.decided_by)) == ("approved", "admin")
    assert (request.note, request.result["entry_id"]) == ("It was our fault", entry.pk)
    assert proven()


def test_within_the_limit_one_person_does_it_at_once(shop: Shop, sign_in: Any) -> None:
    page = sign_in("service")
    ask_for(page, shop, "300")
    page.get_by_role("button", name="Do it now").click()
    expect(page.locator(".sk-timeline")).to_contain_text("By hand, within the limit of a day: 0 + 300 ≤ 1000")
    assert Entry.objects.get(kind="adjust").points == 300
    assert not Approval.objects.exists()
    assert proven()
