"""Coupons against a plain model: random days of a counter and a shop, proven after each step (law 9).

The model is a card index: for each coupon a slip that says whose it is and which order has it. It knows
nothing of tables, locks in the database or moves. What was accepted is counted, so that a run in which
everything was refused cannot pass.
"""

from collections import Counter
from dataclasses import dataclass, field
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

from loyalty import clock, coupons
from loyalty.errors import CouponNotUsable
from loyalty.models import Coupon
from members.facts import OrderStatus
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, proven, row
from tests.laws.coverage import live_until_met
from tests.trade import buyer

QUOTA, LIMIT = 4, 2
LOCK = 100  # seconds
ORDERS = ("O1", "O2", "O3")
MEMBERS = ("mei", "bo")
CAMPAIGNS = [
    {**WELCOME, "min_spend": "0", "quota": QUOTA, "per_member": LIMIT, "combines": True},
    {**SPRING, "quota": QUOTA, "per_member": 1, "combines": True},
    {**PRINTED, "quota": QUOTA, "per_member": LIMIT},
]


@dataclass
class Slip:
    """One coupon on paper. `order` has it until `until`, or for good when it is used."""

    campaign: str
    owner: str | None
    bearer: bool
    state: str = "issued"
    order: str = ""
    until: int = 0
    used_by: list[str] = field(default_factory=list)
    back_from: str = ""  # the order it has just come back from

    def is_locked(self, now: int) -> bool:
        return self.state == "locked" and self.until > now

    def let_go(self, back_from: str = "") -> None:
        self.state, self.order, self.back_from = "issued", "", back_from
        if self.bearer:
            self.owner = None


