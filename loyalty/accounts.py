"""Accounts come in, and new members are welcomed; whoever asks next is told their tier and points."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from loyalty import clock, ledger, publishing, referral_codes, referral_signs, referrals, welcomes
from loyalty.errors import ReferralCodeUnknown
from loyalty.purse import Figures
from loyalty.referrals import Told
from loyalty.welcomes import Arrival
from members import accounts, enrolment
from members.accounts import AccountReceipt
from members.enrolment import Enrolled
from members.facts import AccountFact
from members.keys import account_index, external_id_of
from members.models import Account, Channel, Store
from privacy import consent
from privacy.consent import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a member stands: tier, until when, and points."""

    tier: str
    tier_until: datetime | None
    figures: Figures


@transaction.atomic
def receive(
    channel: Channel,
    facts: Sequence[AccountFact],
    *,
    actor_id: int | None = None,
    method: str = consent.Method.PLATFORM,
    store_id: int | None = None,
) -> list[AccountReceipt]:
    """Take in buyers as their channel knows them, and welcome the new (A2, B4). One receipt a fact.

    method: how they agreed to what they agreed to. store_id: where they stood, when they stood somewhere.
    """
    known = _known(channel, [fact for fact in facts if fact.referred_by])
    receipts = accounts.receive(channel, facts, now=clock.read().recorded, actor_id=actor_id, method=method)
    arrivals = [
        Arrival(
            member_id=receipt.member_id,
            account_id=receipt.account_id,
            is_new_member=receipt.is_new_member,
            may_be_first=receipt.outcome == "new",
            filled=receipt.filled,
            joined_at=fact.joined_at,
        )
        for fact, receipt in zip(facts, receipts, strict=True)
        if receipt.outcome in ("new", "changed")
    ]
    friends, nobodys = _hear(channel, facts, receipts, known)
    welcomes.welcome(arrivals, channel_id=channel.pk, store_id=store_id, actor_id=actor_id)
    referrals.count(friends)
    return [_remarked(receipt, nobodys) for receipt in receipts]


def _remarked(receipt: AccountReceipt, nobodys: Collection[int]) -> AccountReceipt:
    return receipt._replace(remark=ReferralCodeUnknown.code) if receipt.account_id in nobodys else receipt


def _known(channel: Channel, facts: Sequence[AccountFact]) -> frozenset[bytes]:
    """Of buyers with the code of who brought them, those whose account this channel had told before."""
    if not facts:
        return frozenset()
    indexes = [_index(channel, fact) for fact in facts if fact.is_known]
    told = Account.objects.filter(channel=channel, external_index__in=indexes, digest__isnull=False)
    return frozenset(index for index in told.values_list("external_index", flat=True) if index is not None)


def _index(channel: Channel, fact: AccountFact) -> bytes:
    return account_index(channel, external_id_of(fact, channel))


def _hear(
    channel: Channel,
    facts: Sequence[AccountFact],
    receipts: Sequence[AccountReceipt],
    known: frozenset[bytes],
) -> tuple[list[int], set[int]]:
    """Keep devices, and who brought whom.

    Answers the friends who may count at once, and the accounts that were told with a code of nobody.
    """
    heard = [
        (fact, receipt)
        for fact, receipt in zip(facts, receipts, strict=True)
        if receipt.outcome in ("new", "changed")
    ]
    devices = [(receipt.member_id, fact.device) for fact, receipt in heard if fact.device]
    if devices:
        referral_signs.see_devices(devices, channel_id=channel.pk, now=clock.read().recorded)
    told = [
        Told(
            code=fact.referred_by,
            member_id=receipt.member_id,
            account_id=receipt.account_id,
            was_known=_index(channel, fact) in known,
        )
        for fact, receipt in heard
        if fact.referred_by
    ]
    members = {receipt.member_id for _fact, receipt in heard}
    brought = referrals.hear(told, channel_id=channel.pk, beside=members)
    nobodys = {
        each.account_id
        for each, found in zip(told, brought, strict=True)
        if found.state == referrals.UNKNOWN_CODE
    }
    return [each.member_id for each in told], nobodys


@transaction.atomic
def call_off(channel: Channel, account_ids: Sequence[int], *, actor_id: int | None = None) -> int:
    """Unbind accounts whose import is undone; answers the points taken back.

    The members stay. Who has no account any more and never bought came by that file alone: what was given
    for joining, and for what the file told of them, is taken back. Told again, they are bound again.
    """
    return welcomes.take_back(accounts.unbind_all(account_ids, now=clock.read().recorded))


@transaction.atomic
def enrol(
    channel: Channel,
    store: Store | None,
    phone: str,
    *,
    name: str | None = None,
    notice_versions: Mapping[str, str],
    consents: Sequence[Word] = (),
    referred_by: str = "",
    actor_id: int | None = None,
) -> Enrolled:
    """Enrol whoever has this phone at a store's counter, and welcome them (A8, B4).

    referred_by: the code of the member who brought them. Raises PhoneInvalid, ReferralCodeUnknown.
    """
    if referred_by and not referral_codes.owners([referred_by]):
        raise ReferralCodeUnknown
    enrolled = enrolment.enrol(
        channel,
        store,
        phone,
        name=name,
        notice_versions=notice_versions,
        consents=consents,
        actor_id=actor_id,
    )
    arrival = Arrival(
        member_id=enrolled.member_id,
        account_id=0 if enrolled.was_known else enrolled.account_id,
        is_new_member=not enrolled.was_known,
        may_be_first=True,
    )
    told = [
        Told(
            code=referred_by,
            member_id=enrolled.member_id,
            account_id=enrolled.account_id,
            was_known=enrolled.was_known,
        )
    ]
    if referred_by:
        referrals.hear(told, channel_id=channel.pk)
    welcomes.welcome(
        [arrival], channel_id=channel.pk, store_id=store.pk if store else None, actor_id=actor_id
    )
    if referred_by:
        referrals.count([enrolled.member_id])
    return enrolled


def standings(member_ids: Collection[int]) -> dict[int, Standing]:
    """Tier and points of many members, in a fixed number of statements; nobody is left out."""
    purses = ledger.peek(member_ids)
    first = publishing.first_tier()
    nothing = Standing(tier=first, tier_until=None, figures=ledger.NOTHING)
    return {
        member_id: Standing(
            tier=purses[member_id].tier,
            tier_until=purses[member_id].tier_until,
            figures=purses[member_id].figures(purses.now),
        )
        if member_id in purses
        else nothing
        for member_id in member_ids
    }
