"""One member's life with us, newest first: purchases of every channel, points, tiers, consents, looks (A12).

Each source is asked for its latest few before an instant, and the sources are merged; so a page costs the
same for the first year and the tenth.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    coupon_stories,
    coupon_words,
    explanations,
    grant_lines,
    reward_words,
    statement,
    tier_words,
)
from loyalty.card import in_words
from loyalty.clauses import Book, Clause
from loyalty.models import Claim, ClaimMove, Coupon, CouponMove, Entry, Grant, TierChange
from members import survivors
from members.models import Member, Order
from members.templatetags.amounts import points, signed, yuan
from privacy.access import fields_in_words
from privacy.models import AccessRecord, ConsentEvent
from privacy.models.consent import word_for

PAGE = 40


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. `amounts` are written at the right, `details` below, both in words.

    clauses, version: what of the programme decided it; by: who did it; recorded_at: when we heard of it,
    where that was later.
    """

    kind: str
    at: datetime
    what: str
    details: Sequence[str] = ()
    amounts: Sequence[str] = ()
    tone: str = ""
    badge: str = ""
    clauses: Sequence[Clause] = ()
    version: int | None = None
    by: str = ""
    recorded_at: datetime | None = None

    @property
    def shows_who(self) -> bool:
        """Whether there is a line to be said of who and when; clauses name their version themselves."""
        return bool(self.by or self.recorded_at or (self.version and not self.clauses))


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
    book = Book()
    sources = [_SOURCES[kind](member, before, limit, book) for kind in kinds]
    return list(islice(merge(*sources, key=lambda event: event.at, reverse=True), limit))


def _orders(member: Member, before: datetime | None, limit: int, book: Book) -> Iterator[Event]:
    rows = Order.objects.filter(member__in=survivors.same_person(member.pk)).annotate(
        at=Coalesce("paid_at", "placed_at", "heard_at")
    )
    if before:
        rows = rows.filter(at__lt=before)
    rows = rows.select_related("channel", "earning__programme").order_by("-at", "-id")
    for order in rows.defer("earning__programme__document", "earning__programme__drafters")[:limit]:
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
            clauses=book.of_earning(earning.why, earning.programme) if earning else (),
            version=earning.programme.number if earning and earning.why else None,
        )


def _entries(member: Member, before: datetime | None, limit: int, book: Book) -> Iterator[Event]:
    """What moved points beside purchases: what an order earned stands with the order."""
    person = survivors.same_person(member.pk)
    rows = Entry.objects.filter(wallet__member__in=person).exclude(Q(kind=Entry.Kind.EARN) & ~Q(order=None))
    if before:
        rows = rows.filter(happened_at__lt=before)
    latest = explanations.with_it(rows).order_by("-happened_at", "-id")[:limit]
    for line in statement.lines(list(latest), book):
        told = line.explanation
        where = [
            line.channel_name,
            line.order_number and _("Order %(number)s") % {"number": line.order_number},
            told.store_name,
        ]
        formula = told.formula if told.formula not in line.sentence else ""
        place = " · ".join(part for part in where if part)
        details = [line.sentence, formula, *told.details, line.reason, place]
        yield Event(
            kind="points",
            at=line.happened_at,
            what=line.kind_label,
            details=[detail for detail in details if detail],
            amounts=[signed(line.points), points(line.balance_after)],
            tone="plus" if line.points > 0 else "minus" if line.points < 0 else "",
            clauses=told.clauses,
            version=told.version,
            by=told.by if told.by_kind != explanations.CHANNEL else "",
            recorded_at=_if_later(line.recorded_at, line.happened_at),
        )


def _if_later(recorded_at: datetime | None, happened_at: datetime) -> datetime | None:
    """When it was written down, where that tells more than when it happened."""
    if recorded_at is None or abs(recorded_at - happened_at) < timedelta(minutes=1):
        return None
    return recorded_at


def _grants(member: Member, before: datetime | None, limit: int, book: Book) -> Iterator[Event]:
    """What was given, and what was not with its reason; points stand with their entries."""
    for line in grant_lines.latest(member.pk, before=before, without_points=True, limit=limit):
        yield Event(
            kind="grant",
            at=line.happened_at,
            what=line.name,
            details=[detail for detail in (line.sentence, line.refusal_label) if detail],
            tone="minus" if line.refusal else "",
            badge="" if line.state == Grant.State.GIVEN else line.state_label,
            clauses=book.of_grant(line.why),
            version=line.why.get("version"),
            recorded_at=_if_later(line.recorded_at, line.happened_at),
        )


def _tier_changes(member: Member, before: datetime | None, limit: int, book: Book) -> Iterator[Event]:
    rows = TierChange.objects.filter(wallet__member__in=survivors.same_person(member.pk))
    if before:
        rows = rows.filter(happened_at__lt=before)
    for change in rows.order_by("-happened_at", "-id")[:limit]:
        held = book.programmes.held(change.programme_id)
        programme = held.programme
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
            clauses=book.of_grant(change.why),
            version=held.number,
            recorded_at=_if_later(change.recorded_at, change.happened_at),
        )


def _claim_steps(member: Member, before: datetime | None, limit: int, _book: Book) -> Iterator[Event]:
    rows = ClaimMove.objects.filter(claim__member__in=survivors.same_person(member.pk))
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


def _coupons(member: Member, before: datetime | None, limit: int, book: Book) -> Iterator[Event]:
    """What was issued, and what became of it; each source its own latest few."""
    person = survivors.same_person(member.pk)
    issued = coupon_stories.with_it().filter(member__in=person, is_bearer=False)
    moves = CouponMove.objects.filter(coupon__member__in=person).select_related("coupon", "channel", "actor")
    if before:
        issued, moves = issued.filter(issued_at__lt=before), moves.filter(happened_at__lt=before)
    # Moves first: of one instant, being issued came before all else.
    latest = moves.order_by("-happened_at", "-pk")[:limit]
    lines: list[tuple[Coupon, coupon_lines.Line, Sequence[Clause]]] = [
        (move.coupon, coupon_lines.moved(move), ()) for move in latest
    ]
    for coupon in issued.order_by("-pk")[:limit]:
        lines.append((coupon, coupon_lines.issued(coupon), book.of_grant(coupon.why)))
    for coupon, line, clauses in sorted(lines, key=lambda each: each[1].at, reverse=True)[:limit]:
        terms = coupon_states.terms_of(coupon, book.programmes)
        yield Event(
            kind="coupon",
            at=line.at,
            what=_("Coupon %(name)s") % {"name": in_words(dict(terms.name)) or terms.code},
            details=[coupon_words.worth(terms), *line.details],
            badge=line.what,
            clauses=clauses,
        )


def _consents(member: Member, before: datetime | None, limit: int, _book: Book) -> Iterator[Event]:
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


def _looks(member: Member, before: datetime | None, limit: int, _book: Book) -> Iterator[Event]:
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


_SOURCES: dict[str, Callable[[Member, datetime | None, int, Book], Iterator[Event]]] = {
    "order": _orders,
    "points": _entries,
    "tier": _tier_changes,
    "grant": _grants,
    "coupon": _coupons,
    "claim": _claim_steps,
    "consent": _consents,
    "access": _looks,
}
