"""Tmall's queue of messages: fetched, kept, and only then confirmed; nothing lost, nothing twice."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from config import database
from members import credentials, member_link, platform_queues
from members.circuits import OPEN_AFTER
from members.connectors import tmall, tmall_queue
from members.models import Channel, InboxDelivery, Member, PlatformCall, PlatformQueue
from members.stand_ins import tmall as stand_in
from privacy import roles
from tests.platforms import channel, tell, work
from tests.trade import Trade, proven

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = stand_in.STAND_IN.credentials
SHOP = stand_in.SELLER
MEI = stand_in.buyer(1, SECRET["mix_key"])
POINTS, JOINED = "tmall_mei_PointChange", "tmall_mei_MemberRegister"


@pytest.fixture
def trade(db: None) -> Trade:
    return Trade()


@pytest.fixture
def gateway(trade: Trade) -> Iterator[stand_in.Gateway]:
    gateway = stand_in.Gateway(SECRET)
    server = gateway.serve()
    address = f"http://127.0.0.1:{server.server_port}/router/rest"
    credentials.keep(trade.tmall, {**SECRET, "address": address, "group_name": "default"})
    yield gateway
    server.shutdown()
    server.server_close()


@pytest.fixture
def mei(trade: Trade) -> int:
    """Mei, who has joined at Tmall and has 300 points."""
    member_link.join(trade.tmall, tmall.read_buyer(tmall.Document(MEI)), now=timezone.now())
    member_id = Member.objects.get().pk
    trade.give(member_id, 300)
    return member_id


def exchange(gateway: stand_in.Gateway, record: int, points: int, **more: Any) -> None:
    """Let an exchange of points wait in the queue."""
    gateway.queue.publish(POINTS, stand_in.point_change(record, MEI, points), **{"shop": SHOP, **more})


def empty(of: Channel) -> platform_queues.Emptied:
    return platform_queues.empty(of.pk)


def calls(gateway: stand_in.Gateway, method: str) -> list[dict[str, str]]:
    return [params for params in gateway.taken if params["method"] == method]


def row(of: Channel) -> PlatformQueue:
    return PlatformQueue.objects.get(channel=of)


# --- taken in ---------------------------------------------------------------------------------------


def test_what_waits_is_kept_then_confirmed_and_does_what_a_pushed_message_does(
    trade: Trade, gateway: stand_in.Gateway, mei: int
) -> None:
    exchange(gateway, 9001, -200)
    assert empty(trade.tmall).new == 1
    assert not gateway.queue.waiting and gateway.forged == 0
    assert work() == [("done", "changed")]
    assert trade.available(mei) == 100 and PlatformCall.objects.get().cause == "9001"
    delivery = InboxDelivery.objects.get()
    assert (delivery.delivery_id, delivery.topic) == (f"{POINTS}:9001", POINTS)
    pushed = stand_in.message(SECRET, POINTS, stand_in.point_change(9001, MEI, -200))
    assert tell(pushed, to="tmall") == [], "pushed by somebody else too, it is the same delivery"
    assert InboxDelivery.objects.get().repeats == 1 and trade.available(mei) == 100
    assert proven()


def test_the_two_calls_say_what_is_documented(trade: Trade, gateway: stand_in.Gateway, mei: int) -> None:
    exchange(gateway, 1, -1)
    empty(trade.tmall)
    (asked, confirmed) = gateway.taken
    told = {"app_key", "format", "method", "session", "sign", "sign_method", "timestamp", "v"}
    assert asked.keys() - told == {"quantity"} and asked["quantity"] == "200"
    assert confirmed.keys() - told == {"s_message_ids"}
    assert {int(confirmed["s_message_ids"])} == gateway.queue.confirmed
    gateway.queue.groups = frozenset({"vip"})
    credentials.keep(trade.tmall, {"group_name": "vip"})
    exchange(gateway, 2, -1, group="vip")
    empty(trade.tmall)
    assert [params["group_name"] for params in gateway.taken[2:]] == ["vip", "vip"]


def test_told_twice_again_and_in_no_order_each_record_counts_once(
    trade: Trade, gateway: stand_in.Gateway, mei: int
) -> None:
    for record in range(1, 9):
        exchange(gateway, record, -10 if record % 4 else 5, times=1 + record % 2)
    first = empty(trade.tmall)
    assert (first.taken, first.new) == (12, 8)
    exchange(gateway, 3, -10)  # a whole day's repeat, under another id
    assert (empty(trade.tmall).new, empty(trade.tmall).taken) == (0, 0)
    assert [state for state, _ in work()] == ["done"] * 8
    assert trade.available(mei) == 300 - 6 * 10 + 2 * 5
    assert not gateway.queue.waiting and proven()


def test_more_than_one_call_hands_out_is_all_fetched(
    trade: Trade, gateway: stand_in.Gateway, mei: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tmall_queue, "MOST", 10)
    for record in range(25):
        exchange(gateway, record, -1)
    assert empty(trade.tmall).taken == 25
    assert len(calls(gateway, tmall_queue.CONSUME)) == 3 and not gateway.queue.waiting
    monkeypatch.setattr(platform_queues, "MOST_ROUNDS", 1)
    for record in range(25, 40):
        exchange(gateway, record, -1)
    assert empty(trade.tmall).is_more, "the next job goes on at once"
    waiting = ProcrastinateJob.objects.filter(task_name=platform_queues.JOB, status="todo")
    assert [job.args for job in waiting] == [{"channel_id": trade.tmall.pk}]


def test_a_late_join_waits_in_the_queue_too(trade: Trade, gateway: stand_in.Gateway) -> None:
    joined = datetime(2026, 6, 1, tzinfo=UTC)
    late = {"record_id": 6, "seller_id": 1, **stand_in.buyer(2, SECRET["mix_key"], joined=joined)}
    gateway.queue.publish(JOINED, late, shop=SHOP)
    gateway.queue.publish(JOINED, {"record_id": 7, "seller_id": 1, "seller_name": SHOP}, shop=SHOP)
    empty(trade.tmall)
    assert sorted(work()) == [("done", "new"), ("ignored", "nobody_named")]
    assert Member.objects.get().joined_at == joined


@pytest.mark.parametrize("content", ["<xml/>", "", "[1]", '"\ud83d"', "{" * 20_000])
def test_what_cannot_be_read_waits_for_a_person_and_holds_up_nothing(
    trade: Trade, gateway: stand_in.Gateway, mei: int, content: str
) -> None:
    gateway.queue.publish(POINTS, content, shop=SHOP)
    exchange(gateway, 1, -100)
    empty(trade.tmall)
    assert sorted(work()) == [("done", "changed"), ("failed", "row_unreadable")]
    assert not gateway.queue.waiting and trade.available(mei) == 200


# --- when it goes wrong -----------------------------------------------------------------------------


def test_a_queue_that_does_not_answer_is_asked_less_and_loses_nothing(
    trade: Trade, gateway: stand_in.Gateway, mei: int
) -> None:
    exchange(gateway, 1, -100)
    gateway.refuse = OPEN_AFTER + 1
    for _ in range(OPEN_AFTER):
        assert platform_queues.ask_for_all() == 1
        empty(trade.tmall)
    failing = row(trade.tmall)
    assert (failing.failures, failing.error_code) == (OPEN_AFTER, "isp.busy")
    assert failing.paused_until and failing.paused_until > timezone.now()
    assert platform_queues.ask_for_all() == 0, "its circuit is open"
    assert "queue that does not answer" in _page("admin:index")
    PlatformQueue.objects.update(paused_until=timezone.now())
    assert platform_queues.ask_for_all() == 1
    empty(trade.tmall)
    longer = row(trade.tmall)
    assert longer.paused_until and longer.paused_until - timezone.now() > timedelta(seconds=50)
    assert empty(trade.tmall).new == 1
    well = row(trade.tmall)
    assert (well.failures, well.failing_since, well.paused_until, well.error_code) == (0, None, None, "")
    assert work() == [("done", "changed")] and trade.available(mei) == 200


@pytest.mark.parametrize("method", [tmall_queue.CONSUME, tmall_queue.CONFIRM])
def test_a_line_that_breaks_at_either_call_loses_nothing_and_counts_nothing_twice(
    trade: Trade, gateway: stand_in.Gateway, mei: int, method: str
) -> None:
    def break_off(params: Any) -> None:
        if params["method"] == method:
            raise ConnectionError

    exchange(gateway, 1, -100)
    gateway.before = break_off
    empty(trade.tmall)
    assert row(trade.tmall).error_code == "RemoteProtocolError" and len(gateway.queue.waiting) == 1
    work()
    gateway.before = lambda params: None
    empty(trade.tmall)
    work()
    assert not gateway.queue.waiting and trade.available(mei) == 200
    assert InboxDelivery.objects.get().repeats == (method == tmall_queue.CONFIRM)
    assert proven()


@pytest.mark.django_db(transaction=True)
def test_killed_between_keeping_and_confirming_it_is_counted_once() -> None:
    """kill -9 when the confirmation is on its way: by then the message is committed."""
    trade = Trade()
    gateway = stand_in.Gateway(SECRET)
    server = gateway.serve()
    address = f"http://127.0.0.1:{server.server_port}/router/rest"
    credentials.keep(trade.tmall, {**SECRET, "address": address, "group_name": "default"})
    member_link.join(trade.tmall, tmall.read_buyer(tmall.Document(MEI)), now=timezone.now())
    mei = Member.objects.get().pk
    trade.give(mei, 300)
    exchange(gateway, 1, -100)
    is_confirming, is_killed = threading.Event(), threading.Event()

    def wait_to_be_killed(params: Any) -> None:
        if params["method"] == tmall_queue.CONFIRM:
            is_confirming.set()
            is_killed.wait(30)
            raise ConnectionError

    gateway.before = wait_to_be_killed
    process = _start(f"platform_queues.empty({trade.tmall.pk})")
    assert is_confirming.wait(30), process.communicate()
    assert InboxDelivery.objects.get().state == "waiting"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gateway.before = lambda params: None
    is_killed.set()
    assert len(gateway.queue.waiting) == 1 and not PlatformQueue.objects.exists()
    work()
    assert empty(trade.tmall).taken == 1
    assert work() == [] and trade.available(mei) == 200 and not gateway.queue.waiting
    assert InboxDelivery.objects.get().repeats == 1 and proven()
    server.shutdown()
    server.server_close()


def _start(statement: str) -> "subprocess.Popen[bytes]":
    address = database.address(connection.settings_dict)
    code = f"import django; django.setup(); from members import platform_queues; {statement}"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "DATABASE_OWNER_URL": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_what_nobody_fetched_for_a_day_is_gone_and_the_page_says_what_to_do(
    trade: Trade, gateway: stand_in.Gateway, mei: int
) -> None:
    exchange(gateway, 1, -100)
    gateway.queue.now = lambda: datetime.now(UTC) + timedelta(hours=24, minutes=1)
    exchange(gateway, 2, -50)
    gateway.refuse = 1
    empty(trade.tmall)
    shown = _health()
    assert "Failing" in shown and "isp.busy" in shown and "Nothing is lost yet" in shown
    PlatformQueue.objects.update(failing_since=timezone.now() - timedelta(hours=25))
    assert "compare the points of its exchanges" in _health()
    assert empty(trade.tmall).new == 1, "the older one was not handed out any more"
    assert work() == [("done", "changed")] and trade.available(mei) == 250
    shown = _health()
    assert "Working" in shown and "Failing since" not in shown


def _health() -> str:
    return _page("channels:health")


def _page(name: str) -> str:
    user = roles.User.objects.filter(username="admin").first() or roles.make_staff("admin", "admin")[0]
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client.get(reverse(name)).content.decode()


# --- whose queue it is ------------------------------------------------------------------------------


def test_shops_of_one_app_share_its_queue_and_each_gets_its_own(
    trade: Trade, gateway: stand_in.Gateway, mei: int
) -> None:
    held = credentials.of(trade.tmall)
    outlet = channel("tmall", {**held, "seller_name": "outlet"}, code="outlet")
    exchange(gateway, 1, -100)
    told = stand_in.point_change(2, MEI, -50)
    gateway.queue.publish(POINTS, {**told, "seller_name": "outlet"}, shop="outlet")
    gateway.queue.publish(POINTS, told | {"record_id": 3, "seller_name": "stranger"}, shop="stranger")
    assert platform_queues.ask_for_all() == 1, "one job for the one queue"
    emptied = empty(trade.tmall)
    assert (emptied.new, emptied.foreign) == (2, 1)
    kept = InboxDelivery.objects.order_by("delivery_id").values_list("channel__code", "delivery_id")
    assert list(kept) == [("tmall", f"{POINTS}:1"), ("outlet", f"{POINTS}:2")]
    (left,) = gateway.queue.waiting.values()
    assert left.row["user_nick"] == "stranger", "what is of no shop here is left to others"
    assert row(outlet).foreign == row(trade.tmall).foreign == 1
    assert "Messages of other shops" in _health()


def test_a_queue_is_left_alone_until_its_group_is_named_and_while_a_channel_is_closed(
    trade: Trade, gateway: stand_in.Gateway, mei: int
) -> None:
    exchange(gateway, 1, -100)
    credentials.keep(trade.tmall, {"group_name": ""})
    assert platform_queues.ask_for_all() == 0 and empty(trade.tmall).taken == 0
    assert gateway.taken == [] and "Queues of platforms" not in _health()
    credentials.keep(trade.tmall, {"group_name": "default"})
    Channel.objects.update(is_active=False)
    assert platform_queues.ask_for_all() == 0
    Channel.objects.update(is_active=True)
    credentials.keep(trade.tmall, {"app_secret": ""})
    empty(trade.tmall)
    assert gateway.taken == [] and row(trade.tmall).error_code == "members.credential_missing"
    assert "A credential of the channel is missing." in _health()
