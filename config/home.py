"""The figures of the console's home: what needs a person, how the month goes, where the money comes from.

Each figure is one statement with a time limit, so that the page answers however large the tables are; a
figure that takes too long is left out and says so. Figures are kept for minutes, never per person.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from procrastinate.contrib.django.models import ProcrastinateJob

from loyalty import audit_runs
from loyalty.models import ProgrammeVersion
from members import channel_health, reviews
from members.channel_health import Glance, Glances
from members.models import Channel, ImportRun, Order, Refund
from privacy import approvals, roles

LIMIT_MS = 1500  # of one statement
KEPT_SECONDS = 300
WEEKS = 12
WINDOW = timedelta(days=90)  # of repurchase and burn
LAST_IMPORTS = 5
COLOURS = 6  # of lines in the chart; what comes after is added up as one

Person = User | AnonymousUser


@dataclass(frozen=True)
class Need:
    """Something that waits for a person: how many, in words, and where to go."""

    count: int
    words: str
    url: str
    tone: str = "warn"


@dataclass(frozen=True)
class Share:
    """A number out of another, now and in the time before, for a figure with its trend."""

    now: Decimal | None
    before: Decimal | None


def context(user: Person) -> dict[str, Any]:
    """Everything that the template of the home page shows to this person."""
    is_empty = not Order.objects.exists()
    told = _endpoints(user)
    return {
        **(_first_steps() if is_empty else {}),
        "needs": [*needs(user), *(_channel_needs(told) if told else ())],
        "figures": figures() if roles.can(user, "insight.view") else None,
        "revenue": revenue() if roles.can(user, "insight.view") else None,
        "imports": _imports(user),
        "endpoints": _described(told.endpoints) if told and told.endpoints else None,
        "may_find": roles.can(user, "members.find"),
        "is_empty": is_empty,
        "may_import": roles.can(user, "imports.run"),
    }


def _first_steps() -> dict[str, Any]:
    """Which of the first steps are done; nobody asks once there are orders."""
    return {
        "has_programme": ProgrammeVersion.objects.filter(state="published").exists(),
        "has_channel": Channel.objects.exists(),
    }


# -- Row 1: what needs a person ----------------------------------------------------------------------------


def needs(user: Person) -> Iterator[Need]:
    """What waits, for those who may do something about it. Each count has an index of its own."""
    count = approvals.for_decision(user).count()
    words = ngettext("request to decide", "requests to decide", count)
    yield from _need(count, words, reverse("approvals:inbox"))
    if roles.can(user, "reviews.view"):
        count = reviews.waiting().count()
        words = ngettext("match to review", "matches to review", count)
        yield from _need(count, words, reverse("reviews:queue"))
    if roles.can(user, "imports.view"):
        yield from _import_needs()
    if roles.can(user, "reconciliation.view"):
        count = Refund.objects.filter(order=None).count()
        words = ngettext("refund without its order", "refunds without their order", count)
        yield from _need(count, words, reverse("reconciliation:parked"))
    if roles.can(user, "programme.publish"):
        count = ProgrammeVersion.objects.filter(state=ProgrammeVersion.State.DRAFT).count()
        words = ngettext("programme draft to publish", "programme drafts to publish", count)
        yield from _need(count, words, reverse("admin:loyalty_programmeversion_changelist"))
    if roles.can(user, "audit.view"):
        count = audit_runs.found_lately()
        words = ngettext("violation found by the audit", "violations found by the audit", count)
        yield from _need(count, words, reverse("audit:overview"), tone="bad")
    if user.has_perm("procrastinate.view_procrastinatejob"):
        count = ProcrastinateJob.objects.filter(status="failed").count()
        words = ngettext("failed job", "failed jobs", count)
        link = reverse("admin:procrastinate_procrastinatejob_changelist") + "?status=failed"
        yield from _need(count, words, link, tone="bad")


def _import_needs() -> Iterator[Need]:
    lately = list(ImportRun.objects.filter(is_dry=False, is_of_package=False).order_by("-id")[:LAST_IMPORTS])
    ready = [run for run in lately if run.state == ImportRun.State.READY]
    words = ngettext("file ready to import", "files ready to import", len(ready))
    yield from _need(len(ready), words, reverse("imports:list"))
    rejected = [run for run in lately if run.state == ImportRun.State.DONE and run.rows_rejected]
    count = sum(run.rows_rejected for run in rejected)
    words = ngettext("rejected row in the last imports", "rejected rows in the last imports", count)
    yield from _need(count, words, reverse("imports:list"))


def _need(count: int, words: str, url: str, tone: str = "warn") -> Iterator[Need]:
    if count:
        yield Need(count, words, url, tone)


# -- Row 2: figures with their trend -------------------------------------------------------------------------


def figures() -> list[dict[str, Any]]:
    """Four figures, each `{label, value, note, tone}`, in the language that is active."""
    now = timezone.localtime()
    return [
        _active(_kept("active", lambda: _active_members(now))),
        _share(
            _("Members' share of revenue"),
            _kept("share", lambda: _member_share(now)),
            _("of this month"),
        ),
        _share(
            _("Repurchase rate"),
            _kept("repurchase", lambda: _repurchase(now)),
            _("bought again within 90 days"),
        ),
        _share(
            _("Points burn"),
            _kept("burn", lambda: _burn(now)),
            _("redeemed of earned in 90 days"),
        ),
    ]


def _active(counted: Share) -> dict[str, Any]:
    label = _("Active members this month")
    if counted.now is None or counted.before is None:
        return {"label": label, "value": "—", "note": _too_slow()}
    note = _("%(before)s in the same days of last month") % {"before": f"{counted.before:,.0f}"}
    return {"label": label, "value": f"{counted.now:,.0f}", "note": note, "tone": _tone(counted)}


def _share(label: str, counted: Share, about: str) -> dict[str, Any]:
    if counted.now is None:
        return {"label": label, "value": "—", "note": _("Nothing to measure yet")}
    note = about
    if counted.before is not None:
        note = _("%(about)s; before: %(before)s") % {"about": about, "before": f"{counted.before:.1%}"}
    return {"label": label, "value": f"{counted.now:.1%}", "note": note, "tone": _tone(counted)}


def _tone(counted: Share) -> str:
    if counted.now is None or counted.before is None or counted.now == counted.before:
        return ""
    return "up" if counted.now > counted.before else "down"


def _too_slow() -> str:
    return _("Too much to count at once")


def _month(now: datetime) -> tuple[datetime, datetime, datetime]:
    """The start of this month, of the last, and the instant in the last that is as far in as now."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before = (start - timedelta(days=1)).replace(day=1)
    return start, before, min(before + (now - start), start)


