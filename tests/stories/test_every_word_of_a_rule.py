"""What a rule can look at, and what it can give, each on orders that come in as they do (B5).

Time, channel, store, tier, tag, category, product, amount, first purchase, birthday, member day; a factor, a
bonus, a coupon, a gift, a tier; priority and exclusivity. One shop, Mei and her orders.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.models import Grant
from members import channels, tags
from members.facts import LineFact
from members.models import Member
from tests.trade import Trade, buyer, proven, tier_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
MEI = buyer("mei", birthday=date(1990, 5, 20))
COUPON = {
    "code": "WELCOME",
    "name": {"en": "Welcome"},
    "kind": "amount",
    "value": "20",
    "valid": {"days": 30},
}
TOTE = {
    "code": "TOTE",
    "name": {"en": "Tote"},
    "kind": "gift",
    "points": 500,
    "money": "0",
    "stock": 100,
    "per_member": 5,
}


def check(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type, misc]


def line(product: str, category: str, amount: str) -> LineFact:
    return LineFact(product=product, category=category, amount=Decimal(amount))


# What is looked at: the rule's condition; a purchase for which it holds, and one for which it does not.
LOOKED_AT: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (
        "time of day",
        check("order.time", "between", ["22:00", "02:00"]),
        {"at": local(2026, 3, 4, 1, 59)},
        {"at": local(2026, 3, 4, 2, 0)},
    ),
    (
        "date and time",
        check("order.time", ">=", "2026-03-04T00:00:00+08:00"),
        {"at": local(2026, 3, 4)},
        {"at": local(2026, 3, 3, 23, 59)},
    ),
    (
        "weekday",
        check("order.weekday", "in", ["saturday", "sunday"]),
        {"at": local(2026, 3, 7)},
        {"at": local(2026, 3, 6)},
    ),
    (
        "member day",
        check("order.is_member_day", "=", True),
        {"at": local(2026, 3, 8)},
        {"at": local(2026, 3, 9)},
    ),
    ("channel", check("order.channel", "=", "app"), {"channel": "app"}, {"channel": "tmall"}),
    (
        "store",
        check("order.store", "in", ["jingan"]),
        {"channel": "pos", "store": "jingan"},
        {"channel": "pos", "store": "xuhui"},
    ),
    ("tier", check("member.tier", "=", "basic"), {}, {"tier": "gold"}),
    ("tag", check("member.tags", "contains", "vip"), {"tag": "vip"}, {"tag": "new"}),
    (
        "category",
        check("line.category", "=", "tea"),
        {"lines": (line("T1", "tea", "100"),)},
        {"lines": (line("C1", "cup", "100"),)},
    ),
    (
        "product",
        check("line.product", "contains", "oolong"),
        {"lines": (line("oolong-50", "tea", "100"),)},
        {"lines": (line("green-50", "tea", "100"),)},
    ),
    ("amount", check("order.paid", ">=", "100"), {}, {"net": "99.99"}),
    (
        "amount of a line",
        check("line.amount", ">", "60"),
        {"lines": (line("T1", "tea", "100"),)},
        {"lines": (line("T1", "tea", "50"), line("T2", "tea", "50"))},
    ),
    ("first purchase", check("order.first", "=", True), {}, {"before": True}),
    (
        "birthday",
        check("member.is_birthday", "=", True),
        {"at": local(2026, 5, 20)},
        {"at": local(2026, 5, 21)},
    ),
    (
        "month of the birthday",
        check("member.birthday_month", "=", True),
        {"at": local(2026, 5, 31)},
        {"at": local(2026, 6, 1)},
    ),
]


class Shop(Trade):
    """The brand with a counter in each of two districts, and the things that rules give."""

    def __init__(self, *rules: dict[str, Any]) -> None:
        sections = {
            "coupons": [COUPON],
            "rewards": [TOTE],
            "activities": {"member_day": {"days": [8, 18], "points": 1}, "late_days": 3650},
        }
        super().__init__(rules=list(rules), sections=sections, expiry="never")
        self.pos = channels.make("pos", "pos")
        for code in ("jingan", "xuhui"):
            channels.make_store(self.pos, code)

    def sell(
        self,
        *,
        channel: str = "tmall",
        net: str = "100",
        at: datetime | None = None,
        tier: str = "",
        tag: str = "",
        before: bool = False,
        **told: Any,
    ) -> int:
        """Points of an order of Mei's, by which nothing but its words was arranged."""
        at = at or local(2026, 3, 4, 12)
        if tag or tier or before:
            earlier = "10000" if tier else "1"
            count = 15 if tier else 1
            for number in range(count):
                bought = self.buy(f"E{number}", earlier, MEI, at=at - timedelta(days=20 - number))
            assert bought.member_id is not None
            if tag:
                tags.give(Member.objects.get(pk=bought.member_id), tag, actor_id=None)
            if tier:
                assert tier_of(bought.member_id) == tier
        place = {"tmall": self.tmall, "app": self.app, "pos": self.pos}[channel]
        return self.buy("LAST", net, MEI, channel=place, at=at, **told).points


