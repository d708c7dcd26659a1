"""Tiers that are given: a floor by hand, an invitation, a rule's gift, a cut of the top; and their ends (B1).

A floor and an invitation by hand are asked for by one person and run when a second approves
(`privacy.approvals`, kind `tiers.set`). A gift comes with whatever a rule gave it for, once per cause. What
they do to a member happens in the transaction that writes them.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q

from loyalty import ascents, clock, ledger, publishing, tiers
from loyalty.ascents import Ascent
from loyalty.errors import TierNotGivable, TierUnknown, TimeInvalid
from loyalty.ledger import Purses
from loyalty.models import TierEvent
from loyalty.publishing import Held
from loyalty.tellings import points_changed, tier_changed
from loyalty.tier_rows import GrowthRow
from loyalty.tiers import Ending, Event
from members.models import Member
from privacy import approvals, roles
from privacy.models import Approval

KIND = VERB = "tiers.set"
Kind = TierEvent.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A tier that something other than a person gives: a rule, a milestone, a referral, a cut."""

    member_id: int
    tier: str
    cause: str
    programme_id: int
    kind: str = Kind.GIFT
    why: Mapping[str, Any] = field(default_factory=dict)
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthGift:
    """Growth value for something other than an order."""

    member_id: int
    growth: int
    cause: str
    programme_id: int
    happened_at: datetime
    why: Mapping[str, Any] = field(default_factory=dict)
    channel_id: int | None = None


# --- by hand ----------------------------------------------------------------------------------------


def ask(member: Member, tier: str, until: datetime | None, reason: str, asked_by: User) -> Approval:
    """Ask that a member's tier be no lower than `tier` until an instant; a second person lets it happen.

    Without `until` it is an invitation to a tier that is by invitation. Raises NotAllowed, TierUnknown,
    TierNotGivable, TimeInvalid, ReasonMissing.
    """
    roles.require(asked_by, VERB)
    change = {
        "member_id": member.pk,
        "tier": tier,
        "until": until.isoformat() if until else None,
        "reason": reason.strip(),
    }
    check(change, publishing.current(), clock.read().now)
    return approvals.ask(KIND, change, reason=reason, asked_by=asked_by, member_id=member.pk)


def ask_end(event: TierEvent, reason: str, asked_by: User) -> Approval:
    """Ask that something given end now. Raises NotAllowed, ReasonMissing, TierNotGivable if it has ended."""
    roles.require(asked_by, VERB)
    _check_open(event, clock.read().now)
    change = {
        "member_id": event.wallet.member_id,
        "ends": event.pk,
        "tier": event.tier,
        "reason": reason.strip(),
    }
    return approvals.ask(KIND, change, reason=reason, asked_by=asked_by, member_id=event.wallet.member_id)


def check(change: Mapping[str, Any], held: Held, now: datetime) -> None:
    """Refuse what cannot be given: an unknown or the lowest tier, a time that is over."""
    tier = next((tier for tier in held.programme.tiers if tier.code == change["tier"]), None)
    if tier is None:
        raise TierUnknown
    if tier.rank == 0:
        raise TierNotGivable
    if change["until"] is None:
        if tier.qualify is None or not tier.qualify.by_invitation:
            raise TimeInvalid
    elif datetime.fromisoformat(change["until"]) <= now:
        raise TimeInvalid


def carry_out(change: Mapping[str, Any], approval: Approval) -> dict[str, Any]:
    """Do what a second person has approved, in the transaction that approves it."""
    held = publishing.current()
    why = {
        "reason": change["reason"],
        "approval": approval.pk,
        "asked_by": approval.asked_by.get_username(),
    }
    if "ends" in change:
        cause = f"approval:{approval.pk}"
        return {"event_id": end(change["ends"], cause, why, actor_id=approval.asked_by_id)}
    check(change, held, clock.read().now)
    until = datetime.fromisoformat(change["until"]) if change["until"] else None
    gift = Gift(
        member_id=change["member_id"],
        tier=change["tier"],
        cause=f"approval:{approval.pk}",
        programme_id=held.id,
        kind=Kind.FLOOR if until else Kind.INVITATION,
        why=why,
        ends_at=until,
    )
    given = give([gift], actor_id=approval.asked_by_id, reason=change["reason"])
    return {"event_id": given[gift.cause]}


