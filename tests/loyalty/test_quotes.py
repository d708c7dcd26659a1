"""Quotes: what a basket comes to, committed once and within its time, all of it or nothing (B13)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from loyalty import benefits, clock, counter, publishing, quotes
from loyalty.coupon_terms import BasketLine
from loyalty.errors import (
    CauseTaken,
    CouponNotUsable,
    NotEnoughPoints,
    QuoteChanged,
    QuoteEnded,
    QuoteNotFound,
)
from loyalty.models import BenefitUse, CouponUse, Quote
from loyalty.quotes import ALL_POINTS, Ask, Offered
from members.facts import OrderStatus
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, proven
from tests.trade import PROGRAMME, buyer

MONTHLY = {"code": "monthly", "name": {"en": "Monthly 80%"}, "per": "month", "times": 1, "discount": "0.8"}


class QuoteShop(CouponShop):
    """A coupon shop whose lowest tier has a benefit that is counted by the month."""

    def ask(self, *amounts: str, **told: Any) -> Ask:
        lines = tuple(BasketLine(Decimal(amount)) for amount in amounts)
        return Ask(**{"member_id": self.mei, "channel": self.tmall, "lines": lines, **told})

    def work_out(self, *amounts: str, **told: Any) -> Offered:
        return quotes.work_out(self.ask(*amounts, **told))

    def make(self, *amounts: str, **told: Any) -> Quote:
        return quotes.make(self.ask(*amounts, **told))[0]

    def commit(self, quote: Quote, order_no: str = "O1") -> quotes.Committed:
        return quotes.commit(quote.key, order_no, channel=self.tmall)

    def add_monthly(self) -> None:
        lowest, *others = PROGRAMME["tiers"]
        lowest = {**lowest, "benefits": {**lowest["benefits"], "uses": [MONTHLY]}}
        publishing.load({**PROGRAMME, "tiers": [lowest, *others]}, environment="demo")

    def states(self) -> dict[str, int]:
        return {
            "coupons": CouponUse.objects.filter(returned_at=None).count(),
            "benefits": BenefitUse.objects.filter(given_back_at=None).count(),
            "points": self.available(self.mei),
        }


@pytest.fixture
def shop(db: None) -> QuoteShop:
    shop = QuoteShop(WELCOME, SPRING, PRINTED)
    shop.give(shop.mei, 10, cause="first")
    return shop


def test_a_quote_uses_the_best_coupon_and_reminds_of_the_points(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    shop.give(shop.mei, 500, cause="gift")
    offered = shop.work_out("200")
    assert [each.offer.terms.code for each in offered.choice.taken] == ["WELCOME"]
    assert (offered.net, offered.to_pay) == (Decimal("180.00"), Decimal("180.00"))
    assert (offered.points, offered.usable) == (0, 510), "none is used unasked"
    assert offered.worth_of_usable == Decimal("5.10")
    assert offered.points_to_earn == 180


def test_all_points_are_offset_in_one_touch(shop: QuoteShop) -> None:
    shop.give(shop.mei, 500, cause="gift")
    offered = shop.work_out("3", "1", points=ALL_POINTS)
    assert (offered.points, offered.points_value, offered.to_pay) == (400, Decimal("4.00"), Decimal("0.00"))
    assert [line.of_points for line in offered.lines] == [Decimal("3.00"), Decimal("1.00")]
    assert all(line.to_pay == 0 for line in offered.lines)


def test_each_code_that_is_not_used_says_why(shop: QuoteShop) -> None:
    bos = shop.coupon("WELCOME", member=shop.bo)
    offered = shop.work_out("50", codes=(bos, "NOBODY-KNOWS", "SPRING-26"))
    assert dict(offered.refused_codes) == {bos: "not_yours", "NOBODY-KNOWS": "no_such_coupon"}
    assert [offered.codes[each.offer.id] for each in offered.choice.taken] == ["SPRING-26"]
    assert offered.net == Decimal("45.00")


def test_looking_moves_nothing(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    before = shop.states()
    shop.work_out("200", codes=("SPRING-26",))
    shop.make("200", points=5)
    assert shop.states() == before


def test_a_commit_uses_coupon_and_points_once_and_the_order_brings_its_points(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    quote = shop.make("200", points=10)
    done = shop.commit(quote)
    assert done.is_new and done.points_cause == "sale:O1"
    assert (shop.states()["coupons"], shop.states()["points"]) == (1, 0)
    assert quote.plan["to_pay"] == "179.90"
    again = shop.commit(quote)
    assert not again.is_new
    assert (shop.states()["coupons"], shop.states()["points"]) == (1, 0)
    assert proven()


def test_a_quote_is_for_one_order_and_an_order_for_one_quote(shop: QuoteShop) -> None:
    first, second = shop.make("50"), shop.make("60")
    shop.commit(first, "O1")
    with pytest.raises(QuoteEnded):
        shop.commit(first, "O2")
    with pytest.raises(CauseTaken):
        shop.commit(second, "O1")
    assert shop.commit(second, "O2").is_new


def test_a_quote_ends_with_its_time(shop: QuoteShop) -> None:
    quote = shop.make("50")
    shop.wait(15 * 60)
    with pytest.raises(QuoteEnded):
        shop.commit(quote)
    assert Quote.objects.get(pk=quote.pk).committed_at is None


def test_a_quote_of_another_channel_is_not_found(shop: QuoteShop) -> None:
    quote = shop.make("50")
    with pytest.raises(QuoteNotFound):
        quotes.commit(quote.key, "O1", channel=shop.jingan)
    with pytest.raises(QuoteNotFound):
        quotes.commit(uuid4(), "O1", channel=shop.app)


def test_what_was_used_elsewhere_meanwhile_refuses_all_of_it(shop: QuoteShop) -> None:
    code = shop.coupon("WELCOME")
    quote = shop.make("200", points=10)
    shop.use(code, "ELSEWHERE", lines=[BasketLine(Decimal(200))])
    before = shop.states()
    with pytest.raises(CouponNotUsable):
        shop.commit(quote)
    assert shop.states() == before
    assert not Quote.objects.get(pk=quote.pk).order_no


def test_a_public_code_that_is_worth_something_else_by_now_refuses_all_of_it(shop: QuoteShop) -> None:
    quote = shop.make("200", points=10, codes=("SPRING-26",))
    assert quote.plan["net"] == "180.00"
    shop.publish({**SPRING, "value": "20"})
    before = shop.states()
    with pytest.raises(QuoteChanged):
        shop.commit(quote)
    assert shop.states() == before


def test_points_that_are_gone_meanwhile_refuse_the_coupon_too(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    quote = shop.make("200", points=10)
    shop.spend(shop.mei, 10, cause="elsewhere")
    with pytest.raises(NotEnoughPoints):
        shop.commit(quote)
    assert shop.states() == {"coupons": 0, "benefits": 0, "points": 0}


def test_the_benefit_of_the_month_is_had_once_and_comes_back_with_the_order(shop: QuoteShop) -> None:
    shop.add_monthly()
    quote = shop.make("100")
    assert (quote.plan["benefit"], quote.plan["net"]) == ("monthly", "80.00")
    late = shop.make("100")
    shop.commit(quote, "O1")
    with pytest.raises(QuoteChanged):
        shop.commit(late, "O2")
    assert shop.work_out("100").net == Decimal("100.00")
    shop.buy("O1", "80", buyer("mei"), status=OrderStatus.PAID)
    assert shop.states()["benefits"] == 1
    shop.buy("O1", "80", buyer("mei"), status=OrderStatus.CANCELLED)
    assert shop.states()["benefits"] == 0
    assert shop.work_out("100").net == Decimal("80.00")


def test_a_member_may_keep_the_benefit_or_a_coupon_for_another_day(shop: QuoteShop) -> None:
    shop.add_monthly()
    assert shop.work_out("100", without=frozenset({"monthly"})).net == Decimal("100.00")
    assert shop.work_out("100", with_benefits=False).net == Decimal("100.00")


def test_the_desk_comes_to_the_same_sum_as_the_api(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    by_api = shop.work_out("268", channel=shop.jingan, store=shop.store, points=10)
    at_desk = counter.preview(shop.store, shop.mei, Decimal(268), 10)
    assert (at_desk.net, at_desk.to_pay, at_desk.points_to_earn) == (
        by_api.net,
        by_api.to_pay,
        by_api.points_to_earn,
    )
    sale = counter.sell(
        shop.store, shop.mei, amount=Decimal(268), points_used=10, nonce=uuid4(), actor_id=None
    )
    assert (sale.net, sale.to_pay) == (by_api.net, by_api.to_pay)
    assert [(used.name, used.discount) for used in sale.coupons] == [("Welcome", Decimal("20.00"))]
    assert proven()


def test_a_sale_with_a_coupon_sent_twice_uses_it_once(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    nonce = uuid4()
    first, second = (
        counter.sell(shop.store, shop.mei, amount=Decimal(150), nonce=nonce, actor_id=None) for _ in range(2)
    )
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.net, first.coupons) == (second.net, second.coupons)
    assert shop.states()["coupons"] == 1


def test_a_sum_that_is_another_by_now_is_shown_before_anything_moves(shop: QuoteShop) -> None:
    code = shop.coupon("WELCOME")
    seen = counter.preview(shop.store, shop.mei, Decimal(150)).to_pay
    shop.use(code, "ONLINE", lines=[BasketLine(Decimal(150))])
    before = shop.states()
    with pytest.raises(QuoteChanged):
        counter.sell(shop.store, shop.mei, amount=Decimal(150), to_pay=seen, nonce=uuid4(), actor_id=None)
    assert shop.states() == before


def test_a_code_that_cannot_be_used_stops_the_sale(shop: QuoteShop) -> None:
    with pytest.raises(CouponNotUsable) as refused:
        counter.sell(
            shop.store, shop.mei, amount=Decimal(150), codes=["WRONG-1"], nonce=uuid4(), actor_id=None
        )
    assert refused.value.reason == "no_such_coupon"


def test_a_refunded_sale_gives_coupon_and_points_back(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    before = shop.states()
    sale = counter.sell(
        shop.store, shop.mei, amount=Decimal(150), points_used=10, nonce=uuid4(), actor_id=None
    )
    counter.refund(shop.store, sale.order_number, nonce=uuid4(), actor_id=None)
    assert shop.states() == before
    assert proven()


def test_what_nobody_took_up_is_removed_a_day_later(shop: QuoteShop) -> None:
    taken = shop.make("50")
    shop.make("60")
    shop.commit(taken)
    assert quotes.sweep() == 0
    clock.move(timedelta(days=1, minutes=16))
    assert quotes.sweep() == 1
    assert list(Quote.objects.values_list("key", flat=True)) == [taken.key]


def test_postage_is_free_where_the_tier_says_so(shop: QuoteShop) -> None:
    lowest, *others = PROGRAMME["tiers"]
    given = {**lowest["benefits"], "shipping": "regional", "provinces": ["上海"]}
    publishing.load({**PROGRAMME, "tiers": [{**lowest, "benefits": given}, *others]}, environment="demo")
    near, far = (shop.work_out("50", postage=Decimal(12), province=where) for where in ("上海市", "西藏"))
    assert (near.to_pay, near.postage_free) == (Decimal("50.00"), Decimal("12"))
    assert (far.to_pay, far.postage_free) == (Decimal("62.00"), Decimal("0.00"))


def test_a_benefit_left_is_seen_before_and_after(shop: QuoteShop) -> None:
    shop.add_monthly()
    held = publishing.current()
    tier = held.programme.tier("")
    now = clock.read().now
    assert [each.left for each in benefits.left_for_orders(shop.mei, tier, held, now)] == [1]
    shop.commit(shop.make("100"))
    assert benefits.left_for_orders(shop.mei, tier, held, now) == []
