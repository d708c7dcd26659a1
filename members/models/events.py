"""What people do before and beside buying: views, searches, baskets (A10).

The table of events is cut into months of Shanghai (see migration 0013): a month that has outlived its
retention goes as a whole. Rows are written by `members.event_rows` and never change.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.channels import Channel
from members.models.people import Member
from privacy.fields import BlindIndexField


class Visitor(models.Model):
    """One buyer as a channel's events name them, known to us or not.

    `index` is that of the account (`keys.account_index`), so that events told before the account lead to its
    member from the moment it is there, and follow it through every merge. `member` is set where the
    channel told a member number instead.
    """

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="+", db_index=False, verbose_name=_("channel")
    )
    index = BlindIndexField(_("external id index"))
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("member")
    )
    heard_at = models.DateTimeField(_("first heard"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        indexes = [
            models.Index(
                fields=["member"], condition=models.Q(member__isnull=False), name="visitor_of_member"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "index"], name="visitor_once_per_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.pk}"


class Event(models.Model):
    """One thing a visitor did, told once. Without its address, and without the query of any."""

    class Kind(models.TextChoices):
        VIEW = "view", _("Viewed")
        CLICK = "click", _("Clicked")
        DWELL = "dwell", _("Stayed")
        SEARCH = "search", _("Searched")
        FAVOURITE = "favourite", _("Added a favourite")
        UNFAVOURITE = "unfavourite", _("Removed a favourite")
        CART_ADD = "cart_add", _("Put in the basket")
        CART_REMOVE = "cart_remove", _("Took out of the basket")
        LIKE = "like", _("Liked")
        COMMENT = "comment", _("Commented")
        CONSULT = "consult", _("Asked the service")
        LOGIN = "login", _("Signed in")
        APP_OPEN = "app_open", _("Opened the app")
        CHECK_IN = "check_in", _("Checked in")

    # Visitors are never taken from under their events: the database need not look each of them up again.
    visitor = models.ForeignKey(
        Visitor,
        models.PROTECT,
        related_name="events",
        db_index=False,
        db_constraint=False,
        verbose_name=_("visitor"),
    )
    at = models.DateTimeField(_("happened"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    session = models.CharField(_("session"), max_length=64, default="")
    path = models.CharField(_("path"), max_length=200, default="")
    entrance = models.CharField(_("entrance"), max_length=50, default="")
    keyword = models.CharField(_("keyword"), max_length=100, default="")
    product = models.CharField(_("product"), max_length=100, default="")
    category = models.CharField(_("category"), max_length=100, default="")
    duration = models.PositiveIntegerField(_("seconds"), null=True)
    heard_at = models.DateTimeField(_("heard"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["visitor", "-at", "-id"], name="event_of_visitor_latest_first")]

    def __str__(self) -> str:
        return f"{self.kind}/{self.pk}"


class EventKey(models.Model):
    """That an event was told: sixteen bytes of the digest of its channel and id, and the month it lies in.

    Apart from the events, because the id must be unique over all months, and an index of a table in
    parts holds within one part only: the same id told with another time would lie in another.
    """

    key = models.UUIDField(_("key"), primary_key=True)
    month = models.DateField(_("month"))

    class Meta:
        verbose_name = _("event told")
        verbose_name_plural = _("events told")

    def __str__(self) -> str:
        return str(self.key)
