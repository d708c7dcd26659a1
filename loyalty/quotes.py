"""Quotes: what a basket comes to for a member, the same from the desk and by API, and committing it (B13).

`work_out` looks and moves nothing. `make` keeps an offer for a while, so that a channel can show it and
`commit` it once; `carry_out` does what an offer says, within the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from math import floor
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from loyalty import (
    benefits,
    choice,
    clock,
    coupons,
    earning,
    ledger,
    points,
    publishing,
    situations,
    tiers,
)
from loyalty.benefits import Left
from loyalty.choice import Choice, Cut, NotTaken, Offer
from loyalty.coupon_terms import Basket, BasketLine
from loyalty.errors import (
    BenefitNotYours,
    BenefitUsedUp,
    CauseTaken,
    CouponNotFound,
    CouponNotUsable,
    QuoteChanged,
    QuoteEnded,
    QuoteNotFound,
)
from loyalty.ledger import Purses
from loyalty.models import Quote
from loyalty.publishing import Held, Programmes
from loyalty.tier_terms import Tier
from members.facts import LineFact
from members.models import Channel, Store

NOTHING = Decimal("0.00")
CENT = Decimal("0.01")
ALL_POINTS = 10**12  # as many as can be used
MOST_CODES = 20
KEPT = timedelta(days=1)  # what nobody took up, before the nightly sweep removes it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Who wants to buy what, where. Lines hold yuan before any discount; `points`: how many to use at most.

    codes: coupons presented beside those that the member holds; without: codes of coupons and counted
    benefits to be left alone; province: where the parcel goes, for free shipping.
    """

    member_id: int
    channel: Channel
    store: Store | None = None
    lines: tuple[BasketLine, ...]
    postage: Decimal = NOTHING
    province: str = ""
    points: int = 0
    codes: tuple[str, ...] = ()
    with_coupons: bool = True
    with_benefits: bool = True
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line of the basket, in yuan: what the tier, the coupons and the points take off it."""

    amount: Decimal
    of_tier: Decimal
    of_coupons: Decimal
    of_points: Decimal

    @property
    def to_pay(self) -> Decimal:
        """What remains of it."""
        return self.amount - self.of_tier - self.of_coupons - self.of_points


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What a basket comes to. Money in yuan; `postage` is what is charged, after all that is free."""

    ask: Ask
    held: Held
    tier: Tier
    choice: Choice
    use: Left | None  # the counted benefit that is used
    postage_free: Decimal  # what the tier's free shipping saves
    available: int
    usable: int
    points: int
    points_value: Decimal
    points_to_earn: int
    lines: tuple[PricedLine, ...]
    codes: Mapping[str, str] = field(default_factory=dict)  # by which code each offer is used
    refused_codes: Sequence[tuple[str, str]] = ()  # (code as typed, reason)

    @property
    def net(self) -> Decimal:
        """The goods after all discounts; points pay part of it."""
        return self.choice.net

    @property
    def payable(self) -> int:
        """The points that would pay for all of the goods, had the member as many."""
        return floor(self.net * self.tier.benefits.points_per_yuan)

    @property
    def postage(self) -> Decimal:
        """What is charged for sending it."""
        return self.choice.postage

    @property
    def coupons_off(self) -> Decimal:
        """What the coupons take off the goods."""
        return sum((each.verdict.discount or NOTHING for each in self.choice.taken), NOTHING)

    @property
    def to_pay(self) -> Decimal:
        """What the member pays in money."""
        return self.net - self.points_value + self.postage

    @property
    def saved(self) -> Decimal:
        """Yuan less than without the programme, gifts and points left aside."""
        return self.choice.cut_off + self.coupons_off + self.postage_free + self.choice.postage_off

    @property
    def worth_of_usable(self) -> Decimal:
        """Yuan that the usable points would pay: what the member is reminded of."""
        return min(self.net, self.tier.benefits.worth(self.usable))


# --- working it out -----------------------------------------------------------------------------------


def work_out(ask: Ask, *, purses: Purses | None = None) -> Offered:
    """What a basket comes to for a member now; the purses of a caller who has locked them.

    Raises ProgrammeMissing.
    """
    purses = ledger.peek([ask.member_id]) if purses is None else purses
    purse, now = purses.get(ask.member_id), purses.now
    programmes = publishing.load_all()
    held = programmes.at(now)
    tier = held.programme.tier(purse.tier if purse else "")
    available = purse.available(now) if purse else 0
    uses = _uses(ask, tier, held, now)
    offers, codes, refused = _offers(ask, programmes, tier, now)
    is_free = bool(ask.province) and tier.benefits.ships_free_to(ask.province)
    chosen = choice.best(
        Basket(
            channel=ask.channel.code,
            store=ask.store.code if ask.store else "",
            tier=tier.code,
            lines=ask.lines,
            postage=NOTHING if is_free else ask.postage,
        ),
        offers,
        _cuts(tier, uses),
        now=now,
        terms=held.programme.quotes,
    )
    usable = max(0, min(available, floor(chosen.net * tier.benefits.points_per_yuan)))
    spent = max(0, min(ask.points, usable))
    value = min(chosen.net, tier.benefits.worth(spent))
    return Offered(
        ask=ask,
        held=held,
        tier=tier,
        choice=chosen,
        use=next((each for each in uses if each.use.code == chosen.cut.code), None),
        postage_free=ask.postage if is_free else NOTHING,
        available=available,
        usable=usable,
        points=spent,
        points_value=value,
        points_to_earn=_would_earn(ask, held, tier, chosen, value, now),
        lines=_priced(ask, chosen, value),
        codes=codes,
        refused_codes=refused,
    )


