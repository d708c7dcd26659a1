"""The personal data of this app: every field, why it is held and for how long (D8, PIPL art. 5-9, 17)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.register import Basis, Category, NotPersonal, PersonalField, Retention

_RECOGNISE = _("To recognise a member in every channel.")
_SERVE = _("To address and serve the member.")
_BIRTHDAY = _("To tell people with the same phone apart, and for birthday benefits.")
_REGION = _("To offer what is near the member.")
_DELIVER = _("To answer questions about a delivery.")
_IMPORT = _("To bring a channel's file in, and to show which rows were rejected and why.")


def _field(
    model: str,
    field: str,
    category: Category,
    mask: str,
    purpose: str | Promise,
    *,
    basis: Basis = Basis.CONTRACT,
    retention: Retention = Retention.MEMBERSHIP,
) -> PersonalField:
    return PersonalField(
        model=f"members.{model}",
        field=field,
        category=category,
        purpose=purpose,
        basis=basis,
        retention=retention,
        mask=mask,
    )


PERSONAL_FIELDS = (
    _field("Member", "name", Category.IDENTITY, "name", _SERVE),
    _field("Member", "name_index", Category.IDENTITY, "id", _SERVE),
    _field("Member", "phone", Category.CONTACT, "phone", _RECOGNISE),
    _field("Member", "email", Category.CONTACT, "email", _RECOGNISE),
    _field("Member", "birthday", Category.IDENTITY, "birthday", _BIRTHDAY),
    _field("Member", "gender", Category.PROFILE, "text", _SERVE),
    _field("Member", "province", Category.PROFILE, "text", _REGION),
    _field("Member", "city", Category.PROFILE, "text", _REGION),
    _field(
        "Member",
        "profile",
        Category.PROFILE,
        "text",
        _("To serve the member as they told us they like it."),
        basis=Basis.CONSENT,
        retention=Retention.CONSENT,
    ),
    _field("Account", "external_id", Category.PLATFORM_ID, "id", _RECOGNISE),
    _field("Account", "external_index", Category.PLATFORM_ID, "id", _RECOGNISE),
    _field("Account", "nick", Category.PLATFORM_ID, "name", _SERVE),
    _field("Account", "name", Category.IDENTITY, "name", _SERVE),
    _field("Account", "birthday", Category.IDENTITY, "birthday", _BIRTHDAY),
    _field("Account", "gender", Category.PROFILE, "text", _SERVE),
    _field("Account", "phone_masked", Category.CONTACT, "phone", _RECOGNISE),
    _field("Account", "province", Category.PROFILE, "text", _REGION),
    _field("Account", "city", Category.PROFILE, "text", _REGION),
    _field("Identifier", "value", Category.CONTACT, "id", _RECOGNISE),
    _field("Identifier", "index", Category.CONTACT, "id", _RECOGNISE),
    _field("Order", "receiver", Category.ADDRESS, "address", _DELIVER, retention=Retention.TRANSACTION),
    _field("StagedFact", "payload", Category.TRANSACTION, "text", _IMPORT, retention=Retention.IMPORT),
    _field("StagedFact", "account_index", Category.PLATFORM_ID, "id", _IMPORT, retention=Retention.IMPORT),
    _field("LegacyRow", "account_index", Category.PLATFORM_ID, "id", _RECOGNISE),
    _field("LegacyRow", "value", Category.TRANSACTION, "text", _IMPORT, retention=Retention.IMPORT),
    _field("ImportReject", "value", Category.TRANSACTION, "text", _IMPORT, retention=Retention.IMPORT),
)

NOT_PERSONAL = (
    NotPersonal(model="members.Credential", field="value", why="a secret of the brand, not of a person"),
    NotPersonal(model="members.MatchReview", field="reason", why="one of three fixed words"),
    NotPersonal(model="members.OrderLine", field="name", why="the name of a product"),
)
