"""Lists of cases and of behaviour events. What was said is on the page of a case, shown with a reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from members import links, visits
from members.admin.people import RecordedList
from members.filters import CaseFilter, EventFilter
from members.happenings import in_words
from members.models import Case, Event
from members.numbers import read_number
from privacy import roles
from privacy.lists import EstimatingPaginator


@admin.register(Case)
class CaseAdmin(RecordedList):
    """Cases of every channel, latest first."""

    list_display = [
        "page",
        "channel",
        "kind",
        "state",
        "member_page",
        "question_type",
        "order_number",
        "opened_at",
        "response",
        "satisfaction",
    ]
    list_display_links = None
    filterset_class = CaseFilter
    list_select_related = ["channel", "member"]
    search_fields = ["=number", "=order_number"]
    search_help_text = _("A whole case number or order number.")
    ordering = ["-opened_at", "-id"]
    exclude = ["words", "answer", "digest", "seal"]

    @admin.display(description=_("case number"), ordering="number")
    def page(self, case: Case) -> str:
        address = reverse("cases:show", args=[case.pk])
        return format_html('<a class="sk-link" href="{}">{}</a>', address, case.number)

    @admin.display(description=_("member"))
    def member_page(self, case: Case) -> str:
        return links.to_member(case.member)

    @admin.display(description=_("response time"), ordering="response_time")
    def response(self, case: Case) -> str:
        return in_words(case.response_time) if case.response_time is not None else "—"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("words", "answer")


MOST_SHOWN = 1000


class LatestPaginator(EstimatingPaginator):
    """The latest thousand rows and no more: nobody reads further, and a table of events is never counted."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, up to the thousand that can be shown."""
        rows: Any = self.object_list
        return len(rows.values_list("pk")[:MOST_SHOWN])


@admin.register(Event)
class EventAdmin(RecordedList):
    """Behaviour events, by time and channel or of one member. Sessions, paths and searches stay out."""

    list_display = ["at", "channel", "kind", "product", "category", "entrance", "duration"]
    list_display_links = None
    filterset_class = EventFilter
    list_select_related = ["visitor__channel"]
    paginator = LatestPaginator
    search_fields = ["kind"]
    search_help_text = _("A whole member number.")
    ordering = ["-at", "-id"]
    sortable_by = ()

    @admin.display(description=_("channel"))
    def channel(self, event: Event) -> str:
        return str(event.visitor.channel)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        """Of one member, by number."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(visitor__in=visits.visitors_of(read_number(search_term) or "")), False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The list; one event has no page of its own."""
        return obj is None and roles.can(request.user, "events.view")
