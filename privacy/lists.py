"""Lists of the console: they show, they never edit, and they stay quick on tables that only grow.

What a list is narrowed by is a FilterSet of django-filter (`privacy.narrowing`), nothing else. A value that
cannot be read, and a name that is no filter, are said above the list, which then shows no row: Django's admin
would go on with all rows, as if they were those that were asked for.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import IGNORED_PARAMS
from django.core.paginator import EmptyPage, Paginator
from django.db import connection, models
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from privacy.narrowing import Asked, Narrowing

FEW = 20_000  # below this a table is counted, above it is estimated
MOST_COUNTED = 10_000  # of a list that is narrowed: nobody pages further, and counting on would take seconds
OLD_LOOKUPS = ("__id__exact", "__exact")  # ends of names that bookmarks from before the FilterSets have


class AtLeast(int):
    """A number of rows of which no more were counted; pages say it as `10,000+`."""

    def __str__(self) -> str:
        return f"{int(self):,}+"


class EstimatingPaginator(Paginator):
    """Counts a narrowed list up to a limit, and a large table by PostgreSQL's statistics."""

    @cached_property
    def count(self) -> int:
        """How many rows there are: exactly when they are few."""
        query = getattr(self.object_list, "query", None)
        if query is None:
            return super().count
        if query.where:
            return self._counted()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass",
                [query.model._meta.db_table],
            )
            estimate: int = cursor.fetchone()[0]
        return estimate if estimate > FEW else super().count

    def _counted(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by()[: MOST_COUNTED + 1].count()
        return AtLeast(MOST_COUNTED) if counted > MOST_COUNTED else counted

    def validate_number(self, number: Any) -> int:
        """A page that is there: past the end it is the last."""
        try:
            return super().validate_number(number)
        except EmptyPage:
            return max(1, min(int(number), self.num_pages))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A FilterSet in the place of the filters that Django's admin asks one by one for their rows."""

    narrowing: Narrowing
    unknown: list[str]  # names in the address that are no filter

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that are left; none when what was asked for cannot be read."""
        self.narrowing.queryset = rows
        if self.problems:
            return rows.none()
        left: QuerySet[Any] = self.narrowing.qs
        return left

    @property
    def problems(self) -> list[str]:
        """What cannot be read, in sentences."""
        errors = [
            _("%(filter)s: %(problem)s") % {"filter": self.narrowing.called(name), "problem": problem}
            for name, problems in self.narrowing.errors.items()
            for problem in problems
        ]
        return errors + [_("There is no filter called “%(name)s”.") % {"name": name} for name in self.unknown]


class NarrowedChangeList(ChangeList):
    """A list of the admin with one FilterSet."""

    filter_params: dict[str, list[str]]
    page_num: int

    def get_filters(self, request: HttpRequest) -> tuple[list[Any], bool, dict[str, Any], bool, bool]:
        """What narrows the rows; Django adds no lookup of its own, and no row comes twice."""
        self.filter_params = _tidied(self.filter_params, self.model_admin.get_filterset_class().base_filters)
        told = QueryDict(mutable=True)
        for name, values in self.get_filters_params().items():
            told.setlist(name, values)
        narrowing = self.model_admin.get_narrowing(request, told)
        self.narrowed = Narrowed(narrowing, sorted(told.keys() - narrowing.filters.keys()))
        return [self.narrowed], True, {}, False, bool(self.asked)

    @cached_property
    def asked(self) -> list[tuple[Asked, str]]:
        """The filters that are on, each with the address of the list without it."""
        return [
            (asked, self.get_query_string(dict.fromkeys(asked.names)))
            for asked in self.narrowed.narrowing.asked()
        ]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What stays in the address when other filters are chosen: the search and the order."""
        told = self.get_filters_params()
        return [(name, values[-1]) for name, values in self.filter_params.items() if name not in told]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.result_count:  # counting has looked at every row that could be there
            self.result_list = self.queryset.none()
        self.page_num = max(1, min(self.page_num, self.paginator.num_pages))


def _tidied(told: dict[str, list[str]], names: Collection[str]) -> dict[str, list[str]]:
    """An address without what was left empty, and with names of today."""
    found = {name: values for name, values in told.items() if name in IGNORED_PARAMS}
    for name, values in told.items():
        stem = next((name.removesuffix(end) for end in OLD_LOOKUPS if name.endswith(end)), name)
        filled = [value for value in values if value.strip()]
        if filled and name not in found:
            found.setdefault(stem if stem in names else name, []).extend(filled)
    return found


class NarrowedAdmin(ModelAdmin):
    """A list with the filters of `filterset_class`; a floor above may extend them (settings.LIST_FILTERS)."""

    filterset_class: ClassVar[type[Narrowing]]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each choice of each filter
    list_fullwidth = True
    actions = None
    # Columns that the page of a row shows in words: by their names, the methods that say them.
    worded: ClassVar[Mapping[str, str]] = {}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[NarrowedChangeList]:
        return NarrowedChangeList

    def get_filterset_class(self) -> type[Narrowing]:
        """The filters of this list."""
        further = settings.LIST_FILTERS.get(self.model._meta.label)
        found: type[Narrowing] = import_string(further) if further else self.filterset_class
        return found

    def get_narrowing(self, request: HttpRequest, told: QueryDict) -> Narrowing:
        """The filters with what was told."""
        return self.get_filterset_class()(told, queryset=self.model._default_manager.none(), request=request)


class ReadOnlyAdmin(NarrowedAdmin):
    """A list that shows and never edits; facts change by named actions."""

    paginator = EstimatingPaginator
    list_per_page = 50

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
