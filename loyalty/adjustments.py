"""Points given or taken by hand, with a reason (B3; ledger.md, *by hand* and *correction*).

Up to the programme's limit one person does it alone; above it the change waits for a second person
(`privacy.approvals`) and then runs as it was asked for. What one person does within a day counts together
(`loyalty.makers`), and nobody adjusts their own membership alone. A correction names the entry it reverses,
and nothing is reversed beyond its size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, Sum
from django.db.models.functions import Abs, Now

from loyalty import ledger, makers, publishing
from loyalty.errors import AdjustmentEmpty, CauseTaken, EntryNotReversible, ReversedAlready
from loyalty.ledger import CauseCounted
from loyalty.makers import DAY, Tally
from loyalty.models import Entry, Grant
from loyalty.points import PointsReceipt
from loyalty.publishing import Held
from loyalty.purse import Figures, Origin, Purse
from loyalty.tellings import points_changes
from members import survivors
from members.models import Member, Order
from privacy import approvals, roles
from privacy.errors import ReasonMissing
from privacy.models import Approval

KIND = VERB = "points.adjust"
REASON_LENGTH = 5
OFFERED = 10  # of the latest entries that a correction may name


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What became of it: a receipt when it was done, or the request that waits for a second person."""

    receipt: PointsReceipt | None = None
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What points given or taken now would lead to. `expires_at`: of what is given; None is never."""

    points: int
    before: Figures
    after: Figures
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Preview:
    """An adjustment before anybody does it. `is_own`: it is about the maker's own membership."""

    outcome: Outcome
    tally: Tally
    is_own: bool

    @property
    def is_alone(self) -> bool:
        """Whether it would happen at once, without a second person."""
        return not self.is_own and self.tally.leaves_room_for(abs(self.outcome.points))


@transaction.atomic
def adjust(
    member_id: int, points: int, reason: str, actor: User, *, cause: str, reverses: int | None = None
) -> Adjustment:
    """Give (points > 0) or take (points < 0) by hand, or ask a second person to let it happen.

    reason: at least five characters. cause: what the maker calls it, once for ever; the same again answers
    as the first time. reverses: the entry that this corrects. Raises NotAllowed, ReasonMissing,
    AdjustmentEmpty, NotEnoughPoints, EntryNotReversible, ReversedAlready, CauseTaken, AskedOtherwise.
    """
    roles.require(actor, VERB)
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    name = f"adjust:{actor.pk}:{cause}"
    change = {
        "member_id": member_id,
        "points": points,
        "reason": reason.strip(),
        "cause": name,
        "reverses": reverses,
    }
    makers.take_turn(actor.pk, KIND)
    if (before := _before(change)) is not None:
        return before
    seen = preview(member_id, points, actor, reverses=reverses)
    if not seen.is_alone:
        asked = approvals.ask(KIND, change, reason=reason, asked_by=actor, member_id=member_id, cause=name)
        return Adjustment(approval=asked)
    return Adjustment(receipt=_post(change, actor_id=actor.pk, why=seen.tally.as_why()))


def carry_out(change: Mapping[str, Any], approval: Approval) -> dict[str, Any]:
    """Do what a second person has approved, in the transaction that approves it. Raises as `adjust` does."""
    why = {"approval": approval.pk, "limit": publishing.current().programme.points.adjust_limit}
    receipt = _post(change, actor_id=approval.asked_by_id, why=why)
    return {"entry_id": receipt.entry_id, "points": receipt.points}


def preview(member_id: int, points: int, actor: User, *, reverses: int | None = None) -> Preview:
    """What an adjustment would do now, and whether this person could do it alone. Raises as `foresee`."""
    return Preview(
        foresee(member_id, points, reverses=reverses),
        _tally(actor.pk, member_id, publishing.current()),
        approvals.is_own(actor, Member.objects.filter(pk=member_id).first()),
    )


def foresee(member_id: int, points: int, *, reverses: int | None = None) -> Outcome:
    """What points given or taken now would lead to; nothing is written.

    Raises AdjustmentEmpty, NotEnoughPoints, EntryNotReversible, ReversedAlready.
    """
    if not points:
        raise AdjustmentEmpty
    held = publishing.current()
    purses = ledger.peek([member_id])
    purse = purses[member_id] if member_id in purses else Purse(0, member_id)
    if reverses is not None:
        purse, _done = _reversal(purse, points, reverses)
    before = purse.figures(purses.now)
    expires_at = _expiry(held, purse, purses.now)
    purse.adjust(points, Origin(cause="", happened_at=purses.now), expires_at=expires_at, now=purses.now)
    return Outcome(points, before, purse.figures(purses.now), expires_at if points > 0 else None)


def reversible(member_id: int) -> list[tuple[Entry, int]]:
    """The latest entries of a member that can be corrected, and the points that are left to reverse."""
    mine = survivors.same_person(member_id)
    rows = Entry.objects.filter(_asked_for(), wallet__member__in=mine)
    rows = rows.order_by("-recorded_at", "-id").select_related("wallet")
    found = [(entry, entry.points + _reversed(entry)) for entry in rows[:OFFERED]]
    return [(entry, left) for entry, left in found if left and not _follows(entry)]


