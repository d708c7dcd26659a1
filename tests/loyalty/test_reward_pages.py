"""Rewards on pages: the desk's one touch, the console's shelves, and what is to be handed out (B8)."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from PIL import Image

from loyalty import rewards
from loyalty.models import Claim, RewardPicture, ShelfMove
from members import channels
from members.numbers import number_of
from privacy import roles
from tests.boutique import TOTE, Boutique, shelf, states
from tests.counter import PLACE
from tests.trade import buyer, proven

PART: dict[str, Any] = {"HTTP_X_DESK": "part"}
PAGES = ("rewards:overview", "rewards:to-do")


@pytest.fixture
def shop(db: None, tmp_path: Path, settings: Any) -> Boutique:
    settings.MEDIA_ROOT = tmp_path
    return Boutique()


@pytest.fixture
def desk(shop: Boutique) -> Client:
    return signed_in("clerk", store=PLACE)


@pytest.fixture
def console(shop: Boutique) -> Client:
    return signed_in("marketing")


def signed_in(role: str, *, store: str = "") -> Client:
    user, _password = roles.make_staff(f"{role}-{uuid4().hex[:6]}", role, store=store)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def at_desk(name: str, shop: Boutique, *more: object) -> str:
    return reverse(f"desk:{name}", args=[number_of(shop.mei), *more])


def form_of(page: str, code: str = "TOTE") -> dict[str, str]:
    """The fields of a reward's form, as a browser would send them."""
    form = re.search(rf'action="[^"]*/rewards/{code}/claim/".*?</form>', page, re.S)
    assert form, page
    return dict(re.findall(r'name="(nonce|points|money)" value="([^"]*)"', form.group(0)))


# --- the desk -----------------------------------------------------------------------------------------


def test_one_touch_claims_and_a_second_one_is_the_same(shop: Boutique, desk: Client) -> None:
    form = form_of(desk.get(at_desk("rewards", shop)).content.decode())
    for _touch in range(2):
        answer = desk.post(at_desk("claim", shop, "TOTE"), {**form, "way": "counter"}, **PART)
        assert answer.status_code == 200 and "Tote: claimed." in answer.content.decode()
    assert Claim.objects.values_list("way", "store__code", "channel__code").get() == (
        "counter",
        "jingan",
        "jingan",
    )
    assert shelf() == (5, 1) and shop.available(shop.mei) == 400 and proven()


def test_the_shelf_gives_no_reasons_that_nobody_asked_for(shop: Boutique, desk: Client) -> None:
    shop.claim()
    assert 'id="reasons"' not in desk.get(at_desk("rewards", shop)).content.decode()


def test_without_script_a_claim_leads_back_to_the_shelf(shop: Boutique, desk: Client) -> None:
    form = form_of(desk.get(at_desk("rewards", shop)).content.decode())
    answer = desk.post(at_desk("claim", shop, "TOTE"), form)
    assert answer.status_code == 302 and answer["Location"] == at_desk("rewards", shop)


def test_what_waits_is_handed_over_and_gone_from_the_list(shop: Boutique, desk: Client) -> None:
    claim = shop.claim(store_id=shop.store.pk).claim
    assert "To hand over" in desk.get(at_desk("rewards", shop)).content.decode()
    answer = desk.post(at_desk("hand-over", shop, claim.pk), **PART)
    page = answer.content.decode()
    assert "Tote: done." in page and "To hand over" not in page
    assert states() == {"c1": "done"}


def test_a_claim_is_undone_at_the_desk_with_its_reason(shop: Boutique, desk: Client) -> None:
    claim = shop.claim().claim
    answer = desk.post(at_desk("cancel-claim", shop, claim.pk), {"why": "mistake"}, **PART)
    assert "Tote: cancelled." in answer.content.decode()
    assert claim.moves.get(position=2).reason == "Claimed by mistake"
    assert shop.available(shop.mei) == 500 and shelf() == (5, 0)


def test_the_desk_says_what_cannot_be_had_and_offers_no_button(shop: Boutique, desk: Client) -> None:
    shop.offer({**TOTE, "points": 700})
    page = desk.get(at_desk("rewards", shop)).content.decode()
    assert "200 pts short." in page and 'name="way"' not in page


def test_a_price_that_changed_meanwhile_is_said_and_nothing_is_claimed(shop: Boutique, desk: Client) -> None:
    form = form_of(desk.get(at_desk("rewards", shop)).content.decode())
    shop.offer({**TOTE, "points": 150})
    answer = desk.post(at_desk("claim", shop, "TOTE"), form, **PART)
    assert answer.status_code == 409 and "The price has changed" in answer.content.decode()
    assert not Claim.objects.exists()


