"""Bodies of the API as facts: accounts, orders, refunds, events and cases as a channel sends them. Pure.

What a field may hold is said once, in `members.bodies`; this module says which fields there are.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from members import cleaning, paths
from members.bodies import MOST_WHOLE, NOT_AS_ADDRESSED, NOTHING, OUT_OF_RANGE, Body
from members.cleaning import Unclean
from members.errors import ExternalIdPersonal
from members.facts import (
    AccountFact,
    AmountsFact,
    CaseFact,
    CaseKind,
    CaseState,
    ConsentFact,
    DiscountFact,
    EventFact,
    EventKind,
    Gender,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
    PaymentFact,
    PointsSpentFact,
    ReceiverFact,
    RefundFact,
)

Fact = TypeVar("Fact", bound=AccountFact | OrderFact | RefundFact | EventFact | CaseFact)

MOST_LINES = 1000
LONGEST_ACCOUNT_ID = 128
NEVER = datetime.min.replace(tzinfo=UTC)  # stands for what is missing until that is told
LONGEST_ADDRESS = 2000  # of which the path is kept
LONGEST_WORDS = 4000
MOST_SECONDS = 24 * 60 * 60


class Told(NamedTuple, Generic[Fact]):
    """What a body said, and the fields in it that nobody knows."""

    fact: Fact
    ignored: tuple[str, ...]


def _told(body: Body, fact: Fact) -> Told[Fact]:
    body.leave()
    body.settle()
    return Told(fact, tuple(sorted(body.ignored)))


# --------------------------------------------------------------------------------------------- accounts


def read_account(data: object, external_id: str | None = None) -> Told[AccountFact]:
    """An account of a batch, or with `external_id` the one that the address names.

    Raises BodyInvalid, and ExternalIdPersonal when the address holds the very phone of the body.
    """
    body = Body(data)
    fact = _account(body, external_id)
    if not fact.is_known:
        body.required("external_id", None)
    told = _told(body, fact)
    if external_id is not None:
        _refuse_own_phone(external_id, fact)
    return told


def read_external_id(text: str) -> str:
    """The id of a buyer in an address. Raises BodyInvalid, ExternalIdPersonal for an e-mail."""
    external_id = _id_in_address("external_id", text, LONGEST_ACCOUNT_ID)
    if _is_email(external_id):
        raise ExternalIdPersonal
    return external_id


def read_number_in_address(name: str, text: str) -> str:
    """The number of an order or a refund in an address. Raises BodyInvalid."""
    return _id_in_address(name, text, cleaning.LONGEST_ID)


def _id_in_address(name: str, text: str, longest: int) -> str:
    body = Body({name: text})
    found = body.required(name, body.id(name, longest))
    body.settle()
    return str(found)


def _is_email(text: str) -> bool:
    try:
        return cleaning.clean_email(text) is not None
    except Unclean:
        return False


def _refuse_own_phone(external_id: str, fact: AccountFact) -> None:
    phones = {one.value for one in fact.identifiers if one.kind is IdentifierKind.PHONE}
    try:
        is_phone = bool(phones) and cleaning.clean_phone(external_id) in phones
    except Unclean:
        return
    if is_phone:
        raise ExternalIdPersonal


def _account(body: Body, external_id: str | None = None) -> AccountFact:
    told_id = body.id("external_id", LONGEST_ACCOUNT_ID)
    if external_id and told_id and told_id != external_id:
        body.note("external_id", NOT_AS_ADDRESSED)
    profile = body.part("profile") or body
    keys = body.part("identifiers")
    device = keys.id("device", LONGEST_ACCOUNT_ID) if keys is not None else None
    identifiers, masked = _identifiers(keys)
    fact = AccountFact(
        external_id=external_id or told_id,
        identifiers=identifiers,
        name=profile.text("name", 100),
        nick=profile.text("nick", 100),
        gender=profile.word("gender", Gender),
        birthday=profile.birthday("birthday"),
        phone_masked=profile.text("phone_masked", 20) or masked,
        province=profile.cleaned("province", _region),
        city=profile.cleaned("city", _region),
        occupation=profile.text("occupation", 100),
        buyer_star=profile.whole("buyer_star", 0, 32767),
        praise_count=profile.whole("praise_count", 0, MOST_WHOLE),
        tags=body.texts("tags", 50, 50),
        joined_at=body.moment("joined_at"),
        referred_by=body.exact("referred_by", 50),
        device=device,
        consents=tuple([_consent(part) for part in body.parts("consents", 50)]),
        version=body.version("version"),
    )
    if profile is not body:
        profile.leave()
    return fact


def _region(value: Any) -> str | None:
    region = cleaning.clean_region(value)
    if region is not None and len(region) > 30:
        raise Unclean("value_too_long", value)
    return region


class _Masked(str):
    """A phone that its platform has masked: evidence for a person who compares, and no key."""


def _phone(value: Any) -> str | None:
    try:
        return cleaning.clean_phone(value)
    except Unclean as unclean:
        if unclean.code == "phone_masked" and len(unclean.value) <= 20:
            return _Masked(unclean.value)
        raise


_CLEAN_KEY: dict[IdentifierKind, Callable[[Any], str | None]] = {
    IdentifierKind.PHONE: _phone,
    IdentifierKind.EMAIL: cleaning.clean_email,
}


def _identifiers(body: Body | None) -> tuple[tuple[IdentifierFact, ...], str | None]:
    """The keys of a buyer, and their phone when it is masked."""
    if body is None:
        return (), None
    found = [fact for kind in IdentifierKind if (fact := _identifier(body, kind))]
    body.leave()
    keys = tuple([fact for fact in found if not isinstance(fact.value, _Masked)])
    masked = [str(fact.value) for fact in found if isinstance(fact.value, _Masked)]
    return keys, masked[0] if masked else None


def _identifier(body: Body, kind: IdentifierKind) -> IdentifierFact | None:
    """One key of a buyer, told as a text or as `{value, verified}`."""
    part, name = body.value_or_part(kind.value)
    clean = _CLEAN_KEY.get(kind)
    value = part.cleaned(name, clean) if clean else part.id(name, LONGEST_ACCOUNT_ID)
    verified = None
    if part is not body:
        verified = part.flag("verified")
        part.required(name, value)
        part.leave()
    return IdentifierFact(kind=kind, value=value, verified=verified) if value else None


def _consent(body: Body) -> ConsentFact:
    fact = read_consent(body)
    body.leave()
    return fact


def read_consent(body: Body) -> ConsentFact:
    """A yes or a no to one purpose."""
    return ConsentFact(
        purpose=body.required("purpose", body.plain_word("purpose")) or "",
        granted=bool(body.required("granted", body.flag("granted"))),
        channel=body.plain_word("channel") or "any",
        party=body.exact("party", 100) or "",
        notice=body.exact("notice", 50) or "",
        at=body.moment("at"),
    )


# ----------------------------------------------------------------------------------- orders and refunds


def read_order(data: object, number: str | None = None) -> Told[OrderFact]:
    """An order of a batch (`order_no`), or with `number` the one in the address. Raises BodyInvalid."""
    body = Body(data)
    told_number = body.id("order_no")
    if number and told_number and told_number != number:
        body.note("order_no", NOT_AS_ADDRESSED)
    fact = OrderFact(
        number=number or body.required("order_no", told_number) or "",
        status=body.required("status", body.word("status", OrderStatus)) or OrderStatus.PLACED,
        amounts=_amounts(body),
        buyer=_buyer(body.part("buyer")),
        placed_at=body.moment("placed_at"),
        paid_at=body.moment("paid_at"),
        shipped_at=body.moment("shipped_at"),
        received_at=body.moment("received_at"),
        completed_at=body.moment("completed_at"),
        store=body.exact("store", 50),
        lines=_lines(body),
        discounts=tuple([_discount(part) for part in body.parts("discounts", 50)]),
        payments=tuple([_payment(part) for part in body.parts("payments", 50)]),
        receiver=_receiver(body.part("receiver")),
        points_spent=_points_spent(body.part("points_spent")),
        refunded_total=body.money("refunded_total"),
        version=body.version("version"),
    )
    return _told(body, fact)


def read_refund(data: object, *, order_number: str, number: str) -> Told[RefundFact]:
    """A refund as its platform tells it; goods are net of discounts. Raises BodyInvalid."""
    body = Body(data)
    goods, postage = read_refund_amounts(body)
    fact = RefundFact(
        order_number=order_number,
        number=number,
        goods=goods or NOTHING,
        postage=postage,
        lines=_lines(body),
        refunded_at=body.moment("refunded_at"),
        version=body.version("version"),
    )
    return _told(body, fact)


def read_refund_amounts(body: Body) -> tuple[Decimal, Decimal]:
    """Goods and postage of a refund; one of them is more than nothing."""
    goods, postage = body.money("goods"), body.money("postage")
    if not goods and not postage and not body.problems:
        body.note("goods", OUT_OF_RANGE if body.has("goods") or body.has("postage") else "required_missing")
    return goods or NOTHING, postage or NOTHING


def _buyer(body: Body | None) -> AccountFact | None:
    if body is None:
        return None
    fact = _account(body)
    body.leave()
    return fact if fact.is_known else None


def _amounts(order: Body) -> AmountsFact:
    body = order.part("amounts")
    if body is None:
        order.required("amounts", None)
        return AmountsFact(goods=NOTHING)
    goods, paid = body.money("goods"), body.money("paid")
    discount = body.money("discount") or NOTHING
    postage = body.money("postage") or NOTHING
    if goods is None and paid is not None and paid >= postage:
        goods = paid - postage + discount
    fact = AmountsFact(
        goods=body.required("goods", goods) or NOTHING,
        discount=discount,
        postage=postage,
        points_value=body.money("points_value") or NOTHING,
        stored_value=body.money("stored_value") or NOTHING,
    )
    if goods is not None and not _adds_up(fact, paid):
        body.note("", "amounts_disagree")
    body.leave()
    return fact


def _adds_up(amounts: AmountsFact, paid: Decimal | None) -> bool:
    return (
        amounts.net >= 0
        and paid in (None, amounts.paid)
        and amounts.points_value + amounts.stored_value <= amounts.paid
    )


def _lines(body: Body) -> tuple[LineFact, ...]:
    return tuple([_line(part) for part in body.parts("lines", MOST_LINES)])


def _line(body: Body) -> LineFact:
    price = _priced(body)
    fact = LineFact(
        product=body.id("product", 100) or "",
        name=body.text("name", 300) or "",
        category=body.text("category", 100) or "",
        quantity=price.quantity,
        price=price.price,
        discount=price.discount,
        amount=price.amount,
    )
    body.leave()
    return fact


class _Priced(NamedTuple):
    quantity: int
    price: Decimal | None
    discount: Decimal
    amount: Decimal | None


def _priced(body: Body) -> _Priced:
    quantity = body.whole("quantity", 0, MOST_WHOLE)
    price, amount = body.money("price"), body.money("amount")
    discount = body.money("discount") or NOTHING
    quantity = 1 if quantity is None else quantity
    if amount is None and price is not None and discount <= price * quantity <= cleaning.MOST_MONEY:
        amount = price * quantity - discount
    return _Priced(quantity, price, discount, amount)


def line_amount(body: Body) -> Decimal | None:
    """What a line comes to: its `amount`, or price × quantity − discount; None when neither is told."""
    return _priced(body).amount


def _discount(body: Body) -> DiscountFact:
    fact = DiscountFact(
        layer=body.plain_word("layer") or "other",
        amount=body.required("amount", body.money("amount")) or NOTHING,
        label=body.text("label", 100) or "",
    )
    body.leave()
    return fact


def _payment(body: Body) -> PaymentFact:
    means = body.required("means", body.text("means", 50)) or ""
    fact = PaymentFact(means=means, amount=body.money("amount"))
    body.leave()
    return fact


def _receiver(body: Body | None) -> ReceiverFact | None:
    if body is None:
        return None
    fact = ReceiverFact(
        name=body.text("name", 100),
        phone=_receiver_phone(body.text("phone", 30)),
        province=body.cleaned("province", _region),
        city=body.cleaned("city", _region),
        district=body.text("district", 50),
        address=body.text("address", 300),
    )
    body.leave()
    return fact


def _receiver_phone(told: str | None) -> str | None:
    """In the one form in which files and webhooks have it; what is no phone stays as it was told."""
    try:
        return cleaning.clean_phone(told)
    except Unclean:
        return told


def _points_spent(body: Body | None) -> PointsSpentFact | None:
    if body is None:
        return None
    points = body.required("points", body.whole("points", 0, MOST_WHOLE)) or 0
    cause = body.exact("cause", 200) or ""
    if points:
        body.required("cause", cause or None)
    body.leave()
    return PointsSpentFact(points=points, cause=cause) if points else None


# ------------------------------------------------------------------------------------- events and cases


def read_event(data: object) -> Told[EventFact]:
    """One behaviour event of a batch. Raises BodyInvalid."""
    body = Body(data)
    external_id = body.id("external_id", LONGEST_ACCOUNT_ID)
    member_no = body.exact("member_no", 40)
    identifiers, _masked = _identifiers(body.part("identifiers"))
    if not (external_id or identifiers or member_no):
        body.required("external_id", None)
    at = body.required("at", body.moment("at"))
    fact = EventFact(
        event_id=body.required("event_id", body.exact("event_id", 128)) or "",
        kind=body.required("kind", body.word("kind", EventKind)) or EventKind.VIEW,
        at=at or NEVER,
        buyer=AccountFact(external_id=external_id, identifiers=identifiers),
        member_no=member_no,
        session=body.exact("session", 64) or "",
        path=paths.path_of(body.text("path", LONGEST_ADDRESS) or ""),
        entrance=paths.without_contacts(body.text("entrance", 50) or ""),
        keyword=paths.without_contacts(body.text("keyword", 100) or ""),
        product=body.id("product", 100) or "",
        category=body.text("category", 100) or "",
        duration=body.whole("duration", 0, MOST_SECONDS),
    )
    return _told(body, fact)


def read_case(data: object, number: str) -> Told[CaseFact]:
    """A service or after-sales case as its channel says it is now. Raises BodyInvalid."""
    body = Body(data)
    opened_at = body.required("opened_at", body.moment("opened_at"))
    answered_at, closed_at = body.moment("first_response_at"), body.moment("closed_at")
    reached = CaseState.RESOLVED if closed_at else CaseState.WORKING if answered_at else CaseState.OPEN
    fact = CaseFact(
        number=number,
        kind=body.required("kind", body.word("kind", CaseKind)) or CaseKind.CONSULTATION,
        state=body.word("state", CaseState) or reached,
        opened_at=opened_at or NEVER,
        buyer=_buyer(body.part("buyer")),
        order_number=body.id("order_no"),
        product=body.id("product", 100),
        question_type=body.text("question_type", 50),
        feedback_channel=body.text("feedback_channel", 50),
        words=body.text("text", LONGEST_WORDS),
        answer=body.text("answer", LONGEST_WORDS),
        first_response_at=answered_at,
        closed_at=closed_at,
        state_at=body.moment("state_at"),
        satisfaction=body.whole("satisfaction", 0, 10),
        version=body.version("version"),
    )
    return _told(body, fact)
