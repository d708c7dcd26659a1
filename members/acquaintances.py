"""Whom the database knows among the buyers of a batch: look-ups for `members.identity`, set by set.

Nothing is decided or written here. Each function is one statement, for one buyer or a thousand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from members import columns, versions
from members.keys import Key, Place
from members.models import Account, Channel, Credential, Member
from members.phone_hashes import MixKey
from members.sealing import sealed_field

_MEMBER_NAME = sealed_field(Member, "name")
_MEMBER_BIRTHDAY = sealed_field(Member, "birthday")
_ACCOUNT_NAME = sealed_field(Account, "name")
_CREDENTIAL = sealed_field(Credential, "value")

# The buckets of this namespace are held from the second look-up to the end of the transaction, so
# that two requests with the same unknown key come one after the other (liveness; the unique
# constraints are the safety).
LOCK_NAMESPACE = 1_397_245_541
# For the hashes of phones, which are known only after the phones themselves were looked for: always after.
HASH_NAMESPACE = 1_397_245_543


@dataclass(slots=True, eq=False)
class Person:
    """A member, known or about to be. `wanted` are values that fill what is missing of them."""

    id: int = 0  # 0 until an id is reserved
    is_new: bool = False
    seal: UUID | None = None  # of a known one
    sealed_name: bytes | None = None
    sealed_birthday: bytes | None = None
    wanted: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The name as far as known, opened only when somebody asks."""
        if self.sealed_name is None or self.seal is None:
            return self.wanted.get("name")
        name: str = _MEMBER_NAME.unseal_value(self.sealed_name, self.seal)
        return name

    @property
    def birthday(self) -> date | None:
        if self.sealed_birthday is None or self.seal is None:
            return self.wanted.get("birthday")
        birthday: date = _MEMBER_BIRTHDAY.unseal_value(self.sealed_birthday, self.seal)
        return birthday


@dataclass(slots=True, eq=False)
class Seen:
    """An account, known or about to be. `told` are the columns to write."""

    id: int
    member_id: int
    linked_by: str
    version: int | None = None
    digest: bytes | None = None
    is_unbound: bool = False
    seal: UUID | None = None  # of a known one
    sealed_name: bytes | None = None
    person: Person | None = None
    index: bytes = b""
    external_id: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    is_touched: bool = False

    def keep_version(self, told: int | None) -> None:
        """Remember the newest version that was told, also where it says nothing new."""
        newest = versions.later(told, self.version)
        if newest != self.version:
            self.version = newest
            self.is_touched = True

    @property
    def name(self) -> str | None:
        """The name that this channel last told, opened only when somebody asks."""
        if self.sealed_name is None or self.seal is None:
            return self.told.get("name")
        name: str = _ACCOUNT_NAME.unseal_value(self.sealed_name, self.seal)
        return name


@dataclass(slots=True, eq=False)
class Held:
    """A key of a person. `was_*` is what the database says; id 0 is one to be added."""

    person: Person
    place: Place
    verified: bool
    leads: bool
    id: int = 0
    was_verified: bool = False
    was_leading: bool = False
    value: str = ""
    seen: Seen | None = None

    @property
    def is_raised(self) -> bool:
        """Whether the key has become verified, or leads to its member now."""
        return self.verified > self.was_verified or self.leads > self.was_leading


class HeldPlace(NamedTuple):
    member_id: int
    place: Place


def accounts(channel: Channel, indexes: Sequence[bytes], *, lock: bool) -> dict[bytes, Seen]:
    """The accounts of a channel by their blind index. `lock`: keep others from changing them."""
    rows = columns.ask(
        f"""
        SELECT told.n, account.id, account.member_id, account.linked_by, account.version, account.digest,
               account.unbound_at IS NOT NULL, account.seal, account.name
          FROM unnest(%s::bytea[]) WITH ORDINALITY AS told(index, n)
          JOIN members_account AS account
            ON account.channel_id = %s AND account.external_index = told.index
        {"ORDER BY account.id FOR NO KEY UPDATE OF account" if lock else ""}
        """,
        [columns.blobs(indexes), channel.pk],
    )
    return {
        indexes[n - 1]: Seen(
            account_id, member_id, linked_by, version, digest, is_unbound, seal, name, index=indexes[n - 1]
        )
        for n, account_id, member_id, linked_by, version, digest, is_unbound, seal, name in rows
    }


