"""The programme page of the console: edited into a draft, compared, published by a second person."""

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loyalty import programme_file, publishing
from loyalty.admin.programme_form import ProgrammeForm, edited, values
from loyalty.models import ProgrammeVersion
from loyalty.programme import document, parse
from loyalty.publishing import digest, to_edit
from members import channels
from privacy import roles

DEMO = Path(__file__).resolve().parents[2] / "loyalty" / "programmes" / "demo.yaml"
PAGE = "/admin/loyalty/programmeversion/"


def demo() -> dict[str, Any]:
    return document(parse(programme_file.read(DEMO.read_bytes())))


def signed_in(role: str, name: str = "") -> Client:
    user, _password = roles.make_staff(name or role, role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def published(db) -> ProgrammeVersion:
    return publishing.load(demo(), environment="demo").version


@pytest.fixture
def in_production(settings) -> None:
    settings.ENVIRONMENT = "production"


def the_draft() -> ProgrammeVersion:
    draft = publishing.current_draft()
    assert draft is not None
    return draft


def the_newest() -> ProgrammeVersion:
    newest = publishing.newest()
    assert newest is not None
    return newest


def save(client: Client, **changes: str) -> Any:
    """Send the page's form back as the browser would, with some fields changed."""
    base = publishing.current_draft() or the_newest()
    shown = to_edit(base)
    fields = {name: text for name, text in values(shown) if text != "false"}
    return client.post(PAGE, {"seen": digest(base.document)} | fields | changes)


def publish(client: Client, version: ProgrammeVersion, **more: str) -> Any:
    address = reverse("admin:loyalty_programme_publish", args=[version.pk])
    return client.post(address, {"seen": digest(version.document)} | more, follow=True)


def make_ready(client: Client, version: ProgrammeVersion) -> Any:
    address = reverse("admin:loyalty_programme_ready", args=[version.pk])
    return client.post(address, {"seen": digest(version.document)}, follow=True)


# --- the form as a translation -----------------------------------------------------------------------


def test_a_form_sent_back_untouched_changes_nothing():
    base = demo()
    fields = {name: text for name, text in values(base) if text != "false"}
    form = ProgrammeForm(base, fields)
    assert form.is_valid(), form.errors
    assert form.document == base


@settings(deadline=None)
@given(st.sampled_from(sorted(dict(values(demo())))), st.sampled_from(["1", "7", "0.5", "all", "any", ""]))
def test_an_edited_field_changes_that_setting_alone(name, text):
    assume(not name.endswith("-mode") or text in ("all", "any"))
    base = demo()
    before, after = dict(values(base)), dict(values(edited(base, {name: text})))
    assert {other for other in before if before[other] != after[other]} <= {name} | _tied(name)


def _tied(name: str) -> set[str]:
    """An expiry, a window and a length are one setting of the document in several fields."""
    for stem in ("expiry-", "window-", "length-"):
        before, found, _after = name.partition(stem)
        if found:
            return {f"{before}{stem}{part}" for part in ("form", "count", "round_up_to")}
    # What is written into the second place stands in the first when that is empty.
    return {name.replace("use2", "use1")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"points-expiry-form": "never"}, "never"),
        (
            {"points-expiry-form": "days", "points-expiry-count": "90"},
            {"after": {"days": 90}, "round_up_to": "month_end"},
        ),
        ({"points-expiry-form": "years", "points-expiry-count": "1"}, {"at": "year_end", "years": 1}),
        ({"points-expiry-round_up_to": ""}, {"after": {"months": 12}}),
    ],
)
def test_every_form_of_expiry_can_be_chosen(changes, expected):
    assert edited(demo(), changes)["points"]["expiry"] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tiers-1-qualify-window-form": "calendar"}, {"window": {"calendar": "year"}}),
        ({"tiers-1-qualify-window-form": "anniversary"}, {"window": {"anniversary": "joined"}}),
        ({"tiers-1-qualify-window-count": "6"}, {"window": {"months": 6}}),
        ({"tiers-1-qualify-by_invitation": "true"}, {"by_invitation": True}),
        (
            {"tiers-1-qualify-top_percent": "1", "tiers-1-qualify-cut": "year"},
            {"top_percent": "1", "cut": "year"},
        ),
        ({"tiers-1-qualify-asked-growth": "800"}, {"all": {"spend": "3000", "orders": 5, "growth": 800}}),
    ],
)
def test_every_way_into_a_tier_can_be_chosen(changes, expected):
    assert edited(demo(), changes)["tiers"][1]["qualify"].items() >= expected.items()