# --- the road they share ----------------------------------------------------------------------------


def _before(change: Mapping[str, Any]) -> Adjustment | None:
    """What this cause did the first time, if it has come before."""
    entry = (
        Entry.objects.filter(kind=Entry.Kind.ADJUST, cause=change["cause"]).select_related("wallet").first()
    )
    if entry is not None:
        return Adjustment(receipt=_receipt_of(entry, change))
    asked = Approval.objects.filter(kind=KIND, cause=change["cause"]).first()
    if asked is None:
        return None
    if asked.change != change:
        raise CauseTaken
    return Adjustment(approval=asked)


def _receipt_of(entry: Entry, change: Mapping[str, Any]) -> PointsReceipt:
    said = (entry.wallet.member_id, entry.points, entry.why.get("reverses"))
    if said != (change["member_id"], change["points"], change["reverses"]):
        raise CauseTaken
    figures = ledger.figures(entry.wallet.member_id)
    return PointsReceipt(entry_id=entry.pk, points=entry.points, figures=figures, is_new=False)


def _tally(actor_id: int, member_id: int, held: Held) -> Tally:
    """What the maker has given and taken alone within the last 24 hours: a sum without signs."""
    policy = held.programme.points
    rows = Entry.objects.filter(
        kind=Entry.Kind.ADJUST, actor=actor_id, recorded_at__gt=Now() - DAY, why__approval__isnull=True
    )
    moved = Sum(Abs("points"))
    sums = rows.aggregate(in_all=moved, of_member=Sum(Abs("points"), filter=Q(wallet__member=member_id)))
    return Tally(
        of_member=int(sums["of_member"] or 0),
        in_all=int(sums["in_all"] or 0),
        limit=policy.adjust_limit,
        day_limit=policy.adjust_limit * policy.adjust_day_factor,
    )


def _post(change: Mapping[str, Any], *, actor_id: int, why: dict[str, Any]) -> PointsReceipt:
    held = publishing.current()
    member_id, points = change["member_id"], change["points"]
    purses = ledger.lock([member_id], first_tier=publishing.first_tier)
    purse = purses[member_id]
    if change["reverses"] is not None:
        purse, done = _reversal(purse, points, change["reverses"])
        why |= {"reverses": change["reverses"], "reversed": done}
    origin = Origin(
        cause=change["cause"],
        happened_at=purses.now,
        reason=change["reason"],
        why=why,
        actor_id=actor_id,
        programme_id=held.id,
    )
    posting = purse.adjust(points, origin, expires_at=_expiry(held, purse, purses.now), now=purses.now)
    told = points_changes(purses.values(), None)
    try:
        ledger.append(purses, told)
    except CauseCounted as counted:
        raise CauseTaken from counted
    figures = purse.figures(purses.now)
    return PointsReceipt(entry_id=posting.id or 0, points=points, figures=figures, is_new=True)


def _expiry(held: Held, purse: Purse, now: datetime) -> datetime | None:
    programme = held.programme
    return programme.expiry_of(programme.tier(purse.tier)).expires_at(now, programme.time_zone)


# --- corrections ------------------------------------------------------------------------------------


def _asked_for() -> Q:
    """Entries that a person or a channel asked for. Those of orders and claims follow these: a refund or a
    cancellation moves them, and moved by hand as well they would be moved twice.
    """
    asked = Q(kind__in=[Entry.Kind.EARN, Entry.Kind.REDEEM], order=None, claim=None, channel__isnull=False)
    return Q(kind=Entry.Kind.ADJUST) | asked


def _reversal(mine: Purse, points: int, entry_id: int) -> tuple[Purse, int]:
    """Which of the person's purses an entry is of, and the points of it that were reversed before.

    Raises EntryNotReversible, ReversedAlready.
    """
    purses = {purse.wallet_id: purse for purse in mine.together}
    rows = Entry.objects.filter(_asked_for(), wallet__in=purses, pk=entry_id).select_related("wallet")
    found = rows.first()
    if found is None or (found.points > 0) == (points > 0) or _follows(found):
        raise EntryNotReversible
    done = _reversed(found)
    if abs(points + done) > abs(found.points):
        raise ReversedAlready(left=abs(found.points + done))
    return purses[found.wallet_id], done


def _reversed(entry: Entry) -> int:
    """What corrections of an entry add up to; the index by wallet finds them."""
    rows = Entry.objects.filter(wallet=entry.wallet_id, kind=Entry.Kind.ADJUST, why__reverses=entry.pk)
    return int(rows.aggregate(points=Sum("points"))["points"] or 0)


def _follows(entry: Entry) -> bool:
    """Whether Shuke itself moves an entry's points again: a grant's, or a redemption's that paid an order."""
    if entry.kind == Entry.Kind.EARN:
        return Grant.objects.filter(member=entry.wallet.member_id, entry=entry).exists()
    if entry.kind == Entry.Kind.REDEEM:
        paid = Order.objects.filter(
            member__in=survivors.same_person(entry.wallet.member_id), channel=entry.channel_id
        )
        return paid.filter(points_spent_cause=entry.cause.partition(":")[2]).exists()
    return False
