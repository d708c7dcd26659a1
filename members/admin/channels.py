"""Lists of channels, stores and the keys of the API."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from members.admin.configured import ConfiguredAdmin, StoreSheet
from members.filters import ApiKeyFilter, ChannelFilter, StoreFilter
from members.models import ApiKey, Channel, Identifier, Scope, Store
from privacy import roles
from privacy.lists import NarrowedAdmin, ReadOnlyAdmin


class StoreInline(TabularInline):
    """The stores of a channel, added and renamed in its form."""

    model = Store
    extra = 0
    can_delete = False
    fields = ["code", "name", "province", "city", "is_active"]


@admin.register(Channel)
class ChannelAdmin(NarrowedAdmin):
    """Channels are made and renamed here; a code, once orders hang on it, stays."""

    inlines = [StoreInline]
    warn_unsaved_form = True
    verb = "channels.manage"
    fields = [
        "name",
        "code",
        "platform",
        "brand",
        "vouches_for",
        "owner",
        "way_in",
        "is_active",
        "connection",
    ]
    list_display = ["name", "code", "platform", "brand", "verified", "is_active", "created_at"]
    filterset_class = ChannelFilter
    ordering = ["code"]

    @admin.display(description=_("vouches for"))
    def verified(self, channel: Channel) -> str:
        words = dict(Identifier.Kind.choices)
        return ", ".join(str(words.get(kind, kind)) for kind in channel.vouches_for)

    @admin.display(description=_("connection"))
    def connection(self, channel: Channel) -> str:
        """The way to the credentials of its platform."""
        if channel._state.adding:
            return "–"
        address = reverse("inbox:credentials", args=[channel.code])
        return format_html('<a class="sk-link" href="{}">{}</a>', address, _("Address and credentials"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The way to the credentials is for who may write them."""
        found = super().get_fields(request, obj)
        return [name for name in found if name != "connection" or roles.can(request.user, self.verb)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["code", "platform", "connection"] if obj else ["connection"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return roles.can(request.user, self.verb)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.can(request.user, self.verb)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Store)
class StoreAdmin(ConfiguredAdmin):
    """Stores, one by one or by a sheet."""

    verb = "channels.manage"
    resource_classes = [StoreSheet]
    list_display = ["name", "code", "channel", "province", "city", "is_active"]
    filterset_class = StoreFilter
    list_select_related = ["channel"]
    ordering = ["channel", "code"]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys by their prefix; a secret was shown once and is nowhere."""

    list_display = ["prefix", "channel", "staff", "granted", "rate", "expires_at", "revoked_at", "created_at"]
    filterset_class = ApiKeyFilter
    list_select_related = ["channel", "staff"]
    exclude = ["digest"]
    ordering = ["-id"]

    @admin.display(description=_("scopes"))
    def granted(self, key: ApiKey) -> str:
        words = dict(Scope.choices)
        return ", ".join(str(words.get(scope, scope)) for scope in key.scopes)
