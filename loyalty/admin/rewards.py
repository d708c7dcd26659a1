"""Lists of claims and of stock changes: they show what `loyalty.rewards` wrote and edit nothing (B8)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from loyalty import reward_words
from loyalty.admin.of_members import ByMemberNumber
from loyalty.filters import ClaimFilter, ShelfMoveFilter
from loyalty.models import Claim, ClaimMove, ShelfMove
from members.templatetags.amounts import signed
from privacy.lists import ReadOnlyAdmin


class ClaimMoveInline(TabularInline):
    """The steps a claim has taken."""

    model = ClaimMove
    fields = readonly_fields = ["position", "state", "reason", "who", "happened_at"]
    ordering = ["position"]
    extra = 0
    can_delete = False

    @admin.display(description=_("by"))
    def who(self, move: ClaimMove) -> str:
        return str(move.actor or "—")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Claim)
class ClaimAdmin(ByMemberNumber):
    path = "member"
    list_display = ["claimed_at", "page", "what", "state", "way", "price", "channel", "store", "sentence"]
    list_display_links = ["claimed_at"]
    filterset_class = ClaimFilter
    list_select_related = ["member", "channel", "store"]
    exclude = ["steps", "entry"]
    worded: ClassVar = {"reward": "what", "why": "sentence"}
    ordering = ["-claimed_at", "-id"]
    inlines = [ClaimMoveInline]

    @admin.display(description=_("reward"))
    def what(self, claim: Claim) -> str:
        return reward_words.name_of(claim.why, claim.reward)

    @admin.display(description=_("price"))
    def price(self, claim: Claim) -> str:
        return reward_words.price(claim.points, claim.money)

    @admin.display(description=_("why"))
    def sentence(self, claim: Claim) -> str:
        return reward_words.sentence(claim.why)


@admin.register(ShelfMove)
class ShelfMoveAdmin(ReadOnlyAdmin):
    list_display = ["happened_at", "shelf", "pieces", "reason", "actor", "programme"]
    list_display_links = None
    filterset_class = ShelfMoveFilter
    list_select_related = ["shelf", "actor", "programme"]
    ordering = ["-id"]

    @admin.display(description=_("change"))
    def pieces(self, move: ShelfMove) -> str:
        return signed(move.change)
