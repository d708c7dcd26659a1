"""What happened to coupons, line by line: issued for what, by which version, what it took off (B14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from loyalty import coupon_words, grant_words, legacy_words
from loyalty.models import Coupon, CouponMove
from members.templatetags.amounts import day

Kind = CouponMove.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened to a coupon, in words; `tone` is plus or minus for what was given or taken."""

    at: datetime
    what: str
    details: Sequence[str] = ()
    badge: str = ""
    tone: str = ""


def history(coupon: Coupon) -> list[Line]:
    """Everything that happened to a coupon, latest first. Load `programme` and `actor` with it."""
    moves = CouponMove.objects.filter(coupon=coupon).select_related("channel", "actor").order_by("-position")
    return [*(moved(move) for move in moves), issued(coupon)]


def issued(coupon: Coupon) -> Line:
    """How a coupon came to be, and under which version of the programme."""
    details = [
        why_issued(coupon),
        _("Number %(number)s of its campaign, by version %(version)s of the programme")
        % {"number": coupon.number, "version": coupon.programme.number},
        _by(coupon.actor),
    ]
    return Line(
        at=coupon.issued_at, what=_("Issued"), details=[each for each in details if each], tone="plus"
    )


def why_issued(coupon: Coupon) -> str:
    """For what a coupon was issued."""
    why: Mapping[str, Any] = coupon.why
    if "reason" in why:
        return _("By hand: %(reason)s") % {"reason": why["reason"]}
    if "public_code" in why:
        return _("For the public code %(code)s") % {"code": why["public_code"]}
    if "legacy" in why:
        return legacy_words.sentence(why)
    if coupon.batch_id is not None:
        return _("Of batch %(number)s") % {"number": coupon.batch_id}
    return grant_words.sentence(why) or coupon.cause


def moved(move: CouponMove) -> Line:
    """One move of a coupon. Load `channel` and `actor` with it."""
    place = str(move.channel) if move.channel else ""
    order = _("Order %(number)s") % {"number": move.order_no} if move.order_no else ""
    details = [
        sentence(move.kind, move.why),
        " · ".join(part for part in (place, order) if part),
        _by(move.actor),
    ]
    tones = {Kind.USED: "minus", Kind.WITHDRAWN: "minus", Kind.RETURNED: "plus"}
    return Line(
        at=move.happened_at,
        what=str(Kind(move.kind).label),
        details=[each for each in details if each],
        tone=tones.get(Kind(move.kind), ""),
    )


def _by(actor: Any) -> str:
    return _("By %(name)s") % {"name": actor.get_username()} if actor else ""


def sentence(kind: str, why: Mapping[str, Any]) -> str:
    """Why a move was made, with its numbers, in the language that is active."""
    if "legacy" in why:
        return legacy_words.sentence(why)
    if kind == Kind.RELEASED:
        if "timed_out" in why:
            return _("The time of its lock was out")
        return _("The order was cancelled") if why.get("cancelled") else ""
    if kind == Kind.RETURNED:
        return _returned(why)
    if kind == Kind.WITHDRAWN:
        undone = _("What it was given for came to nothing") if why.get("undone") else ""
        return str(why.get("reason") or undone)
    if why.get("again"):
        return _("The order stands again")
    if "gift" in why:
        return _("Gift %(code)s") % {"code": why["gift"]}
    return coupon_words.formula(why)


def _returned(why: Mapping[str, Any]) -> str:
    if why.get("cancelled"):
        text = _("The order was cancelled")
    else:
        text = _("Of ¥%(net)s that were bought, ¥%(kept)s were kept") % {
            "net": why.get("net"),
            "kept": why.get("kept"),
        }
    if "valid_until" not in why:
        return text
    until = day(datetime.fromisoformat(why["valid_until"]))
    return _("%(text)s; good until %(day)s") % {"text": text, "day": until}
