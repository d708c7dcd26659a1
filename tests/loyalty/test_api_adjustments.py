"""Points by hand and approvals by API: two staff keys, one change (B3, D6)."""

from typing import Any

import pytest

from loyalty.models import Entry
from privacy import roles
from privacy.models import Approval
from tests.api import Api
from tests.trade import Trade, buyer, proven


@pytest.fixture
def mei(trade: Trade) -> str:
    """The address at which Mei's points are adjusted; she has 100."""
    return f"/members/{trade.buy('T1', '100', buyer('mei')).member_no}/points/adjust/"


@pytest.fixture
def lin(trade: Trade) -> Api:
    return Api(roles.make_staff("lin", "service")[0])


@pytest.fixture
def boss(trade: Trade) -> Api:
    return Api(roles.make_staff("boss", "admin")[0])


def change(points: Any = 300, reason: Any = "Late parcel", **more: Any) -> dict[str, Any]:
    return {"points": points, "reason": reason, **more}


def test_within_the_limit_it_is_done(lin: Api, mei: str) -> None:
    answer = lin.once(mei, change(), "k1")
    assert (answer.status, answer.body["points"], answer.body["available"]) == (201, 300, 400)
    assert lin.once(mei, change(), "k1").body == answer.body
    taken = lin.once(mei, change(-50, reverses=answer.body["entry_id"]))
    assert (taken.status, taken.body["points"], taken.body["available"]) == (201, -50, 350)
    assert Entry.objects.filter(kind="adjust").count() == 2
    assert proven()


def test_above_the_limit_a_second_person_lets_it_happen(lin: Api, boss: Api, mei: str) -> None:
    asked = lin.once(mei, change(1500), "k1")
    assert (asked.status, asked.body["state"]) == (202, "waiting")
    assert lin.once(mei, change(1500), "k1").body == asked.body
    (waiting,) = boss.get("/approvals/").body["approvals"]
    assert waiting["id"] == asked.body["approval_id"] and waiting["may_decide"]
    assert (waiting["asked_by"], waiting["change"]["points"]) == ("lin", 1500)
    assert waiting["after"].startswith("Available: 100 → 1,600.")
    assert not lin.get("/approvals/").body["approvals"][0]["may_decide"]
    done = boss.post(f"/approvals/{waiting['id']}/approve/", {"note": "Fine"})
    assert (done.status, done.body["state"], done.body["decided_by"]) == (200, "approved", "boss")
    assert Entry.objects.get(kind="adjust").pk == done.body["result"]["entry_id"]
    assert proven()


def test_approving_again_is_answered_as_the_first_time_with_a_key_and_refused_without(
    lin: Api, boss: Api, mei: str
) -> None:
    number = lin.once(mei, change(1500)).body["approval_id"]
    first = boss.once(f"/approvals/{number}/approve/", {}, "k1")
    assert boss.once(f"/approvals/{number}/approve/", {}, "k1").body == first.body
    again = boss.post(f"/approvals/{number}/approve/")
    assert (again.status, again.code) == (409, "privacy.approval_decided")
    assert Entry.objects.filter(kind="adjust").count() == 1


def test_who_asked_withdraws_it_by_key_and_only_they(lin: Api, boss: Api, mei: str) -> None:
    number = lin.once(mei, change(1500)).body["approval_id"]
    assert [each.get("/approvals/").body["approvals"][0]["may_withdraw"] for each in (lin, boss)] == [
        True,
        False,
    ]
    assert boss.post(f"/approvals/{number}/withdraw/").code == "privacy.others_request"
    done = lin.once(f"/approvals/{number}/withdraw/", {"note": "Wrong parcel"}, "k1")
    assert (done.status, done.body["state"], done.body["decided_by"]) == (200, "withdrawn", None)
    assert lin.once(f"/approvals/{number}/withdraw/", {"note": "Wrong parcel"}, "k1").body == done.body
    assert boss.post(f"/approvals/{number}/approve/").code == "privacy.approval_decided"
    assert not Entry.objects.filter(kind="adjust").exists()


