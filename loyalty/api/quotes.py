"""Quotes by API (B13): what a basket comes to and why, and committing it once."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import coupon_words, quote_words, quotes
from loyalty.api import answers, baskets, examples, quote_shapes
from loyalty.card import in_words
from loyalty.choice import NotTaken, Taken
from loyalty.models import Quote
from loyalty.quotes import ALL_POINTS, MOST_CODES, Ask, Committed, Offered
from members import seeing
from members.api.answers import moment, money
from members.api.shapes import IDEMPOTENCY_KEY, described
from members.api.view import ApiView, unknown
from members.bodies import MOST_WHOLE, Body
from members.models import Scope
from members.numbers import number_of
from members.replays import Answer

NOTHING = Decimal("0.00")


class Quotes(ApiView):
    """POST /quotes/."""

    scope = Scope.COUPONS
    verb = "coupons.use"

    @described(
        "quotes_make",
        request=quote_shapes.QuoteAsked,
        answers={201: quote_shapes.QuoteAnswer},
        refusals=(404, 409),
        example=examples.QUOTE,
    )
    def post(self, request: Request) -> Response:
        """What a basket comes to for a member: tier, best coupons, points, each with its reason.

        Nothing is set aside: committing answers 409 when a coupon has been used elsewhere meanwhile.
        """
        body = Body(request.data)
        ask = self._asked(body)
        quote, offered = quotes.make(ask, actor_id=self.place().actor_id)
        return Response(_offered(quote, offered) | unknown(body), status=answers.CREATED)

    def _asked(self, body: Body) -> Ask:
        place = self.place()
        member_no = body.required("member_no", body.exact("member_no", 20)) or ""
        store = body.exact("store", 50) or ""
        lines = body.required("lines", baskets.lines(body)) or []
        points = ALL_POINTS if body.flag("all_points") else body.whole("points", 0, MOST_WHOLE) or 0
        with_coupons, with_benefits = body.flag("with_coupons"), body.flag("with_benefits")
        postage, province = body.money("postage") or NOTHING, body.text("province", 50) or ""
        codes, without = body.texts("codes", 64, MOST_CODES), body.texts("without", 64, MOST_CODES)
        body.settle()
        return Ask(
            member_id=seeing.id_of(member_no),
            channel=place.channel,
            store=baskets.store(place, store),
            lines=tuple(lines),
            postage=postage,
            province=province,
            points=points,
            codes=codes,
            with_coupons=with_coupons is not False,
            with_benefits=with_benefits is not False,
            without=frozenset(without),
        )


class CommitQuote(ApiView):
    """POST /quotes/{id}/commit/."""

    scope = Scope.COUPONS
    verb = "coupons.use"

    @described(
        "quotes_commit",
        request=quote_shapes.QuoteCommit,
        answers={200: quote_shapes.CommitAnswer, 201: quote_shapes.CommitAnswer},
        refusals=(404, 409, 422),
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request, quote_id: UUID) -> Response:
        """Use what was quoted for an order: all of it or nothing. The same order again: 200."""
        body, place = Body(request.data), self.place()
        order_no = body.required("order_no", body.exact("order_no", 64)) or ""
        body.settle()

        def work() -> Answer:
            done = quotes.commit(quote_id, order_no, channel=place.channel, actor_id=place.actor_id)
            return Answer(answers.CREATED if done.is_new else answers.SEEN, _committed(done))

        return self.once(work, body)


def _offered(quote: Quote, offered: Offered) -> dict[str, Any]:
    chosen = offered.choice
    return {
        "quote_id": str(quote.key),
        "member_no": number_of(quote.member_id),
        "valid_until": moment(quote.valid_until),
        "version": offered.held.number,
        "tier": {"code": offered.tier.code, "name": in_words(offered.tier.name)},
        "goods": money(chosen.goods),
        "tier_discount": {"amount": money(chosen.cut_off), "sentence": quote_words.cut(offered)},
        "benefit": _benefit(offered),
        "coupons": [_coupon(each, offered) for each in chosen.taken],
        "not_used": [
            *(_not_used(each, offered) for each in quotes.not_used(offered)),
            *(_no_coupon(code, why) for code, why in offered.refused_codes),
        ],
        "points": {
            "available": offered.available,
            "usable": offered.usable,
            "usable_value": money(offered.worth_of_usable),
            "used": offered.points,
            "value": money(offered.points_value),
            "sentence": quote_words.points(offered),
        },
        "postage": {
            "told": money(offered.ask.postage),
            "free": money(offered.postage_free),
            "coupons": money(chosen.postage_off),
            "to_pay": money(offered.postage),
        },
        "lines": [
            {
                "amount": money(line.amount),
                "tier_discount": money(line.of_tier),
                "coupon_discount": money(line.of_coupons),
                "points_value": money(line.of_points),
                "to_pay": money(line.to_pay),
            }
            for line in offered.lines
        ],
        "net": money(offered.net),
        "saved": money(offered.saved),
        "to_pay": money(offered.to_pay),
        "points_to_earn": offered.points_to_earn,
    }


def _benefit(offered: Offered) -> dict[str, Any] | None:
    if offered.use is None:
        return None
    return {"code": offered.use.use.code, "name": offered.use.name, "left": offered.use.left - 1}


def _coupon(taken: Taken, offered: Offered) -> dict[str, Any]:
    terms = taken.offer.terms
    return {
        "code": offered.codes[taken.offer.id],
        "campaign": terms.code,
        "name": coupon_words.title(terms),
        "words": coupon_words.worth(terms),
        "discount": money(taken.verdict.discount or NOTHING),
        "postage_discount": money(taken.verdict.postage or NOTHING),
        "gift": terms.gift or None,
        "score": str(taken.score),
        "sentence": quote_words.coupon(taken),
    }


def _not_used(left_out: NotTaken, offered: Offered) -> dict[str, Any]:
    return {
        "code": offered.codes[left_out.offer.id],
        "campaign": left_out.offer.terms.code,
        "name": coupon_words.title(left_out.offer.terms),
        "why_not": left_out.why_not,
        "reason": coupon_words.reason(left_out.why_not),
        "would_save": money(left_out.saves),
        "score": str(left_out.score),
    }


def _no_coupon(code: str, why_not: str) -> dict[str, Any]:
    return {
        "code": code,
        "campaign": None,
        "name": "",
        "why_not": why_not,
        "reason": coupon_words.reason(why_not),
        "would_save": money(NOTHING),
        "score": "0",
    }


def _committed(done: Committed) -> dict[str, Any]:
    quote, plan = done.quote, done.quote.plan
    spent = {"points": plan["points"], "cause": done.points_cause} if plan["points"] else None
    return {
        "quote_id": str(quote.key),
        "order_no": quote.order_no,
        "committed_at": moment(quote.committed_at),
        "benefit": plan["benefit"] or None,
        "coupons": [
            {"code": each["code"], "discount": each["discount"], "postage_discount": each["postage"]}
            for each in plan["coupons"]
        ],
        "points_spent": spent,
        **{name: plan[name] for name in ("net", "points_value", "postage", "to_pay")},
    }
