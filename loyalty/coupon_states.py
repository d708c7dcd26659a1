"""How a coupon stands at an instant, and how it comes free again. Pure but for the words of a refusal.

A lock ends when its time is out, whether or not anybody has written that down.
"""

from datetime import datetime

from loyalty import coupon_terms, coupon_words
from loyalty.coupon_rows import Moves
from loyalty.coupon_terms import Terms
from loyalty.errors import CouponNotUsable
from loyalty.models import Coupon, CouponMove
from loyalty.publishing import Programmes

State = Coupon.State


def standing(coupon: Coupon, now: datetime) -> str:
    """usable, not_started, expired, locked, used or withdrawn."""
    if coupon.state in (State.USED, State.WITHDRAWN) or is_locked(coupon, now):
        return str(coupon.state)
    return in_time(coupon.valid_from, coupon.valid_until, now) or "usable"


def is_locked(coupon: Coupon, now: datetime) -> bool:
    """Whether a lock still holds: one whose time is out keeps nobody away."""
    return coupon.state == State.LOCKED and coupon.locked_until is not None and coupon.locked_until > now


def in_time(valid_from: datetime | None, valid_until: datetime | None, now: datetime) -> str:
    """'' within the validity, else `expired` or `not_started`."""
    if valid_until is not None and valid_until <= now:
        return "expired"
    return "not_started" if valid_from is not None and valid_from > now else ""


def terms_of(coupon: Coupon, programmes: Programmes) -> Terms:
    """What a coupon is worth, by the programme version that it was issued under."""
    terms = coupon_terms.find(programmes.by_id(coupon.programme_id), coupon.campaign)
    assert terms is not None, "a coupon is issued under a version that has its campaign"
    return terms


def refusal(reason: str) -> CouponNotUsable:
    """The refusal for a reason of `loyalty.coupon_words`, to be raised."""
    return CouponNotUsable(reason, coupon_words.reason(reason))


def unlock(coupon: Coupon) -> None:
    """Forget whose lock it was."""
    coupon.locked_channel_id, coupon.locked_order_no, coupon.locked_until = None, "", None


def let_go(coupon: Coupon) -> None:
    """Free again, and a bearer's coupon anybody's."""
    coupon.state = State.ISSUED
    unlock(coupon)
    if coupon.is_bearer:
        coupon.member_id = coupon.member_number = None


def time_out(coupon: Coupon, moves: Moves) -> None:
    """Write down that a lock ran out, before whatever comes next."""
    channel_id, order_no = coupon.locked_channel_id, coupon.locked_order_no
    why = {"timed_out": coupon.locked_until.isoformat() if coupon.locked_until else ""}
    let_go(coupon)
    moves.add(coupon, CouponMove.Kind.RELEASED, channel_id=channel_id, order_no=order_no, why=why)
