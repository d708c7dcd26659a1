"""Behaviour events by API: batches only, as nobody sends one click at a time."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from members import events, versions
from members.api import batches
from members.api.event_shapes import EventBatch, EventsOfBatch
from members.api.shapes import described
from members.api.view import ApiView
from members.events import EventReceipt
from members.models import Scope
from members.reading import read_event

CREATED, OK = 201, 200


class EventBatches(ApiView):
    """POST /events/batch/."""

    scope = Scope.EVENTS

    @described("events_batch", request=EventBatch, answers={200: EventsOfBatch})
    def post(self, request: Request) -> Response:
        """Up to 1,000 events, each kept once by its event_id; answered in the given order."""
        items = batches.items_of(request.data, "events")
        now = timezone.now()
        answer = batches.answer(
            items, read_event, lambda facts: events.record(self.channel, facts, now=now), _receipts
        )
        return Response({"items": answer})


def _receipts(receipts: Sequence[EventReceipt]) -> list[dict[str, Any]]:
    return [
        {
            "status": CREATED if receipt.outcome == versions.NEW else OK,
            "event_id": receipt.event_id,
            "outcome": receipt.outcome,
        }
        for receipt in receipts
    ]
