"""Rewards: what points can be exchanged for, what is on the shelf, and every claim's way (B8)."""

from django.conf import settings
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.coupons import Coupon
from loyalty.models.points import Entry
from loyalty.models.programme import ProgrammeVersion
from members.models import Channel, Member, Order, Store


class Shelf(models.Model):
    """How many of a reward there are, in all or for one points sale. `stock` NULL is without limit.

    `declared` is the stock that the programme said last: when a version says another one, the difference
    is put on the shelf. `stock` is the sum of the shelf's moves, `taken` the claims that stand on it.
    """

    reward = models.CharField(_("reward"), max_length=50)
    sale = models.CharField(_("points sale"), max_length=50, blank=True, default="")
    stock = models.PositiveIntegerField(_("stock"), null=True)
    taken = models.PositiveIntegerField(_("taken"), default=0)
    declared = models.PositiveIntegerField(_("stock by the programme"), null=True)

    class Meta:
        verbose_name = _("shelf")
        verbose_name_plural = _("shelves")
        constraints = [
            models.UniqueConstraint(fields=["reward", "sale"], name="shelf_once_per_reward"),
            models.CheckConstraint(
                condition=Q(stock=None) | Q(taken__lte=F("stock")), name="shelf_not_oversold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward} {self.sale}".strip()


class ShelfMove(models.Model):
    """Stock that staff or a version of the programme put on a shelf or took off it. Forever."""

    shelf = models.ForeignKey(Shelf, models.PROTECT, related_name="moves", verbose_name=_("shelf"))
    change = models.IntegerField(_("change"))
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    programme = models.ForeignKey(
        ProgrammeVersion,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("programme"),
    )
    happened_at = models.DateTimeField(_("happened"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("stock change")
        verbose_name_plural = _("stock changes")
        constraints = [
            models.CheckConstraint(condition=~Q(change=0), name="shelf_move_moves_stock"),
            models.CheckConstraint(
                condition=Q(programme=None) & ~Q(reason="") | Q(programme__isnull=False),
                name="shelf_move_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shelf_id} {self.change:+d}"


class RewardPicture(models.Model):
    """What a reward looks like. The programme file names rewards; pictures are too large for it."""

    reward = models.CharField(_("reward"), max_length=50)
    image = models.ImageField(
        _("picture"),
        upload_to="rewards/",
        validators=[FileExtensionValidator(["png", "jpg", "jpeg", "webp"])],
    )
    alt = models.JSONField(_("what it shows"), default=dict)
    updated_at = models.DateTimeField(_("updated"), db_default=Now())

    class Meta:
        verbose_name = _("picture of a reward")
        verbose_name_plural = _("pictures of rewards")
        constraints = [models.UniqueConstraint(fields=["reward"], name="reward_picture_once")]

    def __str__(self) -> str:
        return self.reward


class Claim(models.Model):
    """One reward for one member, on its way: claimed, prepared, shipped or handed over, or cancelled."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for stock")
        CLAIMED = "claimed", _("Claimed")
        PREPARED = "prepared", _("Prepared")
        SHIPPED = "shipped", _("Shipped")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Cancelled")

    class Way(models.TextChoices):
        COUNTER = "counter", _("At the counter")
        PARCEL = "parcel", _("By parcel")
        ONLINE = "online", _("Online")

    reward = models.CharField(_("reward"), max_length=50)
    sale = models.CharField(_("points sale"), max_length=50, blank=True, default="")
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    member = models.ForeignKey(Member, models.PROTECT, related_name="claims", verbose_name=_("member"))
    # The member's how-manieth of this reward or sale, while it stands; NULL once cancelled or for gifts.
    member_number = models.PositiveIntegerField(_("number for the member"), null=True)
    per_member = models.PositiveIntegerField(_("limit per member"), null=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CLAIMED)
    way = models.CharField(_("way"), max_length=10, choices=Way.choices, default=Way.COUNTER)
    points = models.PositiveBigIntegerField(_("points"), default=0)
    money = models.DecimalField(_("money"), max_digits=12, decimal_places=2, default=0)
    cause = models.CharField(_("cause"), max_length=260)
    why = models.JSONField(_("why"), default=dict)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("store")
    )
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="gifts", verbose_name=_("given for order")
    )
    entry = models.OneToOneField(
        Entry, models.PROTECT, null=True, related_name="claim", verbose_name=_("entry")
    )
    coupon = models.OneToOneField(
        Coupon, models.PROTECT, null=True, related_name="claim", verbose_name=_("coupon")
    )
    # Where it was taken from, while it stands; what waits or was cancelled stands on no shelf.
    shelf = models.ForeignKey(
        Shelf, models.PROTECT, null=True, related_name="claims", verbose_name=_("shelf")
    )
    tracking = models.CharField(_("parcel number"), max_length=60, blank=True, default="")
    steps = models.PositiveIntegerField(_("steps"), default=1)
    claimed_at = models.DateTimeField(_("claimed"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        indexes = [
            models.Index(fields=["-claimed_at", "-id"], name="claim_latest_first"),
            # The fulfilment list: what is still to be done, oldest first.
            models.Index(
                fields=["claimed_at", "id"],
                condition=Q(state__in=["waiting", "claimed", "prepared", "shipped"]),
                name="claim_to_fulfil",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cause"], name="claim_once_per_cause"),
            models.UniqueConstraint(
                fields=["reward", "sale", "member", "member_number"], name="claim_member_number_once"
            ),
            models.CheckConstraint(
                condition=Q(per_member=None) | Q(member_number=None) | Q(member_number__lte=F("per_member")),
                name="claim_within_limit_per_member",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "cancelled"], ended_at__isnull=False)
                | ~Q(state__in=["done", "cancelled"]) & Q(ended_at=None),
                name="claim_ends_once",
            ),
            models.CheckConstraint(condition=Q(money__gte=0), name="claim_money_not_negative"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "cancelled"], shelf=None)
                | ~Q(state__in=["waiting", "cancelled"]) & Q(shelf__isnull=False),
                name="claim_stands_on_its_shelf",
            ),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | Q(member_number=None),
                name="claim_cancelled_is_not_counted",
            ),
            models.CheckConstraint(
                condition=~Q(state="shipped") | ~Q(tracking=""), name="claim_shipped_names_its_parcel"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward} {self.get_state_display()}"


class ClaimMove(models.Model):
    """One step of a claim, with who took it. Forever."""

    claim = models.ForeignKey(Claim, models.PROTECT, related_name="moves", verbose_name=_("claim"))
    position = models.PositiveIntegerField(_("step"))
    state = models.CharField(_("state"), max_length=10, choices=Claim.State.choices)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    happened_at = models.DateTimeField(_("happened"))

    class Meta:
        verbose_name = _("claim's history")
        verbose_name_plural = _("claims' history")
        constraints = [
            models.UniqueConstraint(fields=["claim", "position"], name="claim_history_no_gap_no_fork"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.get_state_display()}"
