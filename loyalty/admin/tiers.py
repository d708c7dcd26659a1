"""Lists of tiers that were given, of members whose tier will end, and of counted benefits that were had."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from loyalty import tier_words
from loyalty.admin.points import ByMemberNumber
from loyalty.models import BenefitUse, TierEvent, TierWarning
from members import links


@admin.register(TierEvent)
class TierEventAdmin(ByMemberNumber):
    list_display = ["starts_at", "page", "kind", "tier", "why_given", "ends_at", "actor"]
    list_display_links = None
    list_filter = ["kind", "tier"]
    list_select_related = ["wallet__member", "actor"]
    ordering = ["-id"]

    @admin.display(description=_("member"))
    def page(self, event: TierEvent) -> str:
        return links.to_member(event.wallet.member)

    @admin.display(description=_("why"))
    def why_given(self, event: TierEvent) -> str:
        return event.reason or tier_words.given(event.kind, event.why)


@admin.register(TierWarning)
class TierWarningAdmin(ByMemberNumber):
    """Who was told that their tier ends, the latest first: whom a word, or a purchase, may still keep."""

    list_display = ["until", "page", "tier", "numbers", "recorded_at"]
    list_display_links = None
    list_filter = ["tier", "until"]
    list_select_related = ["wallet__member"]
    ordering = ["-id"]

    @admin.display(description=_("member"))
    def page(self, warning: TierWarning) -> str:
        return links.to_member(warning.wallet.member)

    @admin.display(description=_("why"))
    def numbers(self, warning: TierWarning) -> str:
        return tier_words.sentence("lapsed", warning.why)


@admin.register(BenefitUse)
class BenefitUseAdmin(ByMemberNumber):
    list_display = ["used_at", "page", "code", "tier", "period", "number", "channel", "given_back_at"]
    list_display_links = None
    list_filter = ["code", "tier"]
    list_select_related = ["wallet__member", "channel"]
    ordering = ["-id"]

    @admin.display(description=_("member"))
    def page(self, use: BenefitUse) -> str:
        return links.to_member(use.wallet.member)
