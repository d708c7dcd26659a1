"""Rules by which members get tags, and each time they were applied (A13)."""

import pghistory
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from members.models.people import Tag


@pghistory.track()
class TagRule(models.Model):
    """Who has a tag: members for whom the conditions hold. One rule for a tag, or two would contradict."""

    tag = models.OneToOneField(Tag, models.PROTECT, related_name="rule", verbose_name=_("tag"))
    conditions = models.JSONField(_("conditions"))  # read by members.tag_conditions
    is_active = models.BooleanField(_("active"), default=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("tag rule")
        verbose_name_plural = _("tag rules")
        ordering = ["tag__name"]

    def __str__(self) -> str:
        return f"{self.tag_id}"


class TagRun(models.Model):
    """One time that a rule was applied: how many it holds for, were given the tag, and lost it."""

    rule = models.ForeignKey(
        TagRule, models.PROTECT, related_name="runs", db_index=False, verbose_name=_("tag rule")
    )
    ran_at = models.DateTimeField(_("applied"), db_default=Now(), editable=False)
    members = models.PositiveIntegerField(_("members"))
    given = models.PositiveIntegerField(_("given"))
    taken = models.PositiveIntegerField(_("taken away"))

    class Meta:
        verbose_name = _("run of a tag rule")
        verbose_name_plural = _("runs of tag rules")
        indexes = [models.Index(fields=["rule", "-ran_at"], name="tag_run_latest_first")]

    def __str__(self) -> str:
        return f"{self.rule_id}: {self.members}"
