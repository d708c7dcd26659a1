"""The outbox: what is told is told once, and stays as it was told (A14, A15)."""

import pytest
from django.db import IntegrityError, connection, transaction

from members import outbox
from members.models import Channel, OutboxEvent
from members.outbox import Change

pytestmark = pytest.mark.django_db


def change(name: str = "points:1:1") -> Change:
    return Change("points.changed", name, None, None, {"points": 5, "why": 'a "quoted" 理由'})


def test_it_works(tmall: Channel):
    outbox.put([change()._replace(channel_id=tmall.pk), change("points:1:2")])
    first, second = OutboxEvent.objects.order_by("id")
    assert (first.topic, first.change, first.channel) == ("points.changed", "points:1:1", tmall)
    assert first.payload == {"points": 5, "why": 'a "quoted" 理由'}
    assert (second.sent_at, second.member_id) == (None, None)


def test_nothing_to_tell_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        outbox.put([])


def test_a_change_is_told_once():
    outbox.put([change()])
    with pytest.raises(IntegrityError, match="outbox_once_per_change"), transaction.atomic():
        outbox.put([change()])
    assert OutboxEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_run_outside_of_a_transaction():
    with pytest.raises(AssertionError):
        outbox.put([change()])
    assert not OutboxEvent.objects.exists()


def test_a_change_that_does_not_come_true_is_not_told():
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.put([change()])
        raise RuntimeError
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM members_outboxevent",
        "UPDATE members_outboxevent SET payload = '{}'",
        "UPDATE members_outboxevent SET topic = 'x', sent_at = now()",
    ],
)
def test_what_was_told_stays(statement: str):
    outbox.put([change()])
    with (
        pytest.raises(IntegrityError, match="outbox_event_is_forever"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert OutboxEvent.objects.get().payload["points"] == 5


def test_when_it_was_sent_is_filled_in():
    outbox.put([change()])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_outboxevent SET sent_at = now()")
    assert OutboxEvent.objects.get().sent_at is not None
