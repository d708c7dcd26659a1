"""The API's edge: what a refusal looks like (docs/api.md).

Every refusal is `application/problem+json` (RFC 9457) with a stable `code`, in the caller's language.
Errors become HTTP here and nowhere else.
"""

import logging
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import exceptions
from rest_framework.response import Response

from config.authentication import SCHEME
from config.logs import request_id
from members.errors import BodyInvalid, KeyInvalid
from privacy.errors import ShukeError

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

TITLES: dict[int, str | Promise] = {
    400: _("The request is wrong"),
    401: _("Not signed in"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Not possible here"),
    409: _("In conflict with what is there"),
    410: _("Gone"),
    413: _("Too large"),
    415: _("Not JSON"),
    422: _("Used for something else"),
    429: _("Too often"),
    500: _("Our mistake"),
    503: _("Not available now"),
}

# What Django, DRF and PostgreSQL raise, in our words: status, code, message.
FOREIGN: dict[type[Exception], tuple[int, str, str | Promise]] = {
    exceptions.NotAuthenticated: (401, KeyInvalid.code, KeyInvalid.message),
    exceptions.AuthenticationFailed: (401, KeyInvalid.code, KeyInvalid.message),
    exceptions.PermissionDenied: (403, "api.forbidden", _("This is not allowed.")),
    PermissionDenied: (403, "api.forbidden", _("This is not allowed.")),
    exceptions.NotFound: (404, "api.not_found", _("There is nothing at this address.")),
    Http404: (404, "api.not_found", _("There is nothing at this address.")),
    exceptions.MethodNotAllowed: (
        405,
        "api.method_not_allowed",
        _("This address does not answer to this method."),
    ),
    exceptions.UnsupportedMediaType: (
        415,
        "api.unsupported_media_type",
        _("Send JSON, with Content-Type: application/json."),
    ),
    exceptions.ParseError: (400, BodyInvalid.code, _("The body is not JSON that can be read.")),
    # A value that passed every check and that the database still cannot hold, such as a sum too large.
    DataError: (400, BodyInvalid.code, _("A value is larger than can be stored.")),
    OperationalError: (503, "api.unavailable", _("The database is busy or away. Try again in a moment.")),
}
TOO_LARGE = (413, "api.too_large", _("The body is too large. Send fewer items at once."))
INTERNAL = (500, "api.internal", _("Something went wrong here. It has been recorded."))
RETRY_SECONDS = 1


class KeyScheme(OpenApiAuthenticationExtension):
    """How the API's description says what a key is."""

    target_class = "config.authentication.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key <prefix>.<secret>`",
        }


def error_response(error: Exception, context: dict[str, Any]) -> Response:
    """Any exception of a view as problem+json; what is our own mistake is logged and says nothing."""
    status, body = describe(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s", body["code"], exc_info=error)
    headers = _headers(error, status, context)
    return Response(body, status=status, headers=headers, content_type=PROBLEM)


def describe(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status of an exception, and its problem in the language that is active."""
    if isinstance(error, ShukeError):
        return error.status, problem(error.status, error.code, str(error), **_more(error))
    if getattr(error, "status_code", None) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TOO_LARGE[0], problem(*TOO_LARGE)
    for kind, (status, code, message) in FOREIGN.items():
        if isinstance(error, kind):
            return status, problem(status, code, message)
    return INTERNAL[0], problem(*INTERNAL)


def problem(status: int, code: str, detail: str | Promise, **more: Any) -> dict[str, Any]:
    """One problem as RFC 9457 writes it; `more` are members of its own."""
    return {
        "type": f"urn:shuke:problem:{code}",
        "title": str(TITLES[status]),
        "status": status,
        "detail": str(detail),
        "code": code,
        "instance": f"urn:request:{request_id.get()}",
        **more,
    }


def _more(error: ShukeError) -> dict[str, Any]:
    problems = getattr(error, "problems", None)
    return {"errors": problems} if problems else {}


def _headers(error: Exception, status: int, context: dict[str, Any]) -> dict[str, str]:
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = SCHEME
    if isinstance(error, ShukeError) and "seconds" in error.details:
        headers["Retry-After"] = str(error.details["seconds"])
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, exceptions.MethodNotAllowed) and context.get("view"):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return headers


@csrf_exempt
def nothing_here(request: HttpRequest, rest: str = "") -> JsonResponse:
    """404 as a problem for every address under /api/ that is none."""
    detail: str | Promise = FOREIGN[exceptions.NotFound][2]
    if not request.path.endswith("/") and _is_address(f"{request.path}/"):
        detail = _("Addresses end with a slash.")
    body = problem(HTTPStatus.NOT_FOUND, "api.not_found", detail)
    return JsonResponse(body, status=HTTPStatus.NOT_FOUND, content_type=PROBLEM)


def _is_address(path: str) -> bool:
    try:
        return resolve(path, settings.ROOT_URLCONF).func is not nothing_here
    except Resolver404:
        return False
