"""The console's frame: the menu by role, the home's figures, and every list it leads to (E2, D6)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config import console, home
from loyalty.models import Entry
from members.models import MatchReview
from privacy import roles
from privacy.models import AccessRecord
from tests import trade as brand
from tests.trade import Trade

STAFF = ["service", "marketing", "finance", "privacy", "admin", "auditor"]


@pytest.fixture(autouse=True)
def fresh_figures():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def signed_in(role: str, *, language: str = "en") -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def links_of(client: Client) -> list[str]:
    menu = client.get(reverse("admin:index")).context["sidebar_navigation"]
    return [item["link"] for group in menu for item in group["items"]]


@pytest.mark.parametrize("role", STAFF)
def test_every_line_of_the_menu_opens_for_whom_it_is_shown(trade, role):
    client = signed_in(role)
    trade.buy("T-1", "500.00", brand.buyer("tb-mei", brand.phone("+8613800138001")))
    links = links_of(client)
    assert reverse("admin:index") in links
    assert {link: client.get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_menu_is_short_for_those_who_may_little(db):
    finance, admin = links_of(signed_in("finance")), links_of(signed_in("admin"))
    assert set(finance) < set(admin)
    assert reverse("admin:members_member_changelist") not in finance
    assert reverse("desk:counter") not in finance


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/admin/", "/admin/"),
        ("/admin/members/member/", "/admin/members/member/"),
        ("/admin/members/member/17/change/", "/admin/members/member/"),
        ("/elsewhere/", ""),
    ],
)
def test_one_line_at_most_is_lit(path, here):
    assert console._here(["/admin/", "/admin/members/", "/admin/members/member/"], path) == here


def test_the_way_in_leads_everybody_to_their_own_place(db):
    assert signed_in("clerk").get("/")["Location"] == reverse("desk:counter")
    assert signed_in("admin").get("/")["Location"] == reverse("admin:index")
    assert Client().get("/", follow=True).redirect_chain[-1][0].startswith("/admin/login/")


def test_an_empty_house_says_what_to_do_first(db):
    page = signed_in("admin").get(reverse("admin:index")).content.decode()
    assert "Three steps to the first member" in page
    assert "Import a file" in page


def test_what_needs_a_person_is_counted_and_leads_there(trade):
    client = signed_in("admin")
    trade.buy("T-1", "10.00", brand.buyer("a", name="甲"))
    assert "Nothing waits for you." in client.get(reverse("admin:index")).content.decode()
    trade.refund("T-unknown", "R-1", "5.00")
    one = trade.buy("T-2", "10.00", brand.buyer("b", name="乙")).member_id
    other = trade.buy("T-3", "10.00", brand.buyer("c", name="丙")).member_id
    MatchReview.objects.create(member_id=one, other_id=other, reason="name_differs")
    needs = client.get(reverse("admin:index")).context["needs"]
    assert [(need.count, need.words) for need in needs] == [
        (1, "match to review"),
        (1, "refund without its order"),
    ]
    matches, parked = (client.get(need.url).context for need in needs)
    assert (matches["review"].member_id, matches["waiting"]) == (one, "1 waits")
    assert len(parked["refunds"]) == 1


def test_the_figures_are_those_of_the_orders(trade):
    now = timezone.localtime()
    mei, bo = (
        brand.buyer(name, brand.phone(number))
        for name, number in (("mei", "+8613800138001"), ("bo", "+8613900139002"))
    )
    member = trade.buy("T-1", "300.00", mei, at=now).member_id
    trade.buy("T-2", "100.00", mei, at=now)
    trade.buy("T-3", "100.00", bo, at=now)
    trade.buy("T-4", "500.00", None, at=now)
    trade.refund("T-1", "R-1", "50.00")
    trade.spend(member, 45)
    assert home._active_members(now).now == 2
    assert home._member_share(now).now == Decimal(450) / Decimal(950)
    assert home._repurchase(now).now == Decimal("0.5")
    assert home._burn(now).now == Decimal(45) / Decimal(500)
    assert home._burn(now).before is None
    shown = home.revenue()
    assert shown is not None
    assert [(row["name"], row["amount"]) for row in shown["rows"]] == [("tmall", Decimal("950.00"))]


def test_the_figures_before_are_of_the_same_length(trade):
    now = timezone.localtime().replace(day=15, hour=12)
    mei = brand.buyer("mei", brand.phone("+8613800138001"))
    trade.buy("T-1", "100.00", mei, at=(now.replace(day=1) - timedelta(days=1)).replace(day=14))
    trade.buy("T-2", "100.00", mei, at=(now.replace(day=1) - timedelta(days=1)).replace(day=16))
    counted = home._active_members(now)
    assert counted.now == 0 and counted.before == 1


def test_a_figure_that_takes_too_long_is_left_out_and_says_so(trade, monkeypatch):
    trade.buy("T-1", "100.00", brand.buyer("mei"))
    monkeypatch.setattr(home, "_active_members", lambda now: home._row("SELECT pg_sleep(1)", {}))
    monkeypatch.setattr(home, "LIMIT_MS", 50)
    assert home.figures()[0] == {
        "label": "Active members this month",
        "value": "—",
        "note": "Too much to count at once",
    }


def test_more_channels_than_colours_are_added_up():
    lines = home._largest({f"shop {n}": [Decimal(n), Decimal(0)] for n in range(1, 10)})
    assert len(lines) == home.COLOURS
    assert lines[0] == ("shop 9", [Decimal(9), Decimal(0)])
    assert lines[-1][1] == [Decimal(1 + 2 + 3 + 4), Decimal(0)]


def test_the_home_page_costs_a_fixed_number_of_queries(trade, django_assert_max_num_queries):
    for number in range(12):
        trade.buy(f"T-{number}", "10.00", brand.buyer(f"b{number}"))
    client = signed_in("admin")
    with django_assert_max_num_queries(40):
        client.get(reverse("admin:index"))


@pytest.mark.parametrize("model", ["members_order", "loyalty_entry", "loyalty_wallet"])
def test_a_row_of_a_list_opens_and_cannot_be_edited(trade, model):
    trade.buy("T-1", "10.00", brand.buyer("mei", brand.phone("+8613800138001")))
    client = signed_in("admin")
    row = client.get(reverse(f"admin:{model}_changelist")).context["cl"].result_list[0]
    address = reverse(f"admin:{model}_change", args=[row.pk])
    page = client.get(address)
    assert page.status_code == 200 and 'name="_save"' not in page.content.decode()
    assert client.post(address, {"status": "cancelled"}).status_code == 403
    assert client.post(reverse(f"admin:{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_reading_the_list_of_members_is_on_record(trade):
    member = trade.buy("T-1", "10.00", brand.buyer("mei", brand.phone("+8613800138001"))).member_id
    signed_in("admin").get(reverse("admin:members_member_changelist"))
    record = AccessRecord.objects.get(action="list")
    assert (record.model, record.subjects, record.actor_label) == ("members.Member", [member], "admin")


def test_no_phone_can_be_searched_through_an_address(trade):
    trade.buy("T-1", "10.00", brand.buyer("mei", brand.phone("+8613800138001")))
    client = signed_in("admin")
    answer = client.get(reverse("admin:members_member_changelist"), {"q": "13800138001"})
    assert len(answer.context["cl"].result_list) == 0


def test_a_wrong_password_and_a_person_without_a_role_stay_outside(db, django_user_model):
    django_user_model.objects.create_user("nobody", password="a-long-password")
    roles.make_staff("li", "admin", password="a-long-password")
    for name, password in (("nobody", "a-long-password"), ("li", "wrong")):
        client = Client()
        answer = client.post("/admin/login/", {"username": name, "password": password, "next": "/"})
        assert answer.status_code == 200 and "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "address",
    [
        "/members/SK%00/",
        "/rules/?q=%00",
        "/admin/loyalty/entry/?cause=%00",
        "/admin/loyalty/coupon/x/change/",
        "/admin/loyalty/coupon/%00/change/",
    ],
)
def test_an_odd_address_is_none(trade: Trade, address: str) -> None:
    assert signed_in("marketing").get(address).status_code == 404


def test_an_entry_says_why_in_words(trade: Trade) -> None:
    trade.buy("T1", "200", brand.buyer("mei"))
    page = signed_in("finance").get(f"/admin/loyalty/entry/{Entry.objects.get().pk}/change/").content.decode()
    assert "200 × 1 × 1 = 200" in page and "base_per_yuan" not in page
