"""Cases: returns, exchanges, complaints, questions and reviews as their channels tell them (A11).

Promises: a case is one row, however often and in whatever order it is told; an older version is ignored and
counted; the same version with another content is refused; what is not told is kept; each state it came to
is a step. A case without a buyer is that of the buyer of its order, as soon as both are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from members import identity, versions
from members.errors import CaseNotFound, CaseStateForeign, CaseTimesDisorder, VersionConflict
from members.facts import CaseFact, CaseKind, CaseState, digest
from members.models import Case, CaseStep, Channel, Order

# Nothing more is to come.
ENDED = frozenset(
    {CaseState.REFUNDED, CaseState.REPLACED, CaseState.RESOLVED, CaseState.REFUSED, CaseState.CANCELLED}
)
_SENT_BACK = frozenset({CaseState.APPROVED, CaseState.SENT, CaseState.ARRIVED, CaseState.REFUNDED})
# States that only some kinds of cases come to; all others are open to every kind.
_OF_ITS_KIND: Mapping[CaseKind, frozenset[CaseState]] = {
    CaseKind.RETURN: _SENT_BACK,
    CaseKind.EXCHANGE: _SENT_BACK | {CaseState.REPLACED},
}
_BOUND = _SENT_BACK | {CaseState.REPLACED}
# The usual way of what is sent back: with the steps it has taken, a member sees what is still to come.
FLOW: Mapping[CaseKind, tuple[CaseState, ...]] = {
    CaseKind.RETURN: (
        CaseState.OPEN,
        CaseState.APPROVED,
        CaseState.SENT,
        CaseState.ARRIVED,
        CaseState.REFUNDED,
    ),
    CaseKind.EXCHANGE: (
        CaseState.OPEN,
        CaseState.APPROVED,
        CaseState.SENT,
        CaseState.ARRIVED,
        CaseState.REPLACED,
    ),
}

# What is told or not; what is not told is kept.
_TOLD = (
    *("product", "question_type", "feedback_channel", "words", "answer"),
    *("first_response_at", "closed_at", "satisfaction", "order_number"),
)


@dataclass(frozen=True, slots=True)
class CaseReceipt:
    """What became of one told case: new, changed, same or stale."""

    case: Case
    outcome: str


@transaction.atomic
def receive(channel: Channel, fact: CaseFact, *, now: datetime) -> CaseReceipt:
    """Take in a case of a channel.

    Raises VersionConflict, CaseStateForeign, CaseTimesDisorder.
    """
    _require_sense(fact.kind, fact.state, fact.opened_at, fact.first_response_at, fact.closed_at)
    owner = _owner(channel, fact, now)
    told = digest(fact)
    known = _locked(channel, fact.number)
    if known is None:
        case = _new(channel, fact, owner, told)
        try:
            with transaction.atomic():
                case.save(force_insert=True)
                _take_step(case, fact, now)
            return CaseReceipt(case, versions.NEW)
        except IntegrityError:
            known = _locked(channel, fact.number)
            if known is None:
                raise  # another rule than that it was told meanwhile
    return CaseReceipt(known, _hear_again(known, fact, owner, told, now))


def get(channel: Channel, number: str) -> Case:
    """A case of a channel with its steps. Raises CaseNotFound."""
    found = with_steps(Case.objects.filter(channel=channel, number=number)).first()
    if found is None:
        raise CaseNotFound
    return found


def with_steps(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Cases with what is shown of them, and without their sealed texts."""
    return (
        cases.select_related("channel", "member")
        .prefetch_related("steps")
        .defer("words", "answer")
        .order_by("-opened_at", "-id")
    )


# -- inside ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Owner:
    account_id: int | None = None
    member_id: int | None = None


def _owner(channel: Channel, fact: CaseFact, now: datetime) -> _Owner:
    """Whose case it is: the buyer who was told, else the buyer of the order."""
    (known,) = identity.resolve(channel, [fact.buyer], now=now)
    if known is not None:
        return _Owner(known.account_id, known.member_id)
    if fact.order_number is None:
        return _Owner()
    of_order = Order.objects.filter(channel=channel, number=fact.order_number)
    found = of_order.values_list("account_id", "member_id").first()
    return _Owner(*found) if found else _Owner()


def _locked(channel: Channel, number: str) -> Case | None:
    rows = Case.objects.select_for_update(no_key=True, of=("self",)).select_related("channel", "member")
    return rows.filter(channel=channel, number=number).first()


def _require_sense(
    kind: str, state: str, opened_at: datetime, answered_at: datetime | None, closed_at: datetime | None
) -> None:
    """The database says the same; here it is said in words."""
    if state in _BOUND and state not in _OF_ITS_KIND.get(CaseKind(kind), frozenset()):
        raise CaseStateForeign
    if any(at is not None and at < opened_at for at in (answered_at, closed_at)):
        raise CaseTimesDisorder


def _new(channel: Channel, fact: CaseFact, owner: _Owner, told: bytes) -> Case:
    values = {name: value for name in _TOLD if (value := getattr(fact, name)) is not None}
    return Case(
        channel=channel,
        number=fact.number,
        account_id=owner.account_id,
        member_id=owner.member_id,
        kind=fact.kind.value,
        state=fact.state.value,
        opened_at=fact.opened_at,
        version=fact.version,
        digest=told,
        **values,
    )


def _take_step(case: Case, fact: CaseFact, now: datetime) -> None:
    ended_at = fact.closed_at if fact.state in ENDED else None
    began_at = fact.opened_at if case.revision == 1 and fact.state is CaseState.OPEN else None
    CaseStep.objects.create(
        case=case,
        revision=case.revision,
        state=case.state,
        happened_at=fact.state_at or ended_at or began_at,
        heard_at=now,
    )


def _hear_again(case: Case, fact: CaseFact, owner: _Owner, told: bytes, now: datetime) -> str:
    """Bring a case from how it stood to how it is told."""
    outcome = versions.judge(fact.version, told, case.version, bytes(case.digest))
    if outcome == versions.CONFLICT:
        raise VersionConflict
    if outcome == versions.STALE:
        case.stale_count += 1
        case.save(update_fields=["stale_count"])
        return versions.STALE
    before = _standing(case)
    if outcome == versions.CHANGED:
        _retell(case, fact, told)
    if owner.account_id is not None:
        case.account_id, case.member_id = owner.account_id, owner.member_id
    case.version = versions.later(fact.version, case.version)
    is_changed = _standing(case) != before
    if is_changed:
        case.revision += 1
        case.changed_at = now
    case.save()
    if case.state != before["state"]:
        _take_step(case, fact, now)
    return versions.CHANGED if is_changed else versions.SAME


def _standing(case: Case) -> dict[str, object]:
    return {name: getattr(case, name) for name in ("kind", "state", "opened_at", "account_id", *_TOLD)}


def _retell(case: Case, fact: CaseFact, told: bytes) -> None:
    case.kind, case.state, case.opened_at, case.digest = (
        fact.kind.value,
        fact.state.value,
        fact.opened_at,
        told,
    )
    for name in _TOLD:
        if (value := getattr(fact, name)) is not None:
            setattr(case, name, value)
    if fact.state not in ENDED and fact.closed_at is None:
        case.closed_at = None  # taken up again
    _require_sense(case.kind, case.state, case.opened_at, case.first_response_at, case.closed_at)
