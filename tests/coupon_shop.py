"""The brand of `tests.trade` with coupons: campaigns as a marketer writes them, Mei and Bo who hold some."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from loyalty import clock, coupon_proofs, coupons, publishing
from loyalty.coupon_terms import BasketLine
from loyalty.coupons import CouponReceipt, Issued, Wish
from loyalty.models import Coupon, CouponMove, CouponUse
from members import channels
from members.models import Channel, OutboxEvent
from tests.trade import PROGRAMME, Trade, buyer

WELCOME: dict[str, Any] = {
    "code": "WELCOME",
    "name": {"en": "Welcome", "zh-hans": "新人券"},
    "kind": "amount",
    "value": "20",
    "min_spend": "100",
    "valid": {"days": 30},
    "quota": 5,
    "per_member": 2,
}
SPRING: dict[str, Any] = {
    "code": "SPRING",
    "name": {"en": "Spring"},
    "kind": "percentage",
    "value": "10",
    "max_discount": "50",
    "public_code": "SPRING-26",
    "quota": 3,
    "per_member": 1,
}
PRINTED: dict[str, Any] = {
    "code": "PRINTED",
    "name": {"en": "Printed"},
    "kind": "amount",
    "value": "5",
    "bearer": True,
    "combines": True,
    "per_member": 2,
}


class CouponShop(Trade):
    """A brand with these campaigns and one counter; Mei and Bo have bought once."""

    def __init__(self, *campaigns: dict[str, Any]) -> None:
        super().__init__()
        self.publish(*campaigns)
        jingan = channels.make("jingan", "pos")
        self.store = channels.make_store(jingan, "jingan")
        self.jingan: Channel = jingan
        self.mei = self._member("mei")
        self.bo = self._member("bo")

    def publish(self, *campaigns: dict[str, Any]) -> None:
        """Another version of the programme, with these campaigns."""
        document = {**PROGRAMME, "coupons": list(campaigns)}
        self.programme = publishing.load(document, environment="demo").version

    def _member(self, name: str) -> int:
        member = self.buy(f"FIRST-{name}", "10", buyer(name), at=self.ago(400)).member_id
        assert member is not None
        return member

    def issue(self, campaign: str, member: int | None, cause: str, **told: Any) -> Issued:
        with transaction.atomic():
            wish = Wish(campaign=campaign, member_id=member, cause=cause, **told)
            (issued,) = coupons.issue([wish], now=clock.read().now)
        return issued

    def coupon(self, campaign: str = "WELCOME", member: int | None = None, cause: str = "gift") -> str:
        """The code of a fresh coupon, Mei's unless told."""
        issued = self.issue(campaign, self.mei if member is None else member, f"{campaign}:{cause}")
        assert not issued.refusal, issued
        return issued.code

    def lock(self, code: str, order_no: str = "O1", **told: Any) -> CouponReceipt:
        return coupons.lock(code, **self._asked(order_no, told))

    def use(self, code: str, order_no: str = "O1", **told: Any) -> CouponReceipt:
        return coupons.use(code, **self._asked(order_no, told))

    def release(self, code: str, order_no: str = "O1", **told: Any) -> CouponReceipt:
        return coupons.release(
            code, **{"channel": self.app, "order_no": order_no, "member_id": self.mei, **told}
        )

    def _asked(self, order_no: str, told: dict[str, Any]) -> dict[str, Any]:
        asked = {"channel": self.app, "order_no": order_no, "member_id": self.mei, "lines": goods("200")}
        return {**asked, **told}

    def wait(self, seconds: float) -> None:
        """Let the programme's clock go on."""
        clock.move(timedelta(seconds=seconds))


def goods(*amounts: str, product: str = "", category: str = "") -> Sequence[BasketLine]:
    return [BasketLine(Decimal(amount), product, category) for amount in amounts]


def row(code: str) -> Coupon:
    return Coupon.objects.get(code=code)


def history(code: str) -> list[str]:
    """What happened to a coupon, in order."""
    return list(
        CouponMove.objects.filter(coupon__code=code).order_by("position").values_list("kind", flat=True)
    )


def picture() -> tuple[Any, ...]:
    """Everything about coupons that is written down: what is refused must leave it as it was."""
    return (
        list(Coupon.objects.order_by("pk").values()),
        list(CouponMove.objects.order_by("pk").values_list("pk", flat=True)),
        list(CouponUse.objects.order_by("pk").values()),
        OutboxEvent.objects.count(),
    )


def broken() -> dict[str, list[Any]]:
    """The laws about coupons that do not hold, with the rows that break them."""
    found = {}
    with connection.cursor() as cursor:
        for name, (_law, query) in coupon_proofs.LAWS.items():
            cursor.execute(query)
            if rows := cursor.fetchall():
                found[name] = rows
    return found


def proven() -> bool:
    """Whether every law about coupons holds; what breaks one is shown by the assertion."""
    assert broken() == {}
    return True
