"""Who holds which coupons, and what a typed code means (B6). Looks only; `loyalty.coupons` moves them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from loyalty import clock, coupon_codes, coupon_rows, coupon_states, coupon_terms, publishing
from loyalty.coupon_terms import Terms
from loyalty.errors import CouponNotFound
from loyalty.models import Coupon
from loyalty.publishing import Programmes
from members import survivors

State = Coupon.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A coupon as somebody holds it, with its terms. `coupon_id` None: a public code not yet taken.

    standing: usable, not_started, expired, locked, used, withdrawn; `why_not` is '' when it is usable.
    """

    terms: Terms
    coupon_id: int | None = None
    code: str = ""
    member_id: int | None = None
    standing: str = "usable"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    locked_until: datetime | None = None
    locked_order_no: str = ""
    issued_at: datetime | None = None
    cause: str = ""
    why: Mapping[str, Any] = field(default_factory=dict)

    @property
    def why_not(self) -> str:
        """The reason for which it cannot be used now, whatever is bought."""
        return "" if self.standing == "usable" else self.standing


def of_member(
    member_id: int, *, now: datetime | None = None, before_id: int | None = None, limit: int = 100
) -> list[Held]:
    """The coupons a member holds or has held, latest first; `before_id` pages on."""
    rows = Coupon.objects.filter(member__in=survivors.same_person(member_id)).order_by("-pk")
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return _held(rows[:limit], now or clock.read().now)


def usable(member_id: int, now: datetime, *, programmes: Programmes | None = None) -> list[Held]:
    """The coupons that a member could use now, if the basket allows it, those that end first before.

    programmes: the versions, when the caller has read them.
    """
    rows = Coupon.objects.filter(
        Q(state=State.ISSUED) | Q(state=State.LOCKED, locked_until__lte=now),
        Q(valid_until=None) | Q(valid_until__gt=now),
        Q(valid_from=None) | Q(valid_from__lte=now),
        member__in=survivors.same_person(member_id),
    )
    return _held(rows.order_by("valid_until", "pk"), now, programmes)


def look_up(
    code: str,
    *,
    member_id: int | None = None,
    now: datetime | None = None,
    programmes: Programmes | None = None,
    own: Sequence[Held] | None = None,
) -> Held:
    """What a typed or scanned code means, without taking it. Raises CouponNotFound, CouponNotUsable.

    A public code means the coupon that the member has of it already, or one that is not issued yet.
    programmes, own: the versions and the member's usable coupons, when the caller has read them.
    """
    at, codes = now or clock.read().now, coupon_codes.readings(code)
    coupon = coupon_rows.find(codes)
    if coupon is not None:
        if coupon.member_id is not None and not survivors.are_one(coupon.member_id, member_id):
            raise coupon_states.refusal("not_yours")
        return _held([coupon], at, programmes)[0]
    held = publishing.current(at) if programmes is None else programmes.at(at)
    terms = coupon_terms.find_public(held.programme, codes)
    if terms is None:
        raise CouponNotFound
    if member_id is not None:
        own = usable(member_id, at, programmes=programmes) if own is None else own
        same = next((each for each in own if each.terms.code == terms.code), None)
        if same is not None:
            return same
    elif not terms.bearer:
        raise coupon_states.refusal("needs_member")
    starts_at, ends_at = terms.validity(at)
    standing = coupon_states.in_time(starts_at, ends_at, at) or "usable"
    return Held(terms=terms, standing=standing, valid_from=starts_at, valid_until=ends_at)


def _held(coupons: Collection[Coupon], now: datetime, programmes: Programmes | None = None) -> list[Held]:
    if coupons and programmes is None:
        programmes = publishing.load_all()
    return [
        Held(
            terms=coupon_states.terms_of(coupon, programmes),
            coupon_id=coupon.pk,
            code=coupon.code,
            member_id=coupon.member_id,
            standing=coupon_states.standing(coupon, now),
            valid_from=coupon.valid_from,
            valid_until=coupon.valid_until,
            locked_until=coupon.locked_until,
            locked_order_no=coupon.locked_order_no,
            issued_at=coupon.issued_at,
            cause=coupon.cause,
            why=coupon.why,
        )
        for coupon in coupons
        if programmes is not None
    ]
