"""Tier and benefits of a member by API: where they stand and why, what leads on, what they have (B1, B2)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import benefits, card, tier_events, tier_paths, tier_requests, tier_words
from loyalty.api import answers, colleagues, shapes, tier_shapes
from loyalty.benefits import Column, Left
from loyalty.card import Card
from loyalty.clauses import Book
from loyalty.tier_paths import PathStep, Standing
from loyalty.tiers import Progress
from members import seeing
from members.api.answers import moment, money
from members.api.shapes import IDEMPOTENCY_KEY, described
from members.api.view import ApiView
from members.api_keys import Caller
from members.bodies import Body
from members.errors import StaffKeyNeeded
from members.models import Scope
from members.numbers import number_of
from members.replays import Answer
from privacy import approvals


class MemberTier(ApiView):
    """GET and POST /members/{no}/tier/."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    @described("tier_get", answers={200: tier_shapes.Tier}, refusals=(404, 409))
    def get(self, request: Request, member_no: str) -> Response:
        """Which tier, until when, how it came about, and what each way on still lacks."""
        member_id = seeing.id_of(member_no)
        standing = tier_paths.stand(member_id)
        tier, purse = standing.tier, standing.purse
        return Response(
            {
                "member_no": number_of(member_id),
                "tier": {"code": tier.code, "name": card.in_words(tier.name)},
                "since": moment(purse.tier_since if purse else None),
                "until": moment(purse.tier_until if purse else None),
                "badge": tier.benefits.badge,
                "growth": tier_paths.growth_in_all(member_id),
                "next": _way(standing.next),
                "to_keep": _way(standing.to_keep),
                "given": _given(standing),
                "path": _path(member_id, self.caller),
            }
        )

    @described(
        "tier_set",
        request=tier_shapes.TierAsked,
        answers={202: shapes.AdjustmentWaits},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str) -> Response:
        """Ask that the tier be no lower than this until then (or, without `until`, invite to it): 202.

        For staff keys alone; a second person decides.
        """
        person = self.caller.staff
        if person is None:
            raise StaffKeyNeeded
        body = Body(request.data)
        tier = body.required("tier", body.exact("tier", 50)) or ""
        until = body.moment("until")
        reason = body.text("reason", 300) or ""
        body.settle()

        def work() -> Answer:
            asked = tier_events.ask(seeing.find(member_no=member_no), tier, until, reason, person)
            return Answer(
                answers.ACCEPTED,
                {
                    "approval_id": asked.pk,
                    "state": str(approvals.state_of(asked)),
                    "sentence": tier_requests.sentence(asked.change),
                    "expires_at": moment(asked.expires_at),
                },
            )

        return self.once(work, body)


class MemberBenefits(ApiView):
    """GET /members/{no}/benefits/."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    @described("benefits_get", answers={200: tier_shapes.Benefits}, refusals=(404, 409))
    def get(self, request: Request, member_no: str) -> Response:
        """What the tier gives, in words and as figures, and what of it is left this period."""
        shown = card.of(seeing.id_of(member_no), purchases=0)
        return Response(
            {
                "member_no": shown.member_no,
                "tier": {"code": shown.tier_code, "name": shown.tier_name},
                "benefits": benefits.told(shown.tier),
                "points_per_yuan": shown.points_per_yuan,
                "worth": money(shown.worth),
                **_figures(shown),
            }
        )


class BenefitUses(ApiView):
    """POST /members/{no}/benefits/{code}/use/."""

    scope = Scope.COUPONS
    verb = "coupons.use"

    @described(
        "benefit_use",
        request=tier_shapes.BenefitAsked,
        answers={200: tier_shapes.BenefitUsed, 201: tier_shapes.BenefitUsed},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str, code: str) -> Response:
        """Have a counted benefit once, such as this month's 10 % off. The same cause again: 200."""
        body, place = Body(request.data), self.place()
        cause = body.required("cause", body.exact("cause", 200)) or ""
        body.settle()

        def work() -> Answer:
            used, is_new = benefits.use(
                seeing.id_of(member_no),
                code,
                cause=f"{place.channel.code}:{self.named(cause)}",
                channel=place.channel,
                store_id=place.store_id,
                actor_id=place.actor_id,
            )
            found = {
                "code": used.code,
                "period": used.period,
                "number": used.number,
                "used_at": moment(used.used_at),
            }
            return Answer(answers.CREATED if is_new else answers.SEEN, found)

        return self.once(work, body)


