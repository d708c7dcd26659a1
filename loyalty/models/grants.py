"""Grants: what the programme gave beside points for purchases, each once per cause (B4, B5, B9-B11).

Beside them what members did to be given it (activities, check-ins), and by which keyed index birthdays are
found without opening them.
"""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loyalty.models.coupons import Coupon
from loyalty.models.points import Entry
from loyalty.models.programme import ProgrammeVersion
from loyalty.models.rewards import Claim
from members.models import Channel, Member, Order
from privacy.fields import BlindIndexField


class Grant(models.Model):
    """One thing given to one member for one cause: points, growth value, a coupon, a gift or a tier."""

    class Source(models.TextChoices):
        RULE = "rule", _("Earning rule")
        ACTIVITY = "activity", _("Activity")
        BIRTHDAY = "birthday", _("Birthday treat")
        MEMBER_DAY = "member_day", _("Member day")
        REFERRAL = "referral", _("Referral")
        MILESTONE = "milestone", _("Milestone")

    class Prize(models.TextChoices):
        POINTS = "points", _("Points")
        GROWTH = "growth", _("Growth value")
        COUPON = "coupon", _("Coupon")
        GIFT = "gift", _("Gift")
        TIER = "tier", _("Tier")

    class State(models.TextChoices):
        GIVEN = "given", _("Given")
        NOT_GIVEN = "not_given", _("Not given")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    member = models.ForeignKey(Member, models.PROTECT, related_name="grants", verbose_name=_("member"))
    source = models.CharField(_("source"), max_length=12, choices=Source.choices)
    # The rule's, activity's or milestone's code.
    code = models.CharField(_("code"), max_length=50)
    prize = models.CharField(_("prize"), max_length=8, choices=Prize.choices)
    # Points and growth value as digits, else the code of the coupon, reward or tier.
    value = models.CharField(_("value"), max_length=50)
    # What it was given for: `milestone:twelve:2026:17`, `rule:double:order:17`. While one grant of an
    # occasion stands, nothing is given for it again.
    occasion = models.CharField(_("occasion"), max_length=240)
    # The occasion and what was given; numbered when it is given anew after it was withdrawn.
    cause = models.CharField(_("cause"), max_length=260)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.GIVEN)
    # Why nothing was given, as a code: quota_spent, limit_reached, no_such_coupon.
    refusal = models.CharField(_("why not"), max_length=40, blank=True, default="")
    why = models.JSONField(_("why"), default=dict)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    order = models.ForeignKey(
        Order, models.PROTECT, null=True, related_name="grants", verbose_name=_("order")
    )
    entry = models.ForeignKey(
        Entry, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("entry")
    )
    coupon = models.ForeignKey(
        Coupon, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("coupon")
    )
    claim = models.ForeignKey(
        Claim, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("claim")
    )
    programme = models.ForeignKey(
        ProgrammeVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("programme")
    )
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        indexes = [
            models.Index(fields=["-recorded_at", "-id"], name="grant_latest_first"),
            models.Index(fields=["occasion"], name="grant_by_occasion"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["cause"], name="grant_once_per_cause"),
            models.CheckConstraint(
                condition=Q(state="not_given") & ~Q(refusal="") | ~Q(state="not_given") & Q(refusal=""),
                name="grant_not_given_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.value}"


class CheckIn(models.Model):
    """A member's check-in of one day, and the streak it continues (B4)."""

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="check_ins", db_index=False, verbose_name=_("member")
    )
    day = models.DateField(_("day"))
    streak = models.PositiveIntegerField(_("days in a row"))
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    happened_at = models.DateTimeField(_("happened"))

    class Meta:
        verbose_name = _("check-in")
        verbose_name_plural = _("check-ins")
        constraints = [
            models.UniqueConstraint(fields=["member", "day"], name="check_in_once_a_day"),
            models.CheckConstraint(condition=Q(streak__gte=1), name="check_in_streak_counts_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.day}"


class Activity(models.Model):
    """Something a member did that the programme rewards, as a channel told it (B4). Forever."""

    class Kind(models.TextChoices):
        CHECK_IN = "check_in", _("Check-in")
        PROFILE_STEP = "profile_step", _("Profile step")
        REVIEW = "review", _("Review")
        SURVEY = "survey", _("Survey")
        SHARE = "share", _("Share")
        EVENT = "event", _("Event")

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="activities", db_index=False, verbose_name=_("member")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    # What was done, so that it counts once: the day, the step, the product of an order, the survey.
    key = models.CharField(_("what was done"), max_length=240)
    channel = models.ForeignKey(
        Channel, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("channel")
    )
    # The channel's own word for it; NULL when it gave none.
    cause = models.CharField(_("cause"), max_length=260, null=True)
    detail = models.JSONField(_("detail"), default=dict)
    day = models.DateField(_("day"))
    # The how-manieth of its kind that counted on that day; NULL when the day's limit was reached.
    number = models.PositiveIntegerField(_("number on the day"), null=True)
    per_day = models.PositiveIntegerField(_("limit per day"), null=True)
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        indexes = [models.Index(fields=["-recorded_at", "-id"], name="activity_latest_first")]
        constraints = [
            models.UniqueConstraint(fields=["member", "kind", "key"], name="activity_counts_once"),
            models.UniqueConstraint(
                fields=["cause"], condition=Q(cause__isnull=False), name="activity_once_per_cause"
            ),
            models.UniqueConstraint(
                fields=["member", "kind", "day", "number"], name="activity_number_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(per_day=None) | Q(number=None) | Q(number__gte=1, number__lte=F("per_day")),
                name="activity_within_limit_per_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.day}"


class BirthdayIndex(models.Model):
    """On which day of the year a member's birthday is, as a keyed index: `--11-22`, never the year (B11).

    Birthdays are sealed, and opening a million of them each night would undo that. The nightly run opens
    only those that are new to it or were sealed anew since (`seen` is a digest of the sealed value).
    """

    member = models.OneToOneField(
        Member, models.PROTECT, primary_key=True, related_name="birthday_index", verbose_name=_("member")
    )
    index = BlindIndexField(_("day of the year"))
    seen = models.BinaryField(_("digest of the sealed birthday"), max_length=16)

    class Meta:
        verbose_name = _("birthday index")
        verbose_name_plural = _("birthday indexes")
        indexes = [models.Index(fields=["index"], name="birthday_by_day")]

    def __str__(self) -> str:
        return str(self.member_id)
