"""Orders of every channel, with their lines, history and refunds (A9)."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel, Store
from members.models.people import Account, Member
from privacy.fields import SealedJSONField, SealedModel
from privacy.models import Approval

ZERO = Decimal("0.00")


def _yuan(label: object, **options: object) -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(label, max_digits=12, decimal_places=2, **options)  # type: ignore[arg-type]


class Order(SealedModel):
    """An order as its channel says it is now. Without a buyer it waits unattached."""

    class Status(models.TextChoices):
        PLACED = "placed", _("Placed")
        PAID = "paid", _("Paid")
        SHIPPED = "shipped", _("Shipped")
        RECEIVED = "received", _("Received")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")

    # Indexes that a constraint below begins with anyway, or that no list asks for, are left out:
    # each would slow every order that comes in. Channels and stores are never deleted, and all orders
    # of a channel name one row: the database need not look it up, and lock it, for each of them.
    channel = models.ForeignKey(
        Channel,
        models.PROTECT,
        related_name="orders",
        db_index=False,
        db_constraint=False,
        verbose_name=_("channel"),
    )
    number = models.CharField(_("order number"), max_length=64)
    store = models.ForeignKey(
        Store,
        models.PROTECT,
        null=True,
        related_name="orders",
        db_index=False,
        db_constraint=False,
        verbose_name=_("store"),
    )
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="orders", db_index=False, verbose_name=_("account")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="orders", db_index=False, verbose_name=_("member")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices)
    placed_at = models.DateTimeField(_("placed"), null=True)
    paid_at = models.DateTimeField(_("paid"), null=True)
    shipped_at = models.DateTimeField(_("shipped"), null=True)
    received_at = models.DateTimeField(_("received"), null=True)
    completed_at = models.DateTimeField(_("completed"), null=True)
    goods = _yuan(_("goods"))
    discount = _yuan(_("discount"), default=ZERO)
    postage = _yuan(_("postage"), default=ZERO)
    points_value = _yuan(_("paid with points"), default=ZERO)
    stored_value = _yuan(_("paid with stored value"), default=ZERO)
    net = models.GeneratedField(
        expression=F("goods") - F("discount"),
        output_field=models.DecimalField(max_digits=12, decimal_places=2),
        db_persist=True,
        verbose_name=_("net"),
    )
    # What the channel says it has refunded in all; None when it never told such a total.
    refunded_told = _yuan(_("refunded, as told"), null=True)
    # What counts as refunded: the larger of the total told and the refunds known one by one.
    refunded_goods = _yuan(_("goods refunded"), default=ZERO)
    refunded_postage = _yuan(_("postage refunded"), default=ZERO)
    points_spent = models.PositiveIntegerField(_("points spent"), default=0)
    points_spent_cause = models.CharField(
        _("cause of the points spent"), max_length=200, blank=True, default=""
    )
    discounts = models.JSONField(_("discount layers"), default=list)
    payments = models.JSONField(_("payments"), default=list)
    receiver = SealedJSONField(_("receiver"), null=True)
    version = models.BigIntegerField(_("version"), null=True)
    digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    stale_count = models.PositiveIntegerField(_("stale versions ignored"), default=0)
    heard_at = models.DateTimeField(_("first heard"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("last changed"), db_default=Now())

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        indexes = [
            # Tiers add up a member's purchases over a window; the desk shows the last ones.
            models.Index(fields=["member", "-paid_at"], name="order_of_member_latest_first"),
            models.Index(fields=["-placed_at", "-id"], name="order_latest_first"),
            # The few that were told late, for whoever looks after a channel.
            models.Index(fields=["-placed_at"], condition=Q(stale_count__gt=0), name="order_told_late"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "number"], name="order_once_per_channel"),
            models.CheckConstraint(
                condition=Q(goods__gte=0, discount__gte=0, postage__gte=0, discount__lte=F("goods")),
                name="order_amounts_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(refunded_goods__gte=0, refunded_postage__gte=0), name="order_refunds_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    order = models.ForeignKey(
        Order, models.PROTECT, related_name="lines", db_index=False, verbose_name=_("order")
    )
    position = models.PositiveSmallIntegerField(_("position"))
    product = models.CharField(_("product"), max_length=100, blank=True)
    name = models.CharField(_("product name"), max_length=300, blank=True)
    category = models.CharField(_("category"), max_length=100, blank=True)
    quantity = models.IntegerField(_("quantity"))
    price = _yuan(_("price"), null=True)
    discount = _yuan(_("discount"), default=ZERO)
    amount = _yuan(_("amount"), null=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="line_once_per_position")]

    def __str__(self) -> str:
        return f"{self.order_id}#{self.position}"


class OrderStatusEntry(models.Model):
    """A step an order took, when it was told: the history is appended, also when steps come disordered."""

    order = models.ForeignKey(
        Order, models.PROTECT, related_name="history", db_index=False, verbose_name=_("order")
    )
    status = models.CharField(_("status"), max_length=10, choices=Order.Status.choices)
    happened_at = models.DateTimeField(_("happened"), null=True)
    heard_at = models.DateTimeField(_("heard"), db_default=Now())

    class Meta:
        verbose_name = _("order status")
        verbose_name_plural = _("order history")
        ordering = ["order", "id"]
        constraints = [models.UniqueConstraint(fields=["order", "status"], name="status_once_per_order")]

    def __str__(self) -> str:
        return f"{self.order_id} {self.get_status_display()}"


class Refund(models.Model):
    """A refund of an order. One that comes before its order is parked: it has no order yet."""

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="refunds", db_index=False, verbose_name=_("channel")
    )
    order_number = models.CharField(_("order number"), max_length=64)
    number = models.CharField(_("refund number"), max_length=64)
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="refunds", verbose_name=_("order")
    )
    goods = _yuan(_("goods"))
    postage = _yuan(_("postage"), default=ZERO)
    lines = models.JSONField(_("lines"), default=list)
    refunded_at = models.DateTimeField(pgettext_lazy("time", "refunded"), null=True)
    version = models.BigIntegerField(_("version"), null=True)
    digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    asked_here = models.BooleanField(_("asked of Shuke"), default=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("asked by"),
    )
    # Of one that a person could not make alone: the request that a second person approved.
    approval = models.ForeignKey(
        Approval, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("approval")
    )
    # What was kept of the money because points of that worth had been spent (refund_shortage: money).
    withheld = _yuan(_("money withheld"), db_default=ZERO)
    heard_at = models.DateTimeField(_("heard"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [
            models.Index(fields=["channel", "order_number"], condition=Q(order=None), name="refund_parked"),
            # What one person refunded of late; most refunds are told by platforms and have nobody.
            models.Index(
                fields=["asked_by", "heard_at"], condition=Q(asked_by__isnull=False), name="refund_by_staff"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "order_number", "number"], name="refund_once_per_order"
            ),
            models.CheckConstraint(
                condition=Q(goods__gte=0, postage__gte=0, withheld__gte=0), name="refund_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_number}/{self.number}"
