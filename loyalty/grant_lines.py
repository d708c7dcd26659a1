"""Grants as people read them: what was given, whether it stands, for what, and why not (B14)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from loyalty import grant_words, publishing
from loyalty.models import Grant
from loyalty.publishing import Programmes
from loyalty.wishes import Given
from members import survivors


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One grant in words, in the language that is active."""

    id: int
    source: str
    code: str
    prize: str
    value: str
    name: str
    state: str
    state_label: str
    refusal: str
    refusal_label: str
    sentence: str
    why: Mapping[str, Any]
    order_number: str
    happened_at: datetime
    recorded_at: datetime | None


def page(member_id: int, *, before_id: int | None = None, limit: int = 50) -> list[Line]:
    """A member's grants as they were recorded, latest first; `before_id` pages on."""
    found = (
        Grant.objects.filter(member__in=survivors.same_person(member_id))
        .select_related("order")
        .order_by("-pk")
    )
    if before_id is not None:
        found = found.filter(pk__lt=before_id)
    return of(found[:limit])


def latest(member_id: int, *, limit: int = 50) -> list[Line]:
    """A member's grants as they happened, latest first."""
    found = Grant.objects.filter(member__in=survivors.same_person(member_id)).select_related("order")
    return of(found.order_by("-happened_at", "-pk")[:limit])


def without_points(grants: QuerySet[Grant]) -> QuerySet[Grant]:
    """Leave out points that were given, which stand in the statement; refusals stay."""
    return grants.exclude(prize=Grant.Prize.POINTS, refusal="")


def of(grants: Iterable[Grant], programmes: Programmes | None = None) -> list[Line]:
    """Grants in words; their orders should be loaded with them."""
    rows = list(grants)
    if not rows:
        return []
    programmes = programmes or publishing.load_all()
    return [
        Line(
            id=grant.pk,
            source=grant.source,
            code=grant.code,
            prize=grant.prize,
            value=grant.value,
            name=grant_words.prize(grant.prize, grant.value, programmes.by_id(grant.programme_id)),
            state=grant.state,
            state_label=str(Grant.State(grant.state).label),
            refusal=grant.refusal,
            refusal_label=grant_words.refusal(grant.refusal) if grant.refusal else "",
            sentence=grant_words.sentence(grant.why),
            why=grant.why,
            order_number=grant.order.number if grant.order else "",
            happened_at=grant.happened_at,
            recorded_at=grant.recorded_at,
        )
        for grant in rows
    ]


def of_given(given: Sequence[Given]) -> list[Line]:
    """What has just been given, in words."""
    return [
        Line(
            id=each.grant_id or 0,
            source=str(each.wish.source),
            code=each.wish.code,
            prize=each.wish.prize.kind,
            value=each.wish.prize.value,
            name=grant_words.prize(
                each.wish.prize.kind, each.wish.prize.value, each.wish.programme.programme
            ),
            state=str(each.state),
            state_label=str(Grant.State(each.state).label),
            refusal=each.refusal,
            refusal_label=grant_words.refusal(each.refusal) if each.refusal else "",
            sentence=grant_words.sentence(each.wish.explanation),
            why=each.wish.explanation,
            order_number="",
            happened_at=each.wish.happened_at,
            recorded_at=None,
        )
        for each in given
    ]
