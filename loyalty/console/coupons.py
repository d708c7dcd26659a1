"""Coupons in the console: batches of codes made, taken in and handed out; and one coupon's history (B6)."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from loyalty import (
    clock,
    coupon_batches,
    coupon_codes,
    coupon_lines,
    coupon_states,
    coupon_stories,
    coupon_withdrawals,
    coupon_words,
    coupons,
)
from loyalty.card import in_words
from loyalty.clauses import Book
from loyalty.console import versions
from loyalty.errors import CouponBatchNotFound
from loyalty.models import CouponBatch
from members.importing import report
from members.importing.errors import FileTooLarge
from privacy import roles
from privacy.access import Occasion
from privacy.errors import ShukeError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
SHOWN = 30
REASON_LENGTH = 5


def staff_who(verb: str) -> Callable[[View[P]], View[P]]:
    """A page of the console for who may do this (role matrix); kept by no cache."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not roles.can(request.user, verb):
                raise PermissionDenied
            try:
                response = view(request, *args, **kwargs)
            except CouponBatchNotFound as unknown:
                raise Http404 from unknown
            patch_cache_control(response, no_store=True, private=True)
            return response

        inside: Any = admin.site.admin_view(page)
        return inside

    return guard


# -- Batches ---------------------------------------------------------------------------------------------


