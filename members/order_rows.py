"""Orders, lines, history and refunds in the database, set by set. `members.orders` says when.

Each function is one statement, for one order or a thousand. Rows are inserted in the order of their
numbers and locked in the order of their ids, so that two batches cannot wait for each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple
from zlib import crc32

from members import columns
from members.facts import LineFact, RefundFact
from members.hearing import OrderState, refund_lines
from members.models import Channel, OrderLine

# Held shared by whoever adds orders and alone by whoever parks a refund, to the end of the
# transaction: else an order and its refund that come at once would not see each other, for ever.
PARKING_NAMESPACE = 1_397_245_542

_LINE_NAME = OrderLine._meta.get_field("name").max_length or 0
_LINE_CATEGORY = OrderLine._meta.get_field("category").max_length or 0

# The columns that may change, with their types and how they are written.
_CHANGEABLE = (
    ("store_id", "bigint", columns.numbers),
    ("account_id", "bigint", columns.numbers),
    ("member_id", "bigint", columns.numbers),
    ("status", "text", columns.words),
    ("placed_at", "timestamptz", columns.times),
    ("paid_at", "timestamptz", columns.times),
    ("shipped_at", "timestamptz", columns.times),
    ("received_at", "timestamptz", columns.times),
    ("completed_at", "timestamptz", columns.times),
    ("goods", "numeric", columns.numbers),
    ("discount", "numeric", columns.numbers),
    ("postage", "numeric", columns.numbers),
    ("points_value", "numeric", columns.numbers),
    ("stored_value", "numeric", columns.numbers),
    ("refunded_told", "numeric", columns.numbers),
    ("refunded_goods", "numeric", columns.numbers),
    ("refunded_postage", "numeric", columns.numbers),
    ("points_spent", "int", columns.numbers),
    ("points_spent_cause", "text", columns.texts),
    ("discounts", "text", columns.texts),
    ("payments", "text", columns.texts),
    ("receiver", "bytea", columns.blobs),
    ("version", "bigint", columns.numbers),
    ("digest", "bytea", columns.blobs),
    ("revision", "int", columns.numbers),
    ("stale_count", "int", columns.numbers),
)
_FIXED = (("number", "text", columns.texts), ("seal", "uuid", columns.times))
_JSON = ("discounts", "payments")

_ADDED = (*_FIXED, *_CHANGEABLE)
_ADDED_NAMES = ", ".join(name for name, _, _ in _ADDED)
_ADDED_VALUES = ", ".join(
    "coalesce(seal, gen_random_uuid())" if name == "seal" else f"{name}::jsonb" if name in _JSON else name
    for name, _, _ in _ADDED
)
_ADDED_ARRAYS = ", ".join(f"%s::{kind}[]" for _, kind, _ in _ADDED)
_added_of = attrgetter(*(name for name, _, _ in _ADDED))

ADD = f"""
    INSERT INTO members_order (channel_id, heard_at, changed_at, {_ADDED_NAMES})
    SELECT %s, %s, %s, {_ADDED_VALUES}
      FROM unnest({_ADDED_ARRAYS}) AS told({_ADDED_NAMES})
        ON CONFLICT (channel_id, number) DO NOTHING
 RETURNING number, id
"""

_CHANGED = (("id", "bigint", columns.numbers), *_CHANGEABLE)
_CHANGED_NAMES = ", ".join(name for name, _, _ in _CHANGED)
_CHANGED_SETS = ", ".join(
    f"{name} = told.{name}::jsonb" if name in _JSON else f"{name} = told.{name}" for name, _, _ in _CHANGEABLE
)
_CHANGED_ARRAYS = ", ".join(f"%s::{kind}[]" for _, kind, _ in _CHANGED)
_changed_of = attrgetter(*(name for name, _, _ in _CHANGED))

CHANGE = f"""
    UPDATE members_order AS known
       SET {_CHANGED_SETS},
           changed_at = CASE WHEN told.revision > known.revision THEN %s ELSE known.changed_at END
      FROM unnest({_CHANGED_ARRAYS}) AS told({_CHANGED_NAMES})
     WHERE known.id = told.id
