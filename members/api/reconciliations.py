"""Reconciliations by API (A16): a channel says what it holds of a day and hears where we differ."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from members import reconciling
from members.api import reconciliation_shapes as shapes
from members.api.answers import address_of_next, asked_limit, asked_number, money
from members.api.shapes import IDEMPOTENCY_KEY, LIMIT, OpenApiParameter, described
from members.api.view import ApiView
from members.models import Reconciliation, ReconciliationDifference, Scope
from members.reconciliation_reading import Telling, read_first_telling, read_telling
from members.replays import Answer

MOST_ID = 2**63 - 1


class Reconciliations(ApiView):
    """POST /reconciliations/."""

    scope = Scope.ORDERS

    @described(
        "reconciliations_begin",
        request=shapes.Begun,
        answers={201: shapes.Answer},
        refusals=(409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request) -> Response:
        """Say what you hold of a day: orders, a thousand a call, or totals alone. Changes no order.

        With `complete: false` more orders follow; they are compared once you say that those were all.
        """
        day, telling = read_first_telling(request.data)

        def work() -> Answer:
            if telling.totals is not None:
                run = reconciling.check_totals(self.channel, day, telling.totals)
            else:
                begun = reconciling.begin(self.channel, day)
                run = _tell(self, begun.pk, telling)
            return Answer(201, _shown(run, telling))

        return self.once(work)


class ReconciledOrders(ApiView):
    """POST /reconciliations/{id}/orders/."""

    scope = Scope.ORDERS

    @described(
        "reconciliations_tell",
        request=shapes.OrdersTold,
        answers={200: shapes.Answer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, reconciliation_id: int) -> Response:
        """More orders of a day; an order told twice is as told last. Compares unless more follow."""
        telling = read_telling(request.data)
        return self.once(lambda: Answer(200, _shown(_tell(self, reconciliation_id, telling), telling)))


class OneReconciliation(ApiView):
    """GET /reconciliations/{id}/."""

    scope = Scope.ORDERS

    @described(
        "reconciliations_get",
        answers={200: shapes.Page},
        refusals=(404,),
        parameters=(LIMIT, OpenApiParameter("after", int, description="The last difference seen.")),
    )
    def get(self, request: Request, reconciliation_id: int) -> Response:
        """Where we differ, order by order. Put right what is yours, and the rest is decided here."""
        run = reconciling.get(reconciliation_id, self.channel)
        limit = asked_limit(request)
        after = asked_number(request, "after", 0, least=0, most=MOST_ID)
        found = list(run.differences.filter(pk__gt=after).order_by("pk")[: limit + 1])
        more = address_of_next(request, after=found[limit - 1].pk) if len(found) > limit else None
        page = {"differences": [_difference(each) for each in found[:limit]], "next": more}
        return Response(_shown(run) | page)


def _tell(view: ApiView, run_id: int, telling: Telling) -> Reconciliation:
    return reconciling.tell(view.channel, run_id, telling.orders, complete=telling.is_complete)


def _shown(run: Reconciliation, telling: Telling | None = None) -> dict[str, Any]:
    is_compared = run.state == Reconciliation.State.DONE
    shown = {
        "id": run.pk,
        "day": run.day.isoformat(),
        "state": run.state,
        "theirs": run.theirs if is_compared else None,
        "ours": run.ours if is_compared else None,
        "found": run.found,
        "unattached": run.unattached,
    }
    return shown | ({"ignored": list(telling.ignored)} if telling and telling.ignored else {})


def _difference(found: ReconciliationDifference) -> dict[str, Any]:
    return {
        "id": found.pk,
        "kind": found.kind,
        "order_no": found.order_no,
        "theirs": _side(found, ""),
        "ours": _side(found, "our_"),
        "state": found.state,
    }


def _side(found: ReconciliationDifference, prefix: str) -> dict[str, Any]:
    figures = {name: getattr(found, prefix + name) for name in ("net", "paid", "refunded")}
    told = {name: None if amount is None else money(amount) for name, amount in figures.items()}
    return {"status": getattr(found, prefix + "status"), **told}
