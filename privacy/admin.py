"""The console's read-only lists of this app."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from privacy import access
from privacy.filters import AccessRecordFilter, ConsentFilter, NoticeFilter
from privacy.lists import ReadOnlyAdmin
from privacy.models import AccessRecord, ConsentEvent, Notice
from privacy.models.consent import word_for


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyAdmin):
    list_display = ["recorded_at", "actor_label", "action", "kind", "member", "seen", "reason"]
    filterset_class = AccessRecordFilter
    list_select_related = ["member"]
    search_fields = ["=actor_label", "=request_id"]
    ordering = ["-recorded_at"]

    @admin.display(description=_("kind of record"), ordering="model")
    def kind(self, record: AccessRecord) -> str:
        return access.model_in_words(record.model)

    @admin.display(description=_("fields"))
    def seen(self, record: AccessRecord) -> str:
        return ", ".join(access.fields_in_words(record))


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnlyAdmin):
    list_display = ["happened_at", "member", "what_for", "way", "party", "granted", "method", "source"]
    fields = readonly_fields = [*list_display, "notice", "notice_version", "recorded_at", "actor", "receipt"]
    filterset_class = ConsentFilter
    list_select_related = ["member"]
    search_fields = ["=receipt"]
    ordering = ["-happened_at"]

    @admin.display(description=_("purpose"), ordering="purpose")
    def what_for(self, event: ConsentEvent) -> str:
        return word_for(event.purpose, ConsentEvent.Purpose)

    @admin.display(description=_("by way of"), ordering="channel")
    def way(self, event: ConsentEvent) -> str:
        return word_for(event.channel, ConsentEvent.Way)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ["title", "kind", "version", "language", "effective_from", "published_at"]
    filterset_class = NoticeFilter
    ordering = ["kind", "-effective_from"]
