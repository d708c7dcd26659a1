"""Benefits: what each tier gives, in words and in yuan, and what of it a member has had this period (B2).

A counted benefit (monthly 10 % off) is had at most so many times a period. Each use has a number, and the
database keeps one use a number: two channels at once cannot both have the last one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from loyalty import benefit_terms, clock, ledger, publishing
from loyalty.benefit_terms import NATIONWIDE, REGIONAL, Benefits, Use
from loyalty.errors import BenefitNotYours, BenefitUsedUp, CauseTaken
from loyalty.ledger import Purses
from loyalty.models import BenefitUse
from loyalty.names import in_words
from loyalty.programme import Programme
from loyalty.publishing import Held
from loyalty.purse import Purse
from loyalty.tier_terms import Tier
from members import survivors
from members.facts import OrderStatus
from members.models import Channel
from members.orders import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """One benefit of a tier. `word` is the same in every tier and language; `yuan` a year, unweighted."""

    word: str
    text: str
    yuan: Decimal | None = None
    weight: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A tier of the matrix: what it gives, and the total benefit value 总权益价值 (yuan a year)."""

    tier: Tier
    name: str
    benefits: Sequence[Benefit]
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A counted benefit of a member: how many of its times are left in the period, and when it comes anew."""

    use: Use
    name: str
    left: int
    period: str
    anew_on: date


# --- in words ---------------------------------------------------------------------------------------


def told(tier: Tier) -> list[str]:
    """What a tier gives, in the language that is active, in the order of the matrix."""
    return [benefit.text for benefit in of(tier)]


def lasting(tier: Tier) -> list[str]:
    """The same without what is counted: that is told by how much of it is left."""
    return [benefit.text for benefit in of(tier) if benefit.word != "uses"]


def of(tier: Tier) -> list[Benefit]:
    """What a tier gives, each with its word; without what it is worth."""
    given = tier.benefits
    found = [
        ("discount", _discount(given.discount) if given.discount < 1 else ""),
        ("points", _coefficient(given) if given.coefficient != 1 else ""),
        ("points", _("%(points)s points are worth ¥1") % {"points": given.points_per_yuan}),
        ("shipping", _shipping(given)),
        ("service", _service(given)),
        *(("birthday", text) for text in _birthday(given)),
        *(("uses", _use(use)) for use in given.uses),
        ("badge", _("Badge: %(badge)s") % {"badge": given.badge} if given.badge else ""),
        *(("extra", _extra(word, value)) for word, value in given.extra.items()),
    ]
    return [Benefit(word=word, text=text) for word, text in found if text]


def _discount(share: Decimal) -> str:
    # Chinese shops say 9折 where English ones say 10% off.
    return _("%(percent)s%% off") % {"percent": _short((1 - share) * 100), "tenths": _short(share * 10)}


def _coefficient(given: Benefits) -> str:
    return _("%(coefficient)s times the points") % {"coefficient": _short(given.coefficient)}


def _shipping(given: Benefits) -> str:
    if given.shipping in NATIONWIDE:
        return _("Free shipping nationwide")
    if given.shipping != REGIONAL:
        return ""
    if not given.provinces:
        return _("Free shipping in some regions")
    comma = pgettext("between the names of a list", ", ")
    return _("Free shipping to %(provinces)s") % {"provinces": comma.join(given.provinces)}


def _service(given: Benefits) -> str:
    known = {"priority": _("Priority service"), "adviser": _("A named adviser")}
    return known.get(given.service, "")


def _birthday(given: Benefits) -> list[str]:
    treat = given.birthday
    words = {
        "factor": _("%(what)s times the points on the birthday"),
        "points": _("%(what)s points on the birthday"),
        "coupon": _("A coupon on the birthday (%(what)s)"),
        "gift": _("A gift on the birthday (%(what)s)"),
    }
    return [text % {"what": treat[word]} for word, text in words.items() if treat.get(word)]


def _use(use: Use) -> str:
    often = {
        "day": _("%(name)s: %(times)s a day"),
        "week": _("%(name)s: %(times)s a week"),
        "month": _("%(name)s: %(times)s a month"),
        "quarter": _("%(name)s: %(times)s a quarter"),
        "year": _("%(name)s: %(times)s a year"),
    }
    return often[use.per] % {"name": in_words(use.name), "times": use.times}


def _extra(word: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return in_words(value)
    if isinstance(value, bool):
        return word if value else ""
    return _("%(what)s: %(value)s") % {"what": word, "value": value}


def _short(number: Decimal) -> str:
    return format(number.normalize(), "f")


# --- the matrix -------------------------------------------------------------------------------------


def matrix(programme: Programme) -> list[Column]:
    """Every tier with its benefits, what they are worth to the same buyer, and their total."""
    return [_column(tier, programme) for tier in programme.tiers]


def present_matrix() -> list[Column]:
    """The matrix of the programme that holds now."""
    return matrix(publishing.current().programme)


def _column(tier: Tier, programme: Programme) -> Column:
    terms = programme.valuation
    worth = benefit_terms.value(
        tier.benefits,
        terms,
        base_per_yuan=programme.points.base_per_yuan,
        prizes=prize_values(programme, tier.benefits),
    )
    texts: dict[str, list[str]] = {}
    for benefit in of(tier):
        texts.setdefault(benefit.word, []).append(benefit.text)
    return Column(
        tier=tier,
        name=in_words(tier.name),
        benefits=[
            Benefit(word=word, text=_together(texts.get(word, ())), yuan=yuan, weight=terms.weight(word))
            for word, yuan in worth.items()
        ],
        value=benefit_terms.total(worth, terms),
    )


def _together(texts: Sequence[str]) -> str:
    """Several benefits of one kind in one line."""
    if not texts:
        return ""
    return reduce(lambda text, more: _("%(text)s; %(more)s") % {"text": text, "more": more}, texts)


def prize_values(programme: Programme, given: Benefits) -> dict[str, Decimal]:
    """What coupons and gifts are worth in a tier, in yuan by code: an amount off, or a reward's points."""
    coupons = {
        item["code"]: Decimal(item["value"])
        for item in programme.rest.get("coupons") or ()
        if item.get("kind") == "amount"
    }
    gifts = {
        item["code"]: given.worth(item.get("points") or 0) for item in programme.rest.get("rewards") or ()
    }
    return coupons | gifts


