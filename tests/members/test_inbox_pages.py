"""The console's pages on platforms' messages: who sees what is stuck, replays it, and keeps credentials."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from members import channels, credentials
from members.models import InboxDelivery, PlatformRequest
from members.stand_ins import shopify as stand_in
from privacy import roles
from tests.platforms import channel, tell, work
from tests.trade import Trade

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
SECRET = stand_in.STAND_IN.credentials


@pytest.fixture
def shop(db: None) -> Trade:
    trade = Trade()
    channel("shopify", SECRET)
    return trade


def client_of(role: str) -> Client:
    staff, _password = roles.make_staff(f"a-{role}", role)
    client = Client()
    client.force_login(staff)
    return client


def foreign(number: int) -> None:
    order = stand_in.order(number, at=AT, customer=stand_in.customer(1, at=AT), currency="USD")
    tell(stand_in.parcel(SECRET, "orders/create", order), to="shopify")


def test_what_is_stuck_is_shown_with_its_reason_and_not_what_it_says(shop: Trade) -> None:
    foreign(1)
    page = client_of("privacy").get("/messages/").content.decode()
    assert "orders/create" in page and "Amounts must be in yuan" in page
    assert "buyer1@example.com" not in page and "Work on it again" not in page


def test_an_admin_has_one_or_all_worked_on_again(shop: Trade) -> None:
    for number in (1, 2, 3):
        foreign(number)
    admin = client_of("admin")
    assert "Work on it again" in admin.get("/messages/").content.decode()
    first = InboxDelivery.objects.order_by("pk")[0]
    assert admin.post(f"/messages/{first.pk}/replay/").status_code == 302
    assert InboxDelivery.objects.filter(state="waiting").count() == 1
    work()
    assert admin.post("/messages/replay/").status_code == 302
    assert InboxDelivery.objects.filter(state="waiting").count() == 3
    assert client_of("auditor").post("/messages/replay/").status_code == 403


def test_the_privacy_officer_sees_what_platforms_ask_and_ends_it(shop: Trade) -> None:
    tell(stand_in.parcel(SECRET, "customers/create", stand_in.customer(1, at=AT)), to="shopify")
    asked = {"shop_id": 9, "customer": {"id": 7001, "email": "buyer1@example.com"}}
    tell(stand_in.parcel(SECRET, "customers/redact", asked), to="shopify")
    request = PlatformRequest.objects.get()
    officer = client_of("privacy")
    page = officer.get("/messages/?list=requests").content.decode()
    assert "Erase a customer" in page and "buyer1@example.com" not in page
    assert client_of("admin").post(f"/messages/requests/{request.pk}/done/").status_code == 403
    officer.post(f"/messages/requests/{request.pk}/done/")
    request.refresh_from_db()
    assert request.done_by is not None and request.done_by.username == "a-privacy"


@pytest.mark.parametrize("tab", ["", "waiting", "done", "calls", "requests", "nonsense"])
def test_an_empty_list_says_what_to_do(db: None, tab: str) -> None:
    page = client_of("admin").get(f"/messages/?list={tab}")
    assert page.status_code == 200 and "sk-empty" in page.content.decode()


@pytest.mark.parametrize("role", ["clerk", "service", "marketing", "finance"])
def test_others_do_not_see_the_pages(shop: Trade, role: str) -> None:
    client = client_of(role)
    assert client.get("/messages/").status_code in (302, 403)
    assert client.get("/messages/credentials/shopify/").status_code in (302, 403)


def test_credentials_are_written_and_never_shown(db: None) -> None:
    shop = channels.make("shop", "youzan")
    admin = client_of("admin")
    address = "/messages/credentials/shop/"
    assert "Not set" in admin.get(address).content.decode()
    admin.post(address, {"client_id": " yz-1 ", "client_secret": "very secret", "mix_key": "x"})
    assert credentials.of(shop) == {"client_id": "yz-1", "client_secret": "very secret"}
    page = admin.get(address).content.decode()
    assert "Kept since" in page and "yz-1" not in page and "very secret" not in page
    assert "http://testserver/api/v1/hooks/shop/" in page
    admin.post(address, {"client_id": "", "client_secret": "", "forget": "client_secret"})
    assert credentials.of(shop) == {"client_id": "yz-1"}
    assert admin.get("/messages/credentials/nowhere/").status_code == 404
    assert address in admin.get(f"/admin/members/channel/{shop.pk}/change/").content.decode()
