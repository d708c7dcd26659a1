"""Planting damage past every guard, as whoever owns the tables could, and asking the auditor about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection

from loyalty import audit


@contextmanager
def unguarded() -> Iterator[Any]:
    """A cursor for which what is forever can be changed. Constraints on values still hold."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgrelid::regclass::text ~ '^(loyalty|members|privacy)_'"
        )
        guarded = [table for (table,) in cursor.fetchall()]
        assert len(guarded) > 10
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for table in guarded:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def damage(*statements: str) -> None:
    """Change rows by hand; a statement that changes none would prove nothing. Constraints may be dropped."""
    with unguarded() as cursor:
        for statement in statements:
            cursor.execute(statement)
            assert statement.startswith(("ALTER", "DROP")) or cursor.rowcount > 0, statement


def broken() -> set[str]:
    """The names of the laws that are broken."""
    return {violation.name for violation in audit.check()}


class Planting(NamedTuple):
    """Damage to one law; `others` are laws that the same damage cannot help but break."""

    law: str
    statements: tuple[str, ...]
    others: tuple[str, ...] = ()
