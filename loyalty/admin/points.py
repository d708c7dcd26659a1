"""Lists of points entries, wallets and tier changes: they show what the ledger wrote and edit nothing."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from loyalty import statement
from loyalty.admin.of_members import ByMemberNumber, WithTiers
from loyalty.filters import EntryFilter, HoldFilter, TierChangeFilter, WalletFilter
from loyalty.models import Entry, Hold, TierChange, Wallet
from members.templatetags.amounts import count, signed


@admin.register(Entry)
class EntryAdmin(ByMemberNumber):
    list_display = ["recorded_at", "page", "kind", "moved", "balance", "sentence", "cause", "channel"]
    list_display_links = ["recorded_at"]
    filterset_class = EntryFilter
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
    filterset_class = WalletFilter
    list_select_related = ["member"]
    exclude = ["head"]
    ordering = ["-id"]

    @admin.display(description=_("balance"))
    def balance_written(self, wallet: Wallet) -> str:
        return count(wallet.balance)


@admin.register(TierChange)
class TierChangeAdmin(WithTiers):
    list_display = ["happened_at", "page", "tier_before", "tier_after", "reason", "valid_until"]
    list_display_links = None
    filterset_class = TierChangeFilter
    list_select_related = ["wallet__member"]
    ordering = ["-id"]

    @admin.display(description=_("tier before"), ordering="before")
    def tier_before(self, change: TierChange) -> str:
        return self.named(change.before)

    @admin.display(description=_("tier after"), ordering="after")
    def tier_after(self, change: TierChange) -> str:
        return self.named(change.after)


@admin.register(Hold)
class HoldAdmin(ByMemberNumber):
    list_display = ["expires_at", "page", "set_aside", "spent", "state", "channel", "cause", "created_at"]
    list_display_links = None
    filterset_class = HoldFilter
    list_select_related = ["wallet__member", "channel"]
    ordering = ["expires_at", "id"]

    @admin.display(description=_("set aside"))
    def set_aside(self, hold: Hold) -> str:
        return count(hold.points)

    @admin.display(description=_("captured"))
    def spent(self, hold: Hold) -> str:
        return count(hold.captured)
