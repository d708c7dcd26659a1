"""What a browser may run and load on our pages."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

OWN_PAGES = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# The console's menus are built by Alpine, which makes functions from text, and by inline styles.
CONSOLE = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
STRICT_PATHS = ("/desk/", "/join/", "/card/", "/admin/login/", "/livez", "/readyz", "/api/")


class PlainAddressMiddleware:
    """404 for an address with a NUL in it: no page has one, and PostgreSQL keeps no text with it.

    The API is left out: it answers by itself, as a problem.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        has_nul = "\0" in request.path or "%00" in request.META.get("QUERY_STRING", "")
        if has_nul and not request.path.startswith("/api/"):
            raise Http404
        return self.get_response(request)


class ContentPolicyMiddleware:
    """Sets the Content-Security-Policy: strict where our own markup is alone, the console's elsewhere.

    A view that set its own policy keeps it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = OWN_PAGES if request.path.startswith(STRICT_PATHS) else CONSOLE
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