def test_a_claim_of_another_store_or_member_is_not_handed_over_here(shop: Boutique, desk: Client) -> None:
    elsewhere = channels.make_store(channels.make("pudong", "pos", name="浦东"), "pudong")
    claim = shop.claim(store_id=elsewhere.pk).claim
    assert "another store" in desk.get(at_desk("rewards", shop)).content.decode()
    bo = shop.buy("B-1", "300", buyer("bo")).member_id
    other = shop.claim(cause="c2", member=bo or 0).claim
    for claim_id in (claim.pk, other.pk, 999):
        for name in ("hand-over", "cancel-claim"):
            assert desk.post(at_desk(name, shop, claim_id), {"why": "mind"}, **PART).status_code == 404
    assert set(states().values()) == {"claimed"}


def test_who_has_no_store_may_look_and_not_claim(shop: Boutique) -> None:
    service = signed_in("service")
    page = service.get(at_desk("rewards", shop)).content.decode()
    assert "Tote" in page and 'name="way"' not in page
    answer = service.post(at_desk("claim", shop, "TOTE"), {"nonce": uuid4(), "points": 100, "money": 0})
    assert answer.status_code == 403 and not Claim.objects.exists()


# --- the shelves --------------------------------------------------------------------------------------


def picture(kind: str = "PNG") -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, kind)
    file.seek(0)
    file.name = f"bag.{kind.lower()}"
    return file


def test_the_page_shows_stock_price_and_sales(shop: Boutique, console: Client) -> None:
    shop.claim()
    shop.offer({**TOTE, "sales": [shop.sale(stock=3)]}, {**TOTE, "code": "GIFT", "given_only": True})
    page = console.get(reverse("rewards:overview")).content.decode()
    for words in ("4 left", "1 of 5 claimed", "Points sale NOON", "Runs now", "Given by the programme"):
        assert words in page, words


def test_stock_is_changed_with_its_reason(shop: Boutique, console: Client) -> None:
    body = {"pieces": "20", "reason": "New delivery"}
    answer = console.post(reverse("rewards:stock", args=["TOTE"]), body, follow=True)
    assert "The stock was changed." in answer.content.decode() and shelf() == (25, 0)
    assert ShelfMove.objects.get(programme=None).reason == "New delivery"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"pieces": "-6", "reason": "Water damage"}, "Only 5 are left"),
        ({"pieces": "0", "reason": "Nothing new"}, "by how many"),
        ({"pieces": "many", "reason": "New delivery"}, "by how many"),
        ({"pieces": "5", "reason": "new"}, "at least five characters"),
        ({"pieces": "5", "reason": "New delivery", "sale": "NOPE"}, "no such reward"),
    ],
)
def test_a_change_of_stock_that_cannot_be_says_why(
    shop: Boutique, console: Client, body: dict[str, str], words: str
) -> None:
    rewards.put_up()
    answer = console.post(reverse("rewards:stock", args=["TOTE"]), body)
    assert answer.status_code >= 400 and words in answer.content.decode()
    assert shelf() == (5, 0)


def test_a_picture_is_put_up_and_shown(shop: Boutique, console: Client, desk: Client) -> None:
    body = {"picture": picture("JPEG"), "alt_zh": "一个帆布袋", "alt_en": "A bag"}
    answer = console.post(reverse("rewards:picture", args=["TOTE"]), body, follow=True)
    row = RewardPicture.objects.get()
    assert row.alt == {"zh-hans": "一个帆布袋", "en": "A bag"}
    assert f'src="{row.image.url}" alt="A bag"' in answer.content.decode()
    assert row.image.url in desk.get(at_desk("rewards", shop)).content.decode()


def test_what_is_no_picture_is_refused(shop: Boutique, console: Client) -> None:
    svg = BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    svg.name = "bag.png"
    for body in ({"picture": svg}, {}):
        answer = console.post(reverse("rewards:picture", args=["TOTE"]), body)
        assert answer.status_code >= 400 and "icture" in answer.content.decode()
    assert not RewardPicture.objects.exists()


def test_an_empty_programme_says_what_rewards_are_for(shop: Boutique, console: Client) -> None:
    shop.offer()
    assert "No rewards yet" in console.get(reverse("rewards:overview")).content.decode()


# --- what is to be handed out -------------------------------------------------------------------------


def test_the_list_shows_the_oldest_first_and_narrows(shop: Boutique, console: Client) -> None:
    shop.claim(cause="c1", store_id=shop.store.pk)
    shop.claim(cause="c2", way="parcel")
    page = console.get(reverse("rewards:to-do")).content.decode()
    assert page.index("At the counter · jingan") < page.index(f"to-do/{_id('c2')}/ship")
    for asked, found in (
        ({"way": "parcel"}, {"c2"}),
        ({"store": shop.store.pk}, {"c1"}),
        ({"state": "prepared"}, set()),
        ({"way": "nonsense", "store": "x", "state": "done", "page": "9x"}, {"c1", "c2"}),
    ):
        page = console.get(reverse("rewards:to-do"), asked).content.decode()
        shown = {cause for cause in ("c1", "c2") if f"/to-do/{_id(cause)}/cancel/" in page}
        assert shown == found, asked


