"""The inbox: what is signed is kept and acknowledged at once, worked on after, and never lost (A1, A15)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from members import channels, credentials, inbox, intake
from members.connectors import registry
from members.connectors.errors import DeliveryPurged
from members.models import InboxDelivery, Order
from members.stand_ins import shopify as stand_in
from members.stand_ins import woocommerce
from tests.platforms import channel, send, tell, work
from tests.trade import Trade

AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
SECRET = stand_in.STAND_IN.credentials


@pytest.fixture
def shop(db: None) -> Trade:
    trade = Trade()
    channel("shopify", SECRET)
    return trade


def order(number: int = 5, **told: Any) -> Any:
    return stand_in.parcel(SECRET, "orders/create", stand_in.order(number, at=AT, **told))


def test_a_message_is_kept_sealed_with_its_job_and_acknowledged(shop: Trade) -> None:
    answer = send(order(customer=stand_in.customer(1, at=AT)), to="shopify")
    assert (answer.status_code, answer.content) == (200, b"")
    row = InboxDelivery.objects.get()
    assert (row.state, row.topic, row.attempts) == ("waiting", "orders/create", 0)
    assert row.body is not None and "buyer1@example.com" in row.body
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(d)::text, d.body FROM members_inboxdelivery d")
        ((whole, body),) = cursor.fetchall()
    assert "buyer1" not in whole and b"buyer1" not in bytes(body)
    job = ProcrastinateJob.objects.get(task_name=inbox.JOB)
    assert job.args == {"delivery_id": row.pk}


def test_the_same_message_again_is_one_row_and_one_job(shop: Trade) -> None:
    for _ in range(3):
        assert send(order(), to="shopify").status_code == 200
    assert InboxDelivery.objects.get().repeats == 2
    assert ProcrastinateJob.objects.filter(task_name=inbox.JOB).count() == 1
    assert work() == [("done", "new")]


def test_the_same_message_of_two_channels_is_two(shop: Trade) -> None:
    channel("shopify", SECRET, code="outlet")
    send(order(), to="shopify")
    send(order(), to="outlet")
    assert work() == [("done", "new")] * 2
    assert Order.objects.count() == 2


def test_who_is_not_believed_learns_nothing_more(shop: Trade) -> None:
    """A wrong signature, no such channel, one that is closed, without credentials, or of a mute platform."""
    closed = channel("shopify", SECRET, code="closed")
    closed.is_active = False
    closed.save()
    channels.make("new", "shopify")
    channels.make("pos", "pos")
    parcels = [(order().forged(), "shopify")]
    parcels += [(order(), code) for code in ("nowhere", "closed", "new", "pos")]
    answers = [send(parcel, to=code) for parcel, code in parcels]
    bodies = [{**answer.json(), "instance": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [401] * 5
    assert bodies[0]["code"] == "api.signature_invalid" and bodies.count(bodies[0]) == 5
    assert not InboxDelivery.objects.exists()


def test_an_empty_credential_signs_nothing(db: None) -> None:
    """Whoever signs with the empty secret is not the platform."""
    shop = channels.make("shop", "shopify")
    credentials.keep(shop, {"secret": ""})
    assert send(stand_in.parcel({"secret": ""}, "orders/create", {"id": 1}), to="shop").status_code == 401


def test_a_ping_is_answered_alike_whoever_is_knocked_at(db: None) -> None:
    channel("woocommerce", woocommerce.STAND_IN.credentials)
    answers = [send(woocommerce.ping(), to=code) for code in ("woocommerce", "nowhere")]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert not InboxDelivery.objects.exists()


def test_a_call_beyond_the_limit_is_refused(shop: Trade, settings: Any) -> None:
    settings.HOOK_LIMIT = 100
    answer = send(order(), to="shopify")
    assert (answer.status_code, answer.json()["code"]) == (413, "api.too_large")
    assert not InboxDelivery.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"id": {}}', b'{"id": 1, "total_price": []}'],
)
def test_whatever_is_signed_is_kept_and_no_mistake_of_ours(shop: Trade, body: bytes) -> None:
    parcel = stand_in.parcel(SECRET, "orders/create", {})
    signed = stand_in.signed(SECRET, body)
    odd = parcel.__class__(name="odd", raw=body, headers={**parcel.headers, "X-Shopify-Hmac-Sha256": signed})
    assert send(odd, to="shopify").status_code == 200
    ((state, reason),) = work()
    assert state == "failed" and reason in ("row_unreadable", "required_missing")


def test_a_message_that_breaks_the_work_off_is_set_aside_and_the_others_flow(
    shop: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = intake.take_in

    def take_in(channel: Any, fact: Any) -> str:
        if getattr(fact, "number", "") == "666":
            raise RuntimeError("poison")
        return real(channel, fact)

    monkeypatch.setattr(intake, "take_in", take_in)
    send(order(666), to="shopify")
    poison = InboxDelivery.objects.get()
    for attempt in range(1, inbox.MOST_ATTEMPTS):
        with pytest.raises(RuntimeError):
            inbox.work_on(poison.pk)
        poison.refresh_from_db()
        assert (poison.state, poison.attempts) == ("waiting", attempt)
    assert tell(order(7), to="shopify") == [
        ("parked", "members.delivery_crashed"),
        ("done", "new"),
    ]
    monkeypatch.undo()
    inbox.replay(poison.pk)
    assert work() == [("done", "new")]


def test_an_attempt_that_ended_the_whole_process_counts_as_well(shop: Trade) -> None:
    """Nothing is left of such an attempt but its count."""
    send(order(), to="shopify")
    InboxDelivery.objects.update(attempts=inbox.MOST_ATTEMPTS)
    assert work() == [("parked", "members.delivery_crashed")]
    assert not Order.objects.exists()


def test_what_was_refused_is_worked_on_again_when_a_person_says_so(db: None) -> None:
    channel("shopify", SECRET)  # before there is any programme
    assert [state for state, _ in tell(order(customer=stand_in.customer(1, at=AT)), to="shopify")] == [
        "failed"
    ]
    Trade()
    assert inbox.replay_all() == 1
    assert work() == [("done", "new")]
    assert inbox.replay_all() == 0


def test_a_replay_of_what_is_done_changes_nothing(shop: Trade) -> None:
    tell(order(), to="shopify")
    inbox.replay(InboxDelivery.objects.get().pk)
    assert work() == []


def test_what_a_message_said_is_forgotten_after_a_while(shop: Trade, settings: Any) -> None:
    tell(order(1), to="shopify")
    tell(order(2, currency="USD"), to="shopify")
    send(order(3), to="shopify")
    later = timezone.now() + timedelta(days=settings.INBOX_BODY_DAYS)
    assert inbox.purge(later - timedelta(hours=1)) == 0
    assert inbox.purge(later + timedelta(hours=1)) == 2
    bodies = InboxDelivery.objects.order_by("pk").values_list("body", flat=True)
    assert [body is None for body in bodies] == [True, True, False]
    with pytest.raises(DeliveryPurged):
        inbox.replay(InboxDelivery.objects.get(state="failed").pk)
    assert tell(order(1), to="shopify") == [("done", "new")], "the one that waited, and not the first again"


def test_every_platform_with_credentials_to_sign_by_has_a_connector() -> None:
    speaking = {platform for platform in credentials.NAMES if platform != "wechat"}
    assert {each for connector in registry.CONNECTORS for each in connector.platforms} == speaking
    for connector in registry.CONNECTORS:
        for platform in connector.platforms:
            assert set(connector.needs) <= set(credentials.NAMES[platform])
