"""The path a member takes through the tiers, step by step."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.points import Wallet
from loyalty.models.programme import ProgrammeVersion


class TierChange(models.Model):
    """One step up or down, with its reason and the numbers behind it. Forever."""

    class Reason(models.TextChoices):
        QUALIFIED = "qualified", _("Qualified")
        LAPSED = "lapsed", _("Did not keep the tier")
        REFUND = "refund", _("A refund undid the qualification")
        PROGRAMME = "programme", _("The programme changed")

    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="tier_changes", db_index=False, verbose_name=_("wallet")
    )
    position = models.PositiveIntegerField(_("step"))
    before = models.CharField(_("from tier"), max_length=50)
    after = models.CharField(_("to tier"), max_length=50)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    why = models.JSONField(_("why"), default=dict)
    programme = models.ForeignKey(
        ProgrammeVersion,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("programme"),
    )
    valid_until = models.DateTimeField(_("valid until"), null=True)
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("tier change")
        verbose_name_plural = _("tier changes")
        ordering = ["wallet", "position"]
        constraints = [
            models.UniqueConstraint(fields=["wallet", "position"], name="tier_path_no_gap_no_fork"),
            models.CheckConstraint(condition=~Q(before=models.F("after")), name="tier_change_changes_tier"),
        ]

    def __str__(self) -> str:
        return f"{self.before}→{self.after}"
