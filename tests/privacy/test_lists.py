"""A narrowed list shows what was asked for and nothing else, keeps it, and says what it cannot read."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from members.models import Channel, Member, Order, Store
from privacy import lists, roles
from privacy.lists import AtLeast, EstimatingPaginator
from tests.trade import Trade, buyer

ORDERS, STORES = reverse("admin:members_order_changelist"), reverse("admin:members_store_changelist")
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def trade(db: None) -> Trade:
    """Five orders: four of Tmall, of which one is dear, and one of the app."""
    trade = Trade()
    for number, net in enumerate(("100.00", "150.00", "200.00", "900.00")):
        trade.buy(f"T-{number}", net, buyer("mei"))
    trade.buy("A-1", "120.00", buyer("bo"), channel=trade.app)
    return trade


@pytest.fixture
def reader(db: None) -> Client:
    user, _password = roles.make_staff("lin", "marketing")
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def numbers(client: Client, address: str = ORDERS, **asked: Any) -> list[str]:
    """The orders of the list's page."""
    answer = client.get(address, asked)
    assert answer.status_code == 200
    return sorted(order.number for order in answer.context["cl"].result_list)


def test_several_choices_and_a_range_narrow_together(trade: Trade, reader: Client) -> None:
    asked: dict[str, Any] = {"channel": ["tmall", "app"], "net_from": "120", "net_to": "200.00"}
    assert numbers(reader, **asked) == ["A-1", "T-1", "T-2"]
    assert numbers(reader, **{**asked, "channel": "tmall"}) == ["T-1", "T-2"]
    assert numbers(reader, net_from="900.01") == []


def test_days_are_the_brand_s_and_both_ends_are_included(trade: Trade, reader: Client) -> None:
    for number, hour in (("T-0", 0), ("T-1", 23)):
        Order.objects.filter(number=number).update(placed_at=datetime(2026, 11, 5, hour, 30, tzinfo=SHANGHAI))
    Order.objects.filter(number="T-2").update(placed_at=datetime(2026, 11, 6, tzinfo=SHANGHAI))
    day = {"placed_from": "2026-11-05", "placed_until": "2026-11-05"}
    assert numbers(reader, **day) == ["T-0", "T-1"]
    assert numbers(reader, **{**day, "placed_until": "2026-11-06"}) == ["T-0", "T-1", "T-2"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"placed_from": "abc"}, "Placed: Write a day as 2026-11-22."),
        ({"placed_from": "0001-01-01"}, "Placed: Ensure this value is greater than or equal to 1900-01-01."),
        (
            {"placed_from": "2026-11-06", "placed_until": "2026-11-05"},
            "Placed: The end lies before the beginning.",
        ),
        (
            {"channel": "nowhere"},
            "Channel: Select a valid choice. nowhere is not one of the available choices.",
        ),
        ({"status": ["paid", "\x01"]}, "Status: Select a valid choice."),
        ({"net_from": "NaN"}, "Net: Enter a number."),
        ({"net_to": "1e400"}, "Net: Ensure that there are no more than 12 digits in total."),
        ({"late": "perhaps"}, "Told late: Select a valid choice."),
        ({"digest__startswith": "x"}, "There is no filter called “digest__startswith”."),
        ({"paid_at__gte": "2026-11-01"}, "There is no filter called “paid_at__gte”."),
    ],
)
def test_what_cannot_be_read_is_said_and_no_row_is_shown_for_it(
    trade: Trade, reader: Client, asked: dict[str, Any], said: str
) -> None:
    answer = reader.get(ORDERS, {"channel": "tmall", **asked})
    assert answer.status_code == 200 and list(answer.context["cl"].result_list) == []
    assert said in answer.content.decode().replace("&#x27;", "'")


def test_mistakes_are_said_in_the_reader_s_language(trade: Trade, reader: Client) -> None:
    answer = reader.get(ORDERS, {"status": "perhaps"}, headers={"accept-language": "zh-hans"})
    assert "选择一个有效的选项" in answer.content.decode()