class BatchForm(forms.Form):
    """Which campaign the codes are of, and how many, or in which file."""

    campaign = forms.ChoiceField(label=gettext_lazy("Campaign"))
    count = forms.IntegerField(
        label=gettext_lazy("How many"),
        min_value=1,
        max_value=coupon_batches.MOST,
        required=False,
        error_messages={"invalid": gettext_lazy("Type a whole number, such as 5000.")},
    )
    file = forms.FileField(label=gettext_lazy("File"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["campaign"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (terms.code, f"{in_words(dict(terms.name)) or terms.code} · {coupon_words.worth(terms)}")
            for terms in coupon_batches.campaigns()
        ]
        for name in ("campaign", "count", "note"):
            self.fields[name].widget.attrs["class"] = "sk-input"
        self.fields["count"].widget.attrs["inputmode"] = "numeric"

    @property
    def complaint(self) -> str:
        """The first thing that is wrong, with the field it is about."""
        for name, faults in self.errors.items():
            return f"{self.fields[name].label}: {faults[0]}"
        return ""


@require_GET
@staff_who("coupons.view")
def batches(request: HttpRequest) -> HttpResponse:
    """The last batches, and the forms to make codes or to take them in."""
    return _batches(request, BatchForm())


def _batches(request: HttpRequest, form: BatchForm, *, refused: str = "", status: int = 200) -> HttpResponse:
    last = CouponBatch.objects.select_related("made_by").order_by("-id")[:SHOWN]
    context = {
        "title": _("Coupon codes"),
        "form": form,
        "has_campaigns": bool(coupon_batches.campaigns()),
        "batches": [_card(batch) for batch in last],
        "may_make": roles.can(request.user, "coupons.make"),
        "may_draft": roles.can(request.user, "programme.draft"),
        "refused": refused,
    }
    return _page(request, "batches", context, status=status)


@require_POST
@staff_who("coupons.make")
def make(request: HttpRequest) -> HttpResponse:
    """Order codes; a worker makes them."""
    form = BatchForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["count"]:
        refused = form.complaint or _("Say how many codes are wanted.")
        return _batches(request, form, refused=refused, status=422)
    told = form.cleaned_data
    try:
        batch = coupon_batches.make(
            told["campaign"], told["count"], note=told["note"], actor_id=_person(request).pk
        )
    except ShukeError as refusal:
        return _batches(request, form, refused=str(refusal), status=refusal.status)
    return HttpResponseRedirect(reverse("coupons:batch", args=[batch.pk]))


@require_POST
@staff_who("coupons.make")
def take_in(request: HttpRequest) -> HttpResponse:
    """Take in a file of codes; a worker reads it."""
    form = BatchForm(request.POST, request.FILES)
    valid = form.is_valid()
    if request.META.get("shuke.too_large"):
        refused = str(FileTooLarge(limit=settings.UPLOAD_LIMIT // (1 << 20)))
        return _batches(request, form, refused=refused, status=413)
    if not valid or not form.cleaned_data["file"]:
        return _batches(request, form, refused=form.complaint or _("Choose a file."), status=422)
    told = form.cleaned_data
    file = cast(TemporaryUploadedFile, told["file"])
    try:
        batch = coupon_batches.take_in(
            told["campaign"],
            Path(file.name or "").name,
            file.chunks(),
            note=told["note"],
            actor_id=_person(request).pk,
        )
    except ShukeError as refusal:
        return _batches(request, form, refused=str(refusal), status=refusal.status)
    return HttpResponseRedirect(reverse("coupons:batch", args=[batch.pk]))


@require_GET
@staff_who("coupons.view")
def batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """One batch: how far it is, what became of its rows, and its codes once they are there."""
    found = coupon_batches.get(batch_id)
    return _page(request, "batch", {"title": _title(found), **_detail(request, found)})


@require_GET
@staff_who("coupons.view")
def progress(request: HttpRequest, batch_id: int) -> HttpResponse:
    """What the page asks for again and again while a worker has the batch."""
    found = coupon_batches.get(batch_id)
    return render(request, "loyalty/coupons/_batch.html", _detail(request, found))


@require_POST
@staff_who("coupons.make")
def codes(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The codes of a batch as CSV; that they were taken is on record."""
    found = coupon_batches.get(batch_id)
    lines = coupon_batches.codes(found, request.user, occasion=_occasion(request))
    return _csv(StreamingHttpResponse(lines), f"codes-{found.pk}.csv")


@require_GET
@staff_who("coupons.view")
def rejected(request: HttpRequest, batch_id: int) -> HttpResponse:
    """The rejected rows as CSV, in the reader's language."""
    found = coupon_batches.get(batch_id)
    response = _csv(HttpResponse(), f"rejected-{found.pk}.csv")
    response.write("\ufeff")  # or spreadsheets take the text for another encoding
    coupon_batches.write_rejected(found, response)
    return response


@require_POST
@staff_who("coupons.make")
def withdraw_batch(request: HttpRequest, batch_id: int) -> HttpResponse:
    """Withdraw the unused codes of a batch, with the reason; a worker does it."""
    reason = request.POST.get("reason", "").strip()[:300]
    try:
        coupon_withdrawals.ask(batch_id, reason, actor_id=_person(request).pk)
    except CouponBatchNotFound:
        raise
    except ShukeError as refusal:
        found = coupon_batches.get(batch_id)
        told = {"title": _title(found), **_detail(request, found), "refused": refusal, "reason": reason}
        return _page(request, "batch", told, status=refusal.status)
    return HttpResponseRedirect(reverse("coupons:batch", args=[batch_id]))


def _csv(response: Any, name: str) -> Any:
    response["Content-Type"] = "text/csv; charset=utf-8"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _title(batch: CouponBatch) -> str:
    return _("Batch %(number)s") % {"number": batch.pk}


def _card(batch: CouponBatch) -> dict[str, Any]:
    """What is said of a batch: its campaign in words, how far it is, and what went wrong."""
    whole = batch.wanted
    if batch.source == CouponBatch.Source.IMPORTED and whole:
        whole = max(whole, batch.read)  # lines were counted, of which some hold no code
    tones = {"done": "sk-good", "failed": "sk-bad", "running": "sk-accent", "waiting": "sk-accent"}
    return {
        "batch": batch,
        "whole": whole,
        "tone": tones[batch.state],
        "problem": report.reason(batch.problem) if batch.problem else "",
    }


def _detail(request: HttpRequest, batch: CouponBatch) -> dict[str, Any]:
    shown = [(one, coupon_batches.reason(one.code)) for one in batch.rejects.order_by("line")[:SHOWN]]
    terms = {terms.code: terms for terms in coupon_batches.campaigns()}.get(batch.campaign)
    withdrawals = coupon_withdrawals.of(batch.pk)
    at_work = batch.is_at_work or any(each.is_at_work for each in withdrawals)
    return {
        "card": _card(batch),
        "withdrawals": withdrawals,
        "at_work": at_work,
        "unused": None if at_work else coupon_withdrawals.unused(batch.pk),
        "batch": batch,
        "worth": coupon_words.worth(terms) if terms else "",
        "rejects": shown,
        "more_rejects": max(0, batch.rejected - len(shown)),
        "may_make": roles.can(request.user, "coupons.make"),
    }


# -- One coupon ------------------------------------------------------------------------------------------


@require_GET
@staff_who("coupons.view")
def coupon(request: HttpRequest, coupon_id: int) -> HttpResponse:
    """One coupon: what it is worth, how it stands, and everything that happened to it."""
    return _coupon(request, coupon_id)


@require_POST
@staff_who("coupons.withdraw")
def withdraw(request: HttpRequest, coupon_id: int) -> HttpResponse:
    """Withdraw a coupon that nobody has used, with the reason."""
    reason = request.POST.get("reason", "").strip()[:300]
    if len(reason) < REASON_LENGTH:
        return _coupon(
            request, coupon_id, refused=_("Give the reason in at least five characters."), status=422
        )
    why_not = coupons.withdraw(
        [coupon_id], why={"reason": reason}, now=clock.read().now, actor_id=_person(request).pk
    )
    if why_not.get(coupon_id):
        return _coupon(request, coupon_id, refused=coupon_words.reason(why_not[coupon_id]), status=409)
    messages.success(request, _("The coupon was withdrawn."))
    return HttpResponseRedirect(reverse("coupons:coupon", args=[coupon_id]))


def _coupon(request: HttpRequest, coupon_id: int, *, refused: str = "", status: int = 200) -> HttpResponse:
    found = coupon_stories.with_it().select_related("member", "batch").filter(pk=coupon_id).first()
    if found is None:
        raise Http404
    book = Book()
    terms = coupon_states.terms_of(found, book.programmes)
    standing = coupon_states.standing(found, clock.read().now)
    context = {
        "title": in_words(dict(terms.name)) or terms.code,
        "coupon": found,
        "code": coupon_codes.masked(found.code) if found.is_bearer else coupon_codes.shown(found.code),
        "terms": terms,
        "worth": coupon_words.worth(terms),
        "standing": coupon_words.standing(standing),
        "tone": {"usable": "sk-good", "locked": "sk-warn", "withdrawn": "sk-bad"}.get(standing, ""),
        "lines": coupon_lines.history(found),
        "why": coupon_lines.why_issued(found),
        "clauses": book.of_grant(found.why),
        "versions": versions.addresses(request.user),
        "may_find": roles.can(request.user, "members.find"),
        "may_withdraw": standing in ("usable", "not_started", "expired")
        and roles.can(request.user, "coupons.withdraw"),
        "refused": refused,
    }
    return _page(request, "coupon", context, status=status)


# -- What they share -------------------------------------------------------------------------------------


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def _occasion(request: HttpRequest) -> Occasion:
    return Occasion(request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", ""))


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    shell = admin.site.each_context(request)
    return render(request, f"loyalty/coupons/{name}.html", {**shell, **context}, status=status)
