"""The programme's clock, where the demo has moved it."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClockShift(models.Model):
    """How far the demo has moved the programme's clock. Production never reads it."""

    only = models.BooleanField(primary_key=True, default=True, editable=False)
    shift = models.DurationField(_("moved by"), default=timedelta)

    class Meta:
        verbose_name = _("programme clock")
        verbose_name_plural = _("programme clock")
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="clock_is_one")]

    def __str__(self) -> str:
        return str(self.shift)