def test_a_rejection_says_why_and_moves_nothing(lin: Api, boss: Api, mei: str) -> None:
    number = lin.once(mei, change(1500)).body["approval_id"]
    assert boss.post(f"/approvals/{number}/reject/").code == "privacy.reason_missing"
    done = boss.post(f"/approvals/{number}/reject/", {"note": "Too generous"})
    assert (done.status, done.body["state"], done.body["note"]) == (200, "refused", "Too generous")
    assert [row["id"] for row in lin.get("/approvals/?list=decided").body["approvals"]] == [number]
    assert not Entry.objects.filter(kind="adjust").exists()


def test_who_may_not_is_refused(trade: Trade, lin: Api, boss: Api, mei: str) -> None:
    channel = Api(trade.tmall)
    for answer in (
        channel.once(mei, change()),
        channel.get("/approvals/"),
        boss.once(mei, change()),
        Api(roles.make_staff("clerk", "clerk")[0]).get("/approvals/"),
    ):
        assert (answer.status, answer.code) == (403, "api.forbidden")
    number = lin.once(mei, change(1500)).body["approval_id"]
    assert lin.post(f"/approvals/{number}/approve/").status == 403
    auditor = Api(roles.make_staff("auditor", "auditor")[0])
    assert len(auditor.get("/approvals/").body["approvals"]) == 1
    assert auditor.post(f"/approvals/{number}/reject/", {"note": "Not for me"}).status == 403
    assert Approval.objects.get().state == "waiting"
    assert boss.post("/approvals/999/approve/").code == "privacy.approval_not_found"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"reason": "Late parcel"}, "api.invalid"),
        (change("many"), "api.invalid"),
        (change(1.5), "api.invalid"),
        (change(10**12), "api.invalid"),
        (change(0), "loyalty.adjustment_empty"),
        (change(reason="no"), "privacy.reason_missing"),
        (change(-101), "loyalty.not_enough_points"),
        (change(-10, reverses=10**6), "loyalty.entry_not_reversible"),
    ],
)
def test_what_cannot_be_is_refused(lin: Api, mei: str, body: dict[str, Any], code: str) -> None:
    assert lin.once(mei, body).code == code
    assert not Entry.objects.filter(kind="adjust").exists()


def test_the_list_pages_on_without_gap_or_double(lin: Api, boss: Api, mei: str) -> None:
    asked = [lin.once(mei, change(1500)).body["approval_id"] for _ in range(5)]
    for which, expected in (("waiting", asked), ("asked", asked[::-1])):
        seen, address = [], f"/approvals/?list={which}&limit=2"
        while address:
            page = lin.get(address.removeprefix("http://testserver/api/v1")).body
            seen += [row["id"] for row in page["approvals"]]
            address = page["next"]
        assert seen == expected
    assert lin.get("/approvals/?list=all").code == "api.invalid"


def test_the_open_holds_of_a_channel_can_be_listed(trade: Trade, mei: str) -> None:
    tmall, app = Api(trade.tmall), Api(trade.app)
    holds = mei.replace("adjust", "holds")
    made = tmall.once(holds, {"points": 30, "cause": "basket-7", "reason": "Basket"})
    (held,) = tmall.get(holds).body["holds"]
    assert (held["hold_id"], held["points"], held["cause"]) == (made.body["hold_id"], 30, "basket-7")
    assert app.get(holds).body["holds"] == []
    tmall.once(f"{holds}{held['hold_id']}/release/")
    assert tmall.get(holds).body["holds"] == []


@pytest.mark.parametrize("key", ["", "k1"])
def test_a_misspelt_field_of_a_decision_does_not_go_unnoticed(
    lin: Api, boss: Api, mei: str, key: str
) -> None:
    number = lin.once(mei, change(1500)).body["approval_id"]
    path, body = f"/approvals/{number}/approve/", {"notes": "Fine"}
    done = boss.once(path, body, key) if key else boss.post(path, body)
    assert (done.status, done.body["ignored"]) == (200, ["notes"])
