"""The personal data of this app."""

from django.utils.translation import gettext_lazy as _

from privacy.register import Basis, Category, NotPersonal, PersonalField, Retention

_TRAIL = _("To prove who saw personal data, when and why.")

PERSONAL_FIELDS = (
    PersonalField(
        model="privacy.AccessRecord",
        field="actor_label",
        category=Category.STAFF,
        purpose=_TRAIL,
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
        mask="name",
    ),
    PersonalField(
        model="privacy.AccessRecord",
        field="reason",
        category=Category.STAFF,
        purpose=_TRAIL,
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
        mask="text",
    ),
    PersonalField(
        model="privacy.AccessRecord",
        field="ip",
        category=Category.STAFF,
        purpose=_TRAIL,
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
        mask="ip",
    ),
    *(
        PersonalField(
            model="privacy.Approval",
            field=field,
            category=Category.STAFF,
            purpose=_("To prove who asked for a change, who approved it and why."),
            basis=Basis.LEGAL_DUTY,
            retention=Retention.EVIDENCE,
            mask="text",
        )
        for field in ("reason", "note")
    ),
    PersonalField(
        model="privacy.ConsentEvent",
        field="granted",
        category=Category.CONSENT,
        purpose=_("To do only what the member agreed to, and to prove it."),
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
        mask="text",
    ),
)

NOT_PERSONAL: tuple[NotPersonal, ...] = ()
