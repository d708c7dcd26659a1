"""Members as they can be compared: one description for each way in which a channel tells of them.

Sealed values are opened here, in memory, a chunk at a time, and go nowhere but into features.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from members import columns
from members.agreement import clean_name, names_agree
from members.matching.features import Description
from members.models import Account, Identifier, Member
from members.sealing import sealed_field
from privacy.fields import SealedField

CHUNK = 5_000  # rows that are opened at once

_NAME = sealed_field(Member, "name")
_PHONE = sealed_field(Member, "phone")
_EMAIL = sealed_field(Member, "email")
_BIRTHDAY = sealed_field(Member, "birthday")
_TOLD_NAME = sealed_field(Account, "name")
_TOLD_BIRTHDAY = sealed_field(Account, "birthday")
_VALUE = sealed_field(Identifier, "value")

# Whoever was merged is described under the survivor. Restricted and erased members are not compared.
_READ = """
WITH RECURSIVE person(id, root) AS (
    SELECT id, id FROM members_member WHERE status = 'active' {of_some}
     UNION ALL
    SELECT merged.id, person.root
      FROM person JOIN members_member AS merged ON merged.merged_into_id = person.id
)
SELECT member.id, member.seal, member.name, member.phone, member.email, member.birthday,
       member.gender, member.province, member.city,
       account.seal, account.name, account.birthday,
       account.gender, account.phone_masked, account.province, account.city,
       phone.seal, phone.value, email.seal, email.value
  FROM person
  JOIN members_member AS member ON member.id = person.root
  LEFT JOIN members_account AS account ON account.member_id = person.id AND account.external_index IS NOT NULL
  LEFT JOIN members_identifier AS phone ON phone.account_id = account.id AND phone.kind = 'phone'
  LEFT JOIN members_identifier AS email ON email.account_id = account.id AND email.kind = 'email'
 ORDER BY member.id
"""


def of_everybody() -> Iterator[Description]:
    """Describe all members that may be compared, in the order of their ids."""
    with transaction.atomic(), _rows(_READ.format(of_some=""), []) as rows:
        yield from _described(rows)


def of(member_ids: Sequence[int]) -> Iterator[Description]:
    """Describe these members; who was merged or may not be compared is left out."""
    if not member_ids:
        return
    some = "AND id = ANY(%s::bigint[])"
    with transaction.atomic(), _rows(_READ.format(of_some=some), [columns.numbers(member_ids)]) as rows:
        yield from _described(rows)


@contextmanager
def _rows(statement: str, parameters: Sequence[Any]) -> Iterator[CursorWrapper]:
    """The rows of a statement, sent as they are read: a million do not fit into memory."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, parameters)
        yield cursor


def _described(rows: CursorWrapper) -> Iterator[Description]:
    member, seen = 0, set[Description]()
    while chunk := rows.fetchmany(CHUNK):
        for description in _opened(chunk):
            if description.member != member:
                member, seen = description.member, set()
            if description not in seen:
                seen.add(description)
                yield description


def _opened(chunk: Sequence[columns.Row]) -> Iterator[Description]:
    row = list(zip(*chunk, strict=True))
    names = _open(_NAME, row[2], row[1])
    phones = _open(_PHONE, row[3], row[1])
    emails = _open(_EMAIL, row[4], row[1])
    birthdays = _open(_BIRTHDAY, row[5], row[1])
    told_names = _open(_TOLD_NAME, row[10], row[9])
    told_birthdays = _open(_TOLD_BIRTHDAY, row[11], row[9])
    told_phones = _open(_VALUE, row[17], row[16])
    told_emails = _open(_VALUE, row[19], row[18])
    for n, member in enumerate(row[0]):
        masked = row[13][n] or None
        birthday: date | None = told_birthdays[n] or birthdays[n]
        yield Description(
            member=member,
            name=_fullest(told_names[n], names[n]),
            phone=told_phones[n] or (None if masked else phones[n]),
            phone_masked=masked,
            email=told_emails[n] or emails[n],
            birthday=birthday,
            gender=row[12][n] or row[6][n],
            province=row[14][n] or row[7][n],
            city=row[15][n] or row[8][n],
        )


def _fullest(told: str | None, known: str | None) -> str | None:
    """What an account tells of a name, or what the member is known by where the account hides the rest."""
    if told and not clean_name(told) and known and names_agree(told, known):
        return known
    return told or known


def _open(field: SealedField, blobs: Sequence[bytes | None], seals: Sequence[UUID | None]) -> list[Any]:
    """The clear values of one column, None where there is nothing."""
    at = [n for n, blob in enumerate(blobs) if blob is not None]
    found: list[Any] = [None] * len(blobs)
    values = field.unseal_values([blobs[n] for n in at], [seals[n].bytes for n in at])  # type: ignore[misc,union-attr]
    for n, value in zip(at, values, strict=True):
        found[n] = value
    return found
