"""What platforms send us, what they ask of us, and what we call them with in answer (A1, A15)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from members.models.people import Account
from privacy.fields import SealedJSONField, SealedModel, SealedTextField


class InboxDelivery(SealedModel):
    """One message of a platform: written before it is acknowledged, worked on after."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        IGNORED = "ignored", _("Ignored")
        FAILED = "failed", _("Refused")  # what it says cannot be taken in
        PARKED = "parked", _("Set aside")  # working on it broke off again and again

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="deliveries", db_index=False, verbose_name=_("channel")
    )
    # The platform's own id of the message; the same message again is recognised by it.
    delivery_id = models.CharField(_("message id"), max_length=150)
    topic = models.CharField(_("topic"), max_length=100)
    body = SealedTextField(_("message"))  # NULL once it has been purged
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    # What came of it (new, changed, same, stale, parked), or why nothing did.
    outcome = models.CharField(_("outcome"), max_length=60, blank=True, default="")
    error_code = models.CharField(_("reason"), max_length=60, blank=True, default="")
    error_field = models.CharField(_("field"), max_length=100, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    repeats = models.PositiveIntegerField(_("sent again"), default=0)
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    processed_at = models.DateTimeField(_("worked on"), null=True)

    class Meta:
        verbose_name = _("incoming message")
        verbose_name_plural = _("incoming messages")
        indexes = [
            models.Index(
                fields=["-received_at", "-id"],
                condition=Q(state__in=["failed", "parked"]),
                name="delivery_to_look_at",
            ),
            models.Index(fields=["received_at"], condition=Q(body__isnull=False), name="delivery_with_body"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "delivery_id"], name="delivery_once_per_channel"),
            models.CheckConstraint(
                condition=Q(state="waiting", processed_at=None)
                | ~Q(state="waiting") & Q(processed_at__isnull=False),
                name="delivery_waits_or_was_worked_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.topic}/{self.pk}"


class PlatformRequest(SealedModel):
    """What a platform asks on behalf of a person, or of itself: to hand out personal data, or to erase it.

    It waits for the privacy officer; nothing is erased by the message alone.
    """

    class Kind(models.TextChoices):
        ACCESS = "access", _("Hand out a customer's data")
        ERASE = "erase", _("Erase a customer")
        ERASE_SHOP = "erase_shop", _("Erase the shop's data")

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", db_index=False, verbose_name=_("channel")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    # The platform's own name of the request, so that it is one however often it is told.
    reference = models.CharField(_("reference"), max_length=150)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("account")
    )
    details = SealedJSONField(_("what was told"))
    asked_at = models.DateTimeField(_("asked"), db_default=Now(), editable=False)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("done by"),
    )

    class Meta:
        verbose_name = _("request of a platform")
        verbose_name_plural = _("requests of platforms")
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at=None), name="platform_request_open")]
        constraints = [
            models.UniqueConstraint(fields=["channel", "kind", "reference"], name="platform_request_once")
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.kind}/{self.pk}"


class PlatformCall(SealedModel):
    """A call of a platform's API that is due: written with what caused it, repeated until it is taken."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Given up")

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", db_index=False, verbose_name=_("channel")
    )
    method = models.CharField(_("call"), max_length=80)
    cause = models.CharField(_("cause"), max_length=100)  # what it answers or tells: once for each
    arguments = SealedJSONField(_("arguments"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    error_code = models.CharField(_("reason"), max_length=60, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField(_("next attempt"), db_default=Now())
    created_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("call of a platform")
        verbose_name_plural = _("calls of platforms")
        indexes = [models.Index(fields=["next_at"], condition=Q(state="waiting"), name="platform_call_due")]
        constraints = [
            models.UniqueConstraint(fields=["channel", "method", "cause"], name="platform_call_once"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent") & Q(sent_at=None),
                name="platform_call_sent_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.method}/{self.pk}"


class TellingCursor(models.Model):
    """How far the changes have been told to the platform of a channel (members.changes)."""

    channel = models.OneToOneField(Channel, models.PROTECT, primary_key=True, related_name="+")
    cursor = models.CharField(_("cursor"), max_length=40)

    class Meta:
        verbose_name = _("told so far")
        verbose_name_plural = _("told so far")

    def __str__(self) -> str:
        return f"{self.channel_id}@{self.cursor}"
