"""This month's ten per cent off, taken by eight channels at once: one has it, seven are told (B2)."""

from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError

from loyalty import benefits, publishing
from loyalty.errors import BenefitUsedUp
from loyalty.models import BenefitUse
from tests.races.threads import at_once, refusals
from tests.trade import PROGRAMME, Trade, buyer

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CLIENTS = 8
TIMES = 3


@pytest.fixture
def mei(db: None) -> int:
    trade = Trade()
    use = {"code": "tea", "name": {"en": "Tea"}, "times": TIMES}
    basic = {**PROGRAMME["tiers"][0], "benefits": {"uses": [use]}}
    publishing.load({**PROGRAMME, "tiers": [basic]}, environment="demo")
    member = trade.buy("T1", "100", buyer("mei")).member_id
    assert member is not None
    return member


def test_eight_at_once_have_a_benefit_as_often_as_there_is(mei: int) -> None:
    answers = at_once(
        *[lambda number=number: benefits.use(mei, "tea", cause=f"c{number}") for number in range(CLIENTS)]
    )
    assert {type(refusal) for refusal in refusals(answers)} == {BenefitUsedUp}
    assert len(refusals(answers)) == CLIENTS - TIMES
    assert sorted(BenefitUse.objects.values_list("number", flat=True)) == [1, 2, 3]


def test_without_taking_turns_the_key_of_the_table_refuses_the_second(
    mei: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: everybody looks before anybody writes, and finds the same number free."""
    everybody_has_looked = Barrier(2, timeout=30)
    free_number = benefits._free_number

    def look_before_anybody_writes(*about: Any) -> tuple[int, int]:
        number = free_number(*about)
        everybody_has_looked.wait()
        return number

    monkeypatch.setattr(benefits, "_free_number", look_before_anybody_writes)
    monkeypatch.setattr(benefits, "lock", lambda member_id: benefits.ledger.peek([member_id]))
    answers = at_once(
        *[lambda number=number: benefits.use(mei, "tea", cause=f"c{number}") for number in (1, 2)]
    )
    (refused,) = refusals(answers)
    assert isinstance(refused, IntegrityError) and "benefit_used_once_a_time" in str(refused)
    assert BenefitUse.objects.count() == 1
