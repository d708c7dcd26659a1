"""Approvals: what one person asks for and a second person lets happen (D6).

Promises: the change is frozen when it is asked for, and is what runs, in the transaction that approves it;
who decides holds the verb of that kind, is not who asked, and is not the member it is about; a request is
decided once, or withdrawn by who asked for it, or expires. Each kind is named in `settings.APPROVABLE` with
the operation that runs, because this floor imports none of the others:

    title       what such a request is called
    verb        of the role matrix: who may decide
    operation   (change, approval) -> what came of it, as plain data, or None
    sentence    (change) -> the exact change in words
    after       (change) -> what will be when it is approved, in words; may be left out
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from privacy import roles
from privacy.crypto import blind_index
from privacy.errors import (
    ApprovalChanged,
    ApprovalDecided,
    ApprovalExpired,
    ApprovalNotFound,
    AskedOtherwise,
    NotAllowed,
    OthersRequest,
    OwnBenefit,
    OwnRequest,
    PrivacyError,
    ReasonMissing,
)
from privacy.models import Approval

LIFETIME = timedelta(hours=24)
REASON_LENGTH = 5
ASKED_ONCE = "approval_asked_once_per_cause"

Change = Mapping[str, Any]
Person = User | AnonymousUser


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change that needs a second person."""

    name: str
    title: str | Promise
    verb: str
    operation: Callable[[Change, Approval], Mapping[str, Any] | None]
    sentence: Callable[[Change], str]
    after: Callable[[Change], str] | None


def kind_of(name: str) -> Kind:
    """The kind of that name. KeyError for one that settings.APPROVABLE does not know."""
    said = _kinds()[name]
    return Kind(
        name=name,
        title=said.get("title", name),
        verb=said["verb"],
        operation=import_string(said["operation"]),
        sentence=import_string(said["sentence"]),
        after=import_string(said["after"]) if "after" in said else None,
    )


def _kinds() -> Mapping[str, Mapping[str, Any]]:
    kinds: Mapping[str, Mapping[str, Any]] = settings.APPROVABLE
    return kinds


# --- asking -----------------------------------------------------------------------------------------


def ask(
    kind: str, change: Change, *, reason: str, asked_by: User, member_id: int | None = None, cause: str = ""
) -> Approval:
    """Ask for a change; it waits for 24 hours. Answers the request that was made.

    change: plain data, frozen as it is now. member_id: whom it is about. cause: what the maker calls it;
    the same again under the same cause answers the first request. Raises ReasonMissing under five
    characters, AskedOtherwise.
    """
    assert kind in settings.APPROVABLE, kind
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    row = Approval(
        kind=kind,
        change=json.loads(json.dumps(change)),
        cause=cause,
        reason=reason.strip(),
        member_id=member_id,
        asked_by=asked_by,
        expires_at=timezone.now() + LIFETIME,
    )
    row.digest = _digest(row)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as refused:
        if ASKED_ONCE not in str(refused):
            raise
    else:
        return row
    before = Approval.objects.get(kind=kind, cause=cause)
    if bytes(before.digest) != row.digest:
        raise AskedOtherwise
    return before


def _digest(row: Approval) -> bytes:
    """What the request says, in 32 keyed bytes."""
    said = [row.kind, row.change, row.cause, row.reason, row.member_id, row.asked_by_id]
    return blind_index(json.dumps(said, sort_keys=True, separators=(",", ":")), purpose="approval")


# --- deciding ---------------------------------------------------------------------------------------


@transaction.atomic
def approve(approval_id: int, user: User, note: str = "") -> Approval:
    """Let a change happen: it runs here and now, exactly as it was asked for.

    Raises what `hindrance` answers, ApprovalNotFound, ApprovalDecided, ApprovalExpired, ApprovalChanged,
    and whatever the operation refuses; the request then goes on waiting and nothing has moved.
    """
    row = _take(approval_id, user)
    if not compare_digest(bytes(row.digest), _digest(row)):
        raise ApprovalChanged
    row.decided_by = user
    row.result = dict(kind_of(row.kind).operation(row.change, row) or {})
    return _decide(row, Approval.State.APPROVED, note)


@transaction.atomic
def refuse(approval_id: int, user: User, note: str) -> Approval:
    """Refuse a change, with a word on why (at least five characters). Raises as `approve` does."""
    row = _take(approval_id, user)
    if len(note.strip()) < REASON_LENGTH:
        raise ReasonMissing
    row.decided_by = user
    return _decide(row, Approval.State.REFUSED, note)


