"""The inbox: a platform's message is believed, kept and acknowledged at once, and worked on after (A1, A15).

Promises: nothing is kept that was not signed; what was acknowledged is in the database, with the job
that works on it; the same message again is the same row; a message that cannot be taken in waits for a
person with its reason, and one on which the work breaks off is set aside, while all others flow.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from procrastinate.contrib.django import app

from members import columns, credentials, intake, member_link
from members.cleaning import Unclean
from members.connectors import registry
from members.connectors.connector import Acknowledgement, Call, Connector, Credentials, Message, name_of
from members.connectors.errors import DeliveryCrashed, DeliveryPurged, SignatureInvalid
from members.errors import OrderUnknown
from members.models import Channel, InboxDelivery
from members.sealing import sealed_field
from privacy.crypto import new_seals
from privacy.errors import ShukeError

logger = logging.getLogger(__name__)

State = InboxDelivery.State
JOB = "members.work_on_delivery"
QUEUE = "inbox"
MOST_ATTEMPTS = 5
# What a person may have worked on again.
STUCK = (State.FAILED, State.PARKED)

_BODY = sealed_field(InboxDelivery, "body")
_LONGEST_ID = InboxDelivery._meta.get_field("delivery_id").max_length or 0
_LONGEST_TOPIC = InboxDelivery._meta.get_field("topic").max_length or 0
_LONGEST_FIELD = InboxDelivery._meta.get_field("error_field").max_length or 0


# --- at the door ------------------------------------------------------------------------------------


def receive(code: str, call: Call) -> Acknowledgement:
    """Take in one call for the channel with this code; answers what the platform wants to hear.

    Raises SignatureInvalid for whatever is not signed by the platform of an active channel, and does not
    tell whether there is such a channel.
    """
    if registry.is_greeting(call):
        return Acknowledgement()
    channel, connector, held = _believed(code, call)
    if asked := connector.question(call):
        return member_link.answer(channel, asked, call, seller=held.get("seller_name", ""))
    keep(channel, _messages(connector, call))
    return connector.acknowledgement


def _believed(code: str, call: Call) -> tuple[Channel, Connector, Credentials]:
    channel = Channel.objects.filter(code=code, is_active=True).first()
    connector = registry.of(channel.platform) if channel else None
    if channel is None or connector is None:
        raise SignatureInvalid
    held = credentials.of(channel)
    if not all(held.get(name) for name in connector.needs) or not connector.verify(call, held):
        raise SignatureInvalid
    return channel, connector, held


def _messages(connector: Connector, call: Call) -> Sequence[Message]:
    try:
        return connector.split(call)
    except Unclean:
        # It was signed: keep it for a person to look at.
        body = call.raw.decode("utf-8", "replace")
        return [Message(name_of("", body), "", body)]


_KEEP = """
INSERT INTO members_inboxdelivery (channel_id, delivery_id, topic, seal, body, state, outcome, error_code,
                                   error_field, attempts, repeats)
SELECT %s, delivery_id, topic, seal, body, 'waiting', '', '', '', 0, 0
  FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::bytea[]) AS told(delivery_id, topic, seal, body)
    ON CONFLICT (channel_id, delivery_id) DO UPDATE SET repeats = members_inboxdelivery.repeats + 1
RETURNING id, repeats
"""


@transaction.atomic
def keep(channel: Channel, messages: Sequence[Message]) -> list[int]:
    """Write messages down, with the jobs that work on them; answers the ids of those that are new."""
    by_id = {_short(message): message for message in messages}
    if not by_id:
        return []
    seals = new_seals(len(by_id))
    rows = columns.ask(
        _KEEP,
        [
            channel.pk,
            columns.texts(by_id),
            columns.texts([_plain(message.topic)[:_LONGEST_TOPIC] for message in by_id.values()]),
            columns.seals(seals),
            columns.blobs(_BODY.seal_values([message.body or " " for message in by_id.values()], seals)),
        ],
    )
    new = [delivery_id for delivery_id, repeats in rows if repeats == 0]
    for delivery_id in new:
        _defer(delivery_id)
    return new


def _short(message: Message) -> str:
    """The platform's id of a message, or its fingerprint where that is longer than any we know."""
    plain = _plain(message.id)
    return plain if plain and len(plain) <= _LONGEST_ID else name_of(message.topic, message.body)


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _defer(delivery_id: int) -> None:
    app.configure_task(JOB, queue=QUEUE).defer(delivery_id=delivery_id)


# --- at work ----------------------------------------------------------------------------------------


