"""Made-up people and what they buy: the same ones in every run, by their numbers, and nobody's data."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.utils import timezone

from members.cleaning import SHANGHAI
from members.facts import (
    AccountFact,
    AmountsFact,
    Gender,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    ReceiverFact,
)

HISTORY = timedelta(days=300)  # short enough for no points to lapse, long enough for every window
BUYING = 3  # one in three members buys; they share the orders
REFUNDED = 50  # one order in fifty is refunded by half

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红梅文建国"
_PLACES = (("浙江", "杭州"), ("上海", "上海"), ("广东", "深圳"), ("四川", "成都"), ("湖北", "武汉"))
_GOODS = ("龙井", "白毫银针", "铁观音", "正山小种", "普洱")


def phone_of(number: int) -> str:
    """The phone of a member, in E.164."""
    return f"+861{30 + number // 100_000_000}{number % 100_000_000:08d}"


def nick_of(number: int) -> str:
    """How Tmall names a member."""
    return f"tea{number:09d}"


def name_of(number: int) -> str:
    given = _GIVEN[number // 20 % 30] + _GIVEN[number // 600 % 30]
    return _SURNAMES[number % 20] + given


def customer(number: int) -> AccountFact:
    """One row of the shop's list of customers."""
    return AccountFact(
        identifiers=(_phone(number),),
        name=name_of(number),
        nick=nick_of(number),
        gender=Gender.FEMALE if number % 3 else Gender.MALE,
        birthday=date(1960, 1, 1) + timedelta(days=number * 7 % 16_000),
        province=_PLACES[number % 5][0],
        joined_at=first_day() + timedelta(seconds=number % 80_000),
    )


def customers(count: int) -> Iterator[AccountFact]:
    return map(customer, range(1, count + 1))


def buyer_of(order: int, members: int) -> int:
    """Which member an order is of: no two of a batch in a row, and each buyer equally often."""
    return 1 + order * 7919 % max(1, members // BUYING) * BUYING % members


def past_order(number: int, *, members: int, orders: int) -> OrderFact:
    """One order of the file: bought during the history, received, one in fifty refunded by half."""
    placed_at = first_day() + HISTORY * (number / orders)
    buyer = buyer_of(number, members)
    amount = Decimal(20 + number * 37 % 980)
    place = _PLACES[buyer % 5]
    return OrderFact(
        number=f"40{number:016d}",
        status=OrderStatus.COMPLETED,
        amounts=AmountsFact(goods=amount),
        buyer=AccountFact(external_id=nick_of(buyer), identifiers=(_phone(buyer),)),
        placed_at=placed_at,
        paid_at=placed_at + timedelta(minutes=3),
        received_at=placed_at + timedelta(days=4),
        lines=(LineFact(product="", name=_GOODS[number % 5], quantity=1, amount=amount),),
        receiver=ReceiverFact(
            name=name_of(buyer),
            phone=phone_of(buyer),
            province=place[0],
            city=place[1],
            district="西湖区",
            address=f"茶园路{buyer % 300}号",
        ),
        refunded_total=amount / 2 if number % REFUNDED == 0 else None,
    )


def past_orders(count: int, *, members: int) -> Iterator[OrderFact]:
    return (past_order(number, members=members, orders=count) for number in range(1, count + 1))


def new_order(number: int, *, members: int, at: datetime) -> OrderFact:
    """An order that is paid now, by somebody who has bought in this channel before."""
    amount = Decimal(20 + number * 37 % 980)
    return OrderFact(
        number=f"N{number:09d}",
        status=OrderStatus.PAID,
        amounts=AmountsFact(goods=amount),
        buyer=AccountFact(external_id=nick_of(buyer_of(number, members))),
        placed_at=at,
        paid_at=at,
        lines=(LineFact(product="TEA", name=_GOODS[number % 5], quantity=1, price=amount, amount=amount),),
    )


def new_order_body(number: int, *, members: int, at: datetime) -> dict[str, Any]:
    """The same order as a channel sends it to the API."""
    amount = f"{20 + number * 37 % 980}.00"
    return {
        "order_no": f"N{number:09d}",
        "status": "paid",
        "amounts": {"goods": amount},
        "buyer": {"external_id": nick_of(buyer_of(number, members))},
        "placed_at": at.isoformat(),
        "paid_at": at.isoformat(),
        "lines": [{"product": "TEA", "name": _GOODS[number % 5], "quantity": 1, "price": amount}],
    }


def _phone(number: int) -> IdentifierFact:
    return IdentifierFact(kind=IdentifierKind.PHONE, value=phone_of(number))


@cache
def first_day() -> datetime:
    """When the history begins; it ends before today, wherever the run stands in its day."""
    today = timezone.now().astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - HISTORY - timedelta(days=6)
