"""The programme, version after version. What was published is never edited (B1-B5)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ProgrammeVersion(models.Model):
    """One version of the programme, as the programme file (docs/programme.md)."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    code = models.SlugField(_("programme"), max_length=50, default="main")
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    document = models.JSONField(_("document"))
    effective_from = models.DateTimeField(_("effective from"), null=True)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("drafted by")
    )
    # Everybody who had a hand in the draft, by id: none of them is the second person who publishes it.
    drafters = models.JSONField(_("edited by"), default=list)
    drafted_at = models.DateTimeField(_("drafted"), db_default=Now(), editable=False)
    # The author is done and asks for a second person's look; any further edit takes it back.
    ready_at = models.DateTimeField(_("ready for review"), null=True)
    ready_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("ready, says")
    )
    # Why it was sent back: for the author, until it is ready again.
    sent_back = models.CharField(_("sent back because"), max_length=300, blank=True, default="")
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("published by")
    )
    published_at = models.DateTimeField(_("published"), null=True)
    # A second person publishes; who publishes alone gives a reason, and it stays on record (D6).
    break_glass_reason = models.CharField(_("published alone because"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("programme version")
        verbose_name_plural = _("programme versions")
        ordering = ["code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="programme_version_once"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(state="draft"), name="programme_one_draft_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", published_at=None)
                | Q(state="published", published_at__isnull=False, effective_from__isnull=False),
                name="programme_published_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(ready_by=None) | Q(ready_at__isnull=False), name="programme_ready_has_its_time"
            ),
            models.CheckConstraint(
                condition=Q(published_by=None)
                | Q(drafted_by=None)
                | ~Q(published_by=F("drafted_by"))
                | ~Q(break_glass_reason=""),
                name="programme_published_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.number}"