@pytest.mark.parametrize(
    ("when", "held"), [case[1:3] for case in LOOKED_AT], ids=[case[0] for case in LOOKED_AT]
)
def test_a_rule_looks_at(db: None, when: dict[str, Any], held: dict[str, Any]) -> None:
    rule = {"code": "bonus", "when": when, "then": {"bonus": 7}}
    assert _last_digit(Shop(rule).sell(**held)) == 7
    assert proven()


@pytest.mark.parametrize(
    ("when", "missed"),
    [(case[1], case[3]) for case in LOOKED_AT],
    ids=[case[0] for case in LOOKED_AT],
)
def test_a_rule_overlooks(db: None, when: dict[str, Any], missed: dict[str, Any]) -> None:
    rule = {"code": "bonus", "when": when, "then": {"bonus": 7}}
    assert _last_digit(Shop(rule).sell(**missed)) in (0, 9)  # 99 points for ¥99.99


def _last_digit(points: int) -> int:
    return points % 10


# --- what it gives ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "points"), [({"factor": "2"}, 200), ({"bonus": 50}, 150), ({"factor": "1.5", "bonus": 1}, 151)]
)
def test_a_rule_gives_points(db: None, then: dict[str, Any], points: int) -> None:
    assert Shop({"code": "a", "then": then}).sell() == points


@pytest.mark.parametrize(
    ("then", "value"),
    [({"coupon": "WELCOME"}, "WELCOME"), ({"gift": "TOTE"}, "TOTE"), ({"tier": "gold"}, "gold")],
)
def test_a_rule_gives_things(db: None, then: dict[str, str], value: str) -> None:
    shop = Shop({"code": "a", "then": then})
    assert shop.sell() == 100
    grant = Grant.objects.get(source=Grant.Source.RULE)
    assert (grant.code, grant.prize, grant.value, grant.state) == ("a", *then.popitem(), "given")
    assert value == grant.value
    assert proven()


# --- which come first ---------------------------------------------------------------------------------


def test_the_first_rule_has_priority_and_an_exclusive_one_is_the_last(db: None) -> None:
    small, large = {"code": "small", "then": {"bonus": 1}}, {"code": "large", "then": {"coupon": "WELCOME"}}
    assert Shop({**small, "exclusive": True}, large).sell() == 101
    assert not Grant.objects.exists()


def test_an_exclusive_rule_that_does_not_hold_stops_nobody(db: None) -> None:
    rich = {"code": "rich", "when": check("order.paid", ">", "500"), "then": {"bonus": 9}, "exclusive": True}
    assert Shop(rich, {"code": "large", "then": {"coupon": "WELCOME"}}).sell() == 100
    assert Grant.objects.get().value == "WELCOME"


def test_the_caps_of_a_member_are_by_day_by_month_and_in_all(db: None) -> None:
    limits = {"per_member_day": 120, "per_member_month": 200, "per_member": 260}
    shop = Shop({"code": "a", "then": {"factor": "2"}, "limits": limits})
    days = [(3, 4), (3, 4), (3, 5), (3, 6), (4, 1), (4, 2)]
    points = [
        shop.buy(f"T{at}", "100", MEI, at=local(2026, month, day, 12)).points
        for at, (month, day) in enumerate(days)
    ]
    #         day: 120 a day   month: 200   in all: 260
    assert [each - 100 for each in points] == [100, 20, 80, 0, 60, 0]
    assert proven()
