"""The console's read-only lists of this app."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from privacy.models import AccessRecord, ConsentEvent, Notice


class ReadOnlyAdmin(ModelAdmin):
    """A list that shows and never edits; facts change by named actions."""

    show_full_result_count = False  # these tables only grow
    list_filter_sheet = True
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "actor_label", "action", "model", "member", "fields", "reason"]
    list_filter = ["action", "model", "recorded_at"]
    list_select_related = ["member"]
    search_fields = ["=actor_label", "=request_id"]
    ordering = ["-recorded_at"]


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnlyAdmin):
    list_display = ["happened_at", "member", "purpose", "channel", "party", "granted", "method", "source"]
    list_filter = ["purpose", "channel", "granted", "method"]
    list_select_related = ["member"]
    search_fields = ["=receipt"]
    ordering = ["-happened_at"]


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["title", "kind", "version", "language", "effective_from", "published_at"]
    list_filter = ["kind", "language"]
    ordering = ["kind", "-effective_from"]