@transaction.atomic
def withdraw(approval_id: int, user: User, note: str = "") -> Approval:
    """Take back what one asked for oneself, while it waits. The request stays, with a word on why if told.

    Raises ApprovalNotFound, OthersRequest, ApprovalDecided, ApprovalExpired.
    """
    row = _lock(approval_id)
    if row is None:
        raise ApprovalNotFound
    if row.asked_by_id != user.pk:
        raise OthersRequest
    _require_waiting(row)
    return _decide(row, Approval.State.WITHDRAWN, note)


def expire() -> int:
    """Write down that requests have run out of time; answers how many."""
    over = Approval.objects.filter(state=Approval.State.WAITING, expires_at__lte=timezone.now())
    return over.update(state=Approval.State.EXPIRED, decided_at=F("expires_at"))


def _take(approval_id: int, user: User) -> Approval:
    row = _lock(approval_id)
    if row is None:
        raise ApprovalNotFound
    if (hindered := hindrance(row, user)) is not None:
        raise hindered
    _require_waiting(row)
    return row


def _require_waiting(row: Approval) -> None:
    # Expiry is a function of time and not of the job that writes it down.
    if row.state == Approval.State.EXPIRED or is_over(row):
        raise ApprovalExpired
    if row.state != Approval.State.WAITING:
        raise ApprovalDecided


def _lock(approval_id: int) -> Approval | None:
    return Approval.objects.select_for_update(no_key=True).filter(pk=approval_id).first()


def _decide(row: Approval, state: Approval.State, note: str) -> Approval:
    row.state, row.note, row.decided_at = state, note.strip(), timezone.now()
    row.save(update_fields=["state", "decided_by", "decided_at", "note", "result"])
    return row


def is_over(row: Approval) -> bool:
    """Whether a request that nobody decided has run out of time."""
    return row.state == Approval.State.WAITING and row.expires_at <= timezone.now()


def state_of(row: Approval) -> str:
    """The state of a request as it is now: one that has run out of time is `expired` before a job says so."""
    return Approval.State.EXPIRED if is_over(row) else row.state


def hindrance(row: Approval, user: Person) -> PrivacyError | None:
    """Why this person cannot decide this request, or None: NotAllowed, OwnRequest, OwnBenefit."""
    if not roles.can(user, kind_of(row.kind).verb):
        return NotAllowed()
    if row.asked_by_id == user.pk:
        return OwnRequest()
    if row.member_id is not None and is_own(user, row.member):
        return OwnBenefit()
    return None


def may_withdraw(row: Approval, user: Person) -> bool:
    """Whether this person may take the request back now: they asked for it, and it waits."""
    return row.asked_by_id == user.pk and state_of(row) == Approval.State.WAITING


def is_own(user: Person, member: models.Model | None) -> bool:
    """Whether a member is this member of staff, by the membership on their profile, merges included."""
    profile = roles.profile_of(user)
    if member is None or profile is None or profile.member_id is None:
        return False
    return _survivor(profile.member) == _survivor(member)


def _survivor(member: Any) -> Any:
    while member.merged_into_id is not None:
        member = member.merged_into
    return member


# --- looking ----------------------------------------------------------------------------------------


def find(approval_id: int) -> Approval:
    """One request. Raises ApprovalNotFound."""
    row = _all().filter(pk=approval_id).first()
    if row is None:
        raise ApprovalNotFound
    return row


def listed(user: Person, which: str = "waiting") -> QuerySet[Approval]:
    """Requests as a list shows them: those `waiting`, those this person `asked`, those `decided`.

    Newest first, save the waiting ones: there the one that has waited longest comes first.
    """
    if which == "asked":
        return _all().filter(asked_by=user.pk).order_by("-id")
    if which == "decided":
        return _all().exclude(_open()).order_by("-id")
    return _all().filter(_open()).order_by("id")


def for_decision(user: Person) -> QuerySet[Approval]:
    """The waiting requests that wait for this person, oldest first."""
    kinds = [name for name, said in _kinds().items() if roles.can(user, said["verb"])]
    if not kinds:
        return Approval.objects.none()
    profile = roles.profile_of(user)
    rows = _all().filter(_open(), kind__in=kinds).exclude(asked_by=user.pk)
    if profile is not None and profile.member_id is not None:
        rows = rows.exclude(member=profile.member_id)
    return rows.order_by("id")


def _all() -> QuerySet[Approval]:
    return Approval.objects.select_related("asked_by", "decided_by", "member")


def _open() -> Q:
    return Q(state=Approval.State.WAITING, expires_at__gt=timezone.now())
