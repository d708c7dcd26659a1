"""Facts: two that say the same have one digest, and whatever differs shows in it."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from members import facts
from members.facts import (
    AccountFact,
    AmountsFact,
    CaseFact,
    CaseKind,
    CaseState,
    ConsentFact,
    DiscountFact,
    EventFact,
    Gender,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    PaymentFact,
    PointsSpentFact,
    ReceiverFact,
    RefundFact,
    digest,
)

DAY = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# For each type of value, two that say something, and something different.
SAMPLES: dict[Any, tuple[Any, Any]] = {
    str: ("one", "two"),
    int: (1, 2),
    bool: (True, False),
    Decimal: (Decimal("1.50"), Decimal("1.51")),
    datetime: (DAY, DAY + timedelta(microseconds=1)),
    date: (date(1990, 3, 15), date(1990, 3, 16)),
    IdentifierKind: (IdentifierKind.PHONE, IdentifierKind.EMAIL),
    OrderStatus: (OrderStatus.PAID, OrderStatus.SHIPPED),
    Gender: (Gender.FEMALE, Gender.MALE),
    CaseKind: (CaseKind.RETURN, CaseKind.REVIEW),
    CaseState: (CaseState.OPEN, CaseState.SENT),
}
KINDS = [
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
]


def samples_of(annotation: Any) -> tuple[Any, Any]:
    """Two different values of a field's type: of `X | None` those of X, of `tuple[X, ...]` a tuple of X."""
    arguments = [part for part in getattr(annotation, "__args__", ()) if part not in (type(None), Ellipsis)]
    if annotation in SAMPLES:
        return SAMPLES[annotation]
    if annotation in KINDS:
        return full(annotation), full(annotation, 1)
    one, other = samples_of(arguments[0])
    return ((one,), (other,)) if getattr(annotation, "__origin__", None) is tuple else (one, other)


def full(kind: Any, which: int = 0) -> Any:
    """A fact that tells everything."""
    return kind(**{field.name: samples_of(field.type)[which] for field in fields(kind)})


EVERY_FIELD = [(kind, field) for kind in KINDS for field in fields(kind) if field.name != "version"]


@pytest.mark.parametrize(("kind", "field"), EVERY_FIELD, ids=lambda value: getattr(value, "name", None))
def test_changing_any_field_changes_the_digest(kind: Any, field: Any):
    fact = full(kind)
    changed = replace(fact, **{field.name: samples_of(field.type)[1]})
    assert digest(changed) != digest(fact)
    assert digest(replace(fact)) == digest(fact)


@pytest.mark.parametrize(("kind", "field"), EVERY_FIELD, ids=lambda value: getattr(value, "name", None))
def test_leaving_out_any_field_changes_the_digest(kind: Any, field: Any):
    if field.default is None:
        assert digest(replace(full(kind), **{field.name: None})) != digest(full(kind))


def test_every_kind_of_fact_is_tried():
    declared = {
        kind for kind in vars(facts).values() if isinstance(kind, type) and kind.__name__.endswith("Fact")
    }
    assert declared - {EventFact} == set(KINDS), "events are told once, and known by their ids"


@pytest.mark.parametrize("kind", [AccountFact, OrderFact, RefundFact])
def test_versions_do_not_count(kind: Any):
    assert digest(replace(full(kind), version=7)) == digest(full(kind))


def test_a_version_within_does_not_count_either():
    fact = full(OrderFact)
    assert digest(replace(fact, buyer=replace(fact.buyer, version=9))) == digest(fact)


def test_the_same_money_and_the_same_instant_are_the_same():
    fact = full(RefundFact)
    beijing = DAY.astimezone(timezone(timedelta(hours=8)))
    same = replace(fact, goods=Decimal("1.5"), refunded_at=beijing)
    assert digest(same) == digest(fact)


@pytest.mark.parametrize(
    ("one", "other"), [("0", "0.00"), ("0.00", "-0.00"), ("100", "1E+2"), ("100.00", "100"), ("0.5", "5E-1")]
)
def test_decimals_are_compared_by_value(one: str, other: str):
    refunds = [RefundFact(order_number="T-1", number="R-1", goods=Decimal(goods)) for goods in (one, other)]
    assert digest(refunds[0]) == digest(refunds[1])


def test_what_is_empty_is_not_told():
    assert digest(AccountFact(external_id="a", name="")) == digest(AccountFact(external_id="a"))


def test_values_do_not_slip_from_one_field_into_the_next():
    assert digest(AccountFact(name="ab", nick="c")) != digest(AccountFact(name="a", nick="bc"))
    assert digest(AccountFact(tags=("a", "b"))) != digest(AccountFact(tags=("ab",)))
    assert digest(AccountFact(province="x")) != digest(AccountFact(city="x"))
