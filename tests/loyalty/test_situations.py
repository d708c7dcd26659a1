"""What rules see of an order and its buyer: the first, the repeated, the birthday, the tags (B5)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty import accounts, orders, situations
from loyalty.conditions import Situation
from loyalty.programme import Programme, parse
from loyalty.situations import Basket, Buyers
from loyalty.tiers import Purchase
from members.facts import LineFact
from members.models import Member, Tag
from tests.trade import PROGRAMME, Trade, buyer, phone, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 15, 4, 0, tzinfo=UTC)  # noon in Shanghai


def programme(*fields: tuple[str, str, object]) -> Programme:
    """A programme with a rule that asks each of these, as `(field, op, value)`."""
    asked = [dict(zip(("field", "op", "value"), field, strict=True)) for field in fields]
    rules = [{"code": f"r{n}", "when": when, "then": {"bonus": 1}} for n, when in enumerate(asked)]
    return parse({**PROGRAMME, "rules": rules})


def seen(
    *, at: datetime = AT, bought: Sequence[Purchase] = (), buyers: Buyers | None = None, **order: Any
) -> Situation:
    """The situation of a basket of 200 yuan, of member 1."""
    basket = Basket(
        **{"member_id": 1, "channel_code": "tmall", "store_code": "", "net": Decimal(200), **order}
    )
    return situations.of(
        basket, at=at, tier="silver", buyers=buyers or Buyers(), bought=bought, zone=SHANGHAI
    )


def bought(*days_ago: float, kept: str = "100") -> list[Purchase]:
    return [
        Purchase(AT - timedelta(days=days), Decimal(kept), number) for number, days in enumerate(days_ago, 1)
    ]


# --- the order ----------------------------------------------------------------------------------------


def test_an_order_is_seen_with_its_channel_store_sum_and_lines() -> None:
    lines = (
        LineFact(product="TEA", category="drinks", amount=Decimal("80.00")),
        LineFact(product="CUP", quantity=3, price=Decimal("50"), discount=Decimal("30")),
        LineFact(product="GIFT", price=Decimal("1"), discount=Decimal("5")),
    )
    situation = seen(store_code="jingan", lines=lines)
    assert (situation.order_channel, situation.order_store) == ("tmall", "jingan")
    assert (situation.order_paid, situation.order_time, situation.member_tier) == (Decimal(200), AT, "silver")
    assert [(line.category, line.product, line.amount) for line in situation.lines] == [
        ("drinks", "TEA", Decimal("80.00")),
        ("", "CUP", Decimal(120)),
        ("", "GIFT", Decimal(0)),  # no line takes yuan off the others
    ]
    assert seen().order_store is None


@pytest.mark.parametrize(
    ("purchases", "is_first"),
    [
        ([], True),
        (bought(3), False),
        (bought(3, kept="0"), True),  # given back whole: nothing was bought yet
        (bought(-1), True),  # bought a day later, and heard before
    ],
)
def test_the_first_purchase_is_the_first_that_was_kept(purchases: list[Purchase], is_first: bool) -> None:
    assert seen(bought=purchases).order_first is is_first


def test_of_two_orders_of_one_instant_the_one_told_first_is_first() -> None:
    both = [Purchase(AT, Decimal(10), 7), Purchase(AT, Decimal(10), 8)]
    assert seen(bought=both, order_id=7).order_first
    assert not seen(bought=both, order_id=8).order_first


@pytest.mark.parametrize(
    ("purchases", "repurchases"),
    [
        ([], 0),
        (bought(30), 0),  # this year's first ever is no repurchase
        (bought(30, 20, 10), 2),
        (bought(400, 30, 20, 10), 3),  # the first was in another year
        (bought(400, 390), 0),
        (bought(30, 20, -5), 1),  # what was bought later does not count yet
    ],
)
def test_repurchases_of_the_year_are_those_after_the_first(
    purchases: list[Purchase], repurchases: int
) -> None:
    assert seen(bought=purchases).member_repurchases_year == repurchases


def test_the_year_is_that_of_the_programmes_clocks() -> None:
    new_year = datetime(2026, 1, 1, 0, 30, tzinfo=SHANGHAI)  # still 2025 in UTC
    purchases = [Purchase(new_year - timedelta(hours=1), Decimal(1), 1), Purchase(new_year, Decimal(1), 2)]
    assert seen(bought=purchases).member_repurchases_year == 1


# --- the buyer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birthday", "is_today", "month"),
    [
        (date(1990, 3, 15), True, 3),
        (date(1990, 3, 16), False, 3),
        (date(1990, 2, 15), False, 2),
        (None, False, None),
    ],
)
def test_a_birthday_comes_every_year(birthday: date | None, is_today: bool, month: int | None) -> None:
    situation = seen(buyers=Buyers(birthdays={1: birthday, 2: date(1990, 3, 15)}))
    assert (situation.member_is_birthday, situation.member_birthday_month) == (is_today, month)


def test_a_birthday_begins_at_midnight_of_the_programme() -> None:
    buyers = Buyers(birthdays={1: date(1990, 3, 15)})
    midnight = datetime(2026, 3, 15, tzinfo=SHANGHAI)
    assert seen(at=midnight, buyers=buyers).member_is_birthday
    assert not seen(at=midnight - timedelta(seconds=1), buyers=buyers).member_is_birthday
    assert not seen(at=midnight + timedelta(days=1), buyers=buyers).member_is_birthday


def test_days_since_joining_are_whole_days_of_the_calendar() -> None:
    evening = datetime(2026, 3, 14, 23, 59, tzinfo=SHANGHAI)
    assert seen(buyers=Buyers(joined={1: evening})).member_joined_days == 1
    assert seen(buyers=Buyers()).member_joined_days is None


def test_only_what_some_rule_asks_is_read(trade: Trade, django_assert_num_queries: Any) -> None:
    members = [trade.buy("T1", "1", buyer("mei")).member_id, trade.buy("T2", "1", buyer("bo")).member_id]
    costs: list[tuple[tuple[tuple[str, str, object], ...], int]] = [
        ((("order.paid", ">=", "1"), ("member.tier", "=", "silver"), ("line.product", "=", "TEA")), 0),
        ((("member.tags", "contains", "vip"),), 1),
        ((("member.joined_days", ">", 3),), 1),
        ((("member.tags", "contains", "vip"), ("member.is_birthday", "=", True)), 2),
    ]
    for fields, queries in costs:
        asked = situations.fields_asked([programme(*fields)])
        with django_assert_num_queries(queries):
            situations.load(asked, [member for member in members if member is not None])


def test_the_whole_history_is_asked_for_only_where_it_matters() -> None:
    for field, matters in ((("order.first", "=", True), True), (("order.paid", ">", "5"), False)):
        asked = situations.fields_asked([programme(field)])
        assert situations.needs_whole_history(asked) is matters


# --- in rules -----------------------------------------------------------------------------------------


def ruled(*rules: tuple[str, dict[str, Any], dict[str, Any]]) -> Trade:
    return Trade(rules=[{"code": code, "when": when, "then": then} for code, when, then in rules])


def test_the_first_purchase_is_rewarded_once_also_when_the_batch_tells_it_last(db: None) -> None:
    trade = ruled(("welcome", {"field": "order.first", "op": "=", "value": True}, {"bonus": 88}))
    facts = [trade.order(f"T{n}", "100", buyer("mei"), at=trade.ago(n)) for n in range(4)]
    assert [receipt.points for receipt in orders.receive(trade.tmall, facts)] == [100, 100, 100, 188]
    assert trade.buy("A1", "50", buyer("app-mei"), channel=trade.app).points == 138  # somebody else's first
    assert proven()


def test_the_third_repurchase_of_a_year_is_rewarded(db: None) -> None:
    trade = ruled(
        ("third", {"field": "member.repurchases_year", "op": "=", "value": 2}, {"bonus": 30}),
    )
    start = datetime(datetime.now(SHANGHAI).year - 1, 5, 1, 12, tzinfo=SHANGHAI)
    points = [trade.buy(f"T{n}", "10", buyer("mei"), at=start + timedelta(days=n)).points for n in range(5)]
    assert points == [10, 10, 10, 40, 10]


def test_a_birthday_doubles_for_whose_it_is(db: None) -> None:
    trade = ruled(("cake", {"field": "member.is_birthday", "op": "=", "value": True}, {"factor": "2"}))
    today = trade.now.astimezone(SHANGHAI).date()
    born = {"mei": date(1992, today.month, today.day), "bo": date(1992, today.month % 12 + 1, 1)}
    for who, birthday in born.items():
        accounts.receive(trade.app, [buyer(who, phone(f"+86139000{len(who):05d}"), birthday=birthday)])
    assert [trade.buy(f"T-{who}", "100", buyer(who), channel=trade.app).points for who in born] == [200, 100]
    assert proven()


def test_a_tag_counts_for_whom_it_was_given(db: None) -> None:
    trade = ruled(("vip", {"field": "member.tags", "op": "contains", "value": "vip"}, {"factor": "3"}))
    accounts.receive(trade.app, [buyer("mei", phone("+8613900000001"), tags=("VIP",))])
    assert Tag.objects.get().code == "vip"
    assert trade.buy("T1", "100", buyer("mei"), channel=trade.app).points == 300
    assert trade.buy("T2", "100", buyer("bo"), channel=trade.app).points == 100


def test_who_joined_this_week_is_new(db: None) -> None:
    trade = ruled(("new", {"field": "member.joined_days", "op": "<", "value": 7}, {"bonus": 20}))
    bo = trade.buy("T1", "10", buyer("bo")).member_id
    assert bo is not None
    Member.objects.filter(pk=bo).update(joined_at=trade.ago(10))
    assert trade.buy("T2", "10", buyer("bo")).points == 10
    assert trade.buy("T3", "10", buyer("mei")).points == 30
