"""Rewards by API (B8): the catalogue as a member sees it, a claim, and a claim undone, each once (D10)."""

import hashlib
from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import catalogue, ledger, reward_words, rewards
from loyalty.api import answers, reward_shapes
from loyalty.catalogue import Card
from loyalty.errors import ClaimNotFound
from loyalty.fulfilment import CANCELLABLE
from loyalty.models import Claim
from loyalty.pictures import Picture
from loyalty.reward_terms import Sale
from members import seeing, survivors
from members.api.answers import address_of_next, asked_limit, asked_number, moment, money
from members.api.shapes import IDEMPOTENCY_KEY, LIMIT, OpenApiParameter, described
from members.api.view import ApiView, Place
from members.bodies import MOST_VERSION, MOST_WHOLE, UNKNOWN_WORD, Body
from members.models import Scope, Store
from members.numbers import number_of
from members.replays import Answer


class Rewards(ApiView):
    """GET /rewards/."""

    scope = Scope.REWARDS
    verb = "rewards.view"

    @described(
        "rewards_list",
        answers={200: reward_shapes.Rewards},
        refusals=(404, 409),
        parameters=(OpenApiParameter("member_no", str, description="As this member sees them."),),
    )
    def get(self, request: Request) -> Response:
        """The catalogue; with a member, what they can have, what not and why."""
        member_no = request.query_params.get("member_no")
        member_id = seeing.id_of(member_no) if member_no is not None else None
        cards = [_card(card, request) for card in catalogue.of(member_id)]
        return Response({"member_no": number_of(member_id) if member_id else None, "rewards": cards})


