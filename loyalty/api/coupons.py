"""Coupons by API (B6): lock → use → release, each once per order; and what a member holds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import clock, coupon_stories, coupon_words, coupons
from loyalty.api import answers, baskets, colleagues, coupon_shapes
from loyalty.card import in_words
from loyalty.coupon_stories import Story
from loyalty.coupon_terms import BasketLine, Terms
from loyalty.coupons import CouponReceipt, Held
from members import seeing
from members.api.answers import address_of_next, asked_limit, asked_number, moment, money
from members.api.shapes import IDEMPOTENCY_KEY, LIMIT, OpenApiParameter, described
from members.api.view import ApiView, Place
from members.api_keys import Caller
from members.bodies import MOST_VERSION, Body
from members.models import Scope, Store
from members.replays import Answer

LONGEST_LOCK = 30 * 24 * 60 * 60  # seconds


def _moves(operation: str, request: Any) -> Any:
    """Describe an operation that moves a coupon."""
    return described(
        operation,
        request=request,
        answers={200: coupon_shapes.CouponAnswer, 201: coupon_shapes.CouponAnswer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of a request about a coupon and an order."""

    order_no: str
    member_no: str
    store: str
    lines: list[BasketLine] | None
    postage: Decimal | None


class CouponView(ApiView):
    """What the addresses that move coupons share."""

    scope = Scope.COUPONS
    verb = "coupons.use"

    def asked(self, body: Body, *, with_basket: bool = True) -> Asked:
        """Read what is asked for. Raises BodyInvalid."""
        asked = Asked(
            order_no=body.required("order_no", body.exact("order_no", 64)) or "",
            member_no=body.exact("member_no", 20) or "",
            store=(body.exact("store", 50) or "") if with_basket else "",
            lines=baskets.lines(body) if with_basket else None,
            postage=body.money("postage") if with_basket else None,
        )
        body.settle()
        return asked

    def where(self, asked: Asked) -> tuple[Place, Store | None]:
        """Where the coupon is used: the store that a channel names, or the one its member of staff is in."""
        place = self.place()
        return place, baskets.store(place, asked.store)


def _member_id(member_no: str) -> int | None:
    return seeing.id_of(member_no) if member_no else None


class LockCoupon(CouponView):
    """POST /coupons/{code}/lock/."""

    @_moves("coupons_lock", coupon_shapes.CouponLock)
    def post(self, request: Request, code: str) -> Response:
        """Set a coupon aside for an order; answers what it takes off. Nobody else can use it meanwhile."""
        body = Body(request.data)
        seconds = body.whole("expires_in", 1, LONGEST_LOCK) or coupons.LOCK_SECONDS
        asked = self.asked(body)
        place, store = self.where(asked)

        def work() -> Answer:
            receipt = coupons.lock(
                code,
                channel=place.channel,
                order_no=asked.order_no,
                member_id=_member_id(asked.member_no),
                store=store,
                lines=asked.lines,
                postage=asked.postage,
                seconds=seconds,
                actor_id=place.actor_id,
            )
            return _moved(receipt)

        return self.once(work, body)


class UseCoupon(CouponView):
    """POST /coupons/{code}/use/."""

    @_moves("coupons_use", coupon_shapes.CouponUse)
    def post(self, request: Request, code: str) -> Response:
        """Use a coupon for an order, locked for it before or not. It comes back when the order is undone."""
        body = Body(request.data)
        asked = self.asked(body)
        place, store = self.where(asked)

        def work() -> Answer:
            receipt = coupons.use(
                code,
                channel=place.channel,
                order_no=asked.order_no,
                member_id=_member_id(asked.member_no),
                store=store,
                lines=asked.lines,
                postage=asked.postage,
                actor_id=place.actor_id,
            )
            return _moved(receipt)

        return self.once(work, body)


