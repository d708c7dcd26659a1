"""Those who join by themselves: by a code to their phone or by one tap, then step by step (A8, B4).

The orchestrator of `members.joining`, which proves people, and `loyalty.accounts`, which takes them in and
gives what the programme promises the new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import pgettext

from loyalty import accounts, activities, clock, grant_words, publishing, welcomes
from loyalty.errors import ReferralCodeUnknown
from loyalty.referral_codes import owners
from members import joining
from members.accounts import AccountReceipt
from members.connectors import wechat
from members.enrolment import MEMBERSHIP
from members.errors import EnrolmentUnknown
from members.facts import AccountFact, ConsentFact, Gender, IdentifierFact, IdentifierKind
from members.joining import Words
from members.models import Channel, Enrolment, Member
from privacy import consent

STEPS = ("name", "birthday", "gender", "city")


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Somebody came in. `receipt.is_new_member` says whether they were one before."""

    enrolment_id: UUID
    receipt: AccountReceipt


def check(words: Words) -> Words:
    """What was said, if it can be kept. Raises ReferralCodeUnknown for a code that is nobody's."""
    if words.referred_by and not owners([words.referred_by]):
        raise ReferralCodeUnknown
    return words


def confirm(enrolment_id: UUID, channel: Channel, code: str, *, words: Words | None = None) -> Joined:
    """From a right code to the member whose phone it is, known or new. Raises CodeWrong.

    words: what was said meanwhile, in the place of what was said when the code was asked for. Call it
    outside of a transaction: a wrong code must cost a try for good.
    """
    proof = joining.prove(enrolment_id, channel, code)
    with transaction.atomic():
        enrolment = joining.hold(proof)
        assert enrolment.phone is not None
        if words is not None:
            enrolment.words = words.document()
        phone = IdentifierFact(kind=IdentifierKind.PHONE, value=enrolment.phone, verified=True)
        return _come_in(enrolment, channel, (phone,))


def one_tap(
    channel: Channel, *, login_code: str, phone_code: str, words: Words, store_id: int | None = None
) -> Joined:
    """From the two codes of a mini program to the member, in one step.

    WeChat is asked before anything is locked. Raises what members.connectors.wechat.identify raises.
    """
    person = wechat.identify(channel, login_code=login_code, phone_code=phone_code)
    with transaction.atomic():
        enrolment = joining.at_once(channel, origin=Enrolment.Origin.WECHAT, words=words, store_id=store_id)
        return _come_in(enrolment, channel, person.identifiers)


def _come_in(enrolment: Enrolment, channel: Channel, keys: tuple[IdentifierFact, ...]) -> Joined:
    """Take a proved person in, with what they said, and end the enrolment."""
    words = Words.read(enrolment.words)
    fact = AccountFact(identifiers=keys, consents=_consents(words), referred_by=words.referred_by or None)
    method = consent.Method.SPOKEN if enrolment.actor_id else consent.Method.TICK
    (receipt,) = accounts.receive(
        channel, [fact], actor_id=enrolment.actor_id, method=method, store_id=enrolment.store_id
    )
    if receipt.error is not None:
        raise receipt.error
    if receipt.is_new_member:
        Member.objects.filter(pk=receipt.member_id).update(
            recruited_store=enrolment.store_id, recruited_by=enrolment.actor_id
        )
    joining.close(
        enrolment,
        member_id=receipt.member_id,
        account_id=receipt.account_id,
        is_new_member=receipt.is_new_member,
    )
    return Joined(enrolment_id=enrolment.pk, receipt=receipt)


def _consents(words: Words) -> tuple[ConsentFact, ...]:
    """Each word with the version of the notice that was shown, and the yes to the agreement.

    They are said now: a yes that repeats one of last year is news when it was withdrawn in between.
    """
    privacy, now = words.notices.get("privacy", ""), clock.read().recorded
    said = [replace(fact, notice=fact.notice or privacy, at=fact.at or now) for fact in words.consents]
    if agreement := words.notices.get("agreement"):
        said.append(ConsentFact(purpose=MEMBERSHIP, granted=True, notice=agreement, at=now))
    return tuple(said)


# -- Step by step -----------------------------------------------------------------------------------------


def missing_steps(member_id: int) -> tuple[str, ...]:
    """What of the profile the member has not told yet, in the order in which it is asked."""
    known = activities.known_steps([member_id], STEPS).get(member_id, ())
    return tuple(step for step in STEPS if step not in known)


def earned_by(step: str) -> str:
    """What the programme in force gives for a step, in words; "" for nothing."""
    if not publishing.is_published():
        return ""
    programme = publishing.load_all().at(clock.read().now).programme
    terms = programme.grants.activity(welcomes.STEP)
    if terms is None or step not in terms.steps:
        return ""
    comma = pgettext("between the names of a list", ", ")
    return comma.join(grant_words.prize(each.kind, each.value, programme) for each in terms.prizes)


def tell(enrolment: Enrolment, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Take in what somebody tells of themselves after joining, and give what its steps earn.

    values: some of `name`, `birthday`, `gender` (a word of Gender) and `city` with `province`. What another
    channel said of the member before stays. Answers what became known. Raises EnrolmentUnknown.
    """
    account = enrolment.account
    if account is None or account.external_id is None:
        raise EnrolmentUnknown  # never confirmed, or the person has been erased since
    birthday = values.get("birthday")
    assert birthday is None or isinstance(birthday, date)
    fact = AccountFact(
        external_id=account.external_id,
        name=values.get("name"),
        birthday=birthday,
        gender=Gender(values["gender"]) if values.get("gender") else None,
        province=values.get("province"),
        city=values.get("city"),
    )
    with transaction.atomic():
        (receipt,) = accounts.receive(
            enrolment.channel, [fact], method=consent.Method.TAP, store_id=enrolment.store_id
        )
        for step in STEPS:
            if values.get(step):
                joining.take_step(enrolment.pk, step)
    return receipt.filled
