"""Rewards against a plain model: a clerk with a stock book and a box of slips, proven after each step.

The book knows how many pieces came and who holds a slip; it knows nothing of shelves' rows, lots or
histories. After each step: stock taken = slips that stand, and the points of cancelled slips are back in the
very lots they came from.
"""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loyalty import rewards
from loyalty.errors import ClaimElsewhere, LoyaltyError, OutOfStock, RewardLimitReached, StockBelowTaken
from loyalty.models import Claim, ClaimMove, Lot, Shelf
from loyalty.reward_terms import Place
from members.models import OutboxEvent
from privacy import roles
from tests.boutique import TOTE, Boutique, shelf
from tests.laws.coverage import live_until_met
from tests.trade import buyer, proven

LIMIT, PRICE, BEGIN = 3, 70, 4


@dataclass
class Slip:
    """One claim on paper."""

    id: int
    who: str
    points: int
    state: str = "claimed"

    @property
    def stands(self) -> bool:
        return self.state not in ("waiting", "cancelled")


class Stockroom(RuleBasedStateMachine):
    accepted: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open_shop(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.shop = Boutique({**TOTE, "stock": BEGIN, "per_member": LIMIT, "points": PRICE})
        self.boss = roles.make_staff("boss", "marketing")[0]
        bo = self.shop.buy("B-1", "150", buyer("bo")).member_id
        assert bo is not None
        self.members = {"mei": self.shop.mei, "bo": bo}
        self.points = {"mei": 500, "bo": 150}
        for number in range(3):  # several lots, so that a claim draws on more than one
            self.shop.give(bo, 20, cause=f"lot-{number}")
            self.points["bo"] += 20
        self.lots = self.remaining()
        self.stock, self.count = BEGIN, 0
        self.slips: list[Slip] = []

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- what people do -----------------------------------------------------------------------------

    @rule(who=st.sampled_from(["mei", "bo"]), again=st.booleans())
    def claims(self, who: str, again: bool) -> None:
        self.count += not again
        held = sum(slip.points > 0 and slip.stands for slip in self.slips if slip.who == who)
        known = {slip.id for slip in self.slips}
        try:
            done = self.shop.claim(member=self.members[who], cause=f"{who}-{self.count}")
        except OutOfStock:
            assert self.free() == 0
            self.accepted["sold out"] += 1
        except RewardLimitReached:
            assert held == LIMIT
            self.accepted["limit"] += 1
        except LoyaltyError:
            assert self.points[who] < PRICE
            self.accepted["too dear"] += 1
        else:
            assert done.is_new == (done.claim.pk not in known)
            if done.is_new:
                assert self.free() > 0 and held < LIMIT and self.points[who] >= PRICE
                self.points[who] -= PRICE
                self.slips.append(Slip(done.claim.pk, who, PRICE))
            self.accepted["claim" if done.is_new else "again"] += 1

    @precondition(lambda self: self.free() > LIMIT)
    @rule()
    def mei_wants_more_than_one_may_have(self) -> None:
        for _ in range(LIMIT + 1):
            self.claims("mei", again=False)

    @rule(who=st.sampled_from(["mei", "bo"]), many=st.integers(1, 3))
    def is_given(self, who: str, many: int) -> None:
        self.count += 1
        wishes = [
            self.shop.gift("TOTE", f"g-{self.count}-{n}", member=self.members[who]) for n in range(many)
        ]
        for owed in rewards.owe(wishes, now=self.shop.now):
            assert owed.claim_id is not None
            self.slips.append(Slip(owed.claim_id, who, 0, "claimed" if self.free() else "waiting"))
        self.accepted["gift"] += 1

    @rule(pick=st.integers(0, 99), step=st.sampled_from(["prepare", "hand over", "cancel", "cancel"]))
    def goes_on(self, pick: int, step: str) -> None:
        if not self.slips:
            return
        slip = self.slips[pick % len(self.slips)]
        before = slip.state
        try:
            if step == "prepare":
                if rewards.prepare([slip.id], actor_id=None):
                    assert before == "claimed"
                    slip.state = "prepared"
            elif step == "hand over":
                rewards.hand_over(slip.id, actor_id=None)
                assert before not in ("waiting", "cancelled")
                slip.state = "done"
            else:
                rewards.cancel(slip.id, reason="Not wanted", actor_id=None)
                assert before != "done"
                self.comes_back(slip)
        except ClaimElsewhere:
            assert before in {"hand over": ("waiting", "cancelled"), "cancel": ("done",)}[step]
            self.accepted["too late"] += 1
        else:
            self.accepted[step] += 1

    def comes_back(self, slip: Slip) -> None:
        if slip.state != "cancelled":
            self.points[slip.who] += slip.points
        slip.state = "cancelled"
        self.serve()

    @rule(pieces=st.integers(-3, 4).filter(bool))
    def restock(self, pieces: int) -> None:
        taken = self.stock - self.free()
        try:
            rewards.change_stock(Place("TOTE"), pieces, reason="Counted again", actor_id=self.boss.pk)
        except StockBelowTaken:
            assert self.stock + pieces < taken
            self.accepted["too few"] += 1
        else:
            self.stock += pieces
            self.serve()
            self.accepted["restock"] += 1

    # --- paper --------------------------------------------------------------------------------------

    def free(self) -> int:
        return self.stock - sum(slip.stands for slip in self.slips)

    def serve(self) -> None:
        for slip in self.slips:
            if slip.state == "waiting" and self.free() > 0:
                slip.state = "claimed"

    def remaining(self) -> dict[int, int]:
        return dict(Lot.objects.values_list("pk", "remaining"))

    # --- what always holds --------------------------------------------------------------------------

    @invariant()
    def the_tables_say_what_the_paper_says(self) -> None:
        if not hasattr(self, "slips"):
            return
        assert dict(Claim.objects.values_list("pk", "state")) == {slip.id: slip.state for slip in self.slips}
        for who, member in self.members.items():
            assert self.shop.available(member) == self.points[who]
        if self.slips or Shelf.objects.exists():
            assert shelf() == (self.stock, sum(slip.stands for slip in self.slips))
        assert ClaimMove.objects.count() == OutboxEvent.objects.filter(topic="reward.changed").count()
        if not any(slip.stands and slip.points for slip in self.slips):
            assert self.remaining() == self.lots, "each point lies in the lot it came from"
        assert proven()


@pytest.mark.slow
def test_rewards_do_what_a_stock_book_would(db: None) -> None:
    wanted = (
        *("claim", "again", "gift", "prepare", "hand over", "cancel", "restock"),
        *("sold out", "limit", "too late", "too few"),
    )
    live_until_met(Stockroom, Stockroom.accepted, wanted, examples=20, steps=25)
    assert not Claim.objects.exists()
