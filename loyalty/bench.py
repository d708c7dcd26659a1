"""The test bench: what an order would earn by a draft, and why (B5). It reads, and never writes.

A basket, or an order of the past, is priced by the same evaluator that settles orders. A past order is seen
as it was when it was paid: the purchases before it, the tier it was decided in, the limits without what it
used itself. Limits are those of now, and nobody waits for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from loyalty import clock, earning, ledger, limits, situations, tiers, verdicts
from loyalty.conditions import Situation
from loyalty.errors import OrderNotFound
from loyalty.limits import Limits
from loyalty.models import OrderEarning, RuleUse
from loyalty.programme import Programme, Rule
from loyalty.purse import Purse
from loyalty.situations import Basket, Buyers
from loyalty.verdicts import Verdict
from members.facts import LineFact
from members.models import Order, OrderLine

CENT = Decimal("0.01")
NOBODY = 0  # no member, and no wallet, has this id


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What is bought, where and when. Money in yuan; `net` is the goods after discounts.

    member_id None: somebody new, of the tier `tier` ('' is the lowest).
    """

    channel: str
    net: Decimal
    at: datetime
    store: str = ""
    lines: tuple[LineFact, ...] = ()
    points_value: Decimal = Decimal(0)
    member_id: int | None = None
    tier: str = ""
    order_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came out. `earned` is what a past order was given when it was decided; None for a basket."""

    purchase: Purchase
    tier: str
    points: int
    formula: str
    verdicts: Sequence[Verdict]
    left: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by rule and name of the limit
    earned: int | None = None
    why: dict[str, Any] = field(default_factory=dict)


def past(number: str, channel: str = "") -> Purchase:
    """An order of the past as it was bought; where two channels have this number, name the channel.

    Raises OrderNotFound, also for an order whose buyer is not known.
    """
    found = Order.objects.filter(number=number, member__isnull=False).select_related("channel", "store")
    if channel:
        found = found.filter(channel__code=channel)
    order = found.order_by("-id").first()
    if order is None:
        raise OrderNotFound
    assert order.member_id is not None
    return Purchase(
        channel=order.channel.code,
        store=order.store.code if order.store else "",
        net=order.net,
        at=order.paid_at or order.placed_at or order.heard_at,
        lines=tuple(_line(line) for line in OrderLine.objects.filter(order=order).order_by("position")),
        points_value=order.points_value,
        member_id=order.member_id,
        order_id=order.pk,
    )


def try_out(programme: Programme, purchase: Purchase) -> Trial:
    """Price a purchase by a programme, published or not, and say what became of each rule."""
    purchase = replace(purchase, net=purchase.net.quantize(CENT))
    decided = OrderEarning.objects.filter(order=purchase.order_id).first() if purchase.order_id else None
    purses = ledger.peek([purchase.member_id]) if purchase.member_id is not None else {}
    purse = purses.get(purchase.member_id or NOBODY)
    # The tier an order was decided in; else the one its buyer has now; else the one that was chosen.
    stood = str(decided.why.get("tier", "")) if decided is not None else ""
    tier = programme.tier(stood or (purse.tier if purse is not None else purchase.tier))
    situation = _situation(programme, purchase, tier.code)
    running = earning.running(programme, purchase.at)
    found = _limits(running, purchase, purse)
    wallet_id = limits.holder(purse) if purse is not None else NOBODY
    day = purchase.at.astimezone(programme.time_zone).date()
    priced = earning.price(
        situation,
        base=earning.base_of(net=purchase.net, points_value=purchase.points_value, policy=programme.points),
        programme=programme,
        tier=tier,
        room=found.room(running, wallet_id, day),
    )
    found.use(wallet_id, day, priced.uses)
    return Trial(
        purchase=purchase,
        tier=tier.code,
        points=priced.points,
        formula=earning.formula(priced.why),
        verdicts=verdicts.judge(programme, situation, priced.why),
        left={rule.code: found.left(rule, wallet_id, day) for rule in limits.limited(running)},
        earned=decided.earned if decided is not None else None,
        why=priced.why,
    )


def now() -> datetime:
    """The instant at which a basket is bought unless somebody says otherwise."""
    return clock.read().now


def _situation(programme: Programme, purchase: Purchase, tier: str) -> Situation:
    asked = situations.fields_asked([programme])
    member_id = purchase.member_id or NOBODY
    known = purchase.member_id is not None
    return situations.of(
        Basket(
            member_id,
            purchase.channel,
            purchase.store,
            purchase.net,
            purchase.lines,
            **({"order_id": purchase.order_id} if purchase.order_id else {}),
        ),
        at=purchase.at,
        tier=tier,
        buyers=situations.load(asked, [member_id]) if known else Buyers(),
        bought=tiers.whole_history(member_id) if known and situations.needs_whole_history(asked) else [],
        zone=programme.time_zone,
    )


def _limits(running: Sequence[Rule], purchase: Purchase, purse: Purse | None) -> Limits:
    """What the limited rules have given so far, without what this order itself was given."""
    theirs = purse.together if purse is not None else []
    counted_for = limits.persons(theirs)
    wallets = [each.wallet_id for each in theirs] or [NOBODY]
    found = limits.load(running, wallets, to_spend=False, counted_for=counted_for)
    if purchase.order_id is None:
        return found
    own = RuleUse.objects.filter(entry__order=purchase.order_id, rule__in=found.codes)
    for rule, wallet, day, points in own.values_list("rule", "wallet_id", "day", "points"):
        found.total[rule] -= points
        days = found.by_day.get((rule, counted_for.get(wallet, wallet)))
        if days and day in days:
            days[day] -= points
    return found


def _line(line: OrderLine) -> LineFact:
    return LineFact(
        product=line.product,
        name=line.name,
        category=line.category,
        quantity=line.quantity,
        price=line.price,
        discount=line.discount,
        amount=line.amount,
    )