def test_how_long_a_tier_lasts_and_what_keeps_it_can_be_chosen():
    changes = {
        "tiers-1-keep-length-form": "years",
        "tiers-1-keep-length-count": "1",
        "tiers-1-keep-needs-spend": "2000",
        "tiers-1-keep-needs-mode": "any",
        "tiers-1-keep-warn_days": "14",
    }
    keep = edited(demo(), changes)["tiers"][1]["keep"]
    assert (keep["years"], keep["needs"], keep["warn_days"]) == (1, {"any": {"spend": "2000"}}, 14)
    assert "months" not in keep


def test_benefits_of_every_kind_can_be_given():
    changes = {
        "tiers-1-benefits-provinces": "北京市、天津市",
        "tiers-1-benefits-use1-code": "weekly-tea",
        "tiers-1-benefits-use1-name-en": "A cup of tea",
        "tiers-1-benefits-use1-per": "week",
        "tiers-1-benefits-extra-words-zh-hans": "专属茶会",
        "tiers-1-benefits-birthday-points": "88",
    }
    given = edited(demo(), changes)["tiers"][1]["benefits"]
    assert given["provinces"] == ["北京市", "天津市"]
    assert given["uses"] == [{"code": "weekly-tea", "name": {"en": "A cup of tea"}, "per": "week"}]
    assert given["extra"]["words"] == {"zh-hans": "专属茶会"}
    assert given["birthday"] == {"factor": "2", "points": 88}


def test_a_counted_benefit_whose_fields_are_emptied_is_gone():
    emptied = {
        f"tiers-2-benefits-use1-{name}": ""
        for name in ("code", "name-zh-hans", "name-en", "discount", "amount", "times", "per")
    }
    assert "uses" not in edited(demo(), emptied)["tiers"][2]["benefits"]


def test_all_becomes_any():
    qualify = edited(demo(), {"tiers-1-qualify-mode": "any"})["tiers"][1]["qualify"]
    assert qualify == {"window": {"months": 12}, "any": {"spend": "3000", "orders": 5}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tiers-1-qualify-asked-spend", "lots"),
        ("tiers-2-qualify-asked-orders", "1.5"),
        ("tiers-1-benefits-discount", "1.5"),
        ("points-expiry-count", ""),
        ("points-base_per_yuan", "-1"),
        ("tiers-3-keep-length-count", "0"),
    ],
)
def test_a_mistake_is_shown_at_its_field(name, text):
    base = demo()
    form = ProgrammeForm(base, dict(values(base)) | {"points-points_paid_earns": "", name: text})
    assert not form.is_valid()
    assert name in form.errors


# --- the page ----------------------------------------------------------------------------------------


def test_the_page_shows_the_matrix(published):
    page = signed_in("marketing").get(PAGE)
    assert page.status_code == 200
    html = page.content.decode()
    assert 'name="tiers-2-qualify-asked-spend" value="10000"' in html
    assert "channel is one of tmall and goods after discounts is at least ¥300: points × 2" in html
    assert "Save as a draft" in html


def test_the_page_calls_channels_by_their_names(published):
    channels.make("tmall", "tmall", name="天猫旗舰店")
    page = signed_in("marketing").get(PAGE, headers={"accept-language": "en"}).content.decode()
    assert "channel is one of 天猫旗舰店" in page and "one of tmall" not in page


def test_who_removes_a_tier_that_is_still_named_is_told_where(published):
    marketing = signed_in("marketing")
    assert save(marketing, **{"remove-tiers": "gold"}).status_code == 302
    address = f"{PAGE}{the_draft().pk}/compare/"
    page = marketing.get(address, headers={"accept-language": "en"}).content.decode()
    assert "rewards[0].tiers names the tier gold" in page


def test_without_a_programme_the_page_offers_the_first_step(db):
    html = signed_in("marketing").get(PAGE).content.decode()
    assert "There is no programme yet" in html and 'name="file"' in html


def test_a_flag_that_is_off_is_not_ticked_and_own_words_stay(db):
    own = demo()
    own["points"]["points_paid_earns"] = False
    own["tiers"][0]["benefits"]["shipping"] = "by-balloon"
    form = ProgrammeForm(own)
    assert "checked" not in str(form["points-points_paid_earns"])
    assert '<option value="by-balloon" selected>' in str(form["tiers-0-benefits-shipping"])
    own["points"]["points_paid_earns"] = True
    assert "checked" in str(ProgrammeForm(own)["points-points_paid_earns"])


