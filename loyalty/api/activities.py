"""What members do beside buying, by API, and what they were given for whatever reason (B4, B14)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import activities, grant_lines
from loyalty.activities import ActivityReceipt
from loyalty.api import answers, shapes
from loyalty.grant_lines import Line
from loyalty.models import Activity
from members import seeing
from members.api.answers import address_of_next, asked_limit, asked_number, moment
from members.api.shapes import IDEMPOTENCY_KEY, LIMIT, OpenApiParameter, described
from members.api.view import ApiView
from members.bodies import MOST_VERSION, Body
from members.models import Scope
from members.replays import Answer

DETAILS = {"step": 50, "order_no": 100, "product": 100, "survey": 50, "event": 50}


class Activities(ApiView):
    """POST /members/{no}/activities/."""

    scope = Scope.POINTS
    verb = "points.earn"

    @described(
        "activities_tell",
        request=shapes.ActivityAsked,
        answers={200: shapes.ActivityAnswer, 201: shapes.ActivityAnswer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str) -> Response:
        """Tell what a member did: 201 the first time, 200 and the first answer for the same again."""
        body = Body(request.data)
        kind = body.required("kind", body.word("kind", Activity.Kind))
        cause = body.exact("cause", 200)
        at = body.moment("at")
        detail = _detail(body.part("detail"))
        body.settle()
        place = self.place()

        def work() -> Answer:
            receipt = activities.do(
                seeing.id_of(member_no),
                kind,
                cause=self.named(cause) if cause else "",
                at=at,
                channel=place.channel,
                detail=detail,
                store_id=place.store_id,
                actor_id=place.actor_id,
            )
            return Answer(answers.CREATED if receipt.is_new else answers.SEEN, _answer(receipt))

        return self.once(work, body)


class Grants(ApiView):
    """GET /members/{no}/grants/."""

    scope = Scope.POINTS
    verb = "points.view"

    @described(
        "grants_list",
        answers={200: shapes.GrantsOfMember},
        refusals=(404,),
        parameters=(LIMIT, OpenApiParameter("cursor", int, description="Taken from `next`.")),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """What a member was given beside points for purchases, latest first, and why or why not."""
        limit = asked_limit(request)
        before = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        lines = grant_lines.page(seeing.id_of(member_no), before_id=before, limit=limit + 1)
        page, more = lines[:limit], len(lines) > limit
        following = address_of_next(request, cursor=page[-1].id) if more else None
        return Response({"grants": [_line(line) for line in page], "next": following})


def _detail(body: Body | None) -> dict[str, str]:
    """What was done, as codes."""
    if body is None:
        return {}
    told = {name: body.exact(name, longest) for name, longest in DETAILS.items()}
    body.leave()
    return {name: value for name, value in told.items() if value is not None}


def _answer(receipt: ActivityReceipt) -> dict[str, Any]:
    return {
        "activity_id": receipt.activity_id,
        "kind": receipt.kind,
        "day": receipt.day.isoformat(),
        "streak": receipt.streak,
        "refusal": receipt.refusal,
        "given": [answers.thing(line) for line in grant_lines.of(receipt.given)],
        **answers.points(receipt.figures),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        **answers.thing(line),
        "why": dict(line.why),
        "order_no": line.order_number,
        "happened_at": moment(line.happened_at),
        "recorded_at": moment(line.recorded_at),
    }