class ReleaseCoupon(CouponView):
    """POST /coupons/{code}/release/."""

    @_moves("coupons_release", coupon_shapes.CouponRelease)
    def post(self, request: Request, code: str) -> Response:
        """Let go of a coupon that was locked for an order."""
        body = Body(request.data)
        asked = self.asked(body, with_basket=False)
        place = self.place()

        def work() -> Answer:
            receipt = coupons.release(
                code,
                channel=place.channel,
                order_no=asked.order_no,
                member_id=_member_id(asked.member_no),
                actor_id=place.actor_id,
            )
            return _moved(receipt, status=answers.SEEN)

        return self.once(work, body)


class MemberCoupons(ApiView):
    """GET /members/{no}/coupons/."""

    scope = Scope.COUPONS
    verb = "coupons.view"

    @described(
        "coupons_get",
        answers={200: coupon_shapes.HeldCoupons},
        refusals=(404,),
        parameters=(
            LIMIT,
            OpenApiParameter("cursor", int, description="Taken from `next`."),
            OpenApiParameter("usable", bool, description="true: only those that can be used now."),
        ),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """The coupons of a member, latest first, with how they stand; or those that can be used now."""
        limit = asked_limit(request)
        before = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        member_id = seeing.id_of(member_no)
        if request.query_params.get("usable") in ("true", "1"):
            held = coupons.usable(member_id, clock.read().now)[:limit]
            return Response({"coupons": _page(held, self.caller), "next": None})
        held = coupons.of_member(member_id, before_id=before, limit=limit + 1)
        page, more = held[:limit], len(held) > limit
        following = address_of_next(request, cursor=page[-1].coupon_id) if more else None
        return Response({"coupons": _page(page, self.caller), "next": following})


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "campaign": terms.code,
        "name": in_words(dict(terms.name)),
        "kind": terms.kind,
        "value": str(terms.value) if terms.value is not None else None,
        "gift": terms.gift or None,
        "min_spend": money(terms.min_spend),
        "max_discount": _maybe(terms.max_discount),
        "combines": terms.combines,
        "words": coupon_words.worth(terms),
    }


def _moved(receipt: CouponReceipt, status: int | None = None) -> Answer:
    body = _terms(receipt.terms) | {
        "code": receipt.code,
        "state": receipt.state,
        "order_no": receipt.order_no,
        "discount": _maybe(receipt.discount),
        "postage_discount": _maybe(receipt.postage),
        "locked_until": moment(receipt.locked_until),
        "valid_until": moment(receipt.valid_until),
        "sentence": coupon_words.formula(receipt.why),
        "reasons": dict(receipt.why),
    }
    return Answer(status or (answers.CREATED if receipt.is_new else answers.SEEN), body)


def _page(page: list[Held], caller: Caller) -> list[dict[str, Any]]:
    """A page of coupons, each with why it was issued and each step of its life (B14)."""
    stories = coupon_stories.of([held.coupon_id for held in page if held.coupon_id is not None])
    return [_held(held) | _story(stories[held.coupon_id or 0], caller) for held in page]


def _story(story: Story, caller: Caller) -> dict[str, Any]:
    return {
        "sentence": story.sentence,
        "version": story.version,
        "clauses": answers.clauses(story.clauses),
        "steps": [
            {
                "kind": step.kind,
                "label": step.label,
                "sentence": step.sentence,
                "channel": step.channel,
                "order_no": step.order_no,
                "by": colleagues.name(step.by, caller),
                "at": moment(step.at),
            }
            for step in story.steps
        ],
    }


def _held(held: Held) -> dict[str, Any]:
    return _terms(held.terms) | {
        "code": held.code,
        "standing": held.standing,
        "why_not": coupon_words.reason(held.why_not) if held.why_not else "",
        "valid_from": moment(held.valid_from),
        "valid_until": moment(held.valid_until),
        "locked_until": moment(held.locked_until),
        "issued_at": moment(held.issued_at),
        "cause": held.cause,
        "reasons": dict(held.why),
    }


def _maybe(amount: Decimal | None) -> str | None:
    return None if amount is None else money(amount)
