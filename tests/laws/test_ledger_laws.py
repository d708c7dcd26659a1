"""The ledger against a plain model: random days in the life of two members, proven after each step.

The model below is what a careful clerk would do with pencil and paper: it knows earnings, refunds,
redemptions, holds and a clock, and nothing of lots' tables, versions or hashes. Accepted operations are
counted, so that a run in which everything was refused cannot pass.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from loyalty import adjustments, clock, ledger, nightly, points
from loyalty.errors import NotEnoughPoints, ReversedAlready
from loyalty.models import Entry, Wallet
from privacy import approvals, roles
from tests.laws.coverage import live_until_met
from tests.trade import Trade, buyer, proven

ADJUST_LIMIT = 300


@dataclass
class Lot:
    left: int
    order: str
    lapses: datetime
    lapsed: int = 0


@dataclass
class Paper:
    """One member's account on paper."""

    lots: list[Lot] = field(default_factory=list)
    debt: int = 0

    def available(self, now: datetime) -> int:
        self.pass_time(now)
        return 0 if self.debt else sum(lot.left for lot in self.lots)

    def pass_time(self, now: datetime) -> None:
        for lot in self.lots:
            if lot.lapses <= now and lot.left:
                lot.lapsed += lot.left
                lot.left = 0

    def draw(self, amount: int, order: str = "") -> int:
        """Take points in the order they are spent, an order's own first; what could not be taken is left."""
        for lot in sorted(self.lots, key=lambda lot: (lot.order != order, lot.lapses)):
            if lot.order != order and self.debt:
                break
            taken = min(amount, lot.left)
            lot.left -= taken
            amount -= taken
        return amount

    def add(self, amount: int, order: str, lapses: datetime, now: datetime) -> None:
        if lapses > now:
            paid = min(self.debt, amount)
            self.debt -= paid
            amount -= paid
        self.lots.append(Lot(amount, order, lapses))


@dataclass
class Bought:
    who: str
    net: Decimal
    kept: Decimal
    stays: int
    earned: int
    forgiven: int = 0


