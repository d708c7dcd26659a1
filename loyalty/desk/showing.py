"""What the desk's pages share: whose card it is, and a part of a page for desk.js or the whole page."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.desk.station import Station
from members import seeing
from members.errors import MemberNotFound
from members.models import Member

PART = "X-Desk"  # the header by which desk.js asks for, and recognises, a part of a page


def known(number: str) -> Member:
    """The member with this number, or 404."""
    try:
        return seeing.find(member_no=number)
    except MemberNotFound as unknown:
        raise Http404 from unknown


def part(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A part of the page, for desk.js."""
    response = render(request, f"loyalty/desk/{name}.html", context, status=status)
    response[PART] = "part"
    return response


def show(
    request: HttpRequest,
    station: Station,
    name: str,
    context: dict[str, Any],
    *,
    url: str = "",
    status: int = 200,
) -> HttpResponse:
    """A part for desk.js, or the whole page. `url` is where the same can be read again."""
    context = {"station": station, "here": url or reverse("desk:counter"), **context}
    if request.headers.get(PART):
        response = part(request, name, context, status=status)
        if url:
            response["X-Desk-Url"] = url
        return response
    context["part"] = f"loyalty/desk/{name}.html"
    return render(request, "loyalty/desk/page.html", context, status=status)


def refused(request: HttpRequest, station: Station) -> HttpResponse:
    """Say that this person may not do that here."""
    hint = _("Your role or store does not allow this. Ask a clerk of this store.")
    return show(request, station, "unknown", {"hint": hint}, status=403)