"""

_READ_NAMES = ("number", "id", "seal", "heard_at", *(name for name, _, _ in _CHANGEABLE))
_READ = ", ".join(f"known.{name}::text" if name in _JSON else f"known.{name}" for name in _READ_NAMES)

LineRow = tuple[int, int, str, str, str, int, Decimal | None, Decimal, Decimal | None]


class RefundRow(NamedTuple):
    """A refund as it is stored. `order_id` is None while it is parked."""

    order_number: str
    number: str
    id: int
    order_id: int | None
    goods: Decimal
    postage: Decimal
    version: int | None
    digest: bytes


def add(channel: Channel, states: Sequence[OrderState], *, now: datetime) -> dict[str, int]:
    """Add orders; answers ids by number for those that were not there before."""
    rows = columns.ask(ADD, [channel.pk, now, now, *columns.of_rows(_ADDED, map(_added_of, states))])
    return dict(rows)


def change(states: Sequence[OrderState], *, now: datetime) -> None:
    """Write orders that are locked as they stand now."""
    if states:
        columns.tell(CHANGE, [now, *columns.of_rows(_CHANGED, map(_changed_of, states))])


def lock(channel: Channel, numbers: Sequence[str]) -> dict[str, OrderState]:
    """The orders with these numbers as they stand, by number, locked in the order of their ids."""
    rows = columns.ask(
        f"""
        SELECT {_READ}
          FROM members_order AS known
         WHERE known.channel_id = %s AND known.number = ANY(%s::text[])
         ORDER BY known.id
           FOR NO KEY UPDATE
        """,
        [channel.pk, columns.texts(numbers)],
    )
    return {row[0]: OrderState(**dict(zip(_READ_NAMES, row, strict=True))) for row in rows}


def stores(channel: Channel) -> dict[str, int]:
    """The ids of the channel's stores by code."""
    return dict(columns.ask("SELECT code, id FROM members_store WHERE channel_id = %s", [channel.pk]))


# -- lines and history -----------------------------------------------------------------------------


def lines(order_ids: Sequence[int]) -> dict[int, tuple[LineFact, ...]]:
    """The lines of orders as they are stored."""
    if not order_ids:
        return {}
    found: dict[int, list[LineFact]] = {order_id: [] for order_id in order_ids}
    rows = columns.ask(
        """
        SELECT order_id, product, name, category, quantity, price, discount, amount
          FROM members_orderline
         WHERE order_id = ANY(%s::bigint[])
         ORDER BY order_id, position
        """,
        [columns.numbers(order_ids)],
    )
    for order_id, product, name, category, quantity, price, discount, amount in rows:
        found[order_id].append(
            LineFact(
                product=product,
                name=name,
                category=category,
                quantity=quantity,
                price=price,
                discount=discount,
                amount=amount,
            )
        )
    return {order_id: tuple(of_order) for order_id, of_order in found.items()}


def as_stored(told: Sequence[LineFact]) -> tuple[LineFact, ...]:
    """Lines as they read once stored, to compare them with what is stored."""
    return tuple(
        LineFact(
            product=line.product,
            name=line.name[:_LINE_NAME],
            category=line.category[:_LINE_CATEGORY],
            quantity=line.quantity,
            price=line.price,
            discount=line.discount,
            amount=line.amount,
        )
        for line in told
    )


def remove_lines(order_ids: Sequence[int]) -> None:
    if order_ids:
        columns.tell(
            "DELETE FROM members_orderline WHERE order_id = ANY(%s::bigint[])", [columns.numbers(order_ids)]
        )


def add_lines(told: Iterable[tuple[int, Sequence[LineFact]]]) -> None:
    """Add the lines of orders, as (order id, lines)."""
    rows: list[LineRow] = [
        (
            order_id,
            position,
            line.product,
            line.name[:_LINE_NAME],
            line.category[:_LINE_CATEGORY],
            line.quantity,
            line.price,
            line.discount,
            line.amount,
        )
        for order_id, of_order in told
        for position, line in enumerate(of_order, 1)
    ]
    if not rows:
        return
    ids, positions, products, names, categories, quantities, prices, discounts, amounts = zip(
        *rows, strict=True
    )
    columns.tell(
        """
        INSERT INTO members_orderline
               (order_id, position, product, name, category, quantity, price, discount, amount)
        SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::int[],
                             %s::numeric[], %s::numeric[], %s::numeric[])
        """,
        [
            columns.numbers(ids),
            columns.numbers(positions),
            columns.texts(products),
            columns.texts(names),
            columns.texts(categories),
            columns.numbers(quantities),
            columns.numbers(prices),
            columns.numbers(discounts),
            columns.numbers(amounts),
        ],
    )


def add_history(steps: Sequence[tuple[int, str, datetime | None]]) -> None:
    """Append (order id, status, when it happened); a step that was told before is kept as it was."""
    if not steps:
        return
    columns.tell(
        """
        INSERT INTO members_orderstatusentry (order_id, status, happened_at)
        SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[])
            ON CONFLICT (order_id, status) DO NOTHING
        """,
        [
            columns.numbers([order_id for order_id, _, _ in steps]),
            columns.words([status for _, status, _ in steps]),
            columns.times([happened_at for _, _, happened_at in steps]),
        ],
    )


# -- refunds -----------------------------------------------------------------------------------------


def meet_refunds(channel: Channel, numbers: Iterable[str]) -> None:
    """Wait for those who are parking refunds of these orders, and make later ones wait for us."""
    _lock_parking("pg_advisory_xact_lock_shared", channel, numbers)


def wait_for_orders(channel: Channel, numbers: Iterable[str]) -> None:
    """Wait for those who are adding these orders, and make later ones wait for us."""
    _lock_parking("pg_advisory_xact_lock", channel, numbers)


