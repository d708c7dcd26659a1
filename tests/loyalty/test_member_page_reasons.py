"""The pages of the console say why: by which clauses of which version, who did it, and when (B14)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loyalty import adjustments, clock, nightly
from loyalty.models import Coupon, ProgrammeVersion
from members.models import Member
from privacy import roles
from tests.coupon_shop import WELCOME
from tests.trade import Trade, buyer

HELLO: dict[str, Any] = {
    "code": "hello",
    "when": {"field": "order.first", "op": "=", "value": True},
    "then": {"factor": "2", "coupon": "WELCOME", "tier": "silver"},
    "limits": {"per_member": 100},
}


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade(rules=[HELLO], sections={"coupons": [WELCOME]})


@pytest.fixture
def mei(trade: Trade) -> Member:
    """Her first order made her silver, and gave her a coupon."""
    member = trade.buy("T1", "200", buyer("mei"), at=trade.ago(3)).member_id
    assert member is not None
    return Member.objects.get(pk=member)


def signed_in(role: str, language: str = "en") -> Client:
    user = roles.make_staff(role, role)[0]
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    return client


def shown(client: Client, name: str, *args: Any, **asked: str) -> str:
    answer = client.get(reverse(name, args=args), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def version_link() -> str:
    page = reverse("admin:loyalty_programme_compare", args=[ProgrammeVersion.objects.get().pk])
    return f'<a class="sk-link" href="{page}">version 1</a>'


def test_the_time_line_quotes_each_clause_with_what_it_made(mei: Member) -> None:
    page = shown(signed_in("marketing"), "member:show", mei.number, kind="order")
    assert "+200</span> 1 point for each yuan" in page
    assert "it is the first purchase: points × 2, coupon Welcome, tier Silver" in page
    assert "cut from 200 to 100 by its limit: 100 points (a member in all), of which 100 were left" in page
    assert f"Earning rule hello · {version_link()}" in page


def test_who_may_not_open_the_programme_sees_the_version_without_a_link(mei: Member) -> None:
    page = shown(signed_in("service"), "member:show", mei.number)
    assert "Earning rule hello · version 1" in page and version_link() not in page


def test_points_by_hand_name_the_person_and_expired_ones_both_times(trade: Trade, mei: Member) -> None:
    adjustments.adjust(mei.pk, 50, "Late parcel", roles.make_staff("lin", "service")[0], cause="a")
    page = shown(signed_in("marketing"), "member:show", mei.number, kind="points")
    assert "by lin" in page and "Late parcel" in page and "recorded" not in page
    clock.move(timedelta(days=400))
    nightly.post_expiry()
    page = shown(signed_in("auditor"), "member:show", mei.number, kind="points")
    assert "by the programme itself" in page and "recorded 20" in page
    assert "Points run out after 12 months" in page


def test_a_tier_that_was_given_quotes_the_rule_and_links_its_version(mei: Member) -> None:
    page = shown(signed_in("marketing"), "member:tier", mei.number)
    address = reverse("admin:loyalty_programme_compare", args=[ProgrammeVersion.objects.get().pk])
    assert "Given by the earning rule hello" in page and "it is the first purchase: points × 2" in page
    assert f'<a class="sk-link" href="{address}">by version 1 of the programme</a>' in page
    assert f'href="{address}"' not in shown(signed_in("service"), "member:tier", mei.number)


def test_a_coupon_s_page_and_the_panel_say_for_what_it_was_issued(mei: Member) -> None:
    client = signed_in("marketing")
    page = shown(client, "coupons:coupon", Coupon.objects.get().pk)
    assert "Rule hello: it is the first purchase" in page
    assert f"Earning rule hello · {version_link()}" in page
    panel = shown(client, "member:show", mei.number, kind="order")
    assert "Rule hello: it is the first purchase" in panel and version_link() in panel


def test_the_page_asks_the_same_however_much_there_is_to_explain(trade: Trade, mei: Member) -> None:
    client = signed_in("auditor")
    lin = roles.make_staff("lin", "service")[0]

    def cost(*names: str) -> int:
        for name in names:
            trade.buy(name, "100", buyer("mei"))
            trade.refund(name, f"R-{name}", "40")
            trade.spend(mei.pk, 1, cause=name)
            adjustments.adjust(mei.pk, 5, "Late parcel", lin, cause=name)
        shown(client, "member:show", mei.number)
        with CaptureQueriesContext(connection) as asked:
            shown(client, "member:show", mei.number)
        return len(asked)

    assert cost("A1", "A2") == cost("A3", "A4", "A5", "A6")


def test_the_reasons_are_in_the_reader_s_language(mei: Member) -> None:
    page = shown(signed_in("marketing", "zh-hans"), "member:show", mei.number, kind="order")
    assert "银卡" in page and "新人券" in page and "积分规则 hello" in page
