"""Bodies as facts: whatever JSON can hold is either read or refused with its place, and nothing else."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from members.bodies import PROBLEMS, Body, read_moment
from members.cleaning import Unclean
from members.errors import BodyInvalid
from members.facts import AccountFact, IdentifierKind, OrderFact, digest
from members.reading import read_account, read_order, read_refund

FIELDS = {
    "account": [
        *("external_id", "profile", "identifiers", "name", "nick", "gender", "birthday", "phone_masked"),
        *("province", "city", "buyer_star", "tags", "joined_at", "consents", "version", "referred_by"),
    ],
    "inner": [
        *("phone", "email", "unionid", "value", "verified", "purpose", "granted", "at", "goods", "discount"),
        *("paid", "postage", "price", "amount", "quantity", "product", "name", "points", "cause", "birthday"),
    ],
    "order": [
        *("order_no", "status", "amounts", "buyer", "placed_at", "paid_at", "store", "lines", "discounts"),
        *("payments", "receiver", "points_spent", "refunded_total", "version"),
    ],
}
WORDS = [
    "paid",
    "female",
    "13800138000",
    "138****8000",
    "a@b.cn",
    "9.90",
    "2026-01-01T00:00:00Z",
    "2026-02-30",
    "-",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates too
    | st.sampled_from(WORDS)
)


def objects(fields: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(fields) | st.text(max_size=4), values, max_size=8)


def can_be_stored(fact: AccountFact | OrderFact) -> None:
    """PostgreSQL takes neither NUL nor a lone surrogate."""
    digest(fact)
    written = json.dumps(asdict(fact), default=str, ensure_ascii=False)
    assert "\\u0000" not in written
    written.encode()


INNER = objects(FIELDS["inner"], SCALARS)
VALUES = SCALARS | INNER | st.lists(SCALARS | INNER, max_size=3)


@settings(max_examples=300, deadline=None)
@given(objects(FIELDS["account"], VALUES))
def test_an_account_is_read_or_refused(body: dict[str, Any]) -> None:
    try:
        told = read_account(body)
    except BodyInvalid as refusal:
        assert refusal.problems and all(problem["code"] in PROBLEMS for problem in refusal.problems)
        return
    assert told.fact.is_known
    can_be_stored(told.fact)


@settings(max_examples=300, deadline=None)
@given(objects(FIELDS["order"], VALUES), st.booleans())
def test_an_order_is_read_or_refused(body: dict[str, Any], is_plausible: bool) -> None:
    if is_plausible:
        body = {**body, "status": "paid", "amounts": {"goods": "10.00"}}
    try:
        told = read_order(body, "T1")
    except BodyInvalid as refusal:
        assert refusal.problems
        return
    assert told.fact.amounts.net >= 0
    can_be_stored(told.fact)


@given(SCALARS | INNER | st.lists(SCALARS, max_size=3))
def test_a_refund_is_read_or_refused(body: Any) -> None:
    try:
        told = read_refund(body, order_number="T1", number="R1")
    except BodyInvalid:
        return
    assert told.fact.goods + told.fact.postage > 0


@given(st.decimals(min_value=0, max_value=Decimal("9999999999.99"), places=2))
def test_money_is_read_exactly(amount: Decimal) -> None:
    body = Body({"goods": f"{amount:.2f}"})
    assert body.money("goods") == amount
    assert body.problems == []


@pytest.mark.parametrize(
    "text", ["1,234.50", "¥5", " 5", "5 ", "+5", "-5", "5.", ".5", "5.001", "1e3", "٣", "５", "NaN", ""]
)
def test_money_is_written_in_one_way(text: str) -> None:
    body = Body({"goods": text})
    assert body.money("goods") is None
    assert body.problems[0]["code"] == "amount_invalid"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-11T00:00:00+08:00", datetime(2026, 11, 10, 16, tzinfo=UTC)),
        ("2026-11-10T16:00:00Z", datetime(2026, 11, 10, 16, tzinfo=UTC)),
        ("2026-11-10t16:00:00.500z", datetime(2026, 11, 10, 16, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_times_are_instants(text: str, utc: datetime) -> None:
    assert read_moment(text) == utc


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-11T00:00:00",
        "2026-11-11",
        "2026-02-29T00:00:00Z",
        "2026-11-11T24:00:01Z",
        "1999-12-31T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "2026-11-11T00:00:00+99:99",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Unclean):
        read_moment(text)


def test_paid_alone_tells_the_goods() -> None:
    told = read_order(
        {"status": "paid", "amounts": {"paid": "18.00", "postage": "8.00", "discount": "2.00"}}, "T1"
    )
    assert (told.fact.amounts.goods, told.fact.amounts.net) == (Decimal("12.00"), Decimal("10.00"))


def test_a_line_without_an_amount_is_reckoned() -> None:
    line = {"product": 42, "quantity": 3, "price": "9.90", "discount": "0.70"}
    (read,) = read_order({"status": "paid", "amounts": {"goods": "29.70"}, "lines": [line]}, "T1").fact.lines
    assert (read.product, read.amount) == ("42", Decimal("29.00"))


@pytest.mark.parametrize("kind", list(IdentifierKind))
def test_every_kind_of_key_is_read_in_both_forms(kind: IdentifierKind) -> None:
    value = {"phone": "13800138000", "email": "mei@example.com"}.get(kind, "abc-123")
    plain = read_account({"identifiers": {kind: value}}).fact.identifiers[0]
    vouched = read_account({"identifiers": {kind: {"value": value, "verified": True}}}).fact.identifiers[0]
    assert (plain.kind, plain.verified, vouched.verified) == (kind, None, True)
    assert plain.value == vouched.value


def test_an_empty_buyer_is_nobody() -> None:
    body = {"status": "paid", "amounts": {"goods": "1.00"}}
    for buyer in ({}, None, {"profile": {"name": "Mei"}}, {"identifiers": {"oaid": "x"}}):
        assert read_order({**body, "buyer": buyer}, "T1").fact.buyer is None
