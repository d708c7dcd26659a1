"""Lists of points entries, wallets and tier changes: they show what the ledger wrote and edit nothing."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty import statement
from loyalty.admin.of_members import ByMemberNumber, TierFilter, WithTiers
from loyalty.models import Entry, Hold, TierChange, Wallet
from members.templatetags.amounts import count, signed


@admin.register(Entry)
class EntryAdmin(ByMemberNumber):
    list_display = ["recorded_at", "page", "kind", "moved", "balance", "sentence", "cause", "channel"]
    list_display_links = ["recorded_at"]
    list_filter = ["kind", "channel"]
    list_select_related = ["wallet__member", "channel"]
    exclude = ["hash"]
    worded: ClassVar = {"why": "sentence"}
    ordering = ["-recorded_at", "-id"]

    @admin.display(description=_("points"))
    def moved(self, entry: Entry) -> str:
        return signed(entry.points)

    @admin.display(description=_("balance after"))
    def balance(self, entry: Entry) -> str:
        return count(entry.balance_after)

    @admin.display(description=_("why"))
    def sentence(self, entry: Entry) -> str:
        return statement.sentence(entry.kind, entry.why, entry.points) or entry.reason


@admin.register(Wallet)
class WalletAdmin(WithTiers):
    path = "member"
    list_display = ["page", "tier_name", "tier_until", "balance_written", "held", "debt", "version"]
    list_display_links = None
    list_filter = [TierFilter]
    list_select_related = ["member"]
    exclude = ["head"]
    ordering = ["-id"]

    @admin.display(description=_("balance"))
    def balance_written(self, wallet: Wallet) -> str:
        return count(wallet.balance)


class ByTierAfter(TierFilter):
    title, parameter_name = _("tier after"), "after"


@admin.register(TierChange)
class TierChangeAdmin(WithTiers):
    list_display = ["happened_at", "page", "tier_before", "tier_after", "reason", "valid_until"]
    list_display_links = None
    list_filter = ["reason", ByTierAfter]
    list_select_related = ["wallet__member"]
    ordering = ["-id"]

    @admin.display(description=_("tier before"), ordering="before")
    def tier_before(self, change: TierChange) -> str:
        return self.named(change.before)

    @admin.display(description=_("tier after"), ordering="after")
    def tier_after(self, change: TierChange) -> str:
        return self.named(change.after)


class ByHoldState(admin.SimpleListFilter):
    """What is set aside now, unless another state is asked for."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        ended = [(code, str(word)) for code, word in Hold.State.choices if code != Hold.State.OPEN]
        return [*ended, ("all", gettext("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django calls the choice of none "all"; here it is what is open."""
        first, *rest = super().choices(changelist)
        yield {**first, "display": Hold.State.OPEN.label}
        yield from rest

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        if self.value() == "all":
            return queryset
        return queryset.filter(state=self.value() or Hold.State.OPEN)


@admin.register(Hold)
class HoldAdmin(ByMemberNumber):
    list_display = ["expires_at", "page", "set_aside", "spent", "state", "channel", "cause", "created_at"]
    list_display_links = None
    list_filter = [ByHoldState, "channel"]
    list_select_related = ["wallet__member", "channel"]
    ordering = ["expires_at", "id"]

    @admin.display(description=_("set aside"))
    def set_aside(self, hold: Hold) -> str:
        return count(hold.points)

    @admin.display(description=_("captured"))
    def spent(self, hold: Hold) -> str:
        return count(hold.captured)
