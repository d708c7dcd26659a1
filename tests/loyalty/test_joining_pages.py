"""Joining by a store's QR code, the e-card, and where people drop off (A7, A8)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyalty.models import Grant
from members import drop_off, member_codes, store_links
from members.models import Enrolment, EnrolmentStep, Member, Store
from privacy import roles
from privacy.models import ConsentEvent
from tests import joiners
from tests.counter import MEI, Shop
from tests.joiners import LIN, code_of, deliver, wrong
from tests.trade import PROGRAMME

pytestmark = pytest.mark.django_db
GIFTS: dict[str, Any] = {"enrolment": {"points": 100}, "profile_step": {"points": 20}}


@pytest.fixture
def shop(settings: Any) -> Shop:
    settings.ENROLMENT_LIMITS = joiners.FREELY
    shop = Shop()
    shop.publish({**PROGRAMME, "activities": GIFTS})
    return shop


@pytest.fixture
def link(shop: Shop) -> str:
    return f"/join/{store_links.token_of(Store.objects.get())}/"


@pytest.fixture
def phone() -> Client:
    return Client(headers={"Accept-Language": "en"})


def join(phone: Client, link: str, number: str = LIN, **ticked: str) -> Enrolment:
    """From the poster to the code's page."""
    phone.get(link)
    answer = phone.post(link, {"phone": number, "agree": "on", **ticked})
    assert (answer.status_code, answer["Location"]) == (302, f"{link}code/")
    deliver()
    return Enrolment.objects.get(phone_index__isnull=False)


def joined(phone: Client, link: str, number: str = LIN, **ticked: str) -> Member:
    enrolment = join(phone, link, number, **ticked)
    answer = phone.post(f"{link}code/", {"code": code_of(enrolment.pk)})
    assert answer["Location"] == "/card/welcome/"
    enrolment.refresh_from_db()
    assert enrolment.member is not None
    return enrolment.member


def test_nothing_is_ticked_and_every_text_is_shown_in_its_version(phone: Client, link: str) -> None:
    shown = phone.get(link).content.decode()
    assert "checked" not in shown
    for kind in ("agreement", "privacy", "tips"):
        assert f'name="shown_{kind}" value="1.0"' in shown
    assert "Privacy tips" in shown


def test_the_pages_allow_no_script_or_style_of_others(phone: Client, link: str) -> None:
    joined(phone, link)
    for address in (link, "/card/", "/card/welcome/"):
        answer = phone.get(address)
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'self'" in policy
        assert "no-store" in answer["Cache-Control"]
        assert not re.search(r"style=|onclick=|<script>", answer.content.decode())


def test_joining_without_marketing_keeps_what_was_agreed(phone: Client, link: str) -> None:
    member = joined(phone, link)
    said = ConsentEvent.objects.filter(member=member).values_list("purpose", "notice_version", "method")
    assert list(said) == [("membership", "1.0", "tick")]
    assert (member.recruited_store, member.phone) == (Store.objects.get(), f"+86{LIN}")
    assert member.number in phone.get("/card/welcome/").content.decode()


def test_marketing_is_kept_with_its_notice_when_it_is_ticked(phone: Client, link: str) -> None:
    member = joined(phone, link, marketing="on")
    event = ConsentEvent.objects.get(member=member, purpose="marketing")
    assert (event.channel, event.granted, event.notice_version) == ("sms", True, "1.0")


def test_without_the_agreement_nobody_is_asked(phone: Client, link: str) -> None:
    answer = phone.post(link, {"phone": LIN})
    assert answer.status_code == 422
    assert b"Tick that you have read" in answer.content
    assert joiners.jobs() == []


def test_a_known_phone_and_a_stranger_see_the_same(phone: Client, link: str) -> None:
    seen = []
    for number in (LIN, MEI):
        phone.cookies.clear()
        join(phone, link, number)
        shown = phone.get(f"{link}code/").content.decode()
        seen.append(re.sub(r'value="\w{64}"|\d{3}\*{4}\d{4}', "", shown))
        Enrolment.objects.filter(state="waiting").update(state="lapsed", phone=None, phone_index=None)
    assert seen[0] == seen[1]


def test_a_known_phone_comes_home_to_its_member(shop: Shop, phone: Client, link: str) -> None:
    assert joined(phone, link, MEI).pk == shop.mei
    assert b"was a member already" in phone.get("/card/welcome/").content


def test_a_wrong_code_says_so_and_another_is_sent(phone: Client, link: str) -> None:
    enrolment = join(phone, link)
    answer = phone.post(f"{link}code/", {"code": wrong(code_of(enrolment.pk))})
    assert (answer.status_code, b"wrong or no longer valid" in answer.content) == (400, True)
    assert phone.post(f"{link}resend/")["Location"] == f"{link}code/"
    assert phone.post(f"{link}code/", {"code": code_of(enrolment.pk)}).status_code == 302


def test_asking_too_often_is_told_with_the_time(phone: Client, link: str, settings: Any) -> None:
    settings.ENROLMENT_LIMITS = {**joiners.FREELY, "address_per_hour": (1, 3600)}
    join(phone, link)
    answer = phone.post(link, {"phone": "13500135000", "agree": "on"})
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 3000
    assert phone.post(f"{link}resend/").status_code == 429


@pytest.mark.parametrize("token", ["1", "1-aaaaaaaaaaaaaaaa", "x-y", "999-aaaaaaaaaaaaaaaa"])
def test_a_link_that_we_did_not_sign_leads_nowhere(shop: Shop, phone: Client, token: str) -> None:
    answer = phone.get(f"/join/{token}/")
    assert answer.status_code == 404 and 'href="/"' not in answer.content.decode()


