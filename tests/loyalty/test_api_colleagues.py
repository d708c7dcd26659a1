"""The names of staff are for staff: a channel's key reads that staff did it, wherever it looks (D6)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from loyalty import adjustments, clock, coupons, tier_events
from loyalty.models import Entry
from members import merging
from members.models import Member, OutboxEvent
from members.numbers import number_of
from privacy import approvals, roles
from tests.api import ROOT, Api, addresses
from tests.coupon_shop import WELCOME, CouponShop
from tests.trade import buyer

pytestmark = pytest.mark.django_db

MAKER, CHECKER = "qiu-maker", "wen-checker"


@pytest.fixture
def shop() -> CouponShop:
    """Everything that staff does by hand was done to Mei, by two people."""
    shop = CouponShop(WELCOME)
    qiu, wen = roles.make_staff(MAKER, "service")[0], roles.make_staff(CHECKER, "admin")[0]
    adjustments.adjust(shop.mei, 20, "Late parcel", qiu, cause="small")
    asked = adjustments.adjust(shop.mei, 5000, "Lost parcel", qiu, cause="great").approval
    assert asked is not None
    until = clock.read().now + timedelta(days=90)
    floor = tier_events.ask(Member.objects.get(pk=shop.mei), "silver", until, "A good neighbour", qiu)
    for waiting in (asked, floor):
        approvals.approve(waiting.pk, wen, "")
    coupons.give(shop.mei, "WELCOME", reason="Late parcel", nonce="n", actor_id=qiu.pk)
    other = shop.buy("X1", "10", buyer("other")).member_id
    assert other is not None
    merging.merge(shop.mei, other, actor_id=qiu.pk, reason="Same person")
    return shop


def seen(api: Api, shop: CouponShop) -> dict[str, str]:
    """What every address about one member answers to this key, by the address."""
    number = number_of(shop.mei)
    paths = [
        path.removeprefix(ROOT).replace("{member_no}", number)
        for path in addresses("get")
        if path.count("{") == 1 and "{member_no}" in path
    ]
    answers = {path: api.get(path) for path in [*paths, "/changes/", "/orders/X1/"]}
    return {path: str(answer.body) for path, answer in answers.items() if answer.status == 200}


def naming(pages: dict[str, str]) -> set[str]:
    return {path for path, text in pages.items() if MAKER in text or CHECKER in text}


def test_no_address_names_staff_to_a_channel(shop: CouponShop) -> None:
    pages = seen(Api(shop.tmall), shop)
    number = number_of(shop.mei)
    looked = {f"/members/{number}/points/entries/", f"/members/{number}/coupons/", f"/members/{number}/tier/"}
    assert looked <= pages.keys()
    assert naming(pages) == set()
    assert all("staff" in pages[path] for path in looked)


def test_a_key_of_staff_reads_who_it_was(shop: CouponShop) -> None:
    auditor = roles.make_staff("auditor", "service")[0]
    number = number_of(shop.mei)
    looked = {f"/members/{number}/points/entries/", f"/members/{number}/coupons/", f"/members/{number}/tier/"}
    assert naming(seen(Api(auditor), shop)) == looked


def test_the_cause_of_an_adjustment_tells_a_channel_nobodys_number(shop: CouponShop) -> None:
    qiu = User.objects.get(username=MAKER)
    assert Entry.objects.filter(kind="adjust", cause=f"adjust:{qiu.pk}:small").exists()
    entries = Api(shop.tmall).get(f"/members/{number_of(shop.mei)}/points/entries/").body["entries"]
    causes = {entry["cause"] for entry in entries if entry["kind"] == "adjust"}
    assert causes == {"adjust:staff:small", "adjust:staff:great"}


def test_no_webhook_names_staff(shop: CouponShop) -> None:
    payloads = [str(event.payload) for event in OutboxEvent.objects.all()]
    assert payloads
    assert not [text for text in payloads if MAKER in text or CHECKER in text]
