"""A database with every table and no rows: migrations make it once, and each process of a run copies it.

It is kept in the tests' own server under the digest of what makes it, so an edited migration makes another.
"""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection
from psycopg.errors import InsufficientPrivilege

NAME = "blank_shuke"
ATTEMPTS = 60  # to drop a copy, a second apart
# What migrations are written with; tests/test_blank.py finds what is missing here.
MADE_WITH = (
    "config/database.py",
    "config/management/commands/migrate.py",
    "privacy/appendonly.py",
    "privacy/fields.py",
)


def name() -> str:
    """What the blank database is called now: by every migration of every app, and by what they import."""
    files = [settings.BASE_DIR / path for path in MADE_WITH]
    for app in apps.get_app_configs():
        files += sorted(Path(app.path, "migrations").glob("*.py"))
    content = sha256()
    for file in files:
        content.update(file.name.encode() + b"\0" + sha256(file.read_bytes()).digest())
    return f"{NAME}_{content.hexdigest()[:16]}"


@contextlib.contextmanager
def copied(blank: str, copy: str) -> Iterator[None]:
    """Speak to a copy of the blank database for as long as the block lasts.

    `blank` is its `name()` from before anything imported a migration. What a killed run left goes first.
    """
    _make_sure_of(blank)
    _tell(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)', f'CREATE DATABASE "{copy}" TEMPLATE {blank}')
    try:
        with _speaking_to(copy):
            yield
    finally:
        _drop(copy)


def _drop(copy: str) -> None:
    """With force: threads of a live server, and the queue's worker, notice late that their work is over.

    Nobody but the server may end its own autovacuum, which is done with these tables in a moment.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _tell(f'DROP DATABASE "{copy}" WITH (FORCE)')
            return
        except ProgrammingError as error:
            if attempt == ATTEMPTS or not isinstance(error.__cause__, InsufficientPrivilege):
                raise
            time.sleep(1)


def _make_sure_of(blank: str) -> None:
    with (settings.VAR / "blank.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = _blanks()
        if blank in there:
            return
        _tell(*(f"DROP DATABASE {each} WITH (FORCE)" for each in there), f"CREATE DATABASE {NAME}")
        with _speaking_to(NAME):
            call_command("migrate", interactive=False, verbosity=0)
        if name() != blank:
            raise RuntimeError("A migration was edited while the tests' database was made: start again.")
        _tell(f"ALTER DATABASE {NAME} RENAME TO {blank}")


@contextlib.contextmanager
def _speaking_to(database: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _blanks() -> list[str]:
    """Every one there is, with what an edited migration or a killed run has left."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [NAME])
        return [found for (found,) in cursor.fetchall()]


def _tell(*statements: str) -> None:
    """Tell the server itself: these are about whole databases, and belong to no transaction."""
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
