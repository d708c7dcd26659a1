"""Queues of platforms: messages that wait there until they are fetched, and are confirmed after (A1, A15).

Only Tmall has one (TMC). Promises: a message is confirmed when it is in the inbox, with the job that works
on it, and that is committed; killed or cut off in between, it is handed out again and is the same delivery.
A queue that does not answer is asked less and less often, holds up no other, and says so on the page of
channel health; what it holds meanwhile is the platform's to keep, for a day.

Shops of one app share its queue. A message goes to the channel that names its shop (`seller_name`); what is
of no shop here is left where it is, for whoever else empties the queue.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import httpx
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from members import circuits, credentials, inbox, platform_calls
from members.circuits import Health, Outcome
from members.connectors import tmall, tmall_queue
from members.connectors.errors import CallRefused
from members.connectors.tmall_queue import Queued
from members.errors import CredentialMissing
from members.models import Channel, Credential, DeliveryProblem, PlatformQueue

logger = logging.getLogger(__name__)

JOB = "members.empty_queue"
QUEUE = "calls"
SWITCH = "group_name"  # the credential without which a queue is left alone
NEEDED = ("app_key", "app_secret")
MOST_ROUNDS = 25  # of one job; what is left is the next one's, at once
_FAILED = Outcome(DeliveryProblem.BROKEN)
_WENT_WELL = Outcome(None)
_NOTED = (
    "last_success_at",
    "last_message_at",
    "failures",
    "failing_since",
    "paused_until",
    "error_code",
    "foreign",
)
_LONGEST_CODE = PlatformQueue._meta.get_field("error_code").max_length or 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of one group of one app, with the channels whose messages are in it; the first leads."""

    held: Mapping[str, str]
    channels: tuple[Channel, ...]
    sellers: Mapping[str, Channel]  # by the name of the shop; "" for a channel that names none

    @property
    def group(self) -> str:
        return self.held[SWITCH]

    def owner(self, shops: Sequence[str]) -> Channel | None:
        """The channel of a message that names these shops; None for one of nobody here."""
        named = (self.sellers[shop] for shop in shops if shop in self.sellers)
        other = self.channels[0] if not shops else self.sellers.get("")
        return next(named, other)


@dataclass(slots=True)
class Emptied:
    """What came of emptying a queue: messages handed out, new ones among them, and others' ones left."""

    taken: int = 0
    new: int = 0
    foreign: int = 0
    is_more: bool = False


def find() -> list[Queue]:
    """The queues that are to be emptied here: of active channels that say which group is theirs."""
    channels = Channel.objects.filter(
        is_active=True, platform__in=tmall.CONNECTOR.platforms, credentials__name=SWITCH
    ).order_by("pk")
    sharing: dict[tuple[str, ...], list[tuple[Channel, dict[str, str]]]] = {}
    for channel in channels:
        held = credentials.of(channel)
        # Without an app it is nobody's but its own, and fails alone.
        app_key = held.get("app_key") or f"channel {channel.pk}"
        sharing.setdefault((app_key, held[SWITCH], held.get("address", "")), []).append((channel, held))
    return [
        Queue(
            held=of_one[0][1],
            channels=tuple(channel for channel, _ in of_one),
            sellers={held.get("seller_name", ""): channel for channel, held in reversed(of_one)},
        )
        for of_one in sharing.values()
    ]


def with_queues() -> QuerySet[Channel]:
    """The active channels, each with its `queue` as it was last found, and whether that `is_emptied` here."""
    switched_on = Credential.objects.filter(channel=OuterRef("pk"), name=SWITCH)
    active = Channel.objects.filter(is_active=True).select_related("queue")
    return active.annotate(is_emptied=Exists(switched_on))


def ask_for_all() -> int:
    """Let every queue be emptied that is not paused, each by a job of its own; how many they are."""
    now = timezone.now()
    paused = set(PlatformQueue.objects.filter(paused_until__gt=now).values_list("pk", flat=True))
    leading = [queue.channels[0].pk for queue in find() if queue.channels[0].pk not in paused]
    for channel_id in leading:
        _defer(channel_id)
    return len(leading)


def _defer(channel_id: int) -> None:
    """One job at a time waits for each queue."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(JOB, queue=QUEUE, queueing_lock=f"{JOB}:{channel_id}").defer(channel_id=channel_id)


def empty(channel_id: int, *, client: httpx.Client | None = None) -> Emptied:
    """Take all that waits in the queue that a channel leads, and note how that went.

    client: for tests; one of its own is made for each call.
    """
    queue = next((queue for queue in find() if queue.channels[0].pk == channel_id), None)
    if queue is None:
        return Emptied()  # switched off meanwhile
    emptied, refusal = Emptied(), None
    try:
        _empty(queue, emptied, client)
    except CallRefused as refused:
        refusal = str(refused.details["reason"])
        logger.warning("the queue of channel %s could not be emptied: %s", channel_id, refusal)
    _note(queue, emptied, refusal, timezone.now())
    if emptied.is_more and refusal is None:
        _defer(channel_id)
    return emptied


def _empty(queue: Queue, emptied: Emptied, client: httpx.Client | None) -> None:
    """Raises CallRefused."""
    missing = next((name for name in NEEDED if not queue.held.get(name)), None)
    if missing:
        raise CallRefused(reason=CredentialMissing.code)
    for _ in range(MOST_ROUNDS):
        asking = tmall_queue.asking(queue.group)
        answer = platform_calls.call(tmall_queue.CONSUME, asking, queue.held, client=client)
        handed = tmall_queue.read(answer)
        ours = _keep(queue, handed, emptied)
        if ours:
            confirming = tmall_queue.confirming(ours, queue.group)
            platform_calls.call(tmall_queue.CONFIRM, confirming, queue.held, client=client)
        # Where nothing was confirmed the same would come again.
        emptied.is_more = len(handed) == tmall_queue.MOST and bool(ours)
        if not emptied.is_more:
            return


def _keep(queue: Queue, handed: Iterable[Queued], emptied: Emptied) -> list[str]:
    """Write down what is ours and commit it; the ids that may be confirmed now."""
    by_owner: dict[int, list[Queued]] = {}
    for each in handed:
        if owner := queue.owner(each.shops):
            by_owner.setdefault(owner.pk, []).append(each)
        else:
            emptied.foreign += 1
    owners = {channel.pk: channel for channel in queue.channels}
    with transaction.atomic(durable=True):
        for owner_id, theirs in by_owner.items():
            emptied.new += len(inbox.keep(owners[owner_id], [each.message for each in theirs]))
    ids = list(dict.fromkeys(each.id for theirs in by_owner.values() for each in theirs))
    emptied.taken += len(ids)
    return ids


@transaction.atomic
def _note(queue: Queue, emptied: Emptied, refusal: str | None, now: datetime) -> None:
    """Write down how it went, for each channel of the queue, and when it may be asked again."""
    ids = [channel.pk for channel in queue.channels]
    code = "" if refusal is None else refusal[:_LONGEST_CODE] or "refused"
    PlatformQueue.objects.bulk_create([PlatformQueue(pk=pk) for pk in ids], ignore_conflicts=True)
    rows = PlatformQueue.objects.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk")
    for row in rows:
        outcome = _WENT_WELL if refusal is None else _FAILED
        health = circuits.after(Health(row.failures, row.failing_since), [outcome], now)
        row.failures, row.failing_since = health.failures, health.failing_since
        row.paused_until, row.error_code = health.paused_until, code
        if refusal is None:
            row.last_success_at, row.foreign = now, emptied.foreign
        if emptied.taken:
            row.last_message_at = now
        row.save(update_fields=_NOTED)
