"""Enrolment at a store's counter: from a phone to a member in one step (A8, E1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from members import accounts, profiles, seeing
from members.agreement import clean_name
from members.cleaning import Unclean, clean_phone
from members.errors import MemberNotFound, PhoneInvalid
from members.facts import AccountFact, IdentifierFact, IdentifierKind
from members.models import Channel, Member, Store
from members.numbers import number_of
from privacy import consent
from privacy.consent import ConsentWord, Telling, Word

# What enrolling says by itself: yes to the user agreement that was shown.
MEMBERSHIP = "membership"


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """Who was enrolled. `was_known`: the phone was a member's already, and it is that member."""

    member_id: int
    account_id: int
    member_no: str
    was_known: bool


@transaction.atomic
def enrol(
    channel: Channel,
    store: Store | None,
    phone: str,
    *,
    name: str | None = None,
    notice_versions: Mapping[str, str],
    consents: Sequence[Word] = (),
    actor_id: int | None = None,
    now: datetime | None = None,
) -> Enrolled:
    """Make a member of whoever has this phone; who is one already stays who they are.

    notice_versions: what was shown, by kind (`agreement`, `privacy`). consents: the member's words,
    kept with the notice and who heard them. The same phone never makes a second member here, also
    not under another name: the clerk sees the card that answers to it. Raises PhoneInvalid.
    """
    now = now or timezone.now()
    number = _clean(phone)
    known = _find(number)
    if known is not None:
        account = accounts.at_counter(channel, known.pk, now=now)
        enrolled = Enrolled(
            member_id=known.pk, account_id=account.account_id, member_no=known.number, was_known=True
        )
    else:
        enrolled = _make(channel, store, number, name, actor_id=actor_id, now=now)
    _record(enrolled.member_id, channel, notice_versions, consents, actor_id)
    return enrolled


def _clean(phone: str) -> str:
    try:
        number = clean_phone(phone)
    except Unclean as unclean:
        raise PhoneInvalid from unclean
    if number is None:
        raise PhoneInvalid
    return number


def _find(number: str) -> Member | None:
    try:
        return seeing.find(phone=number)
    except MemberNotFound:
        return None


def _make(
    channel: Channel,
    store: Store | None,
    number: str,
    name: str | None,
    *,
    actor_id: int | None,
    now: datetime,
) -> Enrolled:
    # Without a name, which could disagree: of two clerks with the same phone at once, the second
    # must come to the member that the first has just made.
    fact = AccountFact(identifiers=(IdentifierFact(kind=IdentifierKind.PHONE, value=number),), joined_at=now)
    (receipt,) = accounts.receive(channel, [fact], now=now, actor_id=actor_id)
    if receipt.is_new_member:
        Member.objects.filter(pk=receipt.member_id).update(recruited_store=store, recruited_by=actor_id)
    if clear := clean_name(name):
        profiles.fill({receipt.member_id: {"name": clear}}, channel=channel)
    return Enrolled(
        member_id=receipt.member_id,
        account_id=receipt.account_id,
        member_no=number_of(receipt.member_id),
        was_known=not receipt.is_new_member,
    )


def _record(
    member_id: int,
    channel: Channel,
    notice_versions: Mapping[str, str],
    consents: Sequence[Word],
    actor_id: int | None,
) -> None:
    """Keep what was agreed to, each word with the version of the text that was shown."""
    privacy = notice_versions.get("privacy", "")
    words = [
        ConsentWord(
            purpose=word.purpose,
            granted=word.granted,
            channel=word.channel,
            party=word.party,
            notice=word.notice or privacy,
            at=word.at,
        )
        for word in consents
    ]
    if agreement := notice_versions.get("agreement"):
        words.append(ConsentWord(purpose=MEMBERSHIP, granted=True, notice=agreement))
    telling = Telling(method=consent.Method.SPOKEN, source=channel.code, actor_id=actor_id)
    consent.record_many([(member_id, word) for word in words], telling=telling)
