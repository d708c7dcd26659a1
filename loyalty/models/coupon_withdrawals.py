"""Withdrawals of whole batches of coupon codes: who wanted it, why, and how far it is (B6)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.coupons import CouponBatch


class CouponWithdrawal(models.Model):
    """The unused codes of a batch are taken out of use. Each of them has a move of its own that says so."""

    batch = models.ForeignKey(
        CouponBatch, models.PROTECT, related_name="withdrawals", verbose_name=_("batch")
    )
    reason = models.CharField(_("reason"), max_length=300)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    # Up to which coupon the worker has looked, so that one who was killed goes on where it stopped.
    last_id = models.BigIntegerField(_("last coupon"), default=0)
    withdrawn = models.PositiveIntegerField(_("withdrawn"), default=0)
    kept = models.PositiveIntegerField(_("kept, as used or locked"), default=0)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("withdrawal of a batch")
        verbose_name_plural = _("withdrawals of batches")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch"], condition=Q(done_at=None), name="coupon_batch_withdrawn_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.withdrawn}"

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has it, or will have."""
        return self.done_at is None
