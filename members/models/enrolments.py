"""People on their way in: what they asked for, how far they came, and how often somebody may ask (A7, A8)."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel, Store
from members.models.people import Account, Member
from privacy.fields import BlindIndexField, SealedModel, SealedTextField


class Enrolment(SealedModel):
    """Somebody who is becoming a member. Their phone is kept only while a code for it is waited for."""

    class State(models.TextChoices):
        OPENED = "opened", _("Page opened")
        WAITING = "waiting", _("Waiting for the code")
        CONFIRMED = "confirmed", _("Confirmed")
        LAPSED = "lapsed", _("Given up")

    class Origin(models.TextChoices):
        API = "api", _("API")
        PAGE = "page", _("Store QR code")
        DESK = "desk", _("Desk")
        WECHAT = "wechat", _("WeChat, one tap")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", verbose_name=_("channel"))
    store = models.ForeignKey(
        Store, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("store")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("member of staff"),
    )
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPENED)
    phone = SealedTextField(_("phone"))
    phone_index = BlindIndexField(_("phone index"), null=True)
    # What was shown and said: {notices: {kind: version}, consents: […], referred_by}.
    words = models.JSONField(_("what was said"), default=dict)
    # The code itself is kept nowhere: it follows from the id, the round and a key (members.joining).
    round = models.PositiveSmallIntegerField(_("round"), default=0)
    tries_left = models.PositiveSmallIntegerField(_("tries left"), default=0)
    expires_at = models.DateTimeField(_("expires"), null=True)
    sent_at = models.DateTimeField(_("code sent"), null=True)
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+", verbose_name=_("member"))
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("account")
    )
    is_new_member = models.BooleanField(_("new member"), null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        indexes = [
            models.Index(fields=["created_at"], name="enrolment_by_day"),
            models.Index(
                fields=["phone_index"], condition=Q(phone_index__isnull=False), name="enrolment_by_phone"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", phone__isnull=False, expires_at__isnull=False)
                | ~Q(state="waiting") & Q(phone__isnull=True, phone_index=None),
                name="enrolment_keeps_phone_while_waiting",
            ),
            models.CheckConstraint(
                condition=Q(state="confirmed", member__isnull=False, account__isnull=False)
                | ~Q(state="confirmed") & Q(member=None, account=None),
                name="enrolment_confirmed_names_member",
            ),
            models.CheckConstraint(condition=Q(tries_left__lte=5), name="enrolment_has_five_tries"),
        ]

    def __str__(self) -> str:
        return f"{self.origin}/{self.state}"


class EnrolmentStep(models.Model):
    """A step that somebody took on the way in, each once: what the drop-off report counts."""

    class Step(models.TextChoices):
        OPENED = "opened", _("Page opened")
        PHONE = "phone", _("Phone given")
        SENT = "sent", _("Code sent")
        CONFIRMED = "confirmed", _("Confirmed")
        NAME = "name", _("Name told")
        BIRTHDAY = "birthday", _("Birthday told")
        GENDER = "gender", _("Gender told")
        CITY = "city", _("City told")

    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, related_name="steps", db_index=False, verbose_name=_("enrolment")
    )
    step = models.CharField(_("step"), max_length=10, choices=Step.choices)
    at = models.DateTimeField(_("taken"), db_default=Now())

    class Meta:
        verbose_name = _("step of an enrolment")
        verbose_name_plural = _("steps of enrolments")
        constraints = [models.UniqueConstraint(fields=["enrolment", "step"], name="enrolment_step_once")]

    def __str__(self) -> str:
        return self.step


class RateCount(models.Model):
    """How often something was asked for by one phone, address or channel. Unlogged: a crash may forget it."""

    subject = BlindIndexField(_("subject"), primary_key=True)
    ends_at = models.DateTimeField(_("ends"))
    count = models.BigIntegerField(_("count"))

    class Meta:
        verbose_name = _("count of requests")
        verbose_name_plural = _("counts of requests")

    def __str__(self) -> str:
        return str(self.count)


class SpentMemberCode(models.Model):
    """A member code that was used at a counter; it is not used again (A7)."""

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="+", db_index=False, verbose_name=_("member")
    )
    issued_at = models.BigIntegerField(_("issued"))  # seconds since 1970
    mark = models.PositiveSmallIntegerField(_("mark"))  # tells codes of the same second apart
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("member of staff"),
    )
    spent_at = models.DateTimeField(_("used"), db_default=Now())

    class Meta:
        verbose_name = _("used member code")
        verbose_name_plural = _("used member codes")
        constraints = [
            models.UniqueConstraint(fields=["member", "issued_at", "mark"], name="member_code_spent_once")
        ]

    def __str__(self) -> str:
        return f"{self.member_id}/{self.issued_at}"


class PlatformToken(SealedModel):
    """The access token that a platform gave us for a channel, until it ends."""

    channel = models.OneToOneField(Channel, models.PROTECT, related_name="+", verbose_name=_("channel"))
    value = SealedTextField(_("secret value"), null=False)
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("access token of a platform")
        verbose_name_plural = _("access tokens of platforms")

    def __str__(self) -> str:
        return f"{self.channel_id}"