# --- giving -----------------------------------------------------------------------------------------


@transaction.atomic
def give(
    gifts: Sequence[Gift], *, purses: Purses | None = None, actor_id: int | None = None, reason: str = ""
) -> dict[str, int]:
    """Give tiers, each once per cause; answers the events that were made, by cause.

    A cause that was given before, and a tier that the programme in force does not have, make none. By a fixed
    number of statements; `purses`: the wallets, when the caller has locked them.
    """
    programmes = publishing.load_all()
    purses = purses or _lock(gifts)
    known = {tier.code for tier in programmes.at(purses.now).programme.tiers}
    wanted = [gift for gift in gifts if gift.tier in known]
    ascent, bought = open_for(purses, programmes, {gift.member_id for gift in wanted})
    made = _insert(wanted, purses, actor_id=actor_id, reason=reason)
    for gift in [gift for gift in wanted if gift.cause in made]:
        event = Event(
            id=made[gift.cause],
            kind=gift.kind,
            tier=gift.tier,
            starts_at=purses.now,
            ends_at=gift.ends_at,
            why={**gift.why, **({"reason": reason} if reason else {})},
        )
        ascent.accept(gift.member_id, event, bought.get(gift.member_id, ()))
    if made:
        write(purses, ascent)
    return made


@transaction.atomic
def give_growth(gifts: Sequence[GrowthGift], *, purses: Purses | None = None) -> None:
    """Give growth value, which may raise at once. A cause that was counted before raises IntegrityError."""
    if not gifts:
        return
    programmes = publishing.load_all()
    purses = purses or _lock(gifts)
    members = {gift.member_id for gift in gifts}
    ascent, bought = open_for(purses, programmes, members, since=min(gift.happened_at for gift in gifts))
    for gift in gifts:
        row = GrowthRow(
            wallet_id=purses[gift.member_id].wallet_id,
            growth=gift.growth,
            cause=gift.cause,
            why=dict(gift.why),
            channel_id=gift.channel_id,
            order_id=None,
            programme_id=gift.programme_id,
            happened_at=min(gift.happened_at, purses.now),
        )
        ascent.give_growth(gift.member_id, row, bought.get(gift.member_id, ()))
    write(purses, ascent)


@transaction.atomic
def end(
    event_id: int,
    cause: str,
    why: Mapping[str, Any],
    *,
    actor_id: int | None = None,
    purses: Purses | None = None,
) -> int:
    """End something given now; answers the event that says so. Raises TierNotGivable when it has ended.

    purses: the wallets, when the caller has locked them.
    """
    event = TierEvent.objects.select_related("wallet").get(pk=event_id)
    programmes = publishing.load_all()
    member_id = event.wallet.member_id
    purses = purses or ledger.lock([member_id], first_tier=publishing.first_tier)
    _check_open(event, purses.now)
    ascent, bought = open_for(purses, programmes, {member_id})
    made = TierEvent.objects.create(
        wallet=event.wallet,
        kind=Kind.END,
        tier=event.tier,
        cause=f"end:{cause}",
        reason=str(why.get("reason", "")),
        why=dict(why),
        ends=event,
        starts_at=purses.now,
        actor_id=actor_id,
        programme_id=programmes.at(purses.now).id,
        recorded_at=purses.clock.recorded,
    )
    ascent.end(member_id, Ending(made.pk, event_id, {"event": event_id, **why}), bought.get(member_id, ()))
    write(purses, ascent)
    return made.pk


