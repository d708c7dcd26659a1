"""Points by API (B3): what a member has, their statement, and moving points, each once (D10)."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import ledger, points, statement
from loyalty.api import answers, colleagues, examples, shapes
from loyalty.api.filters import asked_filter
from loyalty.models import Entry, Hold
from loyalty.points import HoldReceipt, PointsReceipt
from loyalty.statement import Line
from members import seeing
from members.api.answers import address_of_next, asked_limit, asked_moment, asked_number, moment, refuse
from members.api.shapes import IDEMPOTENCY_KEY, LIMIT, OpenApiParameter, described
from members.api.view import ApiView
from members.bodies import MOST_VERSION, MOST_WHOLE, Body
from members.models import Scope
from members.numbers import number_of
from members.replays import Answer

HOLD_SECONDS = 900
LONGEST_HOLD = 30 * 24 * 60 * 60  # seconds


def _moves(operation: str, answer: Any, request: Any, example: dict[str, Any] | None = None) -> Any:
    """Describe an operation that moves points."""
    return described(
        operation,
        request=request,
        answers={200: answer, 201: answer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
        example=example,
    )


class MemberPoints(ApiView):
    """GET /members/{no}/points/."""

    scope = Scope.POINTS
    verb = "points.view"

    @described(
        "points_get",
        answers={200: shapes.MemberPoints},
        refusals=(404,),
        parameters=(OpenApiParameter("as_of", str, description="An instant of the past, RFC 3339"),),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """What a member has now, or what we would have answered at an instant of the past."""
        as_of = asked_moment(request, "as_of")
        if as_of is not None and as_of > timezone.now():
            raise refuse("as_of", "out_of_range")
        member_id = seeing.id_of(member_no)
        figures = ledger.figures_as_of(member_id, as_of) if as_of else ledger.figures(member_id)
        head = {"member_no": number_of(member_id), "as_of": moment(as_of)}
        return Response(head | answers.points(figures))


class PointsEntries(ApiView):
    """GET /members/{no}/points/entries/."""

    scope = Scope.POINTS
    verb = "points.view"

    @described(
        "points_entries",
        answers={200: shapes.Entries},
        refusals=(404,),
        parameters=(
            LIMIT,
            OpenApiParameter("cursor", int, description="Taken from `next`."),
            OpenApiParameter("kind", str, many=True, enum=Entry.Kind.values),
            OpenApiParameter("channel", str, description="The code of a channel."),
            OpenApiParameter("recorded_from", str, description="An instant, RFC 3339."),
            OpenApiParameter("recorded_to", str, description="An instant, RFC 3339; not included."),
        ),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """The statement, latest first: each entry with who, when and why, in words and in numbers."""
        limit = asked_limit(request)
        before = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        wanted = asked_filter(request).qs
        lines = statement.entries(seeing.id_of(member_no), before_id=before, limit=limit + 1, wanted=wanted)
        page = lines[:limit]
        more = len(lines) > limit
        following = address_of_next(request, cursor=page[-1].id) if more else None
        entries = [_line(colleagues.line(each, self.caller)) for each in page]
        return Response({"entries": entries, "next": following})


@dataclass(frozen=True, slots=True)
class Asked:
    """`{points, cause, reason}` of a body."""

    points: int
    cause: str
    reason: str


class PointsMove(ApiView):
    """What the addresses that move points share."""

    scope = Scope.POINTS

    def asked(self, body: Body) -> Asked:
        """Read what is asked for. Raises BodyInvalid."""
        asked = Asked(
            points=body.required("points", body.whole("points", 1, MOST_WHOLE)) or 0,
            cause=body.required("cause", body.exact("cause", 200)) or "",
            reason=body.text("reason", 300) or "",
        )
        body.settle()
        return Asked(asked.points, self.named(asked.cause), asked.reason)


class Redeem(PointsMove):
    """POST /members/{no}/points/redeem/."""

    verb = "points.redeem"

    @_moves("points_redeem", shapes.PointsMoved, shapes.PointsAsked, examples.POINTS)
    def post(self, request: Request, member_no: str) -> Response:
        """Spend points, nearest expiry first."""
        body, place = Body(request.data), self.place()
        asked = self.asked(body)

        def work(member_id: int) -> Answer:
            receipt = points.redeem(
                member_id,
                asked.points,
                cause=asked.cause,
                reason=asked.reason,
                channel=place.channel,
                store_id=place.store_id,
                actor_id=place.actor_id,
            )
            return _moved(receipt)

        return self.once_for(member_no, work, body)


class Earn(PointsMove):
    """POST /members/{no}/points/earn/."""

    verb = "points.earn"

    @_moves("points_earn", shapes.PointsMoved, shapes.PointsAsked, examples.POINTS)
    def post(self, request: Request, member_no: str) -> Response:
        """Give points for something other than an order; they expire as the programme says."""
        body, place = Body(request.data), self.place()
        asked = self.asked(body)

        def work(member_id: int) -> Answer:
            receipt = points.earn(
                member_id,
                asked.points,
                cause=asked.cause,
                reason=asked.reason,
                channel=place.channel,
                store_id=place.store_id,
                actor_id=place.actor_id,
            )
            return _moved(receipt)

        return self.once_for(member_no, work, body)


class Holds(PointsMove):
    """POST /members/{no}/points/holds/."""

    verb = "points.redeem"

    @described("holds_open", answers={200: shapes.OpenHolds}, refusals=(404,))
    def get(self, request: Request, member_no: str) -> Response:
        """The points that this channel has set aside and not yet spent or let go."""
        found = points.open_holds(seeing.id_of(member_no), channel=self.place().channel)
        return Response({"holds": [_open_hold(hold) for hold in found]})

    @_moves("holds_make", shapes.HoldAnswer, shapes.HoldAsked, examples.HOLD)
    def post(self, request: Request, member_no: str) -> Response:
        """Set points aside; what cannot be captured later is refused now."""
        body = Body(request.data)
        seconds = body.whole("expires_in", 1, LONGEST_HOLD) or HOLD_SECONDS
        asked, place = self.asked(body), self.place()

        def work(member_id: int) -> Answer:
            receipt = points.hold(
                member_id,
                asked.points,
                cause=asked.cause,
                reason=asked.reason,
                channel=place.channel,
                expires_in=seconds,
            )
            return _held(receipt)

        return self.once_for(member_no, work, body)


class Capture(PointsMove):
    """POST /members/{no}/points/holds/{id}/capture/."""

    verb = "points.redeem"

    @_moves("holds_capture", shapes.PointsMoved, shapes.CaptureAsked)
    def post(self, request: Request, member_no: str, hold_id: int) -> Response:
        """Spend what was set aside, all of it or part; the rest is available again."""
        body = Body(request.data)
        wanted = body.whole("points", 1, MOST_WHOLE)
        body.settle()
        place = self.place()

        def work(member_id: int) -> Answer:
            receipt = points.capture(
                member_id,
                hold_id,
                points=wanted,
                channel=place.channel,
                actor_id=place.actor_id,
            )
            return _moved(receipt)

        return self.once_for(member_no, work, body)


class Release(PointsMove):
    """POST /members/{no}/points/holds/{id}/release/."""

    verb = "points.redeem"

    @_moves("holds_release", shapes.HoldAnswer, None)
    def post(self, request: Request, member_no: str, hold_id: int) -> Response:
        """Let a hold go; its points are available again."""
        place = self.place()

        def work(member_id: int) -> Answer:
            return _held(points.release(member_id, hold_id, channel=place.channel), status=200)

        return self.once_for(member_no, work)


def _moved(receipt: PointsReceipt) -> Answer:
    body = {"entry_id": receipt.entry_id, "points": receipt.points} | answers.points(receipt.figures)
    return Answer(answers.CREATED if receipt.is_new else answers.SEEN, body)


def _held(receipt: HoldReceipt, status: int | None = None) -> Answer:
    body = {
        "hold_id": receipt.hold_id,
        "points": receipt.points,
        "state": receipt.state,
        "expires_at": moment(receipt.expires_at),
    }
    made = answers.CREATED if receipt.is_new else answers.SEEN
    return Answer(status or made, body | answers.points(receipt.figures))


def _open_hold(hold: Hold) -> dict[str, Any]:
    return {
        "hold_id": hold.pk,
        "points": hold.points,
        "cause": hold.cause.partition(":")[2],
        "reason": hold.reason,
        "created_at": moment(hold.created_at),
        "expires_at": moment(hold.expires_at),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "kind": line.kind,
        "kind_label": line.kind_label,
        "points": line.points,
        "balance_after": line.balance_after,
        "debt_after": line.debt_after,
        "cause": line.cause,
        "reason": line.reason,
        "sentence": line.sentence,
        "why": dict(line.why),
        "channel": line.channel_name,
        "order_no": line.order_number,
        "happened_at": moment(line.happened_at),
        "recorded_at": moment(line.recorded_at),
        **answers.explanation(line.explanation),
    }
