"""What a visitor's browser keeps for us: the id of their enrolment, signed, and nothing about them.

Two cookies, each for its own addresses: one while somebody joins, one with which who has joined shows their
card for half a day. No session, and no personal data in either.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

JOIN, JOIN_SECONDS, JOIN_PATH = "shuke_join", 60 * 60, "/join/"
CARD, CARD_SECONDS, CARD_PATH = "shuke_card", 12 * 60 * 60, "/card/"


def joining(request: HttpRequest) -> UUID | None:
    """The enrolment that this browser has begun."""
    return _read(request, JOIN, JOIN_SECONDS)


def joined(request: HttpRequest) -> UUID | None:
    """The enrolment by which this browser's person became a member, or proved to be one."""
    return _read(request, CARD, CARD_SECONDS)


def _read(request: HttpRequest, name: str, seconds: int) -> UUID | None:
    value = request.get_signed_cookie(name, default=None, salt=name, max_age=seconds)
    return UUID(value) if value else None


def keep_joining(response: HttpResponse, enrolment_id: UUID) -> None:
    """Remember that this browser has begun."""
    _keep(response, JOIN, JOIN_SECONDS, JOIN_PATH, enrolment_id)


def keep_joined(response: HttpResponse, enrolment_id: UUID) -> None:
    """Remember who has joined, and that nobody is joining any more."""
    _keep(response, CARD, CARD_SECONDS, CARD_PATH, enrolment_id)
    response.delete_cookie(JOIN, path=JOIN_PATH, samesite="Lax")


def forget(response: HttpResponse) -> None:
    """Forget the card in this browser."""
    response.delete_cookie(CARD, path=CARD_PATH, samesite="Lax")


def _keep(response: HttpResponse, name: str, seconds: int, path: str, enrolment_id: UUID) -> None:
    response.set_signed_cookie(
        name,
        str(enrolment_id),
        salt=name,
        max_age=seconds,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def private(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that no cache on the way keeps."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, no_store=True, private=True)
        return response

    return page