def _id(cause: str) -> int:
    return Claim.objects.get(cause__endswith=f":{cause}").pk


def test_claims_are_prepared_together(shop: Boutique, console: Client) -> None:
    ids = [shop.claim(cause=cause).claim.pk for cause in ("c1", "c2")]
    answer = console.post(reverse("rewards:prepare"), {"claim": [*ids, "x"], "way": "counter"}, follow=True)
    assert "2 rewards are prepared." in answer.content.decode()
    assert states() == {"c1": "prepared", "c2": "prepared"}
    assert "way=counter" in answer.redirect_chain[0][0]
    again = console.post(reverse("rewards:prepare"), {"claim": ids}, follow=True)
    assert "Nothing was prepared" in again.content.decode()


def test_a_parcel_is_shipped_with_its_number_and_arrives(shop: Boutique, console: Client) -> None:
    claim = shop.claim(way="parcel").claim
    refused = console.post(reverse("rewards:ship", args=[claim.pk]), {"tracking": ""})
    assert refused.status_code == 400 and "number of the parcel" in refused.content.decode()
    console.post(reverse("rewards:ship", args=[claim.pk]), {"tracking": "SF123"})
    assert "SF123" in console.get(reverse("rewards:to-do")).content.decode()
    console.post(reverse("rewards:arrive", args=[claim.pk]))
    assert states() == {"c1": "done"}
    assert "Nothing to hand out" in console.get(reverse("rewards:to-do")).content.decode()


def test_a_step_that_comes_too_late_says_so(shop: Boutique, console: Client) -> None:
    claim = shop.claim().claim
    rewards.cancel(claim.pk, reason="Changed their mind", actor_id=None)
    answer = console.post(reverse("rewards:hand-over", args=[claim.pk]))
    assert answer.status_code == 409 and "already further" in answer.content.decode()


def test_what_was_cancelled_says_how_much_money_to_give_back(shop: Boutique, console: Client) -> None:
    shop.offer({**TOTE, "money": "9.90"})
    claim = shop.claim().claim
    body = {"reason": "Changed their mind"}
    answer = console.post(reverse("rewards:cancel", args=[claim.pk]), body, follow=True)
    assert "Tote: cancelled. Give ¥9.90 back." in answer.content.decode()


# --- who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "looks", "stocks", "fulfils"),
    [
        ("marketing", True, True, True),
        ("service", True, False, True),
        ("finance", True, False, False),
        ("auditor", True, False, False),
        ("privacy", False, False, False),
    ],
)
def test_each_role_sees_and_does_what_the_matrix_says(
    shop: Boutique, role: str, looks: bool, stocks: bool, fulfils: bool
) -> None:
    claim, client = shop.claim().claim, signed_in(role)
    for page in PAGES:
        answer = client.get(reverse(page))
        assert answer.status_code == (200 if looks else 403)
        if looks:
            assert "no-store" in answer["Cache-Control"]
    body = {"pieces": "1", "reason": "New delivery"}
    changed = client.post(reverse("rewards:stock", args=["TOTE"]), body)
    prepared = client.post(reverse("rewards:prepare"), {"claim": claim.pk})
    assert (changed.status_code == 302, prepared.status_code == 302) == (stocks, fulfils)
    assert (shelf() == (6, 1), states()["c1"] == "prepared") == (stocks, fulfils)


def test_a_clerk_has_no_console(shop: Boutique, desk: Client) -> None:
    for page in PAGES:
        assert desk.get(reverse(page)).status_code in (302, 403)


# --- the member's page --------------------------------------------------------------------------------


def test_the_members_page_shows_what_is_on_its_way_and_what_became_of_it(shop: Boutique) -> None:
    shop.claim()
    with transaction.atomic():
        rewards.owe([shop.gift("TOTE", "g1", why={"code": "twelve", "version": 2})], now=shop.now)
    client = signed_in("service")
    page = client.get(reverse("member:show", args=[number_of(shop.mei)]), {"kind": "claim"}).content.decode()
    assert "Rewards on their way" in page and "Given for twelve, by version 2" in page
    assert page.count("Tote: 100 pts, by version") >= 2


def test_the_lists_show_claims_and_stock_in_words(shop: Boutique) -> None:
    shop.claim()
    client = signed_in("service")
    listed = client.get(reverse("admin:loyalty_claim_changelist")).content.decode()
    assert "Tote: 100 pts, by version" in listed
    opened = client.get(reverse("admin:loyalty_claim_change", args=[Claim.objects.get().pk]))
    assert opened.status_code == 200
    assert "+5" in client.get(reverse("admin:loyalty_shelfmove_changelist")).content.decode()
