"""The reconciliation pages: the last days of each channel, one comparison, refunds without an order (A16)."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from members import reconciliation_days, reconciling
from members.errors import NothingToSettle, ReconciliationUnknown
from members.formats.registry import FORMATS
from members.importing import queue, report
from members.importing.errors import FileTooLarge
from members.models import Channel, Order, Reconciliation, ReconciliationDifference
from members.reconciling import Settled
from privacy import roles
from privacy.errors import ShukeError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
Kind = ReconciliationDifference.Kind
SEE, DECIDE = "reconciliation.view", "reconciliation.decide"
SHOWN = 100
SHOWN_UNATTACHED = 200
UNATTACHED = "unattached"
FIGURES: dict[str, str | Promise] = {
    "orders": gettext_lazy("Orders"),
    "net": gettext_lazy("Net"),
    "paid": pgettext_lazy("amount", "Paid"),
    "refunded": gettext_lazy("Refunded"),
}


def staff_who(verb: str) -> Callable[[View[P]], View[P]]:
    """A page of the console for who may do this (role matrix); what is not there is a 404."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not roles.can(request.user, verb):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except ReconciliationUnknown as unknown:
                raise Http404 from unknown

        inside: Any = admin.site.admin_view(page)
        return inside

    return guard


# -- the days ------------------------------------------------------------------------------------------


class UploadForm(forms.Form):
    """A file, whose it is, and the days in it that are to be compared."""

    channel = forms.ModelChoiceField(
        Channel.objects.filter(is_active=True),
        to_field_name="code",
        label=gettext_lazy("Channel"),
        empty_label=gettext_lazy("Choose the channel"),
    )
    first = forms.DateField(label=gettext_lazy("Day"))
    last = forms.DateField(label=gettext_lazy("Up to"), required=False)
    file = forms.FileField(label=gettext_lazy("File"), max_length=300)


@require_http_methods(["GET", "POST"])
@staff_who(SEE)
def overview(request: HttpRequest) -> HttpResponseBase:
    """The last thirty days of every channel; takes uploads."""
    form, refused = UploadForm(initial=_asked(request)), ""
    if request.method == "POST":
        if not roles.can(request.user, DECIDE):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES)
        try:
            if run := _upload(request, form):
                return redirect("reconciliation:run", run.pk)
        except ShukeError as error:
            refused = str(error)
    shown, others = reconciliation_days.calendar(reconciling.today())
    context = {
        "title": _("Reconciliation"),
        "channels": shown,
        "others": others,
        "form": form,
        "refused": refused,
        "today": reconciling.today(),
        "may_decide": roles.can(request.user, DECIDE),
    }
    return _page(request, "overview", context, status=400 if form.is_bound else 200)


def _asked(request: HttpRequest) -> dict[str, str]:
    """The channel and day that a cell of the calendar asks a file for."""
    yesterday = reconciling.today() - timedelta(days=1)
    return {"channel": request.GET.get("channel", ""), "first": request.GET.get("day") or f"{yesterday}"}


