"""Rewards in Chromium: a clerk claims and hands over, marketing puts up a picture and sends a parcel (B8)."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from loyalty.models import Claim, RewardPicture
from members.numbers import number_of
from tests import boutique
from tests.boutique import TOTE, shelf
from tests.counter import Shop
from tests.trade import proven

pytestmark = pytest.mark.browser

SCREENS = [("en", 1280), ("zh-hans", 1280), ("en", 390), ("zh-hans", 390)]


@pytest.fixture
def rewarding(shop: Shop) -> Shop:
    """The shop with five totes for 100 points each. Mei has 500 points."""
    boutique.offer(shop, TOTE)
    return shop


def fits(page: Page, width: int) -> bool:
    """Whether nothing sticks out to the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth") <= width)


@pytest.mark.parametrize(("language", "width"), SCREENS)
def test_from_the_phone_to_the_reward_in_the_members_hand(
    rewarding: Shop, sign_in: Any, language: str, width: int
) -> None:
    page = sign_in(language=language, width=width)
    page.fill("#asked", "13800138001")
    page.press("#asked", "Enter")
    page.click("a[href$='/rewards/']")
    page.dblclick("button[name=way][value=counter]")
    expect(page.locator(".desk-claim-new")).to_have_count(1)
    assert fits(page, width)
    assert list(Claim.objects.values_list("state", "way", "points")) == [("claimed", "counter", 100)]
    page.click(".desk-claim-new form[action$='/hand-over/'] button")
    expect(page.locator(".desk-claim")).to_have_count(0)
    assert Claim.objects.get().state == "done" and shelf() == (5, 1)
    assert rewarding.available(rewarding.mei) == 400 and proven()


def test_a_claim_is_undone_before_it_is_handed_over(rewarding: Shop, sign_in: Any) -> None:
    page = sign_in()
    page.goto(f"/desk/{number_of(rewarding.mei)}/rewards/")
    page.click("button[name=way][value=counter]")
    page.click(".desk-claim summary")
    page.click("button[name=why][value=mistake]")
    expect(page.locator(".desk-claim")).to_have_count(0)
    assert Claim.objects.get().moves.get(position=2).reason == "Claimed by mistake"
    assert rewarding.available(rewarding.mei) == 500 and shelf() == (5, 0) and proven()


@pytest.mark.parametrize(("language", "width"), SCREENS)
def test_marketing_puts_up_a_picture_and_sends_a_parcel(
    rewarding: Shop, sign_in: Any, tmp_path: Path, settings: Any, language: str, width: int
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    Image.new("RGB", (900, 900), "teal").save(tmp_path / "bag.jpg")
    boutique.claim(rewarding, way="parcel")
    page = sign_in("marketing", language=language, width=width)
    page.goto("/rewards/")
    page.click(".rw-edit summary")
    page.fill("input[name=pieces]", "7")
    page.fill("input[name=reason]", "New delivery")
    page.dblclick("form[action$='/stock/'] button")  # counts once
    expect(page.locator(".rw-edit[open]")).to_have_count(0)
    page.click(".rw-edit summary")
    page.set_input_files("input[name=picture]", tmp_path / "bag.jpg")
    page.click("form[action$='/picture/'] button")
    shown = page.locator(".rw-picture img")
    expect(shown).to_have_count(1)
    assert shown.evaluate("image => image.complete && image.naturalWidth") == 800
    assert fits(page, width) and RewardPicture.objects.count() == 1
    assert shelf() == (12, 1)
    page.goto("/rewards/to-do/")
    page.check("input[name=claim]")
    page.click("#bulk button")
    page.fill("input[name=tracking]", "SF1234567890")
    page.click("form[action$='/ship/'] button")
    expect(page.locator("form[action$='/arrive/']")).to_have_count(1)
    assert fits(page, width)
    assert Claim.objects.values_list("state", "tracking", "steps").get() == ("shipped", "SF1234567890", 3)
