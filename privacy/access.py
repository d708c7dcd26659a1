"""Who may see personal data in clear, and the trail that seeing leaves (D5, D7).

Promises: nothing is shown in clear without a role, a reason and a record; the record is written in
the transaction of the look, so that one cannot be had without the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.db.models.functions import Now

from privacy import register, roles
from privacy.errors import FieldNotRegistered, NotAllowed, ReasonMissing, TooManyReveals
from privacy.masking import mask, mask_ip
from privacy.models import AccessRecord

REASON_LENGTH = 5
REVEALS_PER_HOUR = 60
Action = AccessRecord.Action


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """Where a look came from: the request, its network address, and the channel of its key."""

    request_id: str = ""
    ip: str = ""
    channel: str | None = None


NOWHERE = Occasion()


def may_see_clear(user: AbstractBaseUser | AnonymousUser | None) -> bool:
    """Whether a person may reveal personal data at all; each reveal still needs a reason."""
    return roles.can(user, "members.reveal")


def masked(obj: models.Model, field: str) -> str:
    """One personal field of a row as everybody may see it, masked as the register says.

    Raises FieldNotRegistered for a field that the register does not know.
    """
    return mask(_declared(obj, field).mask, getattr(obj, field))


def reveal(
    actor: AbstractBaseUser | AnonymousUser,
    member: models.Model,
    obj: models.Model,
    fields: Iterable[str],
    reason: str,
    *,
    occasion: Occasion = NOWHERE,
) -> dict[str, Any]:
    """Show fields of a row about a member in clear, and record who saw what and why.

    obj: the row that holds the fields (the member, an account, an order). Answers {field: value}.
    Raises NotAllowed, ReasonMissing (under five characters), FieldNotRegistered, TooManyReveals.
    """
    names = list(dict.fromkeys(fields))
    if not may_see_clear(actor):
        raise NotAllowed
    if len(reason.strip()) < REASON_LENGTH:
        raise ReasonMissing
    for name in names:
        _declared(obj, name)
    with transaction.atomic():
        _refuse_a_flood(actor)
        note(
            actor,
            Action.REVEAL,
            member=member,
            model=obj._meta.label,
            subjects=[obj.pk],
            fields=names,
            reason=reason.strip(),
            occasion=occasion,
        )
        return {name: getattr(obj, name) for name in names}


def note(
    actor: AbstractBaseUser | AnonymousUser | None,
    action: str,
    *,
    model: str,
    member: models.Model | None = None,
    subjects: Iterable[int | str] = (),
    fields: Iterable[str] = (),
    reason: str = "",
    label: str = "",
    occasion: Occasion = NOWHERE,
) -> AccessRecord:
    """Record a look: a list or export names all its rows in `subjects`, and no value ever.

    actor: None for a channel's key or a command, which `label` then names.
    """
    person = actor if isinstance(actor, models.Model) else None
    return AccessRecord.objects.create(
        actor_id=person.pk if person else None,
        actor_label=label or (actor.get_username() if actor else "") or occasion.channel or "system",
        channel=occasion.channel,
        action=action,
        model=model,
        member_id=member.pk if member else None,
        subjects=list(subjects),
        fields=list(fields),
        reason=reason,
        request_id=occasion.request_id,
        ip=mask_ip(occasion.ip),
    )


def model_in_words(label: str) -> str:
    """What kind of record a model's label stands for, in the reader's language."""
    return str(apps.get_model(label)._meta.verbose_name)


def fields_in_words(record: AccessRecord) -> list[str]:
    """The names of the fields that were seen, in the reader's language."""
    names = {field.name: str(getattr(field, "verbose_name", field.name)) for field in _fields(record.model)}
    return [names.get(name, name) for name in map(str, record.fields)]


def _fields(label: str) -> Iterable[Any]:
    return apps.get_model(label)._meta.get_fields()


def looks_at(member: models.Model) -> models.QuerySet[AccessRecord]:
    """Who saw the data of one member, newest first; for the member and for the officer."""
    about = models.Q(member_id=member.pk) | models.Q(model=member._meta.label, subjects__contains=[member.pk])
    return AccessRecord.objects.filter(about).order_by("-recorded_at")


def _declared(obj: models.Model, field: str) -> register.PersonalField:
    declared = register.find(obj, field)
    if declared is None:
        raise FieldNotRegistered(field=field)
    return declared


def _refuse_a_flood(actor: AbstractBaseUser | AnonymousUser) -> None:
    lately = AccessRecord.objects.filter(
        actor_id=actor.pk, action=Action.REVEAL, recorded_at__gt=Now() - timedelta(hours=1)
    )
    # A soft wall: two reveals at the same instant may pass it together, and both are on record.
    if lately.count() >= REVEALS_PER_HOUR:
        raise TooManyReveals