def _active_members(now: datetime) -> Share:
    start, before, until = _month(now)
    row = _row(
        "SELECT count(DISTINCT member_id) FILTER (WHERE placed_at >= %(start)s),"
        " count(DISTINCT member_id) FILTER (WHERE placed_at < %(until)s)"
        " FROM members_order WHERE placed_at >= %(before)s AND paid_at IS NOT NULL",
        {"start": start, "before": before, "until": until},
    )
    return Share(Decimal(row[0]), Decimal(row[1]))


def _member_share(now: datetime) -> Share:
    start, before, until = _month(now)
    kept = "greatest(net - refunded_goods, 0)"
    row = _row(
        f"SELECT sum({kept}) FILTER (WHERE placed_at >= %(start)s AND member_id IS NOT NULL),"
        f" sum({kept}) FILTER (WHERE placed_at >= %(start)s),"
        f" sum({kept}) FILTER (WHERE placed_at < %(until)s AND member_id IS NOT NULL),"
        f" sum({kept}) FILTER (WHERE placed_at < %(until)s)"
        " FROM members_order"
        " WHERE placed_at >= %(before)s AND paid_at IS NOT NULL AND status <> 'cancelled'",
        {"start": start, "before": before, "until": until},
    )
    return Share(_ratio(row[0], row[1]), _ratio(row[2], row[3]))


def _repurchase(now: datetime) -> Share:
    row = _row(
        "SELECT count(*) FILTER (WHERE late > 1), count(*) FILTER (WHERE late > 0),"
        " count(*) FILTER (WHERE early > 1), count(*) FILTER (WHERE early > 0)"
        " FROM (SELECT count(*) FILTER (WHERE placed_at >= %(middle)s) AS late,"
        " count(*) FILTER (WHERE placed_at < %(middle)s) AS early FROM members_order"
        " WHERE placed_at >= %(start)s AND paid_at IS NOT NULL AND member_id IS NOT NULL"
        " AND status <> 'cancelled' GROUP BY member_id) AS bought",
        {"middle": now - WINDOW, "start": now - 2 * WINDOW},
    )
    return Share(_ratio(row[0], row[1]), _ratio(row[2], row[3]))


def _burn(now: datetime) -> Share:
    row = _row(
        "SELECT -sum(points) FILTER (WHERE kind = 'redeem' AND recorded_at >= %(middle)s),"
        " sum(points) FILTER (WHERE kind = 'earn' AND recorded_at >= %(middle)s),"
        " -sum(points) FILTER (WHERE kind = 'redeem' AND recorded_at < %(middle)s),"
        " sum(points) FILTER (WHERE kind = 'earn' AND recorded_at < %(middle)s)"
        " FROM loyalty_entry WHERE recorded_at >= %(start)s AND kind IN ('earn', 'redeem')",
        {"middle": now - WINDOW, "start": now - 2 * WINDOW},
    )
    return Share(_ratio(row[0], row[1]), _ratio(row[2], row[3]))


