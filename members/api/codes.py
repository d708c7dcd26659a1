"""The member code by API: live, for a minute and one use, as text and as pictures (A7)."""

from rest_framework.request import Request
from rest_framework.response import Response

from members import member_codes, seeing
from members.api import shapes
from members.api.answers import moment
from members.api.shapes import described
from members.api.view import ApiView
from members.models import Scope


class LiveCode(ApiView):
    """POST /members/{no}/code/."""

    scope = Scope.MEMBERS_READ

    @described("members_code", answers={200: shapes.MemberCode}, refusals=(404,))
    def post(self, request: Request, member_no: str) -> Response:
        """A fresh code of a member, to be shown at a counter. It stands in no address and no log."""
        code = member_codes.make(seeing.id_of(member_no))
        return Response(
            {
                "code": code.text,
                "expires_at": moment(code.expires_at),
                "qr": member_codes.qr(code.text),
                "barcode": member_codes.barcode_128(code.text),
            }
        )
