"""A small brand to tell stories with: its channels, its programme, and what people do there.

Everything goes through the operations themselves, so a state that cannot come about cannot be built.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from loyalty import audit, clock, ledger, orders, points, publishing
from loyalty.orders import OrderReceipt, RefundReceipt
from loyalty.points import HoldReceipt, PointsReceipt
from loyalty.purse import Figures
from members import channels
from members.facts import (
    AccountFact,
    AmountsFact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    PointsSpentFact,
    RefundFact,
)
from members.models import Channel, Member

PROGRAMME: dict[str, Any] = {
    "programme": "main",
    "time_zone": "Asia/Shanghai",
    "points": {"base_per_yuan": "1", "pending_days": 0, "expiry": {"after": {"months": 12}}},
    "tiers": [
        {
            "code": "basic",
            "name": {"en": "Basic", "zh-hans": "普通会员"},
            "benefits": {"points_per_yuan": 100},
        },
        {
            "code": "silver",
            "name": {"en": "Silver", "zh-hans": "银卡"},
            "qualify": {"window": {"months": 12}, "all": {"spend": "3000", "orders": 5}},
            "keep": {"months": 12, "grace_days": 30, "down": "one", "on_refund": "keep"},
            "benefits": {"discount": "0.90", "coefficient": "1.2", "points_per_yuan": 80},
        },
        {
            "code": "gold",
            "name": {"en": "Gold", "zh-hans": "金卡"},
            "qualify": {"window": {"months": 12}, "all": {"spend": "10000", "orders": 15}},
            "keep": {"months": 12, "grace_days": 30, "down": "one", "on_refund": "keep"},
            "benefits": {"coefficient": "1.5", "points_per_yuan": 60},
        },
    ],
}


def phone(number: str, *, verified: bool = True) -> IdentifierFact:
    return IdentifierFact(kind=IdentifierKind.PHONE, value=number, verified=verified)


def buyer(external_id: str, *keys: IdentifierFact, **told: Any) -> AccountFact:
    return AccountFact(external_id=external_id, identifiers=keys, **told)


class Trade:
    """The brand. Times are UTC; `now` is the database's."""

    def __init__(
        self,
        *,
        rules: Sequence[dict[str, Any]] = (),
        sections: Mapping[str, Any] | None = None,
        **points_policy: Any,
    ) -> None:
        """`sections`: more of the programme's document, as `activities` and `milestones`."""
        points_of = {**PROGRAMME["points"], **points_policy}
        document = {**PROGRAMME, "points": points_of, "rules": list(rules), **(sections or {})}
        self.programme = publishing.load(document, environment="demo").version
        self.tmall = channels.make("tmall", platform="tmall")
        self.app = channels.make("app", platform="app")
        self.now = clock.read().recorded

    def buy(
        self,
        number: str,
        net: str,
        who: AccountFact | None,
        *,
        channel: Channel | None = None,
        at: datetime | None = None,
        status: OrderStatus = OrderStatus.COMPLETED,
        **told: Any,
    ) -> OrderReceipt:
        """One order told by its channel; `told` adds to the fact or replaces parts of it."""
        (receipt,) = orders.receive(
            channel or self.tmall, [self.order(number, net, who, at=at, status=status, **told)]
        )
        return receipt

    def publish(self, document: dict[str, Any]) -> None:
        """Another version of the programme."""
        self.programme = publishing.load(document, environment="demo").version

    def receive(self, facts: Sequence[OrderFact], *, channel: Channel | None = None) -> list[OrderReceipt]:
        """Orders told together, as a file or a batch brings them."""
        return orders.receive(channel or self.tmall, facts)

    def order(
        self,
        number: str,
        net: str,
        who: AccountFact | None,
        *,
        at: datetime | None = None,
        status: OrderStatus = OrderStatus.COMPLETED,
        spent: PointsSpentFact | None = None,
        **told: Any,
    ) -> OrderFact:
        at = at or self.now
        amount = Decimal(net)
        value = told.pop("points_value", Decimal(0))
        fact: dict[str, Any] = {
            "number": number,
            "status": status,
            "amounts": AmountsFact(goods=amount, points_value=value),
            "buyer": who,
            "placed_at": at,
            "paid_at": None if status == OrderStatus.PLACED else at,
            "lines": (LineFact(product="TEA", name="Tea", price=amount, amount=amount),),
            "points_spent": spent,
        }
        return OrderFact(**{**fact, **told})

    def refund(
        self, number: str, refund: str, goods: str, *, channel: Channel | None = None, **told: Any
    ) -> RefundReceipt:
        fact = RefundFact(
            order_number=number, number=refund, goods=Decimal(goods), refunded_at=self.now, **told
        )
        (receipt,) = orders.refund(channel or self.tmall, [fact])
        return receipt

    def give(self, member: int, amount: int, cause: str = "gift") -> PointsReceipt:
        return points.earn(member, amount, cause=cause, channel=self.tmall)

    def spend(self, member: int, amount: int, cause: str = "spend") -> PointsReceipt:
        return points.redeem(member, amount, cause=cause, channel=self.tmall)

    def hold(self, member: int, amount: int, cause: str = "hold", seconds: int = 900) -> HoldReceipt:
        return points.hold(member, amount, cause=cause, channel=self.tmall, expires_in=seconds)

    def figures(self, member: int) -> Figures:
        return ledger.figures(member)

    def available(self, member: int) -> int:
        return ledger.figures(member).available

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)


def tier_of(member: int) -> str:
    return Member.objects.get(pk=member).wallet.tier


_ANYTHING_FOUND = "SELECT " + " OR ".join(f"EXISTS ({query})" for _law, query in audit.QUERIES.values())


def proven() -> bool:
    """Whether every law of the ledger holds; what breaks one is shown by the assertion.

    A life is proven after each of its steps: all the statements of the audit are asked as one, and one by one
    only when something was found.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANYTHING_FOUND)
        (something_is_wrong,) = cursor.fetchone()
    if something_is_wrong or any(True for _name, (_law, rows) in audit.WALKS.items() for _row in rows()):
        assert list(audit.check()) == []
        raise AssertionError("what was found is found no more")
    return True


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
