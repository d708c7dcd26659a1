"""Reconciliations by API: a channel says what it holds of a day, and hears where we differ."""

from typing import Any

import pytest

from members.models import Channel, Order, Reconciliation, Scope
from privacy import roles
from tests.api import Api
from tests.trade import Trade, buyer, utc

DAY = "2026-06-01"
AT = utc("2026-06-01T02:00:00")


@pytest.fixture
def trade(db: None) -> Trade:
    trade = Trade()
    trade.buy("T1", "100", buyer("mei"), at=AT)
    trade.buy("T2", "50", buyer("mei"), at=AT)
    return trade


@pytest.fixture
def tmall(trade: Trade) -> Api:
    return Api(trade.tmall)


def line(order_no: str, net: str = "100.00", status: str = "completed", **told: Any) -> dict[str, Any]:
    return {"order_no": order_no, "status": status, "net": net, **told}


def test_a_day_in_one_call_and_what_differs_by_another(tmall: Api) -> None:
    told = [line("T1", "90.00"), line("T2", "50.00", paid="50.00"), line("T3", refunded="0.00")]
    answer = tmall.once("/reconciliations/", {"day": DAY, "orders": told})
    assert answer.status == 201
    assert answer.body == {
        "id": Reconciliation.objects.get().pk,
        "day": DAY,
        "state": "done",
        "theirs": {"orders": 3, "net": "240.00", "paid": None, "refunded": None},
        "ours": {"orders": 2, "net": "150.00", "paid": "150.00", "refunded": "0.00"},
        "found": {"amount": 1, "missing_here": 1},
        "unattached": 0,
    }
    page = tmall.get(f"/reconciliations/{answer.body['id']}/?limit=1")
    (first,) = page.body["differences"]
    assert page.body["next"] is not None
    (second,) = tmall.get(page.body["next"].partition("/api/v1")[2]).body["differences"]
    by_kind = {each["kind"]: each for each in (first, second)}
    assert by_kind["amount"]["order_no"] == "T1"
    assert by_kind["amount"]["theirs"] == {
        "status": "completed",
        "net": "90.00",
        "paid": None,
        "refunded": None,
    }
    assert by_kind["amount"]["ours"]["net"] == "100.00"
    assert by_kind["missing_here"]["ours"] == dict.fromkeys(["status", "net", "paid", "refunded"])
    assert Order.objects.count() == 2, "comparing changes no order"


def test_a_day_in_parts_is_compared_at_the_end(tmall: Api) -> None:
    begun = tmall.once("/reconciliations/", {"day": DAY, "orders": [line("T1")], "complete": False})
    assert (begun.status, begun.body["state"], begun.body["theirs"]) == (201, "telling", None)
    path = f"/reconciliations/{begun.body['id']}/orders/"
    done = tmall.once(path, {"orders": [line("T2", "50.00")]}, key="last")
    assert (done.status, done.body["state"], done.body["found"]) == (200, "done", {})
    assert tmall.once(path, {"orders": [line("T2", "50.00")]}, key="last").body == done.body, "a second try"
    assert tmall.once(path, {"orders": []}).code == "members.reconciliation_closed"


def test_totals_alone(tmall: Api) -> None:
    agreed = tmall.once("/reconciliations/", {"day": DAY, "totals": {"orders": 2, "net": "150.00"}})
    assert (agreed.status, agreed.body["found"]) == (201, {})
    off = tmall.once("/reconciliations/", {"day": DAY, "totals": {"orders": 3}})
    assert off.body["found"] == {"totals": 1}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, [("day", "required_missing"), ("orders", "required_missing")]),
        ({"day": "1 June", "orders": []}, [("day", "date_invalid")]),
        ({"day": "2026-06-31", "orders": []}, [("day", "date_invalid")]),
        ({"day": DAY}, [("orders", "required_missing")]),
        ({"day": DAY, "totals": {}}, [("totals.orders", "required_missing")]),
        ({"day": DAY, "totals": {"orders": 1}, "orders": []}, [("totals", "one_of_many")]),
        (
            {"day": DAY, "orders": [line("T1"), {"status": "sold", "net": 1.5}]},
            [
                ("orders.1.order_no", "required_missing"),
                ("orders.1.status", "status_unknown"),
                ("orders.1.net", "money_not_text"),
            ],
        ),
        ({"day": DAY, "orders": [line("T1")] * 1001}, [("orders", "out_of_range")]),
    ],
)
def test_a_row_that_cannot_be_read_refuses_the_whole_call(
    tmall: Api, body: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    answer = tmall.once("/reconciliations/", body)
    assert (answer.status, answer.code) == (400, "api.invalid")
    assert [(each["path"], each["code"]) for each in answer.body["errors"]] == wrong
    assert not Reconciliation.objects.exists()


def test_a_day_that_has_not_begun_is_refused_and_a_field_nobody_knows_is_named(tmall: Api) -> None:
    answer = tmall.once("/reconciliations/", {"day": "2099-01-01", "orders": []})
    assert (answer.status, answer.code) == (400, "members.days_invalid")
    answer = tmall.once("/reconciliations/", {"day": DAY, "orders": [line("T1", colour="red")]})
    assert answer.body["ignored"] == ["orders.0.colour"]


def test_another_channels_reconciliation_is_not_there(trade: Trade, tmall: Api) -> None:
    begun = tmall.once("/reconciliations/", {"day": DAY, "complete": False})
    other = Api(trade.app)
    assert other.get(f"/reconciliations/{begun.body['id']}/").code == "members.reconciliation_unknown"
    told = other.once(f"/reconciliations/{begun.body['id']}/orders/", {"orders": []})
    assert told.code == "members.reconciliation_unknown"


def test_it_needs_the_scope_of_orders_and_a_channel(trade: Trade) -> None:
    somebody, _password = roles.make_staff("fei", "finance")
    for api in (Api(trade.tmall, scopes=[Scope.POINTS]), Api(somebody)):
        answer = api.once("/reconciliations/", {"day": DAY, "orders": []})
        assert (answer.status, answer.code) == (403, "api.forbidden")
    assert not Reconciliation.objects.exists() and Channel.objects.exists()