def test_an_edit_becomes_a_draft_and_the_page_says_so(published):
    marketing = signed_in("marketing")
    assert save(marketing, **{"tiers-1-qualify-asked-spend": "4000"}).status_code == 302
    draft = the_draft()
    assert draft.document["tiers"][1]["qualify"]["all"] == {"spend": "4000", "orders": 5}
    assert draft.drafted_by == User.objects.get(username="marketing")
    html = marketing.get(PAGE).content.decode()
    assert "Draft: 1 change" in html
    assert '<span class="sk-was">3000</span>' in html


def test_the_next_version_does_not_begin_when_the_last_one_did(published):
    marketing = signed_in("marketing")
    save(marketing, **{"points-adjust_limit": "500"})
    assert "effective_from" not in the_draft().document
    save(marketing, effective_from="2030-01-01T00:00:00+08:00")
    publish(marketing, the_draft())
    assert publishing.current().programme.points.adjust_limit == 1000
    assert the_newest().effective_from == datetime(2029, 12, 31, 16, tzinfo=UTC)


def test_saving_what_is_published_makes_no_draft(published):
    assert save(signed_in("marketing")).status_code == 302
    assert publishing.current_draft() is None


def test_edited_back_to_what_is_published_no_draft_is_left(published):
    marketing = signed_in("marketing")
    save(marketing, **{"tiers-1-qualify-asked-spend": "4000"})
    save(marketing, **{"tiers-1-qualify-asked-spend": "3000"})
    assert publishing.current_draft() is None


def test_a_wrong_edit_saves_nothing_and_keeps_what_was_typed(published):
    page = save(signed_in("marketing"), **{"tiers-2-qualify-asked-spend": "2000"})
    assert page.status_code == 200 and publishing.current_draft() is None
    html = page.content.decode()
    assert "This tier asks less than the tier below it." in html
    assert 'name="tiers-2-qualify-asked-spend" value="2000"' in html


def test_who_saves_over_another_change_is_told(published):
    marketing = signed_in("marketing")
    old = {"seen": digest(published.document)} | dict(values(published.document))
    save(marketing, **{"points-pending_days": "7"})
    page = marketing.post(PAGE, old | {"points-pending_days": "3"})
    assert "Somebody else changed the draft meanwhile." in page.content.decode()
    assert the_draft().document["points"]["pending_days"] == 7


def test_tiers_and_rules_come_and_go(published):
    marketing = signed_in("marketing")
    save(marketing, **{"new-tier": "black"})
    assert [tier["code"] for tier in the_draft().document["tiers"]][-2:] == [
        "diamond",
        "black",
    ]
    save(marketing, **{"remove-tiers": "black", "remove-rules": "double-eleven"})
    now = the_draft().document
    assert [tier["code"] for tier in now["tiers"]] == ["basic", "silver", "gold", "diamond"]
    assert [rule["code"] for rule in now["rules"]] == ["mini-program-basket"]


def test_compare_tells_old_and_new_in_words(published):
    marketing = signed_in("marketing")
    save(marketing, **{"tiers-1-qualify-asked-spend": "4000"})
    html = marketing.get(reverse("admin:loyalty_programme_compare", args=[the_draft().pk]))
    assert '<span class="sk-was">3000</span>' in html.content.decode()
    assert "Tier silver" in html.content.decode()


def test_a_file_out_and_in(published):
    marketing = signed_in("marketing")
    file = marketing.get(reverse("admin:loyalty_programme_file"))
    assert programme_file.read(file.content) == programme_file.read(DEMO.read_bytes())
    changed = copy.deepcopy(demo())
    changed["points"]["adjust_limit"] = 500
    for text, drafted in ((file.content, False), (programme_file.write(changed).encode(), True)):
        upload = SimpleUploadedFile("programme.yaml", text)
        marketing.post(reverse("admin:loyalty_programme_file"), {"file": upload})
        assert (publishing.current_draft() is not None) is drafted


def test_a_broken_file_is_refused_with_its_place(published):
    marketing = signed_in("marketing")
    upload = SimpleUploadedFile("programme.yaml", b"programme: main\ntiers: [\n")
    page = marketing.post(reverse("admin:loyalty_programme_file"), {"file": upload}, follow=True)
    assert "line 3, column 1" in page.content.decode()
    assert publishing.current_draft() is None


# --- publishing --------------------------------------------------------------------------------------


