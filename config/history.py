"""Who changed what staff configure: pghistory's context, for the console only.

It adds a statement's worth of context to every write of a request; the API's postings name their causes
themselves and need none.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from pghistory.middleware import HistoryMiddleware

CONSOLE = "/admin/"


class ConsoleHistoryMiddleware(HistoryMiddleware):
    """Notes the member of staff behind a change that is made in the console."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(CONSOLE):
            return self.get_response(request)
        return super().__call__(request)
