"""How far the queues of platforms are emptied by us, and how that goes (A15)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel


class PlatformQueue(models.Model):
    """The queue in which a platform keeps messages for a channel, as we last found it."""

    channel = models.OneToOneField(
        Channel, models.PROTECT, primary_key=True, related_name="queue", verbose_name=_("channel")
    )
    last_success_at = models.DateTimeField(_("last success"), null=True)  # it answered, perhaps with nothing
    last_message_at = models.DateTimeField(_("last message"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    paused_until = models.DateTimeField(_("paused until"), null=True)
    error_code = models.CharField(_("reason"), max_length=60, blank=True, default="")
    # Messages that were left where they are when it was last asked: no channel here is their shop.
    foreign = models.PositiveIntegerField(_("messages of other shops"), default=0)

    class Meta:
        verbose_name = _("queue of a platform")
        verbose_name_plural = _("queues of platforms")
        constraints = [
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None, error_code="")
                | Q(failures__gt=0, failing_since__isnull=False) & ~Q(error_code=""),
                name="platform_queue_fails_since_and_why",
            )
        ]

    def __str__(self) -> str:
        return str(self.channel_id)
