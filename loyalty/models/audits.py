"""Runs of the ledger's proofs, as a page shows them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditRun(models.Model):
    """One run of `audit_ledger`: how much was looked at, how long it took, what was found. Forever."""

    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    entries = models.BigIntegerField(_("entries"))
    wallets = models.BigIntegerField(_("wallets"))
    # Each law's query: {name, law, seconds, violations}.
    laws = models.JSONField(_("laws"), default=list)
    violations = models.JSONField(_("violations"), default=list)
    # What of the chain was anchored outside the database, and whether earlier anchors still fit.
    anchor = models.JSONField(_("anchor"), default=dict)

    class Meta:
        verbose_name = _("run of the audit")
        verbose_name_plural = _("runs of the audit")
        indexes = [models.Index(fields=["-started_at"], name="audit_run_latest_first")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
