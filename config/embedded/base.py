"""The backend that Django loads for `ENGINE = "config.embedded"`."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError

from config import database


class DatabaseWrapper(base.DatabaseWrapper):
    """Starts the embedded server when the first connection finds none."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Connect; start the server and try once more when nothing answers."""
        database.come_in()
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            database.bring_up()
            return super().get_new_connection(conn_params)
