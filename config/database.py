"""Which PostgreSQL Shuke speaks to, and as whom.

With `DATABASE_URL` that database is used as it is; otherwise the embedded one of `config.cluster`, which
comes up at the first connection of any process. The web server and the worker connect as the serving role;
what changes the schema or the keys runs `as_owner()`.
"""

import atexit
import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import environ
from django.conf import settings
from django.db import connection, connections

from config import cluster

CONNECT_SECONDS = 5
PREPARE_AFTER = 3  # times that a connection has had a statement
EMBEDDED = "config.embedded"

_entering = threading.Lock()
_entered: dict[int, int] = {}  # process id → the descriptor that counts it among the server's users


def configure(env: environ.Env, var: Path, *, role: str) -> dict[str, Any]:
    """The settings of the database for one role, `owner` or `web`; starts nothing.

    Without a `DATABASE_OWNER_URL` the role of `DATABASE_URL` is both.
    """
    if env.str("DATABASE_URL", default=""):
        has_owner = env.str("DATABASE_OWNER_URL", default="")
        database = dict(env.db_url("DATABASE_OWNER_URL" if role == "owner" and has_owner else "DATABASE_URL"))
    else:
        database = {
            "ENGINE": EMBEDDED,
            "NAME": cluster.DATABASE,
            "USER": cluster.OWNER if role == "owner" else cluster.WEB,
            "HOST": str(cluster.socket_folder(cluster.home_of(var))),
            "PORT": str(cluster.PORT),
        }
    options = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": cluster.APPLICATION,
        # Statements are planned once for each connection: planning was a third of a redemption. A pooler that
        # gives transactions to different sessions cannot have it: DATABASE_URL=…?server_side_binding=False.
        "server_side_binding": True,
        "prepare_threshold": PREPARE_AFTER,
        **database.get("OPTIONS", {}),
    }
    return database | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def address(database: dict[str, Any]) -> str:
    """The address that other programs of PostgreSQL understand, the password included."""
    user = quote(database["USER"], safe="")
    password = f":{quote(database['PASSWORD'], safe='')}" if database.get("PASSWORD") else ""
    host, port = database.get("HOST", ""), database.get("PORT", "")
    query = {name: value for name, value in database.get("OPTIONS", {}).items() if name == "sslmode"}
    if host.startswith("/"):
        query |= {"host": host, "port": port}
        place = ""
    else:
        place = f"{host}:{port}" if port else host
    tail = f"?{urlencode(query)}" if query else ""
    return f"postgresql://{user}{password}@{place}/{quote(database['NAME'], safe='')}{tail}"


@contextlib.contextmanager
def as_owner() -> Iterator[None]:
    """Speak to the database as its owner: for migrations, key rotation and restores, never for a request."""
    if connection.in_atomic_block:
        raise RuntimeError("as_owner() opens another connection and cannot join a transaction.")
    names = ("USER", "PASSWORD", "HOST", "PORT")
    before = {name: connection.settings_dict[name] for name in names}
    connection.close()
    connection.settings_dict.update({name: settings.DATABASE_OWNER.get(name, "") for name in names})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def grant_to_serving_role() -> None:
    """As owner: let the serving role read and write the tables that will be made from now on.

    Migrations take back what it must not do. Does nothing when one role is both.
    """
    owner, web = connection.settings_dict["USER"], settings.SERVING_ROLE
    if not web or web == owner:
        return
    role = connection.ops.quote_name(web)
    default = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [web])
        if not cursor.fetchone():
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        cursor.execute(f"{default} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}")
        cursor.execute(f"{default} USAGE, SELECT ON SEQUENCES TO {role}")


def embedded() -> cluster.Cluster | None:
    """The embedded server, or None when `DATABASE_URL` names another."""
    if settings.DATABASES["default"]["ENGINE"] != EMBEDDED:
        return None
    return cluster.locate(settings.VAR, durable=settings.DATABASE_DURABLE)


def come_in() -> None:
    """Count this process among the users of the embedded server; the last one to end stops it."""
    with _entering:
        if os.getpid() in _entered or (server := embedded()) is None:
            return
        _entered[os.getpid()] = cluster.enter(server)
        atexit.register(leave)


def bring_up() -> None:
    """Start the embedded server when it does not run."""
    come_in()
    if server := embedded():
        cluster.start(server)


def leave(*, guests_stay: bool = True) -> bool:
    """Take this process off the count; the last one stops the server. True when it was stopped.

    A guest (somebody's psql) keeps the server up, unless told otherwise.
    """
    descriptor = _entered.pop(os.getpid(), None)
    if descriptor is None or (server := embedded()) is None:
        return False
    connections.close_all()
    os.close(descriptor)
    if guests_stay and cluster.has_guests(server):
        return False
    return cluster.stop_when_last(server)
