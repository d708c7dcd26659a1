"""Reviews: pairs of members who may be one person, put before a human (A4, A5, A6).

Same merges them, different is remembered and never asked again. A pair that has become one person by other
merges since is not asked about any more.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from members import merging
from members.errors import ReviewDecided, ReviewNotFound
from members.models import MatchReview, Member, Merge

State = MatchReview.State
PAGE = 50


def waiting() -> QuerySet[MatchReview]:
    """Those that are to be decided, the one that waits longest first.

    Whoever was merged, or blanked, meanwhile is somebody else's question: that of the survivor.
    """
    shown = Q(member__status__in=_LIVING, other__status__in=_LIVING)
    return MatchReview.objects.filter(shown, state=State.OPEN).order_by("created_at", "pk")


_LIVING = (Member.Status.ACTIVE, Member.Status.RESTRICTED)


def listed(*, state: str = State.OPEN, after: int | None = None, limit: int = PAGE) -> list[MatchReview]:
    """A page of reviews in the order of their ids; `after` pages on."""
    rows = waiting() if state == State.OPEN else MatchReview.objects.filter(state=state)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.select_related("member", "other", "decided_by").order_by("pk")[:limit])


def following(skipped: Sequence[int] = ()) -> MatchReview | None:
    """The one to be decided next, but for those that were skipped; these come last."""
    rows = waiting().select_related("member", "other")
    return rows.exclude(pk__in=skipped).first() or rows.first()


def find(review_id: int) -> MatchReview:
    """One review with its two members. Raises ReviewNotFound."""
    found = MatchReview.objects.select_related("member", "other", "decided_by").filter(pk=review_id).first()
    if found is None:
        raise ReviewNotFound
    return found


def survivor_of(review: MatchReview) -> tuple[Member, Member]:
    """Who survives when it is the same person, unless somebody chooses: who joined first; and the other."""
    first, second = sorted((review.member, review.other), key=lambda each: (each.joined_at, each.pk))
    return first, second


@transaction.atomic
def decide(
    review_id: int, *, same: bool, actor_id: int, reason: str, survivor_id: int | None = None
) -> tuple[MatchReview, Merge | None]:
    """Say whether two members are one person; the same word again changes nothing.

    Same merges them. Raises ReviewNotFound, ReviewDecided for the other word, and what merging.merge raises.
    """
    review = find(review_id)
    MatchReview.objects.select_for_update(no_key=True).get(pk=review_id)
    review.refresh_from_db(fields=["state"])
    if review.state != State.OPEN:
        if review.state != (State.SAME if same else State.DIFFERENT):
            raise ReviewDecided
        return review, None
    if not same:
        MatchReview.objects.filter(pk=review_id).update(
            state=State.DIFFERENT, decided_by=actor_id, decided_at=Now()
        )
        return find(review_id), None
    survivor, other = survivor_of(review)
    if survivor_id == other.pk:
        survivor, other = other, survivor
    evidence = {"review": review.pk, **review.evidence}
    made = merging.merge(survivor.pk, other.pk, actor_id=actor_id, reason=reason, evidence=evidence)
    return find(review_id), made
