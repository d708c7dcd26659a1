"""Lists of tiers that were given, of members whose tier will end, and of counted benefits that were had."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from loyalty import tier_words
from loyalty.admin.of_members import WithTiers
from loyalty.filters import BenefitUseFilter, TierEventFilter, TierWarningFilter
from loyalty.models import BenefitUse, TierEvent, TierWarning


@admin.register(TierEvent)
class TierEventAdmin(WithTiers):
    list_display = ["starts_at", "page", "kind", "tier_name", "why_given", "ends_at", "actor"]
    list_display_links = None
    filterset_class = TierEventFilter
    list_select_related = ["wallet__member", "actor"]
    ordering = ["-id"]

    @admin.display(description=_("why"))
    def why_given(self, event: TierEvent) -> str:
        return event.reason or tier_words.given(event.kind, event.why)


@admin.register(TierWarning)
class TierWarningAdmin(WithTiers):
    """Who was told that their tier ends, the latest first: whom a word, or a purchase, may still keep."""

    list_display = ["until", "page", "tier_name", "numbers", "recorded_at"]
    list_display_links = None
    filterset_class = TierWarningFilter
    list_select_related = ["wallet__member"]
    ordering = ["-id"]

    @admin.display(description=_("why"))
    def numbers(self, warning: TierWarning) -> str:
        return tier_words.sentence("lapsed", warning.why)


@admin.register(BenefitUse)
class BenefitUseAdmin(WithTiers):
    list_display = ["used_at", "page", "what", "tier_name", "period", "number", "channel", "given_back_at"]
    list_display_links = None
    filterset_class = BenefitUseFilter
    list_select_related = ["wallet__member", "channel"]
    ordering = ["-id"]

    @admin.display(description=_("benefit"), ordering="code")
    def what(self, use: BenefitUse) -> str:
        return self.used(use.code)
