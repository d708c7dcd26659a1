"""Law 8: whatever happens, in whatever order, recounting a member from the first look gives what is stored.

Random lives of two members: purchases of today and of long ago, refunds, cancellations, orders that turn out
to be somebody else's, floors, invitations and gifts with their ends, growth value, new versions of the
programme, nights that come late. Accepted operations are counted, so that a life of refusals cannot pass.
"""

import copy
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from loyalty import clock, nightly, publishing, recount, tier_events
from loyalty.models import TierChange, TierEvent, Wallet
from loyalty.tier_events import Gift, GrowthGift
from members.facts import OrderStatus
from members.models import Member
from privacy import approvals, roles
from privacy.models import Approval
from tests.granting import granted, taken_back
from tests.trade import PROGRAMME, Trade, buyer, proven

WINDOWS = [{"months": 3}, {"months": 12}, {"calendar": "year"}, {"anniversary": "joined"}]
DAYS = [0, 1, 40, 120, 300, 700]
KEEPS = [{"months": 2}, {"months": 12}, {"years": 1}, {"years": 0}, {"anniversaries": 1}]


def document(choice: dict[str, Any]) -> dict[str, Any]:
    """A programme of four tiers: bought, bought or grown, of the invited, and of the top."""
    keep = {**choice["keep"], "grace_days": choice["grace"], "down": choice["down"]}
    keep |= {"on_refund": choice["on_refund"], "warn_days": 20}
    if choice["needs"]:
        keep["needs"] = {"spend": "50"}
    silver = {"window": choice["window"], "all": {"spend": choice["spend"], "orders": 2}}
    gold = {"window": choice["window"], "any": {"spend": "900", "growth": 700}}
    tiers = copy.deepcopy(PROGRAMME["tiers"][:1])
    tiers += [_tier("silver", silver, keep), _tier("gold", gold, keep)]
    tiers += [_tier("black", {"by_invitation": True}, keep), _tier("top", {"top_percent": 30}, keep)]
    return {**PROGRAMME, "tiers": tiers, "growth": {"per_yuan": choice["per_yuan"]}}


def _tier(code: str, qualify: dict[str, Any], keep: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "name": {"en": code}, "qualify": qualify, "keep": keep, "benefits": {}}


CHOICES = st.fixed_dictionaries(
    {
        "window": st.sampled_from(WINDOWS),
        "keep": st.sampled_from(KEEPS),
        "grace": st.sampled_from([0, 30]),
        "down": st.sampled_from(["one", "to_fit"]),
        "on_refund": st.sampled_from(["keep", "reassess", "reassess"]),
        "needs": st.booleans(),
        "spend": st.sampled_from(["100", "300"]),
        "per_yuan": st.sampled_from(["1", "0.5"]),
    }
)


