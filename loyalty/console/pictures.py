"""Pictures of rewards, to whoever asks: shops and mini-programs show them without a key (B8)."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from loyalty import pictures

YEAR = 365 * 24 * 60 * 60  # seconds


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponseBase:
    """One picture. Its name holds the hash of its content, so it may be kept for ever."""
    if not pictures.NAME.fullmatch(name):
        raise Http404
    try:
        file = default_storage.open(f"{pictures.FOLDER}/{name}")
    except FileNotFoundError as gone:
        raise Http404 from gone
    response = FileResponse(file, content_type="image/webp")
    response["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    # It is a picture and nothing else, whatever a browser may think; and shops of ours may show it.
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
