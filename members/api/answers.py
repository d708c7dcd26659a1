"""How values are written in answers: money as a text in yuan, times in RFC 3339 with the offset of China."""

import re
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlencode

from rest_framework.request import Request

from members.bodies import Body
from members.cleaning import SHANGHAI
from members.errors import BodyInvalid

LONGEST_PAGE = 200
_WHOLE = re.compile(r"-?\d{1,40}", re.ASCII)
PAGE = 50


def money(amount: Decimal) -> str:
    """Yuan with two places: `"99.90"`."""
    return f"{amount:.2f}"


def moment(at: datetime | None) -> str | None:
    """An instant: `"2026-11-11T00:00:00+08:00"`."""
    return at.astimezone(SHANGHAI).isoformat() if at else None


def asked_number(request: Request, name: str, default: int | None, *, least: int, most: int) -> int | None:
    """A whole number of the query, or the default. Raises BodyInvalid."""
    text = request.query_params.get(name)
    if text is None:
        return default
    body = Body({name: int(text) if _WHOLE.fullmatch(text) else text})
    number = body.whole(name, least, most)
    body.settle()
    return number


def asked_limit(request: Request) -> int:
    """How many items a page is to have at most."""
    return asked_number(request, "limit", PAGE, least=1, most=LONGEST_PAGE) or PAGE


def asked_moment(request: Request, name: str) -> datetime | None:
    """An instant of the query, or None. Raises BodyInvalid."""
    text = request.query_params.get(name)
    if text is None:
        return None
    body = Body({name: in_query(text)})
    at = body.required(name, body.moment(name))
    body.settle()
    assert isinstance(at, datetime)
    return at


def in_query(moment: str) -> str:
    """An instant of a query: a plus sign that was not written as %2B has become a space on the way."""
    return moment.replace(" ", "+") if " " in moment[19:] else moment


def refuse(name: str, code: str) -> BodyInvalid:
    """The refusal of one field, to be raised."""
    body = Body({})
    body.note(name, code)
    return BodyInvalid(body.problems)


def address_of_next(request: Request, **query: object) -> str:
    """The address of the next page: this one with another cursor."""
    asked = {name: value for name, value in request.query_params.items() if name not in query}
    return request.build_absolute_uri(f"{request.path}?{urlencode(asked | query)}")
