"""Purchases: what people buy, what it costs them, and what they send back.

Every platform has its own kinds of discount and its own way to tell of a refund; what is bought is the same
everywhere. History ends with the last day of the seasons: orders of its last days are still on their way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from functools import cache
from math import exp
from random import Random
from typing import Any, Final

from config.demos import lists, people
from config.demos.households import Customer, Presence
from config.demos.people import Person, Weighted
from config.demos.seasons import DOUBLE_ELEVEN, MID_YEAR, Seasons, season
from members.cleaning import SHANGHAI, ZERO
from members.facts import (
    AmountsFact,
    DiscountFact,
    LineFact,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    PaymentFact,
    RefundFact,
)

STORES: Final = {"jingan": "JA", "xuhui": "XH"}
MOST_ORDERS = 512  # of one person; numbers are given out in steps of it
CENT = Decimal("0.01")

_UNPAID, _ALL_BACK, _PART_BACK = 0.04, 0.025, 0.03  # shares of orders


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order in one channel, with what the channel tells of it elsewhere."""

    channel: str
    identity: str  # whose it is, as Presence.identity
    order: OrderFact
    lines: OrderLinesFact | None = None
    refunds: tuple[RefundFact, ...] = ()


@dataclass(frozen=True, slots=True)
class _Occasion:
    """One time that a person buys. `serial` is the number of the order among all of the demo."""

    person: Person
    presence: Presence
    serial: int
    seed: int
    at: datetime
    end: datetime  # of history; nothing is told that happens after it
    basket: tuple[LineFact, ...]
    rng: Random

    @property
    def goods(self) -> Decimal:
        """What the basket costs by its labels."""
        return sum((line.amount or ZERO for line in self.basket), ZERO)

    def digits(self, count: int) -> str:
        """The digits of an order number; no two orders have the same."""
        return f"{people.scrambled(self.serial, 10**count, self.seed):0{count}d}"


def purchases(customer: Customer, seed: int, seasons: Seasons) -> Iterator[Purchase]:
    """All that one person buys, in no order."""
    person, presences = customer.person, customer.presences
    rng = Random(f"{seed}:purchases:{person.number}")
    years = ((person.until - person.since).days + 1) / 365
    often = min(max(_poisson(rng, person.rate * years), rng.random() < 0.85), MOST_ORDERS)
    end = datetime.combine(seasons.last + timedelta(days=1), time(), SHANGHAI)
    for n in range(often):
        presence = rng.choices(presences, weights=[each.weight for each in presences])[0]
        in_store = presence.channel == "jingan"
        day = seasons.day(rng, person.since, person.until, in_store=in_store)
        hours = _STORE_HOURS if in_store else _ONLINE_HOURS
        clock = time(hours.draw(rng), rng.randrange(60), rng.randrange(60))
        occasion = _Occasion(
            person=person,
            presence=presence,
            serial=person.number * MOST_ORDERS + n,
            seed=seed,
            at=datetime.combine(day, clock, SHANGHAI),
            end=end,
            basket=_basket(rng, person, day, is_single=presence.channel == "pinduoduo"),
            rng=rng,
        )
        yield _SELLERS[presence.channel](occasion)


