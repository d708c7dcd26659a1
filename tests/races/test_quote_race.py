"""Quotes under many hands: one quote for two orders, two quotes for one coupon, a commit beside an order."""

from collections import Counter
from threading import Barrier
from typing import Any

import pytest
from django.db.models import QuerySet

from loyalty import quotes
from loyalty.errors import CouponNotUsable, QuoteEnded
from loyalty.models import CouponUse, Quote
from tests.coupon_shop import PRINTED, SPRING, WELCOME, proven
from tests.loyalty.test_quotes import QuoteShop
from tests.races.threads import LONGEST, at_once, refusals
from tests.trade import buyer

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 8


@pytest.fixture
def shop(db: None) -> QuoteShop:
    shop = QuoteShop(WELCOME, SPRING, PRINTED)
    shop.give(shop.mei, 800, cause="first")
    return shop


def test_one_quote_for_eight_orders_at_once_is_committed_for_one(shop: QuoteShop) -> None:
    quote = shop.make("200", points=100)
    answers = at_once(*[lambda n=n: shop.commit(quote, f"O{n}") for n in range(CLIENTS)])
    assert Counter(type(error) for error in refusals(answers)) == {QuoteEnded: CLIENTS - 1}
    assert shop.available(shop.mei) == 700
    assert proven()


def test_without_its_lock_a_quote_would_be_committed_for_each(
    shop: QuoteShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(CLIENTS, timeout=LONGEST)
    lock = QuerySet.select_for_update

    def look_without_locking(rows: QuerySet[Any], *how: Any, **named: Any) -> Any:
        if rows.model is not Quote:
            return lock(rows, *how, **named)
        together.wait()
        return rows.all()

    quote = shop.make("200", points=100)
    monkeypatch.setattr(QuerySet, "select_for_update", look_without_locking)
    answers = at_once(*[lambda n=n: shop.commit(quote, f"O{n}") for n in range(CLIENTS)])
    assert len(refusals(answers)) < CLIENTS - 1
    assert shop.available(shop.mei) < 700


def test_the_same_order_asking_eight_times_has_one_answer(shop: QuoteShop) -> None:
    shop.coupon("WELCOME")
    quote = shop.make("200", points=100)
    answers = at_once(*[lambda: shop.commit(quote) for _ in range(CLIENTS)])
    assert refusals(answers) == []
    assert Counter(answer.is_new for answer in answers) == {True: 1, False: CLIENTS - 1}
    assert (shop.available(shop.mei), CouponUse.objects.count()) == (700, 1)
    assert proven()


def test_eight_quotes_that_promise_one_coupon_use_it_once_and_the_others_move_nothing(
    shop: QuoteShop,
) -> None:
    shop.coupon("WELCOME")
    made = [shop.make("200", points=100) for _ in range(CLIENTS)]
    answers = at_once(*[lambda n=n, quote=quote: shop.commit(quote, f"O{n}") for n, quote in enumerate(made)])
    assert Counter(type(error) for error in refusals(answers)) == {CouponNotUsable: CLIENTS - 1}
    assert (shop.available(shop.mei), CouponUse.objects.count()) == (700, 1)
    assert Quote.objects.filter(committed_at__isnull=False).count() == 1
    assert proven()


def test_commits_and_orders_of_one_member_at_once_do_not_wait_for_each_other(shop: QuoteShop) -> None:
    for number in range(CLIENTS // 2):
        shop.give(shop.mei, 10, cause=f"more-{number}")
    coupon = shop.coupon("WELCOME")
    quote = quotes.make(shop.ask("200", points=100, codes=(coupon,)))[0]
    orders = [lambda n=n: shop.buy(f"N{n}", "50", buyer("mei"), at=shop.now) for n in range(CLIENTS // 2)]
    answers = at_once(lambda: shop.commit(quote), *orders)
    assert refusals(answers) == []
    assert proven()
