"""Lists of members, their accounts, what is to be reviewed, and tags. Personal data is masked."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members import evidence_words, links
from members.admin.configured import ConfiguredAdmin, TagSheet
from members.filters import AccountFilter, MatchReviewFilter, MemberFilter, TagFilter
from members.identity import LINK_REASONS
from members.models import Account, MatchReview, Member, Tag
from members.numbers import read_number
from privacy import access
from privacy.access import Occasion
from privacy.lists import ReadOnlyAdmin


class RecordedList(ReadOnlyAdmin):
    """A list of people: whoever reads it leaves a line in the trail that names its rows (D7)."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown is not None:
            access.note(
                request.user,
                access.Action.LIST,
                model=self.model._meta.label,
                subjects=[row.pk for row in shown.result_list],
                occasion=Occasion(
                    request_id=getattr(request, "request_id", ""), ip=request.META.get("REMOTE_ADDR", "")
                ),
            )
        return response


@admin.register(Member)
class MemberAdmin(RecordedList):
    list_display = [
        "page",
        "masked_name",
        "masked_phone",
        "status",
        "gender",
        "province",
        "city",
        "joined_at",
    ]
    list_display_links = None
    filterset_class = MemberFilter
    search_fields = ["number"]
    search_help_text = _("A whole member number.")
    list_before_template = "loyalty/member/find.html"
    ordering = ["-joined_at", "-id"]

    @admin.display(description=_("member"), ordering="id")
    def page(self, member: Member) -> str:
        return links.to_member(member)

    @admin.display(description=pgettext_lazy("of a person", "name"))
    def masked_name(self, member: Member) -> str:
        return access.masked(member, "name")

    @admin.display(description=_("phone"))
    def masked_phone(self, member: Member) -> str:
        return access.masked(member, "phone")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """By number only: a search stands in the address, where no phone or e-mail may be."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(number=read_number(search_term)), False


@admin.register(Account)
class AccountAdmin(RecordedList):
    list_display = [
        "masked_id",
        "channel",
        "member_page",
        "phone_masked",
        "link",
        "linked_at",
        "unbound_at",
    ]
    list_display_links = None
    fields = readonly_fields = [*list_display, "joined_at", "heard_at"]
    filterset_class = AccountFilter
    list_select_related = ["channel", "member"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).select_related("channel", "member")

    @admin.display(description=_("external id"))
    def masked_id(self, account: Account) -> str:
        return access.masked(account, "external_id")

    @admin.display(description=_("linked by"), ordering="linked_by")
    def link(self, account: Account) -> str:
        return str(LINK_REASONS.get(account.linked_by, account.linked_by))

    @admin.display(description=_("member"))
    def member_page(self, account: Account) -> str:
        return links.to_member(account.member)


@admin.register(MatchReview)
class MatchReviewAdmin(ReadOnlyAdmin):
    list_display = [
        "one",
        "another",
        "reason",
        "score_in_percent",
        "evidence_in_words",
        "state",
        "decided_by",
        "created_at",
    ]
    list_display_links = None
    filterset_class = MatchReviewFilter
    list_select_related = ["member", "other", "decided_by"]
    ordering = ["-created_at"]

    @admin.display(description=_("member"))
    def one(self, review: MatchReview) -> str:
        return links.to_member(review.member)

    @admin.display(description=_("other member"))
    def another(self, review: MatchReview) -> str:
        return links.to_member(review.other)

    @admin.display(description=_("score"), ordering="score", empty_value="")
    def score_in_percent(self, review: MatchReview) -> str | None:
        # Cut and not rounded: nothing is 100 % sure.
        return None if review.score is None else f"{int(review.score * 1000) / 10}%"

    @admin.display(description=_("evidence"))
    def evidence_in_words(self, review: MatchReview) -> str:
        return " · ".join(evidence_words.in_words(review))


@admin.register(Tag)
class TagAdmin(ConfiguredAdmin):
    """The brand's own words for members; which member has one is said on the member's page."""

    verb = "members.tag"
    resource_classes = [TagSheet]
    list_display = ["name", "code", "created_at"]
    filterset_class = TagFilter
    search_fields = ["name", "code"]
    ordering = ["name"]
