"""The page of one case: how it went, and what was said, shown with a reason and on record (A11, D5)."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from members import cases
from members.facts import CaseKind
from members.happenings import in_words
from members.models import Case
from privacy import access, roles
from privacy.access import Occasion
from privacy.errors import ShukeError

VERB = "cases.view"
TEXTS = ("words", "answer")


@require_http_methods(["GET", "POST"])
def _page(request: HttpRequest, case_id: int) -> HttpResponse:
    """The case; posted with a reason, also what was said in it."""
    if not roles.can(request.user, VERB):
        raise PermissionDenied
    found = Case.objects.select_related("channel", "member").prefetch_related("steps")
    case = get_object_or_404(found, pk=case_id)
    occasion = Occasion(request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", ""))
    clear: dict[str, Any] = {}
    refused, status = "", 200
    if request.method == "POST" and case.member is not None:
        reason = request.POST.get("reason", "")
        try:
            clear = access.reveal(request.user, case.member, case, TEXTS, reason, occasion=occasion)
        except ShukeError as refusal:
            refused, status = str(refusal), refusal.status
    else:
        access.note(
            request.user,
            access.Action.VIEW,
            model=Case._meta.label,
            member=case.member,
            subjects=[case.pk],
            occasion=occasion,
        )
    response = render(
        request, "members/cases/page.html", _context(request, case, clear, refused), status=status
    )
    patch_cache_control(response, no_store=True, private=True)
    return response


def _context(request: HttpRequest, case: Case, clear: dict[str, Any], refused: str) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": _("Case %(number)s") % {"number": case.number},
        "case": case,
        "response": in_words(case.response_time) if case.response_time is not None else "",
        "flow": _flow(case),
        "texts": [
            (Case._meta.get_field(name).verbose_name, clear.get(name) or "")  # type: ignore[union-attr]
            for name in TEXTS
        ],
        "is_clear": bool(clear),
        "has_texts": case.words is not None or case.answer is not None,
        "may_reveal": access.may_see_clear(request.user) and case.member is not None,
        "refused": refused,
    }


def _flow(case: Case) -> list[dict[str, Any]]:
    """The steps that were taken, and of an open return those that are usually still to come."""
    taken = [
        {"label": step.get_state_display(), "at": step.happened_at or step.heard_at}
        for step in case.steps.all()
    ]
    way = cases.FLOW.get(CaseKind(case.kind), ())
    if case.state in cases.ENDED or case.state not in way:
        return taken
    ahead = way[[state.value for state in way].index(case.state) + 1 :]
    return taken + [{"label": Case.State(state).label, "at": None} for state in ahead]


page = admin.site.admin_view(_page)
