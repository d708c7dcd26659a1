"""Webhook endpoints: made, edited, switched on and off, given a new secret, removed (A14, A15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from members import addresses, changes, deliveries, webhook_messages
from members.errors import EndpointsTooMany, EndpointTaken, EndpointUnknown
from members.models import Channel, Topic, WebhookEndpoint

MOST = 20  # endpoints of one channel
BOTH_SIGN = timedelta(hours=24)  # after a rotation
LARGEST_ID = 2**63 - 1

Why = WebhookEndpoint.Why


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint and its secret, which is shown now and never again."""

    endpoint: WebhookEndpoint
    secret: str


def live(channel: Channel | None = None) -> QuerySet[WebhookEndpoint]:
    """The endpoints of a channel, or of all, that are not removed."""
    rows = WebhookEndpoint.objects.filter(removed_at=None).select_related("channel")
    return rows if channel is None else rows.filter(channel=channel)


def find(endpoint_id: int, channel: Channel | None = None) -> WebhookEndpoint:
    """One endpoint of a channel, or of any. Raises EndpointUnknown."""
    row = live(channel).filter(pk=endpoint_id).first()
    if row is None:
        raise EndpointUnknown
    return row


def require_address(url: str) -> None:
    """Raise AddressRefused or AddressUnresolved unless we may send to this URL. Waits for the resolver."""
    target = addresses.read(url, this_machine=settings.IS_DEMO)
    addresses.resolve(target, this_machine=settings.IS_DEMO)


def make(channel: Channel, url: str, topics: Sequence[str] = ()) -> Made:
    """Make an endpoint; it is told what happens from now on.

    topics: words of `Topic`, none for all. Raises AddressRefused, AddressUnresolved, EndpointTaken,
    EndpointsTooMany.
    """
    require_address(url)
    secret = webhook_messages.make_secret()
    with transaction.atomic():
        Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)  # one at a time, to be counted
        if live(channel).count() >= MOST:
            raise EndpointsTooMany(most=MOST)
        try:
            with transaction.atomic():
                endpoint = WebhookEndpoint.objects.create(
                    channel=channel,
                    url=url,
                    topics=_sorted(topics),
                    secret=secret,
                    read_xid=changes.horizon() - 1,
                    read_id=LARGEST_ID,
                )
        except IntegrityError:
            raise EndpointTaken from None
    return Made(endpoint, secret)


def edit(
    endpoint: WebhookEndpoint, *, url: str | None = None, topics: Sequence[str] | None = None
) -> WebhookEndpoint:
    """Change the URL or the topics; at a new URL how the old one did is forgotten.

    Raises AddressRefused, AddressUnresolved, EndpointTaken.
    """
    moves = url is not None and url != endpoint.url
    if moves:
        require_address(url or "")
    try:
        with transaction.atomic():
            row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
            row.url = url if url is not None else row.url
            row.topics = _sorted(topics) if topics is not None else row.topics
            row.save(update_fields=["url", "topics"])
            if moves:
                _begin_afresh(row)
    except IntegrityError:
        raise EndpointTaken from None
    endpoint.refresh_from_db()
    return endpoint


def _begin_afresh(row: WebhookEndpoint) -> None:
    """Forget how a locked endpoint did, and let what waits be tried now."""
    row.failures, row.failing_since, row.paused_until = 0, None, None
    row.save(update_fields=["failures", "failing_since", "paused_until"])
    deliveries.begin_anew(row, timezone.now())


def _sorted(topics: Sequence[str]) -> list[str]:
    """The topics in their order; all of them is none."""
    chosen = [topic for topic in Topic.values if topic in topics]
    return [] if len(chosen) == len(Topic.values) else chosen


def disable(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send nothing more until it is enabled; what happens meanwhile waits."""
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_why = timezone.now(), Why.ASKED
        endpoint.save(update_fields=["disabled_at", "disabled_why"])
    return endpoint


def enable(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Send again, beginning with what waits, and forget how it did before. Raises AddressRefused …"""
    require_address(endpoint.url)
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        row.disabled_at, row.disabled_why = None, ""
        row.save(update_fields=["disabled_at", "disabled_why"])
        _begin_afresh(row)
    endpoint.refresh_from_db()
    return endpoint


def rotate(endpoint: WebhookEndpoint, now: datetime | None = None) -> Made:
    """Give it a new secret; for 24 hours both sign."""
    secret = webhook_messages.make_secret()
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        row.previous_secret, row.secret = row.secret, secret
        row.previous_until = (now or timezone.now()) + BOTH_SIGN
        row.save(update_fields=["secret", "previous_secret", "previous_until"])
    endpoint.refresh_from_db()
    return Made(endpoint, secret)


def remove(endpoint: WebhookEndpoint) -> None:
    """Remove an endpoint with its secrets; its deliveries are forgotten in time."""
    endpoint.removed_at = timezone.now()
    endpoint.secret = endpoint.previous_secret = None
    endpoint.save(update_fields=["removed_at", "secret", "previous_secret"])


def forget_secrets(now: datetime) -> int:
    """Erase the secrets that sign no more; how many there were."""
    return WebhookEndpoint.objects.filter(previous_until__lte=now).update(
        previous_secret=None, previous_until=None
    )
