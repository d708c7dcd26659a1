"""Lists whose rows are of members: by whole number, a link for who may follow it, tiers by their names."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from loyalty import filters
from loyalty.benefit_terms import Use
from loyalty.names import in_words
from loyalty.tier_terms import Tier
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
    """A list that shows tiers by the newest names they have had; the code of none stays one."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows; the programme is read once for the names on all of them and in the filters."""
        self._versions = filters.versions()
        found: QuerySet[Any] = super().get_queryset(request)
        return found

    def get_narrowing(self, request: HttpRequest, told: QueryDict) -> filters.OfProgramme:
        narrowing = super().get_narrowing(request, told)
        assert isinstance(narrowing, filters.OfProgramme)
        narrowing.versions = self._versions
        return narrowing

    @admin.display(description=_("tier"), ordering="tier")
    def tier_name(self, row: Any) -> str:
        return self.named(row.tier)

    def named(self, code: str) -> str:
        """The name of a tier in the language that is active, or its code."""
        return self._first_name(code, (tier for programme in self._versions for tier in programme.tiers))

    def used(self, code: str) -> str:
        """The name of a counted benefit, or its code."""
        tiers = (tier for programme in self._versions for tier in programme.tiers)
        return self._first_name(code, (use for tier in tiers for use in tier.benefits.uses))

    def _first_name(self, code: str, found: Iterable[Tier | Use]) -> str:
        return next((in_words(each.name) for each in found if each.code == code), "") or code
