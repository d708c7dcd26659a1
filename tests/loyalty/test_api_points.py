"""Points by API: each request acts once, whatever is sent how often."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyalty.models import Entry, Hold
from members import channels, replays
from members.models import KeptAnswer, OutboxEvent
from privacy import roles
from tests.api import Api
from tests.trade import Trade, buyer, phone, proven


@pytest.fixture
def tmall(trade: Trade) -> Api:
    return Api(trade.tmall)


@pytest.fixture
def mei(trade: Trade) -> str:
    """The address of Mei's points; she has 100."""
    receipt = trade.buy("T1", "100", buyer("mei", phone("+8613900000001")))
    return f"/members/{receipt.member_no}/points/"


def ask(points: Any = 30, cause: Any = "redeem-1", **more: Any) -> dict[str, Any]:
    return {"points": points, "cause": cause, **more}


# -- once per key ---------------------------------------------------------------------------------------


def test_a_redemption_answers_what_is_left(tmall: Api, mei: str) -> None:
    answer = tmall.once(mei + "redeem/", ask(reason="Gift wrap"))
    assert (answer.status, answer.body["points"], answer.body["available"]) == (201, 30, 70)
    assert Entry.objects.filter(kind="redeem").values_list("points", "reason").get() == (-30, "Gift wrap")
    assert proven()


def test_without_a_key_nothing_moves(tmall: Api, mei: str) -> None:
    for key in (None, "", "熟客".encode().decode("latin-1"), "x" * 256):
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = tmall.post(mei + "redeem/", ask(), **headers)
        assert (answer.status, answer.code) == (400, "api.idempotency_key_missing")
    assert Entry.objects.count() == 1


def test_the_same_request_is_answered_as_the_first_time(tmall: Api, mei: str) -> None:
    first = tmall.once(mei + "redeem/", ask(), "k1")
    tmall.once(mei + "redeem/", ask(5, "redeem-2"), "k2")
    again = tmall.once(mei + "redeem/", {"cause": "redeem-1", "points": 30}, "k1")
    assert (again.status, again.body) == (201, first.body)
    assert "Idempotent-Replay" not in first.headers and again.headers["Idempotent-Replay"] == "true"
    assert Entry.objects.count() == 3


def test_the_same_key_with_another_request_is_refused(tmall: Api, mei: str) -> None:
    tmall.once(mei + "redeem/", ask(), "k1")
    for path, body in ((mei + "redeem/", ask(31)), (mei + "earn/", ask())):
        answer = tmall.once(path, body, "k1")
        assert (answer.status, answer.code) == (422, "api.idempotency_key_reused")
    assert Entry.objects.count() == 2


def test_keys_are_of_one_channel(trade: Trade, tmall: Api, mei: str) -> None:
    tmall.once(mei + "redeem/", ask(), "k1")
    other = Api(trade.app).once(mei + "redeem/", ask(), "k1")
    assert (other.status, other.body["available"]) == (201, 40)
    assert proven()


def test_a_new_key_of_the_channel_knows_the_answers_of_the_old(trade: Trade, tmall: Api, mei: str) -> None:
    first = tmall.once(mei + "redeem/", ask(), "k1")
    assert Api(trade.tmall).once(mei + "redeem/", ask(), "k1").body == first.body


def test_the_same_cause_under_a_new_key_is_seen(tmall: Api, mei: str) -> None:
    first = tmall.once(mei + "redeem/", ask())
    again = tmall.once(mei + "redeem/", ask())
    assert (again.status, again.body["entry_id"]) == (200, first.body["entry_id"])
    assert tmall.once(mei + "redeem/", ask(31)).code == "loyalty.cause_taken"
    assert Entry.objects.count() == 2


def test_a_refusal_is_not_kept_as_it_may_succeed_later(trade: Trade, tmall: Api, mei: str) -> None:
    answer = tmall.once(mei + "redeem/", ask(101), "k1")
    assert (answer.status, answer.code) == (409, "loyalty.not_enough_points")
    assert Entry.objects.count() == 1 and not KeptAnswer.objects.exists()
    assert OutboxEvent.objects.filter(topic="points.changed").count() == 1
    tmall.once(mei + "earn/", ask(1, "gift"))
    assert tmall.once(mei + "redeem/", ask(101), "k1").status == 201
    assert proven()