def _uses(ask: Ask, tier: Tier, held: Held, now: datetime) -> list[Left]:
    if not ask.with_benefits:
        return []
    left = benefits.left_for_orders(ask.member_id, tier, held, now)
    return [each for each in left if each.use.code not in ask.without]


def _cuts(tier: Tier, uses: Sequence[Left]) -> list[Cut]:
    """The tier's discount, and each counted benefit in its place or beside it."""
    own = tier.benefits.discount
    return [
        Cut(share=own),
        *(
            Cut(
                code=each.use.code,
                share=own if each.use.discount is None else each.use.discount,
                amount=each.use.amount or NOTHING,
            )
            for each in uses
        ),
    ]


def _offers(
    ask: Ask, programmes: Programmes, tier: Tier, now: datetime
) -> tuple[list[Offer], dict[str, str], list[tuple[str, str]]]:
    """The coupons that may be used: the member's own and those presented; and codes that mean none."""
    worth = benefits.prize_values(programmes.at(now).programme, tier.benefits)
    found: dict[str, Offer] = {}
    codes: dict[str, str] = {}
    refused: list[tuple[str, str]] = []
    own = coupons.usable(ask.member_id, now, programmes=programmes) if ask.with_coupons or ask.codes else []
    told = [(each.code, each) for each in own if ask.with_coupons]
    for code in ask.codes:
        try:
            told.append(
                (
                    code,
                    coupons.look_up(code, member_id=ask.member_id, now=now, programmes=programmes, own=own),
                )
            )
        except CouponNotUsable as unusable:
            refused.append((code, unusable.reason))
        except CouponNotFound:
            refused.append((code, "no_such_coupon"))
    for code, each in told:
        name = f"coupon:{each.coupon_id}" if each.coupon_id else f"public:{each.terms.code}"
        if name in found or each.code in ask.without:
            continue
        # A gift without a price in points is still worth having.
        gift = max(worth.get(each.terms.gift, NOTHING), CENT) if each.terms.gift else NOTHING
        found[name] = Offer(
            id=name, terms=each.terms, valid_until=each.valid_until, worth=gift, why_not=each.why_not
        )
        codes[name] = each.code or code
    return list(found.values()), codes, refused


def _would_earn(
    ask: Ask, held: Held, tier: Tier, chosen: Choice, points_value: Decimal, now: datetime
) -> int:
    """What the order would earn by the rules of this moment, campaigns included and limits left aside."""
    programme = held.programme
    asked = situations.fields_asked([programme])
    lines = tuple(
        LineFact(product=line.product, category=line.category, name="", amount=left)
        for line, left in zip(ask.lines, chosen.left, strict=True)
    )
    situation = situations.of(
        situations.Basket(
            ask.member_id, ask.channel.code, ask.store.code if ask.store else "", chosen.net, lines
        ),
        at=now,
        tier=tier.code,
        buyers=situations.load(asked, [ask.member_id]),
        bought=tiers.whole_history(ask.member_id) if situations.needs_whole_history(asked) else [],
        zone=programme.time_zone,
    )
    base = earning.base_of(net=chosen.net, points_value=points_value, policy=programme.points)
    return earning.price(situation, base=base, programme=programme, tier=tier).points


def _priced(ask: Ask, chosen: Choice, points_value: Decimal) -> tuple[PricedLine, ...]:
    of_points = choice.share(points_value, chosen.left) if points_value else (NOTHING,) * len(ask.lines)
    return tuple(
        PricedLine(
            amount=line.amount,
            of_tier=chosen.of_cut[n],
            of_coupons=sum((each.of_lines[n] for each in chosen.taken), NOTHING),
            of_points=of_points[n],
        )
        for n, line in enumerate(ask.lines)
    )


# --- offering -----------------------------------------------------------------------------------------


def make(ask: Ask, *, actor_id: int | None = None) -> tuple[Quote, Offered]:
    """Work out a basket and keep the offer for as long as the programme says. Nothing is set aside for it."""
    offered = work_out(ask)
    now = clock.read().now
    quote = Quote.objects.create(
        member_id=ask.member_id,
        channel=ask.channel,
        store=ask.store,
        programme_id=offered.held.id,
        plan=plan_of(offered),
        made_at=now,
        valid_until=now + timedelta(minutes=offered.held.programme.quotes.valid_minutes),
        actor_id=actor_id,
    )
    return quote, offered