def work_on(delivery_id: int) -> None:
    """Take in one message that waits. Raises what broke the work off, until it did so too often.

    A step of an order that nobody told yet is tried again too: messages that came in order may be worked
    on out of order. Each attempt is counted before it begins, so that one that ends the whole process
    counts as well.
    """
    attempt = _begin(delivery_id)
    if attempt is None:
        return
    if attempt > MOST_ATTEMPTS:
        _finish(delivery_id, State.PARKED, code=DeliveryCrashed.code)
        return
    try:
        _take_in(delivery_id)
    except OrderUnknown as early:
        if attempt < MOST_ATTEMPTS:
            raise
        _finish(delivery_id, State.FAILED, code=early.code)
    except Exception:
        if attempt < MOST_ATTEMPTS:
            raise
        logger.exception("message %s was set aside after %s attempts", delivery_id, attempt)
        _finish(delivery_id, State.PARKED, code=DeliveryCrashed.code)


def _begin(delivery_id: int) -> int | None:
    """Count an attempt; None when nothing waits."""
    waiting = InboxDelivery.objects.filter(pk=delivery_id, state=State.WAITING)
    if not waiting.update(attempts=F("attempts") + 1):
        return None
    return InboxDelivery.objects.values_list("attempts", flat=True).get(pk=delivery_id)


def _take_in(delivery_id: int) -> None:
    row = InboxDelivery.objects.select_related("channel").get(pk=delivery_id)
    connector = registry.of(row.channel.platform)
    if connector is None or row.body is None:
        _finish(delivery_id, State.FAILED, code=DeliveryPurged.code)
        return
    try:
        reading = connector.read(row.topic, row.body)
    except Unclean as fault:
        _finish(delivery_id, State.FAILED, code=fault.code, field=fault.column)
        return
    if not reading.facts:
        _finish(delivery_id, State.IGNORED, outcome=reading.ignored)
        return
    outcomes: list[str] = []
    refusals: list[Exception] = []
    # Each in a transaction of its own, for the order of locks; all of them bear being told again.
    for fact in reading.facts:
        try:
            with transaction.atomic():
                outcomes.append(intake.take_in(row.channel, fact))
        except OrderUnknown:
            raise
        except (ShukeError, IntegrityError, DataError) as refusal:
            refusals.append(refusal)
    if refusals:
        _finish(delivery_id, State.FAILED, code=_code_of(refusals[0]))
    else:
        _finish(delivery_id, State.DONE, outcome=outcomes[0])


def _code_of(refusal: Exception) -> str:
    return refusal.code if isinstance(refusal, ShukeError) else "amount_invalid"


def _finish(delivery_id: int, state: State, *, outcome: str = "", code: str = "", field: str = "") -> None:
    InboxDelivery.objects.filter(pk=delivery_id, state=State.WAITING).update(
        state=state,
        outcome=outcome,
        error_code=code,
        error_field=field[:_LONGEST_FIELD],
        processed_at=Now(),
    )


# --- by people and by night -------------------------------------------------------------------------


@transaction.atomic
def replay(delivery_id: int) -> None:
    """Let one message that is stuck be worked on again. Raises DeliveryPurged when it is gone."""
    row = InboxDelivery.objects.select_for_update(no_key=True).filter(pk=delivery_id, state__in=STUCK).first()
    if row is None:
        return  # somebody else was quicker, and it waits or is done
    if row.body is None:
        raise DeliveryPurged
    _again([row.pk])


@transaction.atomic
def replay_all(channel: Channel | None = None) -> int:
    """Let all that are stuck be worked on again, of one channel or of every; how many they are."""
    stuck = InboxDelivery.objects.filter(state__in=STUCK, body__isnull=False)
    if channel is not None:
        stuck = stuck.filter(channel=channel)
    ids = list(stuck.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    _again(ids)
    return len(ids)


@transaction.atomic
def replay_early() -> int:
    """Look again for the orders of steps that came before them, as by file; each hour. How many wait."""
    early = InboxDelivery.objects.filter(
        state=State.FAILED, error_code=OrderUnknown.code, body__isnull=False
    ).select_for_update(no_key=True, skip_locked=True)
    ids = list(early.order_by("pk").values_list("pk", flat=True))
    _again(ids)
    return len(ids)


def _again(ids: Sequence[int]) -> None:
    InboxDelivery.objects.filter(pk__in=ids).update(
        state=State.WAITING, attempts=0, processed_at=None, error_code="", error_field=""
    )
    for delivery_id in ids:
        _defer(delivery_id)


def count_stuck() -> int:
    """How many wait for a person."""
    return InboxDelivery.objects.filter(state__in=STUCK).count()


def purge(now: datetime) -> int:
    """Forget what messages said after INBOX_BODY_DAYS; that they came is kept, for the platform's repeats."""
    oldest = now - timedelta(days=settings.INBOX_BODY_DAYS)
    return (
        InboxDelivery.objects.filter(received_at__lt=oldest, body__isnull=False)
        .exclude(state=State.WAITING)
        .update(body=None)
    )
