"""The inbox of approvals: what is asked for, by whom and why; approve or refuse with a word (D6)."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from privacy import approvals, roles
from privacy.errors import ApprovalNotFound, ShukeError
from privacy.models import Approval, StaffProfile

PAGE = 20
TABS = {
    "": gettext_lazy("For you"),
    "waiting": gettext_lazy("All that wait"),
    "asked": gettext_lazy("Asked by you"),
    "decided": gettext_lazy("Decided"),
}
TONES = {"waiting": "warn", "approved": "good", "refused": "bad", "expired": "", "withdrawn": ""}
ACTS = {"approve": approvals.approve, "refuse": approvals.refuse, "withdraw": approvals.withdraw}
DONE = {
    "approved": gettext_lazy("Approved: %(sentence)s"),
    "refused": gettext_lazy("Refused: %(sentence)s"),
    "withdrawn": gettext_lazy("Withdrawn: %(sentence)s"),
}


def _inside(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the console for those who may see approvals; kept by no cache."""

    def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
        if not roles.can(request.user, "approvals.view"):
            raise PermissionDenied
        try:
            response = view(request, **arguments)
        except ApprovalNotFound as unknown:
            raise Http404 from unknown
        patch_cache_control(response, no_store=True, private=True)
        return response

    guarded: Callable[..., HttpResponse] = admin.site.admin_view(page)
    return guarded


@require_GET
@_inside
def inbox(request: HttpRequest) -> HttpResponse:
    """The requests of one tab: those that wait for this person, all that wait, one's own, the decided."""
    asked = request.GET.get("list", "")
    tab = asked if asked in TABS else ""
    rows = approvals.listed(request.user, tab) if tab else approvals.for_decision(request.user)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    tabs = [(name, label, name == tab) for name, label in TABS.items()]
    return _page(request, page, {"tabs": tabs, "tab": tab, "page": page, "title": _("Approvals")})


@require_GET
@_inside
def show(request: HttpRequest, approval_id: int) -> HttpResponse:
    """One request, to which messages and statements lead."""
    row = approvals.find(approval_id)
    return _page(request, [row], {"is_single": True, "title": _("Request %(number)s") % {"number": row.pk}})


@require_GET
@_inside
def foretell(request: HttpRequest, approval_id: int) -> HttpResponse:
    """What one request would lead to, for a page of many: each asks for its own, and none waits for it."""
    row = approvals.find(approval_id)
    return render(request, "privacy/approvals/after.html", {"after": _after(row)})


@require_POST
@_inside
def decide(request: HttpRequest, approval_id: int) -> HttpResponse:
    """Approve, refuse or withdraw a request; why it could not be is said on the request's page."""
    row, note = approvals.find(approval_id), request.POST.get("note", "")[:300]
    act = ACTS.get(request.POST.get("decision", ""), approvals.refuse)
    person = request.user
    assert isinstance(person, User), "nobody else has come in"
    try:
        done = act(approval_id, person, note)
    except ShukeError as refusal:
        context = {"is_single": True, "refused": refusal, "note": note, "title": _("Approvals")}
        return _page(request, [approvals.find(row.pk)], context, status=refusal.status)
    words = {"sentence": approvals.kind_of(done.kind).sentence(done.change)}
    messages.success(request, str(DONE[done.state]) % words)
    tab = "?list=asked" if done.state == Approval.State.WITHDRAWN else ""
    return HttpResponseRedirect(reverse("approvals:inbox") + tab)


def _page(request: HttpRequest, rows: Any, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shown = [_card(row, request) for row in rows]
    if context.get("is_single"):
        shown = [{**card, "after": _after(card["row"])} for card in shown]
    context = {**admin.site.each_context(request), **context, "requests": shown}
    context["may_see_members"] = roles.can(request.user, "members.find")
    return render(request, "privacy/approvals/page.html", context, status=status)


def _card(row: Approval, request: HttpRequest) -> dict[str, Any]:
    """A request as the page shows it."""
    kind, state = approvals.kind_of(row.kind), approvals.state_of(row)
    is_open = state == Approval.State.WAITING
    hindered = approvals.hindrance(row, request.user) if is_open else None
    return {
        "row": row,
        "title": kind.title,
        "sentence": kind.sentence(row.change),
        "is_foretold": bool(kind.after) and is_open,
        "state": Approval.State(state).label,
        "tone": TONES[state],
        "is_open": is_open,
        "may_decide": is_open and hindered is None,
        "may_withdraw": approvals.may_withdraw(row, request.user),
        "hindered": hindered if hindered and roles.can(request.user, kind.verb) else "",
        "deciders": _roles_that(kind.verb),
    }


def _after(row: Approval) -> str:
    """What it would lead to, while it waits: later that would be history."""
    kind, is_open = approvals.kind_of(row.kind), approvals.state_of(row) == Approval.State.WAITING
    return kind.after(row.change) if kind.after and is_open else ""


def _roles_that(verb: str) -> str:
    names = dict(StaffProfile.Role.choices)
    return ", ".join(str(names[role]) for role in roles.matrix().verbs[verb])
