"""Approvals: what one person asks and another lets happen (D6). What was approved is what runs."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Approval(models.Model):
    """One request. What it asks is frozen, and decided once; who decides is neither maker nor beneficiary."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")
        EXPIRED = "expired", _("Expired")
        WITHDRAWN = "withdrawn", _("Withdrawn by who asked")

    # A name of settings.APPROVABLE: which operation runs when it is approved.
    kind = models.CharField(_("kind"), max_length=40)
    change = models.JSONField(_("change"))
    # Keyed, over everything that is asked: who can write the table cannot make another change fit it.
    digest = models.BinaryField(_("digest of the change"), max_length=32, editable=False)
    # What the maker calls it, so that a form sent twice asks once; '' where nothing names it.
    cause = models.CharField(_("cause"), max_length=200, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=300)
    member = models.ForeignKey(
        "members.Member",
        models.PROTECT,
        null=True,
        related_name="approvals",
        verbose_name=_("member it is about"),
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    note = models.CharField(_("word of who decided"), max_length=300, blank=True, default="")
    result = models.JSONField(_("result"), default=dict)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(state="waiting"), name="approval_waiting"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "cause"], condition=~Q(cause=""), name="approval_asked_once_per_cause"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="approval_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by=None, decided_at=None)
                | Q(state__in=["approved", "refused"], decided_by__isnull=False, decided_at__isnull=False)
                | Q(state__in=["expired", "withdrawn"], decided_by=None, decided_at__isnull=False),
                name="approval_decided_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
