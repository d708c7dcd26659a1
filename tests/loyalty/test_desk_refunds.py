"""Refunds at the desk: asked what, shown what it does, and done by one more touch, once (E1)."""

import re
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from loyalty import orders
from loyalty.models import Entry
from members import accounts
from members.facts import AmountsFact, LineFact, OrderFact, OrderStatus
from members.models import Channel, Order, Refund
from privacy.models import Approval
from tests import make
from tests.counter import PLACE, Shop
from tests.loyalty.test_desk import PART, address, sale, signed_in
from tests.trade import PROGRAMME, proven

SEEN = re.compile(r'name="seen" value="([^"]+)"')


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def desk(shop: Shop) -> Client:
    return signed_in("clerk", store=PLACE)


@pytest.fixture
def sold(desk, shop) -> Order:
    """A purchase of ¥200 at the counter, which earned 200 points."""
    desk.post(address("sell", shop), sale(), **PART)
    return Order.objects.get(channel__code="jingan")


class Refunding:
    """A clerk before the page of one purchase: looks at what a choice does, and confirms what was seen."""

    def __init__(self, client: Client, shop: Any, order: Order) -> None:
        self.client, self.shop, self.order = client, shop, order
        self.nonce = str(uuid4())

    @property
    def url(self) -> str:
        return reverse("desk:refund", args=[self.shop.member.number, self.order.pk])

    def look(self, **chosen: Any) -> str:
        answer = self.client.post(f"{self.url}look/", {"nonce": self.nonce, **chosen}, **PART)
        assert answer.status_code == 200
        return answer.content.decode()

    def send(self, **chosen: Any) -> Any:
        return self.client.post(self.url, {"nonce": self.nonce, **chosen}, **PART)

    def confirm(self, **chosen: Any) -> Any:
        (seen,) = SEEN.findall(self.look(**chosen))
        return self.send(**chosen, seen=seen)


@pytest.fixture
def refunding(desk, shop, sold) -> Refunding:
    return Refunding(desk, shop, sold)


def with_lines(shop: Shop, *lines: tuple[str, str]) -> Order:
    """An order of the counter's channel, as its till told it: ¥10 off the whole of it."""
    whole = sum((Decimal(price) for _name, price in lines), Decimal("0.00"))
    fact = OrderFact(
        number="POS-1",
        status=OrderStatus.COMPLETED,
        amounts=AmountsFact(goods=whole, discount=Decimal("10.00")),
        placed_at=shop.now,
        paid_at=shop.now,
        store="jingan",
        lines=tuple(
            LineFact(product=name, name=name, price=Decimal(price), amount=Decimal(price))
            for name, price in lines
        ),
    )
    jingan = Channel.objects.get(code="jingan")
    orders.receive_from(jingan, [fact], [accounts.at_counter(jingan, shop.mei, now=shop.now)])
    return Order.objects.get(number="POS-1")


# --- what is asked, and what is shown ---------------------------------------------------------------------


def test_the_list_moves_nothing_and_leads_to_what_is_asked(desk, shop, refunding):
    page = desk.get(address("refunds", shop), **PART).content.decode()
    assert refunding.url in page and "<form" not in page
    page = desk.get(refunding.url, **PART).content.decode()
    assert "All of it" in page and "checked" not in page and "data-pay" not in page
    assert desk.post(address("refunds", shop), {"order": "x"}).status_code == 405


def test_nothing_is_refunded_that_was_not_shown(refunding):
    for chosen in ({}, {"what": "whole"}, {"what": "part", "goods": "50"}, {"seen": "nonsense"}):
        answer = refunding.send(**chosen)
        assert answer.status_code in (200, 422)
    assert "data-pay" in refunding.send(what="whole").content.decode()
    assert not Refund.objects.exists()


def test_what_a_refund_does_is_shown_before_it_is_done_and_then_is_so(desk, shop):
    desk.post(address("sell", shop), sale(use_points="on", points="300"), **PART)
    shop.spend(shop.mei, 150)  # of what the sale will take back
    refunding = Refunding(desk, shop, Order.objects.get(channel__code="jingan"))
    before = Entry.objects.count()
    page = refunding.look(what="whole")
    assert "−197 pts" in page and "+300 pts" in page and "247 → 350 pts" in page
    assert "¥197.00" in page and "Refund ¥200.00" in page
    assert (Entry.objects.count(), Refund.objects.exists()) == (before, False)
    said = refunding.confirm(what="whole").content.decode()
    assert "Give ¥197.00 back now" in said and "197 pts" in said and "300 pts" in said
    assert shop.available(shop.mei) == 350
    assert proven()


def test_money_given_back_in_parts_adds_up_to_what_was_paid(desk, shop):
    desk.post(address("sell", shop), sale(amount="71.50", use_points="on", points="150"), **PART)
    order = Order.objects.get(channel__code="jingan")
    given = []
    for goods in ("23.83", "23.84", "23.83"):
        said = Refunding(desk, shop, order).confirm(what="part", goods=goods).content.decode()
        given.append(Decimal(re.findall(r"Give ¥([\d.]+) back", said)[0]))
    assert sum(given) == Decimal("70.00")


