"""Lists of the console: they show, they never edit, and they stay quick on tables that only grow."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connection, models
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
    show_facets = admin.ShowFacets.NEVER  # a count for each choice of each filter
    paginator = EstimatingPaginator
    list_filter_sheet = True
    list_fullwidth = True
    list_per_page = 50
    actions = None
    # Columns that the page of a row shows in words: by their names, the methods that say them.
    worded: ClassVar[Mapping[str, str]] = {}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What the page of a row shows; to what somebody may not open there is no link."""
        found = [self._in_words(name) for name in super().get_fields(request, obj)]
        return [_plain(name, self.model) if self._is_closed(request, name) else name for name in found]

    def _in_words(self, name: Any) -> Any:
        return getattr(self, self.worded[name]) if isinstance(name, str) and name in self.worded else name

    def _is_closed(self, request: HttpRequest, name: Any) -> bool:
        """Whether this is another row of a list that the person may not see."""
        if not isinstance(name, str) or name not in _to_one(self.model):
            return False
        pages = self.admin_site._registry.get(self.opts.get_field(name).related_model)
        return pages is not None and not pages.has_view_permission(request)


def _to_one(model: type[models.Model]) -> set[str]:
    """The columns that name a row of another table."""
    return {field.name for field in model._meta.fields if field.many_to_one or field.one_to_one}


def _plain(name: str, model: type[models.Model]) -> Callable[[Any], str]:
    """A column of a row as text, where Unfold would make a link of it."""

    @admin.display(description=getattr(model._meta.get_field(name), "verbose_name", name))
    def shown(row: Any) -> str:
        return str(getattr(row, name) or "-")

    return shown
