"""Referrals in the console: who waits for a person, who brought whom, and the viral coefficient (B9)."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET, require_POST

from loyalty import grant_lines, publishing, referral_decisions, referral_report
from loyalty.models import Referral
from loyalty.referral_report import Report
from privacy import roles
from privacy.errors import ShukeError

VERB = "referrals.view"
PAGE = 20
TABS = {
    "": gettext_lazy("To decide"),
    "waiting": gettext_lazy("Waiting for the first purchase"),
    "counted": gettext_lazy("Counted"),
    "refused": gettext_lazy("Refused"),
}
TONES = {"waiting": "", "counted": "good", "review": "warn", "refused": "bad"}


@require_GET
def _overview(request: HttpRequest) -> HttpResponse:
    """The referrals of one tab, those that wait for a person first."""
    return _page(request)


@require_POST
def _decide(request: HttpRequest, referral_id: int) -> HttpResponse:
    """Let a friend count, or refuse them, with a word."""
    person = request.user
    assert isinstance(person, User), "nobody else has come in"
    note = request.POST.get("note", "")
    try:
        if request.POST.get("decision") == "count":
            given = referral_decisions.let_count(referral_id, person, note)
            comma = pgettext("between the names of a list", ", ")
            things = comma.join(line.name for line in grant_lines.of_given(given))
            said = _("The friend counts. Given: %(things)s") % {"things": things} if things else ""
            messages.success(request, said or _("The friend may count."))
        else:
            referral_decisions.refuse(referral_id, person, note)
            messages.success(request, _("The friend is refused."))
    except ShukeError as refusal:
        return _page(request, refused=str(refusal), status=refusal.status)
    tab = request.POST.get("list", "")
    return HttpResponseRedirect(f"{reverse('referrals:overview')}?list={tab if tab in TABS else ''}")


@require_GET
def _coefficient(request: HttpRequest) -> HttpResponse:
    """K by month and channel, as a chart and as a table."""
    context: dict[str, Any] = {
        "title": _("Viral coefficient"),
        "is_slow": False,
        "report": None,
        "may_see_programme": roles.can(request.user, "programme.view"),
    }
    try:
        context["report"] = referral_report.report() if publishing.is_published() else Report([])
    except OperationalError:
        context["is_slow"] = True
    context = {**admin.site.each_context(request), **context}
    return render(request, "loyalty/referrals/coefficient.html", context)


def _page(request: HttpRequest, *, refused: str = "", status: int = 200) -> HttpResponse:
    asked = request.POST.get("list") or request.GET.get("list", "")
    tab = asked if asked in TABS else ""
    state = tab or Referral.State.REVIEW
    rows = Referral.objects.filter(state=state).select_related(
        "referrer", "friend", "channel", "order", "decided_by"
    )
    page = Paginator(rows.order_by("heard_at" if not tab else "-heard_at", "id"), PAGE).get_page(
        request.GET.get("page")
    )
    may_decide = roles.can(request.user, referral_decisions.VERB)
    context = {
        **admin.site.each_context(request),
        "title": _("Friends brought by members"),
        "tabs": [(name, label, name == tab) for name, label in TABS.items()],
        "tab": tab,
        "page": page,
        "friends": [_card(row, may_decide) for row in page],
        "refused": refused,
    }
    return render(request, "loyalty/referrals/overview.html", context, status=status)


def _card(row: Referral, may_decide: bool) -> dict[str, Any]:
    return {
        "row": row,
        "tone": TONES[row.state],
        "reasons": [Referral.Reason(reason).label for reason in row.reasons],
        "may_count": may_decide and row.state in ("review", "refused") and "self" not in row.reasons,
        "may_refuse": may_decide and not (row.state == "refused" and "by_hand" in row.reasons),
    }


def _inside(view: Any) -> Any:
    """A page of the console for those who may see referrals."""

    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not roles.can(request.user, VERB):
            raise PermissionDenied
        response: HttpResponse = view(request, **arguments)
        return response

    return admin.site.admin_view(page)


overview, decide, coefficient = _inside(_overview), _inside(_decide), _inside(_coefficient)
