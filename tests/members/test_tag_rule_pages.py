"""The builder of tag rules: rows by buttons, a sentence, a count, and nothing saved that makes no sense."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from members import tag_conditions, tag_rules, tags
from members.jobs import apply_tag_rule, apply_tag_rules
from members.models import Channel, Member, MemberTag, TagRule, TagRun
from privacy import roles
from tests import make
from tests.trade import Trade

ROW = {"row0.fact": "orders", "row0.op": "ge", "row0.value": "1", "row0.days": "", "row0.of": ""}
NEW = reverse("tag-rules:new")


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(role, role)
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def mei(wechat: Channel) -> Member:
    make.heard(wechat, make.order("T-1", who=make.buyer("mei")))
    make.known(wechat, make.buyer("bo"))
    return Member.objects.get(accounts__orders__number="T-1")


def send(client: Client, do: str, address: str = NEW, **more: str) -> Any:
    return client.post(address, {"name": "Regular", "match": "all", **ROW, "do": do, **more})


def test_rows_are_added_and_dropped_without_losing_what_is_typed(mei: Member) -> None:
    client = signed_in("marketing")
    added = send(client, "add").context["form"]
    assert [row.typed["fact"] for row in added.rows] == ["orders", ""]
    more = {"row3.fact": "province", "row3.op": "is", "row3.of": "上海"}
    dropped = send(client, "drop:0", **more).context["form"]
    assert [(row.number, row.typed["of"]) for row in dropped.rows] == [(0, "上海")]
    assert dropped.sentence == "Members with: a home in 上海"
    assert TagRule.objects.count() == 0


def test_counting_says_how_many_and_saves_nothing(mei: Member) -> None:
    page = send(signed_in("marketing"), "count")
    assert page.status_code == 200 and "1 of 2 members" in page.content.decode()
    assert "Members with: 1 or more purchases in any channel, ever" in page.content.decode()
    assert (TagRule.objects.count(), MemberTag.objects.count()) == (0, 0)


def test_a_rule_is_saved_applied_and_seen_on_the_members_page(db: None) -> None:
    Trade().buy("T-1", "10.00", make.buyer("mei"))
    mei = Member.objects.get()
    client = signed_in("marketing")
    assert send(client, "save")["Location"] == reverse("tag-rules:list")
    rule = TagRule.objects.get()
    assert (rule.made_by.username if rule.made_by else "", rule.tag.name) == ("marketing", "Regular")
    apply_tag_rule(rule.pk)
    listed = client.get(reverse("tag-rules:list")).content.decode()
    assert "1 member" in listed and "1 given, 0 taken away" in listed
    shown = client.get(reverse("member:show", args=[mei.number])).content.decode()
    assert "Regular" in shown and "by rule" in shown
    assert reverse("member:take-tag", args=[mei.number, "regular"]) not in shown


def test_a_rule_is_changed_and_switched_off(mei: Member) -> None:
    client = signed_in("marketing")
    send(client, "save")
    rule = TagRule.objects.get()
    edit = reverse("tag-rules:edit", args=[rule.pk])
    assert client.get(edit).context["form"].rows[0].typed["value"] == "1"
    send(client, "save", edit, **{"row0.value": "7"})
    rule.refresh_from_db()
    assert rule.conditions["rows"][0]["value"] == "7"
    client.post(reverse("tag-rules:switch", args=[rule.pk]))
    client.post(reverse("tag-rules:apply", args=[rule.pk]))
    apply_tag_rules(0)
    rule.refresh_from_db()
    assert (rule.is_active, TagRun.objects.latest("pk").members) == (False, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"row0.value": "many"}, "A number is missing"),
        ({"row0.value": "0"}, "At least nothing is true of everybody"),
        ({"row0.fact": "events", "row0.days": ""}, "Say of how many days, 1 to 3650"),
        ({"row0.fact": "", "row0.op": ""}, "Choose what is asked"),
    ],
)
def test_what_is_wrong_is_said_at_its_row(mei: Member, wrong: dict[str, str], said: str) -> None:
    page = send(signed_in("marketing"), "save", **wrong)
    assert page.status_code == 400
    assert page.context["form"].rows[0].error and said in page.content.decode()
    assert TagRule.objects.count() == 0


def test_a_name_that_is_none_and_a_tag_that_has_a_rule_are_refused(mei: Member) -> None:
    client = signed_in("marketing")
    assert send(client, "save", name="!!!").status_code == 400
    send(client, "save")
    again = send(client, "save")
    assert again.status_code == 409 and "has a rule already" in again.content.decode()
    assert TagRule.objects.count() == 1


def test_the_empty_list_offers_the_first_step_and_readers_may_not_write(mei: Member) -> None:
    assert "Write the first one" in signed_in("marketing").get(reverse("tag-rules:list")).content.decode()
    auditor = signed_in("auditor")
    assert "Write the first one" not in auditor.get(reverse("tag-rules:list")).content.decode()
    assert send(auditor, "save").status_code == 403
    assert signed_in("finance").get(reverse("tag-rules:list")).status_code == 403
    assert TagRule.objects.count() == 0


def test_a_kept_rule_of_a_channel_is_in_its_words(mei: Member, wechat: Channel) -> None:
    channels = tag_rules.channel_names()
    row = {"fact": "channel", "op": "is", "of": "wechat"}
    rule = tag_rules.make(
        "Mini", tag_conditions.read({"match": "all", "rows": [row]}, channels=channels), actor_id=None
    )
    assert tag_rules.in_words(rule, channels=channels) == "Members with: an account in wechat"
    assert tags.known() == ["Mini"]