def members_of(channel: Channel, indexes: Sequence[bytes]) -> dict[bytes, Seen]:
    """As accounts(), with no more than orders need: this is the look-up of every batch."""
    rows = columns.ask(
        """
        SELECT told.n, account.id, account.member_id, account.linked_by
          FROM unnest(%s::bytea[]) WITH ORDINALITY AS told(index, n)
          JOIN members_account AS account
            ON account.channel_id = %s AND account.external_index = told.index
        """,
        [columns.blobs(indexes), channel.pk],
    )
    return {indexes[n - 1]: Seen(account, member, linked) for n, account, member, linked in rows}


def held(wanted: Sequence[tuple[int, Key]]) -> set[HeldPlace]:
    """Which of these (member id, key) are held already, and verified if the key is."""
    if not wanted:
        return set()
    rows = columns.ask(
        """
        SELECT told.n
          FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bool[])
               WITH ORDINALITY AS told(member_id, kind, scope, index, verified, n)
          JOIN members_identifier AS key USING (member_id, kind, scope, index)
         WHERE key.verified OR NOT told.verified
        """,
        [
            columns.numbers([member_id for member_id, _ in wanted]),
            *_places([key.place for _, key in wanted]),
            columns.flags([key.verified for _, key in wanted]),
        ],
    )
    return {HeldPlace(wanted[n - 1][0], wanted[n - 1][1].place) for (n,) in rows}


def lock(buckets: Sequence[int], *, namespace: int = LOCK_NAMESPACE) -> None:
    """Wait for our turn with these buckets; held to the end of the transaction."""
    columns.ask(
        "SELECT pg_advisory_xact_lock(%s, bucket) FROM unnest(%s::int[]) AS bucket",
        [namespace, columns.numbers(buckets)],
    )


def holders(places: Sequence[Place]) -> tuple[list[columns.Row], tuple[MixKey, ...]]:
    """Who holds these keys, as rows of (n of the place, identifier id, member id, verified, leads).

    And by which keys Tmall hashes phones (members.phone_hashes): asked along, they cost no statement.
    """
    rows = columns.ask(
        """
        WITH told AS MATERIALIZED (
            SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])
                     WITH ORDINALITY AS told(kind, scope, index, n)
        )
        SELECT told.n, key.id, key.member_id, key.verified, key.leads, NULL::text, NULL::uuid, NULL::bytea
          FROM told JOIN members_identifier AS key USING (kind, scope, index)
         WHERE key.leads
         UNION ALL
        (SELECT told.n, key.id, key.member_id, key.verified, key.leads, NULL::text, NULL::uuid, NULL::bytea
          FROM told JOIN members_identifier AS key USING (kind, scope, index)
         WHERE NOT key.leads
         ORDER BY key.id)
         UNION ALL
        (SELECT 0, 0, 0, false, false, channel.brand, kept.seal, kept.value
          FROM members_credential AS kept JOIN members_channel AS channel ON channel.id = kept.channel_id
         WHERE kept.name = 'mix_key'
         ORDER BY kept.id)
        """,
        _places(places),
    )
    mixes = [MixKey(row[5], _CREDENTIAL.unseal_value(bytes(row[7]), row[6])) for row in rows if not row[0]]
    return [row[:5] for row in rows if row[0]], tuple(dict.fromkeys(mixes))


def persons(member_ids: Iterable[int]) -> dict[int, Person]:
    """Members by id; who was merged into another is that other person."""
    rows = columns.ask(
        """
        WITH RECURSIVE path(start, id, next) AS (
            SELECT id, id, merged_into_id FROM members_member WHERE id = ANY(%s::bigint[])
             UNION ALL
            SELECT path.start, member.id, member.merged_into_id
              FROM path JOIN members_member AS member ON member.id = path.next
        )
        SELECT path.start, member.id, member.seal, member.name, member.birthday
          FROM path JOIN members_member AS member USING (id)
         WHERE path.next IS NULL
        """,
        [columns.numbers(sorted(set(member_ids)))],
    )
    found: dict[int, Person] = {}
    by_start: dict[int, Person] = {}
    for start, member_id, seal, name, birthday in rows:
        person = found.get(member_id)
        if person is None:
            person = found[member_id] = Person(member_id, False, seal, name, birthday)
        by_start[start] = person
    return by_start


def new_person() -> Person:
    return Person(is_new=True)


def _places(places: Sequence[Place]) -> tuple[str, str, str]:
    return (
        columns.texts([place.kind for place in places]),
        columns.texts([place.scope for place in places]),
        columns.blobs([place.blind for place in places]),
    )
