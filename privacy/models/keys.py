"""Which keys this database was written with."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeyProof(models.Model):
    """A fingerprint of a key, so that a wrong key is noticed at start and not at the first phone."""

    key_id = models.CharField(_("key"), max_length=255, primary_key=True)
    fingerprint = models.BinaryField(_("fingerprint"), max_length=16)
    first_used_at = models.DateTimeField(_("first used at"), auto_now_add=True)

    class Meta:
        verbose_name = _("proof of a key")
        verbose_name_plural = _("proofs of keys")

    def __str__(self) -> str:
        return self.key_id
