"""What a person was told (notices) and what they said to it (consent events) (D1)."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _


def word_for(code: str, shipped: type[models.TextChoices]) -> str:
    """A code in the reader's language; a word that a brand has added stands for itself."""
    return str(dict(shipped.choices).get(code, code))


class Notice(models.Model):
    """A text that members are shown. Once published it never changes (notice_is_fixed_once_published)."""

    class Kind(models.TextChoices):
        AGREEMENT = "agreement", _("User agreement")
        PRIVACY = "privacy", _("Privacy notice")
        TIPS = "tips", _("Privacy tips")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    version = models.CharField(_("version"), max_length=32)
    language = models.CharField(_("language"), max_length=16)
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(_("text"), help_text=_("Markdown"))
    digest = models.CharField(_("SHA-256 of the text"), max_length=64, editable=False)
    effective_from = models.DateTimeField(_("effective from"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "version", "language"], name="notice_version_once_per_language"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.version} ({self.language})"


class ConsentEvent(models.Model):
    """One yes or no. Never changed (consent_event_is_forever); a change of mind is another event."""

    class Purpose(models.TextChoices):
        """The purposes that ship; a programme may add words of its own."""

        MEMBERSHIP = "membership", _("Membership agreement")
        SERVICE = "service", _("Service messages")
        MARKETING = "marketing", _("Marketing messages")
        PERSONALISATION = "personalisation", _("Personalised offers")
        SENSITIVE = "sensitive", _("Sensitive personal data")
        THIRD_PARTY = "third_party", _("Passing data to a third party")
        GUARDIAN = "guardian", _("Consent of a guardian")

    class Method(models.TextChoices):
        TICK = "tick", _("Ticked a box")
        TAP = "tap", _("Tapped a button")
        SIGNATURE = "signature", _("Signed on paper")
        SPOKEN = "spoken", _("Told a member of staff")
        PLATFORM = "platform", _("Told by a platform")
        REPLY = "reply", _("Answered a message")
        MERGE = "merge", _("Said as another member of the same person")

    class Way(models.TextChoices):
        """The ways of reaching a person that ship; a brand may add words of its own."""

        ANY = "any", _("any way")
        SMS = "sms", _("SMS")
        EMAIL = "email", _("e-mail")
        WECHAT = "wechat", _("WeChat")
        PHONE = "phone", _("telephone")

    ANY_CHANNEL = "any"

    member = models.ForeignKey(
        "members.Member", verbose_name=_("member"), on_delete=models.PROTECT, related_name="+"
    )
    purpose = models.CharField(_("purpose"), max_length=40)
    channel = models.CharField(_("by way of"), max_length=40, default=ANY_CHANNEL)
    party = models.CharField(_("third party"), max_length=100, blank=True, default="")
    granted = models.BooleanField(_("granted"))
    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    notice_version = models.CharField(
        _("version of the notice, as told"), max_length=32, blank=True, default=""
    )
    method = models.CharField(_("how"), max_length=16, choices=Method.choices, default=Method.PLATFORM)
    source = models.CharField(_("told in channel"), max_length=64, blank=True, default="")
    happened_at = models.DateTimeField(_("said at"))
    recorded_at = models.DateTimeField(
        _("recorded at"),
        db_default=Func(function="clock_timestamp", output_field=models.DateTimeField()),
        editable=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("member of staff"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    receipt = models.UUIDField(_("receipt"), default=uuid4, unique=True, editable=False)

    class Meta:
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        indexes = [
            # Who may be reached for a purpose: the latest word of each member.
            models.Index(
                fields=["purpose", "channel", "party", "member", "-happened_at"],
                name="consent_event_by_purpose",
            ),
        ]
        constraints = [
            # Also the index of one member's words; a file read twice adds nothing.
            models.UniqueConstraint(
                fields=["member", "purpose", "channel", "party", "happened_at", "granted"],
                name="consent_event_once",
            ),
            models.CheckConstraint(
                condition=~Q(purpose="third_party") | ~Q(party=""),
                name="consent_event_to_third_party_names_it",
            ),
            models.CheckConstraint(
                condition=Q(purpose__regex=r"^[a-z][a-z0-9_]*$") & Q(channel__regex=r"^[a-z][a-z0-9_]*$"),
                name="consent_event_words_are_plain",
            ),
        ]

    def __str__(self) -> str:
        word = "+" if self.granted else "-"
        purpose, way = word_for(self.purpose, self.Purpose), word_for(self.channel, self.Way)
        return f"{word}{purpose}/{way}{'/' if self.party else ''}{self.party}"
