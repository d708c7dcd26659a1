"""Telling platforms what has changed: the outbox, read on for each channel that listens (A14)."""

from django.db import transaction

from members import changes, member_link, seeing
from members.changes import Cursor
from members.connectors import tmall
from members.errors import MemberNotFound
from members.models import Channel, Credential, TellingCursor

TOPICS = frozenset({"points.changed", "tier.changed"})
MOST = 500


def tell_all() -> int:
    """Tell every channel whose platform can be called; how many members were told of."""
    callable_ = Credential.objects.filter(name="session").values("channel_id")
    channels = Channel.objects.filter(
        pk__in=callable_, platform__in=tmall.CONNECTOR.platforms, is_active=True
    ).order_by("pk")
    return sum(tell(channel) for channel in channels)


@transaction.atomic
def tell(channel: Channel) -> int:
    """Tell what has changed since the last time, each member once; how many they were.

    A channel that is told for the first time begins with the present: what was before, it asks for.
    """
    row, is_new = TellingCursor.objects.select_for_update().get_or_create(
        channel=channel, defaults={"cursor": str(changes.present())}
    )
    if is_new:
        return 0
    page = changes.after(_read(row.cursor), channel, most=MOST)
    latest: dict[int, str] = {}
    for change in page.changes:
        if change.topic in TOPICS and change.member_no:
            try:
                latest[seeing.id_of(change.member_no)] = change.change
            except MemberNotFound:  # erased meanwhile
                continue
    told = member_link.tell_balances(channel, latest) if latest else 0
    row.cursor = str(page.cursor)
    row.save(update_fields=["cursor"])
    return told


def _read(text: str) -> Cursor:
    cursor = changes.read_cursor(text)
    assert cursor is not None, "only cursors that were handed out are kept"
    return cursor
