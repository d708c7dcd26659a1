"""Changes are pushed to every channel: signed, in order, at least once, and nobody waits for another (A14)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from members import changes, deliveries, endpoints, outbox, sending
from members.circuits import OPEN_AFTER, Outcome
from members.models import Channel, DeliveryProblem, WebhookDelivery, WebhookEndpoint, WebhookFailure
from members.outbox import Change
from members.webhook_messages import MOST_BYTES
from tests import make
from tests.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db

State = WebhookDelivery.State


@pytest.fixture(autouse=True)
def everything_is_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's own transaction is still writing: here its changes count as committed."""
    monkeypatch.setattr(changes, "horizon", lambda: 2**62)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@transaction.atomic
def tell(channel: Channel, count: int = 1, *, topic: str = "order.changed", name: str = "o", **told: object):
    """Changes caused in a channel, about nobody, unless told."""
    member = told.pop("member", None)
    outbox.put(
        [
            Change(topic, f"{name}:{number}", member, channel.pk, {"number": number, **told})  # type: ignore[arg-type]
            for number in range(count)
        ]
    )


def listen(channel: Channel, receiver: Receiver, *topics: str) -> endpoints.Made:
    """An endpoint of a channel at a receiver, told of what comes from now on."""
    made = endpoints.make(channel, receiver.url, topics)
    last = WebhookEndpoint.objects.filter(pk=made.endpoint.pk)
    last.update(read_xid=0, read_id=0)
    return made


def numbers(receiver: Receiver) -> list[int]:
    return [got.told["data"]["number"] for got in receiver.got]


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))


def test_it_works(tmall: Channel, receiver: Receiver) -> None:
    made = listen(tmall, receiver)
    tell(tmall, 3)
    assert sending.round_() == 3
    assert states() == ["delivered"] * 3
    told = receiver.got[0].verify(made.secret)
    assert told["type"] == "order.changed"
    assert told["data"]["number"] == 0 and told["data"]["change"] == "o:0"
    assert receiver.got[0].id == f"evt_{told['data']['id']}"
    assert sending.round_() == 0, "nothing is sent twice"
