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

PERSONAL_FIELDS += (
    PersonalField(
        model="loyalty.DeviceSeen",
        field="index",
        category=Category.PLATFORM_ID,
        purpose=_("To notice that a friend who was brought is no other person."),
        basis=Basis.CONTRACT,
        retention=Retention.BEHAVIOUR,
        mask="id",
    ),
    PersonalField(
        model="loyalty.Referral",
        field="note",
        category=Category.STAFF,
        purpose=_("To explain a decision about a referral to the member and to an auditor."),
        basis=Basis.CONTRACT,
        retention=Retention.EVIDENCE,
        mask="text",
    ),
    PersonalField(
        model="loyalty.BirthdayIndex",
        field="index",
        category=Category.IDENTITY,
        purpose=_("To know whose birthday it is, without opening the birthdays of everybody each night."),
        basis=Basis.CONTRACT,
        retention=Retention.MEMBERSHIP,
        mask="id",
    ),
)

PERSONAL_FIELDS += tuple(
    PersonalField(
        model=model,
        field=field,
        category=Category.TRANSACTION,
        purpose=_("To hand a reward to the member, and to explain what became of it."),
        basis=Basis.CONTRACT,
        retention=Retention.EVIDENCE,
        mask="text",
    )
    for model, field in (("loyalty.Claim", "tracking"), ("loyalty.ClaimMove", "reason"))
)

PERSONAL_FIELDS += (
    PersonalField(
        model="loyalty.TierEvent",
        field="reason",
        category=Category.TRANSACTION,
        purpose=_("To explain a tier that was given by hand to the member and to an auditor."),
        basis=Basis.CONTRACT,
        retention=Retention.EVIDENCE,
        mask="text",
    ),
)

PERSONAL_FIELDS += tuple(
    PersonalField(
        model=model,
        field="why",
        category=Category.TRANSACTION,
        purpose=_("To explain a coupon to the member and to an auditor."),
        basis=Basis.CONTRACT,
        retention=Retention.EVIDENCE,
        mask="text",
    )
    for model in ("loyalty.Coupon", "loyalty.CouponMove")
)

NOT_PERSONAL = (
    NotPersonal(model="loyalty.TierChange", field="reason", why="a choice out of a fixed list, no free text"),
)
