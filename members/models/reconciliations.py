"""Reconciliations: what a channel holds of one day against what we hold (A16)."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from members.models.orders import Order
from privacy.fields import SealedModel, SealedTextField


def _told_yuan(label: object) -> "models.DecimalField[Decimal | None, Decimal | None]":
    return models.DecimalField(label, max_digits=16, decimal_places=2, null=True)  # type: ignore[arg-type]


class Reconciliation(models.Model):
    """One comparison of a channel's orders of one day with ours; a day may be compared again and again.

    The day is that in China on which an order was placed: whatever becomes of an order, it stays of that day.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be compared")  # its file is still to be read
        TELLING = "telling", _("Being told")  # a channel that sends its rows by API has more
        DONE = "done", _("Compared")
        REFUSED = "refused", _("Could not be read")

    class Way(models.TextChoices):
        FILE = "file", _("File")
        ROWS = "rows", _("API, order by order")
        TOTALS = "totals", _("API, totals alone")

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="reconciliations", db_index=False, verbose_name=_("channel")
    )
    day = models.DateField(_("day"))
    way = models.CharField(_("way"), max_length=10, choices=Way.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    # Names the uploaded file on disk; the days of one file share it.
    upload = models.UUIDField(null=True, editable=False, db_index=True)
    file_name = models.CharField(_("file"), max_length=200, blank=True)  # for display only; never a path
    format = models.CharField(_("format"), max_length=40, blank=True)
    # The file tells states and times, so that what it says of an order can be taken in.
    is_applicable = models.BooleanField(default=False)
    rejected = models.JSONField(_("rejected rows"), default=list)  # the first, as {line, column, code}
    rows_rejected = models.PositiveIntegerField(_("rejected rows"), default=0)
    rows_of_other_days = models.PositiveIntegerField(_("orders of other days"), default=0)
    problem = models.CharField(_("problem"), max_length=60, blank=True)  # code of the error
    problem_details = models.JSONField(default=dict)
    # As {"orders": 3, "net": "12.00", "paid": …, "refunded": …}; null for what the channel did not tell.
    theirs = models.JSONField(_("what the channel holds"), default=dict)
    ours = models.JSONField(_("what we held"), default=dict)
    ours_after = models.JSONField(_("what we hold since"), default=dict)
    found = models.JSONField(_("differences by kind"), default=dict)
    unattached = models.PositiveIntegerField(_("orders of nobody"), default=0)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    created_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    compared_at = models.DateTimeField(_("compared"), null=True)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ["-id"]
        indexes = [models.Index(fields=["channel", "-day", "-id"], name="reconciliation_of_day")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="done", compared_at__isnull=False)
                | ~Q(state="done") & Q(compared_at__isnull=True),
                name="reconciliation_done_was_compared",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.day}"

    @property
    def is_at_work(self) -> bool:
        """Whether a page about it should ask again soon."""
        return self.state == self.State.WAITING


class ReconciliationRow(SealedModel):
    """One order as the channel holds it, until it is compared; one that differs stays until it is settled."""

    run = models.ForeignKey(Reconciliation, models.PROTECT, related_name="rows", db_index=False)
    order_no = models.CharField(_("order number"), max_length=64)
    status = models.CharField(_("status"), max_length=10, choices=Order.Status.choices, null=True)
    net = _told_yuan(_("net"))
    paid = _told_yuan(_("paid"))
    refunded = _told_yuan(_("refunded"))
    # The whole fact of the file, kept only of an order that differs, to be taken in if somebody says so.
    payload = SealedTextField()

    class Meta:
        verbose_name = _("order of the channel")
        verbose_name_plural = _("orders of the channel")
        constraints = [models.UniqueConstraint(fields=["run", "order_no"], name="reconciliation_row_once")]

    def __str__(self) -> str:
        return self.order_no


class ReconciliationDifference(models.Model):
    """One way in which an order is not the same there and here, and what became of that."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", _("Missing here")
        MISSING_THERE = "missing_there", _("Missing there")
        STATUS = "status", _("State differs")
        AMOUNT = "amount", _("Amount differs")
        REFUNDED = "refunded", _("Refunded differs")
        TOTALS = "totals", _("Totals differ")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        TAKEN = "taken", _("Taken in from the channel")
        TOLD = "told", _("Told the channel again")
        ACCEPTED = "accepted", _("Accepted")
        GONE = "gone", _("Gone by itself")
        AGAIN = "again", _("Found again later")

    run = models.ForeignKey(Reconciliation, models.PROTECT, related_name="differences", db_index=False)
    kind = models.CharField(_("difference"), max_length=15, choices=Kind.choices)
    order_no = models.CharField(_("order number"), max_length=64, blank=True)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.CharField(_("status there"), max_length=10, choices=Order.Status.choices, null=True)
    net = _told_yuan(_("net there"))
    paid = _told_yuan(_("paid there"))
    refunded = _told_yuan(_("refunded there"))
    our_status = models.CharField(_("status"), max_length=10, choices=Order.Status.choices, null=True)
    our_net = _told_yuan(_("net"))
    our_paid = _told_yuan(_("paid"))
    our_refunded = _told_yuan(_("refunded"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("settled by"),
    )
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["run", "order_no", "kind"]
        indexes = [
            # What a page counts, and what the next comparison of the day closes.
            models.Index(fields=["run"], condition=Q(state="open"), name="difference_open_of_run"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "order_no", "kind"], name="difference_once"),
            models.CheckConstraint(
                condition=~Q(state="accepted") | ~Q(reason=""), name="difference_accepted_with_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(state="open", settled_at__isnull=True)
                | ~Q(state="open") & Q(settled_at__isnull=False),
                name="difference_settled_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.order_no} {self.kind}"
