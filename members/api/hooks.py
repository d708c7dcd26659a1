"""The platforms' own webhooks: believed by the platform's own signature, not by a key (A1)."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from members import inbox
from members.api.parsing import TooLarge
from members.api.shapes import described
from members.connectors.connector import Call


class RawParser(BaseParser):
    """Any body of any type: a signature is over the bytes as they came."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Raises TooLarge."""
        limit: int = settings.HOOK_LIMIT
        raw: bytes = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge
        return raw


class Hook(APIView):
    """POST /hooks/{channel}/: what a platform sends for one channel."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (RawParser,)
    renderer_classes = (JSONRenderer,)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[JSONRenderer, str]:
        """Answer whatever is accepted: platforms ask for all sorts."""
        return JSONRenderer(), JSONRenderer.media_type

    @described("hooks_receive", request=OpenApiTypes.OBJECT, answers={200: OpenApiTypes.OBJECT})
    def post(self, request: Request, channel: str) -> HttpResponse:
        """Take in one call of a platform, by its own signature; the answer is the platform's own word.

        Shopify, WooCommerce, Youzan, Douyin and Tmall: docs/connectors.md. It is kept and acknowledged
        here, and worked on after. 401 for whatever is not signed, also where there is no such channel.
        """
        call = Call(
            headers={name.lower(): value for name, value in request.headers.items()},
            raw=_raw(request),
            query={name: str(value) for name, value in request.query_params.items()},
            at=timezone.now(),
        )
        said = inbox.receive(channel, call)
        response = HttpResponse(said.body, status=said.status, content_type=said.content_type)
        response.headers["Cache-Control"] = "no-store"
        return response


def _raw(request: Request) -> bytes:
    data: Any = request.data
    return data if isinstance(data, bytes) else b""
