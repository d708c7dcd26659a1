"""What the public pages share: the brand's name, and where the same can be read again in another language."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def show(
    request: HttpRequest,
    name: str,
    context: dict[str, Any] | None = None,
    *,
    here: str = "",
    status: int = 200,
) -> HttpResponse:
    """A page without the console's shell. here: the address that reads it again; "" where there is none."""
    shown = {"brand": settings.BRAND_NAME, "here": here, **(context or {})}
    return render(request, f"loyalty/pages/{name}.html", shown, status=status)
