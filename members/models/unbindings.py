"""Accounts that were unbound by us, and not by their channel (A2)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.people import Account, Member


class Unbinding(models.Model):
    """Somebody of ours ended an account: who, when and why. Kept forever, also when it is bound again."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="unbindings", verbose_name=_("account"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="unbindings", verbose_name=_("member"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=300)
    at = models.DateTimeField(_("unbound"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("unbinding")
        verbose_name_plural = _("unbindings")
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="unbinding_says_why")]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.pk}"
