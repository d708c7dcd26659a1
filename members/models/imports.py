"""Imports: a file on its way in, what it holds until it is applied, and what could not be used (E2, E4)."""

from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from privacy.fields import SealedModel, SealedTextField

ZERO = Decimal("0.00")


def _count(label: object) -> "models.IntegerField[int, int]":
    return models.IntegerField(label, default=0)  # type: ignore[arg-type]


def _yuan(label: object) -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(label, max_digits=16, decimal_places=2, default=ZERO)  # type: ignore[arg-type]


class ColumnMapping(models.Model):
    """Which column means what, as somebody once said for files of one channel with these very columns."""

    channel = models.ForeignKey(
        Channel, models.CASCADE, related_name="column_mappings", db_index=False, verbose_name=_("channel")
    )
    headers_digest = models.BinaryField(max_length=32, editable=False)
    mapping = models.JSONField(_("columns"))
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("chosen by")
    )
    chosen_at = models.DateTimeField(_("chosen"), db_default=Now())

    class Meta:
        verbose_name = _("choice of columns")
        verbose_name_plural = _("choices of columns")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "headers_digest"], name="column_mapping_once_per_header"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.pk}"


class ImportRun(models.Model):
    """One file of one channel: from upload over preview to report.

    Rows are lines of the file; facts are what they tell (an order may stand in several rows).
    Every row is counted exactly once, at every moment; the database holds that.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be read")
        READING = "reading", _("Being read")
        COLUMNS = "columns", _("Columns to be chosen")
        READY = "ready", _("Ready to import")
        QUEUED = "queued", _("Waiting to be imported")
        APPLYING = "applying", _("Being imported")
        STOPPED = "stopped", _("Stopped")
        DONE = "done", _("Imported")
        REFUSED = "refused", _("Could not be read")
        DISCARDED = "discarded", _("Discarded")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", pgettext_lazy("of an import", "Undone")

    # Names the file on disk and is part of every staged fact's seal.
    key = models.UUIDField(default=uuid4, editable=False, unique=True)
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="imports", db_index=False, verbose_name=_("channel")
    )
    file_name = models.CharField(_("file"), max_length=200)  # for display only; never a path
    file_size = models.BigIntegerField(_("size in bytes"), default=0)
    file_digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    file_lines = models.IntegerField(_("lines"), default=0)  # line ends counted at upload, for the bar
    file_erased_at = models.DateTimeField(_("file erased"), null=True)
    format = models.CharField(_("format"), max_length=40, blank=True)
    # The person named the format; the columns are then not asked.
    is_format_chosen = models.BooleanField(default=False)
    kind = models.CharField(_("kind"), max_length=20, blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    headers = models.JSONField(_("columns"), default=list)
    mapping = models.JSONField(_("chosen columns"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    problem = models.CharField(_("problem"), max_length=60, blank=True)  # code of the error
    problem_details = models.JSONField(default=dict)
    stop_asked = models.BooleanField(default=False)
    is_dry = models.BooleanField(_("dry run"), default=False)
    # The file of members of a package (LegacyRun): it goes in with the package and never alone.
    is_of_package = models.BooleanField(default=False)

    rows_read = _count(_("rows"))
    rows_new = _count(_("new rows"))
    rows_changed = _count(_("changed rows"))
    rows_same = _count(_("same rows"))
    rows_rejected = _count(_("rejected rows"))
    rows_ignored = _count(_("ignored rows"))
    rows_left = _count(_("rows left"))
    facts_read = _count(_("entries"))
    facts_new = _count(_("new entries"))
    facts_changed = _count(_("changed entries"))
    facts_same = _count(_("same entries"))
    facts_rejected = _count(_("rejected entries"))
    facts_left = _count(_("entries left"))
    ignored = models.JSONField(_("ignored rows by reason"), default=dict)
    cells_left_out = _count(_("cells left out"))
    money_net = _yuan(_("net"))
    money_postage = _yuan(_("postage"))
    money_refunded = _yuan(_("refunded"))
    points_earned = models.BigIntegerField(_("points earned"), default=0)
    points_taken = models.BigIntegerField(_("points taken back"), default=0)
    # Counts and sums as they would be, and which staged facts the page shows; no personal data.
    preview = models.JSONField(default=dict)
    totals_before = models.JSONField(default=dict)
    totals_after = models.JSONField(default=dict)

    # Facts up to here are applied: a killed run goes on after them.
    applied_time = models.DateTimeField(null=True)
    applied_sequence = models.IntegerField(default=0)

    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    created_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    applied_from = models.DateTimeField(_("import began"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    # What became of what it had made new, when it was undone.
    facts_undone = _count(_("entries taken back"))
    facts_kept = _count(_("entries told anew since, and kept"))
    points_undone = models.BigIntegerField(_("points taken back by undoing"), default=0)
    totals_undone = models.JSONField(default=dict)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        indexes = [models.Index(fields=["channel", "-id"], name="import_of_channel_latest_first")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    rows_read=F("rows_new")
                    + F("rows_changed")
                    + F("rows_same")
                    + F("rows_rejected")
                    + F("rows_ignored")
                    + F("rows_left")
                ),
                name="import_rows_add_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    facts_read=F("facts_new")
                    + F("facts_changed")
                    + F("facts_same")
                    + F("facts_rejected")
                    + F("facts_left")
                ),
                name="import_facts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(rows_left__gte=0, facts_left__gte=0), name="import_counts_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.file_name}"

    @property
    def is_at_work(self) -> bool:
        """Whether a page about it should ask again soon."""
        at_work = (State.WAITING, State.READING, State.QUEUED, State.APPLYING, State.UNDOING)
        return self.state in at_work


State = ImportRun.State


class StagedFact(SealedModel):
    """One fact of a file that has been read and not yet applied; gone when its run is done."""

    # Runs are never deleted (import_run_is_never_deleted), and a million facts would each look up the same.
    run = models.ForeignKey(
        ImportRun, models.CASCADE, related_name="staged", db_index=False, db_constraint=False
    )
    sequence = models.IntegerField()  # place in the file
    # What it tells of: an order by its number, with a refund's number, or an account by its index.
    number = models.CharField(max_length=64, default="")
    refund_number = models.CharField(max_length=64, default="")
    # The index of the account, or of an order's buyer; empty when nothing says who it is.
    account_index = models.BinaryField(max_length=32, default=b"")
    digest = models.BinaryField(max_length=32)
    happened_at = models.DateTimeField()  # far in the future when not told: it comes last
    lines = ArrayField(models.IntegerField())
    net = _yuan(_("net"))
    postage = _yuan(_("postage"))
    refunded = _yuan(_("refunded"))
    payload = SealedTextField()

    class Meta:
        verbose_name = _("staged entry")
        verbose_name_plural = _("staged entries")
        constraints = [
            # A file is applied in the order in which things happened, and this index is that order.
            models.UniqueConstraint(fields=["run", "happened_at", "sequence"], name="staged_fact_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}#{self.sequence}"


class ImportMade(models.Model):
    """What one chunk of a run made new, as it stood then; gone when it is undone, or too late for that."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="made", db_constraint=False)
    rows = ArrayField(models.BigIntegerField())  # of orders, or of accounts
    digests = ArrayField(models.BinaryField(max_length=32))

    class Meta:
        verbose_name = _("what an import made")
        verbose_name_plural = _("what imports made")

    def __str__(self) -> str:
        return f"{self.run_id}#{self.pk}"


class ImportReject(models.Model):
    """A row that could not be used, or a cell left out of a row that was; the value is masked."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rejects", db_index=False)
    line = models.IntegerField(_("line"))
    column = models.CharField(_("column"), max_length=100, blank=True)
    code = models.CharField(_("code"), max_length=60)
    details = models.JSONField(default=dict)
    value = models.CharField(_("value"), max_length=60, blank=True)
    is_row_kept = models.BooleanField(_("row kept"), default=False)

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        ordering = ["run", "line", "id"]
        indexes = [models.Index(fields=["run", "is_row_kept", "line"], name="reject_of_run_by_line")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.line} {self.code}"
