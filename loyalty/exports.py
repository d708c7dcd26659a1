"""Exports of this app: the points entries of a channel, as `members.exports` writes them (E4)."""

from collections.abc import Iterator

from loyalty.models import Entry
from members.exports import CHUNK, Exported
from members.models import Channel


class PointsSource:
    """Every change of points that the channel caused."""

    model = "loyalty.Entry"
    columns = (
        "member_no",
        "kind",
        "points",
        "balance_after",
        "debt_after",
        "cause",
        "reason",
        "happened_at",
        "recorded_at",
    )
    fields = ("points", "balance_after")

    def rows(self, channel: Channel) -> Iterator[Exported]:
        """Entries in the order in which they were made."""
        found = Entry.objects.filter(channel=channel).select_related("wallet__member").order_by("pk")
        for entry in found.iterator(CHUNK):
            cells = (
                entry.wallet.member.number,
                entry.kind,
                entry.points,
                entry.balance_after,
                entry.debt_after,
                entry.cause,
                entry.reason,
                entry.happened_at,
                entry.recorded_at,
            )
            yield Exported(entry.wallet.member_id, cells)
