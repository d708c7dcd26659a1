"""Coupons of an old system: issued to their members with the code and the validity that they have."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from loyalty import clock, coupon_codes, coupon_issuing, coupon_rows, coupon_terms, coupons, publishing
from loyalty.coupon_rows import Moves
from loyalty.coupon_terms import Terms
from loyalty.models import Coupon, CouponMove
from members import columns
from members.legacy.errors import PackageUsed
from members.legacy.takers import Made, Offer, Returned, Taken, Use, instant
from members.models import Channel, LegacyRun

Spent = LegacyRun.Spent
# What issuing says, and what of that a package is told.
_REFUSALS = {
    "no_such_coupon": "campaign_unknown",
    "over": "coupon_over",
    "code_taken": "code_taken",
}


class OldCoupons:
    """Takes coupons, each with its own code."""

    def judge(self, documents: Sequence[Mapping[str, Any]]) -> list[str]:
        """The programme has the campaign, and nobody else has the code, or has had it of another campaign."""
        terms = coupon_terms.of(publishing.current().programme)
        public = {code for each in terms.values() for code in coupon_codes.readings(each.public_code)}
        codes = [coupon_codes.clean(document["code"]) for document in documents]
        # Those of packages are told apart by their rows: this may be the same one again.
        taken = public | coupon_rows.codes_taken([code for code in codes if code], but="legacy:")
        now = clock.read().now
        return [
            _verdict(document, terms.get(document["campaign"]), code, taken, now)
            for document, code in zip(documents, codes, strict=True)
        ]

    def take(
        self, channel: Channel, offers: Sequence[Offer], *, run_id: int, actor_id: int | None
    ) -> list[Taken]:
        """Issue each with its own code; one that was brought before and taken back stands up again."""
        now, why = clock.read().now, {"legacy": run_id, "channel": channel.code}
        restored = _restore(offers, why, now, actor_id)
        fresh = [offer for offer in offers if offer.row_id not in restored]
        issued = coupon_issuing.issue(
            [
                coupon_issuing.Wish(
                    campaign=offer.document["campaign"],
                    member_id=offer.member_id,
                    cause=offer.cause,
                    why=why,
                    actor_id=actor_id,
                    code=_code(offer),
                    valid_until=instant(offer.document, "valid_until"),
                )
                for offer in fresh
            ],
            now=now,
        )
        made = {
            offer.row_id: Taken(each.coupon_id, _REFUSALS.get(each.refusal, each.refusal))
            for offer, each in zip(fresh, issued, strict=True)
        }
        return [made.get(offer.row_id) or Taken(restored[offer.row_id]) for offer in offers]

    def used(self, run_id: int) -> list[Use]:
        """Coupons that have paid an order, or are locked for one."""
        rows = columns.ask(
            "SELECT r.id, c.member_id, 1 FROM members_legacyrow r JOIN loyalty_coupon c ON c.id = r.made"
            " WHERE r.run_id = %s AND r.kind = 'coupons' AND r.state = 'new'"
            "   AND (c.state = 'used' OR c.state = 'locked' AND c.locked_until > %s) ORDER BY r.id",
            [run_id, clock.read().now],
        )
        return [Use(*row) for row in rows]

    def take_back(
        self, channel: Channel, made: Sequence[Made], *, spent: str, run_id: int, actor_id: int | None
    ) -> list[Returned]:
        """Withdraw what nobody has used; what was used stays used."""
        answers = coupons.withdraw(
            [each.made for each in made],
            why={"legacy": run_id, "undone": True},
            now=clock.read().now,
            actor_id=actor_id,
        )
        used = sum(1 for answer in answers.values() if answer)
        if used and spent == Spent.REFUSE:
            raise PackageUsed(points=0, coupons=used)
        return [Returned(0, 1) if answers[each.made] else Returned(1, 0) for each in made]


def _verdict(
    document: Mapping[str, Any], terms: Terms | None, code: str | None, taken: set[str], now: datetime
) -> str:
    if terms is None:
        return "campaign_unknown"
    if code is None:
        return "code_invalid"
    if code in taken:
        return "code_taken"
    _starts, ends = terms.validity(now)
    return "coupon_over" if "valid_until" not in document and ends is not None and ends <= now else ""


def _code(offer: Offer) -> str:
    return coupon_codes.clean(offer.document["code"]) or ""


def _restore(
    offers: Sequence[Offer], why: Mapping[str, Any], now: datetime, actor_id: int | None
) -> dict[int, int]:
    """Stand up coupons that a package brought and took back, of the same member; by row, their ids."""
    known = dict(
        Coupon.objects.filter(
            code__in=[_code(offer) for offer in offers],
            state=Coupon.State.WITHDRAWN,
            cause__startswith="legacy:",
        ).values_list("code", "pk")
    )
    if not known:
        return {}
    coupon_rows.take_turns([offer.document["campaign"] for offer in offers])
    held = {coupon.code: coupon for coupon in coupon_rows.hold(known.values()).values()}
    taken = coupon_rows.numbers_of_members(
        {(offer.document["campaign"], offer.member_id) for offer in offers if _code(offer) in held}
    )
    moves, found = Moves(now, actor_id), dict[int, int]()
    for offer in offers:
        coupon = held.get(_code(offer))
        if coupon is None or coupon.state != Coupon.State.WITHDRAWN:
            continue
        if (coupon.campaign, coupon.member_id) != (offer.document["campaign"], offer.member_id):
            continue
        numbers = taken[coupon.campaign, offer.member_id]
        coupon.state, coupon.member_number = Coupon.State.ISSUED, coupon_rows.free_number(numbers)
        numbers.add(coupon.member_number)
        coupon.valid_until = instant(offer.document, "valid_until") or coupon.valid_until
        moves.add(coupon, CouponMove.Kind.RESTORED, why=why)
        found[offer.row_id] = coupon.pk
    moves.write()
    return found
