"""Mapped: any table at all, once somebody has said which column means what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Literal

from django.utils.translation import gettext_lazy as _

from members.cleaning import ZERO, Unclean
from members.facts import (
    AccountFact,
    AmountsFact,
    Fact,
    IdentifierFact,
    IdentifierKind,
    LineFact,
    OrderFact,
    OrderStatus,
)
from members.formats import douyin, jd, pinduoduo, shopify, tmall, youzan
from members.formats.errors import MappingIncomplete
from members.formats.format import Format
from members.formats.orders import (
    amounts,
    combine_added,
    combine_repeated,
    discount_layers,
    paid_time,
    payment,
    refunded,
)
from members.formats.rows import Columns, Row
from members.formats.targets import TARGETS, MappedKind

DateOrder = Literal["ymd", "dmy", "mdy"]


_KEY_FIELDS: Final = ("external_id", "phone", "email", "unionid", "openid")
_LINE_FIELDS: Final = frozenset({"product", "product_name", "category", "quantity", "price"})
_NAMELESS_STATE: Final = OrderStatus.COMPLETED.value

# The words of every platform, and those that tills and web shops use.
STATES: Final[dict[str, OrderStatus]] = {
    **{status.value: status for status in OrderStatus},
    **youzan.STATES,
    **pinduoduo.STATES,
    **douyin.STATES,
    **jd.STATES,
    **tmall.STATES,
    **shopify.FINANCIAL_STATES,
    "已付款": OrderStatus.PAID,
    "已支付": OrderStatus.PAID,
    "processing": OrderStatus.PAID,
    "fulfilled": OrderStatus.SHIPPED,
    "delivered": OrderStatus.RECEIVED,
    "complete": OrderStatus.COMPLETED,
    "canceled": OrderStatus.CANCELLED,
    "refunded": OrderStatus.CANCELLED,
    "已退款": OrderStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which header holds which field, and what to take where no column says it.

    `fields` is {field of TARGETS: header}; `defaults` is {field: text}, read like a cell that is empty.
    `amounts_on` says whether the amounts of an order of several rows stand whole on each row ("order") or
    are to be added up ("row"). `date_order` allows 05/01/2026 beside the ISO forms, `region` is the country
    of phones without its code. An order without a column for its state is a finished one.
    """

    kind: MappedKind
    fields: dict[str, str]
    defaults: dict[str, str] = field(default_factory=dict)
    amounts_on: Literal["order", "row"] = "order"
    date_order: DateOrder = "ymd"
    region: str = "CN"

    def missing(self, headers: Sequence[str]) -> list[str]:
        """What keeps it from reading these headers: needed fields, unknown fields, headers not there."""
        targets = TARGETS[self.kind]
        told = {*self.fields, *self.defaults}
        missing = [name for name, target in targets.items() if target.needed and name not in told]
        if self.kind == "accounts" and told.isdisjoint(_KEY_FIELDS):
            missing.append("phone")
        if self.kind == "orders" and told.isdisjoint({"paid", "goods", "price"}):
            missing.append("paid")
        missing += [name for name in sorted(told) if name not in targets]
        return missing + [header for header in self.fields.values() if header not in headers]


def guess_mapping(headers: Sequence[str], kind: MappedKind | None = None) -> Mapping:
    """A mapping by the names that columns usually have; of orders where a number, a time and money are there.

    A header serves one field only, the first in the order of TARGETS.
    """
    if kind is None:
        orders = guess_mapping(headers, "orders")
        return guess_mapping(headers, "accounts") if orders.missing(headers) else orders
    folded = {_folded(header): header for header in reversed(headers) if header}
    fields: dict[str, str] = {}
    for name, target in TARGETS[kind].items():
        fitting = (folded[alias] for alias in map(_folded, target.aliases.split("|")) if alias in folded)
        found = next((header for header in fitting if header not in fields.values()), None)
        if found is not None:
            fields[name] = found
    return Mapping(kind=kind, fields=fields)