def _lock_parking(function: str, channel: Channel, numbers: Iterable[str]) -> None:
    buckets = sorted({crc32(f"{channel.pk}:{number}".encode()) & 255 for number in numbers})
    columns.ask(
        f"SELECT {function}(%s, bucket) FROM unnest(%s::int[]) AS bucket",
        [PARKING_NAMESPACE, columns.numbers(buckets)],
    )


def attach_parked(channel: Channel, orders: Mapping[str, int]) -> set[int]:
    """Give parked refunds the orders that have come; the ids of the orders that got any."""
    rows = columns.ask(
        """
        UPDATE members_refund AS refund
           SET order_id = told.id
          FROM unnest(%s::text[], %s::bigint[]) AS told(number, id)
         WHERE refund.order_id IS NULL AND refund.channel_id = %s AND refund.order_number = told.number
        RETURNING refund.order_id
        """,
        [columns.texts(orders), columns.numbers(orders.values()), channel.pk],
    )
    return {order_id for (order_id,) in rows}


def refunded(order_ids: Sequence[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """The sums (goods, postage) of the refunds of orders, for those that have any."""
    if not order_ids:
        return {}
    rows = columns.ask(
        """
        SELECT order_id, sum(goods), sum(postage)
          FROM members_refund
         WHERE order_id = ANY(%s::bigint[])
         GROUP BY order_id
        """,
        [columns.numbers(order_ids)],
    )
    return {order_id: (goods, postage) for order_id, goods, postage in rows}


def add_refunds(
    channel: Channel,
    facts: Sequence[RefundFact],
    order_ids: Mapping[str, int],
    digests: Sequence[bytes],
    *,
    asked_here: bool,
) -> dict[tuple[str, str], int]:
    """Add refunds; answers ids by (order number, refund number) for those that were not there before."""
    rows = columns.ask(
        """
        INSERT INTO members_refund
               (channel_id, order_number, number, order_id, goods, postage, lines, refunded_at,
                version, digest, asked_here)
        SELECT %s, order_number, number, order_id, goods, postage, lines::jsonb, refunded_at,
               version, digest, %s
          FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::numeric[], %s::numeric[], %s::text[],
                      %s::timestamptz[], %s::bigint[], %s::bytea[])
               AS told(order_number, number, order_id, goods, postage, lines, refunded_at, version, digest)
            ON CONFLICT (channel_id, order_number, number) DO NOTHING
        RETURNING order_number, number, id
        """,
        [
            channel.pk,
            asked_here,
            columns.texts([fact.order_number for fact in facts]),
            columns.texts([fact.number for fact in facts]),
            columns.numbers([order_ids.get(fact.order_number) for fact in facts]),
            *_refund_columns(facts, digests),
        ],
    )
    return {(order_number, number): refund_id for order_number, number, refund_id in rows}


def lock_refunds(channel: Channel, facts: Sequence[RefundFact]) -> dict[tuple[str, str], RefundRow]:
    """The refunds that were there before, locked in the order of their ids."""
    if not facts:
        return {}
    rows = columns.ask(
        """
        SELECT refund.order_number, refund.number, refund.id, refund.order_id, refund.goods,
               refund.postage, refund.version, refund.digest
          FROM members_refund AS refund
          JOIN unnest(%s::text[], %s::text[]) AS told(order_number, number) USING (order_number, number)
         WHERE refund.channel_id = %s
         ORDER BY refund.id
           FOR NO KEY UPDATE OF refund
        """,
        [
            columns.texts([fact.order_number for fact in facts]),
            columns.texts([fact.number for fact in facts]),
            channel.pk,
        ],
    )
    return {(row[0], row[1]): RefundRow(*row) for row in rows}


def change_refunds(told: Sequence[tuple[int, RefundFact, bytes]]) -> None:
    """Write refunds as they are told now, as (id, fact, digest)."""
    if not told:
        return
    facts = [fact for _, fact, _ in told]
    columns.tell(
        """
        UPDATE members_refund AS refund
           SET goods = told.goods, postage = told.postage,
               lines = CASE WHEN told.lines = '[]' THEN refund.lines ELSE told.lines::jsonb END,
               refunded_at = coalesce(told.refunded_at, refund.refunded_at),
               version = coalesce(told.version, refund.version), digest = told.digest
          FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::text[],
                      %s::timestamptz[], %s::bigint[], %s::bytea[])
               AS told(id, goods, postage, lines, refunded_at, version, digest)
         WHERE refund.id = told.id
        """,
        [
            columns.numbers([refund_id for refund_id, _, _ in told]),
            *_refund_columns(facts, [digest for _, _, digest in told]),
        ],
    )


def _refund_columns(facts: Sequence[RefundFact], digests: Sequence[bytes]) -> list[str]:
    return [
        columns.numbers([fact.goods for fact in facts]),
        columns.numbers([fact.postage for fact in facts]),
        columns.texts([refund_lines(fact) for fact in facts]),
        columns.times([fact.refunded_at for fact in facts]),
        columns.numbers([fact.version for fact in facts]),
        columns.blobs(digests),
    ]
