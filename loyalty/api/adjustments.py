"""Points by hand, by API (B3): for staff keys alone, with the same limit and the same second person."""

import hashlib

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import adjustments, approval_words
from loyalty.adjustments import Adjustment
from loyalty.api import answers, shapes
from members import seeing
from members.api.answers import moment
from members.api.shapes import IDEMPOTENCY_KEY, described
from members.api.view import ApiView
from members.bodies import MOST_VERSION, MOST_WHOLE, Body
from members.errors import StaffKeyNeeded
from members.replays import Answer
from privacy import approvals


class Adjust(ApiView):
    """POST /members/{no}/points/adjust/."""

    verb = "points.adjust"

    @described(
        "points_adjust",
        request=shapes.AdjustmentAsked,
        answers={200: shapes.PointsMoved, 201: shapes.PointsMoved, 202: shapes.AdjustmentWaits},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str) -> Response:
        """Give or take points by hand: 201 within the limit, 202 when a second person decides."""
        body = Body(request.data)
        points = body.required("points", body.whole("points", -MOST_WHOLE, MOST_WHOLE)) or 0
        reason = body.text("reason", 300) or ""
        reverses = body.whole("reverses", 1, MOST_VERSION)
        body.settle()
        person = self.caller.staff
        if person is None:
            raise StaffKeyNeeded

        def work() -> Answer:
            done = adjustments.adjust(
                seeing.id_of(member_no), points, reason, person, cause=self._cause(), reverses=reverses
            )
            return _answer(done)

        return self.once(work, body)

    def _cause(self) -> str:
        # Named after the Idempotency-Key: should the kept answer be purged, it is still done once.
        key = self.request.headers.get("Idempotency-Key", "").strip()
        return hashlib.sha256(key.encode()).hexdigest()[:24]


def _answer(done: Adjustment) -> Answer:
    if done.receipt is not None:
        body = {"entry_id": done.receipt.entry_id, "points": done.receipt.points}
        made = answers.CREATED if done.receipt.is_new else answers.SEEN
        return Answer(made, body | answers.points(done.receipt.figures))
    assert done.approval is not None
    return Answer(
        answers.ACCEPTED,
        {
            "approval_id": done.approval.pk,
            "state": str(approvals.state_of(done.approval)),
            "sentence": approval_words.adjustment(done.approval.change),
            "expires_at": moment(done.approval.expires_at),
        },
    )
