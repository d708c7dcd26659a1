"""Merges and reviews by API (A6): for staff keys alone, whose role may merge."""

from enum import StrEnum
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from members import merging, reviews, seeing
from members.api import merge_shapes as forms
from members.api.answers import address_of_next, asked_limit, asked_number, moment, refuse
from members.api.approvals import StaffView
from members.api.shapes import IDEMPOTENCY_KEY, LIMIT, OPTIONAL_KEY, OpenApiParameter, described
from members.api.view import unknown
from members.bodies import MOST_VERSION, Body
from members.errors import AlreadyMerged
from members.merged_profiles import FIELDS, OTHER, SURVIVOR, FieldChoice
from members.models import MatchReview, Merge
from members.numbers import read_number
from members.replays import Answer
from privacy.masking import mask

MASKS = {"name": "name", "phone": "phone", "email": "email", "birthday": "birthday"}
PLAIN = ("gender", "province", "city")
NUMBER = 20
REASON = 300
DECIDED = "Decided in the review queue"
MERGED, UNMERGED = "Merged by API", "Unmerged by API"  # where nobody says why


class Side(StrEnum):
    """Whose value stays."""

    SURVIVOR = SURVIVOR
    OTHER = OTHER


class MergeMember(StaffView):
    """POST /members/{no}/merge/."""

    verb = "members.merge"

    @described(
        "members_merge",
        request=forms.MergeAsked,
        answers={201: forms.Merged},
        refusals=(403, 404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str) -> Response:
        """Merge another member into this one, who survives."""
        body = Body(request.data)
        other = body.required("other", body.exact("other", NUMBER)) or ""
        reason = body.text("reason", REASON) or MERGED
        choices = _choices(body)
        body.settle()

        def work() -> Answer:
            survivor_id, other_id = _pair(member_no, other)
            made = merging.merge(
                survivor_id,
                other_id,
                actor_id=self.person.pk,
                reason=reason,
                choices=choices,
            )
            return Answer(201, _merged(made))

        return self.once(work, body)


class UnmergeMember(StaffView):
    """POST /members/{no}/unmerge/."""

    verb = "members.merge"

    @described(
        "members_unmerge",
        request=forms.UnmergeAsked,
        answers={200: forms.Merged},
        refusals=(403, 404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str) -> Response:
        """Undo a merge of this member, the latest unless told: both are people of their own again."""
        body = Body(request.data)
        reason = body.text("reason", REASON) or UNMERGED
        merge_id = body.whole("merge_id", 1, MOST_VERSION)
        body.settle()

        def work() -> Answer:
            found = merging.of_member(seeing.id_of(member_no), merge_id)
            undone = merging.unmerge(found.pk, actor_id=self.person.pk, reason=reason)
            return Answer(200, _merged(undone))

        return self.once(work, body)


class MergePreview(StaffView):
    """GET /members/{no}/merge-preview/."""

    verb = "members.merge"

    @described(
        "members_merge_preview",
        answers={200: forms.MergePreview},
        refusals=(404, 409),
        parameters=(OpenApiParameter("other", str, required=True, description="The other's number"),),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """What merging another member into this one would do now; nothing is written."""
        seen = merging.preview(*_pair(member_no, request.query_params.get("other", "")))
        effects: dict[str, Any] = {"points": [], "debt": [], "tier": [], "coupons": [], "consents": []}
        for each in seen.effects.values():
            effects |= {name: each[name] for name in effects if name in each}
        return Response(
            {
                "member_no": seen.survivor.number,
                "other_no": seen.other.number,
                "fields": [_field(each) for each in seen.fields if each.is_told],
                **effects,
                "review": seen.review.state if seen.review else None,
            }
        )


class Reviews(StaffView):
    """GET /reviews/."""

    verb = "reviews.view"

    @described(
        "reviews_list",
        answers={200: forms.Reviews},
        parameters=(
            OpenApiParameter("state", str, enum=MatchReview.State.values, description="`open` unless told."),
            LIMIT,
            OpenApiParameter("cursor", int, description="Taken from `next`."),
        ),
    )
    def get(self, request: Request) -> Response:
        """Pairs of members who may be one person, and what was decided."""
        state = request.query_params.get("state", MatchReview.State.OPEN)
        if state not in MatchReview.State.values:
            raise refuse("state", "word_unknown")
        limit = asked_limit(request)
        cursor = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        found = reviews.listed(state=state, after=cursor, limit=limit + 1)
        page = found[:limit]
        following = address_of_next(request, cursor=page[-1].pk) if len(found) > limit else None
        return Response({"reviews": [_review(row) for row in page], "next": following})


class DecideReview(StaffView):
    """POST /reviews/{id}/decide/."""

    verb = "reviews.decide"

    @described(
        "reviews_decide",
        request=forms.ReviewDecision,
        answers={200: forms.Review},
        refusals=(403, 404, 409, 422),
        parameters=(OPTIONAL_KEY,),
    )
    def post(self, request: Request, review_id: int) -> Response:
        """Say whether the two are one person: then they are merged; else they are never asked about again."""
        body = Body(request.data)
        same = body.required("same", body.flag("same"))
        survivor = body.exact("survivor", NUMBER)
        reason = body.text("reason", REASON) or DECIDED
        body.settle()

        def work() -> Answer:
            survivor_id = seeing.of_number(survivor).pk if survivor else None
            decided, _made = reviews.decide(
                review_id, same=bool(same), actor_id=self.person.pk, reason=reason, survivor_id=survivor_id
            )
            return Answer(200, _review(decided))

        if "Idempotency-Key" in request.headers:
            return self.once(work, body)
        return Response(work().body | unknown(body))


def _pair(member_no: str, other_no: str) -> tuple[int, int]:
    """The person of the address, and the very member that is to be merged into them.

    Raises AlreadyMerged when that one is whom the first was merged into, long since.
    """
    survivor_id, other = seeing.id_of(member_no), seeing.of_number(other_no)
    if survivor_id == other.pk and read_number(member_no) != other.number:
        raise AlreadyMerged
    return survivor_id, other.pk


def _choices(body: Body) -> dict[str, str]:
    part = body.part("choices")
    if part is None:
        return {}
    told = {field: part.word(field, Side) for field in FIELDS if part.has(field)}
    part.leave()
    return {field: side.value for field, side in told.items() if side}


def _field(each: FieldChoice) -> dict[str, Any]:
    return {
        "field": each.field,
        "survivor": _shown(each.field, each.survivor),
        "other": _shown(each.field, each.other),
        "chosen": each.chosen,
        "why": each.why,
        "agreement": each.agreement,
    }


def _shown(field: str, value: Any) -> str:
    """A value as anybody may see it here: masked; of what was told step by step, only that it is there."""
    if not value:
        return ""
    if field in MASKS:
        return mask(MASKS[field], value)
    if field == "joined_at":
        return moment(value) or ""
    return str(value) if field in PLAIN else "…"


def _merged(merge: Merge) -> dict[str, Any]:
    return {
        "merge_id": merge.pk,
        "member_no": merge.survivor.number,
        "other_no": merge.other.number,
        "choices": merge.choices,
        "reason": merge.reason,
        "by": merge.actor.get_username() if merge.actor else None,
        "at": moment(merge.at),
        "undone_at": moment(merge.undone_at),
    }


def _review(row: MatchReview) -> dict[str, Any]:
    return {
        "id": row.pk,
        "member_no": row.member.number,
        "other_no": row.other.number,
        "reason": row.reason,
        "reason_text": str(MatchReview.Reason(row.reason).label),
        "evidence": row.evidence,
        "state": row.state,
        "created_at": moment(row.created_at),
        "decided_by": row.decided_by.get_username() if row.decided_by else None,
        "decided_at": moment(row.decided_at),
    }
