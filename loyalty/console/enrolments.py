"""Enrolment in the console: where people drop off on their way in, and the QR code each store prints (A8)."""

from base64 import b64encode
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from members import drop_off, member_codes, store_links
from members.models import Store
from privacy import roles

VERB = "enrolments.view"
DAYS = 30


@require_GET
def _overview(request: HttpRequest) -> HttpResponse:
    """The funnel of some days, of all channels or one store."""
    today = timezone.localdate()
    end = min(_day(request, "to", today), today)
    begin = min(_day(request, "from", end - timedelta(days=DAYS - 1)), end)
    stores = list(Store.objects.select_related("channel"))
    store = next((each for each in stores if str(each.pk) == request.GET.get("store")), None)
    origins = drop_off.origins()
    origin = request.GET.get("way", "")
    origin = origin if origin in dict(origins) else ""
    found = drop_off.report(begin, end, store_id=store.pk if store else None, origin=origin)
    context = {
        **admin.site.each_context(request),
        "title": _("Joining, step by step"),
        "begin": begin.isoformat(),
        "end": end.isoformat(),
        "today": today.isoformat(),
        "stores": stores,
        "store": store,
        "origins": origins,
        "origin": origin,
        "report": found,
    }
    return render(request, "loyalty/enrolments/overview.html", context)


def _day(request: HttpRequest, name: str, default: date) -> date:
    try:
        return date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return default


@require_GET
def _stores(request: HttpRequest) -> HttpResponse:
    """Every store with its link to join by."""
    stores = Store.objects.select_related("channel").filter(is_active=True, channel__is_active=True)
    context = {
        **admin.site.each_context(request),
        "title": _("QR codes of stores"),
        "stores": [(store, _link(request, store)) for store in stores],
    }
    return render(request, "loyalty/enrolments/stores.html", context)


@require_GET
def _poster(request: HttpRequest, store_id: int) -> HttpResponse:
    """One store's QR code, to be printed and put on the counter."""
    store = Store.objects.select_related("channel").filter(pk=store_id).first()
    if store is None:
        raise Http404
    link = _link(request, store)
    picture = b64encode(member_codes.qr(link).encode()).decode()
    context = {
        **admin.site.each_context(request),
        "title": store.name,
        "store": store,
        "link": link,
        "languages": [code for code, _name in reversed(settings.LANGUAGES)],
        "picture": f"data:image/svg+xml;base64,{picture}",
    }
    return render(request, "loyalty/enrolments/poster.html", context)


def _link(request: HttpRequest, store: Store) -> str:
    return request.build_absolute_uri(reverse("join:begin", args=[store_links.token_of(store)]))


def _inside(view: Any) -> Any:
    """A page of the console for those who may see enrolments."""

    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not roles.can(request.user, VERB):
            raise PermissionDenied
        response: HttpResponse = view(request, **arguments)
        return response

    return admin.site.admin_view(page)


overview, stores, poster = _inside(_overview), _inside(_stores), _inside(_poster)
