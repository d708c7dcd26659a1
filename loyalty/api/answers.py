"""How points, tiers and receipts are written in answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from loyalty import grant_lines, grant_words, sentences
from loyalty.accounts import Standing
from loyalty.api.shapes import BUDGET_SPENT, LIMIT_REACHED
from loyalty.clauses import Clause
from loyalty.explanations import Explanation
from loyalty.grant_lines import Line as GrantLine
from loyalty.models import Wallet
from loyalty.names import called
from loyalty.orders import OrderReceipt, RefundReceipt
from loyalty.purse import Figures
from loyalty.referrals import Brought
from loyalty.statement import earning_sentence
from members.accounts import AccountReceipt
from members.api.answers import moment, money

CREATED = 201
SEEN = 200
ACCEPTED = 202  # a second person decides
_NEW = frozenset({"new", "parked"})


def status_of(outcome: str) -> int:
    """201 for what is new to us, 200 for what was known."""
    return CREATED if outcome in _NEW else SEEN


def points(figures: Figures) -> dict[str, Any]:
    """Points at one instant."""
    expiring = {"points": figures.expiring, "at": moment(figures.expiring_at)}
    return {
        "balance": figures.balance,
        "available": figures.available,
        "pending": figures.pending,
        "held": figures.held,
        "debt": figures.debt,
        "expiring_next": expiring if figures.expiring_at else None,
    }


def account(receipt: AccountReceipt, standing: Standing, brought: Brought | None = None) -> dict[str, Any]:
    """What became of an account; `brought`: of the member as somebody's friend."""
    return {
        "referral": {"state": brought.state, "reasons": list(brought.reasons)} if brought else None,
        "outcome": receipt.outcome,
        "stale": receipt.outcome == "stale",
        "member_no": receipt.member_no,
        "is_new_member": receipt.is_new_member,
        "matched_by": receipt.linked_by,
        "tier": standing.tier,
        "points": points(standing.figures),
    }


def tiers_of(receipts: Sequence[OrderReceipt]) -> dict[int, str]:
    """The tiers of the members of these orders, in one statement."""
    member_ids = {receipt.member_id for receipt in receipts if receipt.member_id is not None}
    return dict(Wallet.objects.filter(member__in=member_ids).values_list("member_id", "tier"))


def order(receipt: OrderReceipt, tiers: Mapping[int, str], now: datetime | None = None) -> dict[str, Any]:
    """What became of an order, and what it earned for what reason."""
    now = now or timezone.now()
    is_pending = receipt.available_from is not None and receipt.available_from > now
    return {
        "order_no": receipt.number,
        "outcome": receipt.outcome,
        "stale": receipt.outcome == "stale",
        "order_status": receipt.status,
        "net": money(receipt.net),
        "member_no": receipt.member_no,
        "tier": tiers.get(receipt.member_id or 0),
        "points": {
            "total": receipt.points,
            "earned": 0 if is_pending else receipt.points,
            "pending": receipt.points if is_pending else 0,
            "available_from": moment(receipt.available_from),
            "added": receipt.earned,
            "taken": receipt.taken,
            **reasons(receipt.why, receipt.points),
        },
        "given": [thing(line) for line in grant_lines.of_given(receipt.given)],
    }


def thing(line: GrantLine) -> dict[str, Any]:
    """One thing beside points for purchases that was given, or why it was not (B14)."""
    return {
        "prize": line.prize,
        "value": line.value,
        "name": line.name,
        "state": line.state,
        "refusal": line.refusal,
        "refusal_label": line.refusal_label,
        "source": line.source,
        "code": line.code,
        "source_name": grant_words.source_name(line.why) or line.code,
        "version": line.why.get("version"),
        "sentence": line.sentence,
    }


def explanation(told: Explanation) -> dict[str, Any]:
    """Who moved points, by which version and clauses, and what they reverse (B14)."""
    gone = told.reverses
    return {
        "formula": told.formula,
        "version": told.version,
        "clauses": clauses(told.clauses),
        "details": list(told.details),
        "by": {"kind": told.by_kind, "name": told.by},
        "approved_by": told.approved_by,
        "approval_id": told.approval_id,
        "store": told.store_name,
        "reverses": None if gone is None else {"entry_id": gone.entry_id, "share": str(gone.share)},
    }


def clauses(told: Sequence[Clause]) -> list[dict[str, Any]]:
    """Clauses of the programme as they stood, with what each made of the points."""
    return [
        {
            "kind": each.kind,
            "label": each.label,
            "code": each.code,
            "name": each.name or each.code,
            "version": each.version,
            "sentence": each.sentence,
            "points": each.points,
            "cut_from": each.cut_from,
            "cut": each.cut,
        }
        for each in told
    ]


def reasons(why: Mapping[str, Any], stays: int) -> dict[str, Any]:
    """Why an order earned what it did, and what of it stays where that is another sum: in words, as data."""
    text = earning_sentence(why) if "base" in why else ""
    if text and stays != why["points"]:
        text = _("%(sentence)s; for what is kept of the order now: %(points)s") % {
            "sentence": text,
            "points": stays,
        }
    return {
        "sentence": text,
        "reasons": dict(why),
        "cut": [_cut(told) for told in why.get("rules", ()) if "cut_from" in told],
    }


def _cut(told: Mapping[str, Any]) -> dict[str, Any]:
    """A rule that gave less than it promises, by which limit: limits cut, they do not refuse (ledger.md)."""
    return {
        "code": BUDGET_SPENT if "budget" in told.get("cut_by", {}) else LIMIT_REACHED,
        "rule": told["code"],
        "rule_name": called(told),
        "wanted": told["cut_from"],
        "given": told["added"],
        "sentence": sentences.of_told(told),
    }


def refund(receipt: RefundReceipt) -> dict[str, Any]:
    """What a refund did to the points."""
    return {
        "order_no": receipt.order_number,
        "refund_no": receipt.number,
        "outcome": receipt.outcome,
        "stale": receipt.outcome == "stale",
        "parked": receipt.outcome == "parked",
        "points_taken": receipt.points_taken,
        "points_returned": receipt.points_returned,
        "debt": receipt.debt,
        "money_to_withhold": money(receipt.money_to_withhold),
        "approval_id": receipt.approval_id,
    }
