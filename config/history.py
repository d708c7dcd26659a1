"""Who changed what staff configure: pghistory's context, for the console only.

It adds a statement's worth of context to every write of a request; the API's postings name their causes
themselves and need none.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pghistory.middleware import HistoryMiddleware
from psycopg import ClientCursor

CONSOLE = ("/admin/", "/channels/")  # where what is tracked is changed


class ConsoleHistoryMiddleware(HistoryMiddleware):
    """Notes the member of staff behind a change that is made in the console."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(self._answer_console)
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(CONSOLE):
            return self._answer(request)
        return super().__call__(request)

    def _answer_console(self, request: HttpRequest) -> HttpResponseBase:
        # Inside of pghistory's own wrapper, so that ours sees what that one made of a statement.
        with connection.execute_wrapper(_as_one_text):
            return self._answer(request)


def _as_one_text(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Write the parameters into a statement that pghistory has put its context before.

    Those are two statements, which PostgreSQL takes in one text only when no parameters go beside it.
    """
    if params and not many and sql.startswith("SELECT set_config('pghistory."):
        sql, params = ClientCursor(context["cursor"].connection).mogrify(sql, params), None
    return execute(sql, params, many, context)