class Life(RuleBasedStateMachine):
    accepted: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open_shop(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.trade = Trade(adjust_limit=ADJUST_LIMIT)
        self.lin, self.boss = roles.make_staff("lin", "service")[0], roles.make_staff("boss", "admin")[0]
        self.by_hand: dict[int, int] = {}  # what lin has moved alone, by member
        self.adjusted: list[tuple[str, int, int]] = []  # whose, which entry, and what is left to reverse
        self.papers = {"mei": Paper(), "bo": Paper()}
        self.members: dict[str, int] = {}
        self.orders: dict[str, Bought] = {}
        self.causes: dict[str, tuple[str, int]] = {}
        self.seen: list[tuple[datetime, str, Any]] = []
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def now(self) -> datetime:
        return clock.read().now

    def lapse_of(self, at: datetime) -> datetime:
        policy = self.trade.programme.document["points"]["expiry"]
        assert policy == {"after": {"months": 12}}
        local = at + timedelta(hours=8)
        return local.replace(year=local.year + 1, hour=0, minute=0, second=0, microsecond=0) + timedelta(
            hours=16
        )

    @rule(who=st.sampled_from(["mei", "bo"]), cents=st.integers(100, 50_000), days=st.integers(0, 30))
    def buys(self, who: str, cents: int, days: int) -> None:
        self.count += 1
        number, net = f"T{self.count}", Decimal(cents) / 100
        at = (self.trade.now - timedelta(days=1 + days)).replace(hour=4)
        receipt = self.trade.buy(number, str(net), buyer(who), at=at)
        assert receipt.member_id is not None
        self.members[who] = receipt.member_id
        paper = self.papers[who]
        paper.pass_time(self.now())
        coefficient = Fraction(receipt.why.get("coefficient", "1"))
        earned = floor(Fraction(net) * coefficient)
        assert receipt.points == earned
        if earned:
            paper.add(earned, number, self.lapse_of(at), self.now())
        self.orders[number] = Bought(who, net, net, earned, earned)
        self.accepted["buy"] += 1

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), share=st.integers(1, 100))
    def refunds(self, data: st.DataObject, share: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.orders)))
        bought = self.orders[number]
        goods = (bought.kept * share / 100).quantize(Decimal("0.01"))
        if not goods:
            return
        self.count += 1
        receipt = self.trade.refund(number, f"R{self.count}", str(goods))
        bought.kept -= goods
        stays = floor(Fraction(bought.earned) * Fraction(bought.kept) / Fraction(bought.net))
        paper = self.papers[bought.who]
        paper.pass_time(self.now())
        take = bought.stays - stays
        own_left = sum(lot.left for lot in paper.lots if lot.order == number)
        lapsed = sum(lot.lapsed for lot in paper.lots if lot.order == number) - bought.forgiven
        forgiven = max(0, min(take - own_left, lapsed))
        bought.forgiven += forgiven
        paper.debt += paper.draw(take - forgiven, number)
        bought.stays = stays
        assert receipt.points_taken == take - forgiven
        self.accepted["refund"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data(), amount=st.integers(1, 120))
    def redeems(self, data: st.DataObject, amount: int) -> None:
        who = data.draw(st.sampled_from(sorted(self.members)))
        self.count += 1
        available = self.papers[who].available(self.now())
        cause = f"C{self.count}"
        if amount > available:
            before = Entry.objects.count()
            with pytest.raises(NotEnoughPoints):
                self.trade.spend(self.members[who], amount, cause=cause)
            assert Entry.objects.count() == before
            self.accepted["refused"] += 1
            return
        self.trade.spend(self.members[who], amount, cause=cause)
        self.papers[who].draw(amount)
        self.causes[cause] = (who, amount)
        self.accepted["redeem"] += 1

    @precondition(lambda self: self.causes)
    @rule(data=st.data())
    def redeems_again(self, data: st.DataObject) -> None:
        cause = data.draw(st.sampled_from(sorted(self.causes)))
        who, amount = self.causes[cause]
        assert not self.trade.spend(self.members[who], amount, cause=cause).is_new
        self.accepted["replay"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data(), amount=st.integers(1, 100), part=st.integers(0, 100))
    def holds_and_ends_it(self, data: st.DataObject, amount: int, part: int) -> None:
        who = data.draw(st.sampled_from(sorted(self.members)))
        if amount > self.papers[who].available(self.now()):
            return
        self.count += 1
        member = self.members[who]
        hold = self.trade.hold(member, amount, cause=f"H{self.count}")
        spent = amount * part // 100
        if spent:
            points.capture(member, hold.hold_id, points=spent, channel=self.trade.tmall)
            self.papers[who].draw(spent)
        else:
            points.release(member, hold.hold_id, channel=self.trade.tmall)
        self.accepted["hold"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data(), amount=st.integers(-150, 150).filter(bool))
    def is_adjusted_by_hand(self, data: st.DataObject, amount: int) -> None:
        who = data.draw(st.sampled_from(sorted(self.members)))
        self.count += 1
        paper, member = self.papers[who], self.members[who]
        if -amount > paper.available(self.now()):
            with pytest.raises(NotEnoughPoints):
                self.adjust(member, amount)
            return
        done = self.adjust(member, amount)
        if (alone := self.by_hand.get(member, 0) + abs(amount)) > ADJUST_LIMIT:
            assert done.receipt is None and done.approval is not None
            approvals.approve(done.approval.pk, self.boss)
            self.accepted["approve"] += 1
        else:
            assert done.receipt is not None
            self.by_hand[member] = alone
            self.accepted["adjust"] += 1
        if amount > 0:
            paper.add(amount, f"A{self.count}", self.lapse_of(self.now()), self.now())
        else:
            paper.draw(-amount)
        self.adjusted.append((who, Entry.objects.filter(kind="adjust").latest("id").pk, amount))

    def adjust(self, member: int, amount: int, **how: Any) -> adjustments.Adjustment:
        return adjustments.adjust(member, amount, "Late parcel", self.lin, cause=f"A{self.count}", **how)

    @precondition(lambda self: self.adjusted)
    @rule(data=st.data(), share=st.integers(1, 130))
    def is_corrected(self, data: st.DataObject, share: int) -> None:
        place = data.draw(st.integers(0, len(self.adjusted) - 1))
        who, entry, left = self.adjusted[place]
        amount = -(left * share // 100) if left > 0 else -left * share // 100
        paper, member = self.papers[who], self.members[who]
        if not amount or -amount > paper.available(self.now()):
            return
        self.count += 1
        if abs(amount) > abs(left):
            with pytest.raises(ReversedAlready):
                self.adjust(member, amount, reverses=entry)
            self.accepted["beyond"] += 1
            return
        done = self.adjust(member, amount, reverses=entry)
        if done.approval is not None:
            approvals.approve(done.approval.pk, self.boss)
        else:
            self.by_hand[member] = self.by_hand.get(member, 0) + abs(amount)
        if amount > 0:
            paper.add(amount, f"A{self.count}", self.lapse_of(self.now()), self.now())
        else:
            paper.draw(-amount)
        self.adjusted[place] = (who, entry, left + amount)
        self.accepted["correct"] += 1

    @precondition(lambda self: any(left for _, _, left in self.adjusted))
    @rule(data=st.data())
    def is_corrected_beyond(self, data: st.DataObject) -> None:
        """Nothing is reversed beyond what is left of it, though there are points enough."""
        who, entry, left = data.draw(st.sampled_from([each for each in self.adjusted if each[2]]))
        amount = -left - 1 if left > 0 else -left + 1
        if -amount > self.papers[who].available(self.now()):
            return
        self.count += 1
        with pytest.raises(ReversedAlready):
            self.adjust(self.members[who], amount, reverses=entry)
        self.accepted["beyond"] += 1

    @precondition(lambda self: self.count % 3 == 0)
    @rule(days=st.sampled_from([1, 5, 30, 200]), night=st.booleans())
    def time_passes(self, days: int, night: bool) -> None:
        clock.move(timedelta(days=days))
        if night:
            nightly.post_expiry()
        self.accepted["time"] += 1

    @invariant()
    def paper_and_ledger_agree(self) -> None:
        for who, member in getattr(self, "members", {}).items():
            figures = ledger.figures(member)
            paper = self.papers[who]
            assert figures.available == paper.available(self.now())
            assert figures.debt == paper.debt
            assert figures.balance == sum(lot.left for lot in paper.lots) - paper.debt

    @invariant()
    def every_law_holds(self) -> None:
        if getattr(self, "members", None):
            assert proven()


@pytest.mark.slow
def test_a_ledger_agrees_with_pencil_and_paper(db: None) -> None:
    wanted = (
        *("buy", "refund", "redeem", "refused", "replay", "hold", "time"),
        *("adjust", "approve", "correct", "beyond"),
    )
    live_until_met(Life, Life.accepted, wanted, examples=30, steps=20)
    assert Life.accepted.total() > 200
    assert not Wallet.objects.exists()
