"""The test bench: it says what would be earned, as the orders then do, and writes nothing."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from loyalty import bench, orders, publishing
from loyalty.bench import Purchase, Trial
from loyalty.errors import OrderNotFound
from loyalty.models import RuleUse
from loyalty.programme import Programme, parse
from loyalty.verdicts import OUTCOMES
from members import tags
from members.facts import LineFact
from members.models import Member
from tests.trade import PROGRAMME, Trade, buyer, phone, proven

SHANGHAI = ZoneInfo("Asia/Shanghai")
DOUBLE = {"code": "double", "then": {"factor": "2"}}


def check(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def programme(*rules: dict[str, Any]) -> Programme:
    return parse({**PROGRAMME, "rules": list(rules)})


def purchase(net: str = "200", **told: Any) -> Purchase:
    return Purchase(**{"channel": "tmall", "net": Decimal(net), "at": bench.now(), **told})


def outcomes(trial: Trial) -> dict[str, str]:
    return {verdict.rule.code: verdict.outcome for verdict in trial.verdicts}


def reasons(trial: Trial, code: str) -> list[str]:
    return next(verdict for verdict in trial.verdicts if verdict.rule.code == code).reasons()


# --- it says what would happen ------------------------------------------------------------------------


RULES: list[dict[str, Any]] = [
    {"code": "tea", "when": check("line.category", "=", "tea"), "then": {"factor": "3"}},
    {"code": "first", "when": check("order.first", "=", True), "then": {"bonus": 30}},
    {
        "code": "double",
        "when": check("order.paid", ">=", "100"),
        "then": {"factor": "2"},
        "limits": {"per_member": 150, "per_member_day": 120, "budget": 500},
    },
    {
        "code": "vip",
        "when": check("member.tags", "contains", "vip"),
        "then": {"factor": "1.5"},
        "stack": True,
    },
    {"code": "app", "when": check("order.channel", "=", "app"), "then": {"bonus": 7}, "exclusive": True},
    {"code": "late", "then": {"bonus": 1}},
]


@pytest.mark.parametrize("channel", ["tmall", "app"])
@pytest.mark.parametrize("net", ["50", "100", "199.99", "1000"])
def test_a_basket_earns_what_the_order_then_earns(db: None, channel: str, net: str) -> None:
    trade = Trade(rules=RULES)
    mei = trade.buy("A", "130", buyer("mei", phone("+8613800138001"))).member_id
    assert mei is not None
    tags.give(Member.objects.get(pk=mei), "vip", actor_id=None)
    lines = (
        LineFact(product="T1", category="tea", amount=Decimal("40")),
        LineFact(product="C1", category="cup", amount=Decimal(net) - 40),
    )
    now = publishing.current().programme
    trial = bench.try_out(now, purchase(net, channel=channel, at=trade.now, member_id=mei, lines=lines))
    shop = trade.tmall if channel == "tmall" else trade.app
    receipt = trade.buy("B", net, buyer("mei", phone("+8613800138001")), channel=shop, lines=lines)
    assert receipt.member_id == mei
    assert trial.points == receipt.points
    assert trial.why == receipt.why
    assert proven()


def test_a_past_order_earns_again_what_it_earned(db: None) -> None:
    """The purchases since, the limits it used itself and a tier that has changed do not matter to it."""
    trade = Trade(rules=RULES)
    facts = [
        trade.order(f"T{number}", net, buyer("mei"), at=trade.ago(30 - number))
        for number, net in enumerate(["130", "90", "2000", "400", "700", "3000"])
    ]
    receipts = [orders.receive(trade.tmall, [fact])[0] for fact in facts]
    now = publishing.current().programme
    last = bench.try_out(now, bench.past("T5"))
    assert (last.points, last.earned, last.why) == (receipts[5].points, receipts[5].points, receipts[5].why)
    first = bench.try_out(now, bench.past("T0"))
    assert outcomes(first)["first"] == "gives"
    assert first.why["tier"] == "basic"
    assert proven()


def test_one_evaluator_for_one_order_for_a_batch_and_for_the_bench(db: None) -> None:
    trade = Trade(rules=RULES)
    nets = ["30", "100", "99.99", "250", "1200"]
    now = publishing.current().programme
    tried = [
        bench.try_out(now, purchase(net, at=trade.now, lines=trade.order("x", net, None).lines)).points
        for net in nets
    ]
    singly = [trade.buy(f"S{at}", net, buyer(f"s{at}")).points for at, net in enumerate(nets)]
    batch = orders.receive(
        trade.tmall,
        [trade.order(f"B{at}", net, buyer(f"b{at}")) for at, net in enumerate(nets)],
    )
    spent = sum(RuleUse.objects.filter(rule="double").values_list("points", flat=True))
    assert tried == singly
    assert spent == 500, "the budget is spent to the point, so the batch may earn less by what is missing"
    missing = sum(tried) - sum(receipt.points for receipt in batch)
    assert missing == 2 * sum(_doubled(net) for net in nets) - 500


def _doubled(net: str) -> int:
    """What the rule `double` adds for a new member's single order."""
    return min(120, int(Decimal(net))) if Decimal(net) >= 100 else 0


def test_an_order_that_is_unknown_or_nobodys_cannot_be_tried(trade: Trade) -> None:
    trade.buy("NOBODY", "10", None)
    for number in ("MISSING", "NOBODY"):
        with pytest.raises(OrderNotFound):
            bench.past(number)


def test_of_one_number_in_two_channels_the_named_one_is_meant(trade: Trade) -> None:
    trade.buy("A", "10", buyer("mei"))
    trade.buy("A", "20", buyer("bo"), channel=trade.app)
    assert [bench.past("A", channel).net for channel in ("tmall", "app", "")] == [10, 20, 20]


