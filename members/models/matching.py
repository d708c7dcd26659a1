"""What scored matching remembers between its runs (A5). Nothing here can be read without the index key."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from members.models.people import Member


class Footprint(models.Model):
    """By what a member can be met: short keyed hashes of phone ends, birthday with surname, and the like.

    Members with a key in common are compared; the minute finds them here without opening anybody's name.
    """

    member = models.OneToOneField(
        Member, models.PROTECT, primary_key=True, related_name="footprint", verbose_name=_("member")
    )
    keys = ArrayField(models.BigIntegerField(), verbose_name=_("keys"))

    class Meta:
        verbose_name = _("footprint")
        verbose_name_plural = _("footprints")
        indexes = [GinIndex(fields=["keys"], name="footprint_by_key")]

    def __str__(self) -> str:
        return str(self.member_id)


class ValueShare(models.Model):
    """How common a value is among all members: 张伟 says less than 上官云珠. The value is a keyed hash."""

    column = models.CharField(_("column"), max_length=20)
    value = models.BigIntegerField(_("value"))
    share = models.FloatField(_("share"))

    class Meta:
        verbose_name = _("share of a value")
        verbose_name_plural = _("shares of values")
        constraints = [
            models.UniqueConstraint(fields=["column", "value"], name="value_share_once"),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=1), name="value_share_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.column}/{self.pk}"


class MatchRun(models.Model):
    """One run of the matching that compared somebody, and how far it has come."""

    class Kind(models.TextChoices):
        MINUTE = "minute", _("New and changed accounts")
        NIGHT = "night", _("Everybody")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    parameters = models.CharField(_("parameters"), max_length=20)  # their version
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"))
    members = models.PositiveIntegerField(_("members compared"))
    pairs = models.PositiveIntegerField(_("pairs above the threshold"))
    linked = models.PositiveIntegerField(_("linked"))
    asked = models.PositiveIntegerField(_("put before a person"))
    # Accounts heard up to here have been compared; of those heard at that very moment, up to this id.
    heard_until = models.DateTimeField(_("heard until"), null=True)
    account_id = models.BigIntegerField(_("last account"), default=0)

    class Meta:
        verbose_name = _("matching run")
        verbose_name_plural = _("matching runs")
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__gte=F("started_at")), name="match_run_ends_after_it_starts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