def test_a_store_that_has_closed_takes_nobody(phone: Client, link: str) -> None:
    Store.objects.update(is_active=False)
    assert phone.get(link).status_code == 404


def test_without_its_cookie_the_card_shows_nobody(phone: Client, link: str) -> None:
    joined(phone, link)
    assert phone.get("/card/").status_code == 200
    assert Client().get("/card/").status_code == 403
    forged = Client()
    forged.cookies["shuke_card"] = f"{Enrolment.objects.get().pk}:1:forged"
    assert forged.get("/card/").status_code == 403
    phone.post("/card/leave/")
    assert phone.get("/card/").status_code == 403


def test_the_cookies_hold_no_person_and_end(phone: Client, link: str) -> None:
    joined(phone, link)
    cookie = phone.cookies["shuke_card"]
    assert cookie.value.startswith(str(Enrolment.objects.get().pk))
    assert (cookie["path"], cookie["max-age"], cookie["httponly"]) == ("/card/", 12 * 3600, True)


def test_the_card_s_code_is_live(phone: Client, link: str) -> None:
    member = joined(phone, link)
    shown = phone.get("/card/").content.decode()
    assert member.number in shown and "data:image/svg+xml;base64," in shown
    fresh = phone.post("/card/code/").json()
    assert set(fresh) == {"qr", "barcode", "expires_at"}
    assert member_codes.spend(member_codes.make(member.pk).text) == member


def test_each_step_of_the_profile_is_its_own_and_earns_once(phone: Client, link: str) -> None:
    member = joined(phone, link)
    told = {
        "name": {"name": "林一"},
        "birthday": {"birthday": "1992-02-29"},
        "gender": {"gender": "female"},
        "city": {"province": "上海", "city": "上海市"},
    }
    for step, values in told.items():
        shown = phone.get("/card/welcome/").content.decode()
        assert f"/card/steps/{step}/" in shown and "20 points" in shown
        assert phone.post(f"/card/steps/{step}/", values).status_code == 302
    assert "/card/steps/" not in phone.get("/card/welcome/").content.decode()
    phone.post("/card/steps/name/", {"name": "另一个"})
    member.refresh_from_db()
    assert (member.name, str(member.birthday), member.gender, member.city) == (
        "林一",
        "1992-02-29",
        "female",
        "上海市",
    )
    assert Grant.objects.filter(member=member, code="profile_step").count() == 5  # with the phone
    steps = EnrolmentStep.objects.order_by("id").values_list("step", flat=True)
    assert list(steps) == ["opened", "phone", "sent", "confirmed", *told]


def test_a_step_that_makes_no_sense_is_asked_again(phone: Client, link: str) -> None:
    joined(phone, link)
    for step, values in (("birthday", {"birthday": "tomorrow"}), ("gender", {"gender": "x"}), ("name", {})):
        assert phone.post(f"/card/steps/{step}/", values).status_code == 422
    assert phone.post("/card/steps/shoes/", {}).status_code == 404


def test_steps_can_be_left_out(phone: Client, link: str) -> None:
    joined(phone, link)
    assert "/card/steps/birthday/" in phone.get("/card/welcome/?not=name").content.decode()
    every = "&".join(f"not={step}" for step in ("name", "birthday", "gender", "city"))
    assert "/card/steps/" not in phone.get(f"/card/welcome/?{every}").content.decode()


# -- Where people drop off --------------------------------------------------------------------------------


def visit(link: str, *, far: int) -> None:
    """Somebody comes so far: 1 opens the page, 2 gives a phone, 3 joins."""
    visitor = Client()
    if far == 1:
        visitor.get(link)
    elif far == 2:
        join(visitor, link, "13500135000")
        Enrolment.objects.filter(state="waiting").update(state="lapsed", phone=None, phone_index=None)
    else:
        joined(visitor, link, LIN)


def test_the_report_counts_each_step_of_those_days(shop: Shop, link: str) -> None:
    for far in (1, 1, 2, 3):
        visit(link, far=far)
    today = timezone.localdate()
    whole = {each.step: each for each in drop_off.report(today, today).whole.taken}
    assert [whole[step].count for step in ("opened", "phone", "sent", "confirmed", "name")] == [4, 2, 2, 1, 0]
    assert (whole["phone"].went_on, whole["confirmed"].lost, whole["name"].lost) == (0.5, 1, 1)
    assert drop_off.report(today - timedelta(days=2), today - timedelta(days=1)).whole.most == 0
    assert drop_off.report(today, today, origin="wechat").whole.most == 0
    (part,) = drop_off.report(today, today, store_id=Store.objects.get().pk).parts
    assert (part.channel, part.store) == ("静安", "jingan")


def test_the_console_shows_the_steps_and_prints_the_code(shop: Shop, link: str) -> None:
    console = Client(headers={"Accept-Language": "en"})
    marketing, _password = roles.make_staff("lan", "marketing")
    console.force_login(marketing)
    assert "Nobody has begun" in console.get("/enrolments/").content.decode()
    visit(link, far=3)
    shown = console.get("/enrolments/?from=nonsense&store=nobody&way=x").content.decode()
    assert "100.0%" in shown and "静安" in shown
    assert link in console.get("/enrolments/stores/").content.decode()
    poster = console.get(f"/enrolments/stores/{Store.objects.get().pk}/").content.decode()
    assert link in poster and "data:image/svg+xml;base64," in poster
    assert console.get("/enrolments/stores/0/").status_code == 404
    service, _password = roles.make_staff("ping", "service")
    console.force_login(service)
    assert console.get("/enrolments/").status_code == 403
