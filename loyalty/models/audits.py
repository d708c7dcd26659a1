"""Runs of the ledger's proofs as a page shows them, and the balances of the days that they go by."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.points import Wallet


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


class Closing(models.Model):
    """A day of the ledger was closed: every balance that had moved was written down as of then. Forever."""

    # A local midnight. What was recorded up to it is in the closing; by the recorded clock, never the demo's.
    as_of = models.DateTimeField(_("as of"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("closing")
        verbose_name_plural = _("closings")
        constraints = [models.UniqueConstraint(fields=["as_of"], name="closing_once_per_instant")]

    def __str__(self) -> str:
        return f"{self.as_of:%Y-%m-%d %H:%M}"


class ClosingBalance(models.Model):
    """What a wallet that had moved since the closing before held at a closing. Forever.

    One statement writes them for all wallets, off the entries: neither key is looked up again for each of a
    million rows (`db_constraint=False`), and the audit finds a row whose entry or closing is not there.
    """

    closing = models.ForeignKey(
        Closing,
        models.PROTECT,
        related_name="balances",
        db_index=False,
        db_constraint=False,
        verbose_name=_("closing"),
    )
    wallet = models.ForeignKey(
        Wallet,
        models.PROTECT,
        related_name="closing_balances",
        db_index=False,
        db_constraint=False,
        verbose_name=_("wallet"),
    )
    version = models.IntegerField(_("version"))
    balance = models.BigIntegerField(_("balance"))
    debt = models.BigIntegerField(_("debt"))

    class Meta:
        verbose_name = _("closing balance")
        verbose_name_plural = _("closing balances")
        constraints = [
            models.UniqueConstraint(fields=["closing", "wallet"], name="closing_balance_once_a_wallet")
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id}: {self.balance}"
