"""Facts: what a channel told us, on its way through a door.

A fact is frozen and complete in itself: it knows nothing of the database, and two facts that say the
same are equal. Files, the API and the desk all speak in facts, so that a rule is written once.

Money is `Decimal` yuan with two places. Times are aware. `None` means *not told*, which is not the same
as empty: a fact that does not tell something never erases what we know.
"""

import marshal
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any


class IdentifierKind(StrEnum):
    """By what a person can be recognised, surest first (docs/api.md)."""

    OUID = "ouid"  # a buyer within one Tmall shop
    OMID = "omid"  # a buyer within one brand, over its Tmall shops
    OPENID = "openid"  # a buyer within one WeChat app
    MIX_MOBILE = "mix_mobile"  # Tmall's keyed hash of a phone
    UNIONID = "unionid"  # a WeChat user over all apps of one owner
    PHONE = "phone"
    EMAIL = "email"


class OrderStatus(StrEnum):
    """How far an order has come; `cancelled` is an end like `completed`."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    RECEIVED = "received"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentifierFact:
    """One key to a person, already cleaned: phones in E.164, e-mails in lower case."""

    kind: IdentifierKind
    value: str
    verified: bool | None = None  # None: as the channel vouches for this kind


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentFact:
    """A yes or a no to one purpose, as given in a channel (PIPL art. 13-15)."""

    purpose: str
    granted: bool
    channel: str = "any"
    party: str = ""
    notice: str = ""  # version of the notice that was shown
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFact:
    """One buyer as one channel knows them (A2, A3).

    `external_id` is the channel's own id of the buyer; where a channel has none, it is None and
    the surest identifier stands in for it.
    """

    external_id: str | None = None
    identifiers: tuple[IdentifierFact, ...] = ()
    name: str | None = None  # may be masked by the platform, as 张**
    nick: str | None = None
    gender: Gender | None = None
    birthday: date | None = None
    phone_masked: str | None = None  # evidence for scored matching only, as 138****5678
    province: str | None = None
    city: str | None = None
    occupation: str | None = None
    buyer_star: int | None = None  # 买家星级
    praise_count: int | None = None  # 全网好评数
    tags: tuple[str, ...] = ()
    joined_at: datetime | None = None
    referred_by: str | None = None  # the referral code of a member
    # The device it was told from: nobody is recognised by it, and it is kept as a keyed index only.
    device: str | None = None
    consents: tuple[ConsentFact, ...] = ()
    version: int | None = None  # integer or epoch milliseconds; a larger one is newer

    @property
    def is_known(self) -> bool:
        """Whether anything in it could tell who the buyer is."""
        return bool(self.external_id or self.identifiers)


@dataclass(frozen=True, kw_only=True, slots=True)
class LineFact:
    """One line of an order. `amount` is net: price x quantity - discount."""

    product: str  # the channel's product or SKU code, or "" when it told only a name
    name: str = ""
    category: str = ""
    quantity: int = 1
    price: Decimal | None = None
    discount: Decimal = Decimal("0.00")
    amount: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscountFact:
    """One layer of discount, so that 折上折 can be taken apart again (A9)."""

    layer: str  # shop, platform, coupon, tier, payment, influencer, manual, other
    amount: Decimal
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentFact:
    means: str
    amount: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverFact:
    """Where a parcel went. The receiver is not the buyer and is never matched (docs/importing.md)."""

    name: str | None = None
    phone: str | None = None
    province: str | None = None
    city: str | None = None
    district: str | None = None
    address: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AmountsFact:
    """What an order cost: net = goods - discount; paid = net + postage in whatever means.

    `points_value` (paid with points) and `stored_value` are parts of what was paid.
    """

    goods: Decimal
    discount: Decimal = Decimal("0.00")
    postage: Decimal = Decimal("0.00")
    points_value: Decimal = Decimal("0.00")
    stored_value: Decimal = Decimal("0.00")

    @property
    def net(self) -> Decimal:
        return self.goods - self.discount

    @property
    def paid(self) -> Decimal:
        return self.net + self.postage


@dataclass(frozen=True, kw_only=True, slots=True)
class PointsSpentFact:
    """The points an order was paid with; `cause` names the redemption in this channel."""

    points: int
    cause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFact:
    """An order as its channel says it is now (A9)."""

    number: str
    status: OrderStatus
    amounts: AmountsFact
    buyer: AccountFact | None = None  # None: this platform does not say who bought
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    received_at: datetime | None = None
    completed_at: datetime | None = None
    store: str | None = None  # code of a store of the channel
    lines: tuple[LineFact, ...] = ()
    discounts: tuple[DiscountFact, ...] = ()
    payments: tuple[PaymentFact, ...] = ()
    receiver: ReceiverFact | None = None
    points_spent: PointsSpentFact | None = None
    # The platform's own total of what it has refunded so far, goods and postage in one amount.
    # Goods are refunded first, then postage (ledger.md). None: not told.
    refunded_total: Decimal | None = None
    version: int | None = None

    @property
    def happened_at(self) -> datetime | None:
        """The instant by which a batch is put in order: paid, else placed."""
        return self.paid_at or self.placed_at


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundFact:
    """One refund of one order, told by the platform. `goods` is net of discounts, points included."""

    order_number: str
    number: str
    goods: Decimal
    postage: Decimal = Decimal("0.00")
    lines: tuple[LineFact, ...] = ()
    refunded_at: datetime | None = None
    version: int | None = None

    @property
    def happened_at(self) -> datetime | None:
        return self.refunded_at


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLinesFact:
    """The lines of an order, told apart from the order itself (Tmall's 宝贝报表)."""

    order_number: str
    lines: tuple[LineFact, ...]


class EventKind(StrEnum):
    """What a visitor can do (docs/events.md)."""

    VIEW = "view"
    CLICK = "click"
    DWELL = "dwell"
    SEARCH = "search"
    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"
    CART_ADD = "cart_add"
    CART_REMOVE = "cart_remove"
    LIKE = "like"
    COMMENT = "comment"
    CONSULT = "consult"
    LOGIN = "login"
    APP_OPEN = "app_open"
    CHECK_IN = "check_in"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFact:
    """One thing a buyer did in a channel (A10). Paths come without what stands behind a question mark.

    The buyer is told as `member_no`, or as an account with its id or identifiers. duration: seconds.
    """

    event_id: str
    kind: EventKind
    at: datetime
    buyer: AccountFact | None = None
    member_no: str | None = None
    session: str = ""
    path: str = ""
    entrance: str = ""  # 入口: where the session came from
    keyword: str = ""
    product: str = ""
    category: str = ""
    duration: int | None = None


class CaseKind(StrEnum):
    RETURN = "return"
    EXCHANGE = "exchange"
    COMPLAINT = "complaint"
    CONSULTATION = "consultation"
    REVIEW = "review"


class CaseState(StrEnum):
    """How far a case has come; the middle five belong to what is sent back."""

    OPEN = "open"
    WORKING = "working"
    WAITING = "waiting"
    APPROVED = "approved"
    SENT = "sent"
    ARRIVED = "arrived"
    REFUNDED = "refunded"
    REPLACED = "replaced"
    RESOLVED = "resolved"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFact:
    """A service or after-sales case as its channel says it is now (A11). satisfaction: 0 to 10."""

    number: str
    kind: CaseKind
    state: CaseState
    opened_at: datetime
    buyer: AccountFact | None = None
    order_number: str | None = None
    product: str | None = None
    question_type: str | None = None
    feedback_channel: str | None = None
    words: str | None = None
    answer: str | None = None
    first_response_at: datetime | None = None
    closed_at: datetime | None = None
    state_at: datetime | None = None  # when it came to this state
    satisfaction: int | None = None
    version: int | None = None


Fact = AccountFact | OrderFact | RefundFact | OrderLinesFact

Flat = str | int | float | bool | list["Flat"]


@cache
def _fields_of(kind: type) -> tuple[tuple[str, ...], tuple[Any, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names that count in a digest, their defaults, and how to take the values off a fact at once."""
    counting = [field for field in fields(kind) if field.name != "version"]
    names = tuple(field.name for field in counting)
    defaults = tuple(None if field.default is MISSING else field.default for field in counting)
    return names, defaults, attrgetter(*names)


def _flatten_fact(fact: Any) -> Flat:
    # Names stand beside the values, and what says no more than the default is left out: a field that a
    # later release adds does not change the digest of the facts that we have heard before.
    names, defaults, values_of = _fields_of(type(fact))  # type: ignore[arg-type]  # a class is hashable
    flat: list[Flat] = []
    for name, default, value in zip(names, defaults, values_of(fact), strict=True):
        if value is default or value is None:
            continue
        kind = type(value)
        if kind is str:
            if value:
                flat += (name, value)
        elif default is None or value != default:
            flat += (name, _FLATTEN[kind](value))
    return flat


def _flatten_decimal(value: Decimal) -> str:
    text = str(value)
    if "." in text and "E" not in text:  # as all money is; normalize() takes twice as long
        text = text.rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return format(value.normalize(), "f") if value else "0"


_FLATTEN: dict[type, Callable[[Any], Flat]] = {
    str: str,
    bool: bool,
    int: int,
    Decimal: _flatten_decimal,
    datetime: datetime.timestamp,  # one instant, told in whatever zone
    date: date.isoformat,
    tuple: lambda items: [_FLATTEN[type(item)](item) for item in items],
    # The plain word: `value` is a property, and takes three times as long.
    IdentifierKind: str,
    OrderStatus: str,
    Gender: str,
    CaseKind: str,
    CaseState: str,
    **dict.fromkeys(
        (
            IdentifierFact,
            ConsentFact,
            AccountFact,
            LineFact,
            DiscountFact,
            PaymentFact,
            ReceiverFact,
            AmountsFact,
            PointsSpentFact,
            OrderFact,
            RefundFact,
            OrderLinesFact,
            CaseFact,
        ),
        _flatten_fact,
    ),
}


def digest(fact: Fact | CaseFact) -> bytes:
    """32 bytes that are equal exactly when two facts say the same; versions do not count.

    A batch takes one per fact, so it is built for speed: 3.0 and 3.00 yuan are the same, and so is
    one instant told in two time zones.
    """
    # Marshal's version 0 is its oldest form: no references and no interning, so equal values are equal
    # bytes. It takes half the time of repr() and a third of that of JSON.
    return sha256(marshal.dumps(_flatten_fact(fact), 0)).digest()


_NEVER = datetime.min.replace(tzinfo=UTC)


def in_order_of_happening(facts: Iterable[Any]) -> list[Any]:
    """Sort facts by when they happened; what has no time comes last, in the order it was told."""
    return sorted(facts, key=lambda fact: (fact.happened_at is None, fact.happened_at or _NEVER))
