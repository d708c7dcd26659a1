"""The versions of the programme, with what each changed about the rules, in words (B5)."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from loyalty import rule_history
from loyalty.console.rules import for_staff, page
from loyalty.filters import VersionFilter
from loyalty.models import ProgrammeVersion

PAGE = 20


@require_GET
@for_staff("programme.view")
def show(request: HttpRequest) -> HttpResponse:
    """The versions, newest first."""
    versions: QuerySet[ProgrammeVersion] = (
        ProgrammeVersion.objects.select_related("drafted_by", "ready_by", "published_by")
        .defer("document")
        .order_by("-number")
    )
    narrowed = VersionFilter(request.GET, queryset=versions)
    found = Paginator(narrowed.qs, PAGE).get_page(request.GET.get("page"))
    context = {"filter": narrowed, "found": found, "chapters": rule_history.tell(list(found.object_list))}
    return page(request, "versions.html", context)
