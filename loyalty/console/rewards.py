"""Rewards in the console: what is on the shelves, and what is to be handed over or sent (B8)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from loyalty import fulfilment, open_claims, pictures, rewards, stockroom
from loyalty.console.reward_forms import CancelForm, PictureForm, ShipForm, StockForm
from loyalty.models import Claim
from members.models import Store
from privacy import roles
from privacy.errors import ShukeError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]
PAGE = 50


def staff_who(verb: str) -> Callable[[View[P]], View[P]]:
    """A page of the console for who may do this (role matrix); kept by no cache."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not roles.can(request.user, verb):
                raise PermissionDenied
            response = view(request, *args, **kwargs)
            patch_cache_control(response, no_store=True, private=True)
            return response

        inside: Any = admin.site.admin_view(page)
        return inside

    return guard


# -- The catalogue ---------------------------------------------------------------------------------------


@require_GET
@staff_who("rewards.view")
def overview(request: HttpRequest) -> HttpResponse:
    """Every reward of the programme with its picture, price, stock and sales."""
    return _overview(request)


def _overview(request: HttpRequest, *, code: str = "", refused: str = "", status: int = 200) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Rewards"),
        "items": stockroom.items(),
        "moves": stockroom.moves(),
        "may_stock": roles.can(request.user, "rewards.stock"),
        "may_draft": roles.can(request.user, "programme.draft"),
        "refused": refused,
        "refused_code": code,
    }
    return render(request, "loyalty/rewards/overview.html", context, status=status)


@require_POST
@staff_who("rewards.stock")
def put_picture(request: HttpRequest, code: str) -> HttpResponse:
    """Give a reward its picture."""
    form = PictureForm(request.POST, request.FILES)
    try:
        stockroom.require(code)
        if not form.is_valid():
            return _overview(request, code=code, refused=form.complaint, status=422)
        pictures.put(code, form.cleaned_data["picture"], alt=form.alt())
    except ShukeError as refusal:
        return _overview(request, code=code, refused=str(refusal), status=refusal.status)
    messages.success(request, _("The picture was changed."))
    return HttpResponseRedirect(reverse("rewards:overview"))


@require_POST
@staff_who("rewards.stock")
def change_stock(request: HttpRequest, code: str) -> HttpResponse:
    """Put pieces on a shelf, or take them off, with the reason."""
    form = StockForm(request.POST)
    if not form.is_valid():
        return _overview(request, code=code, refused=form.complaint, status=422)
    try:
        rewards.change_stock(
            form.place(code),
            form.cleaned_data["pieces"],
            reason=form.cleaned_data["reason"],
            actor_id=_who(request),
        )
    except ShukeError as refusal:
        return _overview(request, code=code, refused=str(refusal), status=refusal.status)
    messages.success(request, _("The stock was changed."))
    return HttpResponseRedirect(reverse("rewards:overview"))


# -- The fulfilment list ---------------------------------------------------------------------------------


@require_GET
@staff_who("rewards.view")
def to_do(request: HttpRequest) -> HttpResponse:
    """What is to be prepared, handed over, sent or waited for; the oldest first."""
    return _to_do(request, request.GET)


def _to_do(
    request: HttpRequest, asked: Any, *, claim_id: int | None = None, refused: str = "", status: int = 200
) -> HttpResponse:
    way = asked.get("way") if asked.get("way") in Claim.Way.values else ""
    state = asked.get("state") if asked.get("state") in fulfilment.TO_DO else ""
    store = Store.objects.filter(pk=asked["store"]).first() if asked.get("store", "").isdecimal() else None
    kept = {"way": way, "state": state, "store": store.pk if store else ""}
    found = open_claims.everywhere(way=way, state=state, store_id=store.pk if store else None)
    page = Paginator(found, PAGE).get_page(asked.get("page"))
    context = {
        **admin.site.each_context(request),
        "title": _("Rewards to hand out"),
        "page": page,
        "rows": open_claims.rows(page.object_list),
        "counts": open_claims.counts(way=way, store_id=store.pk if store else None),
        "kept": kept,
        "kept_query": urlencode({key: value for key, value in kept.items() if value}),
        "ways": Claim.Way.choices,
        "stores": Store.objects.filter(is_active=True).select_related("channel"),
        "may_fulfil": roles.can(request.user, "rewards.fulfil"),
        "may_find": roles.can(request.user, "members.find"),
        "refused": refused,
        "refused_claim": claim_id,
    }
    return render(request, "loyalty/rewards/to_do.html", context, status=status)


@require_POST
@staff_who("rewards.fulfil")
def prepare(request: HttpRequest) -> HttpResponse:
    """Note that the chosen claims are packed or put aside."""
    chosen = {int(text) for text in request.POST.getlist("claim") if text.isdecimal() and len(text) < 19}
    done = rewards.prepare(chosen, actor_id=_who(request))
    if done:
        words = ngettext("%(count)s reward is prepared.", "%(count)s rewards are prepared.", done)
        messages.success(request, words % {"count": done})
    else:
        messages.warning(request, _("Nothing was prepared: choose claims that are not prepared yet."))
    return _back(request)


@require_POST
@staff_who("rewards.fulfil")
def hand_over(request: HttpRequest, claim_id: int) -> HttpResponse:
    """Note that the member has it."""
    return _step(request, claim_id, lambda: rewards.hand_over(claim_id, actor_id=_who(request)))


@require_POST
@staff_who("rewards.fulfil")
def ship(request: HttpRequest, claim_id: int) -> HttpResponse:
    """Note that the parcel is on its way."""
    form = ShipForm(request.POST)
    form.full_clean()
    number = form.cleaned_data.get("tracking", "")
    return _step(request, claim_id, lambda: rewards.ship(claim_id, tracking=number, actor_id=_who(request)))


@require_POST
@staff_who("rewards.fulfil")
def arrive(request: HttpRequest, claim_id: int) -> HttpResponse:
    """Note that the parcel has arrived."""
    return _step(request, claim_id, lambda: rewards.arrive(claim_id, actor_id=_who(request)))


@require_POST
@staff_who("rewards.fulfil")
def cancel(request: HttpRequest, claim_id: int) -> HttpResponse:
    """Undo a claim, with the reason; its points go back."""
    form = CancelForm(request.POST)
    form.full_clean()
    reason = form.cleaned_data.get("reason", "")
    return _step(request, claim_id, lambda: rewards.cancel(claim_id, reason=reason, actor_id=_who(request)))


def _step(request: HttpRequest, claim_id: int, take: Callable[[], Claim]) -> HttpResponse:
    try:
        claim = take()
    except ShukeError as refusal:
        return _to_do(request, request.POST, claim_id=claim_id, refused=str(refusal), status=refusal.status)
    messages.success(request, open_claims.said(claim))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    kept = {key: request.POST.get(key, "") for key in ("way", "state", "store", "page")}
    query = urlencode({key: value for key, value in kept.items() if value})
    return HttpResponseRedirect(f"{reverse('rewards:to-do')}?{query}".removesuffix("?"))


def _who(request: HttpRequest) -> int:
    assert request.user.pk is not None, "admin_view lets nobody in who is not signed in"
    return int(request.user.pk)
