"""Rewards under many hands: the last piece of a points sale, a member's limit, a claim's one end (B8).

Each race has a control that takes the lock away, so that all see the same, and finds the constraint refuse.
"""

from collections import Counter
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from loyalty import claims, fulfilment, ledger, rewards, shelves
from loyalty.errors import ClaimElsewhere, OutOfStock, RewardLimitReached
from loyalty.models import Claim, ClaimMove, Entry
from tests.boutique import TOTE, Boutique, shelf
from tests.races.threads import LONGEST, at_once, refusals
from tests.trade import buyer, proven

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CROWD = 32


@pytest.fixture
def shop(db: None) -> Boutique:
    return Boutique()


@pytest.fixture
def crowd(shop: Boutique) -> list[int]:
    """Members with 300 points each, before a points sale of a few pieces."""
    receipts = [shop.buy(f"C-{number}", "300", buyer(f"c-{number}")) for number in range(CROWD)]
    return [receipt.member_id for receipt in receipts if receipt.member_id is not None]


def rush(shop: Boutique, crowd: list[int]) -> list[Any]:
    return at_once(
        *[lambda member=member: shop.claim(cause=f"rush-{member}", member=member) for member in crowd]
    )


def test_the_last_piece_of_a_sale_goes_to_one_of_thirty_two(shop: Boutique, crowd: list[int]) -> None:
    shop.offer({**TOTE, "sales": [shop.sale(stock=1, points=100)]})
    answers = rush(shop, crowd)
    assert Counter(map(type, refusals(answers))) == {OutOfStock: CROWD - 1}
    assert shelf(sale="NOON") == (1, 1) and Claim.objects.count() == 1
    assert Entry.objects.filter(kind="redeem").count() == 1, "who got nothing paid nothing"
    assert sorted(shop.available(member) for member in crowd) == [200] + [300] * (CROWD - 1)
    assert proven()


def test_three_pieces_go_to_three(shop: Boutique, crowd: list[int]) -> None:
    shop.offer({**TOTE, "sales": [shop.sale(stock=3)]})
    answers = rush(shop, crowd)
    assert len(refusals(answers)) == CROWD - 3 and shelf(sale="NOON") == (3, 3)
    assert proven()


def test_without_the_lock_on_the_shelf_its_constraint_keeps_the_last_piece(
    shop: Boutique, crowd: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.offer({**TOTE, "sales": [shop.sale(stock=1, points=100)]})
    rewards.put_up()
    together = Barrier(CROWD, timeout=LONGEST)

    def look(places: Any) -> Any:
        found = shelves.look(places)
        together.wait()
        return found

    monkeypatch.setattr(shelves, "lock", look)
    answers = rush(shop, crowd)
    assert Counter(map(type, refusals(answers))) == {OutOfStock: CROWD - 1}
    by_constraint = [each for each in refusals(answers) if isinstance(each.__cause__, IntegrityError)]
    assert len(by_constraint) == CROWD - 1, "the control must collide"
    assert shelf(sale="NOON") == (1, 1) and Entry.objects.filter(kind="redeem").count() == 1
    assert proven()


def test_of_two_claims_at_once_a_member_may_have_one(shop: Boutique) -> None:
    shop.offer({**TOTE, "per_member": 1})
    answers = at_once(lambda: shop.claim(cause="c1"), lambda: shop.claim(cause="c2"))
    assert [type(refusal) for refusal in refusals(answers)] == [RewardLimitReached]
    assert shelf() == (5, 1) and shop.available(shop.mei) == 400
    assert proven()


def test_without_the_wallets_lock_the_members_number_is_taken_once(
    shop: Boutique, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.offer({**TOTE, "per_member": 1, "points": 0})
    rewards.put_up()
    together = Barrier(2, timeout=LONGEST)
    numbers = claims.numbers

    def count(*asked: Any) -> set[int]:
        found = numbers(*asked)
        together.wait()
        return found

    monkeypatch.setattr(claims, "numbers", count)
    monkeypatch.setattr(ledger, "lock", lambda members, **_how: ledger.peek(members))
    answers = at_once(lambda: shop.claim(cause="c1"), lambda: shop.claim(cause="c2"))
    (refusal,) = refusals(answers)
    assert isinstance(refusal, RewardLimitReached) and isinstance(refusal.__cause__, IntegrityError)
    assert shelf() == (5, 1) and Claim.objects.count() == 1


def test_a_double_click_is_one_claim(shop: Boutique) -> None:
    answers = at_once(*[lambda: shop.claim(cause="nonce") for _ in range(8)])
    assert Counter(answer.is_new for answer in answers) == {True: 1, False: 7}
    assert len({answer.claim.pk for answer in answers}) == 1
    assert shelf() == (5, 1) and shop.available(shop.mei) == 400
    assert proven()


def test_cancelled_and_handed_over_at_once_a_claim_has_one_end(shop: Boutique) -> None:
    claim = shop.claim().claim
    answers = at_once(
        *[lambda: rewards.hand_over(claim.pk, actor_id=None) for _ in range(4)],
        *[lambda: rewards.cancel(claim.pk, reason="Not wanted", actor_id=None) for _ in range(4)],
    )
    assert Counter(map(type, answers)) == {Claim: 4, ClaimElsewhere: 4}
    assert ends_once(shop, claim.pk)


def test_without_the_lock_on_a_claim_its_history_lets_one_end_in(
    shop: Boutique, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = shop.claim().claim
    together = Barrier(2, timeout=LONGEST)

    def look(claim_ids: Any) -> list[Claim]:
        found = list(Claim.objects.filter(pk__in=claim_ids))
        together.wait()
        return found

    monkeypatch.setattr(claims, "lock", look)
    answers = at_once(
        lambda: fulfilment.hand_over(claim.pk, actor_id=None),
        lambda: fulfilment.cancel(claim.pk, reason="Not wanted", actor_id=None),
    )
    (refusal,) = refusals(answers)
    assert isinstance(refusal, ClaimElsewhere) and isinstance(refusal.__cause__, IntegrityError)
    assert ends_once(shop, claim.pk)


def ends_once(shop: Boutique, claim_id: int) -> bool:
    """Done with its points spent and its piece taken, or cancelled with both back."""
    claim = Claim.objects.get(pk=claim_id)
    assert ClaimMove.objects.filter(claim=claim).count() == claim.steps == 2
    assert (claim.state, shop.available(shop.mei), shelf()) in [
        ("done", 400, (5, 1)),
        ("cancelled", 500, (5, 0)),
    ]
    return proven()


def test_gifts_and_claims_at_once_take_each_piece_once(shop: Boutique, crowd: list[int]) -> None:
    shop.offer({**TOTE, "stock": 10})

    def give(number: int) -> None:
        with transaction.atomic():
            rewards.owe([shop.gift("TOTE", f"g{number}-{each}") for each in range(3)], now=shop.now)

    answers = at_once(
        *[lambda number=number: give(number) for number in range(4)],
        *[lambda member=member: shop.claim(cause=f"c-{member}", member=member) for member in crowd[:8]],
    )
    assert {type(refusal) for refusal in refusals(answers)} <= {OutOfStock}
    standing = Claim.objects.filter(shelf__isnull=False).count()
    assert shelf() == (10, 10) and standing == 10
    waiting = Claim.objects.filter(state="waiting").count()
    assert waiting + Claim.objects.filter(state="claimed", points=0).count() == 12
    assert proven()
