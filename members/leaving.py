"""Leaving: an account that we end ourselves, because the member asked for it or it was never theirs (A2).

Promises: it is ended once, however often it is asked, and says who did it and why; points, coupons and
history stay the member's; the platform is told in the same transaction, where it takes such a call, and
not any more once the buyer has joined there again. What a channel tells us of its own (members.accounts)
is not told back to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from members import outbox, platform_calls, survivors
from members.connectors import tmall
from members.errors import AccountNotFound
from members.models import Account, Channel, Credential, Unbinding
from members.outbox import Change
from privacy.errors import ReasonMissing

REASON_LENGTH = 5
VERB = "accounts.unbind"


@dataclass(frozen=True, slots=True)
class Left:
    """What became of asking: the accounts as they are now, and how many of them ended just now."""

    accounts: Sequence[Account]
    ended: int
    told: int  # calls that the platform is told it by


def account_of(member_id: int, account_id: int) -> Account:
    """An account of this person, with its channel. Raises AccountNotFound."""
    found = Account.objects.filter(pk=account_id, member__in=survivors.same_person(member_id))
    account = found.select_related("channel").first()
    if account is None:
        raise AccountNotFound
    return account


def is_told(account: Account) -> bool:
    """Whether the platform of this account is told when we end it; else somebody does it there by hand."""
    return bool(_ouid(account)) and account.channel_id in _callable([account.channel])


def end(member_id: int, account_id: int, *, actor_id: int, reason: str, now: datetime) -> Left:
    """End one account of a member. Raises AccountNotFound, ReasonMissing (under five characters)."""
    account = account_of(member_id, account_id)
    return _end(account.channel, [account], actor_id, reason, now)


def end_all(member_id: int, channel: Channel, *, actor_id: int, reason: str, now: datetime) -> Left:
    """End all accounts that a member has in one channel. Raises as `end` does."""
    held = Account.objects.filter(channel=channel, member__in=survivors.same_person(member_id))
    accounts = list(held.select_related("channel").order_by("pk"))
    if not accounts:
        raise AccountNotFound
    return _end(channel, accounts, actor_id, reason, now)


@transaction.atomic
def _end(channel: Channel, accounts: Sequence[Account], actor_id: int, reason: str, now: datetime) -> Left:
    reason = reason.strip()
    if len(reason) < REASON_LENGTH:
        raise ReasonMissing
    ended = []
    for account in accounts:
        # No digest: told again by the channel, the account is news, and bound again.
        bound = Account.objects.filter(pk=account.pk, unbound_at=None)
        if bound.update(unbound_at=now, digest=None):
            account.unbound_at = now
            row = Unbinding(account=account, member_id=account.member_id, actor_id=actor_id, reason=reason)
            row.save(force_insert=True)
            ended.append((account, row))
    outbox.put([_change(channel, account, row) for account, row in ended])
    can_be_told = bool(_callable([channel]))
    told = 0
    for account, row in ended:
        if can_be_told and (ouid := _ouid(account)):
            told += platform_calls.ask(channel, tmall.TAKE_OUT, platform_calls.cause_of(row), {"ouid": ouid})
    return Left(accounts, len(ended), told)


def _change(channel: Channel, account: Account, row: Unbinding) -> Change:
    """What the channel itself is told, and no other: it hears no more of the member after."""
    return Change(
        topic="member.updated",
        change=f"unbinding:{row.pk}",
        member_id=None,
        channel_id=channel.pk,
        payload={"member_no": account.member.number, "unbound": True},
    )


def _ouid(account: Account) -> str:
    """The shop's id of a buyer at Tmall, by which alone it can be told."""
    kind, _, value = (account.external_id or "").partition(":")
    is_tmall = account.channel.platform in tmall.CONNECTOR.platforms
    return value if is_tmall and kind == "ouid" else ""


def _callable(channels: Sequence[Channel]) -> set[int]:
    """Those of these channels whose platform can be called, by id."""
    able = [channel.pk for channel in channels if channel.platform in tmall.CONNECTOR.platforms]
    sessions = Credential.objects.filter(channel__in=able, name="session")
    return set(sessions.values_list("channel_id", flat=True))
