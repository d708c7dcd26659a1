"""Rewards: what is claimed costs its points, leaves its shelf, and comes back whole when cancelled (B8)."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from loyalty import errors, ledger, points, rewards, shelves
from loyalty.models import Claim, ClaimMove, Coupon, Entry, Lot, Shelf, ShelfMove
from loyalty.reward_terms import Place
from members.models import OutboxEvent
from privacy import roles
from privacy.errors import ReasonMissing
from tests.boutique import TOTE, Boutique, shelf, states
from tests.trade import buyer, proven


@pytest.fixture
def shop(db: None) -> Boutique:
    return Boutique()


def nothing_moved(shop: Boutique) -> bool:
    """500 points, no claim, nothing told."""
    assert (shop.available(shop.mei), Claim.objects.count(), Entry.objects.filter(kind="redeem").count()) == (
        500,
        0,
        0,
    )
    assert not OutboxEvent.objects.filter(topic="reward.changed").exists()
    return proven()


# --- claiming -----------------------------------------------------------------------------------------


def test_a_claim_costs_its_points_and_leaves_its_shelf(shop):
    done = shop.claim()
    assert (done.is_new, done.claim.state, done.claim.points, done.claim.member_number) == (
        True,
        "claimed",
        100,
        1,
    )
    assert shop.available(shop.mei) == 400 and shelf() == (5, 1)
    entry = Entry.objects.get(kind="redeem")
    assert (entry.points, entry.cause, done.claim.entry_id) == (-100, "claim:app:c1", entry.pk)
    assert entry.why["reward"] == "TOTE" and entry.why["version"] == shop.programme.number
    assert ClaimMove.objects.values_list("position", "state").get() == (1, "claimed")
    assert proven()


def test_a_step_is_told_to_the_channels_once(shop):
    done = shop.claim()
    rewards.hand_over(done.claim.pk, actor_id=None)
    told = OutboxEvent.objects.filter(topic="reward.changed").order_by("id")
    assert [event.change for event in told] == [f"claim:{done.claim.pk}:1", f"claim:{done.claim.pk}:2"]
    assert [event.payload["state"] for event in told] == ["claimed", "done"]
    assert "梅" not in str([event.payload for event in told])


def test_the_same_cause_is_answered_as_the_first_time(shop):
    first, again = shop.claim(), shop.claim()
    assert (again.is_new, again.claim.pk) == (False, first.claim.pk)
    assert shop.available(shop.mei) == 400 and shelf() == (5, 1)
    assert proven()


def test_a_cause_of_another_claim_is_refused(shop):
    shop.claim()
    bo = shop.buy("B-1", "300", buyer("bo")).member_id
    with pytest.raises(errors.CauseTaken):
        shop.claim(member=bo)
    assert shop.available(bo) == 300 and Claim.objects.count() == 1


@pytest.mark.parametrize(
    ("terms", "how", "refusal"),
    [
        ({"points": 501}, {}, errors.NotEnoughPoints),
        ({"stock": 0}, {}, errors.OutOfStock),
        ({"tiers": ["gold"]}, {}, errors.RewardOfOtherTiers),
        ({"from": "2099-01-01T00:00:00+08:00"}, {}, errors.RewardNotOffered),
        ({"to": "2026-01-01T00:00:00+08:00"}, {}, errors.RewardNotOffered),
        ({"given_only": True}, {}, errors.RewardNotOffered),
        ({"ways": ["counter"]}, {"way": "parcel"}, errors.RewardWayNotOffered),
        ({"points": 120}, {"points": 100}, errors.RewardPriceChanged),
        ({"money": "9.90"}, {"money": Decimal(0)}, errors.RewardPriceChanged),
        ({"code": "MUG"}, {}, errors.RewardNotFound),
    ],
)
def test_what_is_refused_moves_nothing(
    shop, terms: dict[str, Any], how: dict[str, Any], refusal: type[Exception]
):
    shop.offer({**TOTE, **terms})
    with pytest.raises(refusal):
        shop.claim(**how)
    assert nothing_moved(shop)


def test_one_member_claims_as_often_as_one_member_may(shop):
    shop.claim(cause="c1"), shop.claim(cause="c2")
    with pytest.raises(errors.RewardLimitReached):
        shop.claim(cause="c3")
    assert shop.available(shop.mei) == 300
    rewards.cancel(Claim.objects.get(member_number=1).pk, reason="Wrong colour", actor_id=None)
    assert shop.claim(cause="c4").claim.member_number == 1
    assert proven()


def test_points_and_money_are_both_on_the_claim(shop):
    shop.offer({**TOTE, "money": "9.90"})
    done = shop.claim(points=100, money=Decimal("9.90"))
    assert (done.claim.points, done.claim.money) == (100, Decimal("9.90"))


def test_a_reward_for_no_points_makes_no_entry(shop):
    shop.offer({**TOTE, "points": 0})
    done = shop.claim()
    assert (done.claim.entry_id, shop.available(shop.mei), shelf()) == (None, 500, (5, 1))
    rewards.cancel(done.claim.pk, reason="Not wanted", actor_id=None)
    assert shelf() == (5, 0) and proven()


def test_a_coupon_is_issued_and_done_at_once(shop):
    welcome = {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10", "valid": {"days": 30}}
    ten = {"code": "TENNER", "name": {"en": "¥10"}, "kind": "coupon", "coupon": "TEN", "points": 200}
    shop.offer(ten, coupons=[welcome])
    done = shop.claim("TENNER")
    coupon = Coupon.objects.get()
    assert (done.claim.state, done.claim.way, done.claim.coupon_id) == ("done", "online", coupon.pk)
    assert (coupon.member_id, coupon.state, shop.available(shop.mei)) == (shop.mei, "issued", 300)
    assert shop.claim("TENNER").claim.coupon_id == coupon.pk and Coupon.objects.count() == 1
    with pytest.raises(errors.ClaimElsewhere):
        rewards.cancel(done.claim.pk, reason="Not wanted", actor_id=None)
    assert proven()


def test_a_coupon_that_is_given_out_leaves_the_points_where_they_are(shop):
    ten = {"code": "TEN", "name": {"en": "Ten"}, "kind": "amount", "value": "10", "quota": 1}
    tenner = {"code": "TENNER", "name": {"en": "¥10"}, "kind": "coupon", "coupon": "TEN", "points": 200}
    shop.offer(tenner, coupons=[ten])
    shop.claim("TENNER")
    with pytest.raises(errors.RewardCouponRefused):
        shop.claim("TENNER", cause="c2")
    assert shop.available(shop.mei) == 300 and shelf("TENNER") == (None, 1)


# --- points sales -------------------------------------------------------------------------------------


def test_during_a_sale_its_price_its_stock_and_its_limit_hold(shop):
    shop.offer({**TOTE, "sales": [shop.sale(stock=1, per_member=1)]})
    done = shop.claim()
    assert (done.claim.sale, done.claim.points, shop.available(shop.mei)) == ("NOON", 10, 490)
    assert shelf(sale="NOON") == (1, 1)
    assert done.claim.why["usual"] == 100
    with pytest.raises(errors.RewardLimitReached):
        shop.claim(cause="c2")
    bo = shop.buy("B-1", "300", buyer("bo")).member_id
    with pytest.raises(errors.OutOfStock):
        shop.claim(cause="c3", member=bo)
    assert proven()


def test_outside_of_its_hours_a_sale_is_none(shop):
    shop.offer({**TOTE, "sales": [shop.sale("OVER", hours=(-2, -1)), shop.sale("SOON", hours=(1, 2))]})
    done = shop.claim()
    assert (done.claim.sale, done.claim.points) == ("", 100)


def test_a_sale_without_stock_of_its_own_sells_from_the_rewards_shelf(shop):
    shop.offer({**TOTE, "sales": [shop.sale()]})
    shop.claim()
    assert shelf() == (5, 1) and Shelf.objects.count() == 1


def test_who_saw_the_sale_price_does_not_pay_the_usual_one(shop):
    shop.offer({**TOTE, "sales": [shop.sale(hours=(-2, -1))]})
    with pytest.raises(errors.RewardPriceChanged):
        shop.claim(points=10)
    assert nothing_moved(shop)


# --- fulfilment ---------------------------------------------------------------------------------------


def test_a_parcel_is_prepared_shipped_and_arrives(shop):
    claim = shop.claim(way="parcel").claim
    assert rewards.prepare([claim.pk, claim.pk], actor_id=None) == 1
    assert rewards.prepare([claim.pk], actor_id=None) == 0
    with pytest.raises(errors.ParcelNumberMissing):
        rewards.ship(claim.pk, tracking=" ", actor_id=None)
    rewards.ship(claim.pk, tracking=" SF123 ", actor_id=None)
    assert rewards.ship(claim.pk, tracking="SF123", actor_id=None).steps == 3, "sent twice, it counts once"
    with pytest.raises(errors.ClaimElsewhere):
        rewards.ship(claim.pk, tracking="SF999", actor_id=None)
    done = rewards.arrive(claim.pk, actor_id=None)
    assert (done.state, done.tracking, done.ended_at is not None) == ("done", "SF123", True)
    steps = ClaimMove.objects.order_by("position").values_list("position", "state")
    assert list(steps) == [(1, "claimed"), (2, "prepared"), (3, "shipped"), (4, "done")]


def test_what_waits_at_the_counter_is_not_sent_and_a_parcel_not_handed_over(shop):
    counter, parcel = shop.claim(cause="c1").claim, shop.claim(cause="c2", way="parcel").claim
    with pytest.raises(errors.ClaimElsewhere):
        rewards.ship(counter.pk, tracking="SF1", actor_id=None)
    with pytest.raises(errors.ClaimElsewhere):
        rewards.hand_over(parcel.pk, actor_id=None)
    assert states() == {"c1": "claimed", "c2": "claimed"}


def test_handed_over_twice_it_is_handed_over_once(shop):
    claim = shop.claim().claim
    first = rewards.hand_over(claim.pk, actor_id=None, store_id=shop.store.pk)
    again = rewards.hand_over(claim.pk, actor_id=None)
    assert (first.steps, again.steps, again.store_id) == (2, 2, shop.store.pk)


@pytest.mark.parametrize("way", ["counter", "parcel"])
def test_what_the_member_has_or_is_sent_cannot_be_cancelled(shop, way):
    claim = shop.claim(way=way).claim
    if way == "counter":
        rewards.hand_over(claim.pk, actor_id=None)
    else:
        rewards.ship(claim.pk, tracking="SF1", actor_id=None)
    with pytest.raises(errors.ClaimElsewhere):
        rewards.cancel(claim.pk, reason="Changed their mind", actor_id=None)
    assert shop.available(shop.mei) == 400 and shelf() == (5, 1)


def test_there_is_no_such_claim(shop):
    for take in (
        lambda: rewards.hand_over(9, actor_id=None),
        lambda: rewards.cancel(9, reason="Not there", actor_id=None),
    ):
        with pytest.raises(errors.ClaimNotFound):
            take()


# --- cancelling ---------------------------------------------------------------------------------------


def test_points_return_to_the_lots_they_came_from(shop):
    shop.give(shop.mei, 30, cause="old")
    before = list(Lot.objects.order_by("pk").values_list("pk", "remaining", "expires_at"))
    shop.offer({**TOTE, "points": 520})
    claim = shop.claim().claim
    assert shop.available(shop.mei) == 10
    done = rewards.cancel(claim.pk, reason="Changed their mind", actor_id=None)
    assert (done.state, done.shelf_id, done.member_number) == ("cancelled", None, None)
    assert list(Lot.objects.order_by("pk").values_list("pk", "remaining", "expires_at")) == before
    assert shelf() == (5, 0) and shop.available(shop.mei) == 530
    back = Entry.objects.get(kind="give_back")
    assert (back.points, back.cause, back.reason) == (520, "claim:app:c1", "Changed their mind")
    assert proven()


def test_cancelled_twice_it_is_cancelled_once(shop):
    claim = shop.claim().claim
    for _again in range(2):
        rewards.cancel(claim.pk, reason="Changed their mind", actor_id=None)
    assert shop.available(shop.mei) == 500 and shelf() == (5, 0)
    assert ClaimMove.objects.count() == 2 and proven()


def test_points_that_come_back_pay_debt_first(shop):
    shop.offer({**TOTE, "points": 500})
    claim = shop.claim().claim
    shop.refund("T-1", "R-1", "500.00")
    assert shop.figures(shop.mei).debt == 500
    rewards.cancel(claim.pk, reason="Changed their mind", actor_id=None)
    assert (shop.figures(shop.mei).debt, shop.available(shop.mei)) == (0, 0)
    assert proven()


def test_who_cancels_says_why(shop):
    claim = shop.claim().claim
    with pytest.raises(ReasonMissing):
        rewards.cancel(claim.pk, reason="no", actor_id=None)
    assert states() == {"c1": "claimed"}


# --- gifts --------------------------------------------------------------------------------------------


@transaction.atomic
def owed(shop: Boutique, *wishes: rewards.Wish) -> list[rewards.Owed]:
    return rewards.owe(wishes, now=shop.now)


def test_a_gift_costs_nothing_counts_for_no_limit_and_takes_a_piece(shop):
    (given,) = owed(shop, shop.gift("TOTE", "milestone:twelve:1"))
    claim = Claim.objects.get()
    assert claim.pk == given.claim_id
    assert (given.is_new, claim.points, claim.member_number, claim.state) == (True, 0, None, "claimed")
    assert shelf() == (5, 1) and shop.available(shop.mei) == 500
    again = owed(shop, shop.gift("TOTE", "milestone:twelve:1"))[0]
    assert (again.is_new, again.claim_id) == (False, given.claim_id) and shelf() == (5, 1)


def test_a_gift_without_stock_waits_and_the_next_piece_is_its_own(shop):
    shop.offer({**TOTE, "stock": 1})
    claim = shop.claim().claim
    owed(shop, shop.gift("TOTE", "g1"), shop.gift("TOTE", "g2"))
    assert states() == {"c1": "claimed", "g1": "waiting", "g2": "waiting"} and shelf() == (1, 1)
    rewards.cancel(claim.pk, reason="Changed their mind", actor_id=None)
    assert states() == {"c1": "cancelled", "g1": "claimed", "g2": "waiting"} and shelf() == (1, 1)
    staff = roles.make_staff("marketing", "marketing")[0]
    rewards.change_stock(Place("TOTE"), 3, reason="New delivery", actor_id=staff.pk)
    assert states()["g2"] == "claimed" and shelf() == (4, 2)
    told = OutboxEvent.objects.filter(topic="reward.changed").count()
    assert told == ClaimMove.objects.count() == 6


def test_a_version_that_declares_more_serves_the_gifts_that_wait(shop):
    shop.offer({**TOTE, "stock": 0})
    owed(shop, shop.gift("TOTE", "g1"))
    shop.offer({**TOTE, "stock": 2})
    assert rewards.put_up() == 1 and states() == {"g1": "claimed"} and shelf() == (2, 1)
    assert rewards.put_up() == 0


def test_what_the_programme_does_not_have_or_gives_as_a_coupon_is_refused(shop):
    ten = {"code": "TEN", "name": {"en": "Ten"}, "kind": "coupon", "coupon": "TEN", "points": 1}
    shop.offer(TOTE, ten)
    given = owed(shop, shop.gift("MUG", "g1"), shop.gift("TEN", "g2"), shop.gift("TOTE", "g3"))
    assert [each.refusal for each in given] == ["no_such_reward", "not_a_gift", ""]
    assert states() == {"g3": "claimed"}


def test_gifts_cost_a_fixed_number_of_statements(shop):
    shop.offer({**TOTE, "stock": 30})
    counted = []
    for round_, many in enumerate((2, 20)):
        wishes = [shop.gift("TOTE", f"g{round_}-{number}") for number in range(many)]
        with CaptureQueriesContext(connection) as asked:
            owed(shop, *wishes)
        counted.append(len(asked))
    # The first time the shelf is put up as well: it was not there.
    assert counted[1] < counted[0] <= 16 and shelf() == (30, 22)


def test_gifts_that_are_withdrawn_go_back_to_the_shelf_and_what_was_handed_over_stays(shop):
    given = owed(shop, shop.gift("TOTE", "g1"), shop.gift("TOTE", "g2"))
    ids = [each.claim_id or 0 for each in given]
    rewards.hand_over(ids[0], actor_id=None)
    with transaction.atomic():
        assert rewards.withdraw_gifts(ids, reason="The order came undone.", now=shop.now) == {ids[1]}
    assert states() == {"g1": "done", "g2": "cancelled"} and shelf() == (5, 1)


# --- stock --------------------------------------------------------------------------------------------


def test_stock_is_the_sum_of_what_was_put_up_and_taken_off(shop):
    staff = roles.make_staff("marketing", "marketing")[0]
    shop.claim()
    rewards.change_stock(Place("TOTE"), 20, reason="New delivery", actor_id=staff.pk)
    rewards.change_stock(Place("TOTE"), -4, reason="Water damage", actor_id=staff.pk)
    shop.offer({**TOTE, "stock": 8})
    shop.claim(cause="c2")
    moves = ShelfMove.objects.order_by("pk").values_list("change", "reason", "actor", "programme__number")
    first, last = shop.programme.number - 1, shop.programme.number
    assert list(moves) == [
        (5, "", None, first),
        (20, "New delivery", staff.pk, None),
        (-4, "Water damage", staff.pk, None),
        (3, "", None, last),
    ]
    assert shelf() == (24, 2)


def test_no_more_is_taken_off_than_is_left_and_staff_say_why(shop):
    staff = roles.make_staff("marketing", "marketing")[0]
    shop.claim()
    for pieces, reason, refusal in (
        (-5, "Water damage", errors.StockBelowTaken),
        (0, "Nothing new", errors.StockUnchanged),
        (5, "new", ReasonMissing),
    ):
        with pytest.raises(refusal):
            rewards.change_stock(Place("TOTE"), pieces, reason=reason, actor_id=staff.pk)
    with pytest.raises(errors.RewardNotFound):
        rewards.change_stock(Place("TOTE", "NOON"), 5, reason="New delivery", actor_id=staff.pk)
    assert shelf() == (5, 1)


def test_a_version_that_declares_less_takes_nothing_that_was_claimed(shop):
    shop.claim(cause="c1"), shop.claim(cause="c2")
    shop.offer({**TOTE, "stock": 1, "per_member": 9})
    with pytest.raises(errors.OutOfStock):
        shop.claim(cause="c3")
    rewards.put_up()
    assert shelf() == (2, 2)


def test_without_limit_nothing_is_counted_until_somebody_counts(shop):
    shop.offer({key: value for key, value in TOTE.items() if key != "stock"})
    staff = roles.make_staff("marketing", "marketing")[0]
    shop.claim()
    assert shelf() == (None, 1)
    rewards.change_stock(Place("TOTE"), 2, reason="Counted again", actor_id=staff.pk)
    assert shelf() == (3, 1)
    assert shelves.look([Place("TOTE")])[Place("TOTE")].free == 2


def test_figures_agree_after_all(shop):
    shop.claim(cause="c1")
    points.redeem(shop.mei, 50, cause="c1", channel=shop.app)
    assert ledger.figures(shop.mei).available == 350 and proven()