class BenefitGivenBack(ApiView):
    """POST /members/{no}/benefits/{code}/give-back/."""

    scope = Scope.COUPONS
    verb = "coupons.use"

    @described(
        "benefit_give_back",
        request=tier_shapes.BenefitAsked,
        answers={200: tier_shapes.BenefitReturned},
        refusals=(404, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, member_no: str, code: str) -> Response:
        """Give a use back because its order was cancelled; a second time changes nothing."""
        body, place = Body(request.data), self.place()
        cause = body.required("cause", body.exact("cause", 200)) or ""
        body.settle()

        def work() -> Answer:
            causes = [f"{place.channel.code}:{self.named(cause)}"]
            count = benefits.give_back(seeing.id_of(member_no), code, causes)
            return Answer(answers.SEEN, {"given_back": count})

        return self.once(work, body)


class BenefitMatrix(ApiView):
    """GET /benefits/."""

    scope = Scope.MEMBERS_READ
    verb = "members.find"

    @described("benefits_matrix", answers={200: tier_shapes.Matrix}, refusals=(409,))
    def get(self, request: Request) -> Response:
        """What every tier gives, and the value of it: the matrix of the programme that holds now."""
        return Response({"tiers": [_column(column) for column in benefits.present_matrix()]})


def _way(way: Progress | None) -> dict[str, Any] | None:
    if way is None:
        return None
    missing = {need.what: need.missing for need in way.needs}
    return {
        "code": way.tier.code,
        "name": card.in_words(way.tier.name),
        "spend_missing": money(missing.get("spend", card.NOTHING)),
        "orders_missing": int(missing.get("orders", 0)),
        "growth_missing": int(missing.get("growth", 0)),
        "needs_both": way.needs_all,
        "counts_since": moment(way.since),
        "needs": [
            {
                "what": need.what,
                "asked": str(need.asked),
                "have": str(need.have),
                "missing": str(need.missing),
                "percent": need.percent,
                "sentence": line.missing,
            }
            for need, line in zip(way.needs, tier_words.needs(way), strict=True)
        ],
    }


def _given(standing: Standing) -> list[dict[str, Any]]:
    return [
        {
            "kind": given.kind_label,
            "tier": {"code": given.tier, "name": given.tier_name},
            "from": moment(given.starts_at),
            "until": moment(given.ends_at),
            "reason": given.reason,
        }
        for given in tier_paths.given(standing)
    ]


def _path(member_id: int, caller: Caller) -> list[dict[str, Any]]:
    book = Book()
    return [_step(colleagues.step(step, caller), book) for step in tier_paths.steps(member_id)]


def _step(step: PathStep, book: Book) -> dict[str, Any]:
    return {
        "before": {"code": step.before, "name": step.before_name},
        "after": {"code": step.after, "name": step.after_name},
        "reason": step.reason,
        "reason_label": step.reason_label,
        "sentence": step.sentence,
        "why": dict(step.why),
        "version": step.version,
        "clauses": answers.clauses(book.of_grant(step.why)),
        "valid_until": moment(step.valid_until),
        "happened_at": moment(step.happened_at),
        "recorded_at": moment(step.recorded_at),
    }


def _figures(shown: Card) -> dict[str, Any]:
    given = shown.tier.benefits
    return {
        "discount": str(given.discount),
        "coefficient": str(given.coefficient),
        "shipping": {"kind": given.shipping, "provinces": list(given.provinces)},
        "service": given.service,
        "badge": given.badge,
        "birthday": given.birthday,
        "extra": given.extra,
        "uses": [_left(left) for left in shown.uses],
    }


def _left(left: Left) -> dict[str, Any]:
    return {
        "code": left.use.code,
        "name": left.name,
        "per": left.use.per,
        "times": left.use.times,
        "left": left.left,
        "discount": str(left.use.discount) if left.use.discount is not None else None,
        "amount": money(left.use.amount) if left.use.amount is not None else None,
        "period": left.period,
        "anew_on": left.anew_on.isoformat(),
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "tier": {"code": column.tier.code, "name": column.name},
        "value": money(column.value),
        "benefits": [
            {
                "word": benefit.word,
                "text": benefit.text,
                "yuan": money(benefit.yuan or card.NOTHING),
                "weight": str(benefit.weight),
            }
            for benefit in column.benefits
        ],
    }
