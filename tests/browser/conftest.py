"""A shop that serves, and staff in front of a browser. Every journey ends by looking at the database."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from privacy import roles
from tests.counter import PLACE, Shop

# Playwright keeps an event loop in this thread, and the database is asked from it between steps.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# How long a page may take is not what a journey is about, and other tests run beside it.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

PASSWORD = "tea-and-oranges"
LOCALES = {"en": "en-GB", "zh-hans": "zh-CN"}

SignIn = Callable[..., Page]


def blocked(said: str) -> list[str]:
    """What the browser says when the page's own policy forbids a part of it."""
    return [said] if "Security Policy" in said else []


@pytest.fixture
def shop(live_server: Any, transactional_db: None) -> Shop:
    """The shop and its staff."""
    cache.clear()
    shop = Shop()
    roles.make_staff("clerk", "clerk", store=PLACE, password=PASSWORD)
    for role in ("service", "marketing", "admin"):
        roles.make_staff(role, role, password=PASSWORD)
    return shop


@pytest.fixture
def sign_in(shop: Shop, live_server: Any, browser: Browser) -> Iterator[SignIn]:
    """Sign in as somebody; answers the page they come to. What a browser complains about fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def enter(who: str = "clerk", *, language: str = "en", width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            locale=LOCALES[language],
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": 844},
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.extend(blocked(said.text)))
        page.goto("/")
        page.fill("[name=username]", who)
        page.fill("[name=password]", PASSWORD)
        page.click("#login-form button")
        page.wait_for_url(lambda url: "/login/" not in url)
        return page

    yield enter
    for context in opened:
        context.close()
    assert complaints == []
