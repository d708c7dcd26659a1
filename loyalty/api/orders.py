"""Orders and refunds by API (A9, B3): a channel says how an order is now, as often as it likes."""

import hashlib
from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import orders, refunds
from loyalty.api import answers, examples, shapes
from loyalty.errors import OrderNotFound
from loyalty.models import OrderEarning
from loyalty.orders import OrderReceipt
from members.api import batches
from members.api.answers import moment, money, refuse
from members.api.shapes import IDEMPOTENCY_KEY, OrderBatch, RefundAsked, described
from members.api.shapes import Order as OrderBody
from members.api.shapes import Refund as RefundBody
from members.api.view import ApiView, Place
from members.bodies import Body
from members.models import Order, OrderLine, Refund, Scope
from members.reading import read_number_in_address, read_order, read_refund, read_refund_amounts
from members.replays import Answer
from privacy import roles


class OneOrder(ApiView):
    """/orders/{order_no}/."""

    scope = Scope.ORDERS

    @described(
        "orders_put",
        request=OrderBody,
        answers={200: shapes.OrderAnswer, 201: shapes.OrderAnswer},
        refusals=(409,),
        example=examples.ORDER,
    )
    def put(self, request: Request, order_no: str) -> Response:
        """Put an order as it is now: 201 when it is new, 200 when it was heard before."""
        told = read_order(request.data, read_number_in_address("order_no", order_no))
        (receipt,) = orders.receive(self.channel, [told.fact])
        if receipt.error is not None:
            raise receipt.error
        answer = answers.order(receipt, answers.tiers_of([receipt])) | batches.ignored(told)
        return Response(answer, status=answers.status_of(receipt.outcome))

    @described("orders_get", answers={200: shapes.OrderSeen}, refusals=(404,))
    def get(self, request: Request, order_no: str) -> Response:
        """An order of this channel as we know it, with its refunds and what of its points stands."""
        number = read_number_in_address("order_no", order_no)
        found = Order.objects.select_related("store", "member", "earning")
        order = found.filter(channel=self.channel, number=number).first()
        if order is None:
            raise OrderNotFound
        return Response(_seen(order))


class OrderBatches(ApiView):
    """POST /orders/batch/."""

    scope = Scope.ORDERS

    @described("orders_batch", request=OrderBatch, answers={200: shapes.OrdersOfBatch})
    def post(self, request: Request) -> Response:
        """Up to 1,000 orders, applied in the order in which things happened, answered in the given one."""
        items = batches.items_of(request.data, "orders")
        answer = batches.answer(
            items, read_order, lambda facts: orders.receive(self.channel, facts), _receipts
        )
        return Response({"items": answer})


def _receipts(receipts: Sequence[OrderReceipt]) -> list[dict[str, Any]]:
    tiers = answers.tiers_of(receipts)
    return [
        {"status": answers.status_of(receipt.outcome)} | answers.order(receipt, tiers) for receipt in receipts
    ]


class OneRefund(ApiView):
    """/orders/{order_no}/refunds/{refund_no}/: told by the platform, so a fact."""

    scope = Scope.ORDERS

    @described(
        "refunds_put",
        request=RefundBody,
        answers={200: shapes.RefundAnswer, 201: shapes.RefundAnswer},
        refusals=(409,),
        example=examples.REFUND,
    )
    def put(self, request: Request, order_no: str, refund_no: str) -> Response:
        """Put a refund that has happened; one that comes before its order waits for it."""
        told = read_refund(
            request.data,
            order_number=read_number_in_address("order_no", order_no),
            number=read_number_in_address("refund_no", refund_no),
        )
        (receipt,) = orders.refund(self.channel, [told.fact])
        if receipt.error is not None:
            raise receipt.error
        answer = answers.refund(receipt) | batches.ignored(told)
        return Response(answer, status=answers.status_of(receipt.outcome))


