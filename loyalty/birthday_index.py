"""By which members' birthdays are found without opening them (B11, D5).

Birthdays are sealed. To know whose is today, a million of them would have to be opened each night, by a job
that has no other business with them. Instead the day of the year (never the year of birth) is kept as a keyed
index, made with the key that is not in the database: equal days have equal indexes, and an index says nothing
of its day. `refresh` opens a birthday once, when it is first told or was sealed anew; the row goes when the
birthday does. The index is itself personal data and stands in the register.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from members.models import Member
from members.sealing import sealed_field
from privacy.crypto import blind_index

CHUNK = 1000
_PURPOSE = "birthday day of the year"
_BIRTHDAY = sealed_field(Member, "birthday")

# Who is new to the index, or whose birthday was sealed anew since it was opened.
_UNSEEN = """
SELECT m.id, m.seal, m.birthday FROM members_member m
  LEFT JOIN loyalty_birthdayindex b ON b.member_id = m.id
 WHERE m.id > %(after)s AND m.status = 'active' AND m.birthday IS NOT NULL
   AND b.seen IS DISTINCT FROM decode(md5(m.birthday), 'hex')
 ORDER BY m.id LIMIT %(chunk)s
"""
_KEEP = """
INSERT INTO loyalty_birthdayindex (member_id, index, seen)
SELECT told.member_id, told.index, decode(md5(m.birthday), 'hex')
  FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS told(member_id, index, birthday)
  JOIN members_member m ON m.id = told.member_id AND m.birthday = told.birthday
    ON CONFLICT (member_id) DO UPDATE SET index = excluded.index, seen = excluded.seen
"""
_FORGET = """
DELETE FROM loyalty_birthdayindex b USING members_member m
 WHERE m.id = b.member_id AND (m.birthday IS NULL OR m.status <> 'active')
"""


def index_of(day_of_the_year: str) -> bytes:
    """The index of a day, given as `--11-22`."""
    return blind_index(day_of_the_year, purpose=_PURPOSE)


def refresh() -> int:
    """Bring the index up to date, a chunk a transaction; how many birthdays were opened."""
    opened, after = 0, 0
    while rows := _unseen(after):
        with transaction.atomic():
            _keep(rows)
        opened, after = opened + len(rows), rows[-1][0]
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
    return opened


def _unseen(after: int) -> list[tuple[int, UUID, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, {"after": after, "chunk": CHUNK})
        return [(id_, seal, bytes(birthday)) for id_, seal, birthday in cursor.fetchall()]


def _keep(rows: Sequence[tuple[int, UUID, bytes]]) -> None:
    found: list[tuple[int, bytes, bytes]] = []
    for id_, seal, blob in rows:
        birthday: date = _BIRTHDAY.unseal_value(blob, seal)
        found.append((id_, index_of(f"--{birthday:%m-%d}"), blob))
    columns: list[Any] = [list(column) for column in zip(*found, strict=True)]
    with connection.cursor() as cursor:
        # A birthday that was sealed anew in the meantime is left for the next time.
        cursor.execute(_KEEP, columns)


def indexes(days_of_the_year: Collection[str]) -> dict[bytes, str]:
    """The indexes of several days, each with its day."""
    return {index_of(day): day for day in days_of_the_year}
