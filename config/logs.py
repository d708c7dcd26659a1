"""Log lines: one a record, each with its request's id, and none with a person in it."""

import json
import logging
import re
import traceback
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

request_id: ContextVar[str] = ContextVar("request_id", default="-")

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PERSONAL = [
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "(e-mail)"),
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), "(id card)"),
    (re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)"), "(phone)"),
]


def redact(text: str) -> str:
    """Put a word in place of each phone, e-mail and identity card number."""
    for pattern, word in _PERSONAL:
        text = pattern.sub(word, text)
    return text


class RequestFilter(logging.Filter):
    """Puts the id of the request on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class LineFormatter(logging.Formatter):
    """One line a record, for people.

    Of an exception it keeps the class and the places, not the message: a database names the values that
    broke its rule.
    """

    def format(self, record: logging.LogRecord) -> str:
        facts = self.facts(record)
        text = f"{facts['time']} {facts['level']:<7} {facts['logger']} {facts['message']}"
        return text if "failure" not in facts else f"{text} | {facts['failure']}"

    def facts(self, record: logging.LogRecord) -> dict[str, Any]:
        """What is kept of a record."""
        facts = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()).replace("\n", "\\n"),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info and record.exc_info[1]:
            facts["failure"] = describe(record.exc_info[1])
        return facts


class JsonFormatter(LineFormatter):
    """One JSON object a record, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.facts(record), ensure_ascii=False)


def describe(failure: BaseException) -> str:
    """The classes of an exception and its causes with the places they passed, innermost last."""
    parts = []
    seen: BaseException | None = failure
    while seen is not None:
        places = [f"{place.filename}:{place.lineno}" for place in traceback.extract_tb(seen.__traceback__)]
        parts.append(f"{type(seen).__module__}.{type(seen).__qualname__} at {' > '.join(places[-5:])}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return " because of ".join(parts)


class RequestIdMiddleware:
    """Gives each request an id, the caller's own when it is well formed, and answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("HTTP_X_REQUEST_ID", "")
        own = asked if _ACCEPTED_ID.fullmatch(asked) else uuid.uuid4().hex
        token = request_id.set(own)
        request.request_id = own  # type: ignore[attr-defined]  # the trail of looks names it (D7)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = own
        return response