def test_kept_answers_hold_nothing_personal_and_go_after_thirty_days(tmall: Api, mei: str) -> None:
    tmall.once(mei + "redeem/", ask(), "old")
    tmall.once(mei + "redeem/", ask(1, "redeem-2"), "new")
    assert "1390000" not in str(list(KeptAnswer.objects.values()))
    age = timezone.now() - timedelta(days=30, seconds=1)
    KeptAnswer.objects.filter(key="old").update(created_at=age)
    assert replays.purge() == 1
    assert [kept.key for kept in KeptAnswer.objects.all()] == ["new"]


def test_a_redemption_costs_few_statements(tmall: Api, mei: str) -> None:
    tmall.once(mei + "redeem/", ask(1, "warm"))
    with CaptureQueriesContext(connection) as asked:
        tmall.once(mei + "redeem/", ask())
    statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    # The key 1, the kept answer 2 (with the member), the ledger 2 (with the outbox).
    assert len(statements) == 5, "\n".join(statements)


@pytest.mark.parametrize(
    "body",
    [
        {},
        ask(0),
        ask(-5),
        ask(1.5),
        ask("5"),
        ask(True),
        ask(10**10),
        ask(10**400),
        ask(cause=""),
        ask(cause="  "),
        ask(cause="a\x00b"),
        ask(cause="\ud800"),
        ask(cause="x" * 201),
        ask(cause=7),
        ask(reason=["x"]),
    ],
)
def test_what_cannot_be_read_moves_nothing(tmall: Api, mei: str, body: Any) -> None:
    for verb in ("redeem/", "earn/", "holds/"):
        assert tmall.once(mei + verb, body).code == "api.invalid"
    assert Entry.objects.count() == 1 and not Hold.objects.exists()


# -- holds ----------------------------------------------------------------------------------------------


def test_a_hold_is_captured_in_part_and_ends_once(tmall: Api, mei: str) -> None:
    held = tmall.once(mei + "holds/", ask(60, expires_in=60))
    assert (held.status, held.body["state"]) == (201, "open")
    assert (held.body["available"], held.body["held"]) == (40, 60)
    path = f"{mei}holds/{held.body['hold_id']}/"
    captured = tmall.once(path + "capture/", {"points": 45})
    assert (captured.status, captured.body["points"], captured.body["available"]) == (201, 45, 55)
    assert tmall.once(path + "release/").code == "loyalty.hold_ended"
    assert proven()


def test_a_released_hold_gives_its_points_back(tmall: Api, mei: str) -> None:
    held = tmall.once(mei + "holds/", ask(60))
    released = tmall.once(f"{mei}holds/{held.body['hold_id']}/release/")
    assert (released.status, released.body["state"], released.body["available"]) == (200, "released", 100)


def test_a_hold_is_of_its_channel_and_its_member(trade: Trade, tmall: Api, mei: str) -> None:
    hold_id = tmall.once(mei + "holds/", ask(60)).body["hold_id"]
    other = trade.buy("T2", "100", buyer("bo", phone("+8613900000002")))
    for api, path in ((Api(trade.app), mei), (tmall, f"/members/{other.member_no}/points/")):
        assert api.once(f"{path}holds/{hold_id}/capture/").code == "loyalty.hold_not_found"
    assert tmall.once(f"{mei}holds/{10**30}/capture/").code == "loyalty.hold_not_found"
    assert Hold.objects.get().state == "open"


# -- looking --------------------------------------------------------------------------------------------


