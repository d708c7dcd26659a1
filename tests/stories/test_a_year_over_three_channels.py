"""Fang's year over three channels: one wallet, one tier, and coupons that are hers wherever she stands.

She joins in the app, buys on Tmall and in the shop; a coupon taken online is used at the counter and once
more online; the cheapest way to pay is found for her each time, and what she returns comes back.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from loyalty import accounts, card, clock, counter, coupons, nightly, quotes, rewards
from loyalty.coupon_terms import BasketLine
from loyalty.errors import CouponNotUsable
from loyalty.models import Claim, Coupon, CouponUse
from loyalty.orders import OrderReceipt
from loyalty.quotes import ALL_POINTS, Ask, Committed
from members import channels
from members.facts import AmountsFact, OrderStatus, PointsSpentFact
from members.models import Account, Channel, Store
from tests.trade import PROGRAMME, Trade, buyer, phone, proven, tier_of

FANG = phone("+8613800138007")
MONTHLY = {
    "code": "monthly",
    "name": {"en": "Monthly 20% off"},
    "per": "month",
    "times": 1,
    "discount": "0.8",
}


def programme() -> dict[str, Any]:
    basic, silver, gold = PROGRAMME["tiers"]
    silver = {**silver, "benefits": {**silver["benefits"], "uses": [MONTHLY]}}
    return {
        "tiers": [basic, silver, gold],
        "activities": {"enrolment": {"points": 100}, "first_purchase": {"coupon": "WELCOME"}},
        "coupons": [
            {
                "code": "WELCOME",
                "name": {"en": "Welcome", "zh-hans": "新人券"},
                "kind": "amount",
                "value": "20",
                "min_spend": "100",
                "valid": {"days": 60},
            },
            {
                "code": "FRIENDS",
                "name": {"en": "For friends"},
                "kind": "percentage",
                "value": "5",
                "public_code": "FRIENDS-5",
                "per_member": 1,
                "combines": True,
            },
            {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10", "combines": True},
        ],
        "rewards": [{"code": "TOTE", "name": {"en": "Tote"}, "kind": "gift", "points": 500, "stock": 2}],
    }


@dataclass
class Brand:
    """The three places where Fang is known."""

    trade: Trade
    store: Store
    fang: int

    @property
    def tmall(self) -> Channel:
        return self.trade.tmall

    @property
    def app(self) -> Channel:
        return self.trade.app

    def quote(self, channel: Channel, goods: str, **told: Any) -> quotes.Offered:
        return quotes.work_out(self.ask(channel, goods, **told))

    def ask(self, channel: Channel, goods: str, **told: Any) -> Ask:
        return Ask(member_id=self.fang, channel=channel, lines=(BasketLine(Decimal(goods)),), **told)

    def buy_online(self, number: str, channel: Channel, goods: str, **told: Any) -> OrderReceipt:
        """She puts goods into a basket, sees the quote, orders, and the channel tells the order."""
        quote, offered = quotes.make(self.ask(channel, goods, **told))
        done = quotes.commit(quote.key, number, channel=channel)
        return self.tell(number, channel, goods, offered, done)

    def tell(
        self,
        number: str,
        channel: Channel,
        goods: str,
        offered: quotes.Offered,
        done: Committed,
        status: OrderStatus = OrderStatus.PAID,
    ) -> OrderReceipt:
        amounts = AmountsFact(
            goods=Decimal(goods),
            discount=Decimal(goods) - offered.net,
            points_value=offered.points_value,
        )
        spent = PointsSpentFact(points=offered.points, cause=done.points_cause) if offered.points else None
        return self.trade.buy(
            number,
            goods,
            buyer(f"fang-{channel.code}"),
            channel=channel,
            status=status,
            at=clock.read().now,
            amounts=amounts,
            spent=spent,
            lines=(),
        )

    def pay_at_the_counter(self, goods: str, **how: Any) -> counter.Sale:
        """The clerk sees the sum first, and takes just that."""
        seen = counter.preview(self.store, self.fang, Decimal(goods), how.get("points_used", 0))
        return counter.sell(
            self.store,
            self.fang,
            amount=Decimal(goods),
            to_pay=seen.to_pay,
            nonce=uuid4(),
            actor_id=None,
            **how,
        )

    def coupons(self) -> dict[str, str]:
        found = Coupon.objects.filter(member=self.fang).order_by("id")
        return dict(found.values_list("campaign", "state"))


@pytest.fixture
def brand(db: None) -> Brand:
    trade = Trade(sections=programme())
    store = channels.make_store(channels.make("jingan", "pos"), "jingan")
    (joined,) = accounts.receive(trade.app, [buyer("fang-app", FANG)])
    (linked,) = accounts.receive(trade.tmall, [buyer("fang-tmall", FANG)])
    assert linked.member_id == joined.member_id
    return Brand(trade, store, joined.member_id)


def test_a_year_over_three_channels(brand: Brand) -> None:
    she_joins_and_her_first_purchase_brings_a_coupon(brand)
    the_coupon_is_taken_online_and_given_back_with_the_order(brand)
    the_same_coupon_pays_at_the_counter_once(brand)
    coupons_that_go_together_are_used_together(brand)
    she_becomes_silver_and_the_months_benefit_is_weighed_against_coupons(brand)
    all_her_points_are_offset_in_one_touch_and_come_back_with_the_return(brand)
    her_points_become_a_tote(brand)
    the_year_ends_and_what_lapses_lapses(brand)
    assert proven()


def she_joins_and_her_first_purchase_brings_a_coupon(brand: Brand) -> None:
    assert brand.trade.available(brand.fang) == 100
    assert set(Account.objects.filter(member=brand.fang).values_list("channel__code", flat=True)) == {
        "app",
        "tmall",
    }
    receipt = brand.buy_online("T1", brand.tmall, "80")
    assert receipt.points == 80
    assert brand.coupons() == {"WELCOME": "issued"}


def the_coupon_is_taken_online_and_given_back_with_the_order(brand: Brand) -> None:
    quote, offered = quotes.make(brand.ask(brand.app, "150"))
    assert offered.to_pay == Decimal("130.00")
    done = quotes.commit(quote.key, "A1", channel=brand.app)
    brand.tell("A1", brand.app, "150", offered, done)
    assert brand.coupons() == {"WELCOME": "used"}
    (code,) = Coupon.objects.values_list("code", flat=True)
    with pytest.raises(CouponNotUsable):
        coupons.use(code, channel=brand.store.channel, order_no="S0", member_id=brand.fang)
    brand.tell("A1", brand.app, "150", offered, done, status=OrderStatus.CANCELLED)
    assert brand.coupons() == {"WELCOME": "issued"}
    assert brand.trade.available(brand.fang) == 180


def the_same_coupon_pays_at_the_counter_once(brand: Brand) -> None:
    sale = brand.pay_at_the_counter("120")
    assert (sale.net, [used.name for used in sale.coupons]) == (Decimal("100.00"), ["Welcome"])
    assert brand.coupons() == {"WELCOME": "used"}
    assert brand.pay_at_the_counter("130").net == Decimal("130.00")
    assert CouponUse.objects.filter(returned_at=None).count() == 1


def coupons_that_go_together_are_used_together(brand: Brand) -> None:
    coupons.give(brand.fang, "TEN", reason="A late parcel", nonce="n1", actor_id=None)
    offered = brand.quote(brand.tmall, "200", codes=("friends 5",))
    assert [each.offer.terms.code for each in offered.choice.taken] == ["FRIENDS", "TEN"]
    assert offered.net == Decimal("180.00"), "5 % first, then ten yuan"
    receipt = brand.buy_online("T2", brand.tmall, "200", codes=("friends 5",))
    assert receipt.points == 180
    assert brand.coupons() == {"WELCOME": "used", "TEN": "used", "FRIENDS": "used"}


def she_becomes_silver_and_the_months_benefit_is_weighed_against_coupons(brand: Brand) -> None:
    assert brand.buy_online("A2", brand.app, "2600").tier == "silver"
    # Silver pays 90 %; the benefit of the month pays 80 % in its place, and is spent where it saves more.
    sale = brand.pay_at_the_counter("100")
    assert (sale.net, sale.points_earned) == (Decimal("80.00"), 96)
    assert brand.quote(brand.app, "100").net == Decimal("90.00")
    held = card.of(brand.fang)
    assert [(use.use.code, use.left) for use in held.uses] == [("monthly", 0)]
    counter.refund(brand.store, sale.order_number, nonce=uuid4(), actor_id=None)
    assert brand.quote(brand.app, "100").net == Decimal("80.00"), "it came back with the purchase"


def all_her_points_are_offset_in_one_touch_and_come_back_with_the_return(brand: Brand) -> None:
    before = brand.trade.available(brand.fang)
    receipt = brand.buy_online("A3", brand.app, "500", points=ALL_POINTS, with_benefits=False)
    # 450 for silver; 80 points are worth a yuan, and what they pay earns nothing.
    assert brand.trade.available(brand.fang) == receipt.points
    brand.trade.refund("A3", "R3", "450.00", channel=brand.app)
    assert brand.trade.available(brand.fang) == before


def her_points_become_a_tote(brand: Brand) -> None:
    before = brand.trade.available(brand.fang)
    claimed = rewards.claim(brand.fang, "TOTE", cause="tote", channel=brand.store.channel)
    rewards.hand_over(claimed.claim.pk, actor_id=None)
    assert Claim.objects.get().state == "done"
    assert brand.trade.available(brand.fang) == before - 500


def the_year_ends_and_what_lapses_lapses(brand: Brand) -> None:
    clock.move(timedelta(days=400))
    nightly.post_expiry()
    nightly.reassess_tiers()
    assert (brand.trade.available(brand.fang), tier_of(brand.fang)) == (0, "basic")
    assert coupons.usable(brand.fang, clock.read().now) == []
    assert brand.quote(brand.app, "100").to_pay == Decimal("100.00")
