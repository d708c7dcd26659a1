"""Merges and their ends, in the middle of random lives (A6): nothing is lost, and nothing is left of them.

The lives of the tiers' law, of three members, with points earned, spent, set aside and refunded; and between
all that two of them are found to be one person, and found to be two again. After each step a recount gives
what is stored, and at the end every law of the ledger holds.
"""

from collections import Counter
from typing import Any, ClassVar

from django.db.models import Sum
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from loyalty import nightly, points
from loyalty.errors import HoldEnded, NotEnoughPoints
from loyalty.models import EarnedTier, Entry, Hold, Lot, Wallet
from members import merging
from members.models import Merge
from tests.laws.coverage import live_until_met
from tests.laws.test_tier_laws import CHOICES, Life
from tests.trade import buyer

WALLET = ("balance", "held", "debt", "tier", "tier_since", "tier_until", "person")
WANTED = ("merge", "unmerge", "chain", "across", "exact", "spend", "hold", "capture", "debt_across")


class MergedLife(Life):
    accepted: ClassVar[Counter[str]] = Counter()
    reasons: ClassVar[Counter[str]] = Counter()

    @rule(yuan=st.integers(1, 500))
    def cai_buys(self, yuan: int) -> None:
        receipt = self.trade.buy(f"C{self.number()}", str(yuan), buyer("cai"))
        self.members["cai"] = receipt.member_id or 0

    @precondition(lambda self: self.members)
    @rule(data=st.data(), amount=st.integers(1, 300))
    def spends(self, data: st.DataObject, amount: int) -> None:
        try:
            self.trade.spend(self.somebody(data).pk, amount, cause=f"s{self.number()}")
            self.accepted["spend"] += 1
        except NotEnoughPoints:
            pass

    @precondition(lambda self: self.members)
    @rule(data=st.data(), amount=st.integers(1, 200), seconds=st.sampled_from([60, 86400 * 30]))
    def sets_aside(self, data: st.DataObject, amount: int, seconds: int) -> None:
        try:
            self.trade.hold(self.somebody(data).pk, amount, cause=f"h{self.number()}", seconds=seconds)
            self.accepted["hold"] += 1
        except NotEnoughPoints:
            pass

    @rule(data=st.data(), captures=st.booleans())
    def ends_a_hold(self, data: st.DataObject, captures: bool) -> None:
        found = list(Hold.objects.filter(state="open").select_related("wallet").order_by("pk"))
        if not found:
            return
        hold = data.draw(st.sampled_from(found))
        end: Any = points.capture if captures else points.release
        try:
            end(hold.wallet.member_id, hold.pk, channel=self.trade.tmall)
            self.accepted["capture"] += 1
        except HoldEnded:
            pass

    @initialize(choice=CHOICES)
    def open_shop(self, choice: dict[str, Any]) -> None:
        super().open_shop(choice)
        for who in ("mei", "bo", "cai"):
            receipt = self.trade.buy(f"I{self.number()}", "150", buyer(who))
            self.members[who] = receipt.member_id or 0

    @rule(data=st.data())
    def owes(self, data: st.DataObject) -> None:
        """Somebody spends what an order earned, and sends the order back."""
        who = data.draw(st.sampled_from(["mei", "bo", "cai"]))
        number = f"D{self.number()}"
        self.trade.buy(number, "120", buyer(who))
        if available := self.trade.available(self.members[who]):
            self.trade.spend(self.members[who], available, cause=f"s{self.number()}")
        self.trade.refund(number, f"R{self.number()}", "120")

    def two(self, data: st.DataObject) -> tuple[int, int] | None:
        """Two persons, each by the member who survives."""
        wallets = Wallet.objects.filter(member__in=self.members.values())
        heads = sorted({wallet.person_id or wallet.member_id for wallet in wallets})
        if len(heads) < 2:
            return None
        first = data.draw(st.sampled_from(heads))
        return first, data.draw(st.sampled_from([each for each in heads if each != first]))

    @rule(data=st.data())
    def two_are_one(self, data: st.DataObject) -> None:
        if (pair := self.two(data)) is None:
            return
        before = self.in_all()
        figures = [self.trade.figures(each) for each in pair]
        merge = merging.merge(*pair, actor_id=self.lin.pk, reason="One person")
        assert self.in_all() == before
        self.accepted["merge"] += 1
        self.accepted["chain"] += Merge.objects.filter(undone_at=None, pk__lt=merge.pk).exists()
        owing = [each.debt > 0 for each in figures]
        self.accepted["debt_across"] += any(owing) and any(each.available for each in figures)

    @rule()
    def they_are_two(self) -> None:
        merge = Merge.objects.filter(undone_at=None).order_by("-pk").first()
        if merge is None:
            return
        before = self.in_all()
        merging.unmerge(merge.pk, actor_id=self.lin.pk, reason="Two people")
        assert self.in_all() == before
        self.accepted["unmerge"] += 1
        self.accepted["across"] += Entry.objects.filter(cause__startswith=f"unmerge:{merge.pk}:").exists()

    @rule(data=st.data(), steps=st.integers(1, 4))
    def one_for_a_while(self, data: st.DataObject, steps: int) -> None:
        self.two_are_one(data)
        for _step in range(steps):
            number = data.draw(st.integers(1, 90))
            what = data.draw(st.sampled_from(["spends", "buys", "aside", "refunds", "cai", "owes"]))
            if what == "spends":
                self.spends(data, number)
            elif what == "buys":
                self.buys(data.draw(st.sampled_from(["mei", "bo"])), number, 0)
            elif what == "aside":
                self.sets_aside(data, number, 60)
            elif what == "refunds":
                self.refunds(data, 100)
            elif what == "owes":
                self.owes(data)
            else:
                self.cai_buys(number)
        self.they_are_two()

    @rule(data=st.data())
    def a_merge_undone_at_once_leaves_nothing(self, data: st.DataObject) -> None:
        pair = self.two(data)
        if pair is None:
            return
        nightly.post_expiry()  # what time brings comes first, whoever looks
        nightly.reassess_tiers()
        before = self.everything()
        merge = merging.merge(*pair, actor_id=self.lin.pk, reason="One person")
        merging.unmerge(merge.pk, actor_id=self.lin.pk, reason="Two people")
        assert self.everything() == before
        self.accepted["exact"] += 1

    def in_all(self) -> int:
        """Points less debts, of everybody together, when time has passed."""
        nightly.post_expiry()
        return int(Wallet.objects.aggregate(sum=Sum("balance"))["sum"] or 0)

    def everything(self) -> dict[str, Any]:
        """How everybody stands, but for entries, which name what moved and back."""
        lots = Lot.objects.exclude(remaining=0).order_by("pk")
        return {
            "wallets": list(Wallet.objects.order_by("pk").values_list("member", *WALLET)),
            "lots": list(lots.values_list("wallet", "remaining", "held", "expires_at", "order")),
            "earned": list(EarnedTier.objects.order_by("pk").values_list("wallet", "tier", "until")),
            "figures": {each: self.trade.figures(each) for each in sorted(self.members.values())},
        }


def test_whatever_happens_between_a_merge_and_its_end(db: None) -> None:
    live_until_met(MergedLife, MergedLife.accepted, WANTED, examples=5, steps=16)
    assert not Wallet.objects.exists()
