"""Lists of what was given beside points for purchases, and of what members did for it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from loyalty import grant_words, publishing
from loyalty.admin.of_members import ByMemberNumber
from loyalty.filters import ActivityFilter, CheckInFilter, GrantFilter
from loyalty.models import Activity, CheckIn, Grant
from loyalty.publishing import Programmes


class OfOneMember(ByMemberNumber):
    """Rows that name their member themselves."""

    path = "member"
    list_display_links = None
    list_select_related: Any = ["member", "channel"]


@admin.register(Grant)
class GrantAdmin(OfOneMember):
    list_display = ["recorded_at", "page", "what", "source", "sentence", "outcome", "order_number"]
    filterset_class = GrantFilter
    list_select_related = ["member", "order"]
    ordering = ["-recorded_at", "-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Grant]:
        """The rows; the names of what was given are read once for all of them."""
        self._programmes: Programmes | None = publishing.load_all() if publishing.is_published() else None
        found: QuerySet[Grant] = super().get_queryset(request)
        return found

    @admin.display(description=_("what was given"))
    def what(self, grant: Grant) -> str:
        programme = self._programmes.by_id(grant.programme_id) if self._programmes else None
        return grant_words.prize(grant.prize, grant.value, programme)

    @admin.display(description=_("why"))
    def sentence(self, grant: Grant) -> str:
        return grant_words.sentence(grant.why)

    @admin.display(description=_("state"))
    def outcome(self, grant: Grant) -> str:
        if grant.refusal:
            return grant_words.refusal(grant.refusal)
        return str(Grant.State(grant.state).label)

    @admin.display(description=_("order"))
    def order_number(self, grant: Grant) -> str:
        return grant.order.number if grant.order else ""


@admin.register(Activity)
class ActivityAdmin(OfOneMember):
    list_display = ["happened_at", "page", "kind", "what", "counted", "channel"]
    filterset_class = ActivityFilter
    ordering = ["-recorded_at", "-id"]

    @admin.display(description=_("what was done"))
    def what(self, activity: Activity) -> str:
        return grant_words.sentence(
            {"source": Grant.Source.ACTIVITY, "code": activity.kind, **activity.detail}
        )

    @admin.display(description=_("counted"), boolean=True)
    def counted(self, activity: Activity) -> bool:
        return activity.number is not None


@admin.register(CheckIn)
class CheckInAdmin(OfOneMember):
    list_display = ["day", "page", "streak", "channel", "happened_at"]
    filterset_class = CheckInFilter
    ordering = ["-id"]
