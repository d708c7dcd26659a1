"""Merges: two members who turned out to be one person, and how that ended (A6).

A merge is one row, for ever: only its end is added to it, once. Both members keep their rows and all that
came of them; the one names the other as its survivor. What the survivor's profile was before is kept with
the merge, sealed, so that its end can restore it.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.people import Member
from privacy.fields import SealedJSONField, SealedModel


class Merge(SealedModel):
    """`other` was found to be `survivor`. By whom, or by which run of the matching; why; by what evidence."""

    survivor = models.ForeignKey(
        Member, models.PROTECT, related_name="merges", verbose_name=_("surviving member")
    )
    other = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("merged member"))
    # Nobody: surely the same, by the matching's own evidence.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=300)
    # Whose value was taken, by field: `survivor` or `other`.
    choices = models.JSONField(_("choices"), default=dict)
    # What the matching saw, by kind only: no value is copied here.
    evidence = models.JSONField(_("evidence"), default=dict)
    before = SealedJSONField(_("profile before"), null=True)
    at = models.DateTimeField(_("merged"), db_default=Now(), editable=False)
    undone_at = models.DateTimeField(_("undone"), null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_reason = models.CharField(_("reason of undoing"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(survivor=F("other")), name="merge_of_two_members"),
            models.UniqueConstraint(
                fields=["other"], condition=Q(undone_at=None), name="member_merged_into_one"
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None, undone_reason="") | Q(undone_at__isnull=False),
                name="merge_ends_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survivor_id}←{self.other_id}"

    @property
    def is_open(self) -> bool:
        """Whether it holds."""
        return self.undone_at is None
