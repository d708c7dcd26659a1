"""The backend that Django loads for `ENGINE = "config.embedded"`."""

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, OperationalError

from config import database


class DatabaseWrapper(base.DatabaseWrapper):
    """Starts the embedded server when the first connection finds none, and notices its end for nothing."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Connect; start the server and try once more when nothing answers."""
        database.come_in()
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            database.bring_up()
            return super().get_new_connection(conn_params)

    def is_usable(self) -> bool:
        """Whether the server still holds our connection; Django asks before each request.

        No statement is spent on it: the server is on this machine, and one that ends a session says so.
        To a session that waits for nothing it says nothing else.
        """
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
