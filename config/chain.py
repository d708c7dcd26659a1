"""The middleware that only pages need: the API is called with keys and has no use for it."""

from collections.abc import Awaitable

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

API = "/api/"


class PagesOnly(MiddlewareMixin):
    """Lets requests to the API by."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if request.path.startswith(API):
            return self.get_response(request)
        return super().__call__(request)


class PageSessionMiddleware(PagesOnly, SessionMiddleware):
    """Who came before, by their cookie."""


class PageCsrfMiddleware(PagesOnly, CsrfViewMiddleware):
    """Forms are our own. A browser does not send a key by itself, so the API cannot be forged."""


class PageAuthenticationMiddleware(PagesOnly, AuthenticationMiddleware):
    """Who is signed in."""


class PageMessageMiddleware(PagesOnly, MessageMiddleware):
    """What the next page is to say."""