@transaction.atomic
def end_all(
    causes: Mapping[int, str], why: Mapping[str, Any], *, actor_id: int | None = None
) -> dict[int, int]:
    """End things given, by the id of each its cause, now; answers the events that say so, by what they end.

    What has ended already is left alone. By a fixed number of statements, however many there are.
    """
    programmes = publishing.load_all()
    events = TierEvent.objects.select_related("wallet").filter(pk__in=causes).exclude(kind=Kind.END)
    members = {event.wallet.member_id for event in events}
    purses = ledger.lock(members, first_tier=publishing.first_tier)
    running = events.filter(Q(ends_at=None) | Q(ends_at__gt=purses.now), ended_by=None).order_by("pk")
    ending = list(running)
    ascent, bought = open_for(purses, programmes, {event.wallet.member_id for event in ending})
    made = TierEvent.objects.bulk_create(
        TierEvent(
            wallet=event.wallet,
            kind=Kind.END,
            tier=event.tier,
            cause=f"end:{causes[event.pk]}",
            why=dict(why),
            ends=event,
            starts_at=purses.now,
            actor_id=actor_id,
            programme_id=programmes.at(purses.now).id,
            recorded_at=purses.clock.recorded,
        )
        for event in ending
    )
    for event, end_of_it in zip(ending, made, strict=True):
        member_id = event.wallet.member_id
        ends = Ending(end_of_it.pk, event.pk, {"event": event.pk, **why})
        ascent.end(member_id, ends, bought.get(member_id, ()))
    write(purses, ascent)
    return {event.pk: end_of_it.pk for event, end_of_it in zip(ending, made, strict=True)}


def _check_open(event: TierEvent, now: datetime) -> None:
    ended = TierEvent.objects.filter(ends=event).exists()
    if ended or event.kind == Kind.END or (event.ends_at is not None and event.ends_at <= now):
        raise TierNotGivable


def _lock(gifts: Sequence[Gift] | Sequence[GrowthGift]) -> Purses:
    members = {gift.member_id for gift in gifts}
    return ledger.lock(members, first_tier=publishing.first_tier, earning_only=members)


def _insert(gifts: Sequence[Gift], purses: Purses, *, actor_id: int | None, reason: str) -> dict[str, int]:
    """Insert the events; the unique key of causes answers which are new."""
    if not gifts:
        return {}
    rows = [
        {
            "wallet_id": purses[gift.member_id].wallet_id,
            "kind": str(gift.kind),
            "tier": gift.tier,
            "cause": gift.cause,
            "reason": reason,
            "why": dict(gift.why),
            "starts_at": purses.now.isoformat(),
            "ends_at": gift.ends_at.isoformat() if gift.ends_at else None,
            "actor_id": actor_id,
            "programme_id": gift.programme_id,
        }
        for gift in gifts
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_tierevent (wallet_id, kind, tier, cause, reason, why, starts_at, ends_at,"
            " actor_id, programme_id, recorded_at)"
            " SELECT wallet_id, kind, tier, cause, reason, why, starts_at, ends_at, actor_id, programme_id,"
            " %s FROM jsonb_to_recordset(%s::jsonb) AS g(wallet_id bigint, kind text, tier text, cause text,"
            " reason text, why jsonb, starts_at timestamptz, ends_at timestamptz, actor_id int,"
            " programme_id bigint) ON CONFLICT (cause) DO NOTHING RETURNING cause, id",
            [purses.clock.recorded, json.dumps(rows)],
        )
        return dict(cursor.fetchall())


# --- the road they share ----------------------------------------------------------------------------


def open_for(
    purses: Purses,
    programmes: publishing.Programmes,
    member_ids: Collection[int],
    *,
    since: datetime | None = None,
) -> tuple[Ascent, Mapping[int, Sequence[tiers.Purchase]]]:
    """Put members on the ladder, with what they bought: before the events are inserted that it accepts.

    since: the earliest instant at which something is judged, when that is before now.
    """
    mine = purses.of(member_ids)
    ascent = Ascent.open(mine, programmes)
    return ascent, ascents.purchases(mine, list(mine), ascent.since(since or ascent.now))


def write(purses: Purses, ascent: Ascent, *, channel_id: int | None = None) -> None:
    """Write what moved, and tell it to the channels."""
    told = [
        points_changed(purse, purse.postings[:], channel_id) for purse in purses.values() if purse.postings
    ]
    ascent.write()
    ledger.append(purses, [*told, *(tier_changed(step, channel_id) for step in ascent.steps)])
