"""A person decides about a friend: let them count in spite of what speaks against it, or refuse them (B9)."""

from django.contrib.auth.models import User
from django.db import transaction

from loyalty import clock, ledger, publishing, referrals
from loyalty.errors import ReferralNotFound, ReferralSettled
from loyalty.grants import Given
from loyalty.models import Referral
from members import survivors
from privacy import roles
from privacy.errors import ReasonMissing

VERB = "referrals.decide"
NOTE_LENGTH = 5
State, Reason = Referral.State, Referral.Reason


@transaction.atomic
def let_count(referral_id: int, person: User, note: str) -> list[Given]:
    """Let a friend count who waits for a person, or was refused; answers what was given.

    They still need their first purchase, when the programme asks for one. Raises NotAllowed,
    ReasonMissing, ReferralNotFound, and ReferralSettled for who counts or waits already, who is the referrer,
    or whom somebody else brought.
    """
    row = _locked(referral_id, person, note)
    linked = survivors.linked([row.friend_id])[row.friend_id]
    others = Referral.objects.filter(friend__in=linked).exclude(pk=row.pk).exclude(state=State.REFUSED)
    may = row.state in (State.REVIEW, State.REFUSED) and row.referrer_id not in linked
    if not may or others.exists():
        raise ReferralSettled
    _decide(row, person, note)
    row.state = State.WAITING
    row.save(update_fields=["state", "reasons", "decided_by", "decided_at", "note"])
    return referrals.count([row.friend_id])


@transaction.atomic
def refuse(referral_id: int, person: User, note: str) -> None:
    """Refuse a friend; who counts already counts no more, and what they brought is taken back.

    Raises NotAllowed, ReasonMissing, ReferralNotFound, and ReferralSettled for who was refused by hand.
    """
    row = _locked(referral_id, person, note)
    if row.state == State.REFUSED and Reason.BY_HAND in row.reasons:
        raise ReferralSettled
    _decide(row, person, note)
    referrals.withdraw(
        row,
        reasons=referrals.in_order({*row.reasons, Reason.BY_HAND}),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )


def _locked(referral_id: int, person: User, note: str) -> Referral:
    roles.require(person, VERB)
    if len(note.strip()) < NOTE_LENGTH:
        raise ReasonMissing
    found = Referral.objects.filter(pk=referral_id).first()
    if found is None:
        raise ReferralNotFound
    linked = survivors.linked([found.referrer_id, found.friend_id])
    members = {id_ for each in linked.values() for id_ in each}
    ledger.lock(members, first_tier=publishing.first_tier, earning_only=members)
    return Referral.objects.get(pk=referral_id)


def _decide(row: Referral, person: User, note: str) -> None:
    row.decided_by, row.decided_at, row.note = person, clock.read().recorded, note.strip()[:300]
