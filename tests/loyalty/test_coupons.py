"""Coupons: issued within quota and limit, locked, used once, given back when the order comes undone (B6)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty import clock, coupons
from loyalty.coupons import Issued, Wish
from loyalty.errors import CouponNotFound, CouponNotUsable
from loyalty.models import Coupon, CouponMove, CouponUse
from members.facts import OrderStatus
from members.models import OutboxEvent
from tests.coupon_shop import PRINTED, SPRING, WELCOME, CouponShop, goods, history, picture, row
from tests.trade import buyer


@pytest.fixture
def shop(db: None) -> CouponShop:
    return CouponShop(WELCOME, SPRING, PRINTED)


def refused(work: Any, *asked: Any, **told: Any) -> str:
    """The reason of a refusal; nothing has moved."""
    before = picture()
    with pytest.raises(CouponNotUsable) as refusal, transaction.atomic():
        work(*asked, **told)
    assert picture() == before
    return refusal.value.reason


# --- issuing ------------------------------------------------------------------------------------------


def test_a_coupon_is_issued_once_per_cause(shop: CouponShop) -> None:
    first = shop.issue("WELCOME", shop.mei, "birthday:2026", why={"rule": "birthday"})
    again = shop.issue("WELCOME", shop.mei, "birthday:2026")
    assert first.is_new and again == Issued(first.coupon_id, first.code)
    coupon = row(first.code)
    assert (coupon.number, coupon.member_number, coupon.quota, coupon.per_member) == (1, 1, 5, 2)
    assert (coupon.why, coupon.programme) == ({"rule": "birthday"}, shop.programme)
    told = OutboxEvent.objects.get(topic="coupon.changed")
    assert (told.change, told.member_id) == (f"coupon:{coupon.pk}:0", shop.mei)
    assert told.payload["what"] == "issued"


def test_what_cannot_be_issued_says_why(shop: CouponShop) -> None:
    wishes = [
        Wish(campaign="NONE", member_id=shop.mei, cause="1"),
        Wish(campaign="WELCOME", member_id=None, cause="2"),
        *(Wish(campaign="WELCOME", member_id=shop.mei, cause=f"m{n}") for n in range(3)),
        *(Wish(campaign="SPRING", member_id=shop.bo, cause=f"b{n}") for n in range(2)),
    ]
    with transaction.atomic():
        answers = coupons.issue(wishes, now=clock.read().now)
    assert [answer.refusal for answer in answers] == [
        "no_such_coupon",
        "needs_member",
        "",
        "",
        "limit_reached",
        "",
        "limit_reached",
    ]


def test_the_quota_is_of_the_campaign_and_the_last_one_is_given(shop: CouponShop) -> None:
    members = [shop._member(f"m{n}") for n in range(7)]
    answers = [shop.issue("WELCOME", member, f"c{member}").refusal for member in members]
    assert answers == ["", "", "", "", "", "quota_spent", "quota_spent"]


def test_a_coupon_for_a_tier_is_issued_to_that_tier_only(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "tiers": ["silver", "gold"]})
    assert shop.issue("WELCOME", shop.mei, "1").refusal == "not_your_tier"
    for number in range(5):
        shop.buy(f"S{number}", "700", buyer("mei"))
    assert shop.issue("WELCOME", shop.mei, "2").refusal == ""


def test_a_campaign_that_is_over_issues_nothing(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "valid": {"to": "2020-01-01T00:00:00+08:00"}})
    assert shop.issue("WELCOME", shop.mei, "1").refusal == "over"


def test_many_wishes_cost_as_many_statements_as_one(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "quota": 10_000, "per_member": 1000, "tiers": ["basic"]})

    now = clock.read().now

    def cost(count: int, once: str) -> int:
        wishes = [Wish(campaign="WELCOME", member_id=shop.mei, cause=f"{once}:{n}") for n in range(count)]
        with CaptureQueriesContext(connection) as asked, transaction.atomic():
            assert all(answer.is_new for answer in coupons.issue(wishes, now=now))
        return len(asked)

    cost(1, "a")
    assert cost(1, "b") == cost(300, "c") <= 10


def test_quota_limit_and_number_are_rules_of_the_table(shop: CouponShop) -> None:
    coupon = row(shop.coupon())
    for change, rule in (
        ({"number": 6}, "coupon_within_quota"),
        ({"number": 2, "member_number": 3}, "coupon_within_limit_per_member"),
        ({"cause": "b"}, "coupon_number_once"),
        ({"cause": "b", "number": 2}, "coupon_member_number_once"),
        ({"number": 2, "member_number": 2}, "coupon_once_per_cause"),
        ({"cause": "", "number": 2, "member_number": 2}, "coupon_has_a_cause"),
    ):
        values: dict[str, Any] = {
            field.attname: getattr(coupon, field.attname) for field in Coupon._meta.concrete_fields
        }
        values |= {"id": None, "code": "OTHERCODE999", **change}
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            Coupon.objects.create(**values)


# --- one order ----------------------------------------------------------------------------------------


def test_lock_then_use(shop: CouponShop) -> None:
    code = shop.coupon()
    locked = shop.lock(code)
    assert (locked.discount, locked.state, locked.is_new) == (Decimal("20.00"), "locked", True)
    used = shop.use(code, lines=None)
    assert (used.discount, used.state, used.is_new) == (Decimal("20.00"), "used", True)
    assert history(code) == ["locked", "used"]
    use = CouponUse.objects.get()
    assert (use.order_no, use.channel, use.member_id, use.discount, use.counted) == (
        "O1",
        shop.app,
        shop.mei,
        Decimal(20),
        Decimal(200),
    )
    told = OutboxEvent.objects.filter(topic="coupon.changed").order_by("id")
    id_ = row(code).pk
    assert [event.change for event in told] == [f"coupon:{id_}:{n}" for n in range(3)]


def test_a_code_is_taken_as_people_type_it(shop: CouponShop) -> None:
    code = shop.coupon()
    typed = f"{code[:4]}-{code[4:8]} {code[8:]}".lower()
    assert shop.use(typed).code == code


def test_the_same_order_again_is_answered_as_the_first_time(shop: CouponShop) -> None:
    code = shop.coupon()
    first = shop.lock(code)
    before = picture()
    again = shop.lock(code, lines=goods("999"))
    assert (again.is_new, again.discount, again.locked_until) == (False, first.discount, first.locked_until)
    assert picture() == before
    shop.use(code)
    before = picture()
    for work in (shop.use, shop.lock):
        again = work(code, lines=goods("999"))
        assert (again.is_new, again.discount, again.state) == (False, Decimal(20), "used")
    assert picture() == before


def test_another_order_has_to_wait_and_then_finds_it_used(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code)
    for work in (shop.lock, shop.use, shop.release):
        assert refused(work, code, "O2") == "locked"
    # The same number in another channel is another order.
    assert refused(shop.use, code, "O1", channel=shop.jingan, store=shop.store) == "locked"
    shop.use(code)
    for work in (shop.lock, shop.use, shop.release):
        assert refused(work, code, "O2") == "used"


def test_what_was_let_go_can_be_taken_by_another(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code)
    assert shop.release(code).is_new
    assert not shop.release(code).is_new
    assert shop.use(code, "O2").is_new
    assert history(code) == ["locked", "released", "used"]


def test_a_lock_ends_with_its_time_and_no_job(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code, seconds=60)
    shop.wait(61)
    assert shop.use(code, "O2").is_new
    assert history(code) == ["locked", "released", "used"]
    released = CouponMove.objects.get(kind="released")
    assert released.order_no == "O1" and "timed_out" in released.why
    assert refused(shop.use, code, "O1") == "used"


def test_a_lock_whose_time_is_out_still_serves_its_own_order_if_nobody_came(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code, seconds=60)
    shop.wait(61)
    assert shop.use(code, lines=None).discount == Decimal(20)


def test_a_running_lock_keeps_its_promise_past_the_end_of_the_coupon(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "valid": {"to": (shop.now + timedelta(hours=1)).isoformat()}})
    kept, lost = shop.coupon(cause="1"), shop.coupon(cause="2")
    shop.lock(kept, "O1", seconds=7200)
    shop.wait(3700)
    assert refused(shop.use, lost, "O2") == "expired"
    assert shop.use(kept, "O1").is_new


@pytest.mark.parametrize(
    ("told", "asked", "reason"),
    [
        ({}, {"lines": goods("99.99")}, "min_spend"),
        ({}, {"lines": None}, "basket_missing"),
        ({"channels": ["tmall"]}, {}, "wrong_channel"),
        ({"stores": ["jingan"]}, {}, "wrong_store"),
        ({"products": ["TEA"]}, {}, "wrong_products"),
        ({"valid": {"from": "2099-01-01T00:00:00+08:00"}}, {}, "not_started"),
        ({}, {"member_id": None}, "not_yours"),
    ],
)
def test_a_coupon_that_cannot_be_used_says_why(
    shop: CouponShop, told: dict[str, Any], asked: dict[str, Any], reason: str
) -> None:
    shop.publish({**WELCOME, **told})
    code = shop.coupon()
    assert refused(shop.lock, code, **asked) == reason
    assert refused(shop.use, code, **asked) == reason


def test_a_coupon_of_another_member_or_of_nobody(shop: CouponShop) -> None:
    code = shop.coupon()
    assert refused(shop.use, code, member_id=shop.bo) == "not_yours"
    with pytest.raises(CouponNotFound):
        shop.use("ABCD-EFGH-JKMN")


def test_two_coupons_go_together_only_if_both_allow_it(shop: CouponShop) -> None:
    shop.publish(
        WELCOME, {**WELCOME, "code": "SHIP", "kind": "shipping", "value": "5", "combines": True}, PRINTED
    )
    alone = shop.coupon()
    shipping, printed = shop.coupon("SHIP"), shop.coupon("PRINTED")
    shop.use(shipping)
    assert shop.use(printed).is_new
    assert refused(shop.use, alone) == "not_combined"
    assert shop.use(alone, "O2").is_new
    assert refused(shop.lock, shop.coupon("PRINTED", cause="2"), "O2") == "not_combined"


# --- for the bearer, and public codes -----------------------------------------------------------------


def test_a_bearer_s_coupon_is_the_member_s_while_it_is_locked_or_used(shop: CouponShop) -> None:
    code = shop.issue("PRINTED", None, "leaflet").code
    shop.lock(code)
    assert (row(code).member_id, row(code).member_number) == (shop.mei, 1)
    shop.release(code)
    assert row(code).member_id is None
    shop.use(code, "O2", member_id=shop.bo)
    assert (row(code).member_id, CouponUse.objects.get().member_id) == (shop.bo, shop.bo)
    assert not OutboxEvent.objects.filter(topic="coupon.changed", payload__code=code).exists()


def test_the_limit_per_member_counts_what_they_bring(shop: CouponShop) -> None:
    codes = [shop.issue("PRINTED", None, f"leaflet {n}").code for n in range(3)]
    shop.use(codes[0], "O1")
    shop.use(codes[1], "O2")
    assert refused(shop.use, codes[2], "O3") == "limit_reached"
    assert shop.use(codes[2], "O3", member_id=None).is_new


def test_a_bearer_s_coupon_whose_lock_ran_out_does_not_count_against_itself(shop: CouponShop) -> None:
    codes = [shop.issue("PRINTED", None, f"leaflet {n}").code for n in range(2)]
    shop.use(codes[0], "O1")
    shop.lock(codes[1], "O2", seconds=10)
    shop.wait(11)
    assert shop.lock(codes[1], "O3").is_new


def test_a_public_code_is_issued_to_the_member_who_uses_it(shop: CouponShop) -> None:
    assert coupons.look_up("spring 26", member_id=shop.mei).coupon_id is None
    used = shop.use("spring 26")
    assert (used.discount, used.is_new) == (Decimal(20), True)
    coupon = Coupon.objects.get()
    assert (coupon.member_id, coupon.campaign, coupon.code != "SPRING26") == (shop.mei, "SPRING", True)
    assert shop.use("SPRING-26").is_new is False
    assert refused(shop.use, "SPRING-26", "O2") == "limit_reached"
    assert refused(shop.use, "SPRING-26", "O3", member_id=None) == "needs_member"


def test_a_public_code_typed_again_finds_what_was_taken_and_not_used(shop: CouponShop) -> None:
    shop.lock("SPRING-26", "O1")
    shop.release("SPRING-26", "O1")
    shop.lock("SPRING-26", "O2", seconds=1)
    shop.wait(2)
    assert coupons.look_up("SPRING-26", member_id=shop.mei).standing == "usable"
    shop.use("SPRING-26", "O3")
    assert Coupon.objects.count() == 1


def test_a_public_code_ends_with_its_quota(shop: CouponShop) -> None:
    members = [shop._member(f"m{n}") for n in range(4)]
    for number, member in enumerate(members[:3]):
        assert shop.use("SPRING-26", f"O{number}", member_id=member).is_new
    assert refused(shop.use, "SPRING-26", "O9", member_id=members[3]) == "quota_spent"


# --- given back ---------------------------------------------------------------------------------------


def paid(shop: CouponShop, number: str = "O1", net: str = "180", **told: Any) -> None:
    shop.buy(number, net, buyer("mei"), channel=shop.app, **told)


def test_a_cancelled_order_gives_its_coupon_back(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.use(code)
    paid(shop)
    assert row(code).state == "used"
    paid(shop, status=OrderStatus.CANCELLED)
    assert row(code).state == "issued"
    assert history(code) == ["used", "returned"]
    assert CouponUse.objects.get().returned_at is not None
    assert shop.use(code, "O2").is_new


def test_a_cancelled_order_lets_go_of_what_it_has_locked(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code)
    paid(shop, status=OrderStatus.PLACED)
    paid(shop, status=OrderStatus.CANCELLED)
    assert history(code) == ["locked", "released"]


def test_an_order_in_another_channel_gives_nothing_back(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.use(code)
    shop.buy("O1", "180", buyer("mei"), channel=shop.tmall, status=OrderStatus.CANCELLED)
    assert row(code).state == "used"


@pytest.mark.parametrize(
    ("policy", "refunds", "states"),
    [
        ({}, ["80", "100"], ["used", "issued"]),
        ({"return": "any"}, ["80", "20"], ["used", "issued"]),  # 200 counted; of them 111.11, then 88.89
        ({"return": "never"}, ["80", "100"], ["used", "used"]),
    ],
)
def test_refunds_give_it_back_by_the_programme_s_policy(
    shop: CouponShop, policy: dict[str, Any], refunds: list[str], states: list[str]
) -> None:
    shop.publish({**WELCOME, **policy})
    code = shop.coupon()
    shop.use(code)
    paid(shop)
    seen = []
    for number, amount in enumerate(refunds):
        shop.refund("O1", f"R{number}", amount, channel=shop.app)
        seen.append(row(code).state)
    assert seen == states


def test_a_coupon_told_after_its_order_came_undone_comes_back_at_once(shop: CouponShop) -> None:
    code = shop.coupon()
    paid(shop)
    shop.refund("O1", "R1", "180", channel=shop.app)
    used = shop.use(code)
    assert (used.state, used.discount) == ("issued", Decimal(20))
    assert history(code) == ["used", "returned"]
    assert shop.use(code).is_new is False  # told again: the same
    assert history(code) == ["used", "returned"]


def test_an_order_that_stands_again_has_its_coupon_again_unless_it_went_elsewhere(shop: CouponShop) -> None:
    for number, code in enumerate([shop.coupon(cause="1"), shop.coupon(cause="2")]):
        order = f"O{number}"
        shop.use(code, order)
        paid(shop, order, version=1)
        paid(shop, order, status=OrderStatus.CANCELLED, version=2)
        if number:
            shop.use(code, "ELSEWHERE")
        paid(shop, order, version=3)
        assert row(code).state == "used"
        assert CouponUse.objects.filter(coupon__code=code, returned_at=None).count() == 1
    assert history(code) == ["used", "returned", "used"]


def test_what_comes_back_late_has_its_grace(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "valid": {"to": (shop.now + timedelta(hours=1)).isoformat()}})
    code = shop.coupon()
    shop.use(code)
    paid(shop)
    shop.wait(2 * 24 * 3600)
    paid(shop, status=OrderStatus.CANCELLED)
    now = clock.read().now
    until = row(code).valid_until
    assert until is not None and timedelta(days=7) <= until - now <= timedelta(days=8)
    assert CouponMove.objects.get(kind="returned").why["grace_days"] == "7"
    assert shop.use(code, "O2").is_new


def test_a_bearer_s_coupon_comes_back_to_whoever_bears_it(shop: CouponShop) -> None:
    code = shop.issue("PRINTED", None, "leaflet").code
    shop.use(code)
    paid(shop)
    paid(shop, status=OrderStatus.CANCELLED)
    assert (row(code).member_id, row(code).state) == (None, "issued")
    assert shop.use(code, "O2", member_id=shop.bo).is_new


def test_orders_without_coupons_cost_at_most_two_statements_and_new_ones_none(shop: CouponShop) -> None:
    with CaptureQueriesContext(connection) as asked:
        paid(shop)
    assert not [query for query in asked.captured_queries if "loyalty_coupon" in query["sql"]]
    with CaptureQueriesContext(connection) as asked:
        shop.refund("O1", "R1", "10", channel=shop.app)
    assert len([query for query in asked.captured_queries if "loyalty_coupon" in query["sql"]]) == 1


# --- by hand ------------------------------------------------------------------------------------------


def test_a_coupon_given_by_hand_is_given_once_per_form(shop: CouponShop) -> None:
    for _touch in range(2):
        given = coupons.give(shop.mei, "WELCOME", reason="Late parcel", nonce="n1", actor_id=None)
    assert Coupon.objects.get().why == {"reason": "Late parcel"}
    assert not given.is_new
    coupons.give(shop.mei, "WELCOME", reason="Late parcel", nonce="n2", actor_id=None)
    with pytest.raises(CouponNotUsable) as refusal:
        coupons.give(shop.mei, "WELCOME", reason="Late parcel", nonce="n3", actor_id=None)
    assert refusal.value.reason == "limit_reached"


def test_what_is_withdrawn_is_worth_nothing_and_makes_room_for_its_member(shop: CouponShop) -> None:
    first, second = (shop.coupon("PRINTED", cause=cause) for cause in "ab")
    shop.use(second)
    now = clock.read().now
    ids = {row(code).pk: code for code in (first, second)}
    answers = coupons.withdraw(ids, why={"reason": "Misprint"}, now=now)
    assert {ids[id_]: answer for id_, answer in answers.items()} == {first: "", second: "used"}
    assert coupons.withdraw([row(first).pk], why={}, now=now) == {row(first).pk: ""}
    assert history(first) == ["withdrawn"]
    assert refused(shop.use, first, "O2") == "withdrawn"
    assert shop.issue("PRINTED", shop.mei, "d").refusal == ""


def test_a_locked_coupon_is_not_withdrawn_under_its_order_s_feet(shop: CouponShop) -> None:
    code = shop.coupon()
    shop.lock(code, seconds=60)
    id_ = row(code).pk
    assert coupons.withdraw([id_], why={}, now=clock.read().now) == {id_: "locked"}
    shop.wait(61)
    assert coupons.withdraw([id_], why={}, now=clock.read().now) == {id_: ""}
    assert history(code) == ["locked", "released", "withdrawn"]


# --- what a member holds ------------------------------------------------------------------------------


def test_a_member_s_coupons_with_how_they_stand(shop: CouponShop) -> None:
    shop.publish({**WELCOME, "per_member": 5})
    codes = {name: shop.coupon(cause=name) for name in ("free", "locked", "used", "withdrawn")}
    shop.lock(codes["locked"], "L")
    shop.use(codes["used"], "U")
    now = clock.read().now
    coupons.withdraw([row(codes["withdrawn"]).pk], why={}, now=now)
    held = {each.code: each.standing for each in coupons.of_member(shop.mei)}
    assert held == {
        codes["free"]: "usable",
        codes["locked"]: "locked",
        codes["used"]: "used",
        codes["withdrawn"]: "withdrawn",
    }
    assert [each.code for each in coupons.usable(shop.mei, now)] == [codes["free"]]
    later = now + timedelta(days=40)
    assert coupons.usable(shop.mei, later) == []
    assert {each.standing for each in coupons.of_member(shop.mei, now=later)} == {
        "expired",
        "used",
        "withdrawn",
    }


def test_a_code_that_is_looked_up_is_not_taken(shop: CouponShop) -> None:
    code = shop.coupon()
    before = picture()
    assert coupons.look_up(code, member_id=shop.mei).standing == "usable"
    assert coupons.look_up("SPRING-26", member_id=shop.mei).terms.code == "SPRING"
    with pytest.raises(CouponNotUsable):
        coupons.look_up(code, member_id=shop.bo)
    with pytest.raises(CouponNotFound):
        coupons.look_up("NONE-SUCH-CODE")
    assert picture() == before
