"""Nobody stays signed in at a screen they have left (D6): after half an hour without use, the session ends.

What a page asks for by itself, such as the progress of an import, is no use of it.
"""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

API = "/api/"
SEEN = "seen"
ACCURACY = 60  # seconds; a session is written at most so often for this


class IdleSignOutMiddleware:
    """Signs out whoever has not used their session for `SESSION_IDLE_SECONDS`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The API knows keys and no sessions: a browser's cookie is not even read there.
        if not request.path.startswith(API) and request.user.is_authenticated:
            self._look(request)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        now = int(time.time())
        unused = now - request.session.get(SEEN, now)
        if unused > settings.SESSION_IDLE_SECONDS:
            logout(request)
            messages.info(request, _("You were signed out because the page had not been used for a while."))
        elif SEEN not in request.session or (unused >= ACCURACY and not _asks_by_itself(request)):
            request.session[SEEN] = now


class BackToTheFormMiddleware:
    """Who sends a form after their session ended comes back to the form by signing in, and is told of it.

    Many forms are sent to addresses that only take them: signing in must not lead there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login = reverse("admin:login")
        if (
            request.method == "POST"
            and response.headers.get("Location", "").startswith(f"{login}?")
            and not request.user.is_authenticated
        ):
            response.headers["Location"] = f"{login}?{urlencode({'next': _page_of(request)})}"
            said = _("You were signed out before this was sent. Nothing was saved: sign in, send it again.")
            messages.warning(request, said)
        return response


def _page_of(request: HttpRequest) -> str:
    """The page of ours from which a request was sent, or the first one."""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, allowed_hosts={request.get_host()}):
        return "/"
    page = urlsplit(told)
    return f"{page.path}?{page.query}" if page.query else page.path or "/"


def _asks_by_itself(request: HttpRequest) -> bool:
    """Whether a page renews a part of itself; desk.js asks only when somebody touches something."""
    return request.method == "GET" and "HX-Request" in request.headers
