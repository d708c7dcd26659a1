"""Where a request came from: a fact that every door needs and that operations are told."""

from typing import Any, Protocol

from django.conf import settings


class HasMeta(Protocol):
    """Django's request or DRF's."""

    @property
    def META(self) -> dict[str, Any]: ...


def address_of(request: HasMeta) -> str:
    """The network address of the caller; behind our own proxy it is the last one that the proxy saw."""
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        if forwarded:
            return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
