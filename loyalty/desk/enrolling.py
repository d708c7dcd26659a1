"""Enrolment at the desk: at the clerk's word, or with a code that the customer reads out (A8, E1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from loyalty import accounts, newcomers
from loyalty.desk.forms import EnrolForm
from loyalty.desk.station import Station
from members import joining
from members.errors import PhoneInvalid
from members.facts import ConsentFact
from members.joining import Words
from members.models import Enrolment

CONSENTS = {"marketing": "sms", "personalisation": "any"}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who is a member now, and whether they were one before."""

    member_id: int
    was_known: bool


def send_code(station: Station, form: EnrolForm, shown: Mapping[str, str]) -> UUID:
    """Send a code to the customer's phone; answers under what it is confirmed. Raises as joining.begin."""
    assert station.store is not None
    asked = joining.begin(
        station.store.channel,
        form.cleaned_data["phone"],
        origin=Enrolment.Origin.DESK,
        words=newcomers.check(_words(form, shown)),
        store_id=station.store.pk,
        actor_id=station.user.pk,
    )
    return asked.id


def enrol(station: Station, form: EnrolForm, shown: Mapping[str, str]) -> Enrolled:
    """Make a member of the phone: proved where the customer read out the code, else at the clerk's word.

    Raises CodeWrong, PhoneInvalid, ReferralCodeUnknown.
    """
    assert station.store is not None
    told = form.cleaned_data
    if told["enrolment"] and told["code"]:
        return _proved(station, form, shown)
    enrolled = accounts.enrol(
        station.store.channel,
        station.store,
        told["phone"],
        name=told["name"],
        notice_versions=shown,
        consents=_consents(form, shown),
        referred_by=told["referred_by"],
        actor_id=station.user.pk,
    )
    return Enrolled(enrolled.member_id, enrolled.was_known)


def _proved(station: Station, form: EnrolForm, shown: Mapping[str, str]) -> Enrolled:
    assert station.store is not None
    told = form.cleaned_data
    if not joining.is_for(told["enrolment"], told["phone"]):
        raise PhoneInvalid  # the phone was changed after the code had gone out
    words = newcomers.check(_words(form, shown))
    joined = newcomers.confirm(told["enrolment"], station.store.channel, told["code"], words=words)
    if told["name"]:
        newcomers.tell(joining.find(joined.enrolment_id, Enrolment.State.CONFIRMED), {"name": told["name"]})
    return Enrolled(joined.receipt.member_id, not joined.receipt.is_new_member)


def _words(form: EnrolForm, shown: Mapping[str, str]) -> Words:
    return Words(
        notices=shown, consents=_consents(form, shown), referred_by=form.cleaned_data["referred_by"].strip()
    )


def _consents(form: EnrolForm, shown: Mapping[str, str]) -> tuple[ConsentFact, ...]:
    """What was ticked, with the version of the notice that was shown."""
    return tuple(
        ConsentFact(purpose=purpose, channel=channel, granted=True, notice=shown.get("privacy", ""))
        for purpose, channel in CONSENTS.items()
        if form.cleaned_data[purpose]
    )