class ClaimReward(ApiView):
    """POST /rewards/{code}/claim/."""

    scope = Scope.REWARDS
    verb = "rewards.claim"

    @described(
        "rewards_claim",
        request=reward_shapes.ClaimAsked,
        answers={200: reward_shapes.ClaimAnswer, 201: reward_shapes.ClaimAnswer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, code: str) -> Response:
        """Claim a reward: its points are spent, and a piece is set aside, or its coupon issued."""
        body, place = Body(request.data), self.place()
        member_no = body.required("member_no", body.exact("member_no", 40))
        cause = body.exact("cause", 200) or self._cause()
        way = body.word("way", Claim.Way)
        store_id = _store(body, place)
        points_seen, money_seen = body.whole("points", 0, MOST_WHOLE), body.money("money")
        body.settle()
        cause = self.named(cause)

        def work() -> Answer:
            done = rewards.claim(
                seeing.id_of(member_no),
                code,
                cause=cause,
                channel=place.channel,
                store_id=store_id,
                actor_id=place.actor_id,
                way=way or "",
                points=points_seen,
                money=money_seen,
            )
            return _answer(done.claim, answers.CREATED if done.is_new else answers.SEEN)

        return self.once(work, body)

    def _cause(self) -> str:
        # Named after the Idempotency-Key: should the kept answer be purged, it is still one claim.
        key = self.request.headers.get("Idempotency-Key", "").strip()
        return "claim-" + hashlib.sha256(key.encode()).hexdigest()[:24]


class CancelClaim(ApiView):
    """POST /claims/{id}/cancel/."""

    scope = Scope.REWARDS
    verb = "rewards.fulfil"

    @described(
        "claims_cancel",
        request=reward_shapes.CancelAsked,
        answers={200: reward_shapes.ClaimAnswer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, claim_id: int) -> Response:
        """Undo a claim that was neither sent nor handed over; its points go back to their lots."""
        body, place = Body(request.data), self.place()
        reason = body.required("reason", body.text("reason", 300))
        body.settle()

        def work() -> Answer:
            _require_own(claim_id, place)
            return _answer(rewards.cancel(claim_id, reason=reason, actor_id=place.actor_id), answers.SEEN)

        return self.once(work, body)


class MemberClaims(ApiView):
    """GET /members/{no}/claims/."""

    scope = Scope.REWARDS
    verb = "rewards.view"

    @described(
        "claims_list",
        answers={200: reward_shapes.Claims},
        refusals=(404,),
        parameters=(LIMIT, OpenApiParameter("cursor", int, description="Taken from `next`.")),
    )
    def get(self, request: Request, member_no: str) -> Response:
        """What a member, and who was merged into them, claimed or was given: latest first, and how far."""
        limit = asked_limit(request)
        before = asked_number(request, "cursor", None, least=1, most=MOST_VERSION)
        mine = survivors.same_person(seeing.id_of(member_no))
        found = Claim.objects.filter(member__in=mine).select_related("store", "coupon")
        if before is not None:
            found = found.filter(pk__lt=before)
        rows = list(found.order_by("-pk")[: limit + 1])
        page = rows[:limit]
        following = address_of_next(request, cursor=page[-1].pk) if len(rows) > limit else None
        return Response({"claims": [_seen(row) for row in page], "next": following})


def _store(body: Body, place: Place) -> int | None:
    """Where it is to be picked up: a store of the caller's channel, or the one that staff work in."""
    code = body.exact("store", 50)
    if code is None:
        return place.store_id
    store = Store.objects.filter(channel=place.channel, code=code, is_active=True).first()
    if store is None:
        body.note("store", UNKNOWN_WORD)
    return store.pk if store else None


def _require_own(claim_id: int, place: Place) -> None:
    """A channel undoes what it claimed; staff what was claimed in their channel or waits in their store."""
    own = Q(channel=place.channel)
    if place.store_id is not None:
        own |= Q(store=place.store_id)
    if not Claim.objects.filter(own, pk=claim_id).exists():
        raise ClaimNotFound


# -- answers --------------------------------------------------------------------------------------------


def _answer(claim: Claim, status: int) -> Answer:
    return Answer(status, answers.points(ledger.figures(claim.member_id)) | _seen(claim))


def _seen(claim: Claim) -> dict[str, Any]:
    return {
        "claim_id": claim.pk,
        "reward": claim.reward,
        "name": reward_words.name_of(claim.why, claim.reward),
        "sale": claim.sale,
        "state": str(claim.state),
        "state_label": str(Claim.State(claim.state).label),
        "way": str(claim.way),
        "points": claim.points,
        "money": money(claim.money),
        "sentence": reward_words.sentence(claim.why),
        "why": dict(claim.why),
        "tracking": claim.tracking,
        "store": claim.store.code if claim.store else None,
        "coupon_code": claim.coupon.code if claim.coupon else None,
        "can_cancel": claim.state in CANCELLABLE,
        "claimed_at": moment(claim.claimed_at),
        "ended_at": moment(claim.ended_at),
    }


def _card(card: Card, request: Request) -> dict[str, Any]:
    return {
        "code": card.code,
        "name": card.name,
        "description": card.description,
        "kind": card.kind,
        "points": card.points,
        "money": money(card.money),
        "price": card.price,
        "usual_price": card.usual_price,
        "ways": list(card.ways),
        "left": card.left,
        "per_member": card.limit,
        "claimed": card.claimed,
        "tiers": list(card.tiers),
        "starts_at": moment(card.starts_at),
        "ends_at": moment(card.ends_at),
        "sale": _sale(card.sale),
        "next_sale": _sale(card.next_sale),
        "picture": _picture(card.picture, request),
        "can_claim": card.can_claim,
        "why_not": card.refusal or None,
        "why_not_words": card.sentence,
    }


def _sale(sale: Sale | None) -> dict[str, Any] | None:
    if sale is None:
        return None
    return {
        "code": sale.code,
        "name": sale.called,
        "starts_at": moment(sale.starts_at),
        "ends_at": moment(sale.ends_at),
        "points": sale.points,
        "money": money(sale.money),
    }


def _picture(picture: Picture | None, request: Request) -> dict[str, str] | None:
    if picture is None:
        return None
    return {"url": request.build_absolute_uri(picture.url), "alt": picture.alt}
