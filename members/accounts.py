"""Accounts: what a channel tells of its buyers (A2, A3, D1).

Promises: telling the same twice changes nothing; an older version is ignored, the same version with
another content is refused; what is not told erases nothing; one bad item does not stop the others.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.text import slugify

from members import columns, identity, profiles, tags, versions
from members.errors import AccountNotFound, BuyerUnknown, VersionConflict
from members.facts import AccountFact, digest
from members.identity import Known
from members.keys import account_index
from members.models import Account, Channel, Member, Tag
from members.numbers import number_of
from privacy import consent
from privacy.errors import ShukeError

LONGEST_NAME = Tag._meta.get_field("name").max_length or 0


class AccountReceipt(NamedTuple):
    """What became of one told account. `error` says why an item was refused; its ids may then be 0."""

    outcome: str  # new, changed, same, stale or conflict
    account_id: int
    member_id: int
    member_no: str
    linked_by: str
    is_new_member: bool
    error: ShukeError | None = None
    filled: tuple[str, ...] = ()  # what became known of a member who was known before
    remark: str = ""  # the code of what was told and could not be used, though the account was taken in


@transaction.atomic
def receive(
    channel: Channel,
    facts: Sequence[AccountFact],
    *,
    now: datetime,
    actor_id: int | None = None,
    method: str = consent.Method.PLATFORM,
) -> list[AccountReceipt]:
    """Take in up to a thousand accounts of one channel; answers each, in order.

    Recognises the members, writes the profiles, consents and tags. `actor_id` is the member of staff
    who told it, `method` how the consents were given.
    """
    digests = [digest(fact) for fact in facts]
    found = identity.recognise(channel, facts, digests=digests, now=now)
    told = list(zip(facts, found.known, strict=True))
    holding = [(fact, known) for fact, known in told if known and _holds(known)]
    telling = consent.Telling(method=method, source=channel.code, actor_id=actor_id)
    refused = _record_consents(holding, telling)
    _give_tags(holding, actor_id)
    filled = profiles.fill(found.wanted, channel=channel)
    return [_receipt(known, refused.get(id(fact)), filled) for fact, known in told]


def _holds(known: Known) -> bool:
    return known.account_outcome in (versions.NEW, versions.CHANGED)


def _receipt(
    known: Known | None, refused: ShukeError | None, filled: Mapping[int, tuple[str, ...]]
) -> AccountReceipt:
    if known is None:
        return AccountReceipt(versions.CONFLICT, 0, 0, "", "", False, BuyerUnknown())
    error = VersionConflict() if known.account_outcome == versions.CONFLICT else refused
    return AccountReceipt(
        known.account_outcome,
        known.account_id,
        known.member_id,
        number_of(known.member_id),
        known.linked_by,
        known.is_new_member,
        error,
        filled.get(known.member_id, ()),
    )


def _record_consents(
    holding: Sequence[tuple[AccountFact, Known]], telling: consent.Telling
) -> dict[int, ShukeError]:
    """Record what buyers agreed to; a word that makes no sense is refused, and its account stays."""
    speaking = [(fact, known.member_id) for fact, known in holding if fact.consents]
    try:
        consent.record_many(
            [(member_id, word) for fact, member_id in speaking for word in fact.consents], telling=telling
        )
        return {}
    except ShukeError:
        # Nothing was written: a word is checked first. Find out whose it was, one by one.
        return _record_one_by_one(speaking, telling)


def _record_one_by_one(
    speaking: Sequence[tuple[AccountFact, int]], telling: consent.Telling
) -> dict[int, ShukeError]:
    refused: dict[int, ShukeError] = {}
    for fact, member_id in speaking:
        try:
            consent.record_many([(member_id, word) for word in fact.consents], telling=telling)
        except ShukeError as error:
            refused[id(fact)] = error
    return refused


def _give_tags(holding: Sequence[tuple[AccountFact, Known]], actor_id: int | None) -> None:
    """Give members the tags that were told; a word that is new becomes a tag."""
    given = {
        (known.member_id, code): " ".join(tag.split())
        for fact, known in holding
        for tag in fact.tags
        if (code := slugify(tag, allow_unicode=True)[: tags.LONGEST])
    }
    if not given:
        return
    names = {code: name[:LONGEST_NAME] for (_, code), name in given.items()}
    codes = sorted(names)
    columns.tell(
        """
        INSERT INTO members_tag (code, name)
        SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT (code) DO NOTHING
        """,
        [columns.texts(codes), columns.texts([names[code] for code in codes])],
    )
    pairs = sorted(given)
    columns.tell(
        """
        INSERT INTO members_membertag (member_id, tag_id, given_by_id)
        SELECT told.member_id, tag.id, %s
          FROM unnest(%s::bigint[], %s::text[]) AS told(member_id, code)
          JOIN members_tag AS tag USING (code)
            ON CONFLICT (member_id, tag_id)
               DO UPDATE SET rule_id = NULL, given_by_id = excluded.given_by_id
             WHERE members_membertag.rule_id IS NOT NULL  -- what a rule gave is told now, and stays
        """,
        [
            actor_id,
            columns.numbers([member_id for member_id, _ in pairs]),
            columns.texts([code for _, code in pairs]),
        ],
    )


def get(channel: Channel, external_id: str) -> Account:
    """The account of a channel's buyer, with its member. Raises AccountNotFound."""
    index = account_index(channel, external_id)
    try:
        return Account.objects.select_related("member").get(channel=channel, external_index=index)
    except Account.DoesNotExist:
        raise AccountNotFound from None


@transaction.atomic
def at_counter(channel: Channel, member_id: int, *, now: datetime) -> Known:
    """The account of a member who stands before a clerk: theirs in this channel, or one made now.

    Nobody is recognised here, the clerk has found the member. An account made so goes by the member number.
    """
    account = Account.objects.filter(channel=channel, member=member_id).order_by("id").first()
    if account is not None:
        return Known(account.pk, member_id, False, False, account.linked_by, versions.SAME)
    number = number_of(member_id)
    account, is_new = Account.objects.get_or_create(
        channel=channel,
        external_index=account_index(channel, number),
        defaults={
            "external_id": number,
            "member_id": member_id,
            "linked_by": "counter",
            "linked_at": now,
            "joined_at": now,
        },
    )
    outcome = versions.NEW if is_new else versions.SAME
    return Known(account.pk, account.member_id, is_new, False, account.linked_by, outcome)


@transaction.atomic
def unbind(channel: Channel, external_id: str, *, now: datetime) -> Account:
    """The buyer left the programme in this channel. The account stays, with what it earned.

    Unbinding again changes nothing; telling the account again binds it again. Raises AccountNotFound.
    """
    account = get(channel, external_id)
    if _unbind([account.pk], now):
        account.unbound_at = now
    return account


def unbind_all(account_ids: Sequence[int], *, now: datetime) -> list[int]:
    """Unbind accounts that a file made; answers whom nothing but that file told of: no account, no order."""
    _unbind(account_ids, now)
    alone = Member.objects.filter(accounts__in=account_ids).exclude(accounts__unbound_at=None)
    return sorted(set(alone.filter(orders=None).values_list("pk", flat=True)))


def _unbind(account_ids: Sequence[int], now: datetime) -> int:
    values: dict[str, Any] = {"unbound_at": now, "digest": None}  # no digest: told again, it is news
    return Account.objects.filter(pk__in=account_ids, unbound_at=None).update(**values)
