"""Points asked for one by one: redeem, earn, hold, capture, release (B3).

Each is one transaction: lock the wallet, move, append, tell. The cause is the key: the same cause with the
same content answers as the first time, and with other content is refused (ledger.md).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from loyalty import clock, ledger, publishing
from loyalty.errors import CauseTaken, HoldNotFound, NotEnoughPoints
from loyalty.ledger import CauseCounted, Purses
from loyalty.models import Entry, Hold
from loyalty.purse import Figures, HoldState, Origin, Posting, Purse
from loyalty.tellings import points_changes
from members import survivors
from members.models import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsReceipt:
    entry_id: int
    points: int  # as asked for, positive
    figures: Figures
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReceipt:
    hold_id: int
    points: int
    state: str
    expires_at: datetime
    figures: Figures
    is_new: bool


def redeem(
    member_id: int,
    points: int,
    *,
    cause: str,
    reason: str = "",
    channel: Channel,
    store_id: int | None = None,
    actor_id: int | None = None,
    why: Mapping[str, Any] | None = None,
    programme_id: int | None = None,
) -> PointsReceipt:
    """Spend points. Raises NotEnoughPoints or CauseTaken; nothing has moved then.

    why: the numbers behind it, where the programme made them by its version `programme_id`.
    """

    def move(purse: Purse, purses: Purses) -> Posting:
        origin = Origin(
            cause=named(channel, cause),
            happened_at=purses.now,
            reason=reason,
            why=dict(why or {}),
            channel_id=channel.pk,
            store_id=store_id,
            actor_id=actor_id,
            programme_id=programme_id,
        )
        return purse.redeem(points, origin, now=purses.now)

    return _post(member_id, points, Entry.Kind.REDEEM, named(channel, cause), channel, move)


def earn(
    member_id: int,
    points: int,
    *,
    cause: str,
    reason: str = "",
    channel: Channel,
    store_id: int | None = None,
    actor_id: int | None = None,
) -> PointsReceipt:
    """Give points for something other than an order. They expire as the programme says."""
    version = publishing.load_all().at(clock.read().now)
    programme = version.programme

    def move(purse: Purse, purses: Purses) -> Posting:
        tier = programme.tier(purse.tier)
        origin = Origin(
            cause=named(channel, cause),
            happened_at=purses.now,
            reason=reason,
            channel_id=channel.pk,
            store_id=store_id,
            actor_id=actor_id,
            programme_id=version.id,
        )
        return purse.earn(
            points,
            origin,
            available_from=purses.now,
            expires_at=programme.expiry_of(tier).expires_at(purses.now, programme.time_zone),
            now=purses.now,
        )

    return _post(member_id, points, Entry.Kind.EARN, named(channel, cause), channel, move)


def hold(
    member_id: int, points: int, *, cause: str, reason: str = "", channel: Channel, expires_in: int = 900
) -> HoldReceipt:
    """Set points aside for `expires_in` seconds. Raises NotEnoughPoints now, so that capturing cannot."""
    name = named(channel, cause)
    with transaction.atomic(savepoint=False):
        purses, purse = _open(member_id)
        try:
            made = purse.hold(
                points,
                cause=name,
                reason=reason,
                channel_id=channel.pk,
                expires_at=purses.now + timedelta(seconds=expires_in),
                now=purses.now,
            )
            _close(purses, channel)
            return _held(made, purse, purses, is_new=True)
        except (CauseCounted, NotEnoughPoints) as refused:
            refusal = refused
    return _hold_before(member_id, points, name, refusal)


@transaction.atomic
def capture(
    member_id: int, hold_id: int, *, points: int | None = None, channel: Channel, actor_id: int | None = None
) -> PointsReceipt:
    """Spend what a hold set aside, all of it or `points`; the rest is released. Raises HoldEnded."""
    purses, mine = _open(member_id)
    purse, held = _find(mine, hold_id, channel)
    origin = Origin(
        cause=f"hold:{hold_id}",
        happened_at=purses.now,
        reason=held.reason,
        channel_id=channel.pk,
        actor_id=actor_id,
    )
    posting = purse.capture(held, held.points if points is None else points, origin, now=purses.now)
    _close(purses, channel)
    return PointsReceipt(
        entry_id=posting.id or 0, points=-posting.points, figures=purse.figures(purses.now), is_new=True
    )


@transaction.atomic
def release(member_id: int, hold_id: int, *, channel: Channel) -> HoldReceipt:
    """Let a hold go. Raises HoldEnded when it was captured, released or timed out before."""
    purses, mine = _open(member_id)
    purse, held = _find(mine, hold_id, channel)
    purse.release(held, now=purses.now)
    _close(purses, channel)
    return _held(held, purse, purses, is_new=True)


def open_holds(member_id: int, *, channel: Channel | None = None) -> list[Hold]:
    """What is set aside of a member's points now, soonest to time out first; of one channel, or of all."""
    rows = Hold.objects.filter(
        wallet__member__in=survivors.same_person(member_id),
        state=Hold.State.OPEN,
        expires_at__gt=clock.read().now,
    )
    if channel is not None:
        rows = rows.filter(channel=channel)
    return list(rows.select_related("channel").order_by("expires_at", "id"))


