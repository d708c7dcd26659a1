"""Rows on their way into one statement: each column is one array parameter.

    INSERT INTO … SELECT … FROM unnest(%s::text[], %s::numeric[]) AS told(number, goods)

The array is written here as PostgreSQL's own text form. Measured with 1,000 rows of eight columns,
the driver's adaptation of Python lists takes three times as long, and COPY into a temporary table
is no quicker, but needs a table for each session.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from threading import local
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Cursor
from psycopg.types.datetime import TimestamptzLoader

FEW = 500  # rows of an answer that a kept cursor may hold on to

Row = tuple[Any, ...]
Writer = Callable[[Iterable[Any]], str]
Parameters = Sequence[Any] | Mapping[str, Any]


# One text of JSON, as a column of `texts` carries it; Chinese is written as it is.
document = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def numbers(values: Iterable[int | Decimal | None]) -> str:
    """A column of integers or decimals."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """A column of text of any kind, JSON included."""
    told = list(values)
    together = "".join(filter(None, told))
    if "\\" in together or '"' in together:  # few columns have any; one look tells
        told = [value and value.replace("\\", "\\\\").replace('"', '\\"') for value in told]
    return "{" + ",".join(["NULL" if value is None else f'"{value}"' for value in told]) + "}"


def words(values: Iterable[str | None]) -> str:
    """A column of our own fixed words, which need no escaping: a status, a kind."""
    return "{" + ",".join(["NULL" if value is None else value for value in values]) + "}"


def times(values: Iterable[datetime | date | UUID | None]) -> str:
    """A column of instants, days or UUIDs: whatever `str` writes as PostgreSQL reads it."""
    return "{" + ",".join(["NULL" if value is None else f'"{value!s}"' for value in values]) + "}"


def blobs(values: Iterable[bytes | None]) -> str:
    """A column of bytes."""
    return "{" + ",".join(["NULL" if value is None else f'"\\\\x{value.hex()}"' for value in values]) + "}"


def seals(values: Iterable[bytes]) -> str:
    """A column of UUIDs, as the 16 bytes that `privacy.crypto.new_seals` draws."""
    return "{" + ",".join(map(bytes.hex, values)) + "}"


def flags(values: Iterable[bool | None]) -> str:
    """A column of booleans."""
    return "{" + ",".join(["NULL" if value is None else "t" if value else "f" for value in values]) + "}"


def of_rows(named: Sequence[tuple[str, str, Writer]], rows: Iterable[Row]) -> list[str]:
    """The columns of rows, in the order in which `named` lists their names, types and writers."""
    by_column = list(zip(*rows, strict=True)) or [()] * len(named)
    return [_column(write, column) for (_, _, write), column in zip(named, by_column, strict=True)]


def _column(write: Writer, column: Row) -> str:
    # Most columns of a batch say one thing throughout (no postage, paid, never stale): write it once. To
    # compare times throughout takes as long as to write them, so the last is asked first.
    if len(column) > 1 and column[0] == column[-1] and column.count(column[0]) == len(column):
        one = write(column[:1])[1:-1]
        return "{" + ",".join([one] * len(column)) + "}"
    return write(column)


class _Kept(local):
    """The cursor that a thread keeps for its connection: to make one takes as long as a small statement."""

    cursor: Cursor[Any] | None = None


_kept = _Kept()


def ask(statement: str, parameters: Parameters = ()) -> list[Row]:
    """Run one statement and take all of its rows."""
    database = connections[DEFAULT_DB_ALIAS]
    if _is_watched(database):
        with database.cursor() as cursor:
            cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
            cursor.execute(statement, parameters)
            return cursor.fetchall()
    kept = _cursor(database)
    with database.wrap_database_errors:
        rows = kept.execute(statement, parameters).fetchall()
    if len(rows) > FEW:
        _kept.cursor = None  # it holds on to the answer until it is asked again
    return rows


def tell(statement: str, parameters: Parameters = ()) -> int:
    """Run one statement that answers nothing; the number of rows it touched."""
    database = connections[DEFAULT_DB_ALIAS]
    if _is_watched(database):
        with database.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.rowcount
    kept = _cursor(database)
    with database.wrap_database_errors:
        return kept.execute(statement, parameters).rowcount


def _is_watched(database: BaseDatabaseWrapper) -> bool:
    """Whether somebody wants to see each statement: the console's history, a count of statements."""
    return bool(database.execute_wrappers) or database.queries_logged


def _cursor(database: BaseDatabaseWrapper) -> Cursor[Any]:
    """The driver's own cursor, kept, after everything that Django does before it gives one."""
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()
    cursor = _kept.cursor
    if cursor is None or cursor.connection is not database.connection:
        cursor = _kept.cursor = database.connection.cursor()
        # The driver's own reader of instants, in C; Django's in Python takes ten times as long.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
    return cursor


def in_transaction() -> bool:
    """Whether what is written now can still be undone together with what follows."""
    return connections[DEFAULT_DB_ALIAS].in_atomic_block
