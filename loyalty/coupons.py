"""Coupons at work: locked for an order, used, given back; taken online or in the store, never twice (B6).

    issued → locked → used → (the order comes undone) issued
           ↘ used   ↘ issued                issued → withdrawn

Promises: one order's lock keeps all others away until it is let go or its time is out, and that is a
function of time, not of a job; the same request for the same order is answered as the first time; whatever
is refused has moved nothing. A coupon is worth what the programme version says under which it was issued.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any

from django.db import transaction

from loyalty import clock, coupon_codes, coupon_issuing, coupon_rows, coupon_terms, publishing
from loyalty.coupon_holdings import Held, look_up, of_member, usable
from loyalty.coupon_issuing import Issued, Wish, issue
from loyalty.coupon_returns import settle_order, settle_orders
from loyalty.coupon_rows import Moves, Use
from loyalty.coupon_states import in_time, is_locked, let_go, refusal, terms_of, time_out, unlock
from loyalty.coupon_terms import Basket, BasketLine, Terms, Verdict
from loyalty.errors import CouponNotFound
from loyalty.models import Coupon, CouponMove, CouponUse, Wallet
from loyalty.publishing import Programmes
from members import survivors
from members.models import Channel, Store

__all__ = [
    "CouponReceipt",
    "Held",
    "Issued",
    "Wish",
    "give",
    "issue",
    "lock",
    "look_up",
    "of_member",
    "release",
    "settle_orders",
    "usable",
    "use",
    "withdraw",
]

LOCK_SECONDS = 900
State = Coupon.State
Kind = CouponMove.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponReceipt:
    """What became of a request about a coupon and an order. Yuan; None where the basket was not told."""

    coupon_id: int
    code: str
    terms: Terms
    state: str
    order_no: str
    is_new: bool
    member_id: int | None = None
    discount: Decimal | None = None
    postage: Decimal | None = None
    gift: str = ""
    locked_until: datetime | None = None
    valid_until: datetime | None = None
    why: Mapping[str, Any] = field(default_factory=dict)


# --- one order ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """For which order a coupon is asked, by whom, and what is to be bought."""

    channel: Channel
    order_no: str
    member_id: int | None
    store: Store | None
    lines: tuple[BasketLine, ...] | None
    postage: Decimal | None


@dataclass(slots=True)
class _Case:
    """One coupon, locked in the database, beside the order that asks for it."""

    coupon: Coupon
    terms: Terms
    order: _Order
    moves: Moves
    programmes: Programmes

    @property
    def now(self) -> datetime:
        return self.moves.now

    @property
    def has_running_lock(self) -> bool:
        return is_locked(self.coupon, self.now)

    @property
    def is_locked_here(self) -> bool:
        """Locked for this order; also when its time is out, as long as nobody else has come."""
        coupon, order = self.coupon, self.order
        return (
            coupon.state == State.LOCKED
            and coupon.locked_channel_id == order.channel.pk
            and coupon.locked_order_no == order.order_no
        )

    def move(self, kind: CouponMove.Kind, why: Mapping[str, Any] | None = None) -> None:
        order = self.order
        self.moves.add(self.coupon, kind, channel_id=order.channel.pk, order_no=order.order_no, why=why or {})

    def receipt(self, verdict: Verdict, *, is_new: bool) -> CouponReceipt:
        coupon = self.coupon
        return CouponReceipt(
            coupon_id=coupon.pk,
            code=coupon.code,
            terms=self.terms,
            state=coupon.state,
            order_no=self.order.order_no,
            is_new=is_new,
            member_id=coupon.member_id,
            discount=verdict.discount,
            postage=verdict.postage,
            gift=self.terms.gift,
            locked_until=coupon.locked_until,
            valid_until=coupon.valid_until,
            why=verdict.why,
        )


@transaction.atomic
def lock(
    code: str,
    *,
    channel: Channel,
    order_no: str,
    member_id: int | None = None,
    store: Store | None = None,
    lines: Sequence[BasketLine] | None = None,
    postage: Decimal | None = None,
    seconds: int = LOCK_SECONDS,
    actor_id: int | None = None,
) -> CouponReceipt:
    """Set a coupon aside for one order, for so many seconds; nobody else can use it meanwhile.

    A public code is taken for the member first, within its quota. lines: what is to be bought, None when
    it is not told. The same order again is answered with the lock it has. Raises CouponNotFound,
    CouponNotUsable.
    """
    order = _Order(
        channel=channel,
        order_no=order_no,
        member_id=member_id,
        store=store,
        lines=None if lines is None else tuple(lines),
        postage=postage,
    )
    case = _open(code, order, actor_id)
    if case.is_locked_here:
        if case.has_running_lock:
            return case.receipt(_locked_verdict(case.coupon), is_new=False)
        time_out(case.coupon, case.moves)
    before = _use_of(case)
    if before is not None:
        return case.receipt(_used_verdict(before, case.coupon), is_new=False)
    verdict = _judge(case)
    _claim(case)
    coupon = case.coupon
    coupon.state, coupon.locked_until = State.LOCKED, case.now + timedelta(seconds=seconds)
    coupon.locked_channel, coupon.locked_order_no = channel, order_no
    case.move(Kind.LOCKED, dict(verdict.why) | {"until": coupon.locked_until.isoformat()})
    case.moves.write()
    return case.receipt(verdict, is_new=True)


@transaction.atomic
def use(
    code: str,
    *,
    channel: Channel,
    order_no: str,
    member_id: int | None = None,
    store: Store | None = None,
    lines: Sequence[BasketLine] | None = None,
    postage: Decimal | None = None,
    actor_id: int | None = None,
) -> CouponReceipt:
    """Use a coupon for one order, locked for it before or not.

    A lock keeps what it promised, even when the coupon ran out meanwhile; told the basket again, the coupon
    is judged again. The same order again is answered as the first time. Raises CouponNotFound,
    CouponNotUsable.
    """
    order = _Order(
        channel=channel,
        order_no=order_no,
        member_id=member_id,
        store=store,
        lines=None if lines is None else tuple(lines),
        postage=postage,
    )
    case = _open(code, order, actor_id)
    before = _use_of(case)
    if before is not None:
        return case.receipt(_used_verdict(before, case.coupon), is_new=False)
    verdict = _judge(case)
    _claim(case)
    coupon = case.coupon
    coupon.state = State.USED
    unlock(coupon)
    paid = Use(
        order_no=order_no,
        channel_id=channel.pk,
        store_id=store.pk if store else None,
        member_id=coupon.member_id,
        discount=verdict.discount,
        postage=verdict.postage,
        counted=verdict.counted,
    )
    case.moves.uses.append((coupon.pk, paid))
    case.move(Kind.USED, dict(verdict.why))
    case.moves.write()
    if settle_order(channel, order_no, now=case.now):
        coupon.refresh_from_db()  # the order had come undone before its coupon was told
    return case.receipt(verdict, is_new=True)


@transaction.atomic
def release(
    code: str, *, channel: Channel, order_no: str, member_id: int | None = None, actor_id: int | None = None
) -> CouponReceipt:
    """Let go of a coupon that was locked for one order; one that is not locked for it, stays as it is.

    Raises CouponNotFound, and CouponNotUsable when another order has locked it or it has been used.
    """
    order = _Order(
        channel=channel, order_no=order_no, member_id=member_id, store=None, lines=None, postage=None
    )
    case = _open(code, order, actor_id, issues=False)
    is_new = case.is_locked_here
    if is_new:
        let_go(case.coupon)
        case.move(Kind.RELEASED)
        case.moves.write()
    elif case.coupon.state == State.USED or case.has_running_lock:
        raise refusal(case.coupon.state)
    return case.receipt(Verdict(discount=None, postage=None), is_new=is_new)


def _open(code: str, order: _Order, actor_id: int | None, *, issues: bool = True) -> _Case:
    """Find the coupon that a code means for an order, and lock it. Campaign, order, coupon, in this order."""
    now = clock.read().now
    codes = coupon_codes.readings(code)
    found = coupon_rows.find(codes)
    if found is None:
        coupon_id = _take_public(codes, order, now, issues=issues)
    else:
        coupon_id = found.pk
        if found.is_bearer and order.member_id is not None:
            coupon_rows.take_turns([found.campaign])  # it may become the member's, and count as theirs
        coupon_rows.take_turns_of_orders([(order.channel.pk, order.order_no)])
    coupon = coupon_rows.hold([coupon_id])[coupon_id]
    owner = None if coupon.is_bearer else coupon.member_id
    if owner is not None and not survivors.are_one(owner, order.member_id):
        raise refusal("not_yours")
    programmes = publishing.load_all()
    case = _Case(coupon, terms_of(coupon, programmes), order, Moves(now, actor_id), programmes)
    if coupon.state == State.LOCKED and not case.has_running_lock and not case.is_locked_here:
        time_out(coupon, case.moves)
    return case


def _take_public(codes: tuple[str, ...], order: _Order, now: datetime, *, issues: bool) -> int:
    """The coupon that a public code means for an order, issued now when there is none yet."""
    terms = coupon_terms.find_public(publishing.current(now).programme, codes)
    if terms is None:
        raise CouponNotFound
    coupon_rows.take_turns([terms.code])
    coupon_rows.take_turns_of_orders([(order.channel.pk, order.order_no)])
    coupon_id = coupon_rows.for_public_code(
        terms.code,
        channel_id=order.channel.pk,
        order_no=order.order_no,
        member_id=order.member_id,
        now=now,
    )
    if coupon_id is not None:
        return coupon_id
    if not issues:
        raise CouponNotFound
    # Nothing that comes again: the order has none yet, or it had one that was withdrawn.
    cause = f"public:{terms.code}:{token_hex(12)}"
    why = {"public_code": codes[0], "order_no": order.order_no}
    wish = Wish(campaign=terms.code, member_id=order.member_id, cause=cause, why=why)
    (issued,) = coupon_issuing.issue([wish], now=now)
    if issued.coupon_id is None:
        raise refusal({"not_your_tier": "tier", "over": "expired"}.get(issued.refusal, issued.refusal))
    return issued.coupon_id


def _judge(case: _Case) -> Verdict:
    """Whether the coupon can be used for the order, and what it takes off. Raises CouponNotUsable."""
    coupon, order = case.coupon, case.order
    if coupon.state in (State.USED, State.WITHDRAWN):
        raise refusal(coupon.state)
    if coupon.state == State.LOCKED and not case.is_locked_here:
        raise refusal("locked")
    untimely = in_time(coupon.valid_from, coupon.valid_until, case.now)
    if untimely and not (case.is_locked_here and case.has_running_lock):
        raise refusal(untimely)
    if case.is_locked_here and order.lines is None:
        return _locked_verdict(coupon)
    verdict = case.terms.judge(
        Basket(
            channel=order.channel.code,
            store=order.store.code if order.store else "",
            tier=_tier(order.member_id, case.programmes) if case.terms.tiers else None,
            lines=order.lines,
            postage=order.postage,
        )
    )
    if verdict.why_not:
        raise refusal(verdict.why_not)
    _refuse_company(case)
    return verdict


def _tier(member_id: int | None, programmes: Programmes) -> str | None:
    if member_id is None:
        return None
    tier = Wallet.objects.filter(member=member_id).values_list("tier", flat=True).first()
    return tier or programmes.first_tier


def _refuse_company(case: _Case) -> None:
    """Refuse a second coupon of the order when either of them stands alone. Raises CouponNotUsable."""
    order = case.order
    for id_, campaign, programme_id in coupon_rows.of_order(order.channel.pk, order.order_no, case.now):
        if id_ == case.coupon.pk:
            continue
        other = coupon_terms.find(case.programmes.by_id(programme_id), campaign)
        if not case.terms.combines or other is None or not other.combines:
            raise refusal("not_combined")


def _claim(case: _Case) -> None:
    """A bearer's coupon is the member's who brings it, as long as it is locked or used."""
    coupon, member_id = case.coupon, case.order.member_id
    if not coupon.is_bearer or member_id is None or coupon.member_id == member_id:
        return
    # Not counting itself: it may stand there as theirs still, by a lock whose time is out.
    pair = (coupon.campaign, member_id)
    taken = coupon_rows.numbers_of_members([pair], but=coupon.pk)[pair]
    number = coupon_rows.free_number(taken)
    if coupon.per_member is not None and number > coupon.per_member:
        raise refusal("limit_reached")
    coupon.member_id, coupon.member_number = member_id, number


def _use_of(case: _Case) -> CouponUse | None:
    """The last use of the coupon by this very order, given back or not."""
    uses = CouponUse.objects.filter(
        coupon=case.coupon, channel=case.order.channel, order_no=case.order.order_no
    )
    return uses.order_by("pk").last()


def _locked_verdict(coupon: Coupon) -> Verdict:
    """What was decided when the coupon was locked: it stands in its last move."""
    why = CouponMove.objects.values_list("why", flat=True).get(coupon=coupon, position=coupon.steps)
    return Verdict(
        discount=_amount(why, "discount"),
        postage=_amount(why, "postage"),
        counted=_amount(why, "counted"),
        why={name: value for name, value in why.items() if name != "until"},
    )


def _amount(why: Mapping[str, Any], name: str) -> Decimal | None:
    return Decimal(why[name]) if name in why else None


def _used_verdict(use: CouponUse, coupon: Coupon) -> Verdict:
    moves = CouponMove.objects.filter(coupon=coupon, kind=Kind.USED, happened_at=use.used_at)
    why = moves.values_list("why", flat=True).last() or {}
    return Verdict(discount=use.discount, postage=use.postage, counted=use.counted, why=why)


# --- by hand ------------------------------------------------------------------------------------------


@transaction.atomic
def give(member_id: int, campaign: str, *, reason: str, nonce: str, actor_id: int | None) -> CouponReceipt:
    """Give a member a coupon by hand, within quota and limit, once per nonce. Raises CouponNotUsable."""
    now = clock.read().now
    wish = Wish(
        campaign=campaign,
        member_id=member_id,
        cause=f"hand:{nonce}",
        why={"reason": reason},
        actor_id=actor_id,
    )
    (issued,) = coupon_issuing.issue([wish], now=now)
    if issued.coupon_id is None:
        raise refusal(issued.refusal)
    coupon = Coupon.objects.get(pk=issued.coupon_id)
    return CouponReceipt(
        coupon_id=coupon.pk,
        code=coupon.code,
        terms=terms_of(coupon, publishing.load_all()),
        state=coupon.state,
        order_no="",
        is_new=issued.is_new,
        member_id=member_id,
        valid_until=coupon.valid_until,
        why=coupon.why,
    )


@transaction.atomic
def withdraw(
    coupon_ids: Collection[int], *, why: Mapping[str, Any], now: datetime, actor_id: int | None = None
) -> dict[int, str]:
    """Withdraw coupons that nobody has used or locked; by id '' or the reason why not.

    One that was withdrawn before is withdrawn. It keeps its number in the campaign, as its code is out in
    the world, and no longer counts against its member's limit.
    """
    moves = Moves(now, actor_id)
    answers: dict[int, str] = {}
    for id_, coupon in coupon_rows.hold(coupon_ids).items():
        if coupon.state == State.USED or is_locked(coupon, now):
            answers[id_] = coupon.state
            continue
        answers[id_] = ""
        if coupon.state == State.WITHDRAWN:
            continue
        if coupon.state == State.LOCKED:
            time_out(coupon, moves)
        coupon.state, coupon.member_number = State.WITHDRAWN, None
        moves.add(coupon, Kind.WITHDRAWN, why=why)
    moves.write()
    return answers
