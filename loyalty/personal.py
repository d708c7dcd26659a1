"""The personal data of this app: hardly any. Points and tiers hang on a member and name nobody."""

from django.utils.translation import gettext_lazy as _

from privacy.register import Basis, Category, NotPersonal, PersonalField, Retention

_WHY = _("To explain a change of points to the member and to an auditor.")

PERSONAL_FIELDS = tuple(
    PersonalField(
        model=model,
        field="reason",
        category=Category.TRANSACTION,
        purpose=_WHY,
        basis=Basis.CONTRACT,
        retention=Retention.EVIDENCE,
        mask="text",
    )
    for model in ("loyalty.Entry", "loyalty.Hold")
)

NOT_PERSONAL = (
    NotPersonal(model="loyalty.TierChange", field="reason", why="a choice out of a fixed list, no free text"),
)
