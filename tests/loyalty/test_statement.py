"""The statement: each entry in words, with its numbers filled in (B3, B14)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from loyalty import clock, counter, nightly, points, statement
from loyalty.models import Entry
from loyalty.statement import Line
from members.facts import PointsSpentFact
from members.models import Store
from tests.counter import Shop
from tests.trade import Trade, buyer, proven

MEI = buyer("mei")


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def told(member: int | None) -> list[Line]:
    """The whole statement, oldest first."""
    assert member is not None
    return statement.entries(member)[::-1]


def of_kind(kind: str, member: int | None) -> Line:
    (line,) = [line for line in told(member) if line.kind == kind]
    return line


def test_what_an_order_earned_is_told_as_a_product_with_its_rules(db: None) -> None:
    trade = Trade(
        rules=[{"code": "double", "then": {"factor": "2"}}, {"code": "hello", "then": {"bonus": 5}}]
    )
    for number in range(5):
        mei = trade.buy(f"T{number}", "700", MEI, at=trade.ago(9 - number)).member_id
    trade.buy("T9", "200", MEI)
    line = told(mei)[-1]
    assert line.sentence == "200 × 1 × 1.2 × 2 + 5 = 485 (double, hello)"
    assert (line.kind_label, line.points, line.channel_name, line.order_number) == (
        "Earned",
        485,
        "tmall",
        "T9",
    )


def test_where_a_limit_cut_the_sums_are_told_instead(db: None) -> None:
    trade = Trade(rules=[{"code": "double", "then": {"factor": "2"}, "limits": {"per_member": 50}}])
    mei = trade.buy("T1", "200.50", MEI).member_id
    assert told(mei)[0].sentence == "200.5 × 1 × 1 = 200; + 50 = 250 (double)"


def test_a_redemption_is_told_by_its_reason(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    assert mei is not None
    points.redeem(mei, 80, cause="gift-7", reason="A tote bag", channel=trade.app)
    line = of_kind("redeem", mei)
    assert (line.points, line.reason, line.cause, line.channel_name) == (
        -80,
        "A tote bag",
        "app:gift-7",
        "app",
    )


def test_a_refund_tells_what_is_kept_and_what_is_owed(trade: Trade) -> None:
    mei = trade.buy("T1", "200", MEI).member_id
    assert mei is not None
    trade.refund("T1", "R1", "50")
    trade.spend(mei, 150)
    trade.refund("T1", "R2", "30")
    first, second = [line.sentence for line in told(mei) if line.kind == "take_back"]
    assert first == "Of 200 points for ¥200.00, ¥150.00 kept leaves 150"
    assert second == "Of 200 points for ¥200.00, ¥120.00 kept leaves 120; 30 are owed"


def test_points_given_back_tell_of_how_many(trade: Trade) -> None:
    mei = trade.buy("T0", "200", MEI).member_id
    assert mei is not None
    trade.spend(mei, 150, cause="pay-T1")
    spent = PointsSpentFact(points=150, cause="pay-T1")
    trade.buy("T1", "71.50", MEI, points_value=Decimal("1.50"), spent=spent)
    trade.refund("T1", "R1", "35.75")
    line = of_kind("give_back", mei)
    assert line.points == 75
    assert line.sentence == "Paid with 150 points; ¥35.75 of ¥71.50 kept, 75 returned in all"


def test_a_lapse_tells_the_day_of_earning_by_the_clocks_of_the_house(trade: Trade) -> None:
    """Bought at half past midnight in Shanghai: the day before, in UTC."""
    shanghai = ZoneInfo("Asia/Shanghai")
    day = trade.ago(30).astimezone(shanghai).date()
    at = datetime(day.year, day.month, day.day, 0, 30, tzinfo=shanghai)
    mei = trade.buy("T1", "200", MEI, at=at).member_id
    assert mei is not None
    trade.spend(mei, 120)
    clock.move(timedelta(days=366))
    nightly.post_expiry()
    line = of_kind("expire", mei)
    assert line.sentence == f"80 of the 200 points earned on {day.isoformat()} were not used in time"
    assert line.happened_at > trade.now and line.recorded_at < line.happened_at  # both clocks are told


def test_a_debt_that_is_paid_tells_how_much_of_it(trade: Trade) -> None:
    mei = trade.buy("T1", "100", MEI).member_id
    assert mei is not None
    trade.spend(mei, 100)
    trade.refund("T1", "R1", "100")
    trade.buy("T2", "30", MEI)
    line = of_kind("settle", mei)
    assert (line.points, line.balance_after, line.debt_after) == (0, -70, 70)
    assert line.sentence == "30 points paid a debt of 100"


@pytest.mark.parametrize("kind", Entry.Kind.values)
def test_an_entry_that_tells_no_reason_is_still_shown(kind: str) -> None:
    """Whatever its `why` lacks, a statement never fails to open."""
    with translation.override("zh-hans"):
        assert isinstance(statement.sentence(kind, {}, -3), str)


def test_sentences_are_in_the_language_of_the_reader() -> None:
    why = {"paid": 30, "debt": 100}
    with translation.override("zh-hans"):
        chinese = statement.sentence(Entry.Kind.SETTLE, why, 0)
    assert "30" in chinese and "100" in chinese
    assert chinese != statement.sentence(Entry.Kind.SETTLE, why, 0) == "30 points paid a debt of 100"


# --- pages --------------------------------------------------------------------------------------------


def pages(member: int, size: int) -> Sequence[list[int]]:
    found: list[list[int]] = []
    before: int | None = None
    while lines := statement.entries(member, before_id=before, limit=size):
        found.append([line.points for line in lines])
        before = lines[-1].id
    return found


def test_it_pages_backwards_without_gap_or_repeat(trade: Trade, django_assert_num_queries) -> None:
    for number in range(1, 8):
        mei = trade.buy(f"T{number}", str(number), MEI).member_id
    trade.buy("B1", "99", buyer("bo"))
    assert mei is not None
    assert pages(mei, 3) == [[7, 6, 5], [4, 3, 2], [1]]
    with django_assert_num_queries(1):
        assert len(statement.entries(mei)) == 7


def test_totals_are_of_the_whole_programme_by_kind(trade: Trade) -> None:
    mei = trade.buy("T1", "100", MEI).member_id
    trade.buy("B1", "50", buyer("bo"))
    assert mei is not None
    trade.spend(mei, 30)
    assert statement.totals() == {"earn": 150, "redeem": -30}


def test_points_that_paid_at_the_counter_are_told_with_their_worth_and_its_clause(db: None) -> None:
    shop = Shop()
    jingan = Store.objects.get(code="jingan")
    sale = counter.sell(jingan, shop.mei, amount=Decimal(200), points_used=300, nonce=uuid4(), actor_id=None)
    line = of_kind("redeem", shop.mei)
    assert line.sentence == f"300 ÷ 100 = 3.00 yuan off order {sale.order_number}"
    assert line.explanation.formula == "300 ÷ 100 = 3.00"
    assert [clause.sentence for clause in line.explanation.clauses] == ["Basic: 100 points are worth ¥1"]
    assert (line.explanation.version, line.explanation.details) == (1, ())
    assert proven()


def test_points_that_paid_for_an_order_of_a_platform_are_told_by_the_order(trade: Trade) -> None:
    mei = trade.buy("T1", "2000", MEI).member_id
    assert mei is not None
    points.redeem(mei, 1500, cause="pay-7", channel=trade.tmall)
    spent = PointsSpentFact(points=1500, cause="pay-7")
    trade.buy("T2", "100", MEI, spent=spent, points_value=Decimal("15.00"))
    (detail,) = of_kind("redeem", mei).explanation.details
    assert detail == "1,500 points took ¥15.00 off order T2"
