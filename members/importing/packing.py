"""Packing: a fact as a line of JSON and back, for the time it waits between reading and applying.

What was not told is left out, so that a fact packed by an earlier release can be unpacked by one that
has added a field. Nothing is ever executed on unpacking.
"""

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

from members.facts import (
    AccountFact,
    Fact,
    Gender,
    IdentifierKind,
    OrderFact,
    OrderLinesFact,
    OrderStatus,
    RefundFact,
)

_KINDS: dict[str, type[Fact]] = {
    "orders": OrderFact,
    "accounts": AccountFact,
    "refunds": RefundFact,
    "order-lines": OrderLinesFact,
}
Convert = Callable[[Any], Any]
Shape = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[Any, ...]]
_SHAPES: dict[type, Shape] = {}
_BUILDERS: dict[type, Convert] = {}
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_read = json.JSONDecoder().raw_decode  # json.loads() spends as much again on looking for spaces around


def pack(fact: Fact) -> str:
    """The fact as compact JSON."""
    return _write(_flat(fact))


def unpack(kind: str, text: str) -> Fact:
    """The fact of this kind (`orders`, `accounts`, `refunds`, `order-lines`) that was packed."""
    flat, _end = _read(text)
    fact: Fact = _builder(_KINDS[kind])(flat)
    return fact


def _flat(fact: Any) -> dict[str, Any]:
    kind = type(fact)
    names, values_of, defaults = _SHAPES.get(kind) or _SHAPES.setdefault(kind, _shape(kind))
    flat = {}
    for name, value, default in zip(names, values_of(fact), defaults, strict=True):
        if value is None or value is default:
            continue
        its = type(value)
        if default is None or value != default:
            flat[name] = value if its is str or its is int else _PLAIN.get(its, _flat)(value)
    return flat


def _shape(kind: type) -> Shape:
    """Names, a getter of all values at once, and defaults of a fact class."""
    known = fields(kind)
    names = tuple(field.name for field in known)
    defaults = tuple(MISSING if field.default is MISSING else field.default for field in known)
    if len(names) == 1:  # attrgetter answers one value bare
        only = names[0]
        return names, lambda fact: (getattr(fact, only),), defaults
    return names, attrgetter(*names), defaults


_PLAIN: dict[type, Convert] = {
    str: lambda value: value,
    int: lambda value: value,
    bool: lambda value: value,
    Decimal: str,
    datetime: datetime.isoformat,
    date: date.isoformat,
    tuple: lambda items: [_PLAIN.get(type(item), _flat)(item) for item in items],
    **dict.fromkeys((IdentifierKind, OrderStatus, Gender), str),
}


def _builder(kind: type) -> Convert:
    """What makes an instance of a fact class out of its JSON."""
    return _BUILDERS.get(kind) or _BUILDERS.setdefault(kind, _new_builder(kind))


def _new_builder(kind: type) -> Convert:
    converters = {name: _converter(hint) for name, hint in get_type_hints(kind).items()}
    converters = {field.name: converters[field.name] for field in fields(kind)}

    def build(flat: dict[str, Any]) -> Any:
        told = {}
        for name, value in flat.items():
            convert = converters[name]
            told[name] = value if convert is None else convert(value)
        return kind(**told)

    return build


def _converter(hint: Any) -> Convert | None:
    """How a JSON value becomes what this type hint says; None where it is that already."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not types.NoneType)
    if get_origin(hint) is tuple:
        item = _converter(get_args(hint)[0])
        return tuple if item is None else lambda values: tuple(map(item, values))
    if is_dataclass(hint):
        return _builder(hint)  # type: ignore[arg-type]
    if issubclass(hint, Enum):
        return {one.value: one for one in hint}.__getitem__  # calling an Enum takes five times as long
    from_text: dict[type, Convert] = {
        Decimal: Decimal,
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
    }
    return from_text.get(hint)
