"""Django's migrate, run by the owner of the tables."""

from typing import Any

from django.core.management.commands import migrate

from config import database


class Command(migrate.Command):
    """Also lets the serving role use the tables that are made; migrations take back what it must not do."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        with database.as_owner():
            database.grant_to_serving_role()
            return super().handle(*args, **options)