def test_somebody_new_has_the_tier_that_was_chosen(db: None) -> None:
    Trade()
    trials = [bench.try_out(programme(DOUBLE), purchase(tier=tier)) for tier in ("", "silver", "gold")]
    assert [trial.points for trial in trials] == [400, 480, 600]
    assert trials[1].formula == "200 × 1 × 1.2 × 2 = 480"


# --- and why ------------------------------------------------------------------------------------------


def test_every_rule_has_an_outcome_and_a_reason(db: None) -> None:
    trade = Trade()
    yesterday, tomorrow = trade.ago(1).isoformat(), trade.ago(-1).isoformat()
    trial = bench.try_out(
        programme(
            {"code": "over", "to": yesterday, "then": {"factor": "9"}},
            {"code": "to-come", "from": tomorrow, "then": {"factor": "9"}},
            {**DOUBLE, "code": "treble", "then": {"factor": "3"}, "limits": {"budget": 50}},
            DOUBLE,
            {"code": "rich", "when": check("order.paid", ">=", "300"), "then": {"bonus": 10}},
            {"code": "gift", "then": {"coupon": "WELCOME"}},
            {"code": "none-left", "then": {"bonus": 5}, "limits": {"per_member": 0}},
            {"code": "last", "then": {"bonus": 5}, "exclusive": True},
            {"code": "behind", "then": {"bonus": 5}},
        ),
        purchase("200", at=trade.now),
    )
    assert outcomes(trial) == {
        "over": "not_in_time",
        "to-come": "not_in_time",
        "treble": "cut",
        "double": "outbid",
        "rich": "not_met",
        "gift": "gives",
        "none-left": "used_up",
        "last": "gives",
        "behind": "shut_out",
    }
    assert reasons(trial, "over")[0].startswith("It ran until ")
    assert reasons(trial, "to-come")[0].startswith("It runs from ")
    assert reasons(trial, "treble") == [
        "treble × 3: + 50 (of 400, as its limit allows: all members together: 50 left)"
    ]
    assert reasons(trial, "rich") == ["goods after discounts is at least ¥300 (it was ¥200.00)"]
    assert reasons(trial, "gift") == ["coupon WELCOME"]
    assert reasons(trial, "behind") == ["Rule last before it lets no other follow."]
    assert trial.points == 200 + 50 + 5
    assert trial.left == {"treble": {"budget": 0}, "none-left": {"per_member": 0}}
    assert all(verdict.label() for verdict in trial.verdicts) and len(OUTCOMES) == 8


def test_only_the_checks_that_failed_are_reasons(db: None) -> None:
    Trade()
    when = {
        "all": [
            check("order.channel", "=", "tmall"),
            check("line.category", "in", ["tea", "cup"]),
            {"not": check("member.is_birthday", "=", False)},
        ]
    }
    line = LineFact(product="P", category="bowl", amount=Decimal(200))
    trial = bench.try_out(programme({**DOUBLE, "when": when}), purchase(lines=(line,)))
    assert reasons(trial, "double") == [
        "category of the line is one of tea, cup (it was bowl)",
        "not (it is not the birthday) (it was not so)",
    ]


def test_the_limits_left_are_those_after_the_purchase(db: None) -> None:
    limits = {"per_member": 500, "per_member_day": 300, "budget": 1000}
    trade = Trade(rules=[{**DOUBLE, "limits": limits}])
    mei = trade.buy("A", "120", buyer("mei")).member_id
    trade.buy("B", "70", buyer("bo"))
    trial = bench.try_out(publishing.current().programme, purchase("100", at=trade.now, member_id=mei))
    assert trial.left == {"double": {"per_member_day": 80, "per_member": 280, "budget": 710}}


def test_the_limits_of_a_past_order_do_not_count_what_it_used_itself(db: None) -> None:
    trade = Trade(rules=[{**DOUBLE, "limits": {"per_member": 150, "budget": 160}}])
    trade.buy("A", "120", buyer("mei"))
    trade.buy("B", "120", buyer("mei"))
    trial = bench.try_out(publishing.current().programme, bench.past("B"))
    assert (trial.points, trial.left) == (150, {"double": {"per_member": 0, "budget": 10}})


# --- without a trace ----------------------------------------------------------------------------------


def test_nothing_is_written_and_nobody_has_to_wait(db: None) -> None:
    trade = Trade(rules=[{**DOUBLE, "limits": {"budget": 1000, "per_member": 10}}, RULES[1]])
    mei = trade.buy("A", "120", buyer("mei")).member_id
    models = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
    before = {model: model._base_manager.count() for model in models}
    with CaptureQueriesContext(
        connection,
    ) as asked:
        bench.try_out(publishing.current().programme, purchase(member_id=mei))
        bench.try_out(publishing.current().programme, bench.past("A"))
    assert {model: model._base_manager.count() for model in models} == before
    said = [query["sql"].lstrip() for query in asked.captured_queries]
    assert said and all(sql.startswith("SELECT") for sql in said)
    assert not any("advisory" in sql or "FOR UPDATE" in sql or "FOR NO KEY" in sql for sql in said)


def test_a_member_day_is_the_programmes_own(db: None) -> None:
    Trade()
    document = {
        **PROGRAMME,
        "activities": {"member_day": {"days": [8, 18], "points": 1}},
        "rules": [{**DOUBLE, "when": check("order.is_member_day", "=", True)}],
    }
    found = parse(document)
    day = datetime(2026, 11, 8, 0, 0, tzinfo=SHANGHAI)
    moments = [
        day,
        day + timedelta(hours=23, minutes=59),
        day - timedelta(seconds=1),
        day + timedelta(days=10),
    ]
    points = [bench.try_out(found, purchase("100", at=at)).points for at in moments]
    assert points == [200, 200, 100, 200]
