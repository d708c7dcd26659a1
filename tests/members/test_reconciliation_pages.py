"""The reconciliation pages: who may, the way of a file through them, refunds that wait, orders told late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from members import jobs, reconciling
from members.models import Order, Reconciliation, ReconciliationDifference, Refund
from members.reconciliation_facts import Held, Totals
from privacy import roles
from tests.members.platform_files import START, order, tmall
from tests.trade import Trade, buyer

DAY = START.date()
AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Any) -> None:
    settings.UPLOADS = tmp_path / "uploads"


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


def signed_in(role: str) -> Client:
    user, _password = roles.make_staff(f"the-{role}", role)
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def upload(client: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("orders.csv", content)
    sent = {"channel": "tmall", "first": f"{DAY}", "last": "", "file": file, **fields}
    return client.post("/reconciliation/", sent, follow=True)


def work_through() -> None:
    """What a worker does: each waiting job, once."""
    for job in ProcrastinateJob.objects.filter(status="todo", task_name="members.read_reconciliation"):
        jobs.read_reconciliation(**job.args)


def compared(trade: Trade, client: Client) -> tuple[Reconciliation, str]:
    """One order missing here, one missing there, one with another amount."""
    trade.buy("3026000000000000001", "100", buyer("mei"), at=AT)
    trade.buy("3026000000000000003", "100", None, at=AT)
    upload(client, tmall(order(1, "mei", "90.00"), order(2, "mei")))
    work_through()
    run = Reconciliation.objects.get()
    return run, client.get(f"/reconciliation/{run.pk}/").content.decode()


def settle(client: Client, run: Reconciliation, way: str, **sent: Any) -> str:
    answer = client.post(f"/reconciliation/{run.pk}/settle/", {"way": way, **sent}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def states() -> dict[str, str]:
    return dict(ReconciliationDifference.objects.values_list("kind", "state"))


def test_a_file_goes_from_upload_to_the_last_difference(trade: Trade) -> None:
    client = signed_in("finance")
    run, page = compared(trade, client)
    assert "3 open differences" in page and "Missing here" in page and "¥90.00" in page
    kinds = {kind: pk for pk, kind in run.differences.values_list("pk", "kind")}

    assert "1 difference is settled" in settle(client, run, "take", difference=[kinds["missing_here"]])
    assert "1 difference is settled" in settle(client, run, "tell", difference=[kinds["amount"]])
    assert "why these differences are right" in settle(client, run, "accept", all="1")
    page = settle(client, run, "accept", all="1", reason="A sample for the press")
    assert "A sample for the press" in page and "No open difference" in page
    assert states() == {"missing_here": "taken", "amount": "told", "missing_there": "accepted"}
    assert Order.objects.filter(number="3026000000000000002").exists()
    who = ReconciliationDifference.objects.values_list("settled_by__username", flat=True)
    assert set(who) == {"the-finance"}


def test_all_of_a_list_are_those_of_its_kind(trade: Trade) -> None:
    client = signed_in("admin")
    run, _page = compared(trade, client)
    settle(client, run, "accept", all="1", kind="amount", reason="Rounded there")
    assert states() == {"missing_here": "open", "amount": "accepted", "missing_there": "open"}


def test_the_calendar_shows_what_agrees_and_what_does_not(trade: Trade) -> None:
    today = reconciling.today()
    for back, orders in ((1, 0), (2, 5), (5, 0)):
        reconciling.check_totals(trade.tmall, today - timedelta(days=back), Totals(orders=orders))
    shown = signed_in("service").get("/reconciliation/").context["channels"]
    (days,) = shown
    assert [(day.open, day.is_compared) for day in days.days[:6]] == [
        (0, False),
        (0, True),
        (1, True),
        (0, False),
        (0, False),
        (0, True),
    ]
    assert (days.channel, days.open, days.left_out) == (trade.tmall, 1, 2)
    assert len(days.days) == 30


def test_a_day_leads_to_its_open_differences_though_it_was_compared_since(trade: Trade) -> None:
    day = reconciling.today()
    run = reconciling.begin(trade.tmall, day)
    reconciling.tell(trade.tmall, run.pk, [Held("X", None, None, None, None)], complete=True)
    reconciling.check_totals(trade.tmall, day, Totals(orders=0))
    (days,) = signed_in("finance").get("/reconciliation/").context["channels"]
    assert (days.days[0].run_id, days.days[0].open) == (run.pk, 1)


@pytest.mark.parametrize("role", ["marketing", "service", "auditor"])
def test_who_may_only_look_decides_nothing(trade: Trade, role: str) -> None:
    run, _page = compared(trade, signed_in("finance"))
    client = signed_in(role)
    page = client.get(f"/reconciliation/{run.pk}/").content.decode()
    assert "Missing here" in page and 'name="way"' not in page
    assert "Compare a file" not in client.get("/reconciliation/").content.decode()
    assert upload(client, b"x").status_code == 403
    sent = {"way": "accept", "all": "1", "reason": "Because I say so"}
    assert client.post(f"/reconciliation/{run.pk}/settle/", sent).status_code == 403
    assert set(states().values()) == {"open"}
    assert Reconciliation.objects.count() == 1


def test_who_has_nothing_to_do_with_it_does_not_see_it(trade: Trade) -> None:
    client = signed_in("privacy")
    for path in ("", "parked/", "1/"):
        assert client.get(f"/reconciliation/{path}").status_code == 403
    assert Client().get("/reconciliation/").status_code == 302


def test_what_is_wrong_with_an_upload_is_said(trade: Trade, settings: Any) -> None:
    client = signed_in("finance")
    tomorrow = f"{reconciling.today() + timedelta(days=1)}"
    assert "Choose days that have begun" in upload(client, b"x", first=tomorrow).content.decode()
    assert upload(client, b"x", channel="nowhere").status_code == 400
    settings.UPLOAD_LIMIT = 100
    assert "larger than" in upload(client, b"x" * 500).content.decode()
    assert not Reconciliation.objects.exists()
    page = upload(client, b"a,b\n").content.decode()
    assert "every 1s" in page
    work_through()
    page = client.get(f"/reconciliation/{Reconciliation.objects.get().pk}/").content.decode()
    assert "Could not be read" in page and "every 1s" not in page


def test_nothing_there_is_a_404_and_an_unknown_way_too(trade: Trade) -> None:
    client = signed_in("finance")
    run, _page = compared(trade, client)
    assert client.get("/reconciliation/999999/").status_code == 404
    assert client.post(f"/reconciliation/{run.pk}/settle/", {"way": "forget"}).status_code == 404
    assert "can be settled" in settle(client, run, "accept", reason="Nobody was chosen")


def test_a_page_asks_as_often_however_many_differences_there_are(trade: Trade) -> None:
    client = signed_in("admin")
    asked = []
    for number in (2, 90):
        run = reconciling.begin(trade.tmall, DAY)
        lines = [Held(f"X{place}", "paid", None, None, None) for place in range(number)]
        reconciling.tell(trade.tmall, run.pk, lines, complete=True)
        for path in (f"/reconciliation/{run.pk}/", "/reconciliation/"):
            client.get(path)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            asked.append(len(queries))
    assert asked[:2] == asked[2:]
    assert max(asked) <= 25


# --- refunds that wait, orders that are told late ------------------------------------------------------


def test_a_refund_before_its_order_is_seen_until_the_order_comes(trade: Trade) -> None:
    client = signed_in("service")
    trade.refund("T1", "R1", "30")
    trade.refund("T2", "R1", "5", channel=trade.app)
    Refund.objects.filter(order_number="T1").update(heard_at=trade.ago(3))
    page = client.get("/reconciliation/parked/")
    assert [(channel.code, number, days) for channel, number, days in page.context["channels"]] == [
        ("app", 1, 0),
        ("tmall", 1, 3),
    ]
    assert [(refund.order_number, days) for refund, _sum, days in page.context["refunds"]] == [
        ("T1", 3),
        ("T2", 0),
    ]
    chosen = client.get("/reconciliation/parked/?channel=app").context["refunds"]
    assert [refund.order_number for refund, _sum, _days in chosen] == ["T2"]

    receipt = trade.buy("T1", "100", buyer("mei"))
    assert receipt.points == 70
    page = client.get("/reconciliation/parked/")
    assert [refund.order_number for refund, _sum, _days in page.context["refunds"]] == ["T2"]
    trade.buy("T2", "100", buyer("mei"), channel=trade.app)
    assert "Every refund has its order" in client.get("/reconciliation/parked/").content.decode()


def test_an_order_that_was_told_late_says_how_often_and_is_found_by_it(trade: Trade) -> None:
    client = signed_in("marketing")
    trade.buy("T1", "100", buyer("mei"), version=5)
    trade.buy("T2", "100", buyer("mei"), version=5)
    for version in (3, 4):
        assert trade.buy("T1", "50", buyer("mei"), version=version).outcome == "stale"
    late = client.get("/admin/members/order/?late=1").context["cl"].result_list
    assert [(each.number, each.stale_count, each.net) for each in late] == [("T1", 2, 100)]
    page = client.get(f"/admin/members/order/{late[0].pk}/change/").content.decode()
    assert "2 times, and ignored" in page
