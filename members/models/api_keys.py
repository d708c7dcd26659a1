"""Keys of the API, how often they are used, and the answers kept for requests that come again (D10)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel


class Scope(models.TextChoices):
    """What a channel's key may be used for; the words are fixed (docs/api.md)."""

    ACCOUNTS = "accounts", _("Accounts")
    ORDERS = "orders", _("Orders and refunds")
    EVENTS = "events", _("Behaviour and service events")
    MEMBERS_READ = "members.read", _("Members, masked")
    MEMBERS_PERSONAL = "members.personal", _("Members' personal data in clear")
    POINTS = "points", _("Points")
    COUPONS = "coupons", _("Coupons")
    REWARDS = "rewards", _("Rewards")
    CONSENTS = "consents", _("Consents")
    PRIVACY = "privacy", _("Privacy requests")
    CHANGES = "changes", _("Changes")


class ApiKey(models.Model):
    """A key of one channel or of one member of staff. The secret is shown once and kept as its SHA-256."""

    prefix = models.CharField(_("prefix"), max_length=12, editable=False)
    digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, blank=True, related_name="api_keys", verbose_name=_("channel")
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("member of staff"),
    )
    scopes = models.JSONField(_("scopes"), default=list, blank=True)
    rate = models.PositiveIntegerField(_("requests a minute"), default=600)
    networks = models.JSONField(
        _("networks"), default=list, blank=True, help_text=_("From where it may be used; empty for anywhere.")
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["prefix"], name="api_key_prefix_once"),
            models.CheckConstraint(
                condition=Q(channel__isnull=False, staff=None) | Q(channel=None, staff__isnull=False),
                name="api_key_has_one_holder",
            ),
            models.CheckConstraint(condition=Q(rate__gte=1), name="api_key_rate_is_positive"),
        ]

    def __str__(self) -> str:
        return self.prefix


class ApiKeyUse(models.Model):
    """How often a key was used in this minute and in the one before. Unlogged: a crash may forget it."""

    key = models.OneToOneField(
        ApiKey, models.CASCADE, primary_key=True, related_name="use", verbose_name=_("API key")
    )
    minute = models.BigIntegerField(_("minute"))  # minutes since the epoch
    count = models.BigIntegerField(_("requests in this minute"))
    before = models.BigIntegerField(_("requests in the minute before"))

    class Meta:
        verbose_name = _("use of an API key")
        verbose_name_plural = _("uses of API keys")

    def __str__(self) -> str:
        return f"{self.key_id}: {self.count}"


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered. Holds points and ids, never personal data."""

    holder = models.CharField(_("holder"), max_length=30)  # `channel:3` or `staff:7`
    key = models.CharField(_("idempotency key"), max_length=255)
    request = models.CharField(_("request"), max_length=500)  # POST /api/v1/members/SK-…/points/redeem/
    digest = models.BinaryField(_("digest of the request"), max_length=32)
    status = models.PositiveSmallIntegerField(_("status"))
    answer = models.TextField(_("answer"))  # JSON, character by character as it was sent
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")
        indexes = [models.Index(fields=["created_at"], name="kept_answer_by_age")]
        constraints = [models.UniqueConstraint(fields=["holder", "key"], name="kept_answer_once_per_key")]

    def __str__(self) -> str:
        return f"{self.holder} {self.request}"
