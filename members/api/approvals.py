"""Approvals by API (D6): what waits for a second person, and their word. For staff keys alone."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from rest_framework.request import Request
from rest_framework.response import Response

from members.api import shapes
from members.api.answers import address_of_next, asked_limit, asked_number, moment, refuse
from members.api.shapes import LIMIT, OpenApiParameter, described
from members.api.view import ApiView, unknown
from members.bodies import MOST_VERSION, Body
from members.replays import Answer
from privacy import approvals
from privacy.models import Approval

LISTS = ("waiting", "asked", "decided")
NOTE_LENGTH = 300

Decide = Callable[[int, User, str], Approval]


class StaffView(ApiView):
    """What only a member of staff asks for."""

    verb = "approvals.view"

    @property
    def person(self) -> User:
        """Who is asking; initial() has let in nobody else."""
        assert self.caller.staff is not None
        return self.caller.staff


class Approvals(StaffView):
    """GET /approvals/."""

    @described(
        "approvals_list",
        answers={200: shapes.Approvals},
        parameters=(
            OpenApiParameter("list", str, enum=LISTS, description="`waiting` unless told."),
            LIMIT,
            OpenApiParameter("cursor", int, description="Taken from `next`."),
        ),
    )
    def get(self, request: Request) -> Response:
        """Requests that wait, that you asked for, or that were decided; the change as it is frozen."""
        which = request.query_params.get("list", "waiting")
        if which not in LISTS:
            raise refuse("list", "word_unknown")
        limit = asked_limit(request)
        cursor = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        rows = approvals.listed(self.person, which)
        if cursor is not None:
            rows = rows.filter(pk__gt=cursor) if which == "waiting" else rows.filter(pk__lt=cursor)
        found = list(rows[: limit + 1])
        page = found[:limit]
        following = address_of_next(request, cursor=page[-1].pk) if len(found) > limit else None
        return Response({"approvals": [_shown(row, self.person) for row in page], "next": following})


class Decision(StaffView):
    """What approving and refusing share. A request is decided once, with an Idempotency-Key or without."""

    def answer(self, request: Request, approval_id: int, decide: Decide) -> Response:
        """Decide, and answer the request as it is then."""
        body = Body(request.data or {})
        note = body.text("note", NOTE_LENGTH) or ""
        body.settle()
        person = self.person

        def work() -> Answer:
            decide(approval_id, person, note)
            return Answer(200, _shown(approvals.find(approval_id), person))

        if "Idempotency-Key" in request.headers:
            return self.once(work, body)
        return Response(work().body | unknown(body))


class Approve(Decision):
    """POST /approvals/{id}/approve/."""

    @described(
        "approvals_approve",
        request=shapes.Noted,
        answers={200: shapes.Approval},
        refusals=(404, 409, 422),
        parameters=(shapes.OPTIONAL_KEY,),
    )
    def post(self, request: Request, approval_id: int) -> Response:
        """Let it happen, here and now, as it was asked for."""
        return self.answer(request, approval_id, approvals.approve)


class Reject(Decision):
    """POST /approvals/{id}/reject/."""

    @described(
        "approvals_reject",
        request=shapes.Noted,
        answers={200: shapes.Approval},
        refusals=(404, 409, 422),
        parameters=(shapes.OPTIONAL_KEY,),
    )
    def post(self, request: Request, approval_id: int) -> Response:
        """Refuse it, with a note on why of at least five characters."""
        return self.answer(request, approval_id, approvals.refuse)


class Withdraw(Decision):
    """POST /approvals/{id}/withdraw/."""

    @described(
        "approvals_withdraw",
        request=shapes.Noted,
        answers={200: shapes.Approval},
        refusals=(404, 409),
        parameters=(shapes.OPTIONAL_KEY,),
    )
    def post(self, request: Request, approval_id: int) -> Response:
        """Take back what you asked for yourself, while it waits; the note is optional."""
        return self.answer(request, approval_id, approvals.withdraw)


def _shown(row: Approval, person: User) -> dict[str, Any]:
    """A request, with the change in words and as data."""
    kind = approvals.kind_of(row.kind)
    is_open = approvals.state_of(row) == Approval.State.WAITING
    return {
        "id": row.pk,
        "kind": row.kind,
        "title": str(kind.title),
        "sentence": kind.sentence(row.change),
        "after": kind.after(row.change) if kind.after and is_open else "",
        "change": row.change,
        "reason": row.reason,
        "member_no": row.member.number if row.member else None,
        "asked_by": row.asked_by.get_username(),
        "asked_at": moment(row.asked_at),
        "expires_at": moment(row.expires_at),
        "state": str(approvals.state_of(row)),
        "may_decide": is_open and approvals.hindrance(row, person) is None,
        "may_withdraw": approvals.may_withdraw(row, person),
        "decided_by": row.decided_by.get_username() if row.decided_by else None,
        "decided_at": moment(row.decided_at),
        "note": row.note,
        "result": row.result,
    }
