"""Days of a channel that agree or do not, and refunds that still have no order: what pages show (A9, A16).

Everything here is read for a page, in a fixed number of statements.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet

from members import columns
from members import reconciliation_rows as rows
from members.models import Channel, Order, Reconciliation, ReconciliationDifference, Refund

SHOWN_DAYS = 30
SHOWN_RUNS = 10
State = ReconciliationDifference.State


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a channel. run_id: where to look; None when it was never compared.

    orders: as many as the channel holds, None when it did not say; open: differences nobody has settled.
    """

    day: date
    run_id: int | None = None
    orders: int | None = None
    open: int = 0
    is_compared: bool = False


@dataclass(slots=True)
class ChannelDays:
    """The last days of a channel, latest first, and how many since its first comparison have none."""

    channel: Channel
    days: list[Day] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Differences of these days that nobody has settled."""
        return sum(day.open for day in self.days)

    @property
    def left_out(self) -> int:
        """Days before today without a comparison, since the first that had one."""
        compared = [place for place, day in enumerate(self.days) if day.is_compared]
        return sum(not day.is_compared for day in self.days[1 : compared[-1]]) if compared else 0


_LOOKED_AT = """
    WITH latest AS (
        SELECT DISTINCT ON (channel_id, day) channel_id, day, id, state, theirs->>'orders' AS orders
          FROM members_reconciliation
         WHERE day >= %s AND state IN ('done', 'waiting')
         ORDER BY channel_id, day, state = 'done' DESC, id DESC
    ), waiting AS (
        SELECT r.channel_id, r.day, count(*) AS open, max(r.id) AS id
          FROM members_reconciliationdifference d JOIN members_reconciliation r ON r.id = d.run_id
         WHERE r.day >= %s AND d.state = 'open'
         GROUP BY r.channel_id, r.day
    )
    SELECT latest.channel_id, latest.day, coalesce(waiting.id, latest.id), latest.orders::int,
           coalesce(waiting.open, 0), latest.state = 'done'
      FROM latest LEFT JOIN waiting USING (channel_id, day)
"""


def calendar(today: date) -> tuple[list[ChannelDays], list[Channel]]:
    """The last thirty days of the channels that were compared in them, and the other active channels."""
    days = [today - timedelta(days=back) for back in range(SHOWN_DAYS)]
    looked_at: dict[int, dict[date, Day]] = {}
    for channel_id, day, *told in columns.ask(_LOOKED_AT, [days[-1], days[-1]]):
        looked_at.setdefault(channel_id, {})[day] = Day(day, *told)
    channels = [channel for channel in Channel.objects.all() if channel.is_active or channel.pk in looked_at]
    shown = [
        ChannelDays(channel, [looked_at[channel.pk].get(day, Day(day)) for day in days])
        for channel in channels
        if channel.pk in looked_at
    ]
    return shown, [channel for channel in channels if channel.pk not in looked_at]


def beside(run: Reconciliation) -> dict[str, list[Reconciliation]]:
    """The other days of the same file, and the other comparisons of the same day, latest first."""
    others = Reconciliation.objects.exclude(pk=run.pk).exclude(state=Reconciliation.State.TELLING)
    of_file = others.filter(upload=run.upload) if run.upload else others.none()
    of_day = others.filter(channel_id=run.channel_id, day=run.day)
    return {"of_file": list(of_file.order_by("day")), "of_day": list(of_day.order_by("-pk")[:SHOWN_RUNS])}


def counts(run: Reconciliation) -> dict[str, dict[str, int]]:
    """How many differences of a run there are by kind and state; open ones under `open`, all under `all`."""
    found: dict[str, dict[str, int]] = {}
    for kind, state, number in run.differences.order_by().values_list("kind", "state").annotate(Count("pk")):
        of_kind = found.setdefault(kind, {"open": 0, "all": 0})
        of_kind["all"] += number
        of_kind["open"] += number if state == State.OPEN else 0
    return found


def differences(
    run: Reconciliation, *, kind: str = "", only_open: bool = False
) -> QuerySet[ReconciliationDifference]:
    """The differences of a run in the order of their numbers, of one kind or all."""
    found = run.differences.select_related("settled_by").order_by("order_no", "kind")
    found = found.filter(kind=kind) if kind else found
    return found.filter(state=State.OPEN) if only_open else found


def unattached(run: Reconciliation) -> QuerySet[Order]:
    """Our orders of the day that belong to nobody now: no difference, but nobody earns by them."""
    start, end = rows.bounds(run.day)
    of_day = Order.objects.filter(
        channel_id=run.channel_id, member=None, placed_at__gte=start, placed_at__lt=end
    )
    return of_day.only("number", "status", "goods", "discount", "net", "placed_at").order_by(
        "placed_at", "pk"
    )


def totals(run: Reconciliation) -> Iterable[dict[str, Any]]:
    """Theirs, ours and the difference, figure by figure; `since` is ours after what was taken in."""
    for name in rows.FIGURES:
        theirs, ours = _number(name, run.theirs), _number(name, run.ours)
        since = _number(name, run.ours_after)
        now = ours if since is None else since
        yield {
            "name": name,
            "theirs": theirs,
            "ours": ours,
            "since": since if since != ours else None,
            "difference": None if theirs is None or now is None else theirs - now,
        }


def _number(name: str, document: dict[str, Any]) -> Any:
    value = document.get(name)
    return rows.reckoned(name, value) if value is not None else None


# -- refunds that wait for their orders -----------------------------------------------------------------


def parked(channel: Channel | None = None) -> QuerySet[Refund]:
    """Refunds whose order nobody has told yet, the longest waiting first."""
    waiting = Refund.objects.filter(order=None).select_related("channel").order_by("heard_at", "pk")
    return waiting.filter(channel=channel) if channel else waiting


def parked_by_channel() -> list[tuple[Channel, int, datetime]]:
    """The channels that have some, with how many and since when the oldest waits."""
    of_channels = (
        Refund.objects.filter(order=None)
        .order_by()
        .values("channel")
        .annotate(number=Count("pk"), oldest=Min("heard_at"))
    )
    found = {each["channel"]: (each["number"], each["oldest"]) for each in of_channels}
    return [(channel, *found[channel.pk]) for channel in Channel.objects.filter(pk__in=found)]
