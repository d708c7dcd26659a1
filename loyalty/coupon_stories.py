"""Why coupons were issued, by which version and clause, and each step of their lives since (B6, B14).

For a page of coupons in a fixed number of statements, however many they are and however often they moved.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from loyalty import coupon_lines
from loyalty.clauses import Book, Clause
from loyalty.models import Coupon, CouponMove

ISSUED = "issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a coupon. `kind`: issued, or a kind of CouponMove; `by`: who of staff."""

    kind: str
    label: str
    sentence: str
    channel: str = ""
    order_no: str = ""
    by: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Why a coupon was issued, and its steps, oldest first. `version`: under which it was issued."""

    sentence: str
    version: int
    clauses: tuple[Clause, ...]
    steps: tuple[Step, ...]


def of(coupon_ids: Collection[int], book: Book | None = None) -> dict[int, Story]:
    """The stories of coupons, by their ids; `book`: what the page quotes from, if any."""
    if not coupon_ids:
        return {}
    book = book or Book()
    rows = with_it().filter(pk__in=coupon_ids)
    moves: dict[int, list[CouponMove]] = defaultdict(list)
    found = CouponMove.objects.filter(coupon__in=coupon_ids).select_related("channel", "actor")
    for move in found.order_by("coupon", "position"):
        moves[move.coupon_id].append(move)
    return {row.pk: _story(row, moves, book) for row in rows}


def with_it() -> QuerySet[Coupon]:
    """Coupons with what tells why they were issued."""
    found = Coupon.objects.select_related("programme", "actor", "order")
    return found.defer("programme__document", "programme__drafters")


def _story(coupon: Coupon, moves: Mapping[int, list[CouponMove]], book: Book) -> Story:
    issued = Step(
        kind=ISSUED,
        label=str(Coupon.State.ISSUED.label),
        sentence=coupon_lines.why_issued(coupon),
        order_no=coupon.order.number if coupon.order else "",
        by=coupon.actor.get_username() if coupon.actor else "",
        at=coupon.issued_at,
    )
    return Story(
        sentence=issued.sentence,
        version=coupon.programme.number,
        clauses=book.of_grant(coupon.why),
        steps=(issued, *(_step(move) for move in moves.get(coupon.pk, ()))),
    )


def _step(move: CouponMove) -> Step:
    return Step(
        kind=move.kind,
        label=str(CouponMove.Kind(move.kind).label),
        sentence=coupon_lines.sentence(move.kind, move.why),
        channel=move.channel.name if move.channel else "",
        order_no=move.order_no,
        by=move.actor.get_username() if move.actor else "",
        at=move.happened_at,
    )
