"""GET /changes/: everything a channel should know, in order, for those who ask instead of being told."""

from rest_framework.request import Request
from rest_framework.response import Response

from members import changes
from members.api import shapes
from members.api.answers import address_of_next, asked_limit, moment, refuse
from members.api.shapes import LIMIT, OpenApiParameter, described
from members.api.view import ApiView
from members.models import Scope


class Changes(ApiView):
    scope = Scope.CHANGES

    @described(
        "changes_list",
        answers={200: shapes.Changes},
        parameters=(LIMIT, OpenApiParameter("after", str, description="The cursor of the last answer.")),
    )
    def get(self, request: Request) -> Response:
        """Changes of this channel's orders and members after a cursor; without one from the beginning."""
        text = request.query_params.get("after", "")
        cursor = changes.read_cursor(text) if text else changes.START
        if cursor is None:
            raise refuse("after", "word_unknown")
        page = changes.after(cursor, self.channel, most=asked_limit(request))
        answer = {
            "changes": [
                {
                    "id": change.id,
                    "topic": change.topic,
                    "change": change.change,
                    "member_no": change.member_no,
                    "payload": change.payload,
                    "at": moment(change.at),
                }
                for change in page.changes
            ],
            "after": str(page.cursor),
            "next": address_of_next(request, after=str(page.cursor)),
            "more": page.more,
        }
        return Response(answer)
