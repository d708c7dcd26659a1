"""Tier and benefits of a member by API (B1, B2)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import card
from loyalty.api import shapes
from loyalty.card import Card
from members import seeing
from members.api.answers import moment, money
from members.api.shapes import described
from members.api.view import ApiView
from members.models import Scope


class MemberTier(ApiView):
    """GET /members/{no}/tier/."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    @described("tier_get", answers={200: shapes.Tier}, refusals=(404, 409))
    def get(self, request: Request, member_no: str) -> Response:
        """Which tier, until when, and what is missing for the next one."""
        shown = card.of_member(seeing.find(member_no=member_no), purchases=0)
        return Response(_head(shown) | {"until": moment(shown.tier_until), "next": _next(shown)})


class MemberBenefits(ApiView):
    """GET /members/{no}/benefits/."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    @described("benefits_get", answers={200: shapes.Benefits}, refusals=(404, 409))
    def get(self, request: Request, member_no: str) -> Response:
        """What the tier gives, in words, and what the available points are worth at it."""
        shown = card.of_member(seeing.find(member_no=member_no), purchases=0)
        given = {
            "benefits": list(shown.benefits),
            "points_per_yuan": shown.points_per_yuan,
            "worth": money(shown.worth),
        }
        return Response(_head(shown) | given)


def _head(shown: Card) -> dict[str, Any]:
    return {"member_no": shown.member_no, "tier": {"code": shown.tier_code, "name": shown.tier_name}}


def _next(shown: Card) -> dict[str, Any] | None:
    if shown.next_tier is None:
        return None
    return {
        "code": shown.next_tier.code,
        "name": shown.next_tier.name,
        "spend_missing": money(shown.next_tier.spend),
        "orders_missing": shown.next_tier.orders,
        "needs_both": shown.next_tier.needs_both,
    }
