"""Who saw or took which personal data, when and why (D7)."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _


class AccessRecord(models.Model):
    """One look at personal data. Never changed and never deleted (access_record_is_forever)."""

    class Action(models.TextChoices):
        REVEAL = "reveal", _("Revealed in clear")
        VIEW = "view", _("Viewed, masked")
        SEARCH = "search", _("Searched")
        LIST = "list", _("Listed")
        EXPORT = "export", _("Exported")

    recorded_at = models.DateTimeField(
        _("recorded at"),
        # The instant of the insert, not of the transaction: a long export is not backdated.
        db_default=Func(function="clock_timestamp", output_field=models.DateTimeField()),
        editable=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("member of staff"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    actor_label = models.CharField(_("seen by"), max_length=150)
    channel = models.CharField(_("channel"), max_length=64, null=True, blank=True)
    action = models.CharField(_("action"), max_length=16, choices=Action.choices)
    model = models.CharField(_("kind of record"), max_length=100)
    member = models.ForeignKey(
        "members.Member",
        verbose_name=_("member"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    subjects = models.JSONField(_("records"), default=list, help_text=_("Keys of the records seen"))
    fields = models.JSONField(_("fields"), default=list)
    reason = models.TextField(_("reason"), blank=True)
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    ip = models.CharField(_("network"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("access record")
        verbose_name_plural = _("access records")
        indexes = [
            models.Index(fields=["member", "-recorded_at"], name="access_record_by_member"),
            models.Index(fields=["actor", "-recorded_at"], name="access_record_by_actor"),
            models.Index(fields=["-recorded_at"], name="access_record_by_time"),
            # A breach asks in which lists and exports somebody was (art. 57).
            GinIndex(fields=["subjects"], name="access_record_by_subject", opclasses=["jsonb_path_ops"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(action="reveal") | ~Q(reason=""), name="access_record_reveal_has_reason"
            ),
            models.CheckConstraint(condition=~Q(actor_label=""), name="access_record_names_an_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.recorded_at:%Y-%m-%d %H:%M} {self.actor_label} {self.get_action_display()}"
