"""Mei beside her purchases: she joins, checks in, reviews, has birthday, reaches twelve; each thing once."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty import accounts, activities, birthdays, clock, grant_lines, milestone_rounds
from loyalty.models import Claim, Coupon, Grant
from members.facts import LineFact
from members.models import Member
from tests.trade import Trade, buyer, phone, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")
MEI = phone("+8613800138001")


def today() -> date:
    return clock.read().now.astimezone(SHANGHAI).date()


@pytest.fixture
def trade(db: None) -> Trade:
    sections: dict[str, Any] = {
        "activities": {
            "enrolment": {"points": 100},
            "first_purchase": {"coupon": "WELCOME"},
            "profile_step": {"points": 20, "steps": ["birthday"]},
            "check_in": {"points": 2, "streak": {3: {"points": 20}}},
            "review": {"points": 10, "per_day": 1},
            "birthday": {"points": 88},
        },
        "coupons": [
            {
                "code": "WELCOME",
                "name": {"en": "Welcome"},
                "kind": "amount",
                "value": "20",
                "valid": {"days": 30},
            }
        ],
        "rewards": [
            {
                "code": "MYSTERY",
                "name": {"en": "Mystery gift"},
                "kind": "gift",
                "given_only": True,
                "stock": 5,
            }
        ],
        "milestones": [
            {
                "code": "twelve",
                "when": {"field": "member.repurchases_year", "op": ">=", "value": 12},
                "then": {"gift": "MYSTERY"},
                "once_per": "year",
            }
        ],
    }
    return Trade(sections=sections)


@pytest.fixture
def mei(trade: Trade) -> int:
    """She joins in the shop's app, and says when her birthday is: today, as it happens."""
    day = today().replace(year=1992)
    (receipt,) = accounts.receive(trade.app, [buyer("mei", MEI, birthday=day)])
    return receipt.member_id


def said(member: int) -> list[str]:
    """What she was given and why, as her page says it, oldest first."""
    lines = grant_lines.page(member)
    return [f"{line.name}: {line.sentence}" for line in reversed(lines)]


def test_what_she_is_given_and_why(trade: Trade, mei: int) -> None:
    assert said(mei) == ["100 points: Joining gift", "20 points: Profile step: birthday"]

    tea = (LineFact(product="TEA", name="Tea"), LineFact(product="CUP", name="Cup"))
    trade.buy("T1", "0.00", buyer("mei-tmall", MEI), lines=tea)
    assert said(mei)[2:] == []  # nothing was kept of nothing bought
    trade.buy("T2", "50", buyer("mei-tmall"), lines=tea)
    assert said(mei)[2:] == ["Coupon Welcome: First purchase, order T2"]

    for product in ("TEA", "CUP"):
        activities.do(mei, "review", channel=trade.tmall, detail={"order_no": "T2", "product": product})
    assert said(mei)[3:] == ["10 points: Review of TEA, order T2"]  # one a day

    birthdays.treat_birthdays()
    birthdays.treat_birthdays()
    assert said(mei)[4:] == [f"88 points: Birthday treat of {today().year}, tier Basic"]
    assert trade.available(mei) == 100 + 20 + 50 + 10 + 88
    assert proven()


def test_three_days_in_a_row_by_the_programmes_clock(trade: Trade, mei: int) -> None:
    for _day in range(4):
        for _tap in range(2):
            activities.do(mei, "check_in", channel=trade.app)
        clock.move(timedelta(days=1))
    assert said(mei)[2:] == [
        "2 points: Check-in, day 1 in a row",
        "2 points: Check-in, day 2 in a row",
        "2 points: Check-in, day 3 in a row",
        "20 points: 3 days in a row",
        "2 points: Check-in, day 4 in a row",
    ]


def test_her_twelfth_repurchase_is_a_mystery_gift_and_only_one(trade: Trade, mei: int) -> None:
    began = clock.read().recorded - timedelta(minutes=20)
    receipts = [
        trade.buy(f"T{n}", "10", buyer("mei", MEI), channel=trade.app, at=began + timedelta(minutes=n))
        for n in range(15)
    ]
    gifts = [number for number, receipt in enumerate(receipts) for each in receipt.given if each.claim_id]
    assert gifts == [12]
    milestone_rounds.walk()
    (claim,) = Claim.objects.all()
    assert (claim.reward, claim.points, claim.state) == ("MYSTERY", 0, "claimed")
    assert said(mei)[-1] == (
        "Gift Mystery gift: Milestone twelve: repurchases in a year is at least 12 (it was 12)"
    )


def test_two_memberships_of_hers_are_one_person(trade: Trade, mei: int) -> None:
    """She had joined a second time; the two were merged, and nothing is given twice."""
    (other,) = accounts.receive(trade.tmall, [buyer("mei-old", birthday=today().replace(year=1992))])
    activities.do(other.member_id, "check_in", channel=trade.tmall)
    birthdays.treat_birthdays()
    assert Grant.objects.filter(source="birthday").count() == 2  # nobody knows yet
    Member.objects.filter(pk=other.member_id).update(status=Member.Status.MERGED, merged_into_id=mei)
    before = trade.available(mei)
    assert not activities.do(mei, "check_in", channel=trade.app).is_new
    trade.buy("T1", "10", buyer("mei-old"))
    trade.buy("T2", "10", buyer("mei", MEI), channel=trade.app)
    assert Coupon.objects.count() == 1
    assert trade.available(mei) == before + 10
    assert proven()


def test_everything_refunded_she_keeps_what_buying_did_not_bring(trade: Trade, mei: int) -> None:
    began: datetime = clock.read().recorded - timedelta(minutes=20)
    for n in range(13):
        trade.buy(f"T{n}", "10", buyer("mei-tmall", MEI), at=began + timedelta(minutes=n))
    for n in range(13):
        trade.refund(f"T{n}", f"R{n}", "10")
    assert trade.figures(mei).balance == 120
    assert Coupon.objects.exclude(state="withdrawn").count() == 0
    assert Claim.objects.exclude(state="cancelled").count() == 0
    assert proven()
