"""A dead endpoint holds up nobody, and what waits for it arrives when it lives again (A14)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members import deliveries, sending
from members.circuits import OPEN_AFTER
from members.models import Channel, WebhookDelivery, WebhookEndpoint
from tests.receiver import Receiver, listen, receiving, states, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything_is_final")]


def test_an_hour_of_events_waits_for_a_dead_endpoint_and_arrives_when_it_lives_again(
    tmall: Channel, wechat: Channel, receiver: Receiver
) -> None:
    with receiving() as dead:
        dead.always = 503
        listen(tmall, dead)
        listen(wechat, receiver)
        now = timezone.now()
        for minute in range(60):
            tell(tmall, 5, name=f"t{minute}")
            tell(wechat, 5, name=f"w{minute}")
            while sending.round_(now + timedelta(minutes=minute)):
                pass
            assert len(receiver.got) == 5 * (minute + 1), "the healthy one hears of it within the minute"
        assert states().count("delivered") == 300 and set(states()) == {"waiting", "delivered"}
        tried = len(dead.got)
        assert tried < 60, "a dead one is probed now and then, not with everything that waits"

        dead.always = 200
        for minute in range(60, 70):
            while sending.round_(now + timedelta(minutes=minute)):
                pass
        assert states() == ["delivered"] * 600
        heard = [got.told["data"]["change"] for got in dead.got[tried:]]
        assert sorted(heard) == sorted(f"t{minute}:{n}" for minute in range(60) for n in range(5))


def test_a_dead_endpoint_with_everything_waiting_does_not_hold_up_a_healthy_one(
    tmall: Channel, wechat: Channel, receiver: Receiver
) -> None:
    with receiving() as gone:
        listen(tmall, gone)
    tell(tmall, 3 * deliveries.SCANNED, name="waiting")
    for _ in range(4):
        sending.round_()
    assert WebhookEndpoint.objects.get().failures >= OPEN_AFTER
    listen(wechat, receiver)
    tell(wechat, deliveries.BATCH, name="points")
    for _ in range(4):  # three to pass over what is not for it, one to send
        sending.round_()
    assert len(receiver.got) == deliveries.BATCH
    dead = WebhookDelivery.objects.filter(endpoint__channel=tmall)
    assert dead.count() <= deliveries.WINDOW + deliveries.SCANNED, "the rest of its backlog is the outbox"
    assert not dead.exclude(state="waiting").exists(), "nothing of it is given up"
