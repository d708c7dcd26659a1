"""What a channel's platform and we tell each other to be believed: app ids, secrets, keyed hashes (A1)."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from privacy.fields import SealedModel, SealedTextField


class Credential(SealedModel):
    """One named credential of a channel. Sealed, written and never shown again."""

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="credentials", db_index=False, verbose_name=_("channel")
    )
    name = models.CharField(_("name of the credential"), max_length=30)
    value = SealedTextField(_("secret value"), null=False)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        constraints = [
            models.UniqueConstraint(fields=["channel", "name"], name="credential_once_per_channel")
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.name}"
