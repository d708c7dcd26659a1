"""Webhooks: where a channel is told of changes, what it is told there, and what went wrong (A14, A15)."""

import pghistory
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from members.models.outbox import OutboxEvent
from members.models.people import Member
from privacy.fields import SealedModel, SealedTextField


class Topic(models.TextChoices):
    """What channels may be told of; the words are fixed (docs/api.md)."""

    MEMBER_UPDATED = "member.updated", _("Member changed")
    MEMBER_MERGED = "member.merged", _("Members merged")
    MEMBER_UNMERGED = "member.unmerged", _("Members unmerged")
    MEMBER_REDACT = "member.redact", _("Member to be erased")
    POINTS_CHANGED = "points.changed", _("Points changed")
    TIER_CHANGED = "tier.changed", _("Tier changed")
    COUPON_CHANGED = "coupon.changed", _("Coupon changed")
    REWARD_CHANGED = "reward.changed", _("Reward changed")
    ORDER_CHANGED = "order.changed", _("Order changed")
    CONSENT_CHANGED = "consent.changed", _("Consent changed")


class DeliveryProblem(models.TextChoices):
    """Why an attempt came to nothing."""

    STATUS = "status", _("The answer was not 2xx")
    REDIRECT = "redirect", _("It redirected, which is not followed")
    GONE = "gone", _("It answered 410 Gone")
    THROTTLED = "throttled", _("It asked us to slow down")
    TIMEOUT = "timeout", _("No answer in time")
    REFUSED = "refused", _("No connection")
    TLS = "tls", _("The certificate was not accepted")
    BROKEN = "broken", _("The connection broke")
    UNRESOLVED = "unresolved", _("The name has no address")
    FORBIDDEN = "forbidden", _("The address is not allowed")
    INTERNAL = "internal", _("An error of ours")
    CRASHED = "crashed", _("The worker crashed at it, again and again")


@pghistory.track(
    fields=["channel", "url", "topics", "disabled_at", "disabled_why", "removed_at"],
    model_name="WebhookEndpointEvent",
    obj_field=pghistory.ObjForeignKey(related_name="events"),
)
class WebhookEndpoint(SealedModel):
    """One address of a channel to which changes are pushed, how far it has been told, and how it does."""

    class Why(models.TextChoices):
        """Why an endpoint is disabled."""

        ASKED = "asked", _("switched off")
        GONE = "gone", _("it answered 410 Gone")
        FAILING = "failing", _("five days of failures only")

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="webhook_endpoints", verbose_name=_("channel")
    )
    url = models.CharField(_("URL"), max_length=500)
    topics = models.JSONField(_("topics"), default=list, blank=True, help_text=_("Empty for all."))
    secret = SealedTextField(_("secret"))
    previous_secret = SealedTextField(_("previous secret"))  # signs too until then
    previous_until = models.DateTimeField(_("previous secret signs until"), null=True)
    # The last change of the outbox that was looked at for this endpoint (members.changes.Cursor).
    read_xid = models.BigIntegerField(default=0, editable=False)
    read_id = models.BigIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    paused_until = models.DateTimeField(_("paused until"), null=True)
    last_success_at = models.DateTimeField(_("last success"), null=True)
    last_failure_at = models.DateTimeField(_("last failure"), null=True)
    last_problem = models.CharField(
        _("last problem"), max_length=12, choices=DeliveryProblem.choices, blank=True
    )
    last_status = models.PositiveSmallIntegerField(_("status of the last failure"), null=True)
    disabled_at = models.DateTimeField(_("disabled"), null=True)
    disabled_why = models.CharField(_("why disabled"), max_length=8, choices=Why.choices, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["channel", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "url"],
                condition=Q(removed_at=None),
                name="webhook_endpoint_once_per_url",
            ),
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_why="")
                | Q(disabled_at__isnull=False) & ~Q(disabled_why=""),
                name="webhook_endpoint_disabled_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None, secret__isnull=False)
                | Q(removed_at__isnull=False, secret__isnull=True, previous_secret__isnull=True),
                name="webhook_endpoint_keeps_its_secret_while_it_lives",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One change on its way to one endpoint. It waits, is delivered, or becomes a dead letter."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        DEAD = "dead", _("Dead letter")

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        models.PROTECT,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook endpoint"),
    )
    # Changes and members are never deleted: the database need not look each of them up again.
    event = models.ForeignKey(
        OutboxEvent,
        models.PROTECT,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
        verbose_name=_("change"),
    )
    member = models.ForeignKey(
        Member,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("member"),
    )
    sequence = models.PositiveIntegerField(_("number among the member's"), null=True)  # 1, 2, 3 …
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.WAITING)
    # While an attempt is under way it is due again when its worker must have died.
    due_at = models.DateTimeField(_("due"))
    tries = models.PositiveSmallIntegerField(_("failed tries"), default=0)
    # Attempts that began and that ended: what crashes the worker begins again and again and never ends.
    started = models.PositiveIntegerField(_("attempts started"), default=0)
    finished = models.PositiveIntegerField(_("attempts finished"), default=0)
    problem = models.CharField(_("problem"), max_length=12, choices=DeliveryProblem.choices, blank=True)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    tried_at = models.DateTimeField(_("last tried"), null=True)
    settled_at = models.DateTimeField(_("delivered or given up"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            # What the sender asks twice a second, and takes its next batch from.
            models.Index(
                fields=["endpoint", "due_at", "id"], condition=Q(state="waiting"), name="delivery_due"
            ),
            # The page of dead letters.
            models.Index(fields=["endpoint", "id"], condition=Q(state="dead"), name="delivery_dead"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="delivery_once_per_endpoint"),
            models.UniqueConstraint(
                fields=["endpoint", "member", "sequence"],
                condition=Q(member__isnull=False),
                name="delivery_sequence_no_fork",
            ),
            models.CheckConstraint(
                condition=Q(member=None, sequence=None) | Q(member__isnull=False, sequence__gte=1),
                name="delivery_of_a_member_has_a_sequence",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at=None)
                | Q(state__in=["delivered", "dead"], settled_at__isnull=False),
                name="delivery_settled_once_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(finished__lte=F("started")), name="delivery_finishes_what_it_started"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id}/{self.event_id}"


class WebhookFailure(models.Model):
    """One attempt that came to nothing; one that went well is its delivery."""

    delivery = models.ForeignKey(
        WebhookDelivery, models.PROTECT, related_name="attempts_failed", verbose_name=_("webhook delivery")
    )
    at = models.DateTimeField(_("at"))
    problem = models.CharField(_("problem"), max_length=12, choices=DeliveryProblem.choices)
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"))

    class Meta:
        verbose_name = _("failed attempt")
        verbose_name_plural = _("failed attempts")

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.problem}"


class WebhookHour(models.Model):
    """What an endpoint was told in one hour, counted: the page of channels draws it."""

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        models.PROTECT,
        related_name="hours",
        db_index=False,
        verbose_name=_("webhook endpoint"),
    )
    hour = models.DateTimeField(_("hour"))
    delivered = models.PositiveIntegerField(_("delivered"), default=0)
    failed = models.PositiveIntegerField(_("failed attempts"), default=0)

    class Meta:
        verbose_name = _("hour of an endpoint")
        verbose_name_plural = _("hours of endpoints")
        constraints = [models.UniqueConstraint(fields=["endpoint", "hour"], name="webhook_hour_once")]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.hour:%Y-%m-%d %H}"
