"""What the programme tells of a member's life: purchases, points, tiers, gifts, coupons, rewards (A12).

Readers of `members.timeline`; settings.TIMELINE names them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

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
from members.models import Order
from members.templatetags.amounts import points, signed, yuan
from members.timeline import Happening, Reading


def orders(reading: Reading) -> Iterator[Happening]:
    """Purchases of every channel, with what they earned and why."""
    book = reading.shared(Book)
    rows = Order.objects.filter(member__in=reading.person)
    rows = rows.annotate(at=Coalesce("paid_at", "placed_at", "heard_at"))
    rows = rows.select_related("channel", "earning__programme")
    rows = rows.defer("receiver", "earning__programme__document", "earning__programme__drafters")
    for order in reading.latest(rows, "at"):
        earning = getattr(order, "earning", None)
        details = [_("Order %(number)s") % {"number": order.number}]
        if earning and earning.why:
            details.append(statement.earning_sentence(earning.why))
        if order.refunded_goods:
            details.append(_("%(amount)s refunded") % {"amount": yuan(order.refunded_goods)})
        yield Happening(
            kind="order",
            at=order.at,
            key=order.pk,
            what=str(order.channel),
            details=details,
            amounts=[yuan(order.net), signed(earning.stays) if earning and earning.stays else ""],
            badge=str(Order.Status(order.status).label),
            clauses=book.of_earning(earning.why, earning.programme) if earning else (),
            version=earning.programme.number if earning and earning.why else None,
        )


def entries(reading: Reading) -> Iterator[Happening]:
    """What moved points beside purchases: what an order earned stands with the order."""
    rows = Entry.objects.filter(wallet__member__in=reading.person)
    rows = rows.exclude(Q(kind=Entry.Kind.EARN) & ~Q(order=None))
    latest = reading.latest(explanations.with_it(rows), "happened_at")
    for line in statement.lines(list(latest), reading.shared(Book)):
        told = line.explanation
        where = [
            line.channel_name,
            line.order_number and _("Order %(number)s") % {"number": line.order_number},
            told.store_name,
        ]
        formula = told.formula if told.formula not in line.sentence else ""
        place = " · ".join(part for part in where if part)
        details = [line.sentence, formula, *told.details, line.reason, place]
        yield Happening(
            kind="points",
            at=line.happened_at,
            key=line.id,
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


def grants(reading: Reading) -> Iterator[Happening]:
    """What was given, and what was not with its reason; points stand with their entries."""
    book = reading.shared(Book)
    rows = grant_lines.without_points(Grant.objects.filter(member__in=reading.person).select_related("order"))
    for line in grant_lines.of(reading.latest(rows, "happened_at")):
        yield Happening(
            kind="grant",
            at=line.happened_at,
            key=line.id,
            what=line.name,
            details=[detail for detail in (line.sentence, line.refusal_label) if detail],
            tone="minus" if line.refusal else "",
            badge="" if line.state == Grant.State.GIVEN else line.state_label,
            clauses=book.of_grant(line.why),
            version=line.why.get("version"),
            recorded_at=_if_later(line.recorded_at, line.happened_at),
        )


def tier_changes(reading: Reading) -> Iterator[Happening]:
    """Each step of the member's path over the tiers."""
    book = reading.shared(Book)
    rows = TierChange.objects.filter(wallet__member__in=reading.person)
    for change in reading.latest(rows, "happened_at"):
        held = book.programmes.held(change.programme_id)
        programme = held.programme
        names = {
            "before": programme.tier_called(change.before),
            "after": programme.tier_called(change.after),
        }
        yield Happening(
            kind="tier",
            at=change.happened_at,
            key=change.pk,
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


def claim_steps(reading: Reading) -> Iterator[Happening]:
    """Rewards on their way, step by step."""
    rows = ClaimMove.objects.filter(claim__member__in=reading.person).select_related("claim", "actor")
    for step in reading.latest(rows, "happened_at"):
        claim = step.claim
        details = [reward_words.sentence(claim.why)] if step.position == 1 else [step.reason]
        details.append(step.actor.get_username() if step.actor else "")
        yield Happening(
            kind="claim",
            at=step.happened_at,
            key=step.pk,
            what=reward_words.name_of(claim.why, claim.reward),
            details=[detail for detail in details if detail],
            badge=str(Claim.State(step.state).label),
        )


def coupon_moves(reading: Reading) -> Iterator[Happening]:
    """What became of coupons."""
    book = reading.shared(Book)
    moves = CouponMove.objects.filter(coupon__member__in=reading.person)
    for move in reading.latest(moves.select_related("coupon", "channel", "actor"), "happened_at"):
        yield _of_coupon(move.coupon, coupon_lines.moved(move), move.pk, (), book)


def coupons_issued(reading: Reading) -> Iterator[Happening]:
    """Coupons that were issued; of one instant that came before all else, so this reader is the later one."""
    book = reading.shared(Book)
    issued = coupon_stories.with_it().filter(member__in=reading.person, is_bearer=False)
    for coupon in reading.latest(issued, "issued_at"):
        line = coupon_lines.issued(coupon)
        yield _of_coupon(coupon, line, coupon.pk, book.of_grant(coupon.why), book)


def _of_coupon(
    coupon: Coupon, line: coupon_lines.Line, key: int, clauses: Sequence[Clause], book: Book
) -> Happening:
    terms = coupon_states.terms_of(coupon, book.programmes)
    return Happening(
        kind="coupon",
        at=line.at,
        key=key,
        what=_("Coupon %(name)s") % {"name": in_words(dict(terms.name)) or terms.code},
        details=[coupon_words.worth(terms), *line.details],
        badge=line.what,
        clauses=clauses,
    )
