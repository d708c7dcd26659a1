"""What an installation must have before it serves. Production refuses to start without."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

SECRET_LENGTH = 50
DEFAULT_SECRETS = ("django-insecure-", "change-me")
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


def settings_are_safe(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Production has its own keys, no DEBUG, and two roles of the database."""
    if settings.IS_DEMO:
        return []
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < SECRET_LENGTH or settings.SECRET_KEY.startswith(DEFAULT_SECRETS):
        found.append(Error("SECRET_KEY is short or a default.", id="shuke.E001"))
    if not settings.DATA_KEYS:
        found.append(Error("DATA_KEYS is missing.", hint="manage.py make_keys prints some.", id="shuke.E002"))
    if not settings.INDEX_KEY:
        found.append(Error("INDEX_KEY is missing.", hint="manage.py make_keys prints one.", id="shuke.E003"))
    if settings.INDEX_KEY and settings.INDEX_KEY in {key for _, key in settings.DATA_KEYS}:
        found.append(Error("INDEX_KEY is also a data key.", id="shuke.E004"))
    if settings.DEBUG:
        found.append(Error("DEBUG is on.", id="shuke.E005"))
    if settings.DATABASE_OWNER["USER"] == settings.DATABASE_WEB["USER"]:
        found.append(
            Error(
                "One role of the database both owns the tables and serves.",
                hint="DATABASE_OWNER_URL is the owner, DATABASE_URL a role that owns nothing.",
                id="shuke.E006",
            )
        )
    return found + _senders_are_safe()


def _senders_are_safe() -> list[CheckMessage]:
    """One-time codes leave by a sender that is meant for production, and over TLS."""
    if settings.CODE_SENDER.endswith(".ConsoleSender"):
        return [Error("CODE_SENDER is the demo's.", hint="mail, http or a class of yours.", id="shuke.E007")]
    if settings.CODE_SENDER.endswith(".HttpSender") and not settings.CODE_HTTP_URL.startswith("https://"):
        return [Error("CODE_HTTP_URL is no https address.", id="shuke.E008")]
    return []


def database_is_ready(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The database keeps what it has committed, and its schema is this version's."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        off = [name for name in DURABLE if _setting_of(alias, name) == "off"]
        if off and not settings.IS_DEMO:
            found.append(Error(f"The database has {', '.join(off)} off.", id="shuke.E010"))
        if names := unapplied_migrations(alias):
            message = f"{len(names)} migrations are not applied, {names[0]} first."
            found.append(Error(message, hint="manage.py migrate", id="shuke.E011"))
    return found


def unapplied_migrations(alias: str = "default") -> list[str]:
    """The migrations that the database has not seen yet, in order, as `app.name`."""
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def refuse_unless_ready() -> None:
    """In production, raise ImproperlyConfigured with everything that is wrong before the first request."""
    if settings.IS_DEMO:
        return
    found = run_checks(include_deployment_checks=True, databases=["default"])
    if errors := [message for message in found if message.is_serious()]:
        raise ImproperlyConfigured("\n".join(str(message) for message in errors))


def _setting_of(alias: str, name: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])