def plan_of(offered: Offered) -> dict[str, Any]:
    """What a commit does, as plain data: amounts in yuan as text."""
    return {
        "benefit": offered.choice.cut.code,
        "coupons": [
            {
                "code": offered.codes[each.offer.id],
                "discount": str(each.verdict.discount or NOTHING),
                "postage": str(each.verdict.postage or NOTHING),
                "asked": [
                    [str(line.amount), line.product, line.category, str(line.rest)] for line in each.asked
                ],
                "charged": str(each.charged),
            }
            for each in offered.choice.taken
        ],
        "points": offered.points,
        "points_why": {
            "per_yuan": offered.tier.benefits.points_per_yuan,
            "worth": str(offered.points_value),
            "tier": offered.tier.code,
        },
        "programme_id": offered.held.id,
        "points_value": str(offered.points_value),
        "net": str(offered.net),
        "postage": str(offered.postage),
        "to_pay": str(offered.to_pay),
    }


# --- committing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a commit has done. `points_cause` is what the order names as its `points_spent.cause`."""

    quote: Quote
    is_new: bool

    @property
    def points_cause(self) -> str:
        """Under which cause the points were spent; '' when there were none."""
        return points_cause(self.quote.order_no) if self.quote.plan["points"] else ""


@transaction.atomic
def commit(key: UUID, order_no: str, *, channel: Channel, actor_id: int | None = None) -> Committed:
    """Do what a quote says for an order, once and within its time: all of it or nothing.

    The same order again is answered as the first time. Raises QuoteNotFound, QuoteEnded, QuoteChanged,
    CauseTaken for an order that another quote was committed for, and what coupons, benefits and points
    refuse.
    """
    quote = Quote.objects.select_for_update().filter(key=key, channel=channel).first()
    if quote is None:
        raise QuoteNotFound
    if quote.committed_at is not None:
        if quote.order_no != order_no:
            raise QuoteEnded
        return Committed(quote=quote, is_new=False)
    now = clock.read().now
    if now >= quote.valid_until:
        raise QuoteEnded
    quote.committed_at, quote.order_no = now, order_no
    try:
        with transaction.atomic():
            quote.save(update_fields=["committed_at", "order_no"])
    except IntegrityError as taken:
        if "quote_commits_an_order_once" not in str(taken):
            raise
        raise CauseTaken from taken
    carry_out(
        quote.plan,
        member_id=quote.member_id,
        channel=channel,
        store=quote.store,
        order_no=order_no,
        actor_id=actor_id,
    )
    return Committed(quote=quote, is_new=True)


def carry_out(
    plan: Mapping[str, Any],
    *,
    member_id: int,
    channel: Channel,
    store: Store | None,
    order_no: str,
    actor_id: int | None,
) -> None:
    """Use the benefit, the coupons and the points of a plan for an order, in the caller's transaction.

    Raises QuoteChanged when a coupon is no longer worth what was offered, or the benefit is gone; and
    CouponNotUsable, NotEnoughPoints.
    """
    benefits.lock(member_id)  # the wallet before the coupons, as every order has it
    if plan["benefit"]:
        try:
            benefits.use(
                member_id,
                plan["benefit"],
                cause=benefits.order_cause(channel.code, order_no),
                channel=channel,
                store_id=store.pk if store else None,
                actor_id=actor_id,
            )
        except (BenefitNotYours, BenefitUsedUp) as gone:
            raise QuoteChanged from gone
    for each in plan["coupons"]:
        receipt = coupons.use(
            each["code"],
            channel=channel,
            order_no=order_no,
            member_id=member_id,
            store=store,
            lines=[_line(line) for line in each["asked"]],
            postage=Decimal(each["charged"]),
            actor_id=actor_id,
        )
        if (receipt.discount, receipt.postage) != (Decimal(each["discount"]), Decimal(each["postage"])):
            raise QuoteChanged
    if plan["points"]:
        points.redeem(
            member_id,
            plan["points"],
            cause=points_cause(order_no),
            channel=channel,
            store_id=store.pk if store else None,
            actor_id=actor_id,
            # Quotes of before these were kept have neither.
            why={**plan["points_why"], "order_no": order_no} if "points_why" in plan else None,
            programme_id=plan.get("programme_id"),
        )


def points_cause(order_no: str) -> str:
    """Under which cause the points of an order are spent: it names them by this."""
    return f"sale:{order_no}"


def _line(told: Sequence[str]) -> BasketLine:
    amount, product, category, rest = told
    return BasketLine(Decimal(amount), product, category, Decimal(rest))


def sweep() -> int:
    """Remove the offers that nobody took up, a day after they ended; how many there were."""
    removed, _by_model = Quote.objects.filter(
        committed_at=None, valid_until__lt=clock.read().now - KEPT
    ).delete()
    return removed


def not_used(offered: Offered) -> Sequence[NotTaken]:
    """The coupons that were left out, those that would have saved most first."""
    return sorted(offered.choice.not_taken, key=lambda each: (-each.saves, each.offer.id))
