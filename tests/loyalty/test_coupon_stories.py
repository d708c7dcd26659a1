"""Every coupon says why it was issued, by which version and clause, and each step of its life (B14)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from loyalty import coupon_batches, coupon_stories, coupons
from loyalty.coupon_stories import Story
from loyalty.models import Coupon
from members.facts import OrderStatus
from privacy import roles
from tests.boutique import Boutique
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, goods, row
from tests.friends import Circle
from tests.trade import Trade, buyer

HELLO: dict[str, Any] = {
    "code": "hello",
    "when": {"field": "order.first", "op": "=", "value": True},
    "then": {"coupon": "WELCOME"},
}


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def shop(db: None) -> CouponShop:
    return CouponShop(WELCOME, SPRING, PRINTED)


def story(coupon: Coupon) -> Story:
    return coupon_stories.of([coupon.pk])[coupon.pk]


def told(found: Story) -> tuple[str, int, list[tuple[str, str, int | None, str]]]:
    clauses = [(each.kind, each.code, each.version, each.sentence) for each in found.clauses]
    return found.sentence, found.version, clauses


def test_one_that_a_rule_gave_quotes_the_rule_as_it_stood(db: None) -> None:
    trade = Trade(rules=[HELLO], sections={"coupons": [WELCOME]})
    trade.buy("T1", "120", buyer("mei"))
    document = {**trade.programme.document, "rules": [{**HELLO, "when": None}]}
    trade.publish({key: each for key, each in document.items() if key != "effective_from"})
    assert told(story(Coupon.objects.get())) == (
        "Rule hello: it is the first purchase",
        1,
        [("rule", "hello", 1, "it is the first purchase: coupon Welcome")],
    )


def test_one_for_a_friend_quotes_the_ladder(db: None) -> None:
    circle = Circle()
    friend = circle.bring("bo")
    own, given = (Coupon.objects.get(member=member) for member in (circle.mei, friend))
    assert told(story(own)) == (
        "1 friend counts, rung 1",
        1,
        [("referral", "rung-1", 1, "For 1 friend who counts: Coupon Welcome")],
    )
    (clause,) = story(given).clauses
    assert (story(given).sentence, clause.sentence) == (
        "Brought by a member",
        "For who was brought by a member: Coupon Welcome",
    )


def test_one_that_was_claimed_says_for_how_many_points(db: None) -> None:
    shop = Boutique()
    ten = {"code": "TEN", "name": {"en": "Ten off"}, "kind": "coupon", "coupon": "WELCOME", "points": 80}
    shop.offer(ten, coupons=[WELCOME])
    shop.claim("TEN")
    assert story(Coupon.objects.get()).sentence == "Ten off: 80 pts, by version 3"


def test_those_by_hand_of_a_batch_and_of_a_public_code_say_so(shop: CouponShop) -> None:
    lin = roles.make_staff("lin", "service")[0]
    coupons.give(shop.mei, "WELCOME", reason="Late parcel", nonce="n", actor_id=lin.pk)
    by_hand = story(Coupon.objects.get(cause="hand:n"))
    assert (by_hand.sentence, by_hand.version, by_hand.clauses) == ("By hand: Late parcel", 2, ())
    assert [(step.kind, step.by) for step in by_hand.steps] == [("issued", "lin")]
    shop.use("SPRING-26")
    assert story(Coupon.objects.get(campaign="SPRING")).sentence == "For the public code SPRING26"
    batch = coupon_batches.make("PRINTED", 1, actor_id=lin.pk)
    coupon_batches.work(batch.pk)
    assert story(Coupon.objects.get(batch=batch)).sentence == f"Of batch {batch.pk}"


def test_each_step_of_a_life_is_told_oldest_first(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code)
    shop.use(code)
    shop.buy("O1", "180", buyer("mei"), channel=shop.app)
    shop.buy("O1", "180", buyer("mei"), channel=shop.app, status=OrderStatus.CANCELLED)
    steps = story(row(code)).steps
    assert [(step.kind, step.label, step.sentence, step.order_no) for step in steps] == [
        ("issued", "Issued", "WELCOME:gift", ""),
        ("locked", "Locked for an order", "min(20.00, 200.00) = 20.00", "O1"),
        ("used", "Used", "min(20.00, 200.00) = 20.00", "O1"),
        ("returned", "Returned", "The order was cancelled", "O1"),
    ]
    assert steps[1].channel == "app" and [step.at for step in steps] == sorted(step.at for step in steps)


def test_a_page_of_coupons_costs_the_same_however_many_moved(db: None) -> None:
    trade = Trade(rules=[HELLO], sections={"coupons": [{**WELCOME, "quota": None, "per_member": None}]})

    def cost(*names: str) -> int:
        for name in names:
            trade.buy(f"T-{name}", "120", buyer(name))
            given = Coupon.objects.latest("id")
            for order_no in (f"A-{name}", f"B-{name}"):
                whose: dict[str, Any] = {"channel": trade.app, "member_id": given.member_id}
                coupons.lock(given.code, order_no=order_no, lines=goods("200"), **whose)
                coupons.release(given.code, order_no=order_no, **whose)
        ids = list(Coupon.objects.values_list("id", flat=True))
        with CaptureQueriesContext(connection) as asked_for:
            assert len(coupon_stories.of(ids)) == len(ids)
        return len(asked_for)

    assert cost("mei") == cost("bo", "lin", "kai") == 4


def test_no_coupons_ask_nothing(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert coupon_stories.of([]) == {}