def _upload(request: HttpRequest, form: UploadForm) -> Reconciliation | None:
    """Take a file in and let a worker compare it; the first of its days, or None where the form is wrong."""
    if request.META.get("shuke.too_large"):
        raise FileTooLarge(limit=settings.UPLOAD_LIMIT // (1 << 20))
    if not form.is_valid():
        return None
    told = form.cleaned_data
    first: date = told["first"]
    file = cast(TemporaryUploadedFile, told["file"])
    with transaction.atomic():
        runs = reconciling.take_in(
            told["channel"],
            first,
            told["last"] or first,
            file.name or "",
            file.chunks(),
            actor_id=_person(request).pk,
        )
        assert runs[0].upload is not None
        queue.ask_to_reconcile(runs[0].upload)
    return runs[0]


# -- one comparison ------------------------------------------------------------------------------------


@require_GET
@staff_who(SEE)
def show(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One comparison: both sides' totals, and every difference with what became of it."""
    run = reconciling.get(run_id)
    title = _("%(channel)s on %(day)s") % {"channel": run.channel.name, "day": run.day}
    described = FORMATS.get(run.format)
    context = {
        "title": title,
        "run": run,
        "format_label": described.label if described else "",
        "problem": report.reason(run.problem, run.problem_details) if run.problem else "",
        "rejected": [(each, report.reason(each["code"])) for each in run.rejected],
        **reconciliation_days.beside(run),
        **(_compared(request, run) if run.state == Reconciliation.State.DONE else {}),
    }
    return _page(request, "run", context)


def _compared(request: HttpRequest, run: Reconciliation) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    kind = kind if kind in {*Kind.values, UNATTACHED} else ""
    counts = reconciliation_days.counts(run)
    open_in_all = sum(each["open"] for each in counts.values())
    only_open = "all" not in request.GET and open_in_all > 0
    found = reconciliation_days.differences(run, kind=kind, only_open=only_open)
    shown = Paginator(found, SHOWN).get_page(request.GET.get("page"))
    may_decide = roles.can(request.user, DECIDE)
    nobodys = list(reconciliation_days.unattached(run)[:SHOWN_UNATTACHED]) if kind == UNATTACHED else None
    return {
        "totals": [
            {**row, "label": FIGURES[row["name"]], "is_money": row["name"] != "orders"}
            for row in reconciliation_days.totals(run)
        ],
        "tabs": [(each, each.label, counts[each]) for each in Kind if each in counts],
        "kind": kind,
        "open": open_in_all,
        "open_shown": counts.get(kind, {"open": 0})["open"] if kind else open_in_all,
        "in_all": sum(each["all"] for each in counts.values()),
        "only_open": only_open,
        "shown": shown,
        "unattached": nobodys,
        "may_decide": may_decide and open_in_all > 0 and nobodys is None,
        "may_see_orders": request.user.has_perm("members.view_order"),
        "statuses": dict(Order.Status.choices),
        "most": reconciling.MOST,
    }


@require_POST
@staff_who(DECIDE)
def settle(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Take theirs in, tell them again, or accept: the chosen differences, or all of the filter."""
    run = reconciling.get(run_id)
    way = request.POST.get("way", "")
    if way not in _WAYS:
        raise Http404
    try:
        settled = _WAYS[way](request, run, _chosen(request, run))
    except ShukeError as refused:
        messages.error(request, str(refused))
    else:
        _say(request, settled)
    kind = request.POST.get("kind", "")
    query = f"?kind={kind}" if kind in Kind.values else ""
    return redirect(reverse("reconciliation:run", args=[run.pk]) + query)


def _chosen(request: HttpRequest, run: Reconciliation) -> list[int]:
    if "all" in request.POST:
        kind = request.POST.get("kind", "")
        found = reconciliation_days.differences(run, kind=kind if kind in Kind.values else "", only_open=True)
        return list(found.values_list("pk", flat=True)[: reconciling.MOST])
    chosen = [int(text) for text in request.POST.getlist("difference") if text.isascii() and text.isdigit()]
    if not chosen:
        raise NothingToSettle
    return chosen


def _take(request: HttpRequest, run: Reconciliation, chosen: list[int]) -> Settled:
    return reconciling.take_theirs(run.pk, chosen, actor_id=_person(request).pk)


def _tell(request: HttpRequest, run: Reconciliation, chosen: list[int]) -> Settled:
    return reconciling.tell_again(run.pk, chosen, actor_id=_person(request).pk)


def _accept(request: HttpRequest, run: Reconciliation, chosen: list[int]) -> Settled:
    return reconciling.accept(run.pk, chosen, request.POST.get("reason", ""), actor_id=_person(request).pk)


_WAYS: dict[str, Callable[[HttpRequest, Reconciliation, list[int]], Settled]] = {
    "take": _take,
    "tell": _tell,
    "accept": _accept,
}


def _say(request: HttpRequest, settled: Settled) -> None:
    """Say what became of the chosen ones."""
    if settled.settled:
        words = ngettext(
            "%(count)s difference is settled.", "%(count)s differences are settled.", settled.settled
        )
        messages.success(request, words % {"count": settled.settled})
    if settled.left:
        words = ngettext(
            "%(count)s still differs after it.", "%(count)s still differ after it.", settled.left
        )
        why = f" {report.reason(settled.problem)}" if settled.problem else ""
        messages.warning(request, words % {"count": settled.left} + why)


# -- refunds that wait ---------------------------------------------------------------------------------


@require_GET
@staff_who(SEE)
def parked(request: HttpRequest) -> HttpResponseBase:
    """Refunds that were told before their orders, and how long they wait."""
    channels = reconciliation_days.parked_by_channel()
    code = request.GET.get("channel", "")
    chosen = next((channel for channel, _number, _since in channels if channel.code == code), None)
    now = timezone.now()
    shown = Paginator(reconciliation_days.parked(chosen), SHOWN).get_page(request.GET.get("page"))
    context = {
        "title": _("Refunds without their order"),
        "channels": [(channel, number, (now - since).days) for channel, number, since in channels],
        "chosen": chosen,
        "in_all": sum(number for _channel, number, _since in channels),
        "shown": shown,
        "refunds": [
            (refund, refund.goods + refund.postage, (now - refund.heard_at).days) for refund in shown
        ],
    }
    return _page(request, "parked", context)


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def _page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    shell = admin.site.each_context(request)
    return render(request, f"members/reconciliation/{name}.html", {**shell, **context}, status=status)