def _poisson(rng: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average."""
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


_ONLINE_HOURS: Final = people.weighted(
    list(enumerate([3, 1, 1, 1, 1, 1, 2, 4, 6, 8, 10, 10, 9, 8, 7, 7, 7, 7, 8, 10, 14, 15, 12, 7]))
)
_STORE_HOURS: Final = people.weighted(list(enumerate([4, 7, 8, 6, 8, 9, 9, 8, 7, 7, 6, 3], start=10)))


# -------------------------------------------------------------------------------------- the basket

_KINDS: Final = people.weighted([(1, 46), (2, 29), (3, 15), (4, 7), (6, 3)])


@cache
def _shelf(of_season: str) -> Weighted:
    """What is on sale in a season, each thing as a line of one piece."""
    return people.weighted(
        [
            (
                LineFact(
                    product=each["code"],
                    name=each["name"],
                    category=each["category"],
                    price=Decimal(each["price"]),
                    amount=Decimal(each["price"]),
                ),
                each["weight"],
            )
            for each in lists.read("products")["products"]
            if each.get("season", of_season) == of_season
        ]
    )


def _basket(rng: Random, person: Person, day: date, *, is_single: bool) -> tuple[LineFact, ...]:
    shelf = _shelf(season(day))
    kinds = 1 if is_single else _KINDS.draw(rng)
    things = dict.fromkeys(shelf.draw(rng) for _ in range(kinds))
    return tuple(_several(thing, 1 + _poisson(rng, min(person.appetite, 12.0))) for thing in things)


def _several(line: LineFact, quantity: int) -> LineFact:
    assert line.price is not None
    return replace(line, quantity=quantity, amount=line.price * quantity)


# ------------------------------------------------------------------------------- what has become of it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """How far an order has come by the end of history. `back`: goods sent back, net of discounts."""

    status: OrderStatus
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    completed_at: datetime | None = None
    refunded_at: datetime | None = None
    back: Decimal = ZERO


def _course(occasion: _Occasion, net: Decimal) -> _Course:
    """An order takes its way: paid, sent, received, finished; some are never paid, some come back."""
    rng, at, end = occasion.rng, occasion.at, occasion.end
    if rng.random() < _UNPAID:
        return _Course(status=OrderStatus.CANCELLED)
    paid_at = at + timedelta(seconds=rng.randint(8, 900))
    shipped_at = paid_at + timedelta(hours=rng.randint(5, 40), minutes=rng.randrange(60))
    received_at = shipped_at + timedelta(hours=rng.randint(26, 110), minutes=rng.randrange(60))
    completed_at = received_at + timedelta(days=7)
    refunded_at = received_at + timedelta(hours=rng.randint(12, 120))
    back = _sent_back(rng, net)
    if paid_at >= end:
        return _Course(status=OrderStatus.PLACED)
    if shipped_at >= end:
        return _Course(status=OrderStatus.PAID, paid_at=paid_at)
    if received_at >= end:
        return _Course(status=OrderStatus.SHIPPED, paid_at=paid_at, shipped_at=shipped_at)
    if completed_at >= end:
        return _Course(
            status=OrderStatus.RECEIVED, paid_at=paid_at, shipped_at=shipped_at, received_at=received_at
        )
    return _Course(
        status=OrderStatus.COMPLETED,
        paid_at=paid_at,
        shipped_at=shipped_at,
        received_at=received_at,
        completed_at=completed_at,
        refunded_at=refunded_at if back else None,
        back=back,
    )


def _sent_back(rng: Random, net: Decimal) -> Decimal:
    chance = rng.random()
    if chance < _ALL_BACK:
        return net
    if chance < _ALL_BACK + _PART_BACK:
        return (net * rng.randint(20, 70) / 100).quantize(CENT, ROUND_DOWN)
    return ZERO


# ------------------------------------------------------------------------------------ discounts, postage


def _shop_discount(occasion: _Occasion) -> Decimal:
    """Money off by the full hundreds in the festivals, else a coupon now and then."""
    goods = occasion.goods
    if season(occasion.at.date()) in (DOUBLE_ELEVEN, MID_YEAR):
        return (goods // 200) * 30 * Decimal("1.00")
    if occasion.rng.random() < 0.3 and goods >= 60:
        return Decimal(occasion.rng.choice(("5.00", "8.00", "10.00", "15.00")))
    return ZERO


def _share(occasion: _Occasion, chance: float, most: int) -> Decimal:
    """Now and then so many per cent of the goods, to the cent."""
    if occasion.rng.random() >= chance:
        return ZERO
    return (occasion.goods * occasion.rng.randint(1, most) / 100).quantize(CENT, ROUND_DOWN)


def _postage(occasion: _Occasion, net: Decimal) -> Decimal:
    return ZERO if net >= 99 else Decimal(occasion.rng.choice(("6.00", "8.00", "10.00")))


def _layers(**parts: Decimal) -> tuple[DiscountFact, ...]:
    return tuple(DiscountFact(layer=layer, amount=amount) for layer, amount in parts.items() if amount)


# ------------------------------------------------------------------------------------ the platforms


def _order(
    occasion: _Occasion,
    number: str,
    course: _Course,
    *,
    goods: Decimal | None = None,
    discounts: tuple[DiscountFact, ...] = (),
    postage: Decimal = ZERO,
    means: str | None = None,
    **told: Any,
) -> OrderFact:
    """What all platforms tell alike; `told` is what one tells besides, or otherwise."""
    amounts = AmountsFact(
        goods=occasion.goods if goods is None else goods,
        discount=sum((layer.amount for layer in discounts), ZERO),
        postage=postage,
    )
    facts: dict[str, Any] = {
        "buyer": occasion.presence.buyer,
        "lines": occasion.basket,
        "receiver": occasion.person.home,
        "shipped_at": course.shipped_at,
        "received_at": course.received_at,
        "completed_at": course.completed_at,
        "payments": (PaymentFact(means=means),) if means else (),
    }
    return OrderFact(
        number=number,
        status=course.status,
        amounts=amounts,
        placed_at=occasion.at,
        paid_at=course.paid_at,
        discounts=discounts,
        **(facts | told),
    )


def _sold(
    occasion: _Occasion,
    order: OrderFact,
    *,
    lines: OrderLinesFact | None = None,
    refunds: tuple[RefundFact, ...] = (),
) -> Purchase:
    return Purchase(occasion.presence.channel, occasion.presence.identity, order, lines, refunds)


def _told_back(course: _Course, postage: Decimal, net: Decimal) -> Decimal | None:
    """The one amount that a platform tells of what it refunded: postage too when all came back."""
    if not course.back:
        return None
    return course.back + postage if course.back == net else course.back


def _refund(occasion: _Occasion, number: str, order_number: str, course: _Course) -> tuple[RefundFact, ...]:
    """The refund as a platform tells it in a file of its own."""
    if not course.back or course.refunded_at is None or course.refunded_at >= occasion.end:
        return ()
    line = occasion.basket[0]
    return (
        RefundFact(
            order_number=order_number,
            number=number,
            goods=course.back,
            lines=(replace(line, quantity=1, price=None, amount=course.back),),
            refunded_at=course.refunded_at,
        ),
    )


def _on_tmall(occasion: _Occasion) -> Purchase:
    """The shop's discount is off the price already; the platform's is told by its cards."""
    goods = occasion.goods - _shop_discount(occasion)
    discounts = tuple(
        DiscountFact(layer="platform", amount=amount, label=label)
        for label, amount in (
            ("天猫卡券抵扣", _share(occasion, 0.15, 6)),
            ("集分宝抵扣", _share(occasion, 0.05, 1)),
        )
        if amount
    )
    net = goods - sum((layer.amount for layer in discounts), ZERO)
    postage, course = _postage(occasion, net), _course(occasion, net)
    number = f"2{occasion.digits(14)}{occasion.person.number % 10_000:04d}"
    if course.back == net:  # 交易关闭: the platform closes what was refunded in full
        course = replace(course, status=OrderStatus.CANCELLED)
    order = _order(
        occasion,
        number,
        course,
        goods=goods,
        discounts=discounts,
        postage=postage,
        refunded_total=_told_back(course, postage, net),
    )
    return _sold(occasion, order, lines=OrderLinesFact(order_number=number, lines=occasion.basket))


def _on_jd(occasion: _Occasion) -> Purchase:
    """Refunds stand in the settlement alone."""
    discounts = _layers(shop=_shop_discount(occasion), platform=_share(occasion, 0.2, 5))
    net = occasion.goods - sum((layer.amount for layer in discounts), ZERO)
    course = _course(occasion, net)
    number = f"3{occasion.digits(11)}"
    order = _order(
        occasion, number, course, discounts=discounts, postage=_postage(occasion, net), means="在线支付"
    )
    return _sold(occasion, order, refunds=_refund(occasion, f"8{occasion.digits(11)}", number, course))


def _on_pinduoduo(occasion: _Occasion) -> Purchase:
    """Cheaper by the platform, and refunded in full or not at all: the file tells no part."""
    discounts = _layers(
        shop=_shop_discount(occasion), platform=_share(occasion, 0.6, 12), payment=_share(occasion, 0.2, 2)
    )
    net = occasion.goods - sum((layer.amount for layer in discounts), ZERO)
    course = _course(occasion, net)
    number = f"{occasion.at:%y%m%d}-{occasion.digits(15)}"
    is_back = course.back == net
    order = _order(occasion, number, course, discounts=discounts, refunded_total=net if is_back else None)
    return _sold(occasion, order)


def _on_douyin(occasion: _Occasion) -> Purchase:
    """The shop's discount is told line by line; refunds stand in the file of after-sales."""
    off = Decimal(occasion.rng.choice((0, 0, 5, 8))) / 100
    basket = tuple(_cheaper(line, off) for line in occasion.basket)
    cost = sum((line.discount for line in basket), ZERO)
    net = occasion.goods - cost
    course = _course(occasion, net)
    number = f"69{occasion.digits(17)}"
    order = _order(
        occasion,
        number,
        course,
        discounts=_layers(shop=cost),
        postage=_postage(occasion, net),
        means="微信",
        lines=basket,
    )
    return _sold(occasion, order, refunds=_refund(occasion, f"14{occasion.digits(17)}", number, course))


def _cheaper(line: LineFact, off: Decimal) -> LineFact:
    assert line.amount is not None
    discount = (line.amount * off).quantize(CENT, ROUND_DOWN)
    return replace(line, discount=discount, amount=line.amount - discount)


def _on_youzan(occasion: _Occasion) -> Purchase:
    discounts = _layers(shop=_shop_discount(occasion))
    net = occasion.goods - sum((layer.amount for layer in discounts), ZERO)
    postage, course = _postage(occasion, net), _course(occasion, net)
    number = f"E{occasion.at:%Y%m%d%H%M%S}{occasion.digits(12)}"
    order = _order(
        occasion,
        number,
        course,
        discounts=discounts,
        postage=postage,
        means="微信支付",
        refunded_total=_told_back(course, postage, net),
    )
    return _sold(occasion, order)


def _on_wechat(occasion: _Occasion) -> Purchase:
    discounts = _layers(shop=_shop_discount(occasion))
    net = occasion.goods - sum((layer.amount for layer in discounts), ZERO)
    postage, course = _postage(occasion, net), _course(occasion, net)
    order = _order(
        occasion,
        f"MP{occasion.at:%Y%m%d}{occasion.digits(12)}",
        course,
        discounts=discounts,
        postage=postage,
        means="微信支付",
        refunded_total=_told_back(course, postage, net),
    )
    return _sold(occasion, order)


def _on_shopify(occasion: _Occasion) -> Purchase:
    """A code takes some per cent off; the shop knows no state after sent."""
    cost = _share(occasion, 0.2, 10)
    discounts = (DiscountFact(layer="coupon", amount=cost, label="HELLO"),) if cost else ()
    net = occasion.goods - cost
    postage, course = _postage(occasion, net), _course(occasion, net)
    order = _order(
        occasion,
        f"5{occasion.digits(12)}",
        course,
        discounts=discounts,
        postage=postage,
        means="Alipay",
        refunded_total=_told_back(course, postage, net),
    )
    return _sold(occasion, order)


def _in_store(occasion: _Occasion) -> Purchase:
    """Paid and taken along at once; who has no card is nobody to the till."""
    store = occasion.rng.choice(("jingan", "jingan", "xuhui"))
    discounts = _layers(shop=_share(occasion, 0.2, 10))
    net = occasion.goods - sum((layer.amount for layer in discounts), ZERO)
    back = ZERO if occasion.at + timedelta(days=3) >= occasion.end else _sent_back(occasion.rng, net)
    course = _Course(status=OrderStatus.COMPLETED, paid_at=occasion.at, completed_at=occasion.at, back=back)
    order = _order(
        occasion,
        f"{STORES[store]}{occasion.at:%Y%m%d}{occasion.digits(12)}",
        course,
        discounts=discounts,
        means=occasion.rng.choice(("微信支付", "支付宝", "银行卡", "现金")),
        store=store,
        receiver=None,
        refunded_total=back or None,
    )
    return _sold(occasion, order)


_SELLERS: Final[dict[str, Callable[[_Occasion], Purchase]]] = {
    "tmall": _on_tmall,
    "jd": _on_jd,
    "pinduoduo": _on_pinduoduo,
    "douyin": _on_douyin,
    "youzan": _on_youzan,
    "wechat": _on_wechat,
    "shopify": _on_shopify,
    "jingan": _in_store,
}
