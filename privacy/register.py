"""The register of personal data: every personal field, why we hold it and for how long (PIPL art. 5-9, 17).

Each app declares its fields as data in `<app>/personal.py`; the register reads those named in
`settings.PERSONAL_REGISTERS`, because this floor imports none of the others. A test fails when a
model gains a field that looks personal and nobody has said what it is (`undeclared`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.enums import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy.fields import BlindIndexField, SealedField
from privacy.masking import MASKS


class Category(TextChoices):
    """What kind of personal data it is, in the words of the notice."""

    IDENTITY = "identity", _("Identity")
    CONTACT = "contact", _("Contact")
    PLATFORM_ID = "platform_id", _("Account on a platform")
    PROFILE = "profile", _("Profile")
    ADDRESS = "address", _("Address")
    TRANSACTION = "transaction", _("Purchases and points")
    BEHAVIOUR = "behaviour", _("Behaviour")
    SERVICE = "service", _("Service and complaints")
    CONSENT = "consent", _("Consents and requests")
    STAFF = "staff", _("Staff and audit")


class Basis(TextChoices):
    """Why it may be processed (PIPL art. 13, paragraph 1)."""

    CONSENT = "consent", _("Consent (art. 13, 1)")
    CONTRACT = "contract", _("Needed for the membership agreement (art. 13, 2)")
    LEGAL_DUTY = "legal_duty", _("Needed for a legal duty (art. 13, 3)")
    STAFF = "staff", _("Needed for the management of staff (art. 13, 2)")


class Retention(TextChoices):
    """How long it is kept; then it is blanked."""

    MEMBERSHIP = "membership", _("While the membership lasts")
    TRANSACTION = "transaction", _("Three years after the transaction")
    BEHAVIOUR = "behaviour", _("Thirteen months")
    SERVICE = "service", _("Three years after the case was closed")
    EVIDENCE = "evidence", _("Three years after the membership ended, as evidence")
    CONSENT = "until_withdrawn", _("Until the consent is withdrawn")
    EMPLOYMENT = "employment", _("Three years after the employment ended")
    IMPORT = "import", _("Ninety days after the import")
    ENROLMENT = "enrolment", _("Until the enrolment ends, a day at the most")


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonalField:
    """One personal field of one model. `model` is a label (`members.Member`), `mask` a kind of masking."""

    model: str
    field: str
    category: Category
    purpose: str | Promise
    basis: Basis
    retention: Retention
    mask: str
    sensitive: bool = False  # PIPL art. 28: needs a consent of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPersonal:
    """A field whose name sounds personal and that is not; `why` is for the reader of the code."""

    model: str
    field: str
    why: str


@dataclass(frozen=True, slots=True)
class Register:
    """All declarations, by (model label, field name)."""

    fields: dict[tuple[str, str], PersonalField]
    exempt: dict[tuple[str, str], NotPersonal]

    @classmethod
    def read(cls, modules: Iterable[str]) -> "Register":
        """Read PERSONAL_FIELDS and NOT_PERSONAL of each module; ValueError for a field declared twice."""
        register = cls(fields={}, exempt={})
        for module in map(import_module, modules):
            for declared in (*module.PERSONAL_FIELDS, *getattr(module, "NOT_PERSONAL", ())):
                register.add(declared)
        return register

    def add(self, declared: PersonalField | NotPersonal) -> None:
        key = (declared.model, declared.field)
        if key in self.fields or key in self.exempt:
            raise ValueError(f"{declared.model}.{declared.field} is declared twice")
        if isinstance(declared, NotPersonal):
            self.exempt[key] = declared
        elif declared.mask in MASKS:
            self.fields[key] = declared
        else:
            raise ValueError(f"{declared.model}.{declared.field} names an unknown mask")


@cache
def _read(modules: tuple[str, ...]) -> Register:
    return Register.read(modules)


def current() -> Register:
    """The register of this installation."""
    return _read(tuple(settings.PERSONAL_REGISTERS))


def all_fields() -> tuple[PersonalField, ...]:
    """Every personal field, in the order of declaration."""
    return tuple(current().fields.values())


def fields_of(model: type[models.Model] | models.Model) -> tuple[PersonalField, ...]:
    """The personal fields of one model."""
    return tuple(field for field in all_fields() if field.model == model._meta.label)


def find(model: type[models.Model] | models.Model, field: str) -> PersonalField | None:
    """The declaration of one field, or None."""
    return current().fields.get((model._meta.label, field))


_WORDS = """
    name names surname nick nickname fullname pinyin initials username phone mobile tel telephone fax
    email mail birthday birth birthdate dob age gender sex address addresses street receiver recipient
    openid unionid ouid omid external_id identifier identity passport idcard wechat qq alipay ip
    location latitude longitude occupation marital marriage child children income note notes remark
    remarks comment comments reason contact contacts photo avatar card plate device useragent ua
    district
"""
PERSONAL_WORDS = frozenset(_WORDS.split())


def looks_personal(field: "models.Field[Any, Any]") -> bool:
    """Whether a field is sealed, is an index of something sealed, or is named like personal data."""
    if isinstance(field, SealedField | BlindIndexField):
        return True
    if field.is_relation or isinstance(field, models.BooleanField | models.DateTimeField):
        return False
    words = re.split(r"_|(?<=\D)(?=\d)", field.name)
    return field.name in PERSONAL_WORDS or any(word in PERSONAL_WORDS for word in words)


def reaches_member(model: type[models.Model], member: type[models.Model]) -> bool:
    """Whether rows of a model lead to a member by foreign keys, over any number of steps."""
    seen: set[type[models.Model]] = set()
    ahead = [model]
    while ahead:
        step = ahead.pop()
        if step is member:
            return True
        if step not in seen:
            seen.add(step)
            ahead.extend(_forward(step))
    return False


def _forward(model: type[models.Model]) -> Iterator[type[models.Model]]:
    for field in model._meta.concrete_fields:
        if field.remote_field and isinstance(field.remote_field.model, type):
            yield field.remote_field.model


def undeclared(
    models_seen: Iterable[type[models.Model]], member: type[models.Model], register: Register
) -> list[str]:
    """The fields that look personal and that nobody has declared, as `app.Model.field`."""
    found = []
    for model in models_seen:
        about_a_person = reaches_member(model, member)
        for field in model._meta.local_concrete_fields:
            sealed = isinstance(field, SealedField | BlindIndexField)
            key = (model._meta.label, field.name)
            if key in register.fields or key in register.exempt:
                continue
            if sealed or (about_a_person and looks_personal(field)):
                found.append(f"{model._meta.label}.{field.name}")
    return found


def stale(register: Register) -> list[str]:
    """Declarations of fields that are no longer there."""
    declared = (*register.fields, *register.exempt)
    return [f"{model}.{field}" for model, field in declared if not _exists(model, field)]


def _exists(label: str, field: str) -> bool:
    try:
        apps.get_model(label)._meta.get_field(field)
    except (LookupError, FieldDoesNotExist):
        return False
    return True