class Life(RuleBasedStateMachine):
    accepted: ClassVar[Counter[str]] = Counter()
    reasons: ClassVar[Counter[str]] = Counter()

    @initialize(choice=CHOICES)
    def open_shop(self, choice: dict[str, Any]) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.trade = Trade()
        publishing.load(document(choice), environment="demo")
        self.lin = roles.make_staff("lin", "service")[0]
        self.boss = roles.make_staff("boss", "admin")[0]
        self.members: dict[str, int] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.count = 0
        self.a_file_comes_in(yuan=200, each=3, days=5)

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            assert proven()
            self.reasons.update(TierChange.objects.values_list("reason", flat=True))
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def number(self) -> int:
        self.count += 1
        return self.count

    @rule(who=st.sampled_from(["mei", "bo"]), yuan=st.integers(1, 500), days=st.sampled_from(DAYS))
    def buys(self, who: str, yuan: int, days: int) -> None:
        number = f"T{self.number()}"
        at = clock.read().now - timedelta(days=days)
        receipt = self.trade.buy(number, str(yuan), buyer(who), at=at)
        assert receipt.member_id is not None
        self.members[who] = receipt.member_id
        self.orders[number] = {"who": who, "net": Decimal(yuan), "kept": Decimal(yuan), "at": at}
        self.accepted["buy"] += 1

    @rule(yuan=st.integers(50, 400), each=st.integers(2, 4), days=st.sampled_from(DAYS))
    def a_file_comes_in(self, yuan: int, each: int, days: int) -> None:
        from_day = clock.read().now - timedelta(days=days)
        facts = [
            self.trade.order(f"F{self.number()}", str(yuan), buyer("mei"), at=from_day + timedelta(days=day))
            for day in range(each)
        ]
        from_orders = self.trade.receive(facts)
        self.members["mei"] = from_orders[0].member_id or 0
        for fact in facts:
            assert fact.paid_at is not None
            self.orders[fact.number] = {
                "who": "mei",
                "net": Decimal(yuan),
                "kept": Decimal(yuan),
                "at": fact.paid_at,
            }
        self.accepted["file"] += 1

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), share=st.sampled_from([30, 100, 100]))
    def refunds(self, data: st.DataObject, share: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[number]
        goods = (order["kept"] * share / 100).quantize(Decimal("0.01"))
        if goods:
            self.trade.refund(number, f"R{self.number()}", str(goods))
            order["kept"] -= goods
            self.accepted["refund"] += 1

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), status=st.sampled_from([OrderStatus.CANCELLED, OrderStatus.RECEIVED]))
    def moves_on(self, data: st.DataObject, status: OrderStatus) -> None:
        number = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[number]
        self.trade.buy(number, str(order["net"]), buyer(order["who"]), at=order["at"], status=status)
        self.accepted[status] += 1

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def turns_out_to_be_another_members(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[number]
        order["who"] = "bo" if order["who"] == "mei" else "mei"
        receipt = self.trade.buy(number, str(order["net"]), buyer(order["who"]), at=order["at"])
        self.members[order["who"]] = receipt.member_id or 0
        self.accepted["moved"] += 1

    @precondition(lambda self: self.members)
    @rule(
        data=st.data(),
        tier=st.sampled_from(["silver", "gold", "black"]),
        days=st.integers(1, 200),
    )
    def is_given_a_floor(self, data: st.DataObject, tier: str, days: int) -> None:
        until = clock.read().now + timedelta(days=days)
        self.two_people_let(tier_events.ask(self.somebody(data), tier, until, "A good friend", self.lin))
        self.accepted["floor"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def is_invited(self, data: st.DataObject) -> None:
        self.two_people_let(tier_events.ask(self.somebody(data), "black", None, "A good friend", self.lin))
        self.accepted["invitation"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data(), tier=st.sampled_from(["silver", "gold", "black"]))
    def is_granted_a_tier(self, data: st.DataObject, tier: str) -> None:
        member, now = self.somebody(data).pk, clock.read().now
        held = publishing.current(now)
        cause = granted(held.id, member, "tier", tier, at=now, occasion=f"given:{self.number()}")
        gift = Gift(member_id=member, tier=tier, cause=cause, programme_id=held.id, why={"code": "review"})
        assert set(tier_events.give([gift])) == {cause}
        assert tier_events.give([gift]) == {}
        self.accepted["gift"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def what_was_given_ends(self, data: st.DataObject) -> None:
        now = clock.read().now
        running = [
            event
            for event in TierEvent.objects.exclude(kind__in=("end", "cut")).filter(ended_by=None)
            if event.ends_at is None or event.ends_at > now
        ]
        if not running:
            return
        event = running[data.draw(st.integers(0, len(running) - 1))]
        if event.kind == TierEvent.Kind.GIFT:
            taken_back(event)
        else:
            self.two_people_let(tier_events.ask_end(event, "It was enough", self.lin))
        self.accepted["end"] += 1

    @precondition(lambda self: self.members)
    @rule(data=st.data(), growth=st.sampled_from([50, 100, 400]), days=st.integers(0, 300))
    def grows(self, data: st.DataObject, growth: int, days: int) -> None:
        member, now = self.somebody(data).pk, clock.read().now
        held, at = publishing.current(now), now - timedelta(days=days)
        cause = granted(held.id, member, "growth", str(growth), at=at, occasion=f"grown:{self.number()}")
        gift = GrowthGift(member_id=member, growth=growth, cause=cause, programme_id=held.id, happened_at=at)
        tier_events.give_growth([gift])
        self.accepted["growth"] += 1

    def somebody(self, data: st.DataObject) -> Member:
        return Member.objects.get(pk=self.members[data.draw(st.sampled_from(sorted(self.members)))])

    def two_people_let(self, asked: Approval) -> None:
        approvals.approve(asked.pk, self.boss, "")

    @rule(choice=CHOICES, early=st.booleans())
    def another_version_begins(self, choice: dict[str, Any], early: bool) -> None:
        changed = document(choice)
        if early:
            changed["effective_from"] = (clock.read().recorded - timedelta(days=100)).isoformat()
        publishing.load(changed, environment="demo")
        self.accepted["version"] += 1

    @rule(days=st.sampled_from([1, 20, 70, 200, 400]), night=st.booleans())
    def time_passes(self, days: int, night: bool) -> None:
        clock.move(timedelta(days=days))
        if night:
            nightly.reassess_tiers()
            assert nightly.reassess_tiers().members == 0
        self.accepted["time"] += 1

    @invariant()
    def the_recount_is_what_is_stored(self) -> None:
        if getattr(self, "members", None):
            found = [difference.row() for difference in recount.walk(chunk=1)]
            assert not found, "\n".join(map(str, found))


@pytest.mark.slow
def test_a_recount_gives_what_is_stored(db: None) -> None:
    Life.accepted.clear()
    Life.reasons.clear()
    run(
        Life,
        settings=settings(
            max_examples=60,
            stateful_step_count=14,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    # A life that nothing happens in proves nothing: most of what can happen did, and moved members.
    assert Life.accepted.total() > 300 and len(Life.accepted) >= 10, Life.accepted
    assert len(Life.reasons) >= 5 and Life.reasons.total() > 50, Life.reasons
    assert not Wallet.objects.exists()
