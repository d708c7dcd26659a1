"""The list of imports, with filters; what is done with one happens on its own page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from members.filters import ColumnMappingFilter, ImportRunFilter
from members.models import ColumnMapping, ImportRun
from privacy.lists import ReadOnlyAdmin


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = [
        "page",
        "channel",
        "format",
        "state",
        "rows_read",
        "rows_new",
        "rows_changed",
        "rows_same",
        "rows_rejected",
        "started_by",
        "created_at",
    ]
    list_display_links = None
    filterset_class = ImportRunFilter
    list_select_related = ["channel", "started_by"]
    search_fields = ["file_name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        """Lists need no previews."""
        found: QuerySet[ImportRun] = super().get_queryset(request)
        return found.defer("preview", "headers", "mapping", "totals_before", "totals_after")

    @admin.display(description=_("file"), ordering="file_name")
    def page(self, run: ImportRun) -> SafeString:
        """The file's name, leading to the page of its import."""
        return format_html('<a class="sk-link" href="{}">{}</a>', reverse("imports:run", args=[run.pk]), run)


@admin.register(ColumnMapping)
class ColumnMappingAdmin(ReadOnlyAdmin):
    list_display = ["channel", "kind", "chosen_by", "chosen_at"]
    filterset_class = ColumnMappingFilter
    list_select_related = ["channel", "chosen_by"]
    exclude = ["headers_digest"]

    @admin.display(description=_("kind"))
    def kind(self, mapping: ColumnMapping) -> Any:
        """What each row tells."""
        return mapping.mapping.get("kind")
