"""GET /changes/: a reader who pages on never passes over a change, and hears only what is theirs."""

import threading

import pytest
from django.db import connection, transaction

from members import changes, outbox
from members.models import OutboxEvent
from members.outbox import Change
from tests.api import Api
from tests.trade import Trade, buyer, phone

pytestmark = pytest.mark.django_db(transaction=True)


def read_on(api: Api, path: str) -> tuple[list[str], str]:
    body = api.get(path).body
    return [change["change"] for change in body["changes"]], body["next"].partition("/api/v1")[2]


def test_a_channel_hears_of_its_orders_and_members_in_order() -> None:
    trade = Trade()
    mei = buyer("mei", phone("+8613900000001"))
    trade.buy("T1", "100", mei)
    trade.buy("A1", "50", buyer("bo", phone("+8613900000002")), channel=trade.app)
    trade.buy("A2", "25", mei, channel=trade.app)
    told, _ = read_on(Api(trade.tmall), "/changes/")
    events = {event.change: event for event in OutboxEvent.objects.select_related("channel", "member")}
    orders = [change for change in told if change.startswith("order:")]
    assert [events[change].payload["order_no"] for change in orders] == ["T1"]
    points = [change for change in told if change.startswith("points:")]
    # What Mei earned in the app too: tmall knows her. Bo it does not know.
    assert [events[change].payload["points"] for change in points] == [100, 25]
    app, _ = read_on(Api(trade.app), "/changes/")
    orders = [change for change in app if change.startswith("order:")]
    assert [events[change].payload["order_no"] for change in orders] == ["A1", "A2"]


def test_pages_join_without_gap_or_repeat_and_the_cursor_can_be_kept() -> None:
    trade = Trade()
    for number in range(5):
        trade.buy(f"T{number}", "10", buyer("mei", phone("+8613900000001")))
    api = Api(trade.tmall)
    whole, end = read_on(api, "/changes/?limit=200")
    path, pages = "/changes/?limit=2", []
    while True:
        page, path = read_on(api, path)
        if not page:
            break
        pages += page
    assert pages == whole and len(whole) == len(set(whole)) == 10
    assert read_on(api, end) == ([], end)
    trade.buy("T9", "10", buyer("mei", phone("+8613900000001")))
    later, _ = read_on(api, end)
    assert any(change.startswith("order:") for change in later)


def test_what_happened_to_others_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    trade = Trade()
    for number in range(5):
        trade.buy(f"A{number}", "10", buyer("bo", phone("+8613900000002")), channel=trade.app)
    trade.buy("T1", "10", buyer("mei", phone("+8613900000001")))
    monkeypatch.setattr(changes, "SCANNED", 2)
    first = Api(trade.tmall).get("/changes/").body
    assert first["changes"], "read past ten changes of others"
    monkeypatch.setattr(changes, "STEPS", 1)
    cut_short = Api(trade.tmall).get("/changes/").body
    assert (cut_short["changes"], cut_short["more"]) == ([], True)
    at_end = Api(trade.tmall).get("/changes/?after=" + first["after"]).body
    while at_end["more"]:
        at_end = Api(trade.tmall).get("/changes/?after=" + at_end["after"]).body
    assert (at_end["changes"], at_end["more"]) == ([], False)


def test_a_change_that_commits_late_is_not_passed_over() -> None:
    trade = Trade()
    api = Api(trade.tmall)
    written, go_on = threading.Event(), threading.Event()
    slow = threading.Thread(target=_write_slowly, args=(trade.tmall.pk, written, go_on))
    slow.start()
    assert written.wait(10)
    _put("quick", trade.tmall.pk)  # a larger id, committed first
    early, cursor = read_on(api, "/changes/")
    go_on.set()
    slow.join(10)
    late, _ = read_on(api, cursor)
    assert early + late == ["slow", "quick"]


def _put(name: str, channel_id: int) -> None:
    with transaction.atomic():
        outbox.put([Change("order.changed", name, None, channel_id, {})])


def _write_slowly(channel_id: int, written: threading.Event, go_on: threading.Event) -> None:
    try:
        with transaction.atomic():
            outbox.put([Change("order.changed", "slow", None, channel_id, {})])
            written.set()
            go_on.wait(10)
    finally:
        connection.close()


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1-2", "1-2-3", "9" * 30 + "-1", "%00"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    assert Api(Trade().tmall).get(f"/changes/?after={cursor}").code == "api.invalid"