# --- counted benefits -------------------------------------------------------------------------------


def left(member_id: int, tier: Tier, held: Held, now: datetime) -> list[Left]:
    """The counted benefits of a member in a tier, with what is left of each in the present period."""
    day = now.astimezone(held.programme.time_zone).date()
    if not tier.benefits.uses:
        return []
    had = BenefitUse.objects.filter(
        wallet__member__in=survivors.same_person(member_id),
        given_back_at=None,
        period__in={use.period(day) for use in tier.benefits.uses},
    )
    counts = {
        (code, period): count
        for code, period, count in had.values_list("code", "period").annotate(Count("id")).order_by()
    }
    return [
        Left(
            use=use,
            name=in_words(use.name),
            left=max(0, use.times - counts.get((use.code, use.period(day)), 0)),
            period=use.period(day),
            anew_on=_next_period(use, day),
        )
        for use in tier.benefits.uses
    ]


def _next_period(use: Use, day: date) -> date:
    """The first day of the next period."""
    there = day
    while use.period(there) == use.period(day):
        there += timedelta(days=1)
    return there


def left_for_orders(member_id: int, tier: Tier, held: Held, now: datetime) -> list[Left]:
    """Those that take something off an order, and of which something is left."""
    offered = left(member_id, tier, held, now)
    return [each for each in offered if each.left and (each.use.discount or each.use.amount)]


@transaction.atomic
def use(
    member_id: int,
    code: str,
    *,
    cause: str,
    channel: Channel | None = None,
    store_id: int | None = None,
    actor_id: int | None = None,
) -> tuple[BenefitUse, bool]:
    """Have a counted benefit once; answers the use, and whether it is new.

    cause: what the channel calls it, once for ever; the same again answers the first use. Raises
    BenefitNotYours, BenefitUsedUp, and CauseTaken for a cause that meant another member or benefit.
    """
    purses = lock(member_id)
    purse, held = purses[member_id], publishing.current(purses.now)
    before = BenefitUse.objects.filter(cause=cause).first()
    if before is not None:
        if before.code != code or before.wallet_id not in {each.wallet_id for each in purse.together}:
            raise CauseTaken
        return before, False
    tier = held.programme.tier(purse.tier)
    wanted = tier.benefits.use(code)
    if wanted is None:
        raise BenefitNotYours
    day = purses.now.astimezone(held.programme.time_zone).date()
    number, had = _free_number(purse, wanted, day)
    if max(number, had + 1) > wanted.times:
        raise BenefitUsedUp(day=date_format(_next_period(wanted, day), "SHORT_DATE_FORMAT"))
    made = BenefitUse.objects.create(
        wallet_id=purse.wallet_id,
        code=code,
        tier=tier.code,
        period=wanted.period(day),
        number=number,
        cause=cause,
        why={"version": held.number, "tier": tier.code, "number": number, "times": wanted.times},
        channel=channel,
        store_id=store_id,
        actor_id=actor_id,
        programme_id=held.id,
        used_at=purses.now,
    )
    return made, True


def lock(member_id: int) -> Purses:
    """Take the member's turn: who comes second sees what the first has had."""
    return ledger.lock([member_id], first_tier=publishing.first_tier, earning_only=[member_id])


def _free_number(purse: Purse, wanted: Use, day: date) -> tuple[int, int]:
    """The lowest number of the period that nobody has, and how often the person had the benefit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number FROM loyalty_benefituse WHERE wallet_id = ANY(%s) AND code = %s AND period = %s"
            " AND given_back_at IS NULL",
            [[each.wallet_id for each in purse.together], wanted.code, wanted.period(day)],
        )
        had = [row[0] for row in cursor.fetchall()]
    return next(number for number in range(1, len(had) + 2) if number not in had), len(had)


def settle_orders(heard: Iterable[Heard]) -> int:
    """Give back what was had for orders of which nothing is kept; how many were.

    Within the caller's transaction, after the wallets are locked; one statement, and none where every order
    is kept.
    """
    undone = [
        order_cause(order.channel_code, order.number)
        for order in heard
        if order.order_id and order.kept <= 0 and (order.net > 0 or order.status == OrderStatus.CANCELLED)
    ]
    if not undone:
        return 0
    had = BenefitUse.objects.filter(cause__in=undone, given_back_at=None)
    return had.update(given_back_at=clock.read().now)


def order_cause(channel_code: str, order_no: str) -> str:
    """What a use for an order is called, so that the order's end gives it back."""
    return f"{channel_code}:order:{order_no}"


def give_back(member_id: int, code: str, causes: Sequence[str]) -> int:
    """Give uses back, because their orders were cancelled; answers how many were. A second time: none."""
    had = BenefitUse.objects.filter(
        wallet__member__in=survivors.same_person(member_id), code=code, cause__in=causes, given_back_at=None
    )
    return had.update(given_back_at=clock.read().now)