class Life(RuleBasedStateMachine):
    accepted: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open_shop(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.shop = CouponShop(*CAMPAIGNS)
        self.members = {"mei": self.shop.mei, "bo": self.shop.bo}
        self.slips: dict[str, Slip] = {}
        self.told: dict[str, str] = {}
        self.now = self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- the card index -----------------------------------------------------------------------------

    def of(self, campaign: str, owner: str | None = None) -> list[Slip]:
        return [
            slip
            for slip in self.slips.values()
            if slip.campaign == campaign
            and (owner is None or (slip.owner == owner and slip.state != "withdrawn"))
        ]

    def expected_issue(self, campaign: str, who: str | None) -> str:
        limit = 1 if campaign == "SPRING" else LIMIT
        if who is not None and len(self.of(campaign, who)) >= limit:
            return "limit_reached"
        return "quota_spent" if len(self.of(campaign)) >= QUOTA else ""

    def expected(self, slip: Slip, who: str, order: str) -> str:
        """Why a slip cannot be taken for an order; '' when it can, `same` when the order has it."""
        here = slip.order == order
        if not slip.bearer and slip.owner != who:
            return "not_yours"
        if (slip.state == "used" and here) or order in slip.used_by or (slip.is_locked(self.now) and here):
            return "same"
        if slip.state in ("used", "withdrawn") or slip.is_locked(self.now):
            return slip.state
        if slip.bearer and slip.owner != who and len(self.of(slip.campaign, who)) >= LIMIT:
            return "limit_reached"
        return ""

    def take(self, slip: Slip, who: str, order: str, state: str) -> None:
        slip.state, slip.order, slip.until, slip.back_from = state, order, self.now + LOCK, ""
        if slip.bearer:
            slip.owner = who
        if state == "used":
            slip.used_by.append(order)
            if self.told.get(order) == "cancelled":
                slip.let_go(back_from=order)

    def asked(self, who: str, order: str) -> dict[str, Any]:
        return {"order_no": order, "member_id": self.members[who]}

    # --- what happens -------------------------------------------------------------------------------

    @rule(campaign=st.sampled_from(["WELCOME", "PRINTED"]), who=st.sampled_from(MEMBERS))
    def issues(self, campaign: str, who: str) -> None:
        self.count += 1
        bearer = campaign == "PRINTED"
        owner = None if bearer else who
        expected = self.expected_issue(campaign, owner)
        issued = self.shop.issue(campaign, None if bearer else self.members[who], f"c{self.count}")
        assert issued.refusal == expected
        if not expected:
            self.slips[issued.code] = Slip(campaign, owner, bearer)
            self.accepted["issue"] += 1

    @precondition(lambda self: self.slips)
    @rule(
        data=st.data(),
        who=st.sampled_from(MEMBERS),
        order=st.sampled_from(ORDERS),
        verb=st.sampled_from(["lock", "use"]),
    )
    def takes(self, data: st.DataObject, who: str, order: str, verb: str) -> None:
        code = data.draw(st.sampled_from(list(self.slips)))
        slip = self.slips[code]
        expected = self.expected(slip, who, order)
        if verb == "use" and (slip.state, slip.order) == ("locked", order) and expected != "not_yours":
            # Its own lock, running or not; a bearer's may pass into the other's hand, if that may have one.
            mine = slip.owner == who or len(self.of(slip.campaign, who)) < LIMIT
            expected = "" if mine else "limit_reached"
        self.compare(slip, who, order, verb, expected, code)

    def compare(self, slip: Slip, who: str, order: str, verb: str, expected: str, code: str) -> None:
        work = getattr(self.shop, verb)
        told = {"seconds": LOCK} if verb == "lock" else {}
        try:
            with transaction.atomic():
                receipt = work(code, **self.asked(who, order), **told)
        except CouponNotUsable as refusal:
            assert refusal.reason == expected
            return
        assert receipt.is_new == (expected == "")
        if not expected:
            self.take(slip, who, order, "locked" if verb == "lock" else "used")
            self.accepted[verb] += 1

    @rule(who=st.sampled_from(MEMBERS), order=st.sampled_from(ORDERS), verb=st.sampled_from(["lock", "use"]))
    def types_the_public_code(self, who: str, order: str, verb: str) -> None:
        """The public code means what the order has of it, else what the member has free, else a new one."""
        has = [
            slip
            for slip in self.of("SPRING")
            if order in slip.used_by or (slip.state, slip.order) == ("locked", order)
        ]
        free = [
            slip
            for slip in self.of("SPRING", who)
            if slip.state == "issued" or (slip.state == "locked" and not slip.is_locked(self.now))
        ]
        before = set(Coupon.objects.values_list("code", flat=True))
        slip = next(iter([*has, *free]), None)
        if slip is None:
            expected = self.expected_issue("SPRING", who)
            slip = Slip("SPRING", who, bearer=False)
        else:
            expected = self.expected(slip, who, order)
            if verb == "use" and slip.owner == who and (slip.state, slip.order) == ("locked", order):
                expected = ""
        self.compare(slip, who, order, verb, expected, "spring 26")
        for code in set(Coupon.objects.values_list("code", flat=True)) - before:
            self.slips[code] = slip
            self.accepted["public"] += 1

    @precondition(lambda self: any(slip.state == "locked" for slip in self.slips.values()))
    @rule(data=st.data())
    def lets_go(self, data: st.DataObject) -> None:
        locked = [code for code, slip in self.slips.items() if slip.state == "locked"]
        code = data.draw(st.sampled_from(locked))
        self.release(code, self.slips[code].order)

    @precondition(lambda self: self.slips)
    @rule(data=st.data(), order=st.sampled_from(ORDERS))
    def releases(self, data: st.DataObject, order: str) -> None:
        self.release(data.draw(st.sampled_from(list(self.slips))), order)

    def release(self, code: str, order: str) -> None:
        slip = self.slips[code]
        who = slip.owner or "mei"
        here = (slip.state, slip.order) == ("locked", order)
        try:
            with transaction.atomic():
                receipt = self.shop.release(code, **self.asked(who, order))
        except CouponNotUsable as refusal:
            assert refusal.reason == slip.state and slip.state in ("used", "locked") and not here
            return
        assert receipt.is_new == here
        if here:
            slip.let_go()
            self.accepted["release"] += 1

    @precondition(lambda self: self.slips)
    @rule(data=st.data())
    def withdraws(self, data: st.DataObject) -> None:
        code = data.draw(st.sampled_from(list(self.slips)))
        slip = self.slips[code]
        expected = slip.state if slip.state == "used" or slip.is_locked(self.now) else ""
        id_ = row(code).pk
        assert coupons.withdraw([id_], why={}, now=clock.read().now) == {id_: expected}
        if not expected:
            slip.let_go()
            slip.state = "withdrawn"
            self.accepted["withdraw"] += 1

    @rule(order=st.sampled_from(ORDERS), status=st.sampled_from(["paid", "cancelled"]))
    def is_told(self, order: str, status: str) -> None:
        self.hears(order, status)

    def hears(self, order: str, status: str) -> None:
        """The channel says how an order is now; the latest word holds."""
        known = self.told.get(order)
        self.shop.buy(order, "100", buyer("mei"), channel=self.shop.app, status=OrderStatus(status))
        self.told[order] = status
        if known == status:
            return  # told again, with nothing in it that is new
        for slip in self.slips.values():
            if status == "cancelled" and slip.order == order and slip.state in ("used", "locked"):
                self.accepted["return"] += slip.state == "used"
                slip.let_go(back_from=order if slip.state == "used" else "")
        if known == "cancelled" and status == "paid":
            self.give_again(order)

    @precondition(lambda self: any(slip.state == "used" for slip in self.slips.values()))
    @rule(data=st.data())
    def comes_undone(self, data: st.DataObject) -> None:
        orders = sorted({slip.order for slip in self.slips.values() if slip.state == "used"})
        self.hears(data.draw(st.sampled_from(orders)), "cancelled")

    @precondition(lambda self: "cancelled" in self.told.values())
    @rule(data=st.data())
    def stands_again(self, data: st.DataObject) -> None:
        orders = sorted(order for order, status in self.told.items() if status == "cancelled")
        self.hears(data.draw(st.sampled_from(orders)), "paid")

    def give_again(self, order: str) -> None:
        """An order that stands again has its coupons again, where nothing else has happened to them."""
        for slip in self.slips.values():
            if slip.state == "issued" and slip.back_from == order:
                slip.state, slip.order, slip.back_from = "used", order, ""
                self.accepted["again"] += 1

    @rule(seconds=st.integers(1, LOCK))
    def waits(self, seconds: int) -> None:
        self.shop.wait(seconds)
        self.now += seconds

    # --- what always holds --------------------------------------------------------------------------

    @invariant()
    def the_tables_say_what_the_slips_say(self) -> None:
        if not hasattr(self, "slips"):
            return
        stored = {coupon.code: coupon for coupon in Coupon.objects.all()}
        assert stored.keys() == self.slips.keys()
        owners = {id_: name for name, id_ in self.members.items()}
        for code, slip in self.slips.items():
            coupon = stored[code]
            if slip.state == "locked" and not slip.is_locked(self.now):
                assert coupon.state == "locked"  # written when somebody comes
            assert coupon.state == slip.state, code
            if slip.state != "used" or not slip.bearer:
                assert owners.get(coupon.member_id or 0) == slip.owner
        assert proven()


@pytest.mark.slow
def test_coupons_do_what_a_card_index_would(db: None) -> None:
    wanted = ("issue", "lock", "use", "public", "release", "withdraw", "return", "again")
    live_until_met(Life, Life.accepted, wanted, examples=20, steps=30)
    assert not Coupon.objects.exists()
