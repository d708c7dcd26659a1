"""Which benefits an order should have when several apply: the best legal combination, and why (B7). Pure.

The tier's discount, or one counted benefit in its place or beside it; one coupon that stands alone, or any
that may stand together. What saves most is chosen; of two that save the same, the one whose coupons have
the higher priority score S:

    S = saving × (what it saves alone ÷ the most that one of them saves alone)
      + urgency × (1 − days left ÷ 30, between 0 and 1)
      + narrowness × (kinds of restriction it has ÷ 5)

Source 003 names S and its weights without a formula that can be read; this is ours: what is worth more,
ends sooner or fits fewer orders goes first.

Coupons are taken off in one order: percentages, amounts, the postage, gifts; of a kind those for some goods
before those for all, and the greater before the less. Each takes from what those before it left of the
lines, and asks its minimum spend of the goods after the tier's discount. Amounts are split over lines to
the cent, by largest remainder.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from loyalty import earning
from loyalty.coupon_terms import Basket, BasketLine, Terms, Verdict
from loyalty.quote_terms import QuoteTerms

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
URGENT = timedelta(days=30)
RESTRICTIONS = 5
MOST_TOGETHER = 10  # coupons whose every combination is looked at: 1,024 of them
ORDER = {"percentage": 0, "amount": 1, "shipping": 2, "gift": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A discount on the whole order. `code` '' is the tier's own; else a counted benefit.

    share: what is paid of the goods; amount: yuan off after it.
    """

    code: str = ""
    share: Decimal = Decimal(1)
    amount: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A coupon that could be used. `id` tells it from all others; `worth`: yuan that its gift is worth."""

    id: str
    terms: Terms
    valid_until: datetime | None = None
    worth: Decimal = NOTHING
    why_not: str = ""  # it cannot be used now, whatever is bought

    @property
    def narrowness(self) -> Decimal:
        """How many kinds of restriction it has, of all there are."""
        terms = self.terms
        kinds = (terms.tiers, terms.channels, terms.stores, terms.products or terms.categories)
        found = sum(bool(kind) for kind in kinds) + bool(terms.min_spend)
        return Decimal(found) / RESTRICTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A coupon of the choice: what it takes off in all and of each line, and what it was asked with."""

    offer: Offer
    verdict: Verdict
    score: Decimal
    asked: tuple[BasketLine, ...]
    charged: Decimal  # the postage that was still to be paid
    of_lines: tuple[Decimal, ...]

    @property
    def saves(self) -> Decimal:
        """Yuan off goods and postage, and what its gift is worth."""
        return _saves(self.offer, self.verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A coupon that was left out: a reason of `loyalty.coupon_words`; what it would have saved alone.

    `outbid`: it could have been used, but what was chosen saves more, or as much with a higher score.
    """

    offer: Offer
    why_not: str
    score: Decimal = NOTHING
    saves: Decimal = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The best combination. Lines stand as in the basket; money in yuan.

    goods: before all discounts; cut_off, of_cut: what the tier or the counted benefit takes off, in all and
    of each line; left: what remains of each line; postage: what remains of it to be paid, `postage_off`
    having been taken off by coupons.
    """

    cut: Cut
    goods: Decimal
    cut_off: Decimal
    of_cut: tuple[Decimal, ...]
    left: tuple[Decimal, ...]
    postage: Decimal
    postage_off: Decimal = NOTHING
    taken: tuple[Taken, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    outbid_cuts: tuple[Cut, ...] = field(default=())

    @property
    def net(self) -> Decimal:
        """What the goods come to."""
        return sum(self.left, NOTHING)

    @property
    def saved(self) -> Decimal:
        """Yuan saved on goods and postage, what gifts are worth included."""
        return self.cut_off + sum((each.saves for each in self.taken), NOTHING)

    @property
    def score(self) -> Decimal:
        """The scores of its coupons together."""
        return sum((each.score for each in self.taken), NOTHING)


def best(
    basket: Basket, offers: Sequence[Offer], cuts: Sequence[Cut], *, now: datetime, terms: QuoteTerms
) -> Choice:
    """The best of all legal combinations for a basket whose lines are told; the first cut is the tier's.

    Lines hold what goods cost before any discount; `basket.postage` is what is still charged.
    """
    found = [_with(cut, basket, offers, now, terms) for cut in cuts]
    # `max` keeps the first of equals: the tier's own discount before a counted benefit, which is kept.
    chosen = max(found, key=lambda each: (each.saved, each.score))
    return replace(chosen, outbid_cuts=tuple(cut for cut in cuts if cut.code and cut != chosen.cut))


def share(amount: Decimal, parts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Split yuan over parts in proportion, to the cent, by largest remainder; the sum is exact."""
    cents = earning.spread(int(amount * 100), parts)
    return tuple(Decimal(each) / 100 for each in cents)


# --- one cut ------------------------------------------------------------------------------------------


class _Scored(NamedTuple):
    offer: Offer
    score: Decimal
    saves: Decimal


class _State(NamedTuple):
    """How far a combination has come: what is left of lines and postage, and what has been taken."""

    left: tuple[Decimal, ...]
    postage: Decimal
    taken: tuple[Taken, ...] = ()

    @property
    def rank(self) -> tuple[Decimal, Decimal, int]:
        """What is better: more saved, a higher score, fewer coupons spent."""
        saved = sum((each.saves for each in self.taken), NOTHING)
        return saved, sum((each.score for each in self.taken), NOTHING), -len(self.taken)


def _with(cut: Cut, basket: Basket, offers: Sequence[Offer], now: datetime, terms: QuoteTerms) -> Choice:
    """The best coupons for a basket of which a cut has been taken off."""
    before = tuple(line.amount for line in basket.lines or ())
    goods = sum(before, NOTHING)
    cut_off = goods - (goods * cut.share).quantize(CENT, ROUND_HALF_UP)
    cut_off = min(goods, cut_off + cut.amount)
    of_cut = share(cut_off, before)
    left = tuple(amount - off for amount, off in zip(before, of_cut, strict=True))
    priced = replace(
        basket,
        lines=tuple(line._replace(amount=rest) for line, rest in zip(basket.lines or (), left, strict=True)),
    )
    possible, refused = _alone(priced, offers, now, terms)
    state = _best_state(priced, possible, _State(left, basket.postage or NOTHING))
    used = {each.offer.id for each in state.taken}
    alone = not all(each.offer.terms.combines for each in state.taken)
    outbid = [
        NotTaken(
            offer=each.offer,
            why_not="not_combined" if used and (alone or not each.offer.terms.combines) else "outbid",
            score=each.score,
            saves=each.saves,
        )
        for each in possible
        if each.offer.id not in used
    ]
    return Choice(
        cut=cut,
        goods=goods,
        cut_off=cut_off,
        of_cut=of_cut,
        left=state.left,
        postage=state.postage,
        postage_off=(basket.postage or NOTHING) - state.postage,
        taken=state.taken,
        not_taken=(*outbid, *refused),
    )


def _alone(
    basket: Basket, offers: Iterable[Offer], now: datetime, terms: QuoteTerms
) -> tuple[list[_Scored], list[NotTaken]]:
    """Each coupon judged by itself: those that could be used, highest score first, and those that cannot."""
    refused: list[NotTaken] = []
    able: list[tuple[Offer, Decimal]] = []
    for offer in offers:
        verdict = offer.terms.judge(basket) if not offer.why_not else Verdict(why_not=offer.why_not)
        if verdict.why_not:
            refused.append(NotTaken(offer=offer, why_not=verdict.why_not))
        else:
            able.append((offer, _saves(offer, verdict)))
    most = max((saves for _offer, saves in able), default=NOTHING)
    possible = [_Scored(offer, _score(offer, saves, most, now, terms), saves) for offer, saves in able]
    return sorted(possible, key=lambda each: (-each.score, each.offer.id)), refused


def _score(offer: Offer, saves: Decimal, most: Decimal, now: datetime, terms: QuoteTerms) -> Decimal:
    """The priority score S of one coupon, to four places."""
    urgency = Decimal(0)
    if offer.valid_until is not None:
        left = Decimal((offer.valid_until - now) / URGENT)
        urgency = min(Decimal(1), max(Decimal(0), 1 - left))
    score = terms.urgency * urgency + terms.narrowness * offer.narrowness
    if most:
        score += terms.saving * saves / most
    return score.quantize(Decimal("0.0001"))


def _saves(offer: Offer, verdict: Verdict) -> Decimal:
    return (verdict.discount or NOTHING) + (verdict.postage or NOTHING) + offer.worth


def turn(offer: Offer) -> tuple[int, bool, Decimal, str]:
    """When a coupon takes its part: by kind; those for some goods first, then the greater, then by id."""
    terms = offer.terms
    is_for_all = not (terms.products or terms.categories)
    return ORDER[terms.kind], is_for_all, -(terms.value or NOTHING), offer.id


# --- combinations -------------------------------------------------------------------------------------


def _best_state(basket: Basket, possible: Sequence[_Scored], start: _State) -> _State:
    """The best of: no coupon, one that stands alone, any of those that may stand together."""
    useful = [each for each in possible if each.saves]
    single = [_take(basket, start, each) for each in useful if not each.offer.terms.combines]
    together = [each for each in useful if each.offer.terms.combines][:MOST_TOGETHER]
    together.sort(key=lambda each: turn(each.offer))
    states = [start, *(state for state in single if state is not None)]
    states += _combinations(basket, start, together)
    return max(states, key=lambda state: state.rank)


def _combinations(basket: Basket, state: _State, rest: Sequence[_Scored]) -> list[_State]:
    """Every combination that goes on from a state, each coupon taking from what those before it left."""
    found: list[_State] = []
    for position, each in enumerate(rest):
        further = _take(basket, state, each)
        if further is not None:
            found.append(further)
            found += _combinations(basket, further, rest[position + 1 :])
    return found


def _take(basket: Basket, state: _State, each: _Scored) -> _State | None:
    """The state after one more coupon; None when nothing is left that it could take off."""
    lines = basket.lines or ()
    asked = tuple(line._replace(left=left) for line, left in zip(lines, state.left, strict=True))
    verdict = each.offer.terms.judge(replace(basket, lines=asked, postage=state.postage))
    discount, postage = verdict.discount or NOTHING, verdict.postage or NOTHING
    if verdict.why_not or not (discount or postage or each.offer.worth):
        return None
    counted = [left if n in verdict.lines else NOTHING for n, left in enumerate(state.left)]
    of_lines = share(discount, counted) if discount else (NOTHING,) * len(lines)
    taken = Taken(
        offer=each.offer,
        verdict=verdict,
        score=each.score,
        asked=asked,
        charged=state.postage,
        of_lines=of_lines,
    )
    left = tuple(before - off for before, off in zip(state.left, of_lines, strict=True))
    return _State(left, state.postage - postage, (*state.taken, taken))
