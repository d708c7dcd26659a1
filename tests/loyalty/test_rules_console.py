"""The console's earning rules: listed, built, tried out and put through their life."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from loyalty import publishing, rule_drafts
from loyalty.models import Entry, ProgrammeVersion
from members.models import Member
from privacy import roles
from privacy.models import AccessRecord
from tests.trade import PROGRAMME, Trade, buyer

LIST = "/rules/"
COUPON = {
    "code": "WELCOME",
    "name": {"en": "Welcome", "zh-hans": "新人券"},
    "kind": "amount",
    "value": "20",
    "valid": {"days": 30},
}
DOUBLE = {
    "code": "double",
    "when": {"all": [{"field": "order.channel", "op": "in", "value": ["tmall"]}]},
    "then": {"factor": "2"},
    "limits": {"budget": 500},
}
HELLO = {"code": "hello", "then": {"bonus": 5}}


@pytest.fixture
def shop(db: None) -> Trade:
    return Trade(rules=[DOUBLE, HELLO], sections={"coupons": [COUPON]})


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client()
    client.force_login(user)
    return client


def seen() -> str:
    return publishing.digest(rule_drafts.base().document)


def codes() -> list[str]:
    return [rule["code"] for rule in rule_drafts.base().document["rules"]]


def press(client: Client, code: str, verb: str, **more: str) -> Any:
    return client.post(f"/rules/rule/{code}/{verb}/", {"seen": seen()} | more)


def text_of(response: Any) -> str:
    return str(response.content.decode())


RULE = {
    "code": "weekend",
    "when.kind": "all",
    "when.0.field": "order.weekday",
    "when.0.op": "in",
    "when.0.value": ["saturday", "sunday"],
    "when.1.field": "order.paid",
    "when.1.op": ">=",
    "when.1.value": "100",
    "factor": "1.5",
    "coupon": "WELCOME",
    "budget": "1000",
}


def send(client: Client, address: str = "/rules/new/", do: str = "save", **changes: Any) -> Any:
    return client.post(address, {"seen": seen(), "do": do} | RULE | changes)


# --- the list -----------------------------------------------------------------------------------------


def test_the_list_says_what_each_rule_does_in_order_of_priority(shop: Trade) -> None:
    page = text_of(signed_in("marketing").get(LIST))
    assert page.index("Channel is one of tmall: points × 2") < page.index("Every order: 5 bonus points")
    assert "Version 1 is live since" in page and "New rule" in page
    assert 'hx-get="/rules/?given=1' in page


def test_what_is_live_shows_what_it_gave_to_whom_and_what_is_left(shop: Trade) -> None:
    for number, who in enumerate(["mei", "mei", "bo"]):
        shop.buy(f"T{number}", "100", buyer(who))
    page = text_of(signed_in("finance").get(LIST, {"given": "1"}))
    assert "300 pts to 2 members" in page
    assert "200 of 500" in page
    assert "15 pts to 2 members" in page


def test_the_list_is_narrowed_by_time_and_words(shop: Trade) -> None:
    marketing = signed_in("marketing")
    press(marketing, "hello", "end")
    for narrow, expected in [
        ({"phase": "over"}, ["hello"]),
        ({"phase": "running"}, ["double"]),
        ({"phase": "to_come"}, []),
        ({"q": "TMALL"}, ["double"]),
        ({"q": "hel"}, ["hello"]),
    ]:
        page = marketing.get(LIST, narrow)
        assert [each.rule.code for each in page.context["rules"]] == expected, narrow
    assert "No rule is like that." in text_of(marketing.get(LIST, {"q": "nothing"}))


def test_a_programme_without_rules_offers_the_first_step(db: None) -> None:
    Trade()
    assert "Write the first rule" in text_of(signed_in("marketing").get(LIST))
    assert "Write the first rule" not in text_of(signed_in("finance").get(LIST))


def test_without_a_programme_the_first_step_is_the_programme(db: None) -> None:
    answer = signed_in("marketing").get(LIST)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("admin:loyalty_programmeversion_changelist")


def test_rules_are_moved_copied_ended_and_removed_in_the_draft(shop: Trade) -> None:
    marketing = signed_in("marketing")
    press(marketing, "hello", "up")
    assert codes() == ["hello", "double"]
    press(marketing, "hello", "copy")
    assert codes() == ["hello", "hello-2", "double"]
    press(marketing, "hello", "down")
    press(marketing, "double", "remove")
    assert codes() == ["hello-2", "hello"]
    press(marketing, "hello", "end")
    assert "to" in rule_drafts.find(rule_drafts.base().document, "hello")
    page = text_of(marketing.get(LIST))
    assert "New in the draft" in page and "Changed in the draft" in page and "Compare and hand in" in page
    assert [rule.code for rule in publishing.current().programme.rules] == ["double", "hello"]


def test_a_button_of_an_old_page_changes_nothing(shop: Trade) -> None:
    marketing = signed_in("marketing")
    old = seen()
    press(marketing, "hello", "up")
    page = marketing.post("/rules/rule/double/remove/", {"seen": old}, follow=True)
    assert "Somebody else changed the draft meanwhile." in text_of(page)
    assert codes() == ["hello", "double"]


@pytest.mark.parametrize(("code", "verb"), [("nobody", "remove"), ("hello", "explode")])
def test_what_is_not_there_is_not_found(shop: Trade, code: str, verb: str) -> None:
    assert press(signed_in("marketing"), code, verb).status_code == 404
    assert publishing.current_draft() is None


def test_an_end_before_the_beginning_is_refused_with_its_reason(shop: Trade) -> None:
    marketing = signed_in("marketing")
    send(marketing, **{"from": "2090-01-01T00:00"})
    page = marketing.post("/rules/rule/weekend/end/", {"seen": seen()}, follow=True)
    assert "The rule ends before it begins." in text_of(page)


# --- the builder --------------------------------------------------------------------------------------


def test_a_rule_is_built_by_rows_and_saved_in_the_draft(shop: Trade) -> None:
    assert send(signed_in("marketing")).status_code == 302
    assert rule_drafts.find(rule_drafts.base().document, "weekend") == {
        "code": "weekend",
        "when": {
            "all": [
                {"field": "order.weekday", "op": "in", "value": ["saturday", "sunday"]},
                {"field": "order.paid", "op": ">=", "value": "100"},
            ]
        },
        "then": {"factor": "1.5", "coupon": "WELCOME"},
        "limits": {"budget": 1000},
    }
    draft = publishing.current_draft()
    assert draft is not None and draft.drafted_by is not None
    assert draft.drafted_by.get_username() == "marketing"


def test_the_sentence_is_in_the_readers_language_and_calls_things_by_name(shop: Trade) -> None:
    marketing = signed_in("marketing")
    sentence = "Day of the week is one of Saturday, Sunday and goods after discounts is at least ¥100:"
    page = text_of(send(marketing, do=""))
    assert f"{sentence} points × 1.5, coupon Welcome; at most 1,000 points (all members together)" in page
    chinese = text_of(
        marketing.post("/rules/new/", {"seen": seen(), "do": ""} | RULE, headers={"accept-language": "zh-CN"})
    )
    assert "新人券" in chinese and "1.5" in chinese and "1,000" in chinese
    assert publishing.current_draft() is None


def test_what_is_unfinished_is_left_out_of_the_sentence(shop: Trade) -> None:
    page = text_of(send(signed_in("marketing"), do="", **{"when.1.value": "lots"}))
    assert "Day of the week is one of Saturday, Sunday: points × 1.5" in page
    assert "(not finished)" in page


def test_rows_come_and_go_without_a_script(shop: Trade) -> None:
    marketing = signed_in("marketing")
    page = text_of(send(marketing, do="add:when"))
    assert 'name="when.2.field"' in page and "autofocus" in page
    assert 'name="when.1.field"' not in text_of(send(marketing, do="drop:when.1"))
    assert 'name="when.2.0.field"' in text_of(send(marketing, do="group:when"))
    assert publishing.current_draft() is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"when.1.value": "lots"}, "Write an amount"),
        ({"when.0.value": []}, "Write a text"),
        ({"code": "hello"}, "This code is there twice."),
        ({"code": ""}, "This is missing."),
        ({"factor": "", "coupon": "", "budget": ""}, "Say what the rule gives."),
        ({"budget": "-1"}, "Write a whole number from 0"),
        ({"when.0.field": "order.is_member_day", "when.0.op": "=", "when.0.value": "true"}, "no member day"),
    ],
)
def test_a_mistake_saves_nothing_and_stands_where_it_was_made(
    shop: Trade, changes: dict[str, Any], said: str
) -> None:
    page = send(signed_in("marketing"), **changes)
    assert page.status_code == 422
    assert said in text_of(page) and "Nothing was saved." in text_of(page)
    assert publishing.current_draft() is None


def test_an_unknown_field_is_refused(shop: Trade) -> None:
    page = send(signed_in("marketing"), **{"when.0.field": "order.colour"})
    assert "There is no such field." in text_of(page)
    assert publishing.current_draft() is None


def test_who_saves_over_another_change_is_told(shop: Trade) -> None:
    marketing = signed_in("marketing")
    page = send(marketing, seen="of another day")
    assert "Somebody else changed the draft meanwhile." in text_of(page)
    assert publishing.current_draft() is None


def test_a_rule_that_is_opened_and_saved_is_no_change(shop: Trade) -> None:
    marketing = signed_in("marketing")
    answer = marketing.post(
        "/rules/rule/double/",
        {
            "seen": seen(),
            "do": "save",
            "code": "double",
            "when.kind": "all",
            "when.0.field": "order.channel",
            "when.0.op": "in",
            "when.0.value": "tmall",
            "factor": "2",
            "budget": "500",
        },
    )
    assert answer.status_code == 302
    assert publishing.current_draft() is None


def test_a_rule_of_every_kind_of_field_can_be_opened(db: None) -> None:
    fields = [
        {"field": "order.store", "op": "in", "value": ["S1"]},
        {"field": "order.time", "op": "between", "value": ["22:00", "02:00"]},
        {"field": "order.time", "op": ">=", "value": "2026-11-11T00:00:00+08:00"},
        {"field": "order.day", "op": "in", "value": [8, 18]},
        {"field": "order.first", "op": "=", "value": True},
        {"field": "member.birthday_month", "op": "=", "value": True},
        {"field": "member.segments", "op": "contains", "value": "loyal"},
        {"field": "member.tags", "op": "not_in", "value": ["gone"]},
        {"not": {"any": [{"field": "line.category", "op": "contains", "value": "tea"}, HELLO_CHECK]}},
    ]
    Trade(rules=[{"code": "all", "when": {"all": fields}, "then": {"tier": "gold"}}])
    page = signed_in("marketing").get("/rules/rule/all/")
    assert page.status_code == 200
    for shown in ("none of these holds", "Other", "the month of the order", 'value="gone"'):
        assert shown in text_of(page), shown


HELLO_CHECK = {"field": "member.joined_days", "op": "<", "value": 7}


# --- the test bench -----------------------------------------------------------------------------------


def basket(**told: str) -> dict[str, str]:
    return {
        "bench-channel": "tmall",
        "bench-tier": "basic",
        "bench-paid": "200",
        "bench-at": "2026-11-14T12:00",
    } | told


def test_a_basket_is_tried_out_with_the_rule_as_it_is_typed(shop: Trade) -> None:
    page = text_of(send(signed_in("marketing"), do="try", **basket()))
    assert "600 pts" not in page and "405 pts" in page  # of 1.5 and 2 the greater counts, and 5 more
    assert "200 × 1 × 1 × 2 + 5 = 405" in page
    assert "Holds" in page and "coupon Welcome" in page and "300 pts left (all members together)" in page
    assert publishing.current_draft() is None


def test_the_bench_compares_with_what_is_live(shop: Trade) -> None:
    page = send(signed_in("marketing"), do="try", **basket(), factor="3")
    assert (page.context["bench"].trial.points, page.context["bench"].live.points) == (605, 405)


def test_a_past_order_is_tried_out(shop: Trade) -> None:
    shop.buy("T-1", "100", buyer("mei"))
    page = send(
        signed_in("marketing"), do="try", **{"bench-order": "T-1"}, factor="4", **{"when.kind": "none"}
    )
    trial = page.context["bench"].trial
    assert (trial.earned, trial.purchase.net) == (205, 100)
    assert "It did earn" in text_of(page) and "205 pts" in text_of(page)


def test_whom_the_bench_looked_at_goes_on_record(shop: Trade) -> None:
    member = Member.objects.get(pk=shop.buy("T-1", "100", buyer("mei")).member_id or 0)
    before = (Entry.objects.count(), ProgrammeVersion.objects.count())
    page = send(signed_in("marketing"), do="try", **basket(**{"bench-member": member.number}))
    assert page.context["bench"].trial.purchase.member_id == member.pk
    assert AccessRecord.objects.filter(member=member, action="view").count() == 1
    assert (Entry.objects.count(), ProgrammeVersion.objects.count()) == before


def test_lines_make_the_basket(shop: Trade) -> None:
    lines: dict[str, Any] = {
        "bench.product": ["T1", "C1", ""],
        "bench.category": ["tea", "cup", ""],
        "bench.amount": ["60", "140", ""],
    }
    page = send(signed_in("marketing"), do="try", **basket(**{"bench-paid": ""}), **lines)
    assert page.context["bench"].trial.purchase.net == 200
    assert text_of(page).count('name="bench.product"') == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"bench-member": "SK-NOBODY"}, "No member was found."),
        ({"bench-order": "MISSING"}, "There is no such order"),
        ({"bench-paid": "-3"}, "greater than or equal to 0"),
        ({"bench.amount": "lots", "bench.product": "T", "bench.category": ""}, "Type the amount of a line"),
    ],
)
def test_what_cannot_be_tried_is_told_at_its_place(shop: Trade, typed: dict[str, str], said: str) -> None:
    page = text_of(send(signed_in("marketing"), do="try", **basket(**typed)))
    assert said in page and "With this draft" not in page


def test_an_unfinished_rule_is_not_tried(shop: Trade) -> None:
    page = text_of(send(signed_in("marketing"), do="try", **basket(), factor="many"))
    assert "The rule is not finished" in page and "With this draft" not in page


def test_who_may_only_look_tries_out_the_rule_as_it_is(shop: Trade) -> None:
    finance = signed_in("finance")
    page = send(finance, "/rules/rule/double/", do="try", **basket())
    assert page.context["bench"].trial.points == 405
    assert "bench-member" not in text_of(page)
    assert send(finance, "/rules/rule/double/").status_code == 403


# --- its life -----------------------------------------------------------------------------------------


def test_drafted_reviewed_live(shop: Trade, settings: Any) -> None:
    settings.ENVIRONMENT = "production"
    marketing, admin = signed_in("marketing"), signed_in("admin")
    send(marketing)
    draft = publishing.current_draft()
    assert draft is not None
    told = {"seen": seen()}
    publish = reverse("admin:loyalty_programme_publish", args=[draft.pk])
    assert "not ready for review yet" in text_of(admin.post(publish, told, follow=True))
    marketing.post(reverse("admin:loyalty_programme_ready", args=[draft.pk]), told)
    assert "Ready for review" in text_of(admin.get(LIST))
    admin.post(publish, told)
    assert [rule.code for rule in publishing.current().programme.rules] == ["double", "hello", "weekend"]
    draft.refresh_from_db()
    assert draft.published_by is not None and draft.published_by.get_username() == "admin"
    assert draft.break_glass_reason == ""


def test_versions_tell_what_changed_about_the_rules(shop: Trade) -> None:
    marketing = signed_in("marketing")
    send(marketing, "/rules/rule/hello/", code="hello")
    document = publishing.to_edit(rule_drafts.base())
    publishing.load({**document, "points": {"adjust_limit": 5}}, environment="demo")
    press(marketing, "double", "remove")
    page = text_of(marketing.get("/rules/versions/"))
    assert "Rule double is removed" in page
    assert "Rule hello: bonus points 5 → –" in page
    assert "Rule double is new: channel is one of tmall: points × 2" in page
    assert page.index("Version 3") < page.index("Version 2") < page.index("Version 1")
    narrowed = marketing.get("/rules/versions/", {"state": "draft"})
    assert [each.version.number for each in narrowed.context["chapters"]] == [3]
    assert [chapter.others for chapter in marketing.get("/rules/versions/").context["chapters"]][:2] == [0, 2]
    for narrow, numbers in [
        ({"since": "2020-01-01"}, [2, 1]),
        ({"until": "2020-01-01"}, []),
        ({"since": "soon"}, [3, 2, 1]),
    ]:
        found = marketing.get("/rules/versions/", narrow)
        assert [each.version.number for each in found.context["chapters"]] == numbers, narrow


# --- who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "sees", "drafts"),
    [
        ("marketing", True, True),
        ("admin", True, False),
        ("finance", True, False),
        ("auditor", True, False),
        ("service", False, False),
        ("privacy", False, False),
    ],
)
def test_each_role_does_what_the_matrix_says(shop: Trade, role: str, sees: bool, drafts: bool) -> None:
    client = signed_in(role)
    for address in (LIST, "/rules/versions/", "/rules/rule/double/"):
        assert client.get(address).status_code == (200 if sees else 403), address
    assert send(client).status_code == (302 if drafts else 403)
    assert press(client, "hello", "remove").status_code == (302 if drafts else 403)


def test_a_stranger_is_sent_to_sign_in(shop: Trade) -> None:
    for address in (LIST, "/rules/new/", "/rules/versions/"):
        answer = Client().get(address)
        assert answer.status_code == 302 and "login" in answer["Location"]


def test_pages_cost_a_fixed_number_of_queries(db: None, django_assert_max_num_queries: Any) -> None:
    Trade(rules=[{"code": f"r{number}", "then": {"bonus": 1}} for number in range(40)])
    for number in range(5):
        publishing.load({**PROGRAMME, "points": {"adjust_limit": number}}, environment="demo")
    marketing = signed_in("marketing")
    marketing.get(LIST)
    for address in (f"{LIST}?given=1", "/rules/new/", "/rules/versions/"):
        with django_assert_max_num_queries(16):
            assert marketing.get(address).status_code == 200
