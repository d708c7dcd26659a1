"""Quotes: what a basket would cost a member, offered for a while and committed at most once (B13)."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.programme import ProgrammeVersion
from members.models import Channel, Member, Store


class Quote(models.Model):
    """One offer. `plan` is what a commit carries out: benefit, coupons and points, with the lines of each."""

    key = models.UUIDField(default=uuid4, editable=False, unique=True)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="+", db_index=False, verbose_name=_("member")
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", db_index=False, verbose_name=_("channel")
    )
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("store")
    )
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    plan = models.JSONField(_("plan"))
    made_at = models.DateTimeField(_("made"))
    valid_until = models.DateTimeField(_("valid until"))
    committed_at = models.DateTimeField(_("committed"), null=True)
    order_no = models.CharField(_("order number"), max_length=100, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("quote")
        verbose_name_plural = _("quotes")
        indexes = [
            # The nightly sweep removes what nobody took up.
            models.Index(fields=["valid_until"], condition=Q(committed_at=None), name="quote_not_taken_up"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(committed_at=None, order_no="")
                | (Q(committed_at__isnull=False) & ~Q(order_no="")),
                name="quote_commit_names_its_order",
            ),
            models.CheckConstraint(
                condition=Q(committed_at=None) | Q(committed_at__lt=F("valid_until")),
                name="quote_committed_in_its_time",
            ),
            models.UniqueConstraint(
                fields=["channel", "order_no"],
                condition=Q(committed_at__isnull=False),
                name="quote_commits_an_order_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.key)
