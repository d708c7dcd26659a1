"""The personal data of this app: every field, why it is held and for how long (D8, PIPL art. 5-9, 17)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.register import Basis, Category, NotPersonal, PersonalField, Retention

_RECOGNISE = _("To recognise a member in every channel.")
_SERVE = _("To address and serve the member.")
_BIRTHDAY = _("To tell people with the same phone apart, and for birthday benefits.")
_REGION = _("To offer what is near the member.")
_DELIVER = _("To answer questions about a delivery.")
_BROWSE = _("To see what members look for, and to offer what fits.")
_HELP = _("To answer complaints, questions and returns, and to do better.")


_MESSAGE = _("To take in what a platform told of its buyers, and to let it be worked on again.")
_ASKED = _("To do what a platform asks on behalf of a person: hand out their data, or erase it.")
_ANSWER = _("To tell a platform how many points its member has.")


_UNDO = _("To undo a merge of two members, and to prove who made it and why.")
_IMPORT = _("To bring a channel's file in, and to show which rows were rejected and why.")
_ENROL = _("To send the one-time code that proves a phone, and to keep others from asking for codes.")


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
    _field("Footprint", "keys", Category.IDENTITY, "id", _RECOGNISE),
    _field("Merge", "before", Category.IDENTITY, "text", _UNDO),
    _field(
        "Unbinding",
        "reason",
        Category.STAFF,
        "text",
        _("To prove who ended a membership in a channel, and why."),
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
    ),
    _field(
        "Merge", "reason", Category.STAFF, "text", _UNDO, basis=Basis.LEGAL_DUTY, retention=Retention.EVIDENCE
    ),
    _field(
        "Merge",
        "undone_reason",
        Category.STAFF,
        "text",
        _UNDO,
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
    ),
    _field("Order", "receiver", Category.ADDRESS, "address", _DELIVER, retention=Retention.TRANSACTION),
    _field("Visitor", "index", Category.PLATFORM_ID, "id", _BROWSE, retention=Retention.BEHAVIOUR),
    *(
        _field(
            "Event",
            field,
            Category.BEHAVIOUR,
            "text",
            _BROWSE,
            basis=Basis.CONSENT,
            retention=Retention.BEHAVIOUR,
        )
        for field in ("session", "path", "entrance", "keyword", "product", "category")
    ),
    *(
        _field("Case", field, Category.SERVICE, "text", _HELP, retention=Retention.SERVICE)
        for field in ("words", "answer", "question_type", "satisfaction")
    ),
    _field("StagedFact", "payload", Category.TRANSACTION, "text", _IMPORT, retention=Retention.IMPORT),
    _field("StagedFact", "account_index", Category.PLATFORM_ID, "id", _IMPORT, retention=Retention.IMPORT),
    _field(
        "ReconciliationRow",
        "payload",
        Category.TRANSACTION,
        "text",
        _("To take in an order as its channel holds it, where the two differ and somebody says so."),
        retention=Retention.IMPORT,
    ),
    _field("LegacyRow", "account_index", Category.PLATFORM_ID, "id", _RECOGNISE),
    _field("LegacyRow", "other_index", Category.PLATFORM_ID, "id", _RECOGNISE),
    _field("LegacyRow", "value", Category.TRANSACTION, "text", _IMPORT, retention=Retention.IMPORT),
    _field("ImportReject", "value", Category.TRANSACTION, "text", _IMPORT, retention=Retention.IMPORT),
    _field("Enrolment", "phone", Category.CONTACT, "phone", _ENROL, retention=Retention.ENROLMENT),
    _field("Enrolment", "phone_index", Category.CONTACT, "id", _ENROL, retention=Retention.ENROLMENT),
    _field("RateCount", "subject", Category.CONTACT, "id", _ENROL, retention=Retention.ENROLMENT),
    _field("InboxDelivery", "body", Category.TRANSACTION, "text", _MESSAGE, retention=Retention.IMPORT),
    _field(
        "PlatformRequest",
        "details",
        Category.CONSENT,
        "text",
        _ASKED,
        basis=Basis.LEGAL_DUTY,
        retention=Retention.EVIDENCE,
    ),
    _field("PlatformCall", "arguments", Category.PLATFORM_ID, "text", _ANSWER, retention=Retention.IMPORT),
)

NOT_PERSONAL = (
    NotPersonal(model="members.Credential", field="value", why="a secret of the brand, not of a person"),
    NotPersonal(model="members.PlatformToken", field="value", why="a secret of the brand, not of a person"),
    NotPersonal(model="members.MatchReview", field="reason", why="one of four fixed words"),
    NotPersonal(
        model="members.ReconciliationDifference", field="reason", why="why figures are right as they are"
    ),
    NotPersonal(model="members.OrderLine", field="name", why="the name of a product"),
    NotPersonal(model="members.WebhookEndpoint", field="secret", why="signs a channel's webhooks"),
    NotPersonal(model="members.WebhookEndpoint", field="previous_secret", why="the one before, for a day"),
)
