"""A member's referral code and how it stands with their friends, by API (B9)."""

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import referral_page
from loyalty.api import answers, shapes
from loyalty.models import Referral
from members import seeing
from members.api.answers import moment
from members.api.shapes import described
from members.api.view import ApiView
from members.models import Scope

State = Referral.State


class MemberReferral(ApiView):
    """GET /members/{no}/referral/."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    @described("referral_get", answers={200: shapes.MemberReferral}, refusals=(404, 409))
    def get(self, request: Request, member_no: str) -> Response:
        """The code to pass on, drawn when it is first asked for; the ladder; friends without their names."""
        member = seeing.find(member_no=member_no)
        page = referral_page.of(member.pk)
        return Response(
            {
                "member_no": member.number,
                "code": page.code,
                "counts_after": page.terms.counts_after,
                "keep_days": page.terms.keep_days,
                **{
                    str(state): page.counts[state]
                    for state in (State.COUNTED, State.WAITING, State.REVIEW, State.REFUSED)
                },
                "missing": page.missing,
                "ladder": [
                    {
                        "friends": rung.friends,
                        "reached": rung.reached,
                        "referrer": list(rung.referrer),
                        "friend": list(rung.friend),
                    }
                    for rung in page.ladder
                ],
                "friends": [
                    {
                        "state": row.state,
                        "reasons": row.reasons,
                        "number": row.number,
                        "heard_at": moment(row.heard_at),
                        "counted_at": moment(row.counted_at),
                    }
                    for row in page.friends
                ],
                "given": [answers.thing(line) for line in page.given],
            }
        )
