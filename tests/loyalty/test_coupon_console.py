"""Coupons in the console: batches ordered and taken, a coupon's history, the member's page (B6)."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import coupon_batches, jobs
from loyalty.models import Coupon, CouponBatch, CouponMove
from members.facts import OrderStatus
from members.models import Member
from privacy import roles
from privacy.models import AccessRecord
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, history, row
from tests.trade import buyer


@pytest.fixture
def shop(db: None, settings: Any, tmp_path: Any) -> CouponShop:
    settings.UPLOADS = tmp_path / "uploads"
    return CouponShop(WELCOME, SPRING, PRINTED)


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def shown(client: Client, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def worked() -> None:
    for job in ProcrastinateJob.objects.filter(task_name=coupon_batches.JOB):
        jobs.make_coupon_codes(**job.args)


# --- batches ------------------------------------------------------------------------------------------


def test_marketing_makes_codes_and_takes_them(shop: CouponShop) -> None:
    client = signed_in("marketing")
    asked = {"campaign": "PRINTED", "count": "25", "note": "Leaflet"}
    answer = client.post(reverse("coupons:make"), asked, follow=True)
    batch = CouponBatch.objects.get()
    assert "every 1s" in answer.content.decode()
    assert client.post(reverse("coupons:codes", args=[batch.pk])).status_code == 404
    worked()
    page = shown(client, "coupons:batch", batch.pk)
    assert "Download the codes" in page and "every 1s" not in page and "Leaflet" in page
    taken = client.post(reverse("coupons:codes", args=[batch.pk]))
    lines = b"".join(taken.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 26 and "attachment" in taken["Content-Disposition"]
    record = AccessRecord.objects.get(action="export")
    assert (record.actor_label, record.subjects) == ("marketing", [batch.pk])


def test_a_file_of_codes_says_what_could_not_be_used(shop: CouponShop) -> None:
    client = signed_in("marketing")
    file = SimpleUploadedFile("codes.csv", "券码\nLEAF0001\nx\n".encode())
    client.post(reverse("coupons:take-in"), {"campaign": "PRINTED", "file": file})
    worked()
    batch = CouponBatch.objects.get()
    page = shown(client, "coupons:batch", batch.pk)
    assert "A code has 4 to 32 letters and digits." in page and "codes.csv" in page
    told = client.get(reverse("coupons:rejected", args=[batch.pk])).content.decode()
    assert "code_invalid" in told
    assert "codes.csv" in shown(client, "coupons:batches")


@pytest.mark.parametrize(
    ("address", "asked", "status"),
    [
        ("coupons:make", {"campaign": "PRINTED"}, 422),
        ("coupons:make", {"campaign": "WELCOME", "count": "5"}, 422),
        ("coupons:make", {"campaign": "PRINTED", "count": "many"}, 422),
        ("coupons:take-in", {"campaign": "PRINTED"}, 422),
    ],
)
def test_what_is_missing_is_said_beside_what_was_typed(
    shop: CouponShop, address: str, asked: dict[str, str], status: int
) -> None:
    answer = signed_in("marketing").post(reverse(address), asked)
    assert answer.status_code == status and 'role="alert"' in answer.content.decode()
    assert not CouponBatch.objects.exists()


def test_who_may_only_look_takes_no_codes(shop: CouponShop) -> None:
    batch = coupon_batches.make("PRINTED", 3)
    worked()
    service, privacy = signed_in("service"), signed_in("privacy")
    page = shown(service, "coupons:batch", batch.pk)
    assert "Download the codes" not in page
    assert service.post(reverse("coupons:codes", args=[batch.pk])).status_code == 403
    assert service.post(reverse("coupons:make"), {"campaign": "PRINTED", "count": 1}).status_code == 403
    assert privacy.get(reverse("coupons:batches")).status_code == 403
    assert Client().get(reverse("coupons:batches")).status_code == 302


def test_without_a_campaign_for_the_bearer_the_page_says_what_to_do(shop: CouponShop) -> None:
    shop.publish(WELCOME)
    assert "bearer: true" in shown(signed_in("marketing"), "coupons:batches")


# --- one coupon ---------------------------------------------------------------------------------------


def test_a_coupon_opens_as_its_history_with_the_numbers(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code)
    shop.use(code)
    shop.buy("O1", "180", buyer("mei"), channel=shop.app)
    shop.buy("O1", "180", buyer("mei"), channel=shop.app, status=OrderStatus.CANCELLED)
    page = shown(signed_in("service"), "coupons:coupon", row(code).pk)
    for words in (
        "¥20 off from ¥100",
        "min(20.00, 200.00) = 20.00",
        "The order was cancelled",
        "by version 2 of the programme",
        "Can be used",
        "Order O1",
    ):
        assert words in page
    assert page.index("Returned") < page.index("Locked for an order")


def test_a_bearer_s_code_is_shown_in_part(shop: CouponShop) -> None:
    code = shop.issue("PRINTED", None, "leaflet").code
    client = signed_in("marketing")
    for page in (
        shown(client, "coupons:coupon", row(code).pk),
        shown(client, "admin:loyalty_coupon_changelist"),
    ):
        assert code[-4:] in page and code not in page.replace("-", "")


def test_a_coupon_is_withdrawn_with_a_reason_on_record(shop: CouponShop) -> None:
    code, client = shop.coupon(), signed_in("service")
    address = reverse("coupons:withdraw", args=[row(code).pk])
    assert client.post(address, {"reason": "no"}).status_code == 422
    assert history(code) == []
    client.post(address, {"reason": "Printed twice"})
    move = CouponMove.objects.get()
    assert (move.kind, move.why, str(move.actor)) == ("withdrawn", {"reason": "Printed twice"}, "service")
    assert "Printed twice" in shown(client, "coupons:coupon", row(code).pk)
    used = shop.coupon(cause="2")
    shop.use(used)
    answer = client.post(reverse("coupons:withdraw", args=[row(used).pk]), {"reason": "Too late"})
    assert (answer.status_code, row(used).state) == (409, "used")
    assert signed_in("finance").post(address, {"reason": "Printed twice"}).status_code == 403


def test_the_lists_find_by_member_and_by_code(shop: CouponShop) -> None:
    code, client = shop.coupon(), signed_in("marketing")
    shop.coupon(member=shop.bo, cause="2")
    mei = Member.objects.get(pk=shop.mei)
    for asked in (mei.number, code.lower()):
        page = client.get(reverse("admin:loyalty_coupon_changelist"), {"q": asked})
        assert [coupon.code for coupon in page.context["cl"].result_list] == [code]
    shop.use(code)
    moves = client.get(reverse("admin:loyalty_couponmove_changelist"), {"q": "O1"})
    assert [move.coupon.code for move in moves.context["cl"].result_list] == [code]
    assert "WELCOME:gift" in shown(client, "admin:loyalty_coupon_changelist")  # why it was issued
    assert client.get(reverse("admin:loyalty_couponbatch_changelist")).status_code == 200
    narrowed = client.get(reverse("admin:loyalty_coupon_changelist"), {"campaign": "SPRING"})
    assert not narrowed.context["cl"].result_list
    opened = client.get(reverse("admin:loyalty_coupon_change", args=[row(code).pk]))
    assert opened["Location"] == reverse("coupons:coupon", args=[row(code).pk])


# --- on the member's page -----------------------------------------------------------------------------


def test_a_member_s_page_shows_coupons_and_gives_one(shop: CouponShop) -> None:
    code, client = shop.coupon(), signed_in("service")
    mei = Member.objects.get(pk=shop.mei)
    page = shown(client, "member:show", mei.number)
    assert "¥20 off from ¥100" in page and f"{code[:4]}-{code[4:8]}-{code[8:]}" in page
    address = reverse("member:give-coupon", args=[mei.number])
    asked = {"campaign": "WELCOME", "reason": "Late parcel", "nonce": "n1"}
    for _touch in range(2):
        assert "Given: Welcome" in client.post(address, asked, follow=True).content.decode()
    given = Coupon.objects.get(cause="hand:n1")
    assert (given.member_id, given.why, str(given.actor)) == (shop.mei, {"reason": "Late parcel"}, "service")
    refused = client.post(address, {**asked, "nonce": "n2"})
    assert refused.status_code == 409
    assert "as many of these coupons as allowed" in refused.content.decode()
    assert client.post(address, {**asked, "nonce": "n3", "reason": "x"}).status_code == 400
    assert signed_in("finance").post(address, asked).status_code == 403


def test_the_time_line_tells_of_coupons(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.use(code)
    mei = Member.objects.get(pk=shop.mei)
    page = shown(signed_in("auditor"), "member:show", mei.number, kind="coupon")
    assert page.index("Used") < page.index("Number 1 of its campaign")
    assert "min(20.00, 200.00) = 20.00" in page
