"""Lists of channels, stores and the keys of the API."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from members.models import ApiKey, Channel, Store
from privacy.lists import ReadOnlyAdmin


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    list_display = ["name", "code", "platform", "brand", "verified", "is_active", "created_at"]
    list_filter = ["platform", "is_active"]
    ordering = ["code"]

    @admin.display(description=_("vouches for"))
    def verified(self, channel: Channel) -> str:
        return ", ".join(channel.vouches_for)


@admin.register(Store)
class StoreAdmin(ReadOnlyAdmin):
    list_display = ["name", "code", "channel", "province", "city", "is_active"]
    list_filter = ["channel", "is_active"]
    list_select_related = ["channel"]
    ordering = ["channel", "code"]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys by their prefix; a secret was shown once and is nowhere."""

    list_display = ["prefix", "channel", "staff", "granted", "rate", "expires_at", "revoked_at", "created_at"]
    list_filter = ["channel"]
    list_select_related = ["channel", "staff"]
    exclude = ["digest"]
    ordering = ["-id"]

    @admin.display(description=_("scopes"))
    def granted(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)
