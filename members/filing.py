"""Filing: new members, accounts and keys go into the database, set by set. `members.identity` decides.

The order of the statements matters: a key stops leading to one member before it leads to another, or
the constraint (identifier_leads_to_one_member) would see two.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from members import columns, profiles
from members.acquaintances import Held, Person, Seen
from members.models import Account, Channel, Identifier
from members.numbers import number_of
from members.sealing import sealed_field
from privacy.crypto import new_seals

Review = tuple[Person, Person, str, dict[str, Any]]

_ACCOUNT = {name: sealed_field(Account, name) for name in ("external_id", "nick", "name", "birthday")}
_VALUE = sealed_field(Identifier, "value")


@dataclass(frozen=True, slots=True)
class Papers:
    """What came of one batch. An id of 0 says that a row is to be added."""

    persons: Sequence[Person]
    accounts: Sequence[Seen]
    keys: Sequence[Held]
    reviews: Sequence[Review]


def file(channel: Channel, papers: Papers, *, now: datetime) -> None:
    """Write the papers of one batch; every person and account has its id afterwards."""
    new_accounts = [seen for seen in papers.accounts if seen.id == 0]
    known_accounts = [seen for seen in papers.accounts if seen.id and seen.is_touched]
    _reserve(papers.persons, new_accounts)
    if papers.persons:
        _add_members(channel, papers.persons, now)
    if new_accounts:
        _add_accounts(channel, new_accounts)
    if known_accounts:
        _retell_accounts(known_accounts, now)
    _file_keys(papers.keys)
    if papers.reviews:
        _ask_people(papers.reviews)


def _reserve(persons: Sequence[Person], accounts: Sequence[Seen]) -> None:
    """Take ids before the rows are written: the member number is made from the id."""
    if not persons and not accounts:
        return
    ((member_ids, account_ids),) = columns.ask(
        """
        WITH sequence AS MATERIALIZED (  -- or its name would be looked up for each id
            SELECT pg_get_serial_sequence('members_member', 'id')::regclass AS member,
                   pg_get_serial_sequence('members_account', 'id')::regclass AS account
        )
        SELECT ARRAY(SELECT nextval(member) FROM sequence, generate_series(1, %s)),
               ARRAY(SELECT nextval(account) FROM sequence, generate_series(1, %s))
        """,
        [len(persons), len(accounts)],
    )
    for person, member_id in zip(persons, member_ids, strict=True):
        person.id = member_id
    for account, account_id in zip(accounts, account_ids, strict=True):
        assert account.person is not None
        account.id = account_id
        account.member_id = account.person.id


def _add_members(channel: Channel, persons: Sequence[Person], now: datetime) -> None:
    wants = [person.wanted for person in persons]
    seals = new_seals(len(persons))
    profiled = [_profile_of(want) for want in wants]
    columns.tell(
        """
        INSERT INTO members_member
               (id, seal, number, status, name, name_index, phone, email, birthday, profile,
                gender, province, city, campaign, revision, recruited_channel_id, joined_at)
        SELECT id, seal, number, 'active', name, name_index, phone, email, birthday, profile,
               gender, province, city, '', 1, %s, joined_at
          FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::bytea[], %s::bytea[], %s::bytea[],
                      %s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[], %s::text[],
                      %s::timestamptz[])
               AS told(id, seal, number, name, name_index, phone, email, birthday, profile,
                       gender, province, city, joined_at)
        """,
        [
            channel.pk,
            columns.numbers([person.id for person in persons]),
            columns.seals(seals),
            columns.texts([number_of(person.id) for person in persons]),
            columns.blobs(profiles.seal("name", wants, seals)),
            columns.blobs([profiles.name_index(want.get("name")) for want in wants]),
            *(columns.blobs(profiles.seal(field, wants, seals)) for field in ("phone", "email", "birthday")),
            columns.blobs(profiles.seal("profile", profiled, seals)),
            *(columns.texts([want.get(field, "") for want in wants]) for field in profiles.PLAIN),
            columns.times([want.get("joined_at") or now for want in wants]),
        ],
    )


def _profile_of(wanted: dict[str, Any]) -> dict[str, Any]:
    occupation = wanted.get("occupation")
    return {"profile": {"occupation": occupation}} if occupation else {}


def _add_accounts(channel: Channel, accounts: Sequence[Seen]) -> None:
    seals = new_seals(len(accounts))
    columns.tell(
        """
        INSERT INTO members_account
               (id, channel_id, member_id, seal, external_id, external_index, linked_by,
                nick, name, birthday, gender, phone_masked, province, city,
                buyer_star, praise_count, joined_at, version, digest)
        SELECT id, %s, member_id, seal, external_id, external_index, linked_by,
               nick, name, birthday, coalesce(gender, ''), coalesce(phone_masked, ''),
               coalesce(province, ''), coalesce(city, ''),
               buyer_star, praise_count, joined_at, version, digest
          FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::bytea[], %s::bytea[], %s::text[],
                      %s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[], %s::text[], %s::text[],
                      %s::int[], %s::int[], %s::timestamptz[], %s::bigint[], %s::bytea[])
               AS told(id, member_id, seal, external_id, external_index, linked_by,
                       nick, name, birthday, gender, phone_masked, province, city,
                       buyer_star, praise_count, joined_at, version, digest)
        """,
        [
            channel.pk,
            columns.numbers([account.id for account in accounts]),
            columns.numbers([account.member_id for account in accounts]),
            columns.seals(seals),
            columns.blobs(
                _ACCOUNT["external_id"].seal_values([account.external_id for account in accounts], seals)
            ),
            columns.blobs([account.index for account in accounts]),
            columns.texts([account.linked_by for account in accounts]),
            *_profile_columns(accounts, seals),
        ],
    )


def _retell_accounts(accounts: Sequence[Seen], now: datetime) -> None:
    columns.tell(
        """
        UPDATE members_account AS account
           SET nick = coalesce(told.nick, account.nick),
               name = coalesce(told.name, account.name),
               birthday = coalesce(told.birthday, account.birthday),
               gender = coalesce(told.gender, account.gender),
               phone_masked = coalesce(told.phone_masked, account.phone_masked),
               province = coalesce(told.province, account.province),
               city = coalesce(told.city, account.city),
               buyer_star = coalesce(told.buyer_star, account.buyer_star),
               praise_count = coalesce(told.praise_count, account.praise_count),
               joined_at = coalesce(told.joined_at, account.joined_at),
               unbound_at = CASE WHEN told.is_unbound THEN account.unbound_at END,
               version = told.version,
               digest = told.digest,
               heard_at = %s
          FROM unnest(%s::bigint[], %s::bool[], %s::bytea[], %s::bytea[], %s::bytea[], %s::text[],
                      %s::text[], %s::text[], %s::text[], %s::int[], %s::int[], %s::timestamptz[],
                      %s::bigint[], %s::bytea[])
               AS told(id, is_unbound, nick, name, birthday, gender, phone_masked, province, city,
                       buyer_star, praise_count, joined_at, version, digest)
         WHERE account.id = told.id
        """,
        [
            now,
            columns.numbers([account.id for account in accounts]),
            columns.flags([account.is_unbound for account in accounts]),
            *_profile_columns(accounts, [account.seal.bytes for account in accounts if account.seal]),
        ],
    )


def _profile_columns(accounts: Sequence[Seen], seals: Sequence[bytes]) -> list[str]:
    """nick, name, birthday, gender, phone_masked, province, city, …, version, digest; NULL: not told."""
    told = [account.told for account in accounts]
    return [
        *(
            columns.blobs(_ACCOUNT[field].seal_values([values.get(field) for values in told], seals))
            for field in ("nick", "name", "birthday")
        ),
        *(
            columns.texts([values.get(field) for values in told])
            for field in ("gender", "phone_masked", "province", "city")
        ),
        columns.numbers([values.get("buyer_star") for values in told]),
        columns.numbers([values.get("praise_count") for values in told]),
        columns.times([values.get("joined_at") for values in told]),
        columns.numbers([account.version for account in accounts]),
        columns.blobs([account.digest for account in accounts]),
    ]


def _file_keys(keys: Sequence[Held]) -> None:
    demoted = [key.id for key in keys if key.was_leading and not key.leads]
    if demoted:
        columns.tell(
            "UPDATE members_identifier SET leads = false WHERE id = ANY(%s::bigint[])",
            [columns.numbers(demoted)],
        )
    raised = [key for key in keys if key.id and key.is_raised]
    if raised:
        columns.tell(
            """
            UPDATE members_identifier AS key
               SET leads = told.leads, verified = told.verified
              FROM unnest(%s::bigint[], %s::bool[], %s::bool[]) AS told(id, leads, verified)
             WHERE key.id = told.id
            """,
            [
                columns.numbers([key.id for key in raised]),
                columns.flags([key.leads for key in raised]),
                columns.flags([key.verified for key in raised]),
            ],
        )
    _add_keys([key for key in keys if key.id == 0])


def _add_keys(keys: Sequence[Held]) -> None:
    if not keys:
        return
    seals = new_seals(len(keys))
    columns.tell(
        """
        INSERT INTO members_identifier
               (seal, member_id, account_id, kind, scope, index, value, verified, leads)
        SELECT seal, member_id, account_id, kind, scope, index, value, verified, leads
          FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bytea[],
                      %s::bytea[], %s::bool[], %s::bool[])
               AS told(seal, member_id, account_id, kind, scope, index, value, verified, leads)
        """,
        [
            columns.seals(seals),
            columns.numbers([key.person.id for key in keys]),
            columns.numbers([key.seen.id if key.seen else None for key in keys]),
            columns.texts([key.place.kind for key in keys]),
            columns.texts([key.place.scope for key in keys]),
            columns.blobs([key.place.blind for key in keys]),
            columns.blobs(_VALUE.seal_values([key.value for key in keys], seals)),
            columns.flags([key.verified for key in keys]),
            columns.flags([key.leads for key in keys]),
        ],
    )


def _ask_people(reviews: Sequence[Review]) -> None:
    """Put pairs before a person. A pair that was asked about before is not asked about again."""
    columns.tell(
        """
        INSERT INTO members_matchreview (member_id, other_id, reason, evidence, state)
        SELECT member_id, other_id, reason, evidence::jsonb, 'open'
          FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[])
               AS told(member_id, other_id, reason, evidence)
            ON CONFLICT DO NOTHING
        """,
        [
            columns.numbers([person.id for person, _, _, _ in reviews]),
            columns.numbers([other.id for _, other, _, _ in reviews]),
            columns.texts([reason for _, _, reason, _ in reviews]),
            columns.texts([json.dumps(evidence) for _, _, _, evidence in reviews]),
        ],
    )