def test_paging_sorting_and_the_search_keep_the_filters(
    trade: Trade, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("members.admin.orders.OrderAdmin.list_per_page", 2)
    asked: dict[str, Any] = {"channel": ["tmall"], "net_from": "", "placed_until": "2999-01-01", "status": ""}
    shown = reader.get(ORDERS, asked)
    page = shown.content.decode()
    for address in ("?channel=tmall&amp;p=2&amp;placed_until=2999-01-01", "channel=tmall&amp;o="):
        assert address in page
    assert '<input type="hidden" name="channel" value="tmall">' in page  # of the search
    assert len(numbers(reader, p="2", **asked)) == 2
    assert numbers(reader, q="T-1", **asked) == ["T-1"] and numbers(reader, q="A-1", **asked) == []
    # The sheet keeps search and order, not the page: there may be fewer.
    kept = reader.get(ORDERS, {**asked, "q": "T-1", "o": "-5", "p": "1"}).context["cl"].kept
    assert sorted(kept) == [("o", "-5"), ("q", "T-1")]


def test_a_page_past_the_end_is_the_last_and_keeps_the_filters(trade: Trade, reader: Client) -> None:
    assert numbers(reader, p="99", channel="tmall") == ["T-0", "T-1", "T-2", "T-3"]


def test_each_filter_that_is_on_is_shown_and_taken_off_alone(trade: Trade, reader: Client) -> None:
    answer = reader.get(ORDERS, {"channel": ["tmall", "app"], "net_from": "120", "net_to": "200", "q": "T-1"})
    asked = answer.context["cl"].asked
    assert [(each.label, each.words) for each, _off in asked] == [
        ("Channel", f"{Channel.objects.get(code='tmall').name}, {Channel.objects.get(code='app').name}"),
        ("Net", "≥ 120 ≤ 200"),
    ]
    without_net = parse_qs(urlsplit(asked[1][1]).query)
    assert without_net == {"channel": ["tmall", "app"], "q": ["T-1"]}
    page = answer.content.decode()
    assert "2 filters on" in page and 'href="?q=T-1"' in page  # and all of them are cleared at once


def test_addresses_from_before_the_filters_are_understood(trade: Trade, reader: Client) -> None:
    Order.objects.filter(number="T-1").update(status="cancelled", stale_count=1)
    assert numbers(reader, status__exact="cancelled") == ["T-1"]
    assert reader.get(ORDERS, {"status__exact": "cancelled"}).context["cl"].asked
    assert numbers(reader, late="1") == ["T-1"]


def test_an_export_holds_the_rows_of_the_filter_and_none_when_it_cannot_be_read(trade: Trade) -> None:
    for code in ("jingan", "xuhui"):
        Store.objects.create(channel=trade.app, code=code, name=code, is_active=code == "jingan")
    client = Client()
    client.force_login(roles.make_staff("admin", "admin")[0])
    address = reverse("admin:members_store_export")

    def exported(**asked: str) -> str:
        fields = ("channel", "code", "name", "province", "city", "is_active")
        answer = client.post(
            f"{address}?{'&'.join(f'{name}={told}' for name, told in asked.items())}",
            {"format": "0", "resource": "", **{f"storesheet_{name}": "on" for name in fields}},
        )
        assert answer["Content-Type"] == "text/csv"
        return answer.content.decode()

    assert "jingan" in exported(is_active="1") and "xuhui" not in exported(is_active="1")
    assert "jingan" not in exported(is_active="perhaps") and "xuhui" not in exported(is_active="perhaps")
    assert "is_active=1" in client.get(STORES, {"is_active": "1"}).content.decode().split("/export/")[1][:40]


def test_members_are_narrowed_by_their_tier_and_their_province(trade: Trade, reader: Client) -> None:
    members = reverse("admin:members_member_changelist")
    Member.objects.update(province="浙江")
    assert len(reader.get(members, {"tier": "basic"}).context["cl"].result_list) == 2
    assert len(reader.get(members, {"tier": "gold"}).context["cl"].result_list) == 0
    assert len(reader.get(members, {"province": "上海市、浙江省"}).context["cl"].result_list) == 2


def test_a_wide_narrowing_is_counted_up_to_a_limit(
    trade: Trade, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_COUNTED", 3)
    with CaptureQueriesContext(connection) as asked:
        paginator = EstimatingPaginator(Order.objects.filter(channel=trade.tmall).order_by("-net"), 2)
        assert (paginator.count, paginator.num_pages, str(paginator.count)) == (3, 2, "3+")
    assert "LIMIT 4" in asked[0]["sql"] and "ORDER BY" not in asked[0]["sql"]
    assert "3+ results" in reader.get(ORDERS, {"channel": "tmall"}).content.decode()
    assert "1 result" in reader.get(ORDERS, {"channel": "app"}).content.decode()
    assert str(AtLeast(10_000)) == "10,000+"