def _folded(header: str) -> str:
    return re.sub(r"[\s_.-]", "", header).lower()


def format_of(mapping: Mapping, headers: Sequence[str]) -> Format:
    """The format that reads a table with these headers by this mapping. Raises MappingIncomplete."""
    missing = mapping.missing(headers)
    if missing:
        raise MappingIncomplete(missing=", ".join(missing))
    columns = tuple(dict.fromkeys(mapping.fields.values()))
    described = replace(MAPPED, kind=mapping.kind, required=columns, known=frozenset(columns))
    reader = _Reader(mapping)
    if mapping.kind == "accounts":
        key = next((mapping.fields[name] for name in _KEY_FIELDS if name in mapping.fields), "")
        return replace(described, key=key, build=reader.account)
    key = mapping.fields.get("number", "")
    if _LINE_FIELDS.isdisjoint(mapping.fields):
        return replace(described, key=key, build=lambda row: reader.order([row]))
    adds_up = mapping.amounts_on == "row" or {"paid", "goods"}.isdisjoint(mapping.fields)
    combine = combine_added if adds_up else combine_repeated
    return replace(described, key=key, build=None, build_group=reader.order, combine=combine)


class _Reader:
    """Reads rows by one mapping; faults name the header, not the field."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.columns = Columns(TARGETS[mapping.kind])
        self.defaults = mapping.defaults
        if "status" not in mapping.fields:
            self.defaults = {"status": _NAMELESS_STATE, **mapping.defaults}

    def account(self, row: Row) -> AccountFact:
        """One row, one buyer."""
        try:
            return self._account(self._by_fields(row))
        except Unclean as fault:
            raise self._with_header(fault) from None

    def order(self, rows: list[Row]) -> OrderFact:
        """The rows of one order; what concerns the order is read from the first."""
        try:
            return self._order([self._by_fields(row) for row in rows])
        except Unclean as fault:
            raise self._with_header(fault) from None

    def _by_fields(self, row: Row) -> Row:
        """The row with the fields for columns, and the defaults where its own cells are empty."""
        fields, defaults = self.mapping.fields, self.defaults
        cells = [
            (row.cell(fields[name]).strip() if name in fields else "") or defaults.get(name, "")
            for name in self.columns.names
        ]
        cells.append("")
        return Row(row.line, cells, self.columns)

    def _with_header(self, fault: Unclean) -> Unclean:
        fault.column = self.mapping.fields.get(fault.column, fault.column)
        return fault

    def _keys(self, row: Row) -> tuple[IdentifierFact, ...]:
        keys = (
            (IdentifierKind.PHONE, row.phone("phone", self.mapping.region)),
            (IdentifierKind.EMAIL, row.email("email")),
            (IdentifierKind.UNIONID, row.code("unionid")),
            (IdentifierKind.OPENID, row.code("openid")),
        )
        return tuple(IdentifierFact(kind=kind, value=value) for kind, value in keys if value)

    def _account(self, row: Row) -> AccountFact:
        external_id, keys = _external_id(row), self._keys(row)
        masked = row.masked_phone("phone")
        if not (external_id or keys):
            columns = [name for name in _KEY_FIELDS if name in self.mapping.fields]
            code, column = ("phone_masked", "phone") if masked else ("buyer_missing", columns[0])
            raise row.unclean(code, column)
        order = self.mapping.date_order
        return AccountFact(
            external_id=external_id,
            identifiers=keys,
            name=row.text("name"),
            nick=row.text("nick"),
            gender=row.gender("gender"),
            birthday=row.birthday("birthday", order),
            phone_masked=masked,
            province=row.region("province"),
            city=row.region("city"),
            occupation=row.text("occupation"),
            tags=tuple(tag for part in row.words("tags", ";") for tag in re.split("[,\uff0c]", part) if tag),
            joined_at=row.time("joined_at", order),
            referred_by=row.text("referred_by"),  # no id: some codes read like 2345E67
        )

    def _order(self, rows: list[Row]) -> OrderFact:
        row, order = rows[0], self.mapping.date_order
        status = _status(row)
        placed_at = row.time("placed_at", order)
        if placed_at is None:
            raise row.unclean("required_missing", "placed_at")
        paid_at = paid_time(status, row.time("paid_at", order), placed_at)
        lines = tuple(line for line in map(_line, rows) if line is not None)
        cost = self._amounts(rows, lines)
        buyer = AccountFact(external_id=_external_id(row), identifiers=self._keys(row), name=row.text("name"))
        return OrderFact(
            number=row.needed_code("number"),
            status=status,
            amounts=cost,
            buyer=buyer if buyer.is_known else None,
            placed_at=placed_at,
            paid_at=paid_at,
            received_at=row.time("received_at", order),
            store=row.code("store"),
            lines=lines,
            discounts=discount_layers((), cost.discount),
            payments=payment(row.text("means"), cost.paid, paid_at),
            refunded_total=refunded(status, paid_at, cost.paid, self._money(rows, "refunded")),
        )

    def _amounts(self, rows: list[Row], lines: tuple[LineFact, ...]) -> AmountsFact:
        """Whatever is told of goods, discount, postage and the whole; the rest follows from it."""
        postage = self._money(rows, "postage") or ZERO
        discount = self._money(rows, "discount") or ZERO
        paid, goods = self._money(rows, "paid"), self._money(rows, "goods")
        priced = [line.amount for line in lines if line.amount is not None]
        if goods is None and priced:
            goods = sum(priced, ZERO)
        if goods is None and paid is None:
            raise rows[0].unclean("required_missing", "paid" if "paid" in self.mapping.fields else "price")
        if paid is None:
            paid = max((goods or ZERO) - discount, ZERO) + postage
        if goods is None:
            goods = max(paid - postage, ZERO) + discount
        return amounts(goods, paid, postage)

    def _money(self, rows: list[Row], column: str) -> Decimal | None:
        told = [amount for amount in (row.money(column) for row in rows) if amount is not None]
        if not told:
            return None
        if self.mapping.amounts_on == "row":
            return sum(told, ZERO)
        for row in rows:  # rows of one order that do not agree on its total: nobody can know which is right
            if row.money(column) not in (None, told[0]):
                raise row.unclean("amount_invalid", column)
        return told[0]


def _external_id(row: Row) -> str | None:
    """The buyer's id; web shops write 0 for a guest."""
    code = row.code("external_id")
    return None if code == "0" else code


def _status(row: Row) -> OrderStatus:
    word = (row.text("status") or "").lower()
    return STATES[word] if word in STATES else row.word("status", STATES)


def _line(row: Row) -> LineFact | None:
    product, name = row.code("product") or "", row.text("product_name") or ""
    price = row.money("price")
    if not (product or name) and price is None:
        return None
    quantity = row.pieces("quantity")
    quantity = 1 if quantity is None else quantity
    return LineFact(
        product=product,
        name=name,
        category=row.text("category") or "",
        quantity=quantity,
        price=price,
        amount=None if price is None else price * quantity,
    )


def _read_by_guess(row: Row) -> Fact:
    """Without a mapping, each row is read by the names of its columns."""
    mapping = guess_mapping(tuple(row.columns))
    missing = mapping.missing(tuple(row.columns))
    if missing:
        raise MappingIncomplete(missing=", ".join(missing))
    reader = _Reader(mapping)
    return reader.account(row) if mapping.kind == "accounts" else reader.order([row])


MAPPED: Final = Format(
    name="mapped",
    platforms=(),
    kind="orders",
    label=_("Any table, columns chosen by hand"),
    key="",
    required=(),
    known=frozenset(),
    build=_read_by_guess,
)
