"""Enrolment by API: a phone, a one-time code, a member; or one tap in a WeChat mini program (A8).

They live on this floor because a new member is welcomed by the programme, and the answer says with what.
"""

from ipaddress import ip_address
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import accounts, newcomers, referrals
from loyalty.api import answers, enrolment_shapes
from loyalty.newcomers import Joined
from members import channels, joining
from members.api.address import address_of
from members.api.shapes import described
from members.api.view import ApiView, Place, unknown
from members.bodies import Body
from members.facts import ConsentFact
from members.joining import Asked, Words
from members.models import Enrolment, Scope

NOTICES = ("agreement", "privacy", "tips")
LONGEST_PHONE = 40
MOST_CONSENTS = 50


class EnrolmentView(ApiView):
    """What the three addresses share: the right, and how a member is answered."""

    scope = Scope.ACCOUNTS
    verb = "members.enrol"

    def enrolled(self, joined: Joined, asked: Body) -> Response:
        """201 for a new member, 200 for one who was known; `asked`: the body that was read."""
        receipt = joined.receipt
        standing = accounts.standings([receipt.member_id])[receipt.member_id]
        brought = referrals.standing([receipt.member_id]).get(receipt.member_id)
        body = answers.account(receipt, standing, brought)
        shown = ("member_no", "is_new_member", "matched_by", "tier", "points", "referral")
        status = answers.CREATED if receipt.is_new_member else answers.SEEN
        return Response({name: body[name] for name in shown} | unknown(asked), status=status)

    def ip(self, body: Body) -> str:
        """Where the person is: as told, else where the request came from."""
        told = body.exact("client_ip", 45)
        if told is None:
            return address_of(self.request)
        try:
            return str(ip_address(told))
        except ValueError:
            body.note("client_ip", "word_unknown")
            return ""


class Enrolments(EnrolmentView):
    """POST /enrolments/."""

    @described(
        "enrolments_begin",
        request=enrolment_shapes.EnrolmentAsked,
        answers={
            200: enrolment_shapes.Enrolled,
            201: enrolment_shapes.Enrolled,
            202: enrolment_shapes.Waiting,
        },
        refusals=(404, 409),
    )
    def post(self, request: Request) -> Response:
        """Send a one-time code to a phone: 202 whoever's it is. With `wechat` the member, at once."""
        body = Body(request.data)
        phone = body.exact("phone", LONGEST_PHONE)
        wechat = body.part("wechat")
        if (phone is None) == (wechat is None) and not body.problems:
            body.note("", "one_of_many")
        place = self.place()
        words, store_id, ip = _words(body), self._store(body, place), self.ip(body)
        login_code = phone_code = ""
        if wechat is not None:
            login_code = wechat.required("login_code", wechat.exact("login_code", 200)) or ""
            phone_code = wechat.required("phone_code", wechat.exact("phone_code", 200)) or ""
            wechat.leave()
        body.settle()
        newcomers.check(words)
        if wechat is not None:
            joined = newcomers.one_tap(
                place.channel, login_code=login_code, phone_code=phone_code, words=words, store_id=store_id
            )
            return self.enrolled(joined, body)
        asked = joining.begin(
            place.channel,
            phone or "",
            origin=Enrolment.Origin.API,
            words=words,
            store_id=store_id,
            actor_id=place.actor_id,
            ip=ip,
        )
        return _waiting(asked, body)

    def _store(self, body: Body, place: Place) -> int | None:
        code = body.exact("store", 50)
        return channels.get_store(place.channel, code).pk if code else place.store_id


class Confirm(EnrolmentView):
    """POST /enrolments/{id}/confirm/."""

    @described(
        "enrolments_confirm",
        request=enrolment_shapes.Code,
        answers={200: enrolment_shapes.Enrolled, 201: enrolment_shapes.Enrolled},
        refusals=(404,),
    )
    def post(self, request: Request, enrolment_id: UUID) -> Response:
        """The member of a right code; every wrong, late, used or unknown one is answered alike."""
        body = Body(request.data)
        code = body.required("code", body.exact("code", 20))
        body.settle()
        return self.enrolled(newcomers.confirm(enrolment_id, self.place().channel, code), body)


class Resend(EnrolmentView):
    """POST /enrolments/{id}/resend/."""

    @described(
        "enrolments_resend",
        request=enrolment_shapes.Resend,
        answers={202: enrolment_shapes.Waiting},
        refusals=(404,),
    )
    def post(self, request: Request, enrolment_id: UUID) -> Response:
        """Another code for the same enrolment; the one before ends. 202 also where there is none."""
        body = Body(request.data or {})
        ip = self.ip(body)
        body.settle()
        asked = joining.resend(enrolment_id, self.place().channel, ip=ip)
        return _waiting(asked, body)


def _waiting(asked: Asked, body: Body) -> Response:
    """The same for every phone, and what of the body nobody knows."""
    answer = {"id": str(asked.id), "expires_in": asked.expires_in}
    return Response(answer | unknown(body), status=answers.ACCEPTED)


def _words(body: Body) -> Words:
    """What was shown and said."""
    notices = body.part("notices")
    shown = {kind: notices.exact(kind, 50) for kind in NOTICES} if notices else {}
    if notices:
        notices.leave()
    return Words(
        notices={kind: version for kind, version in shown.items() if version},
        consents=tuple(_consent(part) for part in body.parts("consents", MOST_CONSENTS)),
        referred_by=body.exact("referred_by", 50) or "",
    )


def _consent(body: Body) -> ConsentFact:
    purpose = body.required("purpose", body.plain_word("purpose")) or ""
    party = body.exact("party", 100) or ""
    if purpose == "third_party":
        body.required("party", party or None)
    consent = ConsentFact(
        purpose=purpose,
        granted=bool(body.required("granted", body.flag("granted"))),
        channel=body.plain_word("channel") or "any",
        party=party,
        notice=body.exact("notice", 50) or "",
        at=body.moment("at"),
    )
    body.leave()
    return consent
