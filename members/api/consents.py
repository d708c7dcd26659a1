"""Consents by API: given, withdrawn as easily, and proved for any instant (D1, PIPL art. 14-16)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from members import consents, seeing
from members.api.answers import asked_moment, moment
from members.api.consent_shapes import Consents, ConsentsRecorded, ConsentsTold
from members.api.shapes import OpenApiParameter, described
from members.api.view import ApiView
from members.bodies import Body
from members.facts import ConsentFact
from members.models import Member, Scope
from members.reading import read_consent
from privacy import consent
from privacy.consent import Telling
from privacy.models import ConsentEvent

CREATED, OK = 201, 200
MOST_WORDS = 50


class TellConsents(ApiView):
    """POST /consents/."""

    scope = Scope.CONSENTS
    verb = "consent.capture"

    @described(
        "consents_tell",
        request=ConsentsTold,
        answers={200: ConsentsRecorded, 201: ConsentsRecorded},
        refusals=(404,),
    )
    def post(self, request: Request) -> Response:
        """Tell what a member agreed to or withdrew: 201 when something is new, 200 when all held already."""
        body = Body(request.data)
        member_no, external_id = body.exact("member_no", 40), body.id("external_id", 128)
        if bool(member_no) == bool(external_id):
            body.note("member_no", "one_of_many")
        method = body.word("method", ConsentEvent.Method)
        words = self._words(body)
        body.leave()
        body.settle()
        member = self._member(member_no, external_id)
        recorded = consents.tell(member, words, telling=self._telling(method))
        answer = {
            "member_no": member.number,
            "recorded": [_said(event) for event in recorded],
            **({"ignored": sorted(body.ignored)} if body.ignored else {}),
        }
        return Response(answer, status=CREATED if recorded else OK)

    def _words(self, body: Body) -> list[ConsentFact]:
        """The words of a list, or the one that stands in the body itself."""
        if not body.has("consents"):
            return [read_consent(body)]
        words = []
        for part in body.parts("consents", MOST_WORDS):
            words.append(read_consent(part))
            part.leave()
        if not words:
            body.required("consents", None)
        return words

    def _member(self, member_no: str | None, external_id: str | None) -> Member:
        if member_no:
            return seeing.find(member_no=member_no)
        return seeing.find(channel=self.channel, external_id=external_id or "")

    def _telling(self, method: ConsentEvent.Method | None) -> Telling:
        caller = self.caller
        if caller.staff is not None:
            return Telling(method=method or consent.Method.SPOKEN, actor_id=caller.staff.pk)
        return Telling(method=method or consent.Method.PLATFORM, source=self.channel.code)


class MemberConsents(ApiView):
    """GET /members/{member_no}/consents/."""

    scope = Scope.CONSENTS
    verb = "consent.view"

    @described(
        "members_consents",
        answers={200: Consents},
        refusals=(404,),
        parameters=(
            OpenApiParameter("at", str, description="As of when it was said; now unless told."),
            OpenApiParameter("known_at", str, description="Only what had been heard by then."),
            OpenApiParameter("purpose", str, description="Was this allowed? Answered with its proof."),
            OpenApiParameter("channel", str, description="By this way; any unless told."),
            OpenApiParameter("party", str, description="To this third party."),
        ),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """What holds for a member at an instant, and whether one purpose was allowed then."""
        member = seeing.find(member_no=member_no)
        at, known_at = asked_moment(request, "at"), asked_moment(request, "known_at")
        standing = consent.standing([member.pk], at=at, known_at=known_at).get(member.pk, {})
        answer: dict[str, Any] = {
            "member_no": member.number,
            "at": moment(at or timezone.now()),
            "known_at": moment(known_at),
            "standing": [_said(standing[key]) for key in sorted(standing)],
        }
        if "purpose" in request.query_params:
            answer["proof"] = _proof(request, member, at, known_at)
        return Response(answer)


def _proof(
    request: Request, member: Member, at: datetime | None, known_at: datetime | None
) -> dict[str, Any]:
    """Whether what the query asks for was allowed, and the word that decides it."""
    body = Body(dict(request.query_params.items()))
    purpose = body.required("purpose", body.plain_word("purpose"))
    way, party = body.plain_word("channel") or consent.ANY, body.exact("party", 100) or ""
    body.settle()
    event = consent.deciding(member, purpose, way, party=party, at=at, known_at=known_at)
    return {
        "purpose": purpose,
        "channel": way,
        "party": party,
        "allowed": bool(event and event.granted),
        "decided_by": _said(event) if event else None,
        "receipt": _receipt(event, member) if event else None,
    }


def _receipt(event: ConsentEvent, member: Member) -> dict[str, Any]:
    return {**consent.receipt(event.receipt), "piiPrincipalId": member.number}


def _said(event: ConsentEvent) -> dict[str, Any]:
    return {
        "purpose": event.purpose,
        "channel": event.channel,
        "party": event.party,
        "granted": event.granted,
        "at": moment(event.happened_at),
        "recorded_at": moment(event.recorded_at),
        "notice": event.notice_version,
        "method": event.method,
        "source": event.source,
        "receipt": str(event.receipt),
    }
