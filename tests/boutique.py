"""A brand with a counter and a shelf of rewards: what each costs, and sales that run by the hour."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from loyalty import publishing, rewards
from loyalty.models import Claim, Shelf
from loyalty.rewards import Receipt
from members.models import Store
from tests.counter import Shop
from tests.trade import PROGRAMME, Trade

TOTE: dict[str, Any] = {
    "code": "TOTE",
    "name": {"en": "Tote", "zh-hans": "帆布袋"},
    "kind": "gift",
    "points": 100,
    "stock": 5,
    "per_member": 2,
    "ways": ["counter", "parcel"],
}


def offer(trade: Trade, *items: dict[str, Any], **more: Any) -> None:
    """Publish a version of a brand's programme with these rewards; `more` are other sections."""
    before = {key: value for key, value in trade.programme.document.items() if key != "effective_from"}
    document = {**PROGRAMME, **before, "rewards": list(items), **more}
    trade.programme = publishing.load(document, environment="demo").version


def claim(shop: Shop, code: str = "TOTE", *, cause: str = "c1", member: int = 0, **how: Any) -> Receipt:
    """A claim in the app, Mei's unless told otherwise."""
    return rewards.claim(member or shop.mei, code, cause=cause, channel=shop.app, **how)


class Boutique(Shop):
    """The shop of `tests.counter` with rewards. Mei has 500 points."""

    def __init__(self, *items: dict[str, Any]) -> None:
        super().__init__()
        self.offer(*(items or (TOTE,)))
        self.store = Store.objects.select_related("channel").get(code="jingan")

    def offer(self, *items: dict[str, Any], **more: Any) -> None:
        """Publish a version with these rewards; `more` are other sections."""
        offer(self, *items, **more)

    def sale(
        self, code: str = "NOON", *, hours: tuple[float, float] = (-1, 1), **terms: Any
    ) -> dict[str, Any]:
        """A points sale, by default one that runs now."""
        starts, ends = (self.now + timedelta(hours=each) for each in hours)
        return {"code": code, "from": starts.isoformat(), "to": ends.isoformat(), "points": 10, **terms}

    def claim(self, code: str = "TOTE", *, cause: str = "c1", member: int = 0, **how: Any) -> Receipt:
        return claim(self, code, cause=cause, member=member, **how)

    def gift(self, code: str, cause: str, *, member: int = 0, **how: Any) -> rewards.Wish:
        return rewards.Wish(
            reward=code, member_id=member or self.mei, cause=cause, programme_id=self.programme.pk, **how
        )


def shelf(code: str = "TOTE", sale: str = "") -> tuple[int | None, int]:
    """What a shelf holds, and how much of it is taken."""
    row = Shelf.objects.get(reward=code, sale=sale)
    return row.stock, row.taken


def states() -> Mapping[str, str]:
    """The state of every claim, by the cause its channel named."""
    return {cause.split(":")[-1]: state for cause, state in Claim.objects.values_list("cause", "state")}
