"""A campaign against a marketer's tally: a budget, a quota, a ladder of friends, and everything sent back.

The tally knows who bought what and what of it was kept; it knows nothing of rules, grants or lots. After
each step: no budget and no quota is exceeded, and friends count exactly while they keep what they bought.
When everything has been sent back, nobody has a point, a coupon or a friend that counts.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loyalty import clock, ledger
from loyalty.models import Coupon, Entry, Grant, Referral, RuleUse
from members.facts import OrderStatus
from tests.friends import WELCOME, Circle
from tests.laws.coverage import live_until_met
from tests.trade import PROGRAMME, buyer, proven

BUDGET, A_DAY, QUOTA = 300, 120, 2
FRIENDS = ("ann", "bob", "cho", "dee")

CAMPAIGN: dict[str, Any] = {
    "rules": [
        {
            "code": "rush",
            "then": {"factor": "2"},
            "limits": {"per_member_day": A_DAY, "budget": BUDGET},
        },
        {"code": "thanks", "then": {"coupon": "THANKS"}},
    ],
    "coupons": [
        WELCOME,
        {"code": "THANKS", "name": {"en": "Thanks"}, "kind": "amount", "value": "5", "quota": QUOTA},
    ],
    "referral": {
        "counts_after": "first_purchase",
        "each": {"referrer": {"points": 10}},
        "ladder": {2: {"both": {"points": 30}}, 3: {"referrer": {"points": 50}}},
    },
}


@dataclass
class Bought:
    """One order on the tally."""

    who: str
    net: int
    back: int = 0
    is_cancelled: bool = False

    @property
    def kept(self) -> int:
        return 0 if self.is_cancelled else self.net - self.back


class Season(RuleBasedStateMachine):
    met: ClassVar[Counter[str]] = Counter()

    @initialize()
    def begins(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.circle = Circle()
        self.circle.publish({**PROGRAMME, **CAMPAIGN})
        self.circle.now = clock.read().recorded  # the version holds from the minute it was published in
        self.members = {"mei": self.circle.mei}
        self.orders: dict[str, Bought] = {}

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- what happens -------------------------------------------------------------------------------

    @precondition(lambda self: len(self.members) <= len(FRIENDS))
    @rule()
    def brings_a_friend(self) -> None:
        name = FRIENDS[len(self.members) - 1]
        self.members[name] = self.circle.join(name, by=self.circle.code)
        self.met["join"] += 1

    @rule(who=st.sampled_from(("mei", *FRIENDS)), net=st.sampled_from([7, 40, 90, 130]))
    def buys(self, who: str, net: int) -> None:
        if who not in self.members:
            return
        number = f"O{len(self.orders)}"
        before = self.spent()
        receipt = self.tell(number, who, net, OrderStatus.COMPLETED)
        self.orders[number] = Bought(who, net)
        added = self.spent() - before
        assert receipt.earned == net + added, "once by the yuan, and what the campaign still had"
        self.met["cut" if added < net else "buy"] += 1

    @precondition(lambda self: self.standing())
    @rule(pick=st.integers(0, 99), share=st.sampled_from([0.3, 1.0, 1.0]))
    def sends_back(self, pick: int, share: float) -> None:
        number = self.standing()[pick % len(self.standing())]
        bought = self.orders[number]
        goods = max(1, round(bought.kept * share))
        bought.back += goods
        self.circle.refund(number, f"R{number}-{bought.back}", str(goods), channel=self.circle.app)
        self.met["return" if bought.kept else "return whole"] += 1

    @precondition(lambda self: self.standing())
    @rule(pick=st.integers(0, 99))
    def cancels(self, pick: int) -> None:
        number = self.standing()[pick % len(self.standing())]
        bought = self.orders[number]
        bought.is_cancelled = True
        self.tell(number, bought.who, bought.net, OrderStatus.CANCELLED)
        self.met["cancel"] += 1

    @precondition(lambda self: len(self.standing()) > 2)
    @rule()
    def everything_is_sent_back(self) -> None:
        for number in self.standing()[::-1]:
            bought = self.orders[number]
            goods, bought.back = bought.kept, bought.net
            self.circle.refund(number, f"R{number}-all", str(goods), channel=self.circle.app)
        for member in self.members.values():
            figures = ledger.figures(member)
            assert (figures.balance, figures.available, figures.debt) == (0, 0, 0)
        assert not Grant.objects.filter(state="given").exists()
        assert not Coupon.objects.exclude(state="withdrawn").exists()
        self.met["all back"] += 1

    # --- the tally ----------------------------------------------------------------------------------

    def tell(self, number: str, who: str, net: int, status: OrderStatus) -> Any:
        return self.circle.buy(number, str(net), buyer(who), channel=self.circle.app, status=status)

    def standing(self) -> list[str]:
        return [number for number, bought in self.orders.items() if bought.kept]

    def spent(self) -> int:
        return RuleUse.objects.aggregate(sum=Sum("points"))["sum"] or 0

    # --- what always holds --------------------------------------------------------------------------

    @invariant()
    def no_budget_and_no_quota_is_exceeded(self) -> None:
        if not hasattr(self, "orders"):
            return
        assert self.spent() <= BUDGET
        days = RuleUse.objects.values("wallet_id", "day").annotate(sum=Sum("points"))
        assert all(row["sum"] <= A_DAY for row in days)
        assert Coupon.objects.filter(campaign="THANKS").count() <= QUOTA

    @invariant()
    def friends_count_while_they_keep_what_they_bought(self) -> None:
        if not hasattr(self, "orders"):
            return
        keeping = {bought.who for bought in self.orders.values() if bought.kept and bought.who != "mei"}
        counted = Referral.objects.filter(state=Referral.State.COUNTED)
        assert set(counted.values_list("friend", flat=True)) == {self.members[who] for who in keeping}
        assert sorted(number or 0 for number in counted.values_list("number", flat=True)) == list(
            range(1, len(keeping) + 1)
        )
        if len(keeping) >= 3:
            self.met["rung"] += 1

    @invariant()
    def points_are_in_proportion_to_what_was_kept(self) -> None:
        if not hasattr(self, "orders"):
            return
        for number, bought in self.orders.items():
            own = Entry.objects.filter(order__number=number)
            earned = own.filter(kind="earn").aggregate(sum=Sum("points"))["sum"] or 0
            stays = own.filter(kind__in=("earn", "take_back", "return")).aggregate(sum=Sum("points"))["sum"]
            assert (stays or 0) == earned * bought.kept // bought.net, number
        assert proven()


def test_a_season_ends_as_the_tally_says(db: None) -> None:
    wanted = ("join", "buy", "cut", "return", "return whole", "cancel", "all back", "rung")
    live_until_met(Season, Season.met, wanted, examples=8, steps=20)
    assert not Referral.objects.exists()
