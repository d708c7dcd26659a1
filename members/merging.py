"""Merging: two members turn out to be one person, and it turns out that they are not (A6).

Promises: both rows stay, the one naming the other as survivor; nothing that came of either is rewritten.
What each floor has to do with it, it does as a participant (`settings.MERGE_PARTICIPANTS`), in one
transaction with the link. A merge is undone latest first, and then each goes on as their own person.

Members are locked in the order of their ids, before wallets are; the trigger
`merge_of_two_who_are_not_merged` holds what the locks promise.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from members import merged_profiles, outbox, survivors
from members.errors import (
    AlreadyMerged,
    DecidedDifferent,
    MemberNotFound,
    MergeNotFound,
    MergeNotLatest,
    MergeOfOne,
    MergeOfOwn,
    MergeUndone,
)
from members.merged_profiles import FieldChoice
from members.models import MatchReview, Member, Merge
from privacy import approvals
from privacy.errors import ReasonMissing

REASON_LENGTH = 5
LONGEST_REASON = 300
State = MatchReview.State


class Participant(Protocol):
    """What a floor does when two members are merged. Ids are of the two members, the survivor's first."""

    def preview(self, survivor_id: int, other_id: int) -> Mapping[str, Any]:
        """What a merge would do here now: figures by name, nothing personal. Nothing is written."""

    def link(self, merge: Merge) -> None:
        """Do it; the merge is written, and the other member names the survivor."""

    def unlink(self, merge: Merge) -> None:
        """Undo it; the merge still stands, and ends in this transaction."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A merge before anybody makes it. `effects`: what each participant says, by its name."""

    survivor: Member
    other: Member
    fields: list[FieldChoice]
    effects: Mapping[str, Mapping[str, Any]]
    review: MatchReview | None  # what was asked, or decided, about the pair


@cache
def participants() -> tuple[tuple[str, Participant], ...]:
    """Those of settings.MERGE_PARTICIPANTS, by the names of their floors, in their order."""
    return tuple(
        (path.partition(".")[0], cast(Participant, import_module(path)))
        for path in settings.MERGE_PARTICIPANTS
    )


def preview(a_id: int, b_id: int) -> Preview:
    """What merging member b into member a would do. Raises as `merge` does."""
    members = _unmerged(Member.objects.filter(pk__in=[a_id, b_id]), a_id, b_id)
    return Preview(
        survivor=members[a_id],
        other=members[b_id],
        fields=merged_profiles.choose(members[a_id], members[b_id]),
        effects={name: shown for name, each in participants() if (shown := each.preview(a_id, b_id))},
        review=reviews_between([a_id], [b_id]).first(),
    )


