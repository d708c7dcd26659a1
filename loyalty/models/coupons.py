"""Coupons: one row each, whoever holds it, and everything that happened to it (B6).

What a campaign's coupons are worth stands in the programme version they were issued under. A coupon is
used at most once at a time, and a campaign issues no more than its quota: both are constraints here.

The row says what was issued, and never changes in that; what happened since is in its moves. A million
printed codes are a million rows and nothing else, so unused codes cost as little as they can.
"""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.programme import ProgrammeVersion
from members.models import Channel, Member, Order, Store


class CouponBatch(models.Model):
    """Unique codes made or imported together, to be printed or handed to a partner."""

    class Source(models.TextChoices):
        GENERATED = "generated", _("Generated")
        IMPORTED = "imported", _("Imported")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    # Names the uploaded file on disk.
    key = models.UUIDField(default=uuid4, editable=False, unique=True)
    campaign = models.CharField(_("campaign"), max_length=50)
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", verbose_name=_("programme")
    )
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    # Codes to be made; of a file, its lines as counted at the upload, which may be more than its rows.
    wanted = models.PositiveIntegerField(_("codes wanted"))
    read = models.PositiveIntegerField(_("rows read"), default=0)
    made = models.PositiveIntegerField(_("codes made"), default=0)
    same = models.PositiveIntegerField(_("codes known before"), default=0)
    rejected = models.PositiveIntegerField(_("codes rejected"), default=0)
    file_name = models.CharField(_("file"), max_length=200, blank=True)  # for display only; never a path
    file_digest = models.BinaryField(_("digest"), max_length=32, null=True, editable=False)
    problem = models.CharField(_("problem"), max_length=60, blank=True)  # code of the error
    note = models.CharField(_("note"), max_length=300, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("coupon batch")
        verbose_name_plural = _("coupon batches")
        constraints = [
            models.CheckConstraint(
                condition=Q(source="imported") | Q(made__lte=F("wanted")), name="coupon_batch_as_wanted"
            ),
            models.CheckConstraint(
                condition=Q(read=F("made") + F("same") + F("rejected")), name="coupon_batch_rows_add_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} #{self.pk}"

    @property
    def is_at_work(self) -> bool:
        """Whether a worker has it, or will have."""
        return self.state in (self.State.WAITING, self.State.RUNNING)


class CouponReject(models.Model):
    """A row of an imported file that became no coupon, and why."""

    batch = models.ForeignKey(
        CouponBatch, models.PROTECT, related_name="rejects", db_index=False, verbose_name=_("batch")
    )
    line = models.PositiveIntegerField(_("line"))
    # A reject code of members.cleaning or of loyalty.coupon_batches.
    code = models.CharField(_("reason"), max_length=40)
    value = models.CharField(_("value"), max_length=64)

    class Meta:
        verbose_name = _("rejected code")
        verbose_name_plural = _("rejected codes")
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="coupon_reject_once_a_row")]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.line}: {self.code}"


