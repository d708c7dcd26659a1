"""The desk through its door: from a phone to a card, a sale, a refund, an enrolment, each once (E1)."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from loyalty.models import Entry
from members import channels
from members.models import Member, Order
from members.numbers import number_of
from privacy import consent, roles
from privacy.models import AccessRecord
from tests.counter import MEI, PLACE, Shop
from tests.trade import proven

PART: dict[str, Any] = {"HTTP_X_DESK": "part"}


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def desk(shop: Shop) -> Client:
    return signed_in("clerk", store=PLACE)


def signed_in(role: str, *, store: str = "") -> Client:
    user, _password = roles.make_staff(f"{role}-{store or 'nowhere'}".replace("/", "-"), role, store=store)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


class WithMei(Protocol):
    """A brand of which Mei is a member."""

    mei: int


def address(name: str, shop: WithMei, *more: str) -> str:
    return reverse(f"desk:{name}", args=[number_of(shop.mei), *more])


def sale(**told: Any) -> dict[str, Any]:
    return {"nonce": str(uuid4()), "amount": "200", **told}


def counted() -> tuple[int, int]:
    """How many counter orders and entries there are."""
    return Order.objects.filter(channel__code="jingan").count(), Entry.objects.count()


# --- finding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["13800138001", "+86 138-0013-8001", "１３８００１３８００１", "number"])
def test_from_what_is_typed_to_the_card_in_one_step(desk, shop, asked):
    asked = number_of(shop.mei).lower() if asked == "number" else asked
    answer = desk.post(reverse("desk:find"), {"asked": asked}, **PART)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer["X-Desk-Url"] == address("member", shop)
    assert "梅**" in page and "138****8001" in page
    assert "梅晓雨" not in page and "13800138001" not in page
    assert "500 pts" in page and "¥5.00" in page


def test_a_search_is_on_record_and_its_answer_in_no_cache(desk, shop):
    answer = desk.post(reverse("desk:find"), {"asked": MEI})
    record = AccessRecord.objects.get(action="search")
    assert (record.member_id, record.fields, record.actor_label) == (
        shop.mei,
        ["phone"],
        "clerk-jingan-jingan",
    )
    assert "no-store" in answer["Cache-Control"]


def test_a_phone_is_never_taken_from_an_address(desk):
    assert desk.get(reverse("desk:find"), {"asked": MEI}).status_code == 405


def test_an_unknown_phone_is_already_in_the_form_with_nothing_ticked(desk):
    page = desk.post(reverse("desk:find"), {"asked": "13911112222"}, **PART).content.decode()
    assert 'value="13911112222"' in page
    assert "Privacy notice" in page and "User agreement" in page and "version 1.0" in page
    assert "checked" not in page


@pytest.mark.parametrize("asked", ["", "hello", "123", "SK-00000000", "\x00", "a" * 101])
def test_what_is_neither_phone_nor_number_is_answered_in_words(desk, asked):
    answer = desk.post(reverse("desk:find"), {"asked": asked}, **PART)
    assert answer.status_code == 200
    assert "Nobody was found" in answer.content.decode()


# --- selling ------------------------------------------------------------------------------------------


def test_the_sum_is_shown_before_anybody_pays(desk, shop):
    typed = sale(amount="200", use_points="on", points="300")
    page = desk.post(address("quote", shop), typed, **PART).content.decode()
    assert "¥197.00" in page and "−¥3.00" in page and "197 pts" in page
    assert counted() == (0, 1)


def test_a_sale_spends_and_earns_points(desk, shop):
    page = desk.post(address("sell", shop), sale(use_points="on", points="300"), **PART).content.decode()
    order = Order.objects.get(channel__code="jingan")
    assert (order.net, order.points_value, order.points_spent) == (Decimal("200.00"), Decimal("3.00"), 300)
    assert shop.available(shop.mei) == 500 - 300 + 197
    assert "¥197.00 taken and recorded" in page and "197 × 1 × 1 = 197" in page
    assert proven()


def test_as_many_points_as_possible_when_no_number_is_typed(desk, shop):
    desk.post(address("sell", shop), sale(amount="3", use_points="on"), **PART)
    assert Order.objects.get(channel__code="jingan").points_spent == 300
    assert shop.available(shop.mei) == 200


def test_the_same_form_sent_again_counts_once(desk, shop):
    form = sale()
    first = desk.post(address("sell", shop), form, **PART)
    after_one = counted()
    again = desk.post(address("sell", shop), form, **PART)
    assert again.status_code == 200 and "recorded before" in again.content.decode()
    assert first["X-Desk-Url"] == again["X-Desk-Url"]
    assert counted() == after_one == (1, 2)


def test_a_form_sent_again_with_another_amount_shows_what_was_recorded(desk, shop):
    form = sale()
    desk.post(address("sell", shop), form, **PART)
    page = desk.post(address("sell", shop), {**form, "amount": "999"}, **PART).content.decode()
    assert "already been recorded" in page and "¥200.00" in page
    assert counted() == (1, 2)


def test_after_a_reload_the_same_amount_asks_whether_it_is_another_purchase(desk, shop):
    desk.post(address("sell", shop), sale(), **PART)
    asked = desk.post(address("sell", shop), sale(), **PART)
    assert asked.status_code == 422 and "Is this another purchase?" in asked.content.decode()
    assert counted() == (1, 2)
    assert desk.post(address("sell", shop), sale(again="on"), **PART).status_code == 200
    assert counted() == (2, 3)


def test_an_old_sale_of_the_same_amount_asks_nothing(desk, shop):
    desk.post(address("sell", shop), sale(), **PART)
    Order.objects.filter(channel__code="jingan").update(paid_at=shop.now - timedelta(minutes=11))
    assert desk.post(address("sell", shop), sale(), **PART).status_code == 200


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount": ""}, "Type the amount"),
        ({"amount": "0"}, "above zero"),
        ({"amount": "-5"}, "above zero"),
        ({"amount": "12.345"}, "above zero"),
        ({"amount": "abc"}, "above zero"),
        ({"amount": "9" * 12}, "at most ¥9,999,999.99"),
        ({"amount": "10000000"}, "at most ¥9,999,999.99"),
        ({"use_points": "on", "points": "1.5"}, "whole points"),
    ],
)
def test_a_mistake_is_explained_and_nothing_moves(desk, shop, typed, words):
    answer = desk.post(address("sell", shop), sale(**typed), **PART)
    assert answer.status_code in (400, 422) and words in answer.content.decode()
    assert counted() == (0, 1)


def test_more_points_than_there_are_is_refused_and_nothing_moves(desk, shop):
    answer = desk.post(address("sell", shop), sale(use_points="on", points="600"), **PART)
    assert answer.status_code == 409 and "that many points" in answer.content.decode()
    assert counted() == (0, 1)
    assert shop.available(shop.mei) == 500


def test_without_scripts_the_receipt_is_a_page_of_its_own(desk, shop):
    sold = desk.post(address("sell", shop), sale())
    assert sold.status_code == 302
    page = desk.get(sold["Location"]).content.decode()
    assert "¥200.00 taken and recorded" in page and "<html" in page
    assert desk.get(address("receipt", shop, "nothing")).status_code == 404


# --- enrolling ----------------------------------------------------------------------------------------


def test_enrolling_records_what_was_agreed_to_and_nothing_else(desk):
    form = {"phone": "139 1111 2222", "name": "顾小曼", "marketing": "on"}
    page = desk.post(reverse("desk:enrol"), form, **PART).content.decode()
    assert "The member is enrolled" in page and "顾**" in page
    member = Member.objects.latest("id")
    assert (member.name, member.phone) == ("顾小曼", "+8613911112222")
    recruited = Member.objects.filter(
        recruited_store__code="jingan", recruited_by__username="clerk-jingan-jingan"
    )
    assert list(recruited) == [member]
    assert consent.allowed(member, "marketing", "sms")
    assert not consent.allowed(member, "marketing", "email")
    assert not consent.allowed(member, "personalisation")
    proof = consent.deciding(member, "marketing", "sms")
    assert proof is not None and (proof.notice_version, proof.method) == ("1.0", "spoken")


def test_enrolling_twice_makes_one_member(desk, shop):
    for _time in range(2):
        desk.post(reverse("desk:enrol"), {"phone": "13911112222"}, **PART)
    assert Member.objects.count() == 2
    page = desk.post(reverse("desk:enrol"), {"phone": MEI, "name": "别人"}, **PART).content.decode()
    assert "already" in page and "梅**" in page
    assert Member.objects.count() == 2


@pytest.mark.parametrize("phone", ["", "123", "11111111111", "138****8001"])
def test_a_phone_that_cannot_be_is_refused(desk, phone):
    answer = desk.post(reverse("desk:enrol"), {"phone": phone}, **PART)
    assert answer.status_code == 422 and "sk-error" in answer.content.decode()
    assert Member.objects.count() == 1


# --- who may ------------------------------------------------------------------------------------------


def test_nobody_gets_in_without_signing_in(shop):
    for path in (reverse("desk:counter"), address("member", shop), address("refunds", shop)):
        answer = Client().get(path)
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("role", ["marketing", "finance", "privacy", "auditor"])
def test_roles_without_a_desk_are_refused(shop, role):
    client = signed_in(role)
    assert client.get(reverse("desk:counter")).status_code == 403
    assert client.post(address("sell", shop), sale()).status_code == 403
    assert counted() == (0, 1)


@pytest.mark.parametrize(("role", "store"), [("admin", ""), ("clerk", ""), ("service", PLACE)])
def test_who_may_only_look_cannot_sell(shop, role, store):
    client = signed_in(role, store=store)
    page = client.get(address("member", shop), **PART).content.decode()
    assert "梅**" in page and 'id="till"' not in page
    assert client.post(address("sell", shop), sale(), **PART).status_code == 403
    assert counted() == (0, 1)


def test_a_clerk_of_another_store_sees_no_receipt_of_this_one(desk, shop):
    desk.post(address("sell", shop), sale(), **PART)
    number = Order.objects.get(channel__code="jingan").number
    channels.make_store(channels.make("xuhui", "pos"), "xuhui")
    other = signed_in("clerk", store="xuhui/xuhui")
    assert other.get(address("receipt", shop, number)).status_code == 404


def test_a_form_from_another_site_is_refused(shop, desk):
    strict = Client(enforce_csrf_checks=True, cookies=desk.cookies)
    strict.cookies = desk.cookies
    assert strict.post(address("sell", shop), sale()).status_code == 403
    assert counted() == (0, 1)


def test_the_page_needs_no_inline_script_or_style(desk, shop):
    answer = desk.get(address("member", shop))
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style", page)


def test_a_clerk_who_signs_in_comes_to_the_desk(shop):
    roles.make_staff("li", "clerk", store=PLACE, password="a-long-password")
    client = Client(headers={"accept-language": "en"})
    form = {"username": "li", "password": "a-long-password", "next": "/"}
    answer = client.post("/admin/login/", form, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("desk:counter")
    out = client.post(reverse("desk:sign-out"), follow=True)
    assert "_auth_user_id" not in client.session and out.redirect_chain[-1][0].startswith("/admin/login/")
