"""What the desk's pages share: whose card it is, the reasons behind it, and a part of a page or the whole."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty import clock, coupon_holdings, coupon_stories, coupon_words, statement, tier_paths
from loyalty.card import Card
from loyalty.clauses import Book
from loyalty.desk.station import Station
from loyalty.names import in_words
from members import seeing
from members.errors import MemberNotFound
from members.models import Member
from privacy import roles

WHY = "why"  # the word of an address by which a card is asked for its reasons
LATEST = 5  # entries and coupons that are explained
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
    if WHY in request.GET and "card" in context and roles.can(request.user, "points.view"):
        context["reasons"] = reasons(context["card"])
    if request.headers.get(PART):
        response = part(request, name, context, status=status)
        if url:
            response["X-Desk-Url"] = url
        return response
    context["part"] = f"loyalty/desk/{name}.html"
    return render(request, "loyalty/desk/page.html", context, status=status)


def reasons(card: Card) -> dict[str, Any]:
    """Why a card says what it says: the latest entries, the last step of the tier, and the coupons (B14)."""
    book = Book()
    held = coupon_holdings.usable(card.member_id, clock.read().now)[:LATEST]
    stories = coupon_stories.of([each.coupon_id for each in held if each.coupon_id is not None], book)
    return {
        "entries": statement.entries(card.member_id, limit=LATEST, book=book),
        "step": next(iter(tier_paths.steps(card.member_id, limit=1)), None),
        "coupons": [
            {
                "name": in_words(dict(each.terms.name)) or each.terms.code,
                "worth": coupon_words.worth(each.terms),
                "story": stories[each.coupon_id or 0],
            }
            for each in held
        ],
    }


def refused(request: HttpRequest, station: Station) -> HttpResponse:
    """Say that this person may not do that here."""
    hint = _("Your role or store does not allow this. Ask a clerk of this store.")
    return show(request, station, "unknown", {"hint": hint}, status=403)
