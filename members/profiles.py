"""Profiles: what an account told goes to the account, and fills what its member is lacking (A3).

A channel's word never replaces what a member already has from another: it only fills. What was not
told erases nothing, and a masked name does not replace a clear one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from members import columns, outbox
from members.acquaintances import Seen
from members.agreement import clean_name, fold_name, is_masked, names_agree
from members.facts import AccountFact
from members.keys import Key
from members.models import Account, Channel, Member
from members.sealing import sealed_field
from privacy.crypto import blind_index

_PROVINCE = Account._meta.get_field("province").max_length or 0
_CITY = Account._meta.get_field("city").max_length or 0
_PHONE_MASKED = Account._meta.get_field("phone_masked").max_length or 0
_SEALED = {name: sealed_field(Member, name) for name in ("name", "phone", "email", "birthday", "profile")}
PLAIN = ("gender", "province", "city")
_MAY_LACK = ("name", "phone", "email", "birthday", *PLAIN)


def told_by(fact: AccountFact) -> dict[str, Any]:
    """The columns of an account that a fact tells; what it does not tell is not in it."""
    told = {
        "nick": fact.nick,
        "name": fact.name,
        "birthday": fact.birthday,
        "gender": fact.gender and str(fact.gender),
        "phone_masked": fact.phone_masked and fact.phone_masked[:_PHONE_MASKED],
        "province": fact.province and fact.province[:_PROVINCE],
        "city": fact.city and fact.city[:_CITY],
        "buyer_star": fact.buyer_star,
        "praise_count": fact.praise_count,
        "joined_at": fact.joined_at,
    }
    return {name: value for name, value in told.items() if value is not None and value != ""}


def retell(account: Seen, fact: AccountFact) -> None:
    """Put what is told anew over what the account was told before."""
    told = told_by(fact)
    if "name" in told and is_masked(told["name"]) and names_agree(told["name"], account.name):
        known = account.name
        if known and not is_masked(known):
            del told["name"]
    account.told |= told
    account.is_unbound = False
    account.is_touched = True


def want(wanted: dict[str, Any], fact: AccountFact, keys: Iterable[Key]) -> None:
    """Note what a fact could fill in its member; what was noted first stays."""
    for key in keys:
        if key.place.kind in ("phone", "email"):
            wanted.setdefault(key.place.kind, key.value)
    values = {
        "name": clean_name(fact.name),
        "birthday": fact.birthday,
        "gender": fact.gender and str(fact.gender),
        "province": fact.province and fact.province[:_PROVINCE],
        "city": fact.city and fact.city[:_CITY],
        "occupation": fact.occupation,
        "joined_at": fact.joined_at,
    }
    for name, value in values.items():
        if value is not None and value != "":
            wanted.setdefault(name, value)


def name_index(name: str | None) -> bytes | None:
    """The blind index by which a member is found by their whole name."""
    return blind_index(fold_name(name), purpose="name") if name else None


def seal(field: str, wanted: Iterable[Mapping[str, Any]], rows: Sequence[bytes]) -> list[bytes | None]:
    """Seal one field of many members, whose seals `rows` are; None where nothing is wanted of it."""
    return _SEALED[field].seal_values([values.get(field) for values in wanted], rows)


def fill(wanted: Mapping[int, Mapping[str, Any]], *, channel: Channel) -> dict[int, tuple[str, ...]]:
    """Fill what members lack, and tell the channels what became known. Three statements.

    Members are locked in the order of their ids. Who was merged or erased is left alone. Answers which
    fields became known of whom.
    """
    if not wanted:
        return {}
    rows = columns.ask(
        """
        SELECT id, seal, number, revision, name IS NULL, phone IS NULL, email IS NULL, birthday IS NULL,
               gender = '', province = '', city = '', profile
          FROM members_member
         WHERE id = ANY(%s::bigint[]) AND status IN ('active', 'restricted')
         ORDER BY id
           FOR NO KEY UPDATE
        """,
        [columns.numbers(sorted(wanted))],
    )
    filled = [filling for row in rows if (filling := _Filling.of(row, wanted[row[0]])).values]
    if filled:
        _write(filled)
        outbox.put([filling.change(channel) for filling in filled])
    return {filling.id: tuple(sorted(filling.values)) for filling in filled}


@dataclass(frozen=True, slots=True)
class _Filling:
    """What one member gets."""

    id: int
    seal: UUID
    number: str
    revision: int
    values: dict[str, Any]

    @classmethod
    def of(cls, row: columns.Row, wanted: Mapping[str, Any]) -> "_Filling":
        member_id, row_seal, number, revision, *lacking, profile = row
        values = {
            name: wanted[name]
            for name, is_lacking in zip(_MAY_LACK, lacking, strict=True)
            if is_lacking and name in wanted
        }
        if "occupation" in wanted:
            known = _SEALED["profile"].unseal_value(profile, row_seal) or {}
            if not known.get("occupation"):
                values["profile"] = known | {"occupation": wanted["occupation"]}
        return cls(member_id, row_seal, number, revision, values)

    def change(self, channel: Channel) -> outbox.Change:
        revision = self.revision + 1
        return outbox.Change(
            topic="member.updated",
            change=f"member:{self.id}:{revision}",
            member_id=self.id,
            channel_id=channel.pk,
            payload={"member_no": self.number, "revision": revision, "fields": sorted(self.values)},
        )


def _write(filled: Sequence[_Filling]) -> None:
    values = [filling.values for filling in filled]
    seals = [filling.seal.bytes for filling in filled]
    columns.tell(
        """
        UPDATE members_member AS member
           SET name = coalesce(told.name, member.name),
               name_index = coalesce(told.name_index, member.name_index),
               phone = coalesce(told.phone, member.phone),
               email = coalesce(told.email, member.email),
               birthday = coalesce(told.birthday, member.birthday),
               profile = coalesce(told.profile, member.profile),
               gender = coalesce(told.gender, member.gender),
               province = coalesce(told.province, member.province),
               city = coalesce(told.city, member.city),
               revision = member.revision + 1
          FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[],
                      %s::bytea[], %s::text[], %s::text[], %s::text[])
               AS told(id, name, name_index, phone, email, birthday, profile, gender, province, city)
         WHERE member.id = told.id
        """,
        [
            columns.numbers([filling.id for filling in filled]),
            columns.blobs(seal("name", values, seals)),
            columns.blobs([name_index(told.get("name")) for told in values]),
            *(
                columns.blobs(seal(field, values, seals))
                for field in ("phone", "email", "birthday", "profile")
            ),
            *(columns.texts([told.get(field) for told in values]) for field in PLAIN),
        ],
    )