class Coupon(models.Model):
    """One coupon. Without a member it belongs to whoever bears its code, and to who takes it for an order."""

    class State(models.TextChoices):
        ISSUED = "issued", _("Issued")
        LOCKED = "locked", _("Locked for an order")
        USED = "used", _("Used")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    campaign = models.CharField(_("campaign"), max_length=50)
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    # As loyalty.coupon_codes writes it: upper case, nothing between the characters.
    code = models.CharField(_("code"), max_length=32)
    # The how-manieth of its campaign, and of its member there: quotas are checks on these two. What is
    # withdrawn keeps its number in the campaign, and no longer counts for its member.
    number = models.PositiveIntegerField(_("number in the campaign"))
    quota = models.PositiveIntegerField(_("quota"), null=True)
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="coupons", db_index=False, verbose_name=_("member")
    )
    member_number = models.PositiveIntegerField(_("number for the member"), null=True)
    per_member = models.PositiveIntegerField(_("limit per member"), null=True)
    # Issued to nobody: who locks or uses it has it, and a release gives it up again.
    is_bearer = models.BooleanField(_("for the bearer"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ISSUED)
    # What made it, for ever unique: `milestone:twelve:17:2026`. Codes of a batch have their batch instead.
    cause = models.CharField(_("cause"), max_length=260, blank=True, default="")
    why = models.JSONField(_("why"), default=dict)
    batch = models.ForeignKey(
        CouponBatch,
        models.PROTECT,
        null=True,
        related_name="coupons",
        db_index=False,
        verbose_name=_("batch"),
    )
    order = models.ForeignKey(
        Order,
        models.PROTECT,
        null=True,
        related_name="coupons_given",
        db_index=False,
        verbose_name=_("given for order"),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    valid_from = models.DateTimeField(_("valid from"), null=True)
    valid_until = models.DateTimeField(_("valid until"), null=True)
    # Whose lock it is: one order of one channel.
    locked_channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("locked by")
    )
    locked_order_no = models.CharField(_("locked for order"), max_length=100, blank=True, default="")
    locked_until = models.DateTimeField(_("locked until"), null=True)
    # How many moves it has; the position of the last one.
    steps = models.PositiveIntegerField(_("steps"), default=0)
    issued_at = models.DateTimeField(_("issued"))

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        indexes = [
            models.Index(fields=["member", "id"], condition=Q(member__isnull=False), name="coupon_of_member"),
            models.Index(fields=["batch", "id"], condition=Q(batch__isnull=False), name="coupon_of_batch"),
            models.Index(fields=["order"], condition=Q(order__isnull=False), name="coupon_for_order"),
            # An order that is cancelled lets go of what was locked for it.
            models.Index(
                fields=["locked_channel", "locked_order_no"],
                condition=Q(state="locked"),
                name="coupon_locked_for",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["code"], name="coupon_code_once"),
            models.UniqueConstraint(fields=["cause"], condition=~Q(cause=""), name="coupon_once_per_cause"),
            models.UniqueConstraint(fields=["campaign", "number"], name="coupon_number_once"),
            models.CheckConstraint(
                condition=~Q(cause="") | Q(batch__isnull=False), name="coupon_has_a_cause"
            ),
            models.CheckConstraint(
                condition=Q(quota=None) | Q(number__gte=1, number__lte=F("quota")),
                name="coupon_within_quota",
            ),
            models.UniqueConstraint(
                fields=["campaign", "member", "member_number"],
                condition=Q(member__isnull=False),
                name="coupon_member_number_once",
            ),
            models.CheckConstraint(
                condition=Q(per_member=None) | Q(member=None) | Q(member_number__lte=F("per_member")),
                name="coupon_within_limit_per_member",
            ),
            models.CheckConstraint(
                condition=Q(member=None, member_number=None)
                | Q(member__isnull=False, member_number__gte=1)
                | Q(member__isnull=False, state="withdrawn"),
                name="coupon_of_a_member_is_counted",
            ),
            models.CheckConstraint(
                condition=Q(member__isnull=False) | Q(is_bearer=True), name="coupon_is_somebodys"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="locked", locked_until__isnull=False, locked_channel__isnull=False)
                    & ~Q(locked_order_no="")
                )
                | (~Q(state="locked") & Q(locked_until=None, locked_channel=None, locked_order_no="")),
                name="coupon_lock_names_its_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.number}"


class CouponUse(models.Model):
    """A coupon that paid part of an order, on record forever; returned when the order is undone."""

    coupon = models.ForeignKey(Coupon, models.PROTECT, related_name="uses", verbose_name=_("coupon"))
    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", db_index=False, verbose_name=_("channel")
    )
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("store")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("member")
    )
    order_no = models.CharField(_("order number"), max_length=100)
    # Yuan off the goods and off the postage, where the basket was told; and what of the basket it counted.
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=2, null=True)
    postage = models.DecimalField(_("off the postage"), max_digits=12, decimal_places=2, null=True)
    counted = models.DecimalField(_("amount counted"), max_digits=12, decimal_places=2, null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    used_at = models.DateTimeField(_("used"))
    returned_at = models.DateTimeField(_("returned"), null=True)

    class Meta:
        verbose_name = _("use of a coupon")
        verbose_name_plural = _("uses of coupons")
        indexes = [models.Index(fields=["channel", "order_no"], name="coupon_use_by_order")]
        constraints = [
            models.UniqueConstraint(
                fields=["coupon"], condition=Q(returned_at=None), name="coupon_used_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id}: {self.order_no}"


class CouponMove(models.Model):
    """One thing that happened to a coupon after it was issued, with who and why. Forever (B14)."""

    class Kind(models.TextChoices):
        LOCKED = "locked", _("Locked for an order")
        RELEASED = "released", _("Released")
        USED = "used", _("Used")
        RETURNED = "returned", _("Returned")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        RESTORED = "restored", _("Brought again")

    coupon = models.ForeignKey(
        Coupon, models.PROTECT, related_name="moves", db_index=False, verbose_name=_("coupon")
    )
    position = models.PositiveIntegerField(_("step"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    order_no = models.CharField(_("order number"), max_length=100, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    why = models.JSONField(_("why"), default=dict)
    happened_at = models.DateTimeField(_("happened"))

    class Meta:
        verbose_name = _("coupon's history")
        verbose_name_plural = _("coupons' history")
        constraints = [
            models.UniqueConstraint(fields=["coupon", "position"], name="coupon_history_no_gap_no_fork"),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id} {self.kind}"
