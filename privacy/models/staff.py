"""Staff: who they are to us beside their sign-in."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class StaffProfile(models.Model):
    """The role of a member of staff, and the store they work in. One role a person (D6)."""

    class Role(models.TextChoices):
        CLERK = "clerk", _("Clerk")
        SERVICE = "service", _("Customer service")
        MARKETING = "marketing", _("Marketing")
        FINANCE = "finance", _("Finance")
        PRIVACY = "privacy", _("Privacy officer")
        ADMIN = "admin", _("Administrator")
        AUDITOR = "auditor", _("Auditor")

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.PROTECT,
        related_name="staff_profile",
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    # Who is a member too approves nothing that is for their own benefit (D6).
    member = models.OneToOneField(
        "members.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="staff_profile",
        verbose_name=_("own membership"),
    )
    # Text and not a key: stores live on the floor above.
    store_code = models.CharField(
        _("store"), max_length=129, blank=True, default="", help_text=_("channel/store, as pos/jingan")
    )

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    role__in=["clerk", "service", "marketing", "finance", "privacy", "admin", "auditor"]
                ),
                name="staff_profile_role_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}{' ' if self.store_code else ''}{self.store_code}"
