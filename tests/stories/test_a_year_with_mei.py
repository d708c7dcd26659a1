"""A year of one member, who buys on Tmall, in the mini-program and in a shop. Read this first.

The shop's programme: a point a yuan, good for twelve months. Silver asks for 3,000 yuan in five orders
within a year; it pays 90 % at the counter, earns 1.2 times the points, and 80 of them are worth a yuan.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import translation

from loyalty import accounts, card, clock, counter, nightly, points, statement
from loyalty.models import TierChange
from members import channels, enrolment
from members.facts import AccountFact
from members.models import Account, Channel, Member, Store
from members.numbers import number_of
from tests.members import platform_files
from tests.stories.files import bring_in, tmall_row
from tests.trade import Trade, buyer, phone, proven, tier_of

PHONE = "+8613800138001"
NICK = "梅花朵朵"  # Mei's name on Tmall; the file has nothing else of her


@dataclass
class House:
    """The brand, its mini-program and its counter, with a week in which the mini-program counts double."""

    trade: Trade
    wechat: Channel
    jingan: Store

    def on_wechat(self, number: str, net: str, days_ago: float) -> int:
        """Mei buys in the mini-program; the points it earned."""
        mei = buyer("wx-mei", phone(PHONE), name="梅晓雨")
        receipt = self.trade.buy(number, net, mei, channel=self.wechat, at=self.trade.ago(days_ago))
        return receipt.earned

    def at_the_counter(self, mei: int, amount: str, use_points: int = 0) -> counter.Sale:
        """Mei pays in the shop; the clerk has seen beforehand what it would come to."""
        promised = counter.preview(self.jingan, mei, Decimal(amount), use_points)
        sale = counter.sell(
            self.jingan, mei, amount=Decimal(amount), points_used=use_points, nonce=uuid4(), actor_id=None
        )
        assert (sale.to_pay, sale.points_spent) == (promised.to_pay, promised.points)
        assert sale.points_earned == promised.points_to_earn
        return sale


@pytest.fixture
def house(db: None) -> House:
    now = clock.read().recorded
    double = {
        "code": "double-week",
        "from": (now - timedelta(days=103)).isoformat(),
        "to": (now - timedelta(days=96)).isoformat(),
        "when": {
            "all": [
                {"field": "order.channel", "op": "=", "value": "wechat"},
                {"field": "order.paid", "op": ">=", "value": "300"},
            ]
        },
        "then": {"factor": "2"},
    }
    return House(
        trade=Trade(rules=[double]),
        wechat=channels.make("wechat", "wechat"),
        jingan=channels.make_store(channels.make("jingan", "pos"), "jingan"),
    )


def test_a_year_with_mei(house: House) -> None:
    mei = she_is_recognised_as_one_person(house)
    she_climbs_to_silver(house, mei)
    she_pays_with_points_at_the_counter(house, mei)
    she_returns_what_her_spent_points_came_from(house, mei)
    she_stays_away_and_points_and_tier_run_out(house, mei)
    her_statement_tells_the_year(mei)
    assert proven()


def she_is_recognised_as_one_person(house: House) -> int:
    """A Tmall file knows a nick. Once Tmall has told her phone, every channel finds the same Mei."""
    trade = house.trade
    told = bring_in(
        trade.tmall,
        platform_files.tmall(
            tmall_row(1, NICK, "680.00", trade.ago(300)), tmall_row(2, NICK, "420.50", trade.ago(290))
        ),
    )
    assert told["points"] == {"earned": 1100, "taken": 0}
    mei = Member.objects.get().pk

    link = AccountFact(external_id=NICK, identifiers=(phone(PHONE),))
    (linked,) = accounts.receive(trade.tmall, [link])
    assert linked.member_id == mei

    assert house.on_wechat("W1", "999.00", days_ago=200) == 999
    enrolled = enrolment.enrol(house.jingan.channel, house.jingan, "138 0013 8001", notice_versions={})
    assert (enrolled.member_id, enrolled.was_known) == (mei, True)
    linked_by = Account.objects.filter(member=mei).order_by("id").values_list("channel__code", "linked_by")
    assert list(linked_by) == [("tmall", "new"), ("wechat", "phone_verified"), ("jingan", "counter")]
    assert trade.available(mei) == 1100 + 999
    return mei


def she_climbs_to_silver(house: House, mei: int) -> None:
    """The fourth order counts double; the fifth completes 3,000 yuan and makes her silver."""
    assert house.on_wechat("W2", "500.00", days_ago=100) == 1000
    assert tier_of(mei) == "basic"
    assert house.on_wechat("W3", "600.00", days_ago=50) == 600  # silver earns more from the next one on
    assert tier_of(mei) == "silver"
    step = TierChange.objects.get()
    assert (step.why["spend"], step.why["orders"]) == ("3199.50", 5)
    assert step.happened_at == house.trade.ago(50)
    assert house.trade.available(mei) == 3699


def she_pays_with_points_at_the_counter(house: House, mei: int) -> None:
    """400 yuan are 360 for silver; 1,500 points pay ¥18.75 of them; the rest earns 1.2 times."""
    sale = house.at_the_counter(mei, "400", use_points=1500)
    assert (sale.tier_discount, sale.net) == (Decimal("40.00"), Decimal("360.00"))
    assert (sale.points_value, sale.to_pay) == (Decimal("18.75"), Decimal("341.25"))
    assert (sale.points_earned, sale.why) == (409, "341.25 × 1 × 1.2 = 409")
    assert house.trade.available(mei) == 3699 - 1500 + 409


def she_returns_what_her_spent_points_came_from(house: House, mei: int) -> None:
    """All points go for a kettle; then W2 is returned, whose thousand points are spent: she owes them."""
    trade = house.trade
    points.redeem(mei, 2608, cause="kettle", reason="A kettle", channel=house.wechat)
    returned = trade.refund("W2", "RW2", "500.00", channel=house.wechat)
    assert (returned.points_taken, returned.debt) == (1000, 1000)
    assert (trade.figures(mei).balance, trade.available(mei)) == (-1000, 0)
    assert tier_of(mei) == "silver"  # a refund does not take the tier before its time

    assert house.on_wechat("W4", "700.00", days_ago=0) == 840
    assert (trade.figures(mei).debt, trade.available(mei)) == (160, 0)
    assert house.at_the_counter(mei, "200").points_earned == 216
    assert (trade.figures(mei).debt, trade.available(mei)) == (0, 56)


def she_stays_away_and_points_and_tier_run_out(house: House, mei: int) -> None:
    """Silver is good until twelve months after the fifth order, and a month of grace; points for a year."""
    clock.move(timedelta(days=320))
    assert (nightly.reassess_tiers().lowered, tier_of(mei)) == (0, "silver")  # in her grace
    assert house.trade.available(mei) == 56

    clock.move(timedelta(days=50))
    assert house.trade.available(mei) == 0  # by the clock, before any night has come
    assert nightly.post_expiry().expired == 56
    assert nightly.reassess_tiers().lowered == 1
    assert tier_of(mei) == "basic"
    shown = card.of(mei)
    assert (shown.member_no, shown.name_masked, shown.phone_masked) == (number_of(mei), "梅**", "138****8001")
    assert (shown.figures.balance, shown.worth, shown.points_per_yuan) == (0, Decimal("0.00"), 100)


def her_statement_tells_the_year(mei: int) -> None:
    with translation.override("en"):
        lines = statement.entries(mei)[::-1]
    told = [(line.kind, line.points, line.balance_after) for line in lines]
    assert told == [
        ("earn", 680, 680),
        ("earn", 420, 1100),
        ("earn", 999, 2099),
        ("earn", 1000, 3099),
        ("earn", 600, 3699),
        ("redeem", -1500, 2199),
        ("earn", 409, 2608),
        ("redeem", -2608, 0),
        ("take_back", -1000, -1000),
        ("earn", 840, -160),
        ("settle", 0, -160),
        ("earn", 216, 56),
        ("settle", 0, 56),
        ("expire", -56, 0),
    ]
    by_kind = {line.kind: line.sentence for line in lines}
    assert lines[3].sentence == "500 × 1 × 1 × 2 = 1000 (double-week)"
    assert by_kind["take_back"] == "Of 1000 points for ¥500.00, ¥0.00 kept leaves 0; 1000 are owed"
    assert by_kind["settle"] == "160 points paid a debt of 160"
    assert by_kind["expire"].startswith("56 of the 216 points earned on ")
