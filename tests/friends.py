"""A brand whose members bring friends: the ladder of the brief, and shorthand for who brings whom."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from loyalty import accounts, referrals
from loyalty.models import Grant, Referral
from members.facts import AccountFact, IdentifierFact, ReceiverFact
from tests.trade import Trade, buyer, phone

WELCOME = {
    "code": "WELCOME",
    "name": {"en": "Welcome", "zh-hans": "新人券"},
    "kind": "amount",
    "value": "20",
    "min_spend": "100",
    "valid": {"days": 30},
    "quota": 1000,
    "per_member": 5,
}
LADDER: dict[Any, Any] = {
    1: {"both": {"coupon": "WELCOME"}},
    3: {"referrer": {"points": 50}},
    5: {"referrer": {"tier": "gold"}},
}


class Circle(Trade):
    """The brand of `tests.trade` with a ladder. Mei is a member, and has a code to pass on."""

    def __init__(self, ladder: Mapping[Any, Any] = LADDER, **referral: Any) -> None:
        section = {"counts_after": "first_purchase", "ladder": dict(ladder), **referral}
        super().__init__(sections={"coupons": [WELCOME], "referral": section})
        self.mei = self.join("mei", phone("+8613800138001"))
        self.code = referrals.code_of(self.mei)

    def join(self, who: str, /, *keys: IdentifierFact, by: str | None = None, **told: Any) -> int:
        """Somebody becomes a member of the app, brought by whoever has this code."""
        (receipt,) = accounts.receive(self.app, [buyer(who, *keys, referred_by=by, **told)])
        assert receipt.error is None
        return receipt.member_id

    def first_buy(
        self, name: str, *, at: datetime | None = None, address: str = "", number: str = "", **told: Any
    ) -> None:
        """Their first purchase, in the app; `address` is where the parcel goes."""
        receiver = ReceiverFact(province="上海市", city="上海市", address=address) if address else None
        self.buy(
            number or f"O-{name}", "120", buyer(name), channel=self.app, at=at, receiver=receiver, **told
        )

    def bring(self, who: str, /, *keys: IdentifierFact, by: str | None = None, **told: Any) -> int:
        """A friend joins by Mei's code, and buys."""
        friend = self.join(who, *keys, by=by or self.code, **told)
        self.first_buy(who)
        return friend

    def returned(self, name: str) -> None:
        """The friend sends everything back."""
        self.refund(f"O-{name}", f"R-{name}", "120", channel=self.app)


def row_of(friend: int) -> Referral:
    return Referral.objects.filter(friend=friend).latest("id")


def standing(friend: int) -> tuple[str, list[str]]:
    """State and reasons of the latest row of a friend."""
    row = row_of(friend)
    return row.state, row.reasons


def numbers(referrer: int) -> list[int]:
    rows = Referral.objects.filter(referrer=referrer, state="counted").order_by("number")
    return [row.number or 0 for row in rows]


def given(member: int) -> list[tuple[str, str, str]]:
    """What a member was given for friends, as it stands: code, prize and value."""
    rows = Grant.objects.filter(member=member, source="referral").exclude(state="withdrawn").order_by("id")
    return [(row.code, row.prize, row.value if row.state == "given" else row.refusal) for row in rows]


def fact(who: str, /, *keys: IdentifierFact, **told: Any) -> AccountFact:
    return buyer(who, *keys, **told)