def merge(
    survivor_id: int,
    other_id: int,
    *,
    actor_id: int | None,
    reason: str,
    choices: Mapping[str, str] | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> Merge:
    """Merge one member into another, who survives.

    actor_id: who found it; None for the matching, when it is sure. choices: by field of the profile whose
    value stays, `survivor` or `other`; the rest is as `preview` proposes. Raises MergeOfOne, AlreadyMerged,
    MemberNotFound (also for who was erased), MergeOfOwn, ReasonMissing (under five characters),
    MergeChoiceInvalid, and DecidedDifferent for the matching only.
    """
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    try:
        with transaction.atomic():
            return _merge(survivor_id, other_id, actor_id, reason.strip(), choices or {}, evidence or {})
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", "") in _MERGED_ALREADY:
            raise AlreadyMerged from error
        raise


_MERGED_ALREADY = {"merge_of_two_who_are_not_merged", "member_merged_into_one"}


def _merge(
    survivor_id: int,
    other_id: int,
    actor_id: int | None,
    reason: str,
    choices: Mapping[str, str],
    evidence: Mapping[str, Any],
) -> Merge:
    members = _unmerged(lock([survivor_id, other_id]), survivor_id, other_id)
    survivor, other = members[survivor_id], members[other_id]
    _refuse_own(actor_id, [survivor, other])
    review = _asked_about(survivor_id, other_id, actor_id)
    made = Merge.objects.create(
        survivor=survivor,
        other=other,
        actor_id=actor_id,
        reason=reason[:LONGEST_REASON],
        choices=merged_profiles.settle(survivor, other, choices),
        evidence=dict(evidence),
        before=merged_profiles.snapshot(survivor, other),
    )
    other.status, other.merged_into = Member.Status.MERGED, survivor
    other.save(update_fields=["status", "merged_into"])
    for _name, each in participants():
        each.link(made)
    if review is not None and review.state != State.SAME:
        _decide(review, State.SAME, actor_id)
    _tell("member.merged", made)
    return made


def unmerge(merge_id: int, *, actor_id: int | None, reason: str) -> Merge:
    """Undo a merge: both are people of their own again, each with what came of them.

    The pair is remembered as different people. Raises MergeNotFound, MergeUndone, MergeNotLatest,
    MergeOfOwn, ReasonMissing.
    """
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    with transaction.atomic():
        found = Merge.objects.filter(pk=merge_id).first()
        if found is None:
            raise MergeNotFound
        same_person = survivors.linked([found.survivor_id])[found.survivor_id]
        members = {member.pk: member for member in lock({*same_person, found.survivor_id, found.other_id})}
        found.refresh_from_db()
        if not found.is_open:
            raise MergeUndone
        _refuse_later(found)
        _refuse_own(actor_id, [members[found.survivor_id], members[found.other_id]])
        return _unmerge(found, members, actor_id, reason.strip()[:LONGEST_REASON])


def _unmerge(found: Merge, members: Mapping[int, Member], actor_id: int | None, reason: str) -> Merge:
    for _name, each in participants():
        each.unlink(found)
    other = members[found.other_id]
    other.status, other.merged_into = merged_profiles.status_before(found), None
    other.save(update_fields=["status", "merged_into"])
    found.undone_by_id, found.undone_reason = actor_id, reason
    Merge.objects.filter(pk=found.pk).update(undone_at=Now(), undone_by=actor_id, undone_reason=reason)
    found.refresh_from_db()
    pair = {"member_id": found.survivor_id, "other_id": found.other_id}
    review = reviews_between([found.survivor_id], [found.other_id]).first()
    if review is None:
        review = MatchReview.objects.create(**pair, reason=MatchReview.Reason.UNMERGED)
    _decide(review, State.DIFFERENT, actor_id)
    _tell("member.unmerged", found)
    return found


def merges_of(member_id: int) -> list[Merge]:
    """The merges that made a person of this member and others, and those that were undone; latest first."""
    same_person = survivors.same_person(member_id)
    rows = Merge.objects.filter(Q(survivor__in=same_person) | Q(other__in=same_person))
    return list(rows.select_related("survivor", "other", "actor", "undone_by").order_by("-pk"))


def latest_of(member_id: int) -> Merge:
    """The merge of a person that is to be undone first. Raises MergeNotFound when there is none."""
    found = next((each for each in merges_of(member_id) if each.is_open), None)
    if found is None:
        raise MergeNotFound
    return found


def of_member(member_id: int, merge_id: int | None) -> Merge:
    """A merge of this person, the latest that stands unless told. Raises MergeNotFound."""
    if merge_id is None:
        return latest_of(member_id)
    found = next((each for each in merges_of(member_id) if each.pk == merge_id), None)
    if found is None:
        raise MergeNotFound
    return found


def reviews_between(ones: Collection[int], others: Collection[int]) -> Any:
    """What was asked, or decided, about whether these members are those."""
    either = Q(member__in=ones, other__in=others) | Q(member__in=others, other__in=ones)
    return MatchReview.objects.filter(either).order_by("-decided_at", "pk")


def lock(member_ids: Collection[int]) -> list[Member]:
    """Lock members in the order of their ids; as they stand."""
    rows = Member.objects.filter(pk__in=member_ids).order_by("pk").select_for_update(no_key=True)
    return list(rows)


# --- what speaks against it ---------------------------------------------------------------------------


def _unmerged(rows: Any, survivor_id: int, other_id: int) -> dict[int, Member]:
    if survivor_id == other_id:
        raise MergeOfOne
    members = {member.pk: member for member in rows}
    if len(members) < 2 or any(member.status == Member.Status.ERASED for member in members.values()):
        raise MemberNotFound
    if any(member.merged_into_id is not None for member in members.values()):
        raise AlreadyMerged
    return members


def _refuse_own(actor_id: int | None, members: Collection[Member]) -> None:
    if actor_id is None:
        return
    actor = User.objects.select_related("staff_profile").get(pk=actor_id)
    if any(approvals.is_own(actor, member) for member in members):
        raise MergeOfOwn


def _refuse_later(found: Merge) -> None:
    """Refuse while a later merge of the same person stands."""
    same_person = survivors.linked([found.survivor_id])[found.survivor_id]
    either = Q(survivor__in=same_person) | Q(other__in=same_person)
    later = Merge.objects.filter(either, pk__gt=found.pk, undone_at=None).order_by("-pk")
    latest = later.select_related("other").first()
    if latest is not None:
        raise MergeNotLatest(number=latest.other.number)


def _asked_about(survivor_id: int, other_id: int, actor_id: int | None) -> MatchReview | None:
    """The review of the pair, or of who is the same person as them. Raises DecidedDifferent."""
    linked = survivors.linked([survivor_id, other_id])
    found = list(reviews_between(linked[survivor_id], linked[other_id]))
    if actor_id is None and any(review.state == State.DIFFERENT for review in found):
        raise DecidedDifferent
    pair = {survivor_id, other_id}
    return next((review for review in found if {review.member_id, review.other_id} == pair), None)


# --- telling ------------------------------------------------------------------------------------------


def _decide(review: MatchReview, state: MatchReview.State, actor_id: int | None) -> None:
    review.state, review.decided_by_id = state, actor_id
    MatchReview.objects.filter(pk=review.pk).update(state=state, decided_by=actor_id, decided_at=Now())


def _tell(topic: str, merge: Merge) -> None:
    """Tell the channels of both: each hears of the member that it knows."""
    payload = {
        "merge_id": merge.pk,
        "member_no": merge.survivor.number,
        "other_no": merge.other.number,
    }
    word = topic.partition(".")[2]
    outbox.put(
        [
            outbox.Change(topic, f"{word}:{merge.pk}:{member.pk}", member.pk, None, payload)
            for member in (merge.survivor, merge.other)
        ]
    )