def named(channel: Channel, cause: str) -> str:
    """A cause is the channel's own word: two channels may use the same."""
    return f"{channel.code}:{cause}"


# --- the road they share ----------------------------------------------------------------------------


def _post(
    member_id: int,
    points: int,
    kind: str,
    cause: str,
    channel: Channel,
    move: Callable[[Purse, Purses], Posting],
) -> PointsReceipt:
    # No savepoint: whatever is refused here is refused before anything is written.
    with transaction.atomic(savepoint=False):
        purses, purse = _open(member_id)
        try:
            posting = move(purse, purses)
            _close(purses, channel)
            figures = purse.figures(purses.now)
            return PointsReceipt(entry_id=posting.id or 0, points=points, figures=figures, is_new=True)
        except (CauseCounted, NotEnoughPoints) as refused:
            refusal = refused
    return _posted_before(member_id, points, kind, cause, refusal)


def _open(member_id: int) -> tuple[Purses, Purse]:
    purses = ledger.lock([member_id], first_tier=publishing.first_tier)
    return purses, purses[member_id]


def _close(purses: Purses, channel: Channel) -> None:
    ledger.append(purses, points_changes(purses.values(), channel.pk))


def _posted_before(
    member_id: int, points: int, kind: str, cause: str, refusal: CauseCounted | NotEnoughPoints
) -> PointsReceipt:
    """The unique key answered, or the points were spent the first time: is it the same thing again?"""
    entry = Entry.objects.filter(kind=kind, cause=cause).select_related("wallet").first()
    if entry is None:
        raise refusal
    if entry.wallet.member_id != member_id or abs(entry.points) != points:
        raise CauseTaken from refusal
    return PointsReceipt(entry_id=entry.pk, points=points, figures=ledger.figures(member_id), is_new=False)


def _hold_before(
    member_id: int, points: int, cause: str, refusal: CauseCounted | NotEnoughPoints
) -> HoldReceipt:
    row = Hold.objects.filter(cause=cause).select_related("wallet").first()
    if row is None:
        raise refusal
    if row.wallet.member_id != member_id or row.points != points:
        raise CauseTaken from refusal
    return HoldReceipt(
        hold_id=row.pk,
        points=row.points,
        state=row.state,
        expires_at=row.expires_at,
        figures=ledger.figures(member_id),
        is_new=False,
    )


def _find(mine: Purse, hold_id: int, channel: Channel) -> tuple[Purse, HoldState]:
    """A hold of the member, and which of the person's purses it is of."""
    for purse in mine.together:
        for held in purse.holds:
            if held.id == hold_id and held.channel_id == channel.pk:
                return purse, held
    wallets = [purse.wallet_id for purse in mine.together]
    row = Hold.objects.filter(pk=hold_id, wallet__in=wallets, channel=channel).first()
    if row is None:
        raise HoldNotFound
    # It is not open any more: let the purse say so.
    return mine, HoldState(
        row.points, row.expires_at, [], row.cause, row.reason, row.channel_id, row.state, id=row.pk
    )


def _held(held: HoldState, purse: Purse, purses: Purses, *, is_new: bool) -> HoldReceipt:
    return HoldReceipt(
        hold_id=held.id or 0,
        points=held.points,
        state=held.state,
        expires_at=held.expires_at,
        figures=purse.figures(purses.now),
        is_new=is_new,
    )
