"""One member's life with us, newest first: purchases of every channel, points, tiers, consents, looks (A12).

Each source is asked for its latest few before an instant, and the sources are merged; so a page costs the
same for the first year and the tenth.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyalty import (
    coupon_lines,
    coupon_states,
    coupon_words,
    grant_lines,
    publishing,
    reward_words,
    statement,
    tier_words,
)
from loyalty.card import in_words
from loyalty.models import Claim, ClaimMove, Coupon, CouponMove, Entry, Grant, TierChange
from members.models import Member, Order
from members.templatetags.amounts import points, signed, yuan
from privacy.access import fields_in_words
from privacy.models import AccessRecord, ConsentEvent
from privacy.models.consent import word_for

PAGE = 40


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. `amounts` are written at the right, `details` below, both in words."""

    kind: str
    at: datetime
    what: str
    details: Sequence[str] = ()
    amounts: Sequence[str] = ()
    tone: str = ""
    badge: str = ""


KINDS: dict[str, str | Promise] = {
    "order": gettext_lazy("Purchases"),
    "points": gettext_lazy("Points"),
    "tier": gettext_lazy("Tiers"),
    "grant": gettext_lazy("Given"),
    "coupon": gettext_lazy("Coupons"),
    "claim": gettext_lazy("Rewards"),
    "consent": gettext_lazy("Consents"),
    "access": gettext_lazy("Looks at the data"),
}


def read(
    member: Member, kinds: Sequence[str], *, before: datetime | None = None, limit: int = PAGE
) -> list[Event]:
    """The latest events of these kinds, those before an instant when it is given."""
    sources = [_SOURCES[kind](member, before, limit) for kind in kinds]
    return list(islice(merge(*sources, key=lambda event: event.at, reverse=True), limit))


