"""Service and after-sales cases by API: told by their channel, and shown to the member's own pages."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from members import cases, seeing, survivors, versions
from members.api import batches
from members.api.answers import address_of_next, asked_limit, asked_number, moment
from members.api.event_shapes import Case as CaseBody
from members.api.event_shapes import CaseAnswer, Cases, CaseSeen
from members.api.shapes import LIMIT, described
from members.api.view import ApiView
from members.bodies import MOST_VERSION
from members.facts import CaseKind
from members.models import Case, CaseStep, Scope
from members.reading import read_case, read_number_in_address

CREATED, OK = 201, 200


class OneCase(ApiView):
    """/cases/{external_id}/."""

    scope = Scope.ORDERS

    @described("cases_put", request=CaseBody, answers={200: CaseAnswer, 201: CaseAnswer}, refusals=(409,))
    def put(self, request: Request, external_id: str) -> Response:
        """Put a case as it is now: 201 when it is new, 200 when it was heard before."""
        told = read_case(request.data, read_number_in_address("external_id", external_id))
        receipt = cases.receive(self.channel, told.fact, now=timezone.now())
        answer = {
            "outcome": receipt.outcome,
            "stale": receipt.outcome == versions.STALE,
            **_seen(receipt.case),
            **batches.ignored(told),
        }
        return Response(answer, status=CREATED if receipt.outcome == versions.NEW else OK)

    @described("cases_get", answers={200: CaseSeen}, refusals=(404,))
    def get(self, request: Request, external_id: str) -> Response:
        """A case of this channel as we know it, with each state it came to."""
        number = read_number_in_address("external_id", external_id)
        return Response(_seen(cases.get(self.channel, number)))


class MemberCases(ApiView):
    """GET /members/{member_no}/cases/: for the pages of the member, so that they see how far a return is."""

    scope = Scope.MEMBERS_READ
    verb = "cases.view"

    @described("members_cases", answers={200: Cases}, refusals=(404,), parameters=(LIMIT,))
    def get(self, request: Request, member_no: str) -> Response:
        """The member's cases of every channel, latest first, without what was said in them."""
        limit = asked_limit(request)
        before = asked_number(request, "before", None, least=1, most=MOST_VERSION)
        found = cases.with_steps(
            Case.objects.filter(member__in=survivors.same_person(seeing.id_of(member_no)))
        ).order_by("-id")
        if before:
            found = found.filter(pk__lt=before)
        page = list(found[: limit + 1])
        shown, more = page[:limit], len(page) > limit
        return Response(
            {
                "cases": [_seen(case) for case in shown],
                "next": address_of_next(request, before=shown[-1].pk) if more else None,
            }
        )


def _seen(case: Case) -> dict[str, Any]:
    response = case.first_response_at - case.opened_at if case.first_response_at else None
    return {
        "external_id": case.number,
        "channel": case.channel.code,
        "kind": case.kind,
        "state": case.state,
        "is_open": case.state not in cases.ENDED,
        "member_no": case.member.number if case.member else None,
        "order_no": case.order_number or None,
        "product": case.product,
        "question_type": case.question_type,
        "feedback_channel": case.feedback_channel,
        "opened_at": moment(case.opened_at),
        "first_response_at": moment(case.first_response_at),
        "closed_at": moment(case.closed_at),
        "response_seconds": int(response.total_seconds()) if response is not None else None,
        "satisfaction": case.satisfaction,
        "version": case.version,
        "steps": [_step(step) for step in case.steps.all()],
        "flow": cases.FLOW.get(CaseKind(case.kind), ()),
    }


def _step(step: CaseStep) -> dict[str, Any]:
    return {"state": step.state, "at": moment(step.happened_at or step.heard_at)}
