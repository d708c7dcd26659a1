"""Dead letters: deliveries that were given up, for a person or the channel to send again (A15)."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from members import columns
from members.models import WebhookDelivery, WebhookEndpoint

MOST = 10_000  # deliveries sent again by one request

State = WebhookDelivery.State


class Wanted(NamedTuple):
    """Which deliveries are to be sent again: all of these together.

    Ids are those of changes, as in GET /changes/ and in `data.id`; `first` and `last` are included.
    `since` and `until` are about when the change happened, `since ≤ t < until`.
    """

    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    about: str = ""  # a topic
    problem: str = ""
    only_dead: bool = True


ANY = Wanted()


def listed(endpoint: WebhookEndpoint | None = None, wanted: Wanted = ANY) -> QuerySet[WebhookDelivery]:
    """The dead letters of an endpoint, or of all that are not removed, latest first."""
    rows = WebhookDelivery.objects.filter(_within(wanted), state=State.DEAD, endpoint__removed_at=None)
    if endpoint is not None:
        rows = rows.filter(endpoint=endpoint)
    return rows.select_related("endpoint__channel", "event").order_by("-id")


def replay(endpoint: WebhookEndpoint, wanted: Wanted) -> int:
    """Send deliveries of an endpoint again, each under the webhook-id that it had; how many.

    With a whole schedule ahead of them. What is under way or waits already is left as it is. MOST at a
    time, the oldest first: asked again, the next are taken.
    """
    states = [State.DEAD] if wanted.only_dead else [State.DEAD, State.DELIVERED]
    chosen = WebhookDelivery.objects.filter(endpoint=endpoint, state__in=states)
    chosen = chosen.filter(_within(wanted)).order_by("id")[:MOST]
    return columns.tell(
        "UPDATE members_webhookdelivery SET state = 'waiting', due_at = %s, tries = 0, started = 0,"
        " finished = 0, settled_at = NULL WHERE id = ANY(%s::bigint[]) AND state <> 'waiting'",
        [timezone.now(), columns.numbers(chosen.values_list("id", flat=True))],
    )


def _within(wanted: Wanted) -> Q:
    bounds = {
        "event_id__gte": wanted.first,
        "event_id__lte": wanted.last,
        "event__created_at__gte": wanted.since,
        "event__created_at__lt": wanted.until,
        "event__topic": wanted.about or None,
        "problem": wanted.problem or None,
    }
    return Q(**{name: bound for name, bound in bounds.items() if bound is not None})
