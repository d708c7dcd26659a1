"""What rules have given so far, read off what they gave."""

from typing import Any

from loyalty import publishing, rule_uses
from loyalty.rule_uses import Use
from tests.trade import Trade, buyer

WELCOME = {
    "code": "WELCOME",
    "name": {"en": "Welcome"},
    "kind": "amount",
    "value": "20",
    "valid": {"days": 30},
}


def uses() -> dict[str, Use]:
    return rule_uses.of(publishing.current().programme.rules)


def test_points_members_and_what_is_left_of_the_budget(db: None) -> None:
    trade = Trade(
        rules=[
            {"code": "double", "then": {"factor": "2"}, "limits": {"budget": 250}},
            {"code": "hello", "then": {"bonus": 5}},
            {
                "code": "idle",
                "when": {"field": "order.paid", "op": ">", "value": "9999"},
                "then": {"bonus": 5},
            },
        ]
    )
    for number, who in enumerate(["mei", "mei", "bo"]):
        trade.buy(f"T{number}", "100", buyer(who))
    assert uses() == {
        "double": Use(points=250, members=2, budget=250),
        "hello": Use(points=15, members=2),
        "idle": Use(),
    }
    assert [uses()[code].left for code in ("double", "hello")] == [0, None]


def test_a_budget_that_was_lowered_has_nothing_left(db: None) -> None:
    assert Use(points=300, budget=250).left == 0


def test_coupons_that_rules_gave_are_counted(db: None) -> None:
    trade = Trade(rules=[{"code": "gift", "then": {"coupon": "WELCOME"}}], sections={"coupons": [WELCOME]})
    for number, who in enumerate(["mei", "mei", "bo"]):
        trade.buy(f"T{number}", "100", buyer(who))
    assert uses() == {"gift": Use(things=3, thing_members=2)}


def test_any_number_of_rules_costs_two_statements(db: None, django_assert_num_queries: Any) -> None:
    Trade(rules=[{"code": f"r{number}", "then": {"bonus": 1}} for number in range(50)])
    rules = publishing.current().programme.rules
    with django_assert_num_queries(2):
        rule_uses.of(rules)
