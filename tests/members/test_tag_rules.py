"""Tags by rule: whom each condition means, what a run gives and takes, and what it leaves alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from members import accounts, cases, events, tag_conditions, tag_rules, tags
from members.errors import TagRuleInvalid, TagRuleTaken
from members.facts import AccountFact, CaseFact, CaseKind, CaseState, EventFact, EventKind, OrderStatus
from members.models import Channel, Member, MemberTag, Order, TagRule, TagRun
from tests import make

NOW = make.NOW
NAMES = {"wechat": "WeChat", "tmall": "Tmall"}


def ago(days: float) -> Any:
    return NOW - timedelta(days=days)


def row(fact: str, op: str = "ge", value: Any = None, days: Any = None, of: str = "") -> dict[str, Any]:
    return {"fact": fact, "op": op, "value": value, "days": days, "of": of}


def conditions(*rows: dict[str, Any], match: str = "all") -> tag_conditions.Conditions:
    return tag_conditions.read({"match": match, "rows": rows}, channels=NAMES)


@pytest.fixture
def people(wechat: Channel, tmall: Channel) -> dict[str, int]:
    """Mei buys much, Bo bought once long ago and complains, Ann has only looked."""
    ids = {}
    for name, joined in (("mei", 400), ("bo", 300), ("ann", 10)):
        fact = make.buyer(name, joined_at=ago(joined), province="上海" if name != "bo" else "浙江")
        (receipt,) = accounts.receive(wechat, [fact], now=ago(joined))
        ids[name] = receipt.member_id
    for order, days in enumerate((1, 20, 100)):
        make.heard(wechat, make.order(f"M{order}", "100.00", make.buyer("mei"), paid_at=ago(days)))
    make.heard(tmall, make.order("M9", "50.00", make.buyer("mei-tmall"), paid_at=ago(5)))
    Order.objects.filter(number="M9").update(member=ids["mei"])
    make.heard(wechat, make.order("B1", "500.00", make.buyer("bo"), paid_at=ago(200), placed_at=ago(200)))
    cancelled = {"paid_at": ago(2), "status": OrderStatus.CANCELLED}
    make.heard(wechat, make.order("A1", "900.00", make.buyer("ann"), **cancelled))
    make.refunded(wechat, make.refund("B1", goods="450.00"))
    cases.receive(
        wechat,
        CaseFact(
            number="C1",
            kind=CaseKind.COMPLAINT,
            state=CaseState.OPEN,
            opened_at=ago(190),
            buyer=make.buyer("bo"),
        ),
        now=NOW,
    )
    looks = [
        EventFact(event_id=str(n), kind=EventKind.VIEW, at=ago(n), buyer=AccountFact(external_id="ann"))
        for n in range(1, 6)
    ]
    number = Member.objects.get(pk=ids["ann"]).number
    events.record(
        wechat,
        [*looks, EventFact(event_id="by no", kind=EventKind.SEARCH, at=ago(1), member_no=number)],
        now=NOW,
    )
    Member.objects.exclude(pk__in=ids.values()).update(status="restricted")  # who only came along
    return ids


def meant(people: dict[str, int], asked: tag_conditions.Conditions) -> set[str]:
    statement, parameters = tag_rules._holding(asked, NOW)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH RECURSIVE {statement} SELECT id FROM holding", parameters)
        found = {member_id for (member_id,) in cursor.fetchall()}
    return {name for name, member_id in people.items() if member_id in found}


MEANT: list[tuple[dict[str, Any], set[str]]] = [
    (row("orders", "ge", 1), {"mei", "bo"}),
    (row("orders", "ge", 3, days=30), {"mei"}),
    (row("orders", "ge", 4, days=30), set()),
    (row("orders", "ge", 3, of="wechat"), {"mei"}),
    (row("orders", "ge", 4, of="wechat"), set()),
    (row("orders", "le", 0), {"ann"}),
    (row("orders", "le", 1), {"bo", "ann"}),
    (row("spend", "ge", "350.00"), {"mei"}),
    (row("spend", "ge", "50.00"), {"mei", "bo"}),
    (row("spend", "ge", "50.01"), {"mei"}),
    (row("spend", "le", "50"), {"bo", "ann"}),
    (row("last_order", "ge", 100), {"bo"}),
    (row("last_order", "le", 1), {"mei"}),
    (row("events", "ge", 5, days=30), {"ann"}),
    (row("events", "ge", 7, days=30), set()),
    (row("events", "ge", 4, days=3), {"ann"}),
    (row("events", "ge", 1, days=30, of="search"), {"ann"}),
    (row("events", "le", 5, days=30), {"mei", "bo"}),
    (row("cases", "ge", 1), {"bo"}),
    (row("cases", "ge", 1, days=100), set()),
    (row("cases", "ge", 1, of="return"), set()),
    (row("cases", "le", 0, of="complaint"), {"mei", "ann"}),
    (row("channel", "is", of="wechat"), {"mei", "bo", "ann"}),
    (row("channel", "is_not", of="tmall"), {"mei", "bo", "ann"}),
    (row("province", "is", of="上海"), {"mei", "ann"}),
    (row("province", "is_not", of="上海"), {"bo"}),
    (row("joined", "ge", 300), {"mei", "bo"}),
    (row("joined", "le", 10), {"ann"}),
]


def test_a_condition_means_exactly_those(people: dict[str, int]) -> None:
    found = [(asked, meant(people, conditions(asked))) for asked, _whom in MEANT]
    assert found == MEANT


def test_all_and_any(people: dict[str, int]) -> None:
    rows = row("province", "is", of="上海"), row("orders", "ge", 1)
    assert meant(people, conditions(*rows)) == {"mei"}
    assert meant(people, conditions(*rows, match="any")) == {"mei", "bo", "ann"}


def test_what_a_merged_member_did_their_survivor_did(people: dict[str, int]) -> None:
    Member.objects.filter(pk=people["bo"]).update(status="merged", merged_into=people["mei"])
    for asked, whom in (
        (row("orders", "ge", 5), {"mei"}),
        (row("spend", "ge", "400.00"), {"mei"}),
        (row("cases", "ge", 1), {"mei"}),
        (row("channel", "is", of="wechat"), {"mei", "ann"}),
    ):
        assert meant(people, conditions(asked)) == whom, asked


# -- runs ----------------------------------------------------------------------------------------------


def tagged() -> dict[int, int | None]:
    """Who has a tag, and by which rule."""
    return dict(MemberTag.objects.values_list("member_id", "rule_id"))


def test_a_run_gives_and_takes_and_is_written_down(people: dict[str, int]) -> None:
    rule = tag_rules.make("Regular", conditions(row("orders", "ge", 1, days=250)), actor_id=None)
    run = tag_rules.apply(rule.pk, now=NOW)
    assert (run.members, run.given, run.taken) == (2, 2, 0)
    assert tagged() == {people["mei"]: rule.pk, people["bo"]: rule.pk}
    later = tag_rules.apply(rule.pk, now=NOW + timedelta(days=60))
    assert (later.members, later.given, later.taken) == (1, 0, 1)
    assert (tagged(), TagRun.objects.count()) == ({people["mei"]: rule.pk}, 2)


def test_tags_by_hand_are_never_touched(people: dict[str, int]) -> None:
    by_hand = Member.objects.get(pk=people["ann"])
    tags.give(by_hand, "Regular", actor_id=make.clerk().pk)
    mei = Member.objects.get(pk=people["mei"])
    rule = tag_rules.make("Regular", conditions(row("orders", "ge", 1)), actor_id=None)
    tag_rules.apply(rule.pk, now=NOW)
    assert tags.take_away(mei, "regular") is False
    tags.give(mei, "Regular", actor_id=make.clerk().pk)  # somebody vouches for it now
    tag_rules.change(rule, conditions(row("orders", "ge", 99)))
    assert tag_rules.apply(rule.pk, now=NOW).taken == 1
    assert tagged() == {people["ann"]: None, people["mei"]: None}
    assert tags.take_away(mei, "regular") is True


def test_a_tag_that_a_channel_tells_is_told_from_then_on(people: dict[str, int], wechat: Channel) -> None:
    rule = tag_rules.make("Regular", conditions(row("orders", "ge", 1)), actor_id=None)
    tag_rules.apply(rule.pk, now=NOW)
    accounts.receive(wechat, [make.buyer("mei", tags=("Regular",))], now=NOW)
    assert tagged() == {people["mei"]: None, people["bo"]: rule.pk}


def test_a_rule_that_is_switched_off_holds_for_nobody(people: dict[str, int]) -> None:
    asked = conditions(row("orders", "ge", 1))
    rule = tag_rules.make("Regular", asked, actor_id=None)
    tag_rules.apply(rule.pk, now=NOW)
    tag_rules.change(rule, asked, is_active=False)
    run = tag_rules.apply(rule.pk, now=NOW)
    assert (run.members, run.taken, tagged()) == (0, 2, {})


def test_one_rule_for_a_tag_and_no_tag_is_by_hand_and_by_rule(people: dict[str, int]) -> None:
    rule = tag_rules.make("Regular", conditions(row("orders", "ge", 1)), actor_id=None)
    with pytest.raises(TagRuleTaken):
        tag_rules.make("regular", conditions(row("orders", "ge", 2)), actor_id=None)
    assert TagRule.objects.count() == 1
    tag_rules.apply(rule.pk, now=NOW)
    with pytest.raises(IntegrityError, match="member_tag_by_rule_or_by_hand"), transaction.atomic():
        MemberTag.objects.update(given_by=make.clerk())


def test_the_night_applies_every_rule_at_a_fixed_cost_each(people: dict[str, int]) -> None:
    tag_rules.make("Regular", conditions(row("orders", "ge", 1)), actor_id=None)
    with CaptureQueriesContext(connection) as one:
        assert [run.given for run in tag_rules.apply_all(now=NOW)] == [2]
    tag_rules.make("Complains", conditions(row("cases", "ge", 1)), actor_id=None)
    with CaptureQueriesContext(connection) as two:
        assert [run.given for run in tag_rules.apply_all(now=NOW)] == [0, 1]
    assert len(two) - 1 == 2 * (len(one) - 1)


def test_a_preview_counts_and_writes_nothing(people: dict[str, int]) -> None:
    preview = tag_rules.count(conditions(row("orders", "ge", 1)), now=NOW)
    assert preview == tag_rules.Preview(members=2, of=3)
    assert (tagged(), TagRule.objects.count()) == ({}, 0)


# -- words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"match": "all", "rows": []},
        {"match": "some", "rows": [row("orders", "ge", 1)]},
        {"match": "all", "rows": [row("orders", "ge", 1)] * 11},
        {"match": "all", "rows": [row("shoe_size", "ge", 1)]},
        {"match": "all", "rows": [row("orders", "is", 1)]},
        {"match": "all", "rows": [row("orders", "ge", 0)]},
        {"match": "all", "rows": [row("orders", "ge", "1.5")]},
        {"match": "all", "rows": [row("orders", "ge", "NaN")]},
        {"match": "all", "rows": [row("orders", "ge", -1)]},
        {"match": "all", "rows": [row("orders", "ge", None)]},
        {"match": "all", "rows": [row("orders", "ge", 1, days=0)]},
        {"match": "all", "rows": [row("orders", "ge", 1, of="nowhere")]},
        {"match": "all", "rows": [row("events", "ge", 1)]},
        {"match": "all", "rows": [row("events", "ge", 1, days=3, of="stare")]},
        {"match": "all", "rows": [row("channel", "is")]},
        {"match": "all", "rows": "everybody"},
        {"match": "all", "rows": [7]},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(TagRuleInvalid):
        tag_conditions.read(wrong, channels=NAMES)


def test_a_rule_is_a_sentence_and_the_same_document_again() -> None:
    asked = conditions(
        row("orders", "ge", "3", days="90", of="tmall"),
        row("spend", "le", "1200.5"),
        row("last_order", "ge", 30),
        row("events", "ge", 5, days=7, of="cart_add"),
        row("cases", "le", 0, of="complaint"),
        row("channel", "is_not", of="wechat"),
        row("province", "is", of="上海"),
        row("joined", "le", 365),
    )
    assert tag_conditions.sentence(asked, channels=NAMES) == (
        "Members with all of: 3 or more purchases in Tmall, in the last 90 days;"
        " ¥1,200.50 or less spent in any channel, ever; a last purchase 30 or more days ago;"
        " “Put in the basket” 5 or more times, in the last 7 days;"
        " 0 or fewer service cases (Complaint), ever; no account in WeChat; a home in 上海;"
        " a membership of 365 or fewer days"
    )
    kept = tag_conditions.as_document(asked)
    assert tag_conditions.read(kept, channels=NAMES) == asked
    assert asked.rows[1].value == Decimal("1200.50")


def test_every_fact_has_its_words() -> None:
    templates = tag_conditions._templates()
    assert set(templates) == {
        (name, op) for name, fact in tag_conditions.FACTS.items() for op in fact.operators
    }
    with translation.override("zh-hans"):
        assert set(tag_conditions._templates()) == set(templates)
