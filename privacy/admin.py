"""The console's read-only lists of this app."""

from django.contrib import admin

from privacy.lists import ReadOnlyAdmin
from privacy.models import AccessRecord, ConsentEvent, Notice


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
