"""Lists whose rows are of members: by whole number, a link for who may follow it, tiers by their names."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from loyalty import publishing
from loyalty.errors import ProgrammeMissing
from loyalty.names import in_words
from loyalty.programme import Programme
from members import links
from members.models import Member
from members.numbers import read_number
from privacy import roles
from privacy.lists import ReadOnlyAdmin


class OfMembers(ReadOnlyAdmin):
    """A list of what members have. `path` leads from its rows to the member; `page` is the column of it."""

    path = "wallet__member"

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """The columns; who may not open a member's page gets the number without the way there."""
        columns = list(super().get_list_display(request))
        if roles.can(request.user, "members.find"):
            return columns
        return ["plain_number" if name == "page" else name for name in columns]

    @admin.display(description=_("member"))
    def page(self, row: Any) -> str:
        return links.to_member(self._member(row))

    @admin.display(description=_("member"))
    def plain_number(self, row: Any) -> str:
        member = self._member(row)
        return member.number if member else "—"

    def _member(self, row: Any) -> Member | None:
        found = row
        for name in self.path.split("__"):
            found = getattr(found, name)
        member: Member | None = found
        return member


class ByMemberNumber(OfMembers):
    """A list that is searched by a whole member number."""

    search_fields = ["id"]
    search_help_text = _("A whole member number.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """The rows of the one member with this number."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(**{f"{self.path}__number": read_number(search_term)}), False


class WithTiers(ByMemberNumber):
    """A list that shows tiers by the names the newest version has for them; a code that is gone stays one."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows; the programme is read once for the names on all of them."""
        self._newest = _newest()
        found: QuerySet[Any] = super().get_queryset(request)
        return found

    @admin.display(description=_("tier"), ordering="tier")
    def tier_name(self, row: Any) -> str:
        return self.named(row.tier)

    def named(self, code: str) -> str:
        """The name of a tier in the language that is active, or its code."""
        return dict(self.tiers()).get(code) or code

    def tiers(self) -> list[tuple[str, str]]:
        """The tiers there are to choose from: (code, name)."""
        return [(tier.code, in_words(tier.name)) for tier in self._newest.tiers] if self._newest else []

    def uses(self) -> list[tuple[str, str]]:
        """The counted benefits there are to choose from: (code, name)."""
        found = {
            use.code: in_words(use.name)
            for tier in (self._newest.tiers if self._newest else ())
            for use in tier.benefits.uses
        }
        return list(found.items())


class TierFilter(admin.SimpleListFilter):
    """Narrows a list `WithTiers` to one tier, chosen by its name."""

    title, parameter_name = _("tier"), "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tiers: list[tuple[str, str]] = model_admin.tiers()
        return tiers

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the chosen tier."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class UseFilter(TierFilter):
    """Narrows a list `WithTiers` to one counted benefit, chosen by its name."""

    title, parameter_name = _("benefit"), "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        uses: list[tuple[str, str]] = model_admin.uses()
        return uses


def _newest() -> Programme | None:
    """The newest version of the programme, or None where there is none."""
    try:
        programmes = publishing.load_all()
    except ProgrammeMissing:
        return None
    return programmes.by_id(programmes.newest_id)
