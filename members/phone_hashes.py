"""Phones as Tmall hashes them, so that a join that tells only the hash finds its member (A2, A5).

Tmall hashes a mainland phone with a key of the brand's own (`mix_key`). For each such key every phone we
hear of is a second key to its member: it is looked for and filed beside the phone, so that who came with
the hash first is found by the phone, and the other way round. The plain phone is never asked for.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from procrastinate.contrib.django import app

from members import columns
from members.facts import IdentifierKind
from members.keys import DERIVED, Key, Place
from members.models import Credential, Identifier
from members.sealing import sealed_field
from privacy.crypto import blind_index, new_seals

JOB = "members.hash_phones"
CHUNK = 1000
KIND = IdentifierKind.MIX_MOBILE.value
_MAINLAND = re.compile(r"\+86(1\d{10})", re.ASCII)
_VALUE = sealed_field(Identifier, "value")


class MixKey(NamedTuple):
    """The key by which Tmall hashes phones for one brand."""

    brand: str
    secret: str


def mix_mobile(phone: str, secret: str) -> str | None:
    """The hash of a phone in E.164; None where it is none of the mainland."""
    mainland = _MAINLAND.fullmatch(phone)
    if mainland is None:
        return None
    inner = hashlib.md5(f"tmall{mainland[1]}{secret}".encode(), usedforsecurity=False).hexdigest()
    return hashlib.md5(inner.encode(), usedforsecurity=False).hexdigest()


def mix_keys() -> tuple[MixKey, ...]:
    """The keys of all brands, each once."""
    rows = Credential.objects.filter(name="mix_key").select_related("channel").order_by("pk")
    found = (MixKey(row.channel.brand, row.value) for row in rows if row.value)
    return tuple(dict.fromkeys(found))


def with_hashes(keys: tuple[Key, ...], mixes: Sequence[MixKey]) -> tuple[Key, ...]:
    """The keys of a buyer, and behind them the hashes of their phones; a hash that was told stays as told."""
    if not mixes:
        return keys
    told = {key.place for key in keys}
    hashed = [
        Key(place, value, key.verified, DERIVED)
        for key in keys
        if key.place.kind == IdentifierKind.PHONE
        for mix in mixes
        if (value := mix_mobile(key.value, mix.secret)) and (place := _place(mix, value)) not in told
    ]
    return (*keys, *hashed)


def _place(mix: MixKey, value: str) -> Place:
    return Place(KIND, mix.brand, blind_index(value, purpose=KIND))


# --- the phones that were known before the key was --------------------------------------------------


def ask_to_hash(brand: str) -> None:
    """Let a worker hash all known phones for a brand whose key has come or changed."""
    app.configure_task(JOB, queue="imports").defer(brand=brand)


def back_fill(brand: str) -> int:
    """Hash every known phone for a brand; how many hashes are new. It may be stopped and begun again."""
    mixes = [mix for mix in mix_keys() if mix.brand == brand]
    added, last = 0, 0
    while mixes:
        rows = columns.ask(_PHONES, [last, CHUNK])
        if not rows:
            break
        last = rows[-1][0]
        added += sum(_file(mix, rows) for mix in mixes)
    return added


_PHONES = """
SELECT id, seal, member_id, account_id, value, verified, leads FROM members_identifier
 WHERE kind = 'phone' AND id > %s ORDER BY id LIMIT %s
"""
_FILE = """
INSERT INTO members_identifier (seal, member_id, account_id, kind, scope, index, value, verified, leads)
SELECT seal, member_id, account_id, 'mix_mobile', %s, index, value, verified,
       leads AND NOT EXISTS (SELECT FROM members_identifier held WHERE held.kind = 'mix_mobile'
                              AND held.scope = %s AND held.index = told.index AND held.leads)
  FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bool[], %s::bool[])
       AS told(seal, member_id, account_id, index, value, verified, leads)
    ON CONFLICT DO NOTHING
"""


def _file(mix: MixKey, rows: Sequence[columns.Row]) -> int:
    phones = _VALUE.unseal_values([bytes(row[4]) for row in rows], [row[1].bytes for row in rows])
    hashed = [
        (row, value)
        for row, phone in zip(rows, phones, strict=True)
        if (value := mix_mobile(phone, mix.secret))
    ]
    seals = new_seals(len(hashed))
    return columns.tell(
        _FILE,
        [
            mix.brand,
            mix.brand,
            columns.seals(seals),
            columns.numbers([row[2] for row, _ in hashed]),
            columns.numbers([row[3] for row, _ in hashed]),
            columns.blobs([_place(mix, value).blind for _, value in hashed]),
            columns.blobs(_VALUE.seal_values([value for _, value in hashed], seals)),
            columns.flags([row[5] for row, _ in hashed]),
            columns.flags([row[6] for row, _ in hashed]),
        ],
    )