class RefundRequests(ApiView):
    """POST /orders/{order_no}/refunds/: asked of us, so the programme's policy decides."""

    scope = Scope.ORDERS
    verb = "orders.refund"

    @described(
        "refunds_ask",
        request=RefundAsked,
        answers={201: shapes.RefundAnswer, 202: shapes.RefundAnswer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
        example=examples.REFUND_ASKED,
    )
    def post(self, request: Request, order_no: str) -> Response:
        """Ask for a refund: the answer says what it does to the points and what money to withhold.

        202 when it is above what the role may refund alone: it waits for a second person.
        """
        number = read_number_in_address("order_no", order_no)
        body = Body(request.data)
        goods, postage = read_refund_amounts(body)
        reason, code = body.text("reason", 300) or "", body.exact("channel", 50) or ""
        body.settle()
        place = self._place_of(number, code)

        def work() -> Answer:
            receipt = refunds.ask(
                place.channel,
                number,
                number=self._refund_number(),
                goods=goods,
                postage=postage,
                actor_id=place.actor_id,
                store_id=place.store_id,
                reason=reason,
            )
            status = answers.ACCEPTED if receipt.approval_id else answers.CREATED
            return Answer(status, answers.refund(receipt))

        return self.once(work, body)

    def _place_of(self, number: str, channel_code: str) -> Place:
        """Where the order is: customer service has no store and refunds orders of every channel."""
        staff = self.caller.staff
        if staff is None or roles.extent(staff, self.verb) == roles.OWN_STORE:
            return self.place()
        named = {"channel__code": channel_code} if channel_code else {}
        found = Order.objects.filter(number=number, **named).select_related("channel").only("channel")[:2]
        if not found:
            raise OrderNotFound
        if len(found) > 1:
            raise refuse("channel", "required_missing")
        return Place(found[0].channel, None, staff.pk)

    def _refund_number(self) -> str:
        # Named after the Idempotency-Key: should the kept answer be purged, the same refund is still one.
        key = self.request.headers.get("Idempotency-Key", "").strip()
        return "R-" + hashlib.sha256(f"{self.caller.holder}\n{key}".encode()).hexdigest()[:24]


def _seen(order: Order) -> dict[str, Any]:
    earning: OrderEarning | None = getattr(order, "earning", None)
    return {
        "order_no": order.number,
        "status": order.status,
        "order_status": order.status,
        "store": order.store.code if order.store else None,
        "member_no": order.member.number if order.member else None,
        "placed_at": moment(order.placed_at),
        "paid_at": moment(order.paid_at),
        "shipped_at": moment(order.shipped_at),
        "received_at": moment(order.received_at),
        "completed_at": moment(order.completed_at),
        "lines": [_line(line) for line in order.lines.all()],
        "amounts": _amounts(order),
        "points_spent": _spent(order),
        "goods": money(order.goods),
        "discount": money(order.discount),
        "postage": money(order.postage),
        "net": money(order.net),
        "refunded_goods": money(order.refunded_goods),
        "refunded_postage": money(order.refunded_postage),
        "refunds": [_refund(refund) for refund in order.refunds.order_by("id")],
        "version": order.version,
        "points": {
            "total": earning.stays if earning else 0,
            **answers.reasons(earning.why if earning else {}, earning.stays if earning else 0),
        },
    }


def _amounts(order: Order) -> dict[str, str]:
    return {
        "goods": money(order.goods),
        "discount": money(order.discount),
        "postage": money(order.postage),
        "paid": money(order.net + order.postage),
        "points_value": money(order.points_value),
        "stored_value": money(order.stored_value),
    }


def _spent(order: Order) -> dict[str, Any] | None:
    if not order.points_spent:
        return None
    return {"points": order.points_spent, "cause": order.points_spent_cause}


def _line(line: OrderLine) -> dict[str, Any]:
    return {
        "product": line.product,
        "name": line.name,
        "category": line.category,
        "quantity": line.quantity,
        "price": None if line.price is None else money(line.price),
        "discount": money(line.discount),
        "amount": None if line.amount is None else money(line.amount),
    }


def _refund(refund: Refund) -> dict[str, Any]:
    return {
        "refund_no": refund.number,
        "goods": money(refund.goods),
        "postage": money(refund.postage),
        "refunded_at": moment(refund.refunded_at),
    }
