"""Packages: what an old system knew of its members, brought over together, and how it can go back (A16)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from members.models.imports import ImportRun
from members.models.people import Account


class LegacyRun(models.Model):
    """One package of files of one old system: from reading over the tie-out to the report, and back."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be read")
        READING = "reading", _("Being read")
        READY = "ready", _("Ready to migrate")
        QUEUED = "queued", _("Waiting to be migrated")
        APPLYING = "applying", _("Being migrated")
        STOPPED = "stopped", _("Stopped")
        DONE = "done", _("Migrated")
        UNDOING = "undoing", _("Being taken back")
        HALF_BACK = "half_back", _("Partly taken back")
        UNDONE = "undone", _("Taken back")
        REFUSED = "refused", _("Could not be read")
        DISCARDED = "discarded", _("Discarded")

    class Spent(models.TextChoices):
        """What becomes of what members have used of it, when a package is taken back."""

        REFUSE = "refuse", _("Take nothing back while anything was used")
        DEBT = "debt", _("What was used becomes debt")
        KEEP = "keep", _("What was used stays given")

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="packages", db_index=False, verbose_name=_("channel")
    )
    name = models.CharField(_("package"), max_length=200)  # for display only; never a path
    # By kind: the key of the file on disk, its name for display, and which column holds which field.
    files = models.JSONField(_("files"), default=dict)
    # What the old system says it all adds up to, and what the files that could be used add up to.
    expected = models.JSONField(_("control totals"), default=dict)
    told = models.JSONField(_("totals of the files"), default=dict)
    members_run = models.OneToOneField(
        ImportRun, models.PROTECT, null=True, related_name="package", verbose_name=_("file of members")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    spent = models.CharField(_("what was used"), max_length=10, choices=Spent.choices, blank=True)
    problem = models.CharField(_("problem"), max_length=60, blank=True)  # code of the error
    problem_details = models.JSONField(default=dict)
    stop_asked = models.BooleanField(default=False)
    is_dry = models.BooleanField(_("dry run"), default=False)
    totals_before = models.JSONField(default=dict)
    totals_after = models.JSONField(default=dict)
    totals_undone = models.JSONField(default=dict)
    taken_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("started by")
    )
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("taken back by")
    )
    created_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    applied_from = models.DateTimeField(_("migration began"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    undone_at = models.DateTimeField(_("taken back"), null=True)
    files_erased_at = models.DateTimeField(_("files erased"), null=True)

    class Meta:
        verbose_name = _("migration")
        verbose_name_plural = _("migrations")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["undoing", "half_back", "undone"]) | ~Q(spent=""),
                name="package_taken_back_says_what_of_the_used",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    @property
    def is_at_work(self) -> bool:
        """Whether a page about it should ask again soon."""
        busy = (self.State.WAITING, self.State.READING, self.State.QUEUED, self.State.APPLYING)
        return self.state in (*busy, self.State.UNDOING)


class LegacyRow(models.Model):
    """One row of a package: what it brings to which account, what became of it, and what was taken back.

    It stays for as long as what it brought: a lot, a tier, a coupon is explained by its row, and found by it
    when the package goes back. The buyer's old id is kept as a keyed index only.
    """

    class Kind(models.TextChoices):
        MEMBERS = "members", _("Members")
        TIERS = "tiers", _("Tiers")
        LOTS = "lots", _("Lots")
        BALANCES = "balances", _("Balances")
        GROWTH = "growth", _("Growth value")
        COUPONS = "coupons", _("Coupons")
        CONSENTS = "consents", _("Consents")
        REFERRALS = "referrals", _("Referrals")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        NEW = "new", _("new")
        CHANGED = "changed", _("changed")
        SAME = "same", _("same")
        REJECTED = "rejected", _("rejected")
        UNDONE = "undone", _("taken back")

    run = models.ForeignKey(LegacyRun, models.PROTECT, related_name="rows", db_index=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("file"), max_length=10, choices=Kind.choices)
    place = models.SmallIntegerField()  # of the kind, in the order in which kinds are brought
    line = models.IntegerField(_("line"))
    account_index = models.BinaryField(max_length=32, default=b"")
    # The other member whom the row is about: who brought this one.
    other_index = models.BinaryField(max_length=32, default=b"")
    # Which of its kind of that account: a lot's number, a coupon's code.
    key = models.CharField(max_length=64, default="")
    # How often the same was brought and taken back before.
    again = models.IntegerField(default=0)
    amount = models.BigIntegerField(_("amount"), default=0)  # points, growth value, or 1
    document = models.JSONField(_("what it says"), default=dict)  # never personal data
    state = models.CharField(_("outcome"), max_length=10, choices=State.choices, default=State.WAITING)
    code = models.CharField(_("reason"), max_length=60, blank=True, default="")
    column = models.CharField(_("column"), max_length=100, blank=True, default="")
    value = models.CharField(_("value"), max_length=60, blank=True, default="")  # masked
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("account")
    )
    cause = models.CharField(_("cause"), max_length=260, blank=True, default="")
    made = models.BigIntegerField(null=True)  # the entry, tier event, growth entry, coupon, word or referrer
    taken = models.BigIntegerField(_("taken back"), default=0)
    kept = models.BigIntegerField(_("used meanwhile"), default=0)

    class Meta:
        verbose_name = _("row of a migration")
        verbose_name_plural = _("rows of migrations")
        indexes = [
            models.Index(fields=["run", "state", "place", "id"], name="legacy_row_next_of_run"),
            models.Index(fields=["channel", "kind", "account_index", "key"], name="legacy_row_of_account"),
            # Whose a coupon's code is, whichever package brought it.
            models.Index(fields=["key"], condition=Q(kind="coupons"), name="legacy_row_of_code"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "kind", "line"], name="legacy_row_once_a_line"),
            models.UniqueConstraint(
                fields=["channel", "kind", "account_index", "key"],
                condition=Q(state="new") & ~Q(kind="members"),
                name="legacy_brought_once",
            ),
            models.UniqueConstraint(
                fields=["cause"], condition=~Q(cause=""), name="legacy_row_once_per_cause"
            ),
            models.CheckConstraint(
                condition=~Q(state="new") | Q(account__isnull=False), name="legacy_row_brought_to_somebody"
            ),
            models.CheckConstraint(
                condition=Q(state="rejected") & ~Q(code="") | ~Q(state="rejected"),
                name="legacy_row_rejected_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(taken__gte=0, kept__gte=0) & Q(taken__lte=F("amount") - F("kept"))
                | Q(kind="members"),
                name="legacy_row_takes_back_no_more_than_it_brought",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.kind}:{self.line}"