def _ratio(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    return Decimal(part or 0) / Decimal(whole) if whole else None


# -- Row 3: revenue ------------------------------------------------------------------------------------------


def revenue() -> dict[str, Any] | None:
    """Revenue by channel and week: a chart's data, and the same as rows with each channel's share."""
    now = timezone.localtime()
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    weeks = [monday - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    rows = _kept("revenue", lambda: _revenue_rows(weeks[0]))
    if isinstance(rows, Share) or not rows:
        return None
    by_channel: dict[str, list[Decimal]] = {}
    for week, channel, amount in rows:
        place = (week - weeks[0].date()).days // 7
        if 0 <= place < WEEKS:
            by_channel.setdefault(channel, [Decimal(0)] * WEEKS)[place] += amount
    lines = _largest(by_channel)
    total = sum((sum(amounts) for _name, amounts in lines), Decimal(0))
    return {
        "chart_json": json.dumps(
            {
                "labels": [f"{week:%m-%d}" for week in weeks],
                "datasets": [
                    _dataset(place, name, amounts) for place, (name, amounts) in enumerate(lines, 1)
                ],
            }
        ),
        "rows": [
            {"place": place, "name": name, "amount": sum(amounts), "share": _ratio(sum(amounts), total)}
            for place, (name, amounts) in enumerate(lines, 1)
        ],
        "total": total,
        "from": weeks[0],
    }


def _revenue_rows(since: datetime) -> list[tuple[Any, ...]]:
    return _rows(
        "SELECT date_trunc('week', placed_at AT TIME ZONE %(zone)s)::date, c.name,"
        " sum(greatest(net - refunded_goods, 0))"
        " FROM members_order o JOIN members_channel c ON c.id = o.channel_id"
        " WHERE placed_at >= %(since)s AND paid_at IS NOT NULL AND status <> 'cancelled' GROUP BY 1, 2",
        {"zone": timezone.get_default_timezone_name(), "since": since},
    )


def _largest(by_channel: dict[str, list[Decimal]]) -> list[tuple[str, list[Decimal]]]:
    """Channels by what they took in, largest first; those beyond the colours added up as one."""
    ordered = sorted(by_channel.items(), key=lambda line: -sum(line[1]))
    if len(ordered) <= COLOURS:
        return ordered
    rest = [
        sum(week, Decimal(0))
        for week in zip(*(amounts for _n, amounts in ordered[COLOURS - 1 :]), strict=True)
    ]
    return [*ordered[: COLOURS - 1], (_("Other channels"), rest)]


def _dataset(place: int, name: str, amounts: list[Decimal]) -> dict[str, Any]:
    return {
        "label": name,
        "data": [float(amount) for amount in amounts],
        "borderColor": f"var(--sk-chart-{place})",
        "backgroundColor": f"var(--sk-chart-{place})",
        "displayYAxis": True,
        "maxTicksXLimit": WEEKS,
        "tension": 0.25,
    }


# -- Row 4: imports ------------------------------------------------------------------------------------------


def _imports(user: Person) -> list[ImportRun] | None:
    if not roles.can(user, "imports.view"):
        return None
    return list(
        ImportRun.objects.filter(is_dry=False, is_of_package=False)
        .select_related("channel")
        .order_by("-id")[:LAST_IMPORTS]
    )


# -- Row 4: channel health -----------------------------------------------------------------------------------


def _endpoints(user: Person) -> Glances | None:
    """How the webhook endpoints and queues do, in one statement that the needs are counted from too."""
    return channel_health.at_a_glance(timezone.now()) if roles.can(user, "channels.view") else None


def _channel_needs(told: Glances) -> Iterator[Need]:
    silent = sum(each.needs_somebody for each in told.endpoints)
    words = ngettext("channel that changes do not reach", "channels that changes do not reach", silent)
    yield from _need(silent, words, reverse("channels:health"), tone="bad")
    words = ngettext("queue that does not answer", "queues that do not answer", told.silent_queues)
    yield from _need(told.silent_queues, words, reverse("channels:health"), tone="bad")
    dead = sum(each.dead for each in told.endpoints)
    words = ngettext("dead letter", "dead letters", dead)
    yield from _need(dead, words, reverse("channels:dead-letters"), tone="bad")


def _described(told: Sequence[Glance]) -> list[dict[str, Any]]:
    return [
        {
            "row": each,
            "state": channel_health.STATES[each.state],
            "tone": channel_health.TONES[each.state],
        }
        for each in told
    ]


# -- Asking the database within a limit ----------------------------------------------------------------------


def _kept(name: str, count: Callable[[], Any]) -> Any:
    """What was counted in the last minutes, or count it now; Share(None, None) when that takes too long."""
    key = f"home:{name}"
    found = cache.get(key)
    if found is None:
        try:
            found = count()
        except OperationalError:
            found = Share(None, None)
        cache.set(key, found, KEPT_SECONDS)
    return found


@contextmanager
def _limited() -> Iterator[Any]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {LIMIT_MS}")
        yield cursor


def _row(statement: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    return _rows(statement, parameters)[0]


def _rows(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with _limited() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