def test_what_changed_since_it_was_shown_is_shown_again(refunding, shop):
    (seen,) = SEEN.findall(refunding.look(what="whole"))
    shop.spend(shop.mei, 600)  # elsewhere, meanwhile
    answer = refunding.send(what="whole", seen=seen)
    page = answer.content.decode()
    assert answer.status_code == 409 and "Look again, and confirm" in page and "100 pts" in page
    assert not Refund.objects.exists()
    (seen,) = SEEN.findall(page)
    assert refunding.send(what="whole", seen=seen).status_code == 200
    assert Refund.objects.count() == 1


def test_another_choice_than_the_one_shown_is_shown_first(refunding):
    (seen,) = SEEN.findall(refunding.look(what="part", goods="50"))
    page = refunding.send(what="whole", seen=seen).content.decode()
    assert "Refund ¥200.00" in page
    assert not Refund.objects.exists()


# --- whole, a part, and lines ---------------------------------------------------------------------------


def test_part_of_a_sale_then_the_rest(desk, shop, refunding, sold):
    page = refunding.confirm(what="part", goods="50").content.decode()
    assert "50 pts that the purchase had earned were taken back" in page and "¥150.00 left" in page
    Refunding(desk, shop, sold).confirm(what="whole")
    sold.refresh_from_db()
    assert sold.refunded_goods == Decimal("200.00")
    assert shop.available(shop.mei) == 500
    assert "Refunded in full" in desk.get(refunding.url, **PART).content.decode()
    assert proven()


@pytest.mark.parametrize("chosen", [{"what": "whole"}, {"what": "part", "goods": "50"}])
def test_the_same_refund_sent_again_counts_once(refunding, shop, chosen):
    (seen,) = SEEN.findall(refunding.look(**chosen))
    for _time in range(3):
        answer = refunding.send(**chosen, seen=seen)
        assert answer.status_code == 200 and "were taken back" in answer.content.decode()
    assert Refund.objects.count() == 1
    assert shop.available(shop.mei) == (500 if chosen["what"] == "whole" else 650)


def test_a_refund_beyond_what_is_left_moves_nothing_and_keeps_its_form(refunding, shop):
    answer = refunding.send(what="part", goods="200.01", seen="200.01|0|0|0|0.00|False")
    page = answer.content.decode()
    assert answer.status_code == 409 and "larger than what is left" in page
    assert refunding.nonce in page and 'value="200.01"' in page and "data-pay" not in page
    assert not Refund.objects.exists()
    assert shop.available(shop.mei) == 700


def test_goods_that_come_back_are_ticked_and_kept(desk, shop):
    order = with_lines(shop, ("Tea", "60.00"), ("Cup", "30.00"), ("Cup", "10.00"))
    refunding = Refunding(desk, shop, order)
    page = refunding.look(what="lines", line=["1", "2"])
    assert "Refund ¥81.00" in page  # ¥90 of the ¥100, less nine tenths of the ¥10 off
    refunding.confirm(what="lines", line=["1", "2"])
    refund = Refund.objects.get()
    assert [(line["name"], line["amount"]) for line in refund.lines] == [("Tea", "54.00"), ("Cup", "27.00")]
    page = desk.get(refunding.url, **PART).content.decode()
    assert page.count("disabled") == 2  # of the two cups, one is still there
    Refunding(desk, shop, order).confirm(what="lines", line=["3"])
    order.refresh_from_db()
    assert order.refunded_goods == order.net == Decimal("90.00")
    assert proven()


def test_lines_that_went_back_already_cannot_be_ticked(desk, shop):
    order = with_lines(shop, ("Tea", "60.00"), ("Cup", "40.00"))
    Refunding(desk, shop, order).confirm(what="lines", line=["1"])
    assert "data-pay" not in Refunding(desk, shop, order).look(what="lines", line=["1"])
    assert "Tick what comes back" in Refunding(desk, shop, order).look(what="lines")


# --- who, and where ---------------------------------------------------------------------------------------


def test_a_purchase_of_somebody_else_or_elsewhere_is_not_refunded_here(desk, shop, sold):
    tmall = Order.objects.get(number="T-1")
    assert Refunding(desk, shop, tmall).send(what="whole").status_code == 404
    bo = shop.buy("T-9", "90.00", make.buyer("tb-bo")).member_no
    assert desk.get(reverse("desk:refund", args=[bo, sold.pk])).status_code == 404
    assert not Refund.objects.exists()


def test_above_the_limit_of_a_role_it_says_so_and_asks_a_second_person(shop, sold):
    points_of = {**PROGRAMME["points"], "refund_limit": "100"}
    shop.publish({**PROGRAMME, "points": points_of})
    refunding = Refunding(signed_in("service", store=PLACE), shop, sold)
    assert "a second person decides" not in refunding.look(what="part", goods="100")
    assert "a second person decides" in refunding.look(what="whole")
    refused = refunding.confirm(what="whole")
    assert refused.status_code == 400 and "reason" in refused.content.decode()
    for _time in range(2):
        said = refunding.confirm(what="whole", reason="Broken on arrival").content.decode()
        assert "Give no money back yet" in said
    assert (Approval.objects.count(), Refund.objects.exists()) == (1, False)


def test_whoever_may_not_refund_sees_no_page_of_it(shop, sold):
    for role, store in (("admin", ""), ("clerk", ""), ("clerk", "xuhui/xuhui")):
        refunding = Refunding(signed_in(role, store=store), shop, sold)
        assert refunding.send(what="whole", seen="200.00|200|0|0|0.00|False").status_code == 403
    assert not Refund.objects.exists()
