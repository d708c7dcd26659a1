"""Cases of every channel: returns, exchanges, complaints, questions, reviews (A11)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.models.channels import Channel
from members.models.people import Account, Member
from privacy.fields import SealedModel, SealedTextField


class Case(SealedModel):
    """A case as its channel says it is now. Without a buyer it waits unattached."""

    class Kind(models.TextChoices):
        RETURN = "return", _("Return")
        EXCHANGE = "exchange", _("Exchange")
        COMPLAINT = "complaint", _("Complaint")
        CONSULTATION = "consultation", _("Question")
        REVIEW = "review", _("Review")

    class State(models.TextChoices):
        """How far it has come. What is sent back and arrives belongs to returns and exchanges alone."""

        OPEN = "open", pgettext_lazy("case", "Open")
        WORKING = "working", _("Being worked on")
        WAITING = "waiting", _("Waits for the member")
        APPROVED = "approved", _("Agreed to")
        SENT = "sent", _("Sent back")
        ARRIVED = "arrived", _("Arrived with us")
        REFUNDED = "refunded", _("Money returned")
        REPLACED = "replaced", _("Replacement sent")
        RESOLVED = "resolved", _("Resolved")
        REFUSED = "refused", _("Turned down")
        CANCELLED = "cancelled", _("Called off")

    channel = models.ForeignKey(
        Channel, models.PROTECT, related_name="cases", db_index=False, verbose_name=_("channel")
    )
    number = models.CharField(_("case number"), max_length=64)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="cases", verbose_name=_("account")
    )
    member = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="cases", db_index=False, verbose_name=_("member")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    question_type = models.CharField(_("type of question"), max_length=50, blank=True, default="")
    feedback_channel = models.CharField(_("told by way of"), max_length=50, blank=True, default="")
    order_number = models.CharField(_("order number"), max_length=64, blank=True, default="")
    product = models.CharField(_("product"), max_length=100, blank=True, default="")
    # Free text holds whatever people write, others' names and telephones too.
    words = SealedTextField(_("what the member said"), null=True)
    answer = SealedTextField(_("what was answered"), null=True)
    opened_at = models.DateTimeField(_("opened"))
    first_response_at = models.DateTimeField(_("first answered"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)
    response_time = models.GeneratedField(
        expression=F("first_response_at") - F("opened_at"),
        output_field=models.DurationField(),
        db_persist=True,
        verbose_name=_("response time"),
    )
    satisfaction = models.PositiveSmallIntegerField(_("satisfaction, 0 to 10"), null=True)
    version = models.BigIntegerField(_("version"), null=True)
    digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    stale_count = models.PositiveIntegerField(_("stale versions ignored"), default=0)
    heard_at = models.DateTimeField(_("first heard"), db_default=Now(), editable=False)
    changed_at = models.DateTimeField(_("last changed"), db_default=Now())

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        indexes = [
            models.Index(fields=["member", "-opened_at", "-id"], name="case_of_member_latest_first"),
            models.Index(fields=["-opened_at", "-id"], name="case_latest_first"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["channel", "number"], name="case_once_per_channel"),
            models.CheckConstraint(
                condition=Q(satisfaction__isnull=True) | Q(satisfaction__lte=10),
                name="case_satisfaction_is_at_most_ten",
            ),
            models.CheckConstraint(
                condition=(Q(first_response_at__isnull=True) | Q(first_response_at__gte=F("opened_at")))
                & (Q(closed_at__isnull=True) | Q(closed_at__gte=F("opened_at"))),
                name="case_begins_with_its_opening",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "sent", "arrived", "refunded", "replaced"])
                | Q(kind="return", state__in=["approved", "sent", "arrived", "refunded"])
                | Q(kind="exchange"),
                name="case_state_is_of_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CaseStep(models.Model):
    """A state that a case came to, when it was told."""

    case = models.ForeignKey(
        Case, models.PROTECT, related_name="steps", db_index=False, verbose_name=_("case")
    )
    revision = models.PositiveIntegerField(_("revision"))
    state = models.CharField(_("state"), max_length=10, choices=Case.State.choices)
    happened_at = models.DateTimeField(_("happened"), null=True)
    heard_at = models.DateTimeField(_("heard"), db_default=Now())

    class Meta:
        verbose_name = _("step of a case")
        verbose_name_plural = _("steps of cases")
        ordering = ["case", "revision"]
        constraints = [models.UniqueConstraint(fields=["case", "revision"], name="step_once_per_revision")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.get_state_display()}"
