"""The outbox: what the channels should know, written in the transaction that made it true (A14)."""

from django.db import models
from django.db.models import BigIntegerField, Func, TextField
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from members.models.people import Member

_THIS_TRANSACTION = Cast(Cast(Func(function="pg_current_xact_id"), TextField()), BigIntegerField())


class OutboxEvent(models.Model):
    """One change, told once. The payload is thin: ids and figures, never personal data."""

    topic = models.CharField(_("topic"), max_length=30)
    change = models.CharField(_("change"), max_length=60)  # names the change: `points:17:4`
    # Written beside the rows they name, in the same transaction, and those are never deleted: the database
    # need not look each of them up again for every change.
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    channel = models.ForeignKey(
        Channel,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("caused in channel"),
    )
    payload = models.JSONField(_("payload"), default=dict)
    # Ids are drawn before transactions commit, so a reader who pages by id alone can pass over a row that
    # becomes visible later. The transaction's own number tells which rows are final (members.changes).
    xid = models.BigIntegerField(_("transaction"), db_default=_THIS_TRANSACTION, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("outgoing change")
        verbose_name_plural = _("outgoing changes")
        indexes = [models.Index(fields=["xid", "id"], name="outbox_in_order")]
        constraints = [models.UniqueConstraint(fields=["topic", "change"], name="outbox_once_per_change")]

    def __str__(self) -> str:
        return f"{self.topic} {self.change}"
