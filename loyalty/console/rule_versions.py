"""The versions of the programme, with what each changed about the rules, in words (B5)."""

import django_filters
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import DateInput
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from loyalty import rule_history
from loyalty.console.rules import for_staff, page
from loyalty.models import ProgrammeVersion

PAGE = 20


class VersionFilter(django_filters.FilterSet):
    """Narrows versions by their state and by when they were published."""

    state = django_filters.ChoiceFilter(
        label=_("State"), choices=ProgrammeVersion.State.choices, empty_label=_("All")
    )
    since = django_filters.DateFilter(
        "published_at", "date__gte", label=_("Published from"), widget=DateInput({"type": "date"})
    )
    until = django_filters.DateFilter(
        "published_at", "date__lte", label=_("Published until"), widget=DateInput({"type": "date"})
    )

    class Meta:
        model = ProgrammeVersion
        fields = ("state", "since", "until")


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
    for field in narrowed.form.fields.values():
        field.widget.attrs["class"] = "sk-input"
    context = {"filter": narrowed, "found": found, "chapters": rule_history.tell(list(found.object_list))}
    return page(request, "versions.html", context)
