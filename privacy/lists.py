"""Lists of the console: they show, they never edit, and they stay quick on tables that only grow."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise, cached_property
from unfold.admin import ModelAdmin

FEW = 20_000  # below this a table is counted, above it is estimated


class EstimatingPaginator(Paginator):
    """Counts by PostgreSQL's statistics when a large table is shown whole: counting it would take seconds."""

    @cached_property
    def count(self) -> int:
        """How many rows there are: exactly when the list is narrowed or the table is small."""
        query = getattr(self.object_list, "query", None)
        if query is None or query.where:
            return super().count
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
                [query.model._meta.db_table],
            )
            estimate: int = cursor.fetchone()[0]
        return estimate if estimate > FEW else super().count


class WordsFilter(admin.SimpleListFilter):
    """Narrows a list by a column of codes, which it shows in words. `parameter_name` is the column."""

    words: ClassVar[Mapping[str, str | Promise]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The codes with their words, in the reader's language."""
        return [(code, str(word)) for code, word in self.words.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with the chosen code."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class ReadOnlyAdmin(ModelAdmin):
    """A list that shows and never edits; facts change by named actions."""

    show_full_result_count = False
    paginator = EstimatingPaginator
    list_filter_sheet = True
    list_fullwidth = True
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