def _orders(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    rows = Order.objects.filter(member=member).annotate(at=Coalesce("paid_at", "placed_at", "heard_at"))
    if before:
        rows = rows.filter(at__lt=before)
    for order in rows.select_related("channel", "earning").order_by("-at", "-id")[:limit]:
        earning = getattr(order, "earning", None)
        details = [_("Order %(number)s") % {"number": order.number}]
        if earning and earning.why:
            details.append(statement.earning_sentence(earning.why))
        if order.refunded_goods:
            details.append(_("%(amount)s refunded") % {"amount": yuan(order.refunded_goods)})
        yield Event(
            kind="order",
            at=order.at,
            what=str(order.channel),
            details=details,
            amounts=[yuan(order.net), signed(earning.stays) if earning and earning.stays else ""],
            badge=str(Order.Status(order.status).label),
        )


def _entries(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    """What moved points beside purchases: what an order earned stands with the order."""
    rows = Entry.objects.filter(wallet__member=member).exclude(Q(kind=Entry.Kind.EARN) & ~Q(order=None))
    if before:
        rows = rows.filter(happened_at__lt=before)
    for entry in rows.select_related("channel", "order").order_by("-happened_at", "-id")[:limit]:
        line = statement.line(entry)
        where = [
            line.channel_name,
            line.order_number and _("Order %(number)s") % {"number": line.order_number},
        ]
        details = [line.sentence, line.reason, " · ".join(part for part in where if part)]
        yield Event(
            kind="points",
            at=entry.happened_at,
            what=line.kind_label,
            details=[detail for detail in details if detail],
            amounts=[signed(line.points), points(line.balance_after)],
            tone="plus" if line.points > 0 else "minus" if line.points < 0 else "",
        )


def _grants(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    """What was given, and what was not with its reason; points stand with their entries."""
    for line in grant_lines.latest(member.pk, before=before, without_points=True, limit=limit):
        yield Event(
            kind="grant",
            at=line.happened_at,
            what=line.name,
            details=[detail for detail in (line.sentence, line.refusal_label) if detail],
            tone="minus" if line.refusal else "",
            badge="" if line.state == Grant.State.GIVEN else line.state_label,
        )


def _tier_changes(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    programmes = publishing.load_all()
    rows = TierChange.objects.filter(wallet__member=member)
    if before:
        rows = rows.filter(happened_at__lt=before)
    for change in rows.order_by("-happened_at", "-position")[:limit]:
        programme = programmes.by_id(change.programme_id)
        names = {
            "before": in_words(programme.tier(change.before).name),
            "after": in_words(programme.tier(change.after).name),
        }
        yield Event(
            kind="tier",
            at=change.happened_at,
            what=names["after"] if change.before == change.after else _("%(before)s → %(after)s") % names,
            details=[
                detail
                for detail in (
                    str(TierChange.Reason(change.reason).label),
                    tier_words.sentence(change.reason, change.why),
                )
                if detail
            ],
        )


def _claim_steps(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    rows = ClaimMove.objects.filter(claim__member=member)
    if before:
        rows = rows.filter(happened_at__lt=before)
    for step in rows.select_related("claim", "actor").order_by("-happened_at", "-id")[:limit]:
        claim = step.claim
        details = [reward_words.sentence(claim.why)] if step.position == 1 else [step.reason]
        details.append(step.actor.get_username() if step.actor else "")
        yield Event(
            kind="claim",
            at=step.happened_at,
            what=reward_words.name_of(claim.why, claim.reward),
            details=[detail for detail in details if detail],
            badge=str(Claim.State(step.state).label),
        )


def _coupons(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    """What was issued, and what became of it; each source its own latest few."""
    programmes = publishing.load_all()
    issued = Coupon.objects.filter(member=member, is_bearer=False).select_related("programme", "actor")
    moves = CouponMove.objects.filter(coupon__member=member).select_related("coupon", "channel", "actor")
    if before:
        issued, moves = issued.filter(issued_at__lt=before), moves.filter(happened_at__lt=before)
    # Moves first: of one instant, being issued came before all else.
    latest = moves.order_by("-happened_at", "-pk")[:limit]
    lines = [(move.coupon, coupon_lines.moved(move)) for move in latest]
    lines += [(coupon, coupon_lines.issued(coupon)) for coupon in issued.order_by("-pk")[:limit]]
    for coupon, line in sorted(lines, key=lambda pair: pair[1].at, reverse=True)[:limit]:
        terms = coupon_states.terms_of(coupon, programmes)
        yield Event(
            kind="coupon",
            at=line.at,
            what=_("Coupon %(name)s") % {"name": in_words(dict(terms.name)) or terms.code},
            details=[coupon_words.worth(terms), *line.details],
            badge=line.what,
        )


def _consents(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    rows = ConsentEvent.objects.filter(member=member)
    if before:
        rows = rows.filter(happened_at__lt=before)
    methods = dict(ConsentEvent.Method.choices)
    for event in rows.order_by("-happened_at", "-id")[:limit]:
        purpose = word_for(event.purpose, ConsentEvent.Purpose)
        said = _("Agreed: %(purpose)s") if event.granted else _("Withdrawn: %(purpose)s")
        notice = _("notice %(version)s") % {"version": event.notice_version} if event.notice_version else ""
        way = word_for(event.channel, ConsentEvent.Way)
        parts = [str(methods.get(event.method, event.method)), way, event.party, notice]
        yield Event(
            kind="consent",
            at=event.happened_at,
            what=said % {"purpose": purpose},
            details=[" · ".join(part for part in parts if part)],
        )


def _looks(member: Member, before: datetime | None, limit: int) -> Iterator[Event]:
    # Looks at this member, not every list they stood in: those are on the trail, and would drown the rest.
    rows = AccessRecord.objects.filter(member=member).order_by("-recorded_at")
    if before:
        rows = rows.filter(recorded_at__lt=before)
    for record in rows[:limit]:
        details = [", ".join(fields_in_words(record)), record.reason]
        yield Event(
            kind="access",
            at=record.recorded_at,
            what=_("%(look)s: %(who)s")
            % {"look": AccessRecord.Action(record.action).label, "who": record.actor_label},
            details=[detail for detail in details if detail],
        )


_SOURCES: dict[str, Callable[[Member, datetime | None, int], Iterator[Event]]] = {
    "order": _orders,
    "points": _entries,
    "tier": _tier_changes,
    "grant": _grants,
    "coupon": _coupons,
    "claim": _claim_steps,
    "consent": _consents,
    "access": _looks,
}
