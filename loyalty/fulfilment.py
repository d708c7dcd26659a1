"""Fulfilment: how a claimed reward reaches its member, or comes back (B8).

    waiting → claimed → prepared → done (handed over)        waiting, claimed, prepared → cancelled
                                 ↘ shipped → done (arrived)

A claim may be handed over or sent without having been prepared. It can be cancelled until then: its points go
back to the lots they came from, with their expiry, and its piece to its shelf, where a gift may wait for it.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from loyalty import claims, clock, ledger, publishing, shelves
from loyalty.calendar import end_of
from loyalty.claims import State
from loyalty.errors import ClaimElsewhere, ClaimNotFound, ParcelNumberMissing
from loyalty.ledger import Purses
from loyalty.models import Claim
from loyalty.purse import Origin
from loyalty.reward_terms import Place
from loyalty.tellings import points_changes
from privacy.errors import ReasonMissing

REASON_LENGTH = 5
LONGEST_REASON = 300
LONGEST_TRACKING = 60
TO_DO = (State.WAITING, State.CLAIMED, State.PREPARED, State.SHIPPED)
CANCELLABLE = frozenset({State.WAITING, State.CLAIMED, State.PREPARED})
READY = frozenset({State.CLAIMED, State.PREPARED})


def prepare(claim_ids: Collection[int], *, actor_id: int | None) -> int:
    """Note that these claims are packed or put aside; answers how many, those that were not further yet."""
    with transaction.atomic():
        ready = [claim for claim in claims.lock(claim_ids) if claim.state == State.CLAIMED]
        claims.step(ready, State.PREPARED, now=clock.read().now, actor_id=actor_id)
        return len(ready)


def hand_over(claim_id: int, *, actor_id: int | None, store_id: int | None = None) -> Claim:
    """Note that the member has it: over the counter, or credited online. Sent twice, it counts once.

    store_id: the store that hands it over, when the claim named none. Raises ClaimNotFound, ClaimElsewhere.
    """

    def change(claim: Claim) -> None:
        if claim.way == Claim.Way.PARCEL:
            raise ClaimElsewhere(state=claim.state)
        if claim.store_id is None:
            claim.store_id = store_id

    return _take(claim_id, READY, State.DONE, actor_id=actor_id, change=change)


def ship(claim_id: int, *, tracking: str, actor_id: int | None) -> Claim:
    """Note that the parcel is on its way, with its number.

    Raises ParcelNumberMissing, ClaimNotFound, ClaimElsewhere.
    """
    number = tracking.strip()
    if not 1 <= len(number) <= LONGEST_TRACKING or not number.isprintable():
        raise ParcelNumberMissing

    def change(claim: Claim) -> None:
        if claim.way != Claim.Way.PARCEL or claim.tracking not in ("", number):
            raise ClaimElsewhere(state=claim.state)
        claim.tracking = number

    return _take(claim_id, READY, State.SHIPPED, actor_id=actor_id, change=change)


def arrive(claim_id: int, *, actor_id: int | None) -> Claim:
    """Note that the parcel has arrived. Raises ClaimNotFound, ClaimElsewhere."""
    return _take(claim_id, frozenset({State.SHIPPED}), State.DONE, actor_id=actor_id)


def _take(
    claim_id: int,
    before: Collection[str],
    after: Claim.State,
    *,
    actor_id: int | None,
    change: Callable[[Claim], None] | None = None,
) -> Claim:
    """Let one claim take a step, if that is its next; one that has taken it is answered as it is."""
    try:
        with transaction.atomic():
            claim = _locked(claim_id)
            if change is not None:
                change(claim)
            if claim.state == after:
                return claim
            if claim.state not in before:
                raise ClaimElsewhere(state=claim.state)
            claims.step([claim], after, now=clock.read().now, actor_id=actor_id)
            return claim
    except IntegrityError as error:
        raise _refusal_of(error) from error


def _locked(claim_id: int) -> Claim:
    locked = claims.lock([claim_id])
    if not locked:
        raise ClaimNotFound
    return locked[0]


def _refusal_of(error: IntegrityError) -> Exception:
    """Two who take a step at once: the key of the history lets one of them do it."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None and diagnosis.constraint_name == "claim_history_no_gap_no_fork":
        return ClaimElsewhere()
    return error


# --- coming back -------------------------------------------------------------------------------------


def cancel(claim_id: int, *, reason: str, actor_id: int | None) -> Claim:
    """Undo a claim that was neither handed over nor sent: points to their lots, the piece to its shelf.

    A lot that has lapsed meanwhile is issued anew with the programme's grace. Cancelled twice, it counts
    once. Raises ReasonMissing (under five characters), ClaimNotFound, ClaimElsewhere.
    """
    text = reason.strip()[:LONGEST_REASON]
    if len(text) < REASON_LENGTH:
        raise ReasonMissing
    member_id = Claim.objects.filter(pk=claim_id).values_list("member_id", flat=True).first()
    if member_id is None:
        raise ClaimNotFound
    try:
        with transaction.atomic():
            purses = ledger.lock([member_id], first_tier=publishing.first_tier)
            claim = _locked(claim_id)
            if claim.state == State.CANCELLED:
                return claim
            if claim.state not in CANCELLABLE:
                raise ClaimElsewhere(state=claim.state)
            _give_points_back(claim, purses, actor_id=actor_id, reason=text)
            _put_back([claim], reason=text, now=purses.now, actor_id=actor_id)
            return claim
    except IntegrityError as error:
        raise _refusal_of(error) from error


def withdraw_gifts(claim_ids: Collection[int], *, reason: str, now: datetime) -> set[int]:
    """Cancel gifts that the programme gave and that are not handed over yet; answers which these were.

    In the caller's transaction, by a fixed number of statements. What is sent or handed over stays.
    """
    open_gifts = [
        claim for claim in claims.lock(claim_ids) if claim.state in CANCELLABLE and not claim.points
    ]
    if open_gifts:
        _put_back(open_gifts, reason=reason[:LONGEST_REASON], now=now, actor_id=None)
    return {claim.pk for claim in open_gifts}


def _put_back(cancelled: Sequence[Claim], *, reason: str, now: datetime, actor_id: int | None) -> None:
    stood_on = [claim.shelf_id for claim in cancelled if claim.shelf_id is not None]
    claims.step(cancelled, State.CANCELLED, now=now, actor_id=actor_id, reason=reason)
    if stood_on:
        shelves.put_back(stood_on)
        claims.serve_waiting({Place(claim.reward) for claim in cancelled}, now=now)


def _give_points_back(claim: Claim, purses: Purses, *, actor_id: int | None, reason: str) -> None:
    if claim.points:
        cause = claims.entry_cause(claim.cause)
        paid = ledger.redemptions(purses, {cause: claim.member_id})[cause]
        programme = publishing.load_all().by_id(claim.programme_id)
        today = purses.now.astimezone(programme.time_zone).date()
        origin = Origin(
            cause=cause,
            happened_at=purses.now,
            reason=reason,
            why={key: claim.why[key] for key in ("reward", "name", "points", "money", "version")},
            channel_id=claim.channel_id,
            store_id=claim.store_id,
            actor_id=actor_id,
            programme_id=claim.programme_id,
        )
        grace_ends = end_of(today + timedelta(days=programme.points.reissue_grace_days), programme.time_zone)
        paid.purse.give_back(paid.parts, origin, now=purses.now, reissue_until=grace_ends)
    told = points_changes(purses.values(), claim.channel_id)
    ledger.append(purses, told)
