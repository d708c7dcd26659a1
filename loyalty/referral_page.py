"""How a member stands as somebody who brings friends: code, ladder, friends and what they brought (B9)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from loyalty import clock, grant_lines, grant_words, publishing, referral_terms
from loyalty.grant_lines import Line
from loyalty.models import Grant, Referral
from loyalty.prizes import Prize
from loyalty.programme import Programme
from loyalty.referral_codes import code_of
from loyalty.referral_terms import ReferralTerms
from members import survivors

FRIENDS = 100


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of the ladder in words, and whether it is reached."""

    friends: int
    reached: bool
    referrer: tuple[str, ...]
    friend: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything there is to show; the friends latest first, over merged members."""

    code: str
    terms: ReferralTerms
    counts: Counter[str]
    ladder: Sequence[Rung]
    friends: Sequence[Referral]
    given: Sequence[Line]

    @property
    def counted(self) -> int:
        return self.counts[Referral.State.COUNTED]

    @property
    def missing(self) -> int | None:
        """How many more friends the next rung asks for; None at the top."""
        following = self.terms.next_rung(self.counted)
        return following[0] - self.counted if following else None


def of(member_id: int) -> Page:
    """How one member stands. Raises ProgrammeMissing before the first programme is published."""
    held = publishing.current(clock.read().now)
    terms = referral_terms.of(held.programme.rest)
    ids = survivors.linked([member_id])[member_id]
    rows = Referral.objects.filter(referrer__in=ids)
    counts: Counter[str] = Counter(rows.values_list("state", flat=True))
    given = Grant.objects.filter(member__in=ids, source=Grant.Source.REFERRAL).select_related("order")
    return Page(
        code=code_of(member_id),
        terms=terms,
        counts=counts,
        ladder=[
            Rung(
                count,
                count <= counts[Referral.State.COUNTED],
                _in_words(sides.referrer, held.programme),
                _in_words(sides.friend, held.programme),
            )
            for count, sides in terms.ladder
        ],
        friends=list(rows.select_related("friend", "channel").order_by("-heard_at", "-id")[:FRIENDS]),
        given=grant_lines.of(given.order_by("-id")[:FRIENDS]),
    )


def _in_words(prizes: Sequence[Prize], programme: Programme) -> tuple[str, ...]:
    return tuple(grant_words.prize(prize.kind, prize.value, programme) for prize in prizes)