def test_in_the_demo_whoever_drafts_publishes_at_once(published):
    marketing = signed_in("marketing")
    save(marketing, **{"points-adjust_limit": "500"})
    publish(marketing, the_draft())
    assert publishing.current().programme.points.adjust_limit == 500


def test_in_production_marketing_drafts_and_an_admin_publishes(published, in_production):
    marketing = signed_in("marketing")
    save(marketing, **{"points-adjust_limit": "500"})
    draft = the_draft()
    assert publish(marketing, draft).status_code == 403
    admin = signed_in("admin")
    assert "not ready for review yet" in publish(admin, draft).content.decode()
    assert publishing.current().programme.points.adjust_limit == 1000
    make_ready(marketing, draft)
    publish(admin, draft)
    assert publishing.current().programme.points.adjust_limit == 500


def test_an_admin_with_a_hand_in_the_draft_gives_a_reason(published, in_production):
    admin = signed_in("admin")
    user_id = int(admin.session["_auth_user_id"])
    changed = demo()
    changed["points"]["adjust_limit"] = 500
    draft = publishing.draft(changed).version
    draft.drafters = [user_id]
    draft.save(update_fields=["drafters"])
    page = admin.get(reverse("admin:loyalty_programme_compare", args=[draft.pk])).content.decode()
    assert "a second person publishes it" in page
    assert "A second person must publish this programme." in publish(admin, draft).content.decode()
    publish(admin, draft, break_glass="the live factor is wrong")
    draft.refresh_from_db()
    assert (draft.state, draft.break_glass_reason) == ("published", "the live factor is wrong")


def test_what_changed_after_it_was_read_is_not_published(published):
    marketing = signed_in("marketing")
    save(marketing, **{"points-adjust_limit": "500"})
    seen = digest(the_draft().document)
    save(marketing, **{"points-adjust_limit": "900000"})
    publish(marketing, the_draft(), seen=seen)
    assert publishing.current().programme.points.adjust_limit == 1000


def test_a_reviewer_sends_a_draft_back_with_a_reason(published, in_production):
    marketing, admin = signed_in("marketing"), signed_in("admin")
    save(marketing, **{"points-adjust_limit": "500"})
    make_ready(marketing, the_draft())
    assert (the_draft().ready_by, the_draft().ready_at is None) == (
        User.objects.get(username="marketing"),
        False,
    )
    back = reverse("admin:loyalty_programme_send_back", args=[the_draft().pk])
    admin.post(back, {"reason": "no"})
    assert the_draft().ready_at is not None
    page = admin.post(back, {"reason": "500 is too little"}, follow=True).content.decode()
    assert "Sent back: 500 is too little" in page
    assert (the_draft().ready_at, the_draft().sent_back) == (None, "500 is too little")
    assert "not ready for review yet" in publish(admin, the_draft()).content.decode()
    make_ready(marketing, the_draft())
    assert (the_draft().sent_back, the_draft().ready_at is None) == ("", False)


def test_an_edit_after_it_was_ready_makes_it_unready(published, in_production):
    marketing, admin = signed_in("marketing"), signed_in("admin")
    save(marketing, **{"points-adjust_limit": "500"})
    make_ready(marketing, the_draft())
    save(marketing, **{"points-adjust_limit": "900000"})
    assert the_draft().ready_at is None
    publish(admin, the_draft())
    assert publishing.current().programme.points.adjust_limit == 1000


# --- who may -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "reads", "drafts"),
    [
        ("marketing", True, True),
        ("admin", True, False),
        ("finance", True, False),
        ("auditor", True, False),
        ("service", False, False),
        ("privacy", False, False),
    ],
)
def test_each_role_does_what_the_matrix_says(published, role, reads, drafts):
    client = signed_in(role)
    assert client.get(PAGE).status_code == (200 if reads else 403)
    assert client.get(reverse("admin:loyalty_programme_file")).status_code == (200 if reads else 403)
    assert client.get(reverse("admin:loyalty_programme_versions")).status_code == (200 if reads else 403)
    assert save(client, **{"points-pending_days": "7"}).status_code == (302 if drafts else 403)
    assert (publishing.current_draft() is not None) is drafts


def test_a_stranger_is_sent_to_sign_in(published):
    answer = Client().get(PAGE)
    assert answer.status_code == 302 and "login" in answer["Location"]


def test_the_page_costs_a_fixed_number_of_queries(published, django_assert_max_num_queries):
    marketing = signed_in("marketing")
    marketing.get(PAGE)
    with django_assert_max_num_queries(10):
        marketing.get(PAGE)
