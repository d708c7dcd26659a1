"""Refunds at the desk: which purchase, what of it, what that does, and only then is it done (E1)."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loyalty import card, counter, refund_outlook
from loyalty.desk.forms import RefundForm
from loyalty.desk.showing import PART, known, part, refused, show
from loyalty.desk.station import Station, staffed
from loyalty.errors import OrderNotFound
from loyalty.orders import RefundReceipt
from loyalty.refund_outlook import Purchase
from members import refunds as noted
from members.models import Member, Store
from privacy.errors import ShukeError

UNPROCESSABLE = 422


@require_GET
@staffed
def purchases(request: HttpRequest, station: Station, number: str) -> HttpResponse:
    """The store's sales to a member, and what is left of each to refund."""
    someone = known(number)
    if station.store is None or not station.may_refund:
        return refused(request, station)
    return _purchases(request, station, station.store, someone)


@require_http_methods(["GET", "POST"])
@staffed
def refund(request: HttpRequest, station: Station, number: str, order_id: int) -> HttpResponse:
    """Ask what of a purchase is refunded, show what that does, and do it once that has been seen."""
    someone = known(number)
    if station.store is None or not station.may_refund:
        return refused(request, station)
    purchase = _purchase(station.store, someone, order_id)
    if request.method == "GET":
        return _asked(request, station, someone, RefundForm(purchase))
    form = RefundForm(purchase, request.POST)
    form.full_clean()
    if (done := _done_before(station.store, purchase, form)) is not None:
        return _purchases(request, station, station.store, someone, done=done)
    seen = refund_outlook.read(form.data.get("seen", ""))
    if form.errors or seen is None or seen.goods != form.amount():
        return _asked(request, station, someone, form, status=UNPROCESSABLE if form.errors else 200)
    try:
        done = counter.refund(
            station.store,
            purchase.number,
            goods=seen.goods,
            nonce=form.cleaned_data["nonce"],
            actor_id=request.user.pk,
            reason=form.cleaned_data["reason"],
            lines=form.lines(),
            seen=seen,
        )
    except ShukeError as refusal:
        form.add_error(None, str(refusal))
        return _asked(request, station, someone, form, status=refusal.status)
    return _purchases(request, station, station.store, someone, done=done)


@require_POST
@staffed
def look(request: HttpRequest, station: Station, number: str, order_id: int) -> HttpResponse:
    """What a refund as chosen so far would do; nothing is done."""
    someone = known(number)
    if station.store is None or not station.may_refund:
        return refused(request, station)
    form = RefundForm(_purchase(station.store, someone, order_id), request.POST)
    form.full_clean()
    if not request.headers.get(PART):
        return _asked(request, station, someone, form)
    context = {"station": station, "form": form, **_outlook(request, station.store, someone, form)}
    return part(request, "refund_look", context)


def _purchase(store: Store, someone: Member, order_id: int) -> Purchase:
    try:
        return refund_outlook.find(store, someone.pk, order_id)
    except OrderNotFound as unknown:
        raise Http404 from unknown


def _done_before(store: Store, purchase: Purchase, form: RefundForm) -> RefundReceipt | None:
    """What this very form did when it was sent the first time."""
    nonce = form.cleaned_data.get("nonce")
    return counter.find_refund(store, purchase.number, nonce) if nonce is not None else None


def _outlook(request: HttpRequest, store: Store, someone: Member, form: RefundForm) -> dict[str, Any]:
    """What the form would do, or what is wrong with it; neither while nothing has been chosen."""
    if form.errors:
        is_begun = "what" not in form.errors
        return {"complaint": next(iter(form.errors.values()))[0] if is_begun else ""}
    try:
        outlook = refund_outlook.of(
            store, someone.pk, form.purchase, goods=form.amount(), actor_id=request.user.pk
        )
    except ShukeError as refusal:
        return {"complaint": str(refusal)}
    return {"outlook": outlook}


def _asked(
    request: HttpRequest, station: Station, someone: Member, form: RefundForm, *, status: int = 200
) -> HttpResponse:
    """The page that asks what is refunded; of a form that was sent, with what it would do."""
    assert station.store is not None
    refusal = form.non_field_errors()
    context = {"card": card.of_member(someone), "form": form, "purchase": form.purchase, "refusal": refusal}
    if form.is_bound:
        # The refusal has been read; what the form would do now is asked anew.
        form.errors.pop("__all__", None)
        context |= _outlook(request, station.store, someone, form)
        if "what" in form.errors and status != 200:
            context["complaint"] = form.errors["what"][0]
    url = reverse("desk:refund", args=[someone.number, form.purchase.order_id])
    return show(request, station, "refund", context, url=url, status=status)


def _purchases(
    request: HttpRequest,
    station: Station,
    store: Store,
    someone: Member,
    *,
    done: RefundReceipt | None = None,
) -> HttpResponse:
    orders = counter.sales(store, someone.pk, limit=10)
    context = {"card": card.of_member(someone), "orders": orders, "done": done}
    if done is not None and done.approval_id is None:
        context["money_back"] = _money_back(store, done)
    url = reverse("desk:refunds", args=[someone.number])
    return show(request, station, "refunds", context, url=url)


def _money_back(store: Store, done: RefundReceipt) -> Any:
    made = noted.find(store.channel, done.order_number, done.number)
    return refund_outlook.money_back(made) if made is not None else None
