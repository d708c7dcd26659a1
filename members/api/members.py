"""Members by API: found by one thing that tells them, seen masked or, with the scope for it, in clear."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from members import member_codes, seeing, survivors
from members.api import shapes
from members.api.answers import moment
from members.api.shapes import described
from members.api.view import ApiView, occasion_of, unknown
from members.bodies import Body
from members.models import Account, Member, Scope
from privacy import access
from privacy.masking import mask

REASON_LENGTH = 300
KEYS = ("phone", "email", "member_no", "external_id", "code")
PERSONAL = {"name": "name", "phone": "phone", "email": "email", "birthday": "birthday"}  # field: its mask


class MemberView(ApiView):
    """What both ways to a member share."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    def shown(self, member: Member) -> dict[str, Any]:
        """A member as this key may see them; what is shown in clear is recorded."""
        clear = self.sees_clear()
        if clear:
            self.note_reveal(member, PERSONAL)
        return {
            "member_no": member.number,
            "status": member.status,
            "is_masked": not clear,
            **{field: _personal(member, field, kind, clear) for field, kind in PERSONAL.items()},
            "gender": member.gender,
            "province": member.province,
            "city": member.city,
            "joined_at": moment(member.joined_at),
            "revision": member.revision,
            "accounts": [_account(account) for account in _accounts_of(member)],
        }


class FindMember(MemberView):
    """POST /members/find/: in the body, as no personal data may stand in an address."""

    @described("members_find", request=shapes.Find, answers={200: shapes.Member}, refusals=(404, 409))
    def post(self, request: Request) -> Response:
        """One member by phone, e-mail, member number, this channel's own id or a member code, used by it."""
        body = Body(request.data)
        asked = {name: text for name in KEYS if (text := body.exact(name, 254))}
        if len(asked) != 1 and not body.problems:
            body.note("", "one_of_many")
        body.settle()
        if "code" in asked:
            return Response(self.shown(self._scanned(asked["code"])) | unknown(body))
        channel = self.channel if "external_id" in asked else None
        return Response(self.shown(seeing.find(**asked, channel=channel)) | unknown(body))

    def _scanned(self, code: str) -> Member:
        """Whose live code this is."""
        caller = self.caller
        return member_codes.spend(
            code, channel=caller.channel, actor_id=caller.staff.pk if caller.staff else None
        )


class OneMember(MemberView):
    """GET /members/{no}/."""

    @described("members_get", answers={200: shapes.Member}, refusals=(404,))
    def get(self, request: Request, member_no: str) -> Response:
        """One member by number; one who was merged is the one they were merged into."""
        return Response(self.shown(seeing.find(member_no=member_no)))


class RevealMember(ApiView):
    """POST /members/{no}/reveal/, for staff keys alone: a reason, and a place in the trail."""

    verb = "members.reveal"

    @described(
        "members_reveal",
        request=shapes.Reveal,
        answers={200: shapes.Revealed},
        refusals=(404, 429),
    )
    def post(self, request: Request, member_no: str) -> Response:
        """Personal fields of a member in clear. It is recorded who saw what, when and why."""
        body = Body(request.data)
        fields = body.texts("fields", 20, len(PERSONAL))
        reason = body.exact("reason", REASON_LENGTH) or ""
        if not fields and not body.problems:
            body.note("fields", "required_missing")
        for field in fields:
            if field not in PERSONAL:
                body.note("fields", "word_unknown")
        body.settle()
        person, member = self.caller.staff, seeing.find(member_no=member_no)
        assert person is not None, "initial() lets in nobody else"
        clear = access.reveal(
            person, member, member, fields, reason, occasion=occasion_of(request, self.caller)
        )
        shown = {field: str(value) if value else None for field, value in clear.items()}
        return Response(shown | unknown(body))


def _personal(member: Member, field: str, kind: str, clear: bool) -> str:
    value = getattr(member, field)
    if not clear:
        return mask(kind, value)
    return str(value) if value else ""


def _accounts_of(member: Member) -> list[Account]:
    accounts = (
        Account.objects.filter(member__in=survivors.same_person(member.pk))
        .select_related("channel")
        .order_by("id")
    )
    return list(accounts.only("linked_by", "linked_at", "unbound_at", "channel__code"))


def _account(account: Account) -> dict[str, Any]:
    return {
        "channel": account.channel.code,
        "matched_by": account.linked_by,
        "linked_at": moment(account.linked_at),
        "unbound_at": moment(account.unbound_at),
    }
