"""What the columns of a row that breaks a law are called on the page, and what their codes mean there."""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from loyalty.models import Activity, Claim, Coupon, CouponMove, Entry, Grant, Hold, TierEvent
from members.models import Order
from privacy.models import Approval

# Whose words a row's codes are: those of the first of these that the row has.
_CODES: Mapping[str, tuple[type[TextChoices], ...]] = {
    "approval": (Approval.State, Entry.Kind, TierEvent.Kind),
    "tier_event": (TierEvent.Kind, Grant.State, Grant.Prize),
    "grant": (Grant.State, Grant.Prize, Entry.Kind),
    "claim": (Claim.State, Entry.Kind),
    "coupon": (Coupon.State, CouponMove.Kind),
    "hold": (Hold.State,),
    "entry": (Entry.Kind,),
    "activity": (Activity.Kind,),
    "order": (Order.Status,),
}
_CODED = {"kind", "state", "status", "prize", "last", "last_move", "before"}

COLUMNS = {
    "activities": _("activities"),
    "activity": _("activity"),
    "added": _("added"),
    "adjust_limit": _("limit alone"),
    "adjusted": _("adjusted"),
    "after": _("after"),
    "anchor": _("anchor file"),
    "anchored": _("anchored"),
    "approval": _("approval request"),
    "balance": _("balance"),
    "balance_after": _("balance after"),
    "batch": _("batch"),
    "before": _("before"),
    "benefit_use": _("use of a benefit"),
    "budget": _("budget"),
    "campaign": _("campaign"),
    "captured": _("captured"),
    "cause": _("cause"),
    "change": _("change"),
    "check_in": _("check-in"),
    "claim": _("claim"),
    "claims": _("claims"),
    "closing": _("closing"),
    "code": _("code"),
    "coupon": _("coupon"),
    "coupons": _("coupons"),
    "day": _("day"),
    "debt": _("debt"),
    "debt_after": _("debt after"),
    "earned": _("earned"),
    "entries": _("sum of entries"),
    "entry": _("entry"),
    "events": _("events"),
    "expired": _("expired"),
    "first": _("first"),
    "forgiven": _("expired before the refund"),
    "free": _("free"),
    "friends": _("friends"),
    "given_back": _("given back"),
    "grant": _("grant"),
    "grants": _("grants"),
    "growth": _("growth value"),
    "growth_entry": _("growth entry"),
    "happened": _("happened"),
    "held": _("held"),
    "hold": _("hold"),
    "holds": _("in holds"),
    "in_all": _("in all"),
    "in_month": _("in the month"),
    "issued": _("points issued"),
    "kind": _("kind"),
    "lapsed": _("lapsed"),
    "lapses": _("lapses"),
    "last": _("last"),
    "last_move": _("last step"),
    "lot": _("lot"),
    "lots": _("in lots"),
    "made": _("made"),
    "maker": _("maker"),
    "member": _("member"),
    "member_number": _("number for the member"),
    "month": _("month of expiry"),
    "moves": _("moves"),
    "net": _("net"),
    "net_bought": _("net bought"),
    "number": _("number"),
    "occasion": _("occasion"),
    "of_member": _("for the member"),
    "on_day": _("on the day"),
    "order": _("order"),
    "orders": _("orders"),
    "outstanding": _("outstanding"),
    "parts": _("parts"),
    "per_day": _("limit per day"),
    "per_member": _("limit per member"),
    "per_member_day": _("limit per member and day"),
    "per_member_month": _("limit per member and month"),
    "per_yuan": _("per yuan"),
    "period": _("period"),
    "points": _("points"),
    "points_spent": _("points spent"),
    "position": _("step"),
    "posted": _("posted"),
    "prize": _("prize"),
    "quota": _("quota"),
    "reached": _("reached"),
    "recounted": _("recounted"),
    "redeemed": _("redeemed"),
    "referral": _("referral"),
    "referrer": _("referrer"),
    "refund": _("refund"),
    "refunded_goods": _("goods refunded"),
    "rejected": _("rejected"),
    "rejects": _("rejected rows"),
    "remaining": _("remaining"),
    "returned": _("times returned"),
    "revision": _("revision"),
    "reversed": _("reversed"),
    "reward": _("reward"),
    "rule": _("rule"),
    "rule_use": _("use of a rule"),
    "sale": _("points sale"),
    "shelf": _("shelf"),
    "standing": _("standing"),
    "state": _("state"),
    "status": _("status"),
    "stays": _("stays"),
    "steps": _("steps"),
    "stock": _("stock"),
    "stored": _("stored"),
    "streak": _("streak"),
    "taken": _("taken"),
    "taken_back": _("taken back"),
    "tier": _("tier"),
    "tier_event": _("tier event"),
    "tier_steps": _("tier steps"),
    "times": _("times"),
    "told": _("told"),
    "used": _("times used"),
    "uses": _("uses"),
    "value": _("value"),
    "version": _("version"),
    "wallet": _("wallet"),
    "what": _("what"),
    "written": _("written"),
}


def name_of(column: str) -> str:
    """What a column is called in the reader's language."""
    return str(COLUMNS.get(column, column))


def said(column: str, row: Mapping[str, Any]) -> Any:
    """A row's value as the page says it: codes in words, everything else as it is."""
    value = row[column]
    if column not in _CODED:
        return value
    about = next((_CODES[key] for key in _CODES if row.get(key) is not None), ())
    return next((str(choices(value).label) for choices in about if value in choices.values), value)