def test_points_now_and_as_of(trade: Trade, tmall: Api, mei: str) -> None:
    now = tmall.get(mei).body
    assert (now["available"], now["balance"], now["as_of"]) == (100, 100, None)
    assert now["expiring_next"]["points"] == 100
    before = (timezone.now() - timedelta(days=1)).astimezone().isoformat()
    assert tmall.get(f"{mei}?as_of={before.replace('+', '%2B')}").body["balance"] == 0
    assert tmall.get(f"{mei}?as_of={before}").body["balance"] == 0  # a plus sign that was not written as %2B
    ahead = (timezone.now() + timedelta(days=1)).isoformat().replace("+", "%2B")
    for wrong in (ahead, "yesterday", "2026-01-01T00:00:00", ""):
        assert tmall.get(f"{mei}?as_of={wrong}").code == "api.invalid"


def test_the_statement_is_paged_without_gap_or_repeat(tmall: Api, mei: str) -> None:
    for number in range(7):
        tmall.once(mei + "redeem/", ask(1, f"redeem-{number}"))
    seen: list[int] = []
    path = mei + "entries/?limit=3"
    while path:
        page = tmall.get(path).body
        seen += [entry["id"] for entry in page["entries"]]
        path = (page["next"] or "").partition("/api/v1")[2]
    assert seen == sorted(Entry.objects.values_list("id", flat=True), reverse=True)
    for wrong in ("limit=0", "limit=201", "limit=x", "cursor=-1", "cursor=" + "9" * 40):
        assert tmall.get(f"{mei}entries/?{wrong}").code == "api.invalid"


def test_tier_and_benefits_are_in_the_readers_language(tmall: Api, mei: str) -> None:
    path = mei.removesuffix("points/")
    tier = tmall.get(path + "tier/").body
    assert (tier["tier"]["name"], tier["next"]["code"], tier["next"]["spend_missing"]) == (
        "Basic",
        "silver",
        "2900.00",
    )
    assert tmall.get(path + "benefits/").body["worth"] == "1.00"
    chinese = tmall.get(path + "tier/", **{"Accept-Language": "zh-hans"}).body
    assert chinese["tier"]["name"] == "普通会员"


@pytest.mark.parametrize("number", ["SK-00000000", "nobody", "%00", "熟客", "1" * 200])
def test_a_member_who_is_not_there_is_not_found(tmall: Api, mei: str, number: str) -> None:
    assert tmall.get(f"/members/{number}/points/").code == "members.not_found"
    assert tmall.once(f"/members/{number}/points/redeem/", ask()).code == "members.not_found"
    assert Entry.objects.count() == 1


# -- staff ----------------------------------------------------------------------------------------------


def test_a_clerk_redeems_in_the_own_store_under_own_causes(trade: Trade, tmall: Api, mei: str) -> None:
    roles.apply_roles()
    channels.make_store(channels.make("pos", platform="pos"), "jingan")
    clerk, _ = roles.make_staff("carl", "clerk", store="pos/jingan")
    other, _ = roles.make_staff("clara", "clerk", store="pos/jingan")
    for staff in (clerk, other):
        answer = Api(staff).once(mei + "redeem/", ask(10))
        assert answer.status == 201
    entries = Entry.objects.filter(kind="redeem").order_by("id")
    assert list(entries.values_list("channel__code", "store__code", "actor")) == [
        ("pos", "jingan", clerk.pk),
        ("pos", "jingan", other.pk),
    ]
    assert proven()


def test_the_statement_is_narrowed_by_kind_channel_and_time(tmall: Api, mei: str) -> None:
    tmall.once(mei + "redeem/", ask(5, "redeem-1"))
    redeemed = tmall.get(f"{mei}entries/?kind=redeem").body["entries"]
    assert [entry["points"] for entry in redeemed] == [-5]
    both = tmall.get(f"{mei}entries/?kind=redeem&kind=earn&channel=tmall").body["entries"]
    assert {entry["kind"] for entry in both} == {"redeem", "earn"}
    assert tmall.get(f"{mei}entries/?channel=nowhere").body["entries"] == []
    assert tmall.get(f"{mei}entries/?recorded_to=2020-01-01T00:00:00Z").body["entries"] == []
    for wrong in ("kind=gift", "recorded_from=yesterday"):
        assert tmall.get(f"{mei}entries/?{wrong}").code == "api.invalid"
