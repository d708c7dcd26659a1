"""Referrals: who brought whom, whether it counts, and why not when it does not (B9)."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.programme import ProgrammeVersion
from members.models import Channel, Member, Order
from privacy.fields import BlindIndexField


class ReferralCode(models.Model):
    """A member's own code, to be passed on to friends. It says nothing about the member."""

    member = models.OneToOneField(
        Member, models.PROTECT, related_name="referral_code", verbose_name=_("member")
    )
    code = models.CharField(_("code"), max_length=16)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("referral code")
        verbose_name_plural = _("referral codes")
        constraints = [models.UniqueConstraint(fields=["code"], name="referral_code_once")]

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """One friend that a member brought. A person is brought by one member, once; refused claims stay too."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for the first purchase")
        COUNTED = "counted", _("Counted")
        REVIEW = "review", _("Waiting for a person")
        REFUSED = "refused", _("Refused")

    class Reason(models.TextChoices):
        SELF = "self", _("The friend is the referrer")
        SAME_PHONE = "same_phone", _("Same phone")
        SAME_EMAIL = "same_email", _("Same e-mail")
        SAME_DEVICE = "same_device", _("Same device")
        SAME_ADDRESS = "same_address", _("Same address")
        HOUSEHOLD = "household", _("Brought each other in a ring")
        NOT_NEW = "not_new", _("The friend was known before")
        OTHER_REFERRER = "other_referrer", _("Another member brought this friend")
        NOT_ENTITLED = "not_entitled", _("The referrer did not meet the programme's condition")
        BY_HAND = "by_hand", _("Decided by a person")

    referrer = models.ForeignKey(Member, models.PROTECT, related_name="referrals", verbose_name=_("referrer"))
    friend = models.ForeignKey(
        Member, models.PROTECT, related_name="brought_by", db_index=False, verbose_name=_("friend")
    )
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    # The version that held when the friend was heard of: what was promised then decides.
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    # Keys of Reason that spoke against it; kept when a person lets it count all the same.
    reasons = models.JSONField(_("what speaks against it"), default=list)
    # The referrer's how-manieth friend that counts.
    number = models.PositiveIntegerField(_("number"), null=True)
    # The friend's first purchase that was kept, and from when on it makes the friend count.
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("order")
    )
    due_at = models.DateTimeField(_("counts from"), null=True)
    heard_at = models.DateTimeField(_("heard"))
    counted_at = models.DateTimeField(_("counted"), null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        indexes = [
            models.Index(fields=["-heard_at", "-id"], name="referral_latest_first"),
            models.Index(fields=["heard_at"], condition=Q(state="review"), name="referral_to_review"),
            models.Index(fields=["id"], condition=Q(state="waiting"), name="referral_waiting"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["friend", "referrer"], name="referral_once_per_pair"),
            models.UniqueConstraint(
                fields=["friend"], condition=~Q(state="refused"), name="referral_friend_of_one_member"
            ),
            models.UniqueConstraint(fields=["referrer", "number"], name="referral_number_once"),
            models.CheckConstraint(
                condition=Q(state="counted", counted_at__isnull=False, number__isnull=False)
                | ~Q(state="counted") & Q(counted_at=None, number=None),
                name="referral_counts_with_its_number",
            ),
            models.CheckConstraint(
                condition=~Q(referrer=F("friend")) | Q(state="refused"), name="referral_not_of_oneself"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["refused", "review"]) | ~Q(reasons=[]),
                name="referral_refusal_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referrer_id}→{self.friend_id}"


class DeviceSeen(models.Model):
    """A device that a member was seen on, as a keyed index only: never matched by, never shown."""

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="+", db_index=False, verbose_name=_("member")
    )
    index = BlindIndexField(_("device"))
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("device seen")
        verbose_name_plural = _("devices seen")
        indexes = [
            models.Index(fields=["index"], name="device_by_index"),
            models.Index(fields=["seen_at"], name="device_oldest_first"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["member", "index"], name="device_once_per_member"),
        ]

    def __str__(self) -> str:
        return str(self.member_id)
